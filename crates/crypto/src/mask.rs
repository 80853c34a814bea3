use crate::Error;
use std::fmt;

/// What makes the mask of a sequence number from a sample of the ciphertext (RFC 9147 §4.2.3): AES
/// as it encrypts one block, or a block of ChaCha20. QUIC protects its headers alike
/// (RFC 9001 §5.4).
pub trait Mask: Send + Sync + fmt::Debug {
    /// The length of a key, in bytes.
    fn key_len(&self) -> usize;

    /// Prepares a key.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the key does not have [`key_len`](Mask::key_len) bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn MaskKey>, Error>;
}

/// A prepared key.
pub trait MaskKey: Send + Sync + fmt::Debug {
    /// The first bytes of the mask; a sequence number has two at most.
    fn mask(&self, sample: &[u8; 16]) -> [u8; 5];
}
