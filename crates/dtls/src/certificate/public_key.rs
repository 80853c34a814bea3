use der::Decode;
use der::oid::ObjectIdentifier;
use layer::KeyAlgorithm;
use x509_cert::Certificate;

/// `id-ecPublicKey` (RFC 5480 §2.1.1).
pub(super) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1` (RFC 5480 §2.1.1.1).
pub(super) const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// `secp384r1`.
pub(super) const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// The elliptic curve key in a certificate.
#[derive(Debug)]
pub(crate) struct PublicKey {
    /// Its curve.
    pub(crate) algorithm: KeyAlgorithm,
    /// An uncompressed point.
    pub(crate) point: Vec<u8>,
}

impl PublicKey {
    /// Reads it; `None` if this is not a certificate, or not with such a key.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        if info.algorithm.oid != EC_PUBLIC_KEY {
            return None;
        }
        let curve: ObjectIdentifier = info.algorithm.parameters.as_ref()?.decode_as().ok()?;
        let algorithm = match curve {
            SECP256R1 => KeyAlgorithm::EcdsaP256,
            SECP384R1 => KeyAlgorithm::EcdsaP384,
            _ => return None,
        };
        Some(Self {
            algorithm,
            point: info.subject_public_key.as_bytes()?.to_vec(),
        })
    }
}
