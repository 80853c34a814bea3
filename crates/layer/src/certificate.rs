use std::fmt;
use std::time::{Duration, SystemTime};

/// A certificate and its private key, shared by every connection that presents it.
///
/// The key may live elsewhere (a hardware module): [`Certificate::sign`] is the only way to it.
/// Objects are made or imported by a [`NewDtls`](crate::NewDtls) factory, or by the user.
pub trait Certificate: Send + Sync + fmt::Debug {
    /// The X.509 certificate, DER.
    fn der(&self) -> &[u8];

    /// Until when it is valid.
    fn expires(&self) -> SystemTime;

    /// What signs with it.
    fn key_algorithm(&self) -> KeyAlgorithm;

    /// Signs `message` with the hash that belongs to the key (SHA-256 for P-256 and RSA, SHA-384
    /// for P-384); ECDSA signatures are DER.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Signer`] if the key cannot be used.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CertificateError>;

    /// The fingerprints to signal, SHA-256 first (RFC 8122 §5).
    fn fingerprints(&self) -> Vec<Fingerprint>;

    /// The private key as PKCS #8 DER, for persistence and for backends that keep keys themselves.
    /// `None` if the key does not leave its signer.
    fn private_key(&self) -> Option<&[u8]> {
        None
    }
}

/// What to generate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateParams {
    /// The key. Default: ECDSA P-256, the one every peer accepts (RFC 8827 §6.5).
    pub key_algorithm: KeyAlgorithm,
    /// How long it is valid from now on. Default: 30 days; the W3C caps it at 365 (webrtc-pc §4.9).
    pub lifetime: Duration,
}

impl Default for CertificateParams {
    fn default() -> Self {
        Self {
            key_algorithm: KeyAlgorithm::EcdsaP256,
            lifetime: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// The kind of key in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// RSASSA-PKCS1-v1_5, 2048 bits, with SHA-256.
    Rsa2048,
}

/// The hash of a fingerprint (RFC 8122 §5). MD2 and MD5 do not exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// 20 bytes.
    Sha1,
    /// 28 bytes.
    Sha224,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    /// The length of a hash, in bytes.
    #[must_use]
    pub fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The name in SDP, lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The hash of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Sha1,
            Self::Sha224,
            Self::Sha256,
            Self::Sha384,
            Self::Sha512,
        ]
        .into_iter()
        .find(|hash| hash.name().eq_ignore_ascii_case(name))
    }
}

/// A certificate fingerprint (RFC 8122 §5).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fingerprint {
    /// Which hash.
    pub algorithm: HashAlgorithm,
    /// The hash of the DER bytes, [`HashAlgorithm::digest_len`] long.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// A fingerprint, if the value has the length of the hash.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, value: Vec<u8>) -> Option<Self> {
        (value.len() == algorithm.digest_len()).then_some(Self { algorithm, value })
    }

    /// Reads the value as SDP writes it: hex pairs in any case, separated by colons.
    #[must_use]
    pub fn from_hex(algorithm: HashAlgorithm, text: &str) -> Option<Self> {
        let value = text
            .split(':')
            .map(|pair| match pair.as_bytes() {
                [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                    u8::from_str_radix(pair, 16).ok()
                }
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()?;
        Self::new(algorithm, value)
    }

    /// The value as SDP writes it: upper-case hex pairs, separated by colons.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let pairs: Vec<String> = self
            .value
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        pairs.join(":")
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Fingerprint({} {})",
            self.algorithm.name(),
            self.to_hex()
        )
    }
}

/// Why a certificate could not be made, imported or used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// This implementation does not make keys of that kind.
    Unsupported(KeyAlgorithm),
    /// The bytes are not a certificate, or not the key that belongs to it.
    Malformed,
    /// The key could not be generated or used.
    Signer,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(key) => write!(f, "keys of kind {key:?} are not supported"),
            Self::Malformed => f.write_str("not a certificate with its own private key"),
            Self::Signer => f.write_str("the private key could not be generated or used"),
        }
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_lower_case_and_writes_upper_case() {
        let hex = "ab:CD:ef:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11";
        let fingerprint = Fingerprint::from_hex(HashAlgorithm::Sha1, hex).unwrap();
        assert_eq!(fingerprint.to_hex(), hex.to_uppercase());
    }

    #[test]
    fn a_fingerprint_of_the_wrong_length_or_form_is_refused() {
        for text in [
            "",
            "ab",
            "ab:cd",
            "+1:02",
            "ab:cd:ef:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:1",
            "é",
        ] {
            assert_eq!(
                Fingerprint::from_hex(HashAlgorithm::Sha1, text),
                None,
                "{text}"
            );
        }
    }
}
