//! Flights: when and how they are sent again.

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use layer::{Blame, DtlsEvent, DtlsRole};
use std::time::Duration;
use support::{DELAY, LIMIT, V1_2, V1_3, factory, pair, pair_over};
use testkit::{Link, Record, Side, fate};

/// The record sequence number of epoch 0 in the first record of a datagram.
fn sequence(datagram: &[u8]) -> u64 {
    assert_eq!(datagram[3..5], [0, 0]);
    let mut number = [0; 8];
    number[2..].copy_from_slice(&datagram[5..11]);
    u64::from_be_bytes(number)
}

// dtls-015, dtls-016, dtls-025
#[test]
fn a_client_hello_is_sent_again_in_a_record_of_its_own() {
    for versions in [[V1_2, V1_3], [V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let mut pair = pair_over(&factory, &factory, &Link::lossy(100));
        pair.record = Some(Record::default());
        let now = pair.now();
        pair.a.machine.set_role(now, DtlsRole::Client).unwrap();
        pair.run_for(Duration::from_secs(2));
        let record = pair.record.take().unwrap();
        let numbers: Vec<_> = record
            .datagrams()
            .iter()
            .map(|sent| sequence(&sent.bytes))
            .collect();
        assert!(numbers.len() >= 3, "{versions:?}");
        assert!(
            numbers.is_sorted_by(|a, b| a < b),
            "{versions:?} {numbers:?}"
        );
    }
}

// dtls-016
#[test]
fn records_after_a_repeated_client_hello_never_reuse_its_numbers() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let server = factory(versions);
        let client = factory([V1_2, V1_3]);
        let mut pair = pair(&client, &server);
        pair.fault = Some(fate::drop_first(Side::B, 2));
        pair.record = Some(Record::default());
        assert!(pair.connect(LIMIT), "{versions:?}");
        let record = pair.record.take().unwrap();
        let numbers: Vec<_> = record
            .datagrams()
            .iter()
            .filter(|sent| sent.from == Side::A && sent.bytes[0] < 32)
            .filter(|sent| sent.bytes[3..5] == [0, 0])
            .map(|sent| sequence(&sent.bytes))
            .collect();
        assert!(
            numbers.is_sorted_by(|a, b| a < b),
            "{versions:?} {numbers:?}"
        );
    }
}

// dtls-026
#[test]
fn the_timer_starts_short_doubles_and_gives_up_in_time() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = pair_over(&factory, &factory, &Link::lossy(100));
    pair.record = Some(Record::default());
    let now = pair.now();
    pair.a.machine.set_role(now, DtlsRole::Client).unwrap();
    pair.run_for(factory.handshake_timeout + Duration::from_secs(1));
    let record = pair.record.take().unwrap();
    let times: Vec<_> = record.datagrams().iter().map(|sent| sent.at).collect();
    let mut expected = factory.flight_interval;
    for wait in times.windows(2).map(|pair| pair[1] - pair[0]) {
        assert!(
            wait >= expected * 3 / 4 && wait <= expected * 5 / 4,
            "{times:?}"
        );
        expected *= 2;
    }
    let last = pair.a.events.last().unwrap();
    assert!(matches!(last, DtlsEvent::Ended(end) if end.blame == Blame::Timeout));
}

#[test]
fn a_known_round_trip_sets_the_timer() {
    let factory = factory([V1_2, V1_3]);
    for (round_trip, least, most) in [(10, 37, 63), (150, 168, 282), (2000, 300, 500)] {
        let mut pair = pair_over(&factory, &factory, &Link::lossy(100));
        let now = pair.now();
        let round_trip = Duration::from_millis(round_trip);
        pair.a.machine.set_round_trip(round_trip);
        pair.a.machine.set_role(now, DtlsRole::Client).unwrap();
        pair.settle();
        let wait = pair.a.machine.poll_timeout().unwrap() - now;
        assert!((least..=most).contains(&wait.as_millis()), "{wait:?}");
    }
}

// dtls-040, dfx-040
#[test]
fn a_handshake_takes_no_cookie_round_trip() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let mut pair = pair(&factory, &factory);
        let round_trips = if versions == [V1_2, V1_2] { 2 } else { 1 };
        assert!(pair.connect(LIMIT));
        // The server is the last to know in 1.3.
        assert!(
            pair.elapsed() <= DELAY * (2 * round_trips + 1),
            "{:?}",
            pair.elapsed()
        );
    }
}

// dtls-027
#[test]
fn a_handshake_works_at_every_path_mtu() {
    for max_datagram in [0, 256, 548, 1472, 9000, usize::MAX] {
        for versions in [[V1_2, V1_2], [V1_3, V1_3], [V1_2, V1_3]] {
            let factory = factory(versions);
            let mut pair = pair(&factory, &factory);
            pair.a.machine.set_max_datagram(max_datagram);
            pair.b.machine.set_max_datagram(max_datagram);
            assert!(pair.connect(LIMIT), "{max_datagram} {versions:?}");
        }
    }
}

// dtls-025, dtls-037: what is repeated and what is new may share a datagram.
#[test]
fn any_one_datagram_of_a_flight_over_several_may_be_lost() {
    for max_datagram in [300, 400, 500, 700] {
        for side in [Side::A, Side::B] {
            for n in 0..8 {
                let factory = factory([V1_2, V1_3]);
                let mut pair = pair(&factory, &factory);
                pair.a.machine.set_max_datagram(max_datagram);
                pair.b.machine.set_max_datagram(max_datagram);
                pair.fault = Some(fate::drop_nth(side, n));
                assert!(pair.connect(LIMIT), "{max_datagram} without {side:?} {n}");
            }
        }
    }
}
