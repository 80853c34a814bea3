use super::public_key::{EC_PUBLIC_KEY, SECP256R1, SECP384R1};
use crypto::{SignatureScheme, SigningKey};
use der::asn1::{Any, BitString};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, Sequence};
use layer::CertificateError;
use std::str::FromStr;
use std::time::SystemTime;
use x509_cert::certificate::Version;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

/// `ecdsa-with-SHA256` (RFC 5758 §3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// `ecdsa-with-SHA384`.
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
/// Who we are. Nobody reads it: the fingerprint alone identifies (RFC 8122 §6.2). It says what
/// every browser says, so that a certificate does not tell implementations apart.
const NAME: &str = "CN=WebRTC";

/// What differs from one certificate to the next.
pub(super) struct Subject {
    pub(super) serial: [u8; 16],
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

/// RFC 5280 §4.1, without the optional parts.
///
/// ```text
/// Certificate  ::=  SEQUENCE  {
///      tbsCertificate       TBSCertificate,
///      signatureAlgorithm   AlgorithmIdentifier,
///      signatureValue       BIT STRING  }
/// ```
#[derive(Sequence)]
struct Certificate {
    tbs_certificate: TbsCertificate,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature_value: BitString,
}

/// RFC 5280 §4.1, without extensions.
///
/// ```text
/// TBSCertificate  ::=  SEQUENCE  {
///      version         [0]  EXPLICIT Version,
///      serialNumber         CertificateSerialNumber,
///      signature            AlgorithmIdentifier,
///      issuer               Name,
///      validity             Validity,
///      subject              Name,
///      subjectPublicKeyInfo SubjectPublicKeyInfo  }
/// ```
#[derive(Clone, Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: Version,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
}

/// The DER of a certificate that its own key signed.
pub(super) fn self_sign(
    key: &dyn SigningKey,
    subject: &Subject,
) -> Result<Vec<u8>, CertificateError> {
    let tbs = to_be_signed(key, subject).map_err(|_| CertificateError::Malformed)?;
    let message = tbs.to_der().map_err(|_| CertificateError::Malformed)?;
    let signature = key.sign(&message).map_err(|_| CertificateError::Signer)?;
    BitString::from_bytes(&signature)
        .and_then(|signature_value| {
            Certificate {
                signature_algorithm: tbs.signature.clone(),
                tbs_certificate: tbs,
                signature_value,
            }
            .to_der()
        })
        .map_err(|_| CertificateError::Malformed)
}

fn to_be_signed(key: &dyn SigningKey, subject: &Subject) -> der::Result<TbsCertificate> {
    let (signature, curve) = match key.scheme() {
        SignatureScheme::EcdsaP384Sha384 => (ECDSA_WITH_SHA384, SECP384R1),
        _ => (ECDSA_WITH_SHA256, SECP256R1),
    };
    // RFC 5280 §4.1.2.2: positive; and never with leading zeros, so that all have one length.
    let mut serial = subject.serial;
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let name = Name::from_str(NAME)?;
    Ok(TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial)?,
        signature: AlgorithmIdentifierOwned {
            oid: signature,
            parameters: None,
        },
        issuer: name.clone(),
        validity: Validity::new(
            Time::try_from(subject.not_before)?,
            Time::try_from(subject.not_after)?,
        ),
        subject: name,
        subject_public_key_info: SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned {
                oid: EC_PUBLIC_KEY,
                parameters: Some(Any::encode_from(&curve)?),
            },
            subject_public_key: BitString::from_bytes(key.public_key())?,
        },
    })
}

/// Until when a certificate is valid; `None` if it is none.
pub(super) fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate().validity();
    Some(validity.not_after.to_system_time())
}
