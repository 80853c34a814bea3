use crate::Error;
use std::fmt;

/// A block cipher with 16-byte blocks, or what makes a 16-byte mask of a sample in its place
/// (ChaCha20 for DTLS 1.3 record numbers, RFC 9147 §4.2.3).
pub trait BlockCipher: Send + Sync + fmt::Debug {
    /// The length of a key, in bytes.
    fn key_len(&self) -> usize;

    /// Prepares a key.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the key does not have [`key_len`](BlockCipher::key_len) bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, Error>;
}

/// A prepared key.
pub trait BlockKey: Send + Sync + fmt::Debug {
    /// Encrypts one block.
    fn encrypt(&self, block: &[u8; 16]) -> [u8; 16];
}
