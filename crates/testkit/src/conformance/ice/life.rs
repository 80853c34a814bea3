use super::{DELAY, MINUTE, Subject, credentials, data_flows};
use crate::fate::drop_all;
use crate::{Link, Side, TestSeed};
use layer::{
    Candidate, CandidateAddress, CandidateType, Credentials, IceError, IceEvent, IceState, Protocol,
};
use std::time::Duration;

pub(super) fn data(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let route = pair.a.machine.route().expect("a route");
    let now = pair.now();
    let mut buffer = vec![0x80; route.headroom + route.max_probe + 1 + route.tailroom];
    let whole = route.headroom..route.headroom + route.max_probe;
    let machine = &mut pair.a.machine;
    let wrapped = machine.wrap(now, &mut buffer, whole.clone(), None);
    assert!(wrapped.is_some(), "the largest payload fits");
    let long = whole.start..whole.end + 1;
    assert!(machine.wrap(now, &mut buffer, long, None).is_none());
    assert!(machine.wrap(now, &mut buffer, 0..0, None).is_none());
    assert!(data_flows(&mut pair));
    let pairs = pair.a.machine.stats().pairs;
    assert!(
        pairs
            .iter()
            .any(|it| it.bytes_sent > 0 && it.bytes_received > 0)
    );
}

pub(super) fn long_life(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.run_for(60 * MINUTE);
    assert!(pair.a.connected() && pair.b.connected(), "{pair:?}");
    assert!(data_flows(&mut pair));
}

pub(super) fn silence(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.fault = Some(drop_all(Side::B));
    let state = |pair: &crate::IcePair, state| pair.a.machine.state() == state;
    let noticed = pair.run_until(Duration::from_secs(15), |pair| {
        state(pair, IceState::Disconnected)
    });
    assert!(noticed, "{pair:?}");
    pair.fault = None;
    let back = pair.run_until(Duration::from_secs(15), |pair| pair.a.connected());
    assert!(back, "it comes back by itself: {pair:?}");
    // RFC 7675 §5.1: without an answer consent ends within 30 s, and sending with it.
    pair.fault = Some(drop_all(Side::B));
    let failed = pair.run_until(MINUTE, |pair| state(pair, IceState::Failed));
    assert!(failed, "{pair:?}");
    assert!(pair.a.machine.route().is_none());
    let sent = pair.datagrams_sent(Side::A);
    pair.run_for(MINUTE);
    assert_eq!(
        pair.datagrams_sent(Side::A),
        sent,
        "nothing is sent any more"
    );
}

pub(super) fn revocation(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    pair.a.machine.revoke_consent(now);
    assert_eq!(pair.a.machine.state(), IceState::Failed);
    assert!(pair.a.machine.route().is_none());
}

pub(super) fn restart(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    let before = pair.a.machine.local_credentials().clone();
    pair.a.machine.restart(now, credentials("newA")).expect("a");
    assert!(pair.a.machine.claims().contains(&"newA".to_owned()));
    assert!(pair.a.machine.claims().contains(&before.username_fragment));
    assert!(data_flows(&mut pair), "data stays on the old path");
    let now = pair.now();
    pair.b.machine.restart(now, credentials("newB")).expect("b");
    pair.a.events.clear();
    pair.exchange_credentials();
    let now = pair.now();
    pair.a.machine.gather(now);
    pair.b.machine.gather(now);
    let moved = pair.run_until(MINUTE, |pair| {
        let mut events = pair.a.events.iter();
        let selected = events.any(|it| matches!(it, IceEvent::SelectedPairChange(_)));
        selected && pair.a.connected() && pair.b.connected()
    });
    assert!(moved, "{pair:?}");
    assert!(data_flows(&mut pair));
}

pub(super) fn recovery(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.fault = Some(drop_all(Side::B));
    pair.run_for(2 * MINUTE);
    assert_eq!(pair.a.machine.state(), IceState::Failed);
    pair.fault = None;
    let now = pair.now();
    pair.a.machine.restart(now, credentials("newA")).expect("a");
    pair.b.machine.restart(now, credentials("newB")).expect("b");
    pair.exchange_credentials();
    pair.a.machine.gather(now);
    pair.b.machine.gather(now);
    let up = pair.run_until(MINUTE, |pair| pair.a.connected() && pair.b.connected());
    assert!(up, "{pair:?}");
}

fn candidate(fragment: Option<&str>, last: u8, port: u16) -> Candidate {
    let address = CandidateAddress::Socket(([198, 51, 100, last], port).into());
    let mut candidate = Candidate::new("1", CandidateType::Host, Protocol::Udp, 1 << 24, address);
    candidate.username_fragment = fragment.map(str::to_owned);
    candidate
}

pub(super) fn caller_errors(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    let machine = &mut pair.a.machine;
    for (fragment, password) in [
        ("abc", "long+enough+for+a+password"),
        ("abcd", "short"),
        ("ab:d", "long+enough+for+a+password"),
    ] {
        let wrong = Credentials::new(fragment, password);
        let set = machine.set_remote_credentials(now, wrong.clone(), false);
        assert_eq!(set, Err(IceError::Credentials), "{fragment}");
        assert_eq!(machine.restart(now, wrong), Err(IceError::Credentials));
    }
    let current = machine.local_credentials().clone();
    assert_eq!(machine.restart(now, current), Err(IceError::Credentials));
    let set = machine.set_remote_credentials(now, credentials("peer"), false);
    assert_eq!(set, Ok(()));
    let stranger = candidate(Some("else"), 1, 9999);
    let added = machine.add_remote_candidate(now, stranger);
    assert_eq!(added, Err(IceError::UnknownGeneration));
    let added = machine.add_remote_candidate(now, candidate(Some("peer"), 1, 9999));
    assert_eq!(added, Ok(()));
    machine.close(now);
    let added = machine.add_remote_candidate(now, candidate(None, 2, 9999));
    assert_eq!(added, Err(IceError::Closed));
}

pub(super) fn unusable(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    let machine = &mut pair.a.machine;
    let set = machine.set_remote_credentials(now, credentials("peer"), false);
    assert_eq!(set, Ok(()));
    let mut rtcp = candidate(None, 1, 9999);
    rtcp.component = 2;
    let unusable = [rtcp, candidate(None, 1, 0)];
    for candidate in unusable.clone() {
        assert_eq!(machine.add_remote_candidate(now, candidate), Ok(()));
    }
    let dropped = machine.stats().candidates_dropped;
    assert_eq!(dropped, unusable.len() as u64, "dropped and counted");
}

pub(super) fn many_candidates(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.start();
    let now = pair.now();
    let mut refused = 0;
    for number in 0..10_000_u16 {
        let candidate = candidate(
            None,
            1 + u8::try_from(number % 200).unwrap_or(0),
            1000 + number,
        );
        match pair.a.machine.add_remote_candidate(now, candidate) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, IceError::TooManyCandidates);
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "there is a bound");
    let kept = pair.a.machine.remote_candidates().len();
    assert!(kept < 1000, "{kept} remote candidates are kept");
    let before = pair.datagrams_sent(Side::A);
    pair.run_for(Duration::from_secs(1));
    let rate = pair.datagrams_sent(Side::A) - before;
    assert!(
        rate <= 250,
        "{rate} packets in a second: no flood (RFC 8445 §14.2)"
    );
    let up = pair.run_until(MINUTE, |pair| pair.a.connected() && pair.b.connected());
    assert!(up, "the good one is found among them: {pair:?}");
}

pub(super) fn close(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    pair.a.events.clear();
    pair.a.machine.close(now);
    assert_eq!(pair.a.machine.state(), IceState::Closed);
    assert!(pair.a.machine.route().is_none());
    pair.settle();
    let last = pair.a.events.last();
    assert!(
        matches!(last, Some(IceEvent::Ended(_))),
        "{:?}",
        pair.a.events
    );
    let closed = IceEvent::StateChange(IceState::Closed);
    assert!(pair.a.events.contains(&closed));
    let released = |it: &IceEvent| matches!(it, IceEvent::CloseSocket { .. });
    assert!(pair.a.events.iter().any(released), "sockets are given back");
    let (sent, told) = (pair.datagrams_sent(Side::A), pair.a.events.len());
    pair.run_for(10 * MINUTE);
    assert_eq!(pair.datagrams_sent(Side::A), sent);
    assert_eq!(pair.a.events.len(), told, "nothing comes after the end");
}
