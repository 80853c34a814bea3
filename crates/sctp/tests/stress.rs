//! Bulk over links that lose, repeat, reorder, stall and change, in virtual time: every byte
//! arrives, in order where that is promised, and nothing stands still for longer than the timers
//! explain.
//!
//! A few seeds in a plain run. `MUON_LONG=1 cargo test --release -p muonrtc-sctp --test stress` takes
//! 1000 seeds of 10 MiB, 10 GiB in all, in about two minutes; `MUON_SEED=n` takes one of them.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Reliability, Sctp};
use link::{Dice, Pair, Weather};
use muonrtc_sctp::{CongestionControl, Factory};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

const STREAMS: u16 = 4;

/// The last stream is unordered, the one before it may give messages up.
const LOSSY: u16 = STREAMS - 2;
const UNORDERED: u16 = STREAMS - 1;

/// Nothing may stand still for longer: ten timeouts of 3 s, the largest there are, or the time that
/// the packets of a message of 200 kB take at 30 % of loss.
const STALL: Duration = Duration::from_secs(30);

fn seeds() -> (Range<u64>, usize) {
    if let Ok(seed) = std::env::var("MUON_SEED") {
        let seed = seed.parse().unwrap();
        return (seed..seed + 1, 10 << 20);
    }
    if std::env::var_os("MUON_LONG").is_some() {
        (1..1001, 10 << 20)
    } else {
        (1..7, 1 << 20)
    }
}

/// Any weather in which something gets through.
fn weather(dice: &mut Dice) -> Weather {
    Weather {
        delay: Duration::from_millis(dice.roll() % 120),
        jitter: Duration::from_millis([0, 0, 3, 40][dice.roll() as usize % 4]),
        loss: [0, 1, 5, 30][dice.roll() as usize % 4],
        duplication: [0, 0, 5][dice.roll() as usize % 3],
        rate: [None, Some(500_000), Some(5_000_000)][dice.roll() as usize % 3],
        queue: Duration::from_millis(20 + dice.roll() % 200),
        mtu: [1132, 1300, usize::MAX][dice.roll() as usize % 3],
    }
}

/// The byte at a place of a message: each differs from its neighbours and from other messages.
fn byte(stream: u16, number: usize, at: usize) -> u8 {
    (usize::from(stream) * 31 + number * 7 + at * 13 + at / 251) as u8
}

fn message(dice: &mut Dice, stream: u16, number: usize) -> Outgoing {
    let largest = [60, 1200, 20_000, 200_000][dice.roll() as usize % 4];
    let len = 8 + dice.roll() as usize % largest;
    let mut data = (number as u64).to_be_bytes().to_vec();
    data.extend((8..len).map(|at| byte(stream, number, at)));
    let mut message = Outgoing::new(stream, 53, Bytes::from(data));
    message.unordered = stream == UNORDERED;
    if stream == LOSSY {
        message.reliability = Reliability::MaxRetransmits(1);
    }
    message
}

/// Checks what has arrived; returns its length.
fn check(message: &layer::Message, next: &mut BTreeMap<u16, Vec<usize>>) -> usize {
    let (stream, data) = (message.stream, &message.data);
    let number = u64::from_be_bytes(data[..8].try_into().unwrap()) as usize;
    let rest = data[8..].iter().enumerate();
    assert!(
        rest.map(|(at, got)| (at + 8, got))
            .all(|(at, got)| *got == byte(stream, number, at)),
        "stream {stream}, message {number}"
    );
    let seen = next.entry(stream).or_default();
    match stream {
        UNORDERED => assert!(!seen.contains(&number)),
        LOSSY => assert!(seen.last().is_none_or(|last| number > *last)),
        _ => assert_eq!(number, seen.len(), "stream {stream}"),
    }
    seen.push(number);
    data.len()
}

fn run(seed: u64, bytes: usize) {
    let mut dice = Dice::new(seed);
    let controls = [
        CongestionControl::Bbr,
        CongestionControl::Bbr,
        CongestionControl::Cubic,
        CongestionControl::Reno,
    ];
    let mut factory = Factory::default();
    factory.congestion = controls[dice.roll() as usize % 4];
    factory.interleaving = dice.percent(50);
    let mut pair = Pair::with(seed, &factory, &link::config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    let mut sent = [0; STREAMS as usize];
    let mut queued = 0;
    let mut seen = BTreeMap::new();
    let mut moved = pair.now;
    let mut next_weather = pair.now;
    let complete = |sent: &[usize], seen: &BTreeMap<u16, Vec<usize>>| {
        [0, 1, UNORDERED]
            .iter()
            .all(|stream| seen.get(stream).map_or(0, Vec::len) == sent[usize::from(*stream)])
    };
    while queued < bytes || !complete(&sent, &seen) {
        if pair.now >= next_weather {
            pair.weather = weather(&mut dice);
            next_weather = pair.now + Duration::from_millis(200 + dice.roll() % 3000);
        }
        while queued < bytes && pair.ends[0].sctp.send_capacity() > 15 << 20 {
            let stream = (dice.roll() % u64::from(STREAMS)) as u16;
            let message = message(&mut dice, stream, sent[usize::from(stream)]);
            sent[usize::from(stream)] += 1;
            queued += message.data.len();
            pair.send(0, message);
        }
        pair.step(next_weather);
        let arrived: Vec<_> = pair.ends[1].messages.drain(..).collect();
        for message in &arrived {
            check(message, &mut seen);
            moved = pair.now;
        }
        let held_up = pair.now - moved;
        assert!(held_up < STALL, "nothing for {held_up:?}");
        assert!(pair.ends.iter().all(|end| end.ended().is_none()));
    }
}

#[test]
fn every_byte_arrives_through_any_weather() {
    let (seeds, bytes) = seeds();
    for seed in seeds {
        println!("repeat with MUON_SEED={seed}");
        run(seed, bytes);
    }
}
