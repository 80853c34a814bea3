//! Who the peer is: fingerprints, in time and late, right and wrong.

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use layer::{Blame, DtlsEvent, DtlsRole, DtlsState, End, Fingerprint, HashAlgorithm, SealError};
use std::time::Duration;
use support::{LIMIT, V1_2, V1_3, factory, pair};
use testkit::{DtlsPeer, Pair};

/// The alert of RFC 8122 §6.2.
const BAD_CERTIFICATE: u16 = 42;

fn end(peer: &DtlsPeer) -> Option<&End> {
    peer.events.iter().find_map(|event| match event {
        DtlsEvent::Ended(end) => Some(end),
        _ => None,
    })
}

/// Roles without fingerprints.
fn begin(pair: &mut Pair<DtlsPeer>) {
    let now = pair.now();
    pair.b.machine.set_role(now, DtlsRole::Server).unwrap();
    pair.a.machine.set_role(now, DtlsRole::Client).unwrap();
}

fn digest(algorithm: HashAlgorithm, certificate: &[u8]) -> Fingerprint {
    let provider = crypto::Provider::default();
    let hash = match algorithm {
        HashAlgorithm::Sha1 => provider.sha1,
        HashAlgorithm::Sha384 => provider.sha384,
        HashAlgorithm::Sha512 => provider.sha512,
        _ => provider.sha256,
    };
    Fingerprint::new(algorithm, hash.digest(certificate)).unwrap()
}

// dtls-006
#[test]
fn a_stranger_is_refused_with_bad_certificate_by_either_end() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        for client_is_stranger in [true, false] {
            let factory = factory(versions);
            let mut pair = pair(&factory, &factory);
            let now = pair.now();
            let (a, b) = (pair.a.certificate.clone(), pair.b.certificate.clone());
            // The one that is deceived expects its own certificate at the other end.
            let deceived = if client_is_stranger {
                pair.a.expect(now, &*b);
                pair.b.expect(now, &*b);
                |pair: &mut Pair<DtlsPeer>| (end(&pair.b).cloned(), end(&pair.a).cloned())
            } else {
                pair.a.expect(now, &*a);
                pair.b.expect(now, &*a);
                |pair: &mut Pair<DtlsPeer>| (end(&pair.a).cloned(), end(&pair.b).cloned())
            };
            begin(&mut pair);
            pair.run_for(LIMIT);
            let (refusing, refused) = deceived(&mut pair);
            let (refusing, refused) = (refusing.unwrap(), refused.unwrap());
            assert_eq!(refusing.blame, Blame::Identity, "{versions:?}");
            assert_eq!(refused.blame, Blame::Protocol, "{versions:?}");
            assert_eq!(refused.code, Some(BAD_CERTIFICATE), "{versions:?}");
            assert_eq!(pair.a.machine.state(), DtlsState::Failed);
            assert_eq!(pair.b.machine.state(), DtlsState::Failed);
        }
    }
}

// dtls-008, dtls-043
#[test]
fn what_comes_before_the_fingerprint_is_held_and_then_delivered() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let mut pair = pair(&factory, &factory);
        let now = pair.now();
        let server = pair.b.certificate.clone();
        pair.a.expect(now, &*server);
        begin(&mut pair);
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.a.machine.state(), DtlsState::Connected);
        assert_eq!(pair.b.machine.state(), DtlsState::Connecting);
        let now = pair.now();
        pair.a.send(now, b"held").unwrap();
        pair.run_for(Duration::from_secs(1));
        assert!(pair.b.messages.is_empty());
        assert_eq!(pair.b.send(now, b"no"), Err(SealError::NotConnected));
        let refused = pair
            .b
            .machine
            .export("EXTRACTOR-dtls_srtp", None, &mut [0; 88]);
        assert_eq!(refused, Err(layer::ExportError::NotConnected));

        let now = pair.now();
        let client = pair.a.certificate.clone();
        pair.b.expect(now, &*client);
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.b.machine.state(), DtlsState::Connected);
        assert_eq!(pair.b.messages, [b"held".to_vec()]);
    }
}

#[test]
fn what_is_held_is_bounded() {
    let mut factory = factory([V1_2, V1_3]);
    factory.max_held_bytes = 1000;
    let mut pair = pair(&factory, &factory);
    let now = pair.now();
    let server = pair.b.certificate.clone();
    pair.a.expect(now, &*server);
    begin(&mut pair);
    pair.run_for(Duration::from_secs(1));
    let now = pair.now();
    for _ in 0..15 {
        pair.a.send(now, &[1; 100]).unwrap();
    }
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.b.machine.stats().overflowed, 5);
}

#[test]
fn a_wrong_fingerprint_that_comes_late_ends_the_session() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = pair(&factory, &factory);
    let now = pair.now();
    let server = pair.b.certificate.clone();
    pair.a.expect(now, &*server);
    begin(&mut pair);
    pair.run_for(Duration::from_secs(1));
    let now = pair.now();
    pair.a.send(now, b"never delivered").unwrap();
    pair.run_for(Duration::from_secs(1));
    let now = pair.now();
    pair.b.expect(now, &*server);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(end(&pair.b).unwrap().blame, Blame::Identity);
    assert_eq!(end(&pair.a).unwrap().code, Some(BAD_CERTIFICATE));
    assert!(pair.b.messages.is_empty());
}

// dtls-007
#[test]
fn every_hash_that_peers_use_identifies() {
    for algorithm in [
        HashAlgorithm::Sha1,
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ] {
        let factory = factory([V1_2, V1_3]);
        let mut pair = pair(&factory, &factory);
        let now = pair.now();
        let client = digest(algorithm, pair.a.certificate.der());
        let server = digest(algorithm, pair.b.certificate.der());
        pair.a.machine.set_remote_fingerprints(now, &[server]);
        pair.b.machine.set_remote_fingerprints(now, &[client]);
        begin(&mut pair);
        assert!(
            pair.run_until(LIMIT, |pair| pair.connected()),
            "{algorithm:?}"
        );
    }
}

#[test]
fn the_remote_certificate_is_what_the_peer_presents() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = pair(&factory, &factory);
    assert!(pair.a.machine.remote_certificates().is_empty());
    assert!(pair.connect(LIMIT));
    assert_eq!(
        pair.a.machine.remote_certificates()[0],
        pair.b.certificate.der()
    );
    assert_eq!(
        pair.b.machine.remote_certificates()[0],
        pair.a.certificate.der()
    );
}
