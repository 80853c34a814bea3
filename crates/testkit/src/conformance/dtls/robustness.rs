use super::{DELAY, MINUTE, Subject, assert_works};
use crate::{DtlsPeer, Fate, Link, Pair, Random, Record, Side, TestSeed};
use std::time::Duration;

/// The first bytes of what reaches DTLS (RFC 7983 §7).
const FIRST_BYTES: std::ops::RangeInclusive<u8> = 20..=63;

/// Random bytes; half of them behind the header of a record (RFC 6347 §4.1).
fn noise(random: &mut Random) -> Vec<u8> {
    let len = 1 + random.below(1400);
    let mut bytes = random.bytes(len);
    let kinds = usize::from(FIRST_BYTES.end() - FIRST_BYTES.start()) + 1;
    let kind = u8::try_from(random.below(kinds)).unwrap_or_default();
    bytes[0] = FIRST_BYTES.start() + kind;
    if random.chance(0.5) && bytes.len() > 13 {
        let len = u16::try_from(bytes.len() - 13).unwrap_or_default();
        bytes[1..3].copy_from_slice(&[0xFE, 0xFD]);
        bytes[3..5].fill(0);
        bytes[11..13].copy_from_slice(&len.to_be_bytes());
        // An unencrypted alert could end a handshake rightly (RFC 5246 §7.2.2).
        if bytes[0] == 21 {
            bytes[0] = 22;
        }
    }
    bytes
}

/// How many datagrams of noise come at once.
const COUNT: u64 = 200;

fn flood(pair: &mut Pair<DtlsPeer>, random: &mut Random) {
    for _ in 0..COUNT {
        let bytes = noise(random);
        pair.inject(Side::A, &bytes);
        pair.inject(Side::B, &bytes);
    }
}

pub(super) fn noisy_handshake(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"noise   ");
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.start();
    for _ in 0..4 {
        pair.run_for(DELAY / 2);
        flood(&mut pair, &mut random);
    }
    assert!(pair.run_until(MINUTE, |pair| pair.connected()), "{pair:?}");
    assert_works(&mut pair);
}

pub(super) fn random_bytes(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"noise   ");
    let mut pair = subject.connected(seed.value());
    pair.run_for(MINUTE);
    let before = pair.b.machine.stats().dropped;
    flood(&mut pair, &mut random);
    pair.run_for(DELAY);
    if subject.claims.counts_drops {
        let dropped = pair.b.machine.stats().dropped - before;
        assert!(
            dropped >= COUNT * 9 / 10,
            "{dropped} of {COUNT} are counted"
        );
    }
    assert!(pair.b.messages.is_empty(), "noise was delivered");
    assert_works(&mut pair);
}

pub(super) fn changed_datagrams(subject: &Subject, seed: &TestSeed) {
    for round in 0..40 {
        let mut random = Random::new(seed.value() + round, b"changes ");
        let mut pair = subject.pair(&Link::delayed(DELAY), seed.value() + round);
        pair.fault = Some(Box::new(move |leaving| {
            if !random.chance(0.4) {
                return Fate::Pass;
            }
            let mut bytes = leaving.bytes.to_vec();
            change(&mut random, &mut bytes);
            Fate::Replace(bytes)
        }));
        pair.start();
        for _ in 0..20 {
            pair.run_for(Duration::from_millis(200));
            let now = pair.now();
            let _ = pair.a.send(now, b"from a");
            let _ = pair.b.send(now, b"from b");
        }
        pair.run_for(MINUTE);
        let known = |message: &Vec<u8>| message == b"from a" || message == b"from b";
        let mut messages = pair.a.messages.iter().chain(&pair.b.messages);
        assert!(messages.all(known), "a changed message was delivered");
    }
}

/// Flips bits, fills from a place on, cuts off, or changes a byte where lengths lie.
fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let len = bytes.len();
    if len == 0 {
        return;
    }
    match random.below(4) {
        0 => {
            for _ in 0..=random.below(8) {
                bytes[random.below(len)] ^= 1 << random.below(8);
            }
        }
        1 => {
            let from = random.below(len);
            random.fill(&mut bytes[from..]);
        }
        2 => bytes.truncate(random.below(len)),
        _ => bytes[random.below(len.min(40))] = [0, 1, 2, 0x7F, 0x80, 0xFF][random.below(6)],
    }
}

fn record(subject: &Subject, seed: u64) -> Record {
    let mut pair = subject.pair(&Link::hostile(), seed);
    pair.record = Some(Record::default());
    let connected = pair.connect(MINUTE * 5);
    assert!(connected, "{pair:?}");
    for _ in 0..20 {
        let now = pair.now();
        assert_eq!(pair.a.send(now, b"from a"), Ok(()));
        assert_eq!(pair.b.send(now, b"from b"), Ok(()));
        pair.run_for(DELAY);
    }
    let now = pair.now();
    pair.a.machine.close(now);
    pair.run_for(MINUTE);
    pair.record.take().unwrap_or_default()
}

pub(super) fn same_seed(subject: &Subject, seed: &TestSeed) {
    let (one, other) = (record(subject, seed.value()), record(subject, seed.value()));
    assert_eq!(one.difference(&other), None);
}
