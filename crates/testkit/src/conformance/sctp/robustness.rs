use super::{MINUTE, Subject, feed, message, received, transfer};
use crate::{Fate, Link, Random, Record, Side, TestSeed};
use layer::SctpConnect;
use std::collections::VecDeque;
use std::time::Duration;

/// Where the checksum lies in the common header (RFC 9260 §3.1).
const CHECKSUM: std::ops::Range<usize> = 8..12;

pub(super) fn random_bytes(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"rnd byte");
    let mut pair = subject.pair(&Link::lossy(5), seed.value());
    let mut flood = |pair: &mut crate::Pair<crate::SctpPeer>| {
        for _ in 0..200 {
            let len = random.below(1500);
            let bytes = random.bytes(len);
            pair.inject(Side::A, &bytes);
            pair.inject(Side::B, &bytes);
        }
    };
    flood(&mut pair);
    pair.start();
    flood(&mut pair);
    pair.run_for(Duration::from_millis(15));
    flood(&mut pair);
    let up = pair.run_until(MINUTE, |pair| {
        [&pair.a, &pair.b]
            .iter()
            .all(|end| end.machine.streams().is_some())
    });
    assert!(up, "{pair:?}");
    let before = pair.b.machine.stats().packets_dropped;
    flood(&mut pair);
    let dropped = pair.b.machine.stats().packets_dropped - before;
    assert_eq!(dropped, 200, "every one is counted: {pair:?}");
    let got = transfer(&mut pair, [message(0, 0, 100_000)], MINUTE);
    assert_eq!(got.len(), 1);
}

pub(super) fn truncated(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"truncate");
    let mut pair = subject.pair(&Link::delayed(Duration::from_millis(10)), seed.value());
    // Every packet comes whole, and its beginning comes before it.
    let (beginnings, taken) = std::sync::mpsc::channel();
    pair.fault = Some(Box::new(move |leaving| {
        let cut = random.below(leaving.bytes.len());
        let _ = beginnings.send((leaving.from, leaving.bytes[..cut].to_vec()));
        Fate::Pass
    }));
    pair.start();
    let mut queue: VecDeque<_> = (0..50).map(|number| message(0, number, 5_000)).collect();
    let done = pair.run_until(MINUTE, |pair| {
        for (from, bytes) in taken.try_iter().take(1000) {
            pair.inject(from.other(), &bytes);
        }
        feed(pair, Side::A, &mut queue);
        received(&pair.b) == 50
    });
    assert!(done, "{pair:?}");
}

/// Runs a whole life while packets are replaced by `change`, again and again: no panic, and both
/// ends come to rest, whatever becomes of the association.
fn live_through(subject: &Subject, seed: &TestSeed, change: fn(&mut Random, &mut [u8])) {
    for round in 0..30 {
        let mut random = Random::new(seed.value() + round, b"changes ");
        let mut pair = subject.pair(&Link::hostile(), seed.value() + round);
        pair.fault = Some(Box::new(move |leaving| {
            if !random.chance(0.3) {
                return Fate::Pass;
            }
            let mut bytes = leaving.bytes.to_vec();
            change(&mut random, &mut bytes);
            Fate::Replace(bytes)
        }));
        let now = pair.now();
        for end in [&mut pair.a, &mut pair.b] {
            let _ = end.machine.connect(now, SctpConnect::new(5000, 5000));
        }
        for number in 0..20 {
            let now = pair.now();
            let stream = u16::try_from(number % 4).unwrap_or_default();
            let _ = pair.a.machine.send(now, message(stream, number, 3_000));
            let _ = pair.b.machine.send(now, message(stream, number, 30));
            if number % 5 == 4 {
                let _ = pair.a.machine.reset(now, &[stream]);
            }
            pair.run_for(Duration::from_millis(200));
        }
        let now = pair.now();
        pair.a.machine.shutdown(now);
        pair.run_for(MINUTE);
    }
}

fn flip_bits(random: &mut Random, bytes: &mut [u8]) {
    for _ in 0..=random.below(8) {
        if !bytes.is_empty() {
            bytes[random.below(bytes.len())] ^= 1 << random.below(8);
        }
    }
}

pub(super) fn flipped_bits(subject: &Subject, seed: &TestSeed) {
    live_through(subject, seed, flip_bits);
}

pub(super) fn changed_chunks(subject: &Subject, seed: &TestSeed) {
    live_through(subject, seed, |random, bytes| {
        if bytes.len() <= CHECKSUM.end {
            return;
        }
        let chunks = &mut bytes[CHECKSUM.end..];
        match random.below(4) {
            0 => flip_bits(random, chunks),
            // Lengths, counts and types are mostly small numbers at small offsets.
            1 => {
                let at = random.below(chunks.len().min(24));
                chunks[at] = [0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF][random.below(8)];
            }
            2 => {
                let from = random.below(chunks.len());
                random.fill(&mut chunks[from..]);
            }
            _ => chunks[0] = random.bytes(1)[0],
        }
        put_checksum_right(bytes);
    });
}

/// CRC-32c over the packet with a zero checksum, least significant byte first (RFC 9260 §6.8).
fn put_checksum_right(packet: &mut [u8]) {
    packet[CHECKSUM].fill(0);
    let mut register = u32::MAX;
    for byte in packet.iter() {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = register & 1;
            register >>= 1;
            register ^= 0x82F6_3B78 * carry;
        }
    }
    packet[CHECKSUM].copy_from_slice(&(!register).to_le_bytes());
}

fn record(subject: &Subject, seed: u64) -> Record {
    let mut pair = subject.pair(&Link::hostile(), seed);
    pair.record = Some(Record::default());
    let _ = pair.connect(MINUTE);
    let outgoing = (0..20).map(|number| message(0, number, 2_000));
    transfer(&mut pair, outgoing, MINUTE * 5);
    let now = pair.now();
    let _ = pair.a.machine.reset(now, &[0]);
    pair.run_for(MINUTE);
    let now = pair.now();
    pair.a.machine.shutdown(now);
    pair.run_for(MINUTE);
    pair.record.take().unwrap_or_default()
}

pub(super) fn same_seed(subject: &Subject, seed: &TestSeed) {
    let (one, other) = (record(subject, seed.value()), record(subject, seed.value()));
    let difference = one.difference(&other);
    assert_eq!(difference, None);
}

pub(super) fn other_seed(subject: &Subject, seed: &TestSeed) {
    let first = |seed, side| {
        let record = record(subject, seed);
        record.sent_by(side).next().map(<[u8]>::to_vec)
    };
    let firsts = [
        first(seed.value(), Side::A),
        first(seed.value(), Side::B),
        first(seed.value() + 1, Side::A),
        first(seed.value() + 1, Side::B),
    ];
    for (index, packet) in firsts.iter().enumerate() {
        assert!(
            !firsts[..index].contains(packet),
            "two associations begin with the same packet: {packet:02x?}"
        );
    }
}
