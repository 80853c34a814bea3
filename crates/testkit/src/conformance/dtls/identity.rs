use super::{DELAY, MINUTE, Subject, assert_works, blame};
use crate::{DtlsPeer, Link, Pair, Side, TestSeed};
use layer::{Blame, DtlsRole, DtlsState, Fingerprint, HashAlgorithm, SealError};

/// Sets both roles, `a` as the client, and no fingerprints.
fn set_roles(pair: &mut Pair<DtlsPeer>) {
    let now = pair.now();
    assert_eq!(pair.b.machine.set_role(now, DtlsRole::Server), Ok(()));
    assert_eq!(pair.a.machine.set_role(now, DtlsRole::Client), Ok(()));
}

/// A fingerprint of no certificate.
fn wrong(byte: u8) -> Fingerprint {
    let fingerprint = Fingerprint::new(HashAlgorithm::Sha256, vec![byte; 32]);
    fingerprint.unwrap_or_else(|| panic!("32 bytes are a SHA-256 hash"))
}

pub(super) fn late_fingerprints(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    set_roles(&mut pair);
    pair.run_for(MINUTE / 30);
    let now = pair.now();
    for side in [Side::A, Side::B] {
        let end = pair.end(side);
        assert_eq!(end.machine.state(), DtlsState::Connecting, "{end:?}");
        assert_eq!(end.send(now, b"too early"), Err(SealError::NotConnected));
    }
    // One end knows its peer and speaks; the other must not listen yet.
    let b = pair.b.certificate.clone();
    pair.a.expect(now, &*b);
    let done = pair.run_until(MINUTE, |pair| {
        pair.a.machine.state() == DtlsState::Connected
    });
    assert!(done, "{pair:?}");
    let now = pair.now();
    assert_eq!(pair.a.send(now, b"held"), Ok(()));
    pair.run_for(DELAY * 4);
    assert!(
        pair.b.messages.is_empty(),
        "data came from an unverified peer"
    );
    assert_eq!(pair.b.machine.state(), DtlsState::Connecting, "{pair:?}");

    let now = pair.now();
    let a = pair.a.certificate.clone();
    pair.b.expect(now, &*a);
    pair.run_for(DELAY * 4);
    assert_eq!(pair.b.machine.state(), DtlsState::Connected, "{pair:?}");
    assert!(pair.b.messages == [b"held"], "held data is lost: {pair:?}");
    assert_works(&mut pair);
}

pub(super) fn wrong_fingerprint(subject: &Subject, seed: &TestSeed) {
    for deceived in [Side::A, Side::B] {
        for early in [true, false] {
            let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
            if !early {
                set_roles(&mut pair);
                pair.run_for(MINUTE / 30);
            }
            let now = pair.now();
            let other = pair.end(deceived).certificate.clone();
            pair.end(deceived.other()).expect(now, &*other);
            let end = pair.end(deceived);
            end.machine.set_remote_fingerprints(now, &[wrong(1)]);
            if early {
                set_roles(&mut pair);
            }
            // The peer, which has nothing to complain of, speaks as soon as it can.
            let ended = pair.run_until(MINUTE, |pair| {
                let now = pair.now();
                let _ = pair.end(deceived.other()).send(now, b"do not listen");
                pair.end(deceived).ended()
            });
            let context = format!("{deceived:?}, fingerprint early: {early}: {pair:?}");
            assert!(ended, "{context}");
            assert_eq!(blame(pair.end(deceived)), Blame::Identity, "{context}");
            let now = pair.now();
            let refused = pair.end(deceived).send(now, b"no");
            assert_eq!(refused, Err(SealError::NotConnected), "{context}");
            pair.run_for(DELAY * 4);
            assert!(pair.end(deceived).messages.is_empty(), "{context}");
            let told = pair.end(deceived.other()).ended();
            assert!(told, "the peer is not told: {context}");
        }
    }
}

pub(super) fn one_of_several(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    let sides = [Side::A, Side::B];
    for side in sides {
        let theirs = pair.end(side.other()).certificate.fingerprints();
        let mut fingerprints = vec![wrong(1)];
        fingerprints.extend(theirs);
        fingerprints.push(wrong(2));
        let end = pair.end(side);
        end.machine.set_remote_fingerprints(now, &fingerprints);
    }
    set_roles(&mut pair);
    assert!(pair.run_until(MINUTE, |pair| pair.connected()), "{pair:?}");
    assert_works(&mut pair);
}
