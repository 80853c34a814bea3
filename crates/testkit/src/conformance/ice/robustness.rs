use super::{DELAY, MINUTE, Subject, data_flows};
use crate::{Fate, IcePair, Link, Packet, Random, Record, Side, TestSeed};
use std::net::SocketAddr;
use std::time::Duration;
use stun::{
    Builder, Class, IceControlling, Method, Priority, TransactionId, UseCandidate, Username,
};

/// The address of an agent that packets from outside reach.
fn target(pair: &mut IcePair, side: Side) -> SocketAddr {
    let candidates = pair.end(side).machine.local_candidates();
    let mut addresses = candidates.iter().filter_map(layer::Candidate::socket_addr);
    addresses.next().expect("a host candidate")
}

fn throw(pair: &mut IcePair, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
    let now = pair.now();
    pair.network.deliver_at(now, Packet::new(from, to, bytes));
}

fn stranger(number: usize) -> SocketAddr {
    let [_, _, high, low] = u32::try_from(number).unwrap_or_default().to_be_bytes();
    ([203, 0, high, low], 4000).into()
}

pub(super) fn random_bytes(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"rnd byte");
    let mut pair = subject.connected(seed.value());
    let route = pair.a.machine.route().expect("a route");
    for number in 0..2000 {
        let len = random.below(1500);
        let mut bytes = random.bytes(len);
        if number % 2 == 0 && !bytes.is_empty() {
            // What looks like STUN.
            bytes[0] &= 3;
        }
        let from = if number % 3 == 0 {
            route.remote
        } else {
            stranger(number)
        };
        throw(&mut pair, from, route.local, bytes);
    }
    pair.run_for(Duration::from_secs(1));
    assert!(pair.a.connected(), "{pair:?}");
    pair.a.data.clear();
    assert!(data_flows(&mut pair));
}

pub(super) fn strangers_data(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let to = pair.a.machine.route().expect("a route").local;
    for number in 0..100 {
        throw(&mut pair, stranger(number), to, b"\x80 not yours".to_vec());
    }
    pair.run_for(Duration::from_secs(1));
    assert!(
        pair.a.data.is_empty(),
        "nothing of a stranger comes through"
    );
    assert_eq!(pair.a.machine.stats().unvalidated_data, 100);
}

/// A check with the right form and a password that nobody has.
fn forged(pair: &IcePair, number: usize) -> Vec<u8> {
    let ours = &pair.a.machine.local_credentials().username_fragment;
    let theirs = &pair.b.machine.local_credentials().username_fragment;
    let key = crate::crypto::provider().hmac_sha1.key(b"a guess");
    let mut id = [0; 12];
    id[4..].copy_from_slice(&(number as u64).to_be_bytes());
    let mut buffer = [0; 300];
    let mut builder = Builder::new(
        &mut buffer,
        Class::Request,
        Method::BINDING,
        TransactionId(id),
    );
    builder
        .attribute(&Username(&format!("{ours}:{theirs}")))
        .attribute(&Priority(1 << 30))
        .attribute(&IceControlling(u64::MAX))
        .attribute(&UseCandidate);
    let built = builder.integrity(&*key).fingerprint().finish();
    let len = built.unwrap_or_else(|error| panic!("a check was not built: {error}"));
    buffer[..len].to_vec()
}

pub(super) fn forged_checks(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.start();
    let to = target(&mut pair, Side::A);
    let sent = pair.datagrams_sent(Side::A);
    for number in 0..10_000 {
        let bytes = forged(&pair, number);
        throw(&mut pair, stranger(number), to, bytes);
    }
    pair.run_for(Duration::from_secs(1));
    let stats = pair.a.machine.stats();
    assert!(stats.unauthenticated >= 10_000, "{stats:?}");
    assert!(stats.pairs.len() < 200, "forged checks make no pairs");
    let answers = pair.datagrams_sent(Side::A) - sent;
    assert!(
        answers < 1000,
        "{answers} packets: strangers are not amplified"
    );
    let up = pair.run_until(MINUTE, |pair| pair.a.connected() && pair.b.connected());
    assert!(up, "{pair:?}");
    let route = pair.a.machine.route().expect("a route");
    assert_eq!(
        Some(route.remote),
        pair.b.machine.route().map(|it| it.local)
    );
}

pub(super) fn flipped_bits(subject: &Subject, seed: &TestSeed) {
    for round in 0..20 {
        let seed = seed.value() + round;
        let mut random = Random::new(seed, b"changes ");
        let mut pair = subject.pair(&Link::delayed(DELAY), seed);
        pair.fault = Some(Box::new(move |leaving| {
            if !random.chance(0.3) {
                return Fate::Pass;
            }
            let mut bytes = leaving.bytes.to_vec();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            Fate::Replace(bytes)
        }));
        assert!(pair.connect(2 * MINUTE), "{pair:?}");
    }
}

pub(super) fn truncated(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"truncate");
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.fault = Some(Box::new(move |leaving| {
        if random.chance(0.5) {
            return Fate::Pass;
        }
        Fate::Replace(leaving.bytes[..random.below(leaving.bytes.len())].to_vec())
    }));
    assert!(pair.connect(2 * MINUTE), "{pair:?}");
}

fn record(subject: &Subject, machines: u64) -> Vec<String> {
    let mut pair = subject.pair(&Link::delayed(DELAY), machines);
    pair.record = Some(Record::default());
    assert!(pair.connect(MINUTE), "{pair:?}");
    let fragment = &pair.a.machine.local_credentials().username_fragment;
    let password = &pair.a.machine.local_credentials().password;
    let record = pair.record.take();
    vec![fragment.clone(), password.clone(), format!("{record:?}")]
}

pub(super) fn same_seed(subject: &Subject, seed: &TestSeed) {
    let [first, second] = [0, 0].map(|_| record(subject, seed.value()));
    assert_eq!(first, second);
}

pub(super) fn other_seed(subject: &Subject, seed: &TestSeed) {
    let [first, second] = [0, 1].map(|other| record(subject, seed.value() + other));
    assert_ne!(first[0], second[0], "another user name fragment");
    assert_ne!(first[1], second[1], "another password");
}
