//! Certificates: their form, their keys, and keys that live elsewhere.

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use der::Decode;
use layer::{
    Certificate, CertificateError, CertificateParams, DtlsConfig, DtlsError, Fingerprint,
    KeyAlgorithm, NewDtls,
};
use muonrtc_dtls::Factory;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, SystemTime};
use support::{DELAY, LIMIT, V1_2, V1_3, factory};
use testkit::{Clock, DtlsPeer, Link, Pair};
use x509_cert::certificate::Version;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn generate(params: &CertificateParams, label: &[u8; 8]) -> Arc<dyn Certificate> {
    let start = testkit::seed(1).start(&Clock::new(), label);
    Factory::default()
        .generate_certificate(start, params)
        .unwrap()
}

fn of_kind(key_algorithm: KeyAlgorithm) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.key_algorithm = key_algorithm;
    params
}

// dfx-041
#[test]
fn it_says_what_browsers_say() {
    let wall = Clock::new().wall();
    let certificate = generate(&CertificateParams::default(), b"one     ");
    let parsed = x509_cert::Certificate::from_der(certificate.der()).unwrap();
    let tbs = parsed.tbs_certificate();
    assert_eq!(tbs.version(), Version::V3);
    assert_eq!(tbs.subject().to_string(), "CN=WebRTC");
    assert_eq!(tbs.issuer(), tbs.subject());
    assert_eq!(tbs.serial_number().as_bytes().len(), 16);
    assert_eq!(tbs.validity().not_before.to_system_time(), wall - DAY);
    assert_eq!(tbs.validity().not_after.to_system_time(), wall + DAY * 30);
    assert_eq!(certificate.expires(), wall + DAY * 30);
    assert_eq!(certificate.key_algorithm(), KeyAlgorithm::EcdsaP256);
}

// dtls-004
#[test]
fn two_certificates_share_nothing() {
    let one = generate(&CertificateParams::default(), b"one     ");
    let other = generate(&CertificateParams::default(), b"one     ");
    assert_ne!(one.private_key(), other.private_key());
    assert_ne!(one.fingerprints(), other.fingerprints());
}

#[test]
fn keys_on_p_384_work_in_both_versions() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let certificate = generate(&of_kind(KeyAlgorithm::EcdsaP384), b"p-384   ");
        assert_eq!(certificate.key_algorithm(), KeyAlgorithm::EcdsaP384);
        let mut pair = pair_with(&factory(versions), certificate);
        assert!(pair.connect(LIMIT));
        let security = pair.b.machine.security().unwrap();
        assert_eq!(security.signature_scheme, Some(0x0503));
    }
}

#[test]
fn rsa_is_refused_when_made_and_when_used() {
    let params = of_kind(KeyAlgorithm::Rsa2048);
    let start = testkit::seed(1).start(&Clock::new(), b"rsa     ");
    let refused = Factory::default().generate_certificate(start, &params);
    let unsupported = CertificateError::Unsupported(KeyAlgorithm::Rsa2048);
    assert_eq!(refused.unwrap_err(), unsupported);

    let rsa = Arc::new(Elsewhere {
        inner: generate(&CertificateParams::default(), b"one     "),
        algorithm: KeyAlgorithm::Rsa2048,
    });
    let config = DtlsConfig::new(rsa, Waker::noop().clone());
    let refused = Factory::default().new_dtls(start, config).err();
    assert_eq!(refused, Some(DtlsError::Certificate(unsupported)));
}

#[test]
fn a_certificate_is_persisted_and_imported() {
    let factory = Factory::default();
    let one = generate(&CertificateParams::default(), b"one     ");
    let again = factory
        .import_certificate(one.der(), one.private_key().unwrap())
        .unwrap();
    assert_eq!(again.fingerprints(), one.fingerprints());
    assert_eq!(again.expires(), one.expires());

    let other = generate(&CertificateParams::default(), b"other   ");
    let mixed = factory.import_certificate(one.der(), other.private_key().unwrap());
    assert_eq!(mixed.unwrap_err(), CertificateError::Malformed);
}

#[test]
fn a_key_that_never_leaves_its_module_signs_in_both_versions() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let module = Arc::new(Elsewhere {
            inner: generate(&CertificateParams::default(), b"one     "),
            algorithm: KeyAlgorithm::EcdsaP256,
        });
        assert_eq!(module.private_key(), None);
        let mut pair = pair_with(&factory(versions), module);
        assert!(pair.connect(LIMIT));
    }
}

/// A hardware module: it signs, and that is all.
#[derive(Debug)]
struct Elsewhere {
    inner: Arc<dyn Certificate>,
    algorithm: KeyAlgorithm,
}

impl Certificate for Elsewhere {
    fn der(&self) -> &[u8] {
        self.inner.der()
    }

    fn expires(&self) -> SystemTime {
        self.inner.expires()
    }

    fn key_algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CertificateError> {
        self.inner.sign(message)
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        self.inner.fingerprints()
    }
}

/// Two ends that present the same certificate.
fn pair_with(factory: &Factory, certificate: Arc<dyn Certificate>) -> Pair<DtlsPeer> {
    let clock = Clock::new();
    let seed = testkit::seed(1);
    let end = |label| {
        let config = DtlsConfig::new(certificate.clone(), Waker::noop().clone());
        let machine = factory.new_dtls(seed.start(&clock, label), config).unwrap();
        DtlsPeer::new(machine, certificate.clone())
    };
    let (a, b) = (end(b"a       "), end(b"b       "));
    Pair::new(clock, seed.value(), &Link::delayed(DELAY), a, b)
}
