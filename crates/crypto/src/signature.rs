use crate::{Error, SecureRandom};
use std::fmt;

/// A signature algorithm; the numbers are IANA's (TLS SignatureScheme).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum SignatureScheme {
    /// ECDSA on P-256 with SHA-256, signatures in DER.
    EcdsaP256Sha256 = 0x0403,
    /// ECDSA on P-384 with SHA-384, signatures in DER.
    EcdsaP384Sha384 = 0x0503,
    /// Ed25519 (RFC 8032).
    Ed25519 = 0x0807,
    /// RSASSA-PSS with SHA-256, of a key that may also do otherwise.
    RsaPssRsaeSha256 = 0x0804,
    /// RSASSA-PSS with SHA-384.
    RsaPssRsaeSha384 = 0x0805,
    /// RSASSA-PSS with SHA-512.
    RsaPssRsaeSha512 = 0x0806,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaPkcs1Sha256 = 0x0401,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaPkcs1Sha384 = 0x0501,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512 = 0x0601,
}

/// Makes, loads and verifies signatures.
pub trait Signatures: Send + Sync + fmt::Debug {
    /// What [`verify`](Signatures::verify) knows, best first. Default: ECDSA on P-256 and P-384.
    fn schemes(&self) -> &[SignatureScheme] {
        &[
            SignatureScheme::EcdsaP256Sha256,
            SignatureScheme::EcdsaP384Sha384,
        ]
    }

    /// Generates a key and returns it as PKCS #8 DER.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a scheme this provider does not make keys for,
    /// [`Error::Random`] if the random source fails.
    fn generate(
        &self,
        scheme: SignatureScheme,
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, Error>;

    /// Loads a private key (PKCS #8 DER).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] or [`Error::Unsupported`].
    fn load(&self, pkcs8: &[u8]) -> Result<Box<dyn SigningKey>, Error>;

    /// Verifies a signature over `message`; `public_key` is what a certificate has as
    /// `subjectPublicKey`: an uncompressed point, an `RSAPublicKey` (DER, RFC 8017 §A.1.1; RSA of
    /// 2048 bits at least), or the 32 bytes of an Ed25519 key.
    ///
    /// For ECDSA the hash is that of the scheme and the curve that of the key, since in DTLS 1.2 each is
    /// chosen alone (RFC 8446 §4.2.3). For DTLS 1.3 the caller checks that they belong together.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] if it does not verify, [`Error::Malformed`] for a key of no known
    /// curve, [`Error::Unsupported`] for an unknown scheme.
    fn verify(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error>;
}

/// A private key.
pub trait SigningKey: Send + Sync + fmt::Debug {
    /// What it signs with.
    fn scheme(&self) -> SignatureScheme;

    /// Its public half, an uncompressed point.
    fn public_key(&self) -> &[u8];

    /// Signs `message`.
    ///
    /// # Errors
    ///
    /// [`Error::Random`] if the random source fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}
