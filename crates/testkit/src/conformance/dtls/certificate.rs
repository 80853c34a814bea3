use super::{DELAY, MINUTE, Subject, assert_works};
use crate::{Clock, Link, TestSeed};
use layer::{
    Certificate, CertificateError, CertificateParams, DtlsConfig, HashAlgorithm, KeyAlgorithm,
    NewDtls,
};
use std::sync::Arc;
use std::time::Duration;

fn make(factory: &dyn NewDtls, seed: &TestSeed, label: &[u8; 8]) -> Arc<dyn Certificate> {
    let start = seed.start(&Clock::new(), label);
    let made = factory.generate_certificate(start, &CertificateParams::default());
    made.unwrap_or_else(|error| panic!("no certificate: {error}"))
}

pub(super) fn generate(subject: &Subject, seed: &TestSeed) {
    let factory = (subject.factories[0])();
    let clock = Clock::new();
    let mut params = CertificateParams::default();
    params.lifetime = Duration::from_secs(7 * 24 * 3600);
    let made = factory.generate_certificate(seed.start(&clock, b"certific"), &params);
    let certificate = made.unwrap_or_else(|error| panic!("no certificate: {error}"));
    assert_eq!(certificate.key_algorithm(), KeyAlgorithm::EcdsaP256);
    let expires = clock.wall() + params.lifetime;
    let difference = certificate
        .expires()
        .duration_since(expires)
        .unwrap_or_else(|error| error.duration());
    assert!(difference <= Duration::from_secs(1), "{difference:?} off");
    let fingerprints = certificate.fingerprints();
    let first = fingerprints.first();
    assert!(
        first.is_some_and(|first| first.algorithm == HashAlgorithm::Sha256),
        "SHA-256 comes first: {fingerprints:?}"
    );
    let signature = certificate.sign(b"message");
    assert!(signature.is_ok_and(|signature| !signature.is_empty()));
    let other = make(&*factory, seed, b"another ");
    assert_ne!(certificate.der(), other.der());
    assert_ne!(fingerprints, other.fingerprints());
}

pub(super) fn import(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let factory = (subject.factories[0])();
    let certificate = make(&*factory, seed, b"imported");
    let Some(key) = certificate.private_key() else {
        println!("left out: the key does not leave its signer");
        return;
    };
    let imported = factory
        .import_certificate(certificate.der(), key)
        .unwrap_or_else(|error| panic!("not imported: {error}"));
    assert_eq!(imported.der(), certificate.der());
    assert_eq!(imported.fingerprints(), certificate.fingerprints());
    assert_eq!(imported.key_algorithm(), certificate.key_algorithm());
    let difference = imported
        .expires()
        .duration_since(certificate.expires())
        .unwrap_or_else(|error| error.duration());
    assert!(difference <= Duration::from_secs(1), "{difference:?} off");

    let config = DtlsConfig::new(imported.clone(), pair.wakes.waker());
    let clock = Clock::starting_at(pair.now());
    let machine = factory
        .new_dtls(seed.start(&clock, b"imported"), config)
        .unwrap_or_else(|error| panic!("no session: {error}"));
    pair.a = crate::DtlsPeer::new(machine, imported);
    assert!(pair.connect(MINUTE), "{pair:?}");
    assert_works(&mut pair);
}

pub(super) fn malformed(subject: &Subject, seed: &TestSeed) {
    let factory = (subject.factories[0])();
    let one = make(&*factory, seed, b"one     ");
    let other = make(&*factory, seed, b"other   ");
    let garbage = seed.random(b"garbage ").bytes(200);
    let key = one.private_key().unwrap_or(&garbage);
    let der = one.der();
    let mut pairs: Vec<(&[u8], &[u8])> = vec![
        (&[], key),
        (der, &[]),
        (&garbage, key),
        (der, &garbage),
        (&der[..der.len() / 2], key),
        (der, &key[..key.len() / 2]),
    ];
    if let Some(other_key) = other.private_key() {
        pairs.push((der, other_key));
    }
    for (index, (der, key)) in pairs.into_iter().enumerate() {
        let refused = factory.import_certificate(der, key);
        assert!(
            matches!(refused, Err(CertificateError::Malformed)),
            "input {index}: {refused:?}"
        );
    }
}
