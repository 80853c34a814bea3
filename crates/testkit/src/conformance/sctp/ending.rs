use super::{DELAY, MINUTE, Subject, content, message};
use crate::{Link, Pair, SctpPeer, TestSeed};
use layer::{Blame, SctpConnect, SctpError, SctpEvent, SctpState};

/// The blame that an end told; panics unless it is the last of its events, and told once.
fn blame(end: &SctpPeer) -> Blame {
    let ends: Vec<_> = end
        .events
        .iter()
        .filter_map(|event| match event {
            SctpEvent::Ended(end) => Some(end.blame),
            _ => None,
        })
        .collect();
    assert_eq!(ends.len(), 1, "the end is told once: {end:?}");
    let last = end.events.last();
    assert!(
        matches!(last, Some(SctpEvent::Ended(_))),
        "nothing comes after the end: {end:?}"
    );
    assert_eq!(end.machine.state(), SctpState::Closed, "{end:?}");
    ends[0]
}

fn both_ended(pair: &mut Pair<SctpPeer>) -> bool {
    pair.a.ended() && pair.b.ended()
}

fn assert_over(pair: &mut Pair<SctpPeer>) {
    let sent = [pair.a_to_b.stats().sent, pair.b_to_a.stats().sent];
    pair.run_for(MINUTE * 10);
    let later = [pair.a_to_b.stats().sent, pair.b_to_a.stats().sent];
    assert_eq!(sent, later, "an end that is over still sends: {pair:?}");
    let now = pair.now();
    let refused = pair.a.machine.send(now, message(0, 0, 1));
    assert!(matches!(refused, Err(SctpError::State(_))), "{refused:?}");
    let refused = pair.a.machine.reset(now, &[0]);
    assert!(matches!(refused, Err(SctpError::State(_))), "{refused:?}");
}

pub(super) fn shutdown(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    for number in 0..20 {
        assert_eq!(pair.a.machine.send(now, message(0, number, 5_000)), Ok(()));
    }
    pair.a.machine.shutdown(now);
    let refused = pair.a.machine.send(now, message(0, 20, 1));
    assert!(matches!(refused, Err(SctpError::State(_))), "{refused:?}");
    assert!(pair.run_until(MINUTE, both_ended), "{pair:?}");
    assert_eq!(
        (blame(&pair.a), blame(&pair.b)),
        (Blame::Local, Blame::Peer)
    );
    let got = pair.b.take_messages();
    assert_eq!(got.len(), 20, "what is queued is delivered first");
    assert!(got[19].2 == content(19, 5_000));
    assert_over(&mut pair);
}

pub(super) fn lossy_shutdown(subject: &Subject, seed: &TestSeed) {
    for round in 0..10 {
        let mut pair = subject.pair(&Link::lossy(20), seed.value() + round);
        assert!(pair.connect(MINUTE * 2), "round {round}: {pair:?}");
        let now = pair.now();
        assert_eq!(pair.a.machine.send(now, message(0, 0, 5_000)), Ok(()));
        pair.a.machine.shutdown(now);
        let done = pair.run_until(MINUTE * 20, both_ended);
        assert!(done, "round {round}: {pair:?}");
        assert_eq!(pair.b.take_messages().len(), 1, "round {round}");
    }
}

pub(super) fn abort(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    pair.a.machine.abort(now, "enough");
    pair.settle();
    assert_eq!(blame(&pair.a), Blame::Local);
    assert!(pair.run_until(DELAY * 2, both_ended), "{pair:?}");
    assert_eq!(blame(&pair.b), Blame::Peer);
    assert_over(&mut pair);
}

pub(super) fn nobody_there(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::lossy(100), seed.value());
    let now = pair.now();
    let connect = pair.a.machine.connect(now, SctpConnect::new(5000, 5000));
    assert_eq!(connect, Ok(()));
    let limit = subject.claims.gives_up_within.unwrap_or_default();
    let done = pair.run_until(limit, |pair| pair.a.ended());
    assert!(done, "{pair:?}");
    assert_eq!(blame(&pair.a), Blame::Timeout);
}

pub(super) fn silence(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.set_link(&Link::lossy(100));
    let now = pair.now();
    assert_eq!(pair.a.machine.send(now, message(0, 0, 100)), Ok(()));
    let limit = subject.claims.gives_up_within.unwrap_or_default();
    let done = pair.run_until(limit, |pair| pair.a.ended());
    assert!(done, "{pair:?}");
    assert_eq!(blame(&pair.a), Blame::Timeout);
}

pub(super) fn too_large(subject: &Subject, seed: &TestSeed) {
    let link = Link::delayed(DELAY);
    let mut pair =
        subject.configured_pair(&link, seed.value(), |config| config.max_message = 10_000);
    assert!(pair.connect(MINUTE), "{pair:?}");
    let now = pair.now();
    assert_eq!(pair.a.machine.send(now, message(0, 0, 10_000)), Ok(()));
    assert_eq!(pair.a.machine.send(now, message(0, 1, 10_001)), Ok(()));
    assert!(pair.run_until(MINUTE, both_ended), "{pair:?}");
    assert_eq!(blame(&pair.b), Blame::Protocol);
    assert_eq!(blame(&pair.a), Blame::Peer);
    let whole = pair.b.messages.iter().filter(|message| message.last);
    assert_eq!(whole.count(), 1, "the one that is not too large arrives");
}
