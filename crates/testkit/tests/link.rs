//! A wire does to datagrams what its link says, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use muonrtc_testkit::{Clock, Link, Wire};
use std::time::{Duration, Instant};

/// Sends `count` datagrams of `len` bytes, one every `gap`, and returns when each arrived, as
/// (number, offset), in the order of arrival.
fn run(
    link: Link,
    seed: u64,
    count: u32,
    len: usize,
    gap: Duration,
) -> (Vec<(u32, Duration)>, Wire) {
    let clock = Clock::new();
    let mut wire = Wire::new(link, seed, b"the wire");
    for number in 0..count {
        let mut datagram = vec![0; len];
        datagram[..4].copy_from_slice(&number.to_be_bytes());
        wire.send(clock.now() + gap * number, datagram);
    }
    let end: Instant = clock.now() + Duration::from_secs(1_000_000);
    let mut arrived = Vec::new();
    while let Some((at, datagram)) = wire.receive(end) {
        let number = u32::from_be_bytes(datagram[..4].try_into().unwrap());
        arrived.push((number, clock.offset(at)));
    }
    (arrived, wire)
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_perfect_link_delivers_everything_at_once_and_in_order() {
    let (arrived, wire) = run(Link::perfect(), 1, 100, 100, MS);
    let expected: Vec<_> = (0..100).map(|number| (number, MS * number)).collect();
    assert_eq!(arrived, expected);
    assert_eq!(wire.stats().delivered_bytes, 10_000);
}

#[test]
fn nothing_arrives_before_its_time() {
    let clock = Clock::new();
    let mut wire = Wire::new(Link::delayed(MS * 5), 1, b"the wire");
    wire.send(clock.now(), vec![1]);
    assert_eq!(wire.next_arrival(), Some(clock.now() + MS * 5));
    assert_eq!(wire.receive(clock.now() + MS * 4), None);
    assert_eq!(wire.in_flight(), 1);
    assert!(wire.receive(clock.now() + MS * 5).is_some());
}

#[test]
fn loss_duplication_and_reordering_come_as_often_as_asked() {
    let (arrived, wire) = run(Link::hostile(), 7, 10_000, 100, MS);
    let stats = wire.stats();
    for (count, of) in [
        (stats.lost, 10_000),
        (stats.reordered, 8_000),
        (stats.duplicated, 8_000),
    ] {
        assert!((of * 18 / 100..of * 22 / 100).contains(&count), "{stats:?}");
    }
    assert_eq!(arrived.len() as u64, 10_000 - stats.lost + stats.duplicated);
    assert!(!arrived.is_sorted());
}

#[test]
fn the_same_seed_gives_the_same_arrivals_and_another_gives_others() {
    let arrived = |seed| run(Link::mobile(), seed, 500, 500, MS * 10).0;
    assert_eq!(arrived(1), arrived(1));
    assert_ne!(arrived(1), arrived(2));
}

#[test]
fn jitter_alone_never_reorders() {
    let mut link = Link::delayed(MS * 10);
    link.jitter = MS * 50;
    let (arrived, _) = run(link, 1, 1_000, 100, MS);
    assert!(arrived.is_sorted_by_key(|(number, _)| *number));
    assert!(arrived.is_sorted_by_key(|(_, at)| *at));
}

#[test]
fn changing_one_property_leaves_what_the_others_decide() {
    let numbers = |link| {
        let (arrived, _) = run(link, 5, 1_000, 100, MS);
        let mut numbers: Vec<_> = arrived.into_iter().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    assert_eq!(numbers(Link::lossy(20)), numbers(Link::hostile()));
}

#[test]
fn the_rate_spaces_datagrams_and_the_queue_drops_what_does_not_fit() {
    let mut link = Link::perfect();
    link.rate = Some(8_000_000);
    link.queue = 10_000;
    // 1 000 bytes at 8 Mbit/s take 1 ms: of all at once, ten fit, with the one on its way.
    let (arrived, wire) = run(link.clone(), 1, 100, 1_000, Duration::ZERO);
    let expected: Vec<_> = (0..10).map(|number| (number, MS * (number + 1))).collect();
    assert_eq!(arrived, expected);
    assert_eq!(wire.stats().overflowed, 90);
    // Sent at the rate, none waits.
    let (arrived, _) = run(link, 1, 100, 1_000, MS);
    assert_eq!(arrived.len(), 100);
}

#[test]
fn a_datagram_above_the_mtu_is_dropped() {
    let mut link = Link::perfect();
    link.mtu = Some(1_200);
    assert_eq!(run(link.clone(), 1, 1, 1_200, MS).0.len(), 1);
    let (arrived, wire) = run(link, 1, 1, 1_201, MS);
    assert!(arrived.is_empty());
    assert_eq!(wire.stats().oversized, 1);
}

#[test]
fn a_rate_of_zero_delivers_nothing_in_any_test() {
    let mut link = Link::perfect();
    link.rate = Some(0);
    let (arrived, _) = run(link, 1, 1, 100, MS);
    assert!(arrived.is_empty());
}
