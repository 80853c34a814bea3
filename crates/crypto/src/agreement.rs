use crate::Error;
use std::fmt;

/// A group for key agreement; the numbers are IANA's (TLS Supported Groups).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Group {
    /// NIST P-256.
    Secp256r1 = 0x0017,
    /// NIST P-384.
    Secp384r1 = 0x0018,
    /// Curve25519.
    X25519 = 0x001D,
}

/// Ephemeral key agreement in one group.
pub trait Agreement: Send + Sync + fmt::Debug {
    /// The group.
    fn group(&self) -> Group;

    /// Makes an ephemeral key.
    ///
    /// # Errors
    ///
    /// [`Error::Random`] if the random source fails.
    fn start(&self, random: &dyn crate::SecureRandom) -> Result<Box<dyn ActiveAgreement>, Error>;
}

/// An ephemeral key whose public half is on its way.
pub trait ActiveAgreement: Send + Sync + fmt::Debug {
    /// The public half, as TLS encodes it (an uncompressed point for the NIST curves).
    fn public_key(&self) -> &[u8];

    /// The shared secret with the peer's public half.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if that is not a point of the group, or gives no secret.
    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<Vec<u8>, Error>;
}
