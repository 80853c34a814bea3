use super::{DELAY, MINUTE, Subject, content, message, transfer};
use crate::{Link, Pair, SctpPeer, Side, TestSeed};
use layer::SctpEvent;
use std::time::Duration;

/// The streams that an end was told to be reset: by the peer, and by itself.
fn told(end: &SctpPeer) -> (Vec<u16>, Vec<u16>) {
    let (mut incoming, mut outgoing) = (Vec::new(), Vec::new());
    for event in &end.events {
        match event {
            SctpEvent::IncomingReset { streams } => incoming.extend_from_slice(streams),
            SctpEvent::OutgoingReset { streams } => outgoing.extend_from_slice(streams),
            SctpEvent::ResetFailed { streams } => panic!("reset of {streams:?} failed"),
            _ => {}
        }
    }
    incoming.sort_unstable();
    outgoing.sort_unstable();
    (incoming, outgoing)
}

/// Resets streams at one end and runs until both ends have told it.
fn reset(pair: &mut Pair<SctpPeer>, side: Side, streams: &[u16], limit: Duration) {
    let now = pair.now();
    pair.a.clear_events();
    pair.b.clear_events();
    assert_eq!(pair.end(side).machine.reset(now, streams), Ok(()));
    let done = pair.run_until(limit, |pair| {
        let outgoing = told(pair.end(side)).1;
        let incoming = told(pair.end(side.other())).0;
        outgoing == streams && incoming == streams
    });
    assert!(done, "{side:?} did not reset {streams:?}: {pair:?}");
}

pub(super) fn after_delivery(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    for number in 0..10 {
        let sent = pair.a.machine.send(now, message(5, number, 10_000));
        assert_eq!(sent, Ok(()));
    }
    reset(&mut pair, Side::A, &[5], MINUTE);
    let told_at = pair
        .b
        .events
        .iter()
        .position(|event| matches!(event, SctpEvent::IncomingReset { .. }));
    let before = told_at.map(|index| pair.b.messages_before_event(index));
    assert_eq!(
        before,
        Some(pair.b.messages.len()),
        "a message of the stream came after its reset was told"
    );
    let got = pair.b.take_messages();
    assert_eq!(got.len(), 10, "what was queued is delivered first");
}

pub(super) fn reuse(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    for round in 0..5 {
        let outgoing = (0..3).map(|number| message(8, round * 3 + number, 2_000));
        let got = transfer(&mut pair, outgoing, MINUTE);
        for (number, got) in got.into_iter().enumerate() {
            assert!(got.2 == content(round * 3 + number, 2_000), "round {round}");
        }
        reset(&mut pair, Side::A, &[8], MINUTE);
        reset(&mut pair, Side::B, &[8], MINUTE);
    }
    // Streams that were not reset go on as they were.
    reset(&mut pair, Side::A, &[1, 2, 3], MINUTE);
    let got = transfer(&mut pair, [message(9, 1, 10), message(2, 2, 20)], MINUTE);
    assert_eq!(got.len(), 2);
}

pub(super) fn lossy(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::hostile(), seed.value());
    assert!(pair.connect(MINUTE * 2), "{pair:?}");
    for round in 0..10 {
        let got = transfer(&mut pair, [message(3, round, 3_000)], MINUTE * 5);
        assert!(got[0].2 == content(round, 3_000), "round {round}");
        reset(&mut pair, Side::A, &[3], MINUTE * 5);
        reset(&mut pair, Side::B, &[3], MINUTE * 5);
    }
    pair.run_for(DELAY);
}
