//! Fingerprints of certificates (RFC 8122 §5).

use crypto::{Hash, Provider};
use layer::{Fingerprint, HashAlgorithm};
use subtle::{Choice, ConstantTimeEq};

/// The hashes, strongest first. SHA-224, which nobody sends, has no primitive in a [`Provider`].
const STRONGEST_FIRST: [HashAlgorithm; 4] = [
    HashAlgorithm::Sha512,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha1,
];

/// The fingerprint of a certificate; `None` for a hash that providers do not have.
pub(crate) fn of(
    provider: &Provider,
    algorithm: HashAlgorithm,
    certificate: &[u8],
) -> Option<Fingerprint> {
    let digest = hash(provider, algorithm)?.digest(certificate);
    Fingerprint::new(algorithm, digest)
}

/// Whether one of the signalled fingerprints is the certificate's.
///
/// RFC 8122 §5.1: of several hashes the preferred one decides alone, and of several fingerprints
/// of that hash any may match. Preferred is the strongest, so that no weaker hash beside it helps
/// an attacker. The comparison takes the same time wherever they differ.
pub(crate) fn matches(provider: &Provider, certificate: &[u8], signalled: &[Fingerprint]) -> bool {
    let preferred = STRONGEST_FIRST.into_iter().find(|algorithm| {
        signalled
            .iter()
            .any(|fingerprint| fingerprint.algorithm == *algorithm)
    });
    let Some(own) = preferred.and_then(|algorithm| of(provider, algorithm, certificate)) else {
        return false;
    };
    signalled
        .iter()
        .filter(|fingerprint| fingerprint.algorithm == own.algorithm)
        .fold(Choice::from(0), |found, fingerprint| {
            found | fingerprint.value.ct_eq(&own.value)
        })
        .into()
}

fn hash(provider: &Provider, algorithm: HashAlgorithm) -> Option<&'static dyn Hash> {
    match algorithm {
        HashAlgorithm::Sha1 => Some(provider.sha1),
        HashAlgorithm::Sha256 => Some(provider.sha256),
        HashAlgorithm::Sha384 => Some(provider.sha384),
        HashAlgorithm::Sha512 => Some(provider.sha512),
        _ => None,
    }
}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests {
    use super::*;

    fn fingerprint(algorithm: HashAlgorithm, certificate: &[u8]) -> Fingerprint {
        of(&Provider::default(), algorithm, certificate).unwrap()
    }

    // dtls-007
    #[test]
    fn every_hash_matches_its_own_certificate_and_no_other() {
        let provider = Provider::default();
        for algorithm in STRONGEST_FIRST {
            let signalled = [fingerprint(algorithm, b"certificate")];
            assert!(matches(&provider, b"certificate", &signalled));
            assert!(!matches(&provider, b"another", &signalled));
        }
    }

    // dtls-007
    #[test]
    fn any_fingerprint_of_the_strongest_hash_may_match() {
        let signalled = [
            fingerprint(HashAlgorithm::Sha256, b"first"),
            fingerprint(HashAlgorithm::Sha256, b"second"),
        ];
        assert!(matches(&Provider::default(), b"second", &signalled));
    }

    // dtls-007
    #[test]
    fn a_weaker_hash_beside_a_stronger_one_does_not_count() {
        let signalled = [
            fingerprint(HashAlgorithm::Sha1, b"forged"),
            fingerprint(HashAlgorithm::Sha256, b"true"),
        ];
        assert!(!matches(&Provider::default(), b"forged", &signalled));
        assert!(matches(&Provider::default(), b"true", &signalled));
    }

    #[test]
    fn no_fingerprint_matches_nothing() {
        assert!(!matches(&Provider::default(), b"certificate", &[]));
    }
}
