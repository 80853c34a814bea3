//! An association is handed over to another process, which here is another object.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpEvent, SctpState};
use link::{Pair, config, start};
use muonrtc_sctp::{Factory, NotIdle};
use std::time::Duration;

fn pair(interleaving: bool) -> (Factory, Pair) {
    let mut factory = Factory::default();
    factory.interleaving = interleaving;
    let mut pair = Pair::with(1, &factory, &config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    (factory, pair)
}

fn long(len: usize) -> Outgoing {
    Outgoing::new(0, 53, Bytes::from(vec![1; len]))
}

/// Replaces an end by one that was made of its state, with other randomness.
fn move_end(pair: &mut Pair, factory: &Factory, at: usize) {
    let state = pair.ends[at].sctp.hand_over().unwrap();
    let start = start(pair.now, 99, 50);
    pair.ends[at].sctp = factory.resume(start, config(), &state).unwrap();
}

#[test]
fn every_stream_goes_on_where_it_was_in_both_directions() {
    for interleaving in [false, true] {
        let (factory, mut pair) = pair(interleaving);
        for round in 0..6 {
            for stream in [0, 1, 65_534] {
                pair.send_text(0, stream, &format!("{stream} {round}"));
                pair.send_text(1, stream, &format!("{stream} {round}"));
                let mut unordered = Outgoing::new(stream, 51, Bytes::from("u"));
                unordered.unordered = true;
                pair.send(0, unordered);
            }
            pair.send(0, long(100_000));
            pair.settle();
            for at in 0..2 {
                move_end(&mut pair, &factory, at);
                assert_eq!(pair.ends[at].sctp.state(), SctpState::Connected);
            }
        }
        assert_eq!(pair.ends[1].messages.len(), 6 * 7);
        assert_eq!(pair.ends[0].messages.len(), 6 * 3);
        for stream in [0, 1, 65_534] {
            let texts = pair.ends[0].texts();
            let of_stream = |text: &&String| text.starts_with(&format!("{stream} "));
            let rounds: Vec<_> = texts.iter().filter(of_stream).collect();
            assert!(rounds.is_sorted() && rounds.len() == 6, "{rounds:?}");
        }
        // RE-CONFIG numbers go on too.
        let now = pair.now;
        pair.ends[1].sctp.reset(now, &[1]).unwrap();
        pair.collect(1);
        pair.settle();
        assert!(pair.ends[1].has(|event| matches!(event, SctpEvent::OutgoingReset { .. })));
        assert!(pair.ends[0].has(|event| matches!(event, SctpEvent::IncomingReset { .. })));
        move_end(&mut pair, &factory, 0);
        pair.send_text(1, 1, "anew");
        pair.settle();
        assert_eq!(pair.ends[0].texts().last().unwrap(), "anew");
    }
}

#[test]
fn what_the_peer_sends_meanwhile_comes_again() {
    let (factory, mut pair) = pair(false);
    pair.settle();
    let state = pair.ends[0].sctp.hand_over().unwrap();
    // The old process takes data and dies before anybody is told.
    pair.filter = Some(Box::new(|from, _| from == 1));
    pair.send(1, long(5000));
    pair.run_for(Duration::from_millis(100));
    pair.filter = None;
    pair.ends[0].messages.clear();
    let start = start(pair.now, 7, 7);
    pair.ends[0].sctp = factory.resume(start, config(), &state).unwrap();
    pair.settle();
    assert_eq!(pair.ends[0].messages.len(), 1);
    assert_eq!(pair.ends[0].messages[0].data.len(), 5000);
}

#[test]
fn an_association_in_use_says_what_is_in_the_way() {
    let (factory, mut pair) = pair(false);
    let fresh = factory.association(start(pair.now, 3, 3), config());
    assert_eq!(fresh.hand_over(), Err(NotIdle::State));
    pair.settle();
    pair.send(0, long(100_000));
    assert_eq!(pair.ends[0].sctp.hand_over(), Err(NotIdle::Sending));
    pair.run_for(Duration::from_millis(12));
    assert_eq!(pair.ends[1].sctp.hand_over(), Err(NotIdle::Receiving));
    pair.settle();
    for last in [false, true] {
        let mut part = long(10);
        part.first = !last;
        part.last = last;
        pair.send(0, part);
        pair.settle();
        assert_eq!(pair.ends[0].sctp.hand_over().is_ok(), last);
    }
    let now = pair.now;
    pair.ends[0].sctp.reset(now, &[0]).unwrap();
    assert_eq!(pair.ends[0].sctp.hand_over(), Err(NotIdle::Resetting));
    pair.collect(0);
    pair.settle();
    assert!(pair.ends[0].sctp.hand_over().is_ok());
    pair.ends[0].sctp.shutdown(pair.now);
    assert_eq!(pair.ends[0].sctp.hand_over(), Err(NotIdle::State));
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let (factory, mut pair) = pair(false);
    pair.send_text(0, 3, "x");
    pair.settle();
    let state = pair.ends[0].sctp.hand_over().unwrap();
    let resume = |bytes: &[u8]| factory.resume(start(pair.now, 1, 1), config(), bytes);
    assert!(resume(&state).is_ok());
    for len in 0..state.len() {
        assert!(resume(&state[..len]).is_err(), "{len}");
    }
    let mut longer = state.clone();
    longer.push(0);
    assert!(resume(&longer).is_err());
    let mut other = state;
    other[0] = 2;
    assert!(resume(&other).is_err());
}
