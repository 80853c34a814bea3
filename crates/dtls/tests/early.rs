//! Datagrams that come before their time.

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use layer::{DtlsError, DtlsRole, DtlsState};
use std::time::Duration;
use support::{DELAY, LIMIT, V1_2, V1_3, factory, pair};
use testkit::{Fate, Side, fate};

// dtls-010
#[test]
fn a_client_hello_that_overtakes_the_answer_is_kept_and_answered_at_once() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = pair(&factory, &factory);
    let now = pair.now();
    pair.exchange_fingerprints();
    pair.a.machine.set_role(now, DtlsRole::Client).unwrap();
    pair.run_for(DELAY * 2);
    assert_eq!(pair.b.machine.state(), DtlsState::New);
    assert_eq!(pair.datagrams_sent(Side::A), 1);
    let now = pair.now();
    pair.b.machine.set_role(now, DtlsRole::Server).unwrap();
    // Without a second ClientHello: it would come later than this.
    assert!(
        pair.run_until(DELAY * 3, |pair| pair.connected()),
        "{pair:?}"
    );
}

#[test]
fn the_role_is_set_once() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = pair(&factory, &factory);
    let now = pair.now();
    assert_eq!(pair.a.machine.role(), None);
    pair.a.machine.set_role(now, DtlsRole::Server).unwrap();
    pair.a.machine.set_role(now, DtlsRole::Server).unwrap();
    let refused = pair.a.machine.set_role(now, DtlsRole::Client);
    assert_eq!(refused, Err(DtlsError::RoleIsSet(DtlsRole::Server)));
    assert_eq!(pair.a.machine.role(), Some(DtlsRole::Server));
}

#[test]
fn more_early_datagrams_than_the_bound_are_counted() {
    let mut factory = factory([V1_2, V1_3]);
    factory.max_early_datagrams = 4;
    let mut pair = pair(&factory, &factory);
    // A ClientHello of 38 zeros in one fragment.
    let record = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50];
    let handshake = [1, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 38];
    let hello = [&record[..], &handshake, &[0; 38]].concat();
    for _ in 0..6 {
        pair.inject(Side::A, &hello);
    }
    pair.inject(Side::A, &[128; 50]);
    let stats = pair.a.machine.stats();
    assert_eq!((stats.overflowed, stats.dropped), (2, 1));
}

/// The client has finished and speaks; its last flight is lost, its words are not.
// dtls-028, dtls-043
#[test]
fn application_data_that_overtakes_the_last_flight_is_kept_for_it() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let mut pair = pair(&factory, &factory);
        let slow = if versions == [V1_2, V1_2] {
            // The server's last flight; the server speaks first.
            (Side::B, 1)
        } else {
            (Side::A, 1)
        };
        let delay = Duration::from_millis(60);
        pair.fault = Some(fate::delay_nth(slow.0, slow.1, delay));
        pair.start();
        let speaker = slow.0;
        let mut said = false;
        let both = pair.run_until(LIMIT, |pair| {
            let now = pair.now();
            let speaking = pair.end(speaker);
            if !said && speaking.machine.state() == DtlsState::Connected {
                for _ in 0..100 {
                    speaking.send(now, b"early").unwrap();
                }
                said = true;
            }
            pair.connected()
        });
        assert!(both, "{versions:?}");
        pair.run_for(Duration::from_secs(1));
        let listening = pair.end(speaker.other());
        assert!(listening.messages.len() >= 30, "{listening:?}");
        let stats = listening.machine.stats();
        let lost = usize::try_from(stats.overflowed).unwrap();
        assert_eq!(listening.messages.len() + lost, 100, "{listening:?}");
    }
}

/// The server's flight in 1.3 is a ServerHello in one datagram and the rest in others.
#[test]
fn a_server_flight_in_reverse_order_is_put_right_without_a_timer() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = support::pair_over(&factory, &factory, &testkit::Link::delayed(DELAY));
    pair.fault = Some(Box::new(|leaving| {
        let first_of_flight = leaving.from == Side::B && leaving.index == 0;
        if first_of_flight {
            Fate::Delay(Duration::from_millis(5))
        } else {
            Fate::Pass
        }
    }));
    assert!(pair.connect(DELAY * 5), "{pair:?}");
}
