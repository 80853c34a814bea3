//! How an association ends.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Blame, Outgoing, Sctp, SctpError, SctpState};
use link::{Pair, kinds};
use muonrtc_sctp::Factory;
use muonrtc_sctp::packet::{Abort, CauseCode, Shutdown, ShutdownAck, ShutdownComplete};
use std::time::Duration;

// sctp-019
#[test]
fn a_shutdown_delivers_what_is_queued_first_and_tells_both_ends() {
    for loss in [0, 30] {
        let mut pair = Pair::connected(1);
        pair.weather.loss = loss;
        for number in 0..20 {
            pair.send_text(0, 0, &format!("to {number}"));
            pair.send_text(1, 0, &format!("back {number}"));
        }
        let now = pair.now;
        pair.ends[0].sctp.shutdown(now);
        assert_eq!(pair.ends[0].sctp.state(), SctpState::ShuttingDown);
        let late = Outgoing::new(0, 51, Bytes::from_static(b"late"));
        assert!(matches!(
            pair.ends[0].sctp.send(now, late),
            Err(SctpError::State(_))
        ));
        pair.collect(0);
        pair.run_until(|pair| pair.ends.iter().all(|end| end.ended().is_some()));
        assert_eq!(pair.ends[1].messages.len(), 20);
        assert_eq!(pair.ends[0].messages.len(), 20);
        assert_eq!(pair.ends[0].ended().unwrap().blame, Blame::Local);
        if loss == 0 {
            assert_eq!(pair.ends[1].ended().unwrap().blame, Blame::Peer);
        }
    }
}

// sctp-019
#[test]
fn both_ends_may_shut_down_at_once() {
    for seed in 1..=20 {
        let mut pair = Pair::connected(seed);
        pair.weather.loss = 30;
        pair.send_text(0, 0, "a");
        pair.send_text(1, 0, "b");
        for at in 0..2 {
            let now = pair.now;
            pair.ends[at].sctp.shutdown(now);
            pair.collect(at);
        }
        pair.run_until(|pair| pair.ends.iter().all(|end| end.ended().is_some()));
        assert_eq!(
            (pair.ends[0].messages.len(), pair.ends[1].messages.len()),
            (1, 1)
        );
    }
}

// sctp-007, sctp-019
#[test]
fn a_lost_shutdown_complete_is_given_again() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    let mut lost = false;
    pair.filter = Some(Box::new(move |_, packet| {
        let drop = !lost && kinds(packet) == [ShutdownComplete::KIND];
        lost |= drop;
        !drop
    }));
    let now = pair.now;
    pair.ends[0].sctp.shutdown(now);
    pair.collect(0);
    pair.run_until(|pair| pair.ends.iter().all(|end| end.ended().is_some()));
    let sent: Vec<_> = pair.sent.iter().map(|sent| kinds(&sent.2)[0]).collect();
    assert_eq!(
        sent,
        [
            Shutdown::KIND,
            ShutdownAck::KIND,
            ShutdownComplete::KIND,
            ShutdownAck::KIND,
            ShutdownComplete::KIND
        ]
    );
}

// sctp-019
#[test]
fn an_abort_ends_both_at_once_and_is_not_answered() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    let now = pair.now;
    pair.ends[0].sctp.abort(now, "enough");
    pair.collect(0);
    assert_eq!(pair.ends[0].sctp.state(), SctpState::Closed);
    pair.run_until(|pair| pair.ends[1].ended().is_some());
    let end = pair.ends[1].ended().unwrap();
    assert_eq!(end.blame, Blame::Peer);
    assert_eq!(end.code, Some(CauseCode::USER_INITIATED_ABORT));
    assert_eq!(pair.sent.len(), 1);
    assert_eq!(kinds(&pair.sent[0].2), [Abort::KIND]);
}

#[test]
fn after_the_end_nothing_is_accepted_and_nothing_is_due() {
    let mut pair = Pair::connected(1);
    let now = pair.now;
    pair.ends[0].sctp.abort(now, "");
    pair.collect(0);
    let sctp = &mut pair.ends[0].sctp;
    assert_eq!(sctp.poll_timeout(), None);
    let closed = SctpError::State(SctpState::Closed);
    let message = Outgoing::new(0, 51, Bytes::from_static(b"x"));
    assert_eq!(sctp.send(now, message), Err(closed));
    assert_eq!(sctp.reset(now, &[0]), Err(closed));
    sctp.shutdown(now);
    sctp.abort(now, "again");
    assert_eq!(sctp.poll_event(), None);
}

// sctp-016
#[test]
fn a_peer_that_is_gone_is_noticed_by_data_or_by_heartbeats_if_limits_are_set() {
    for with_data in [true, false] {
        let mut factory = Factory::default();
        factory.max_retransmits = Some(10);
        let mut pair = Pair::with(1, &factory, &link::config());
        pair.connect();
        pair.run_until(Pair::both_connected);
        pair.settle();
        pair.weather.loss = 100;
        if with_data {
            pair.send_text(0, 0, "anyone?");
        }
        pair.run_until(|pair| pair.ends[0].ended().is_some());
        assert_eq!(pair.ends[0].ended().unwrap().blame, Blame::Timeout);
    }
}

// sctp-018
#[test]
fn a_silent_path_is_asked_every_thirty_seconds() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    pair.run_for(Duration::from_secs(300));
    let asked = pair
        .sent
        .iter()
        .filter(|sent| sent.0 == 0 && kinds(&sent.2) == [4])
        .count();
    let answered = pair
        .sent
        .iter()
        .filter(|sent| sent.0 == 1 && kinds(&sent.2) == [5])
        .count();
    assert!((8..=10).contains(&asked), "{asked}");
    assert_eq!(asked, answered);
    let round_trip = pair.ends[0].sctp.stats().smoothed_round_trip.unwrap();
    assert_eq!(round_trip, Duration::from_millis(20));
}

#[test]
fn a_shutdown_before_anything_began_ends_at_once() {
    let mut pair = Pair::new(1);
    let now = pair.now;
    pair.ends[0].sctp.shutdown(now);
    pair.collect(0);
    assert_eq!(pair.ends[0].ended().unwrap().blame, Blame::Local);
}
