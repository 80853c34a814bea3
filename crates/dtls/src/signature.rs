//! Which signatures are asked for, made and taken (RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1).

use crate::alert::{Alert, Failure};
use crate::certificate::{KeyKind, PublicKey};
use crypto::{Provider, SignatureScheme};
use layer::{DtlsVersion, KeyAlgorithm};

/// The schemes that the provider verifies, best first, by IANA's numbers.
pub(crate) fn offered(provider: &Provider) -> Vec<u16> {
    let schemes = provider.signatures.schemes();
    schemes.iter().map(|scheme| *scheme as u16).collect()
}

/// What a certificate of ours signs with; `None` if this crate does not use such keys.
pub(crate) fn of_key(algorithm: KeyAlgorithm) -> Option<SignatureScheme> {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => Some(SignatureScheme::EcdsaP256Sha256),
        KeyAlgorithm::EcdsaP384 => Some(SignatureScheme::EcdsaP384Sha384),
        _ => None,
    }
}

/// Checks a peer's signature with the key of its certificate.
pub(crate) fn verify(
    provider: &Provider,
    version: DtlsVersion,
    number: u16,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Failure> {
    let mut schemes = provider.signatures.schemes().iter();
    let scheme = schemes
        .find(|scheme| **scheme as u16 == number)
        .filter(|scheme| fits(version, **scheme, key.kind))
        .ok_or(Failure::new(
            Alert::ILLEGAL_PARAMETER,
            "a signature of a scheme that was not asked for",
        ))?;
    provider
        .signatures
        .verify(*scheme, &key.bytes, message, signature)
        .map_err(|_| Failure::new(Alert::DECRYPT_ERROR, "a signature does not verify"))
}

/// Whether a key may sign so. In 1.2 the curve is the key's and the hash the scheme's; in 1.3 they
/// belong together, and RSA pads with PSS alone (RFC 8446 §4.2.3).
fn fits(version: DtlsVersion, scheme: SignatureScheme, key: KeyKind) -> bool {
    use SignatureScheme as S;
    let is_1_3 = version == DtlsVersion::V1_3;
    match scheme {
        S::EcdsaP256Sha256 => key == KeyKind::P256 || (!is_1_3 && key == KeyKind::P384),
        S::EcdsaP384Sha384 => key == KeyKind::P384 || (!is_1_3 && key == KeyKind::P256),
        S::Ed25519 => key == KeyKind::Ed25519,
        S::RsaPssRsaeSha256 | S::RsaPssRsaeSha384 | S::RsaPssRsaeSha512 => key == KeyKind::Rsa,
        S::RsaPkcs1Sha256 | S::RsaPkcs1Sha384 | S::RsaPkcs1Sha512 => !is_1_3 && key == KeyKind::Rsa,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_1_3_a_scheme_names_its_curve_and_rsa_its_padding() {
        use DtlsVersion::{V1_2, V1_3};
        use SignatureScheme::{EcdsaP256Sha256, Ed25519, RsaPkcs1Sha256, RsaPssRsaeSha256};
        for (scheme, key, in_1_2, in_1_3) in [
            (EcdsaP256Sha256, KeyKind::P256, true, true),
            (EcdsaP256Sha256, KeyKind::P384, true, false),
            (EcdsaP256Sha256, KeyKind::Rsa, false, false),
            (RsaPkcs1Sha256, KeyKind::Rsa, true, false),
            (RsaPssRsaeSha256, KeyKind::Rsa, true, true),
            (Ed25519, KeyKind::Ed25519, true, true),
        ] {
            assert_eq!(fits(V1_2, scheme, key), in_1_2, "{scheme:?} {key:?}");
            assert_eq!(fits(V1_3, scheme, key), in_1_3, "{scheme:?} {key:?}");
        }
    }
}
