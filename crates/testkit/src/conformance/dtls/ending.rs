use super::{DELAY, MINUTE, Subject, blame};
use crate::{Link, Side, TestSeed, fate};
use layer::{Blame, DtlsRole, DtlsState};

pub(super) fn close(subject: &Subject, seed: &TestSeed) {
    for closing in [Side::A, Side::B] {
        let mut pair = subject.connected(seed.value());
        pair.run_for(MINUTE);
        let now = pair.now();
        pair.end(closing).machine.close(now);
        let told = pair.run_until(DELAY * 4, |pair| pair.a.ended() && pair.b.ended());
        assert!(told, "{pair:?}");
        assert_eq!(blame(pair.end(closing)), Blame::Local);
        assert_eq!(blame(pair.end(closing.other())), Blame::Peer);
        for side in [Side::A, Side::B] {
            assert_eq!(pair.end(side).machine.state(), DtlsState::Closed);
        }
        let now = pair.now();
        pair.a.machine.close(now);
        pair.run_for(DELAY * 10);
        let sent = [Side::A, Side::B].map(|side| pair.datagrams_sent(side));
        pair.run_for(MINUTE);
        let later = [Side::A, Side::B].map(|side| pair.datagrams_sent(side));
        assert_eq!(sent, later, "an end that is over still sends: {pair:?}");
    }
}

pub(super) fn timeout(subject: &Subject, seed: &TestSeed) {
    let limit = subject.claims.gives_up_within;
    // Nobody is there.
    let mut pair = subject.pair(&Link::lossy(100), seed.value());
    pair.exchange_fingerprints();
    let now = pair.now();
    assert_eq!(pair.a.machine.set_role(now, DtlsRole::Client), Ok(()));
    let ended = pair.run_until(limit, |pair| pair.a.ended());
    assert!(ended, "the client goes on: {pair:?}");
    assert_eq!(blame(&pair.a), Blame::Timeout);
    // The client falls silent after its first flight.
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.start();
    let first_flight = pair.datagrams_sent(Side::A);
    pair.fault = Some(fate::drop_where(move |leaving| {
        leaving.from == Side::A && leaving.index >= first_flight
    }));
    let ended = pair.run_until(limit, |pair| pair.b.ended());
    assert!(ended, "the server goes on: {pair:?}");
    assert_eq!(blame(&pair.b), Blame::Timeout);
}
