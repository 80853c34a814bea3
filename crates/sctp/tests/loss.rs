//! What is lost is found soon, and what is merely late is not sent again.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp};
use link::{Pair, Weather};
use muonrtc_sctp::packet::{Data, Packet};
use std::time::Duration;

fn tsns(packet: &[u8]) -> Vec<u32> {
    Packet::parse(packet)
        .unwrap()
        .chunks()
        .map(Result::unwrap)
        .filter(|chunk| chunk.kind == Data::KIND)
        .map(|chunk| Data::parse(chunk).unwrap().tsn)
        .collect()
}

fn message(len: usize) -> Outgoing {
    Outgoing::new(0, 53, Bytes::from(vec![7; len]))
}

/// A pair that knows its round trip of 40 ms.
fn measured(seed: u64) -> Pair {
    let mut pair = Pair::connected(seed);
    pair.weather.delay = Duration::from_millis(20);
    for _ in 0..20 {
        pair.send(0, message(100));
        pair.run_for(Duration::from_millis(100));
    }
    pair.ends[1].messages.clear();
    pair
}

#[test]
fn a_lost_tail_is_probed_for_after_two_round_trips() {
    for lost in [1, 2, 5] {
        let mut pair = measured(1);
        let mut count = 0;
        // The last packets of nine.
        pair.filter = Some(Box::new(move |from, packet| {
            count += usize::from(from == 0 && !tsns(packet).is_empty());
            !(from == 0 && (10 - lost..=9).contains(&count))
        }));
        let sent = pair.now;
        pair.send(0, message(1100 * 9));
        pair.run_until(|pair| !pair.ends[1].messages.is_empty());
        let took = pair.now - sent;
        assert!(took < Duration::from_millis(240), "{lost} lost: {took:?}");
    }
}

#[test]
fn a_lost_probe_is_followed_by_another_before_the_timeout() {
    let mut pair = measured(3);
    pair.weather.delay = Duration::from_millis(1);
    for _ in 0..100 {
        pair.send(0, message(100));
        pair.run_for(Duration::from_millis(50));
    }
    pair.ends[1].messages.clear();
    let mut count = 0;
    // The last two packets of nine, and three probes.
    pair.filter = Some(Box::new(move |from, packet| {
        count += usize::from(from == 0 && !tsns(packet).is_empty());
        !(from == 0 && (8..=12).contains(&count))
    }));
    let sent = pair.now;
    pair.send(0, message(1100 * 9));
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    let took = pair.now - sent;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

#[test]
fn the_lost_end_of_a_recovery_is_probed_for() {
    let mut pair = measured(4);
    let mut count = 0;
    // The third packet of nine and its retransmission, after which nothing is in flight.
    pair.filter = Some(Box::new(move |from, packet| {
        count += usize::from(from == 0 && !tsns(packet).is_empty());
        !(from == 0 && [3, 10].contains(&count))
    }));
    let sent = pair.now;
    pair.send(0, message(1100 * 9));
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    let took = pair.now - sent;
    assert!(took < Duration::from_millis(240), "{took:?}");
}

#[test]
fn a_lost_retransmission_is_found_without_a_timeout() {
    let mut pair = measured(2);
    let mut seen = Vec::new();
    let mut victim = None;
    pair.filter = Some(Box::new(move |from, packet| {
        let tsns = if from == 0 { tsns(packet) } else { Vec::new() };
        let Some(&tsn) = tsns.first() else {
            return true;
        };
        seen.push(tsn);
        if seen.len() == 3 {
            victim = Some(tsn);
        }
        // The third packet is lost twice.
        victim != Some(tsn) || seen.iter().filter(|seen| **seen == tsn).count() > 2
    }));
    let sent = pair.now;
    pair.send(0, message(30_000));
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    let took = pair.now - sent;
    assert!(took < Duration::from_millis(280), "{took:?}");
    assert_eq!(pair.ends[0].sctp.stats().retransmissions, 2);
}

#[test]
fn reordering_causes_no_retransmissions_once_it_was_seen() {
    for seed in 1..=10 {
        let mut pair = measured(seed);
        pair.weather = Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(4),
            ..Weather::default()
        };
        pair.send(0, message(200_000));
        pair.settle();
        let before = pair.ends[0].sctp.stats().retransmissions;
        for _ in 0..20 {
            pair.send(0, message(250_000));
        }
        pair.settle();
        assert_eq!(pair.ends[1].messages.len(), 21, "seed {seed}");
        let after = pair.ends[0].sctp.stats().retransmissions;
        assert_eq!(after - before, 0, "seed {seed}, {before} at first");
    }
}

#[test]
fn strong_reordering_widens_the_window_until_retransmissions_are_rare() {
    for seed in 1..=10 {
        let mut pair = measured(seed);
        pair.weather = Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(30),
            ..Weather::default()
        };
        for _ in 0..10 {
            pair.send(0, message(250_000));
        }
        pair.settle();
        let before = pair.ends[0].sctp.stats().retransmissions;
        for _ in 0..20 {
            pair.send(0, message(250_000));
        }
        pair.run_for(Duration::from_secs(30));
        assert_eq!(pair.ends[1].messages.len(), 30, "seed {seed}");
        let again = pair.ends[0].sctp.stats().retransmissions - before;
        // Of 4400 packets.
        assert!(again < 150, "seed {seed}: {again}");
    }
}
