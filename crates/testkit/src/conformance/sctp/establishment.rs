use super::{DELAY, MINUTE, Subject, content, message, transfer};
use crate::{Link, Pair, Record, SctpPeer, Side, TestSeed, fate};
use layer::{Outgoing, SctpConnect, SctpError, SctpEvent, SctpState};
use std::time::Duration;

/// Where the first chunk's type lies, behind the common header (RFC 9260 §3.1).
const FIRST_CHUNK_TYPE: usize = 12;

const INIT_ACK: u8 = 2;

fn ports() -> SctpConnect {
    SctpConnect::new(5000, 5000)
}

fn assert_connected(pair: &Pair<SctpPeer>) {
    for end in [&pair.a, &pair.b] {
        let told: Vec<_> = end
            .events
            .iter()
            .filter(|event| matches!(event, SctpEvent::Connected { .. }))
            .collect();
        assert_eq!(told.len(), 1, "connected is told once: {pair:?}");
        let Some((incoming, outgoing)) = end.machine.streams() else {
            panic!("a connected association knows its streams: {pair:?}");
        };
        let expected = SctpEvent::Connected {
            incoming_streams: incoming,
            outgoing_streams: outgoing,
        };
        assert_eq!(*told[0], expected);
        assert!(incoming > 0 && outgoing > 0, "{pair:?}");
    }
}

pub(super) fn both_at_once(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    assert_eq!(pair.a.machine.state(), SctpState::New);
    assert_eq!(pair.a.machine.streams(), None);
    assert!(pair.connect(MINUTE), "not connected: {pair:?}");
    assert!(
        pair.elapsed() <= DELAY * 6,
        "a good link needs no timer, and it took {:?}: {pair:?}",
        pair.elapsed()
    );
    pair.run_for(Duration::from_secs(1));
    assert_connected(&pair);
}

pub(super) fn early_packets(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.record = Some(Record::default());
    let now = pair.now();
    assert_eq!(pair.a.machine.connect(now, ports()), Ok(()));
    pair.run_for(DELAY * 2);
    assert_eq!(pair.b.machine.state(), SctpState::New, "{pair:?}");
    let now = pair.now();
    assert_eq!(pair.b.machine.connect(now, ports()), Ok(()));
    pair.settle();
    let answered = pair.record.iter().any(|record| {
        record
            .sent_by(Side::B)
            .any(|packet| packet.get(FIRST_CHUNK_TYPE) == Some(&INIT_ACK))
    });
    assert!(answered, "the early INIT is not answered: {pair:?}");
    let connected = |end: &SctpPeer| end.machine.state() == SctpState::Connected;
    let done = pair.run_until(MINUTE, |pair| connected(&pair.a) && connected(&pair.b));
    assert!(done, "{pair:?}");
    assert_connected(&pair);
}

pub(super) fn lossy(subject: &Subject, seed: &TestSeed) {
    for round in 0..10 {
        let mut pair = subject.pair(&Link::lossy(30), seed.value() + round);
        let limit = MINUTE * 2;
        assert!(pair.connect(limit), "round {round}: {pair:?}");
    }
}

pub(super) fn any_one_lost(subject: &Subject, seed: &TestSeed) {
    for side in [Side::A, Side::B] {
        for n in 0..6 {
            let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
            pair.fault = Some(fate::drop_nth(side, n));
            assert!(pair.connect(MINUTE), "{side:?} {n}: {pair:?}");
            let got = transfer(&mut pair, [message(1, 0, 1000)], MINUTE);
            assert_eq!(got[0].2, content(0, 1000), "{side:?} {n}");
        }
    }
}

pub(super) fn queued_before(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    for number in 0..10 {
        let sent = pair.a.machine.send(now, message(0, number, 100));
        assert_eq!(sent, Ok(()), "before connect");
    }
    pair.start();
    let got = transfer(&mut pair, [message(0, 10, 100)], MINUTE);
    pair.run_for(DELAY * 10);
    let rest = pair.b.take_messages();
    let all: Vec<_> = got.into_iter().chain(rest).map(|got| got.2).collect();
    let expected: Vec<_> = (0..11)
        .map(|number| content(number, 100).to_vec())
        .collect();
    assert_eq!(all, expected);
}

pub(super) fn caller_errors(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    for ports in [SctpConnect::new(0, 5000), SctpConnect::new(5000, 0)] {
        let refused = pair.a.machine.connect(now, ports);
        assert_eq!(refused, Err(SctpError::Port));
    }
    assert!(pair.connect(MINUTE), "after refused calls: {pair:?}");
    let now = pair.now();
    let again = pair.a.machine.connect(now, ports());
    assert!(matches!(again, Err(SctpError::State(_))), "{again:?}");
    let empty = pair
        .a
        .machine
        .send(now, Outgoing::new(0, 53, content(0, 0)));
    assert_eq!(empty, Err(SctpError::Empty));
    let (_, outgoing) = pair.a.machine.streams().unwrap_or_default();
    if outgoing < u16::MAX {
        let beyond = pair.a.machine.send(now, message(outgoing, 0, 1));
        assert_eq!(beyond, Err(SctpError::Stream(outgoing)));
        let beyond = pair.a.machine.reset(now, &[outgoing]);
        assert_eq!(beyond, Err(SctpError::Stream(outgoing)));
    }
    let got = transfer(&mut pair, [message(0, 1, 1)], MINUTE);
    assert_eq!(got.len(), 1, "after refused calls");
}
