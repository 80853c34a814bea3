use crate::Error;
use std::fmt;

/// A block cipher of 16-byte blocks in counter mode (NIST SP 800-38A §6.5): the keystream of SRTP
/// (RFC 3711 §4.1.1, RFC 6188 §2).
pub trait StreamCipher: Send + Sync + fmt::Debug {
    /// The length of a key, in bytes.
    fn key_len(&self) -> usize;

    /// Prepares a key. Keep the result: the key schedule is its cost.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the key does not have [`key_len`](StreamCipher::key_len) bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, Error>;
}

/// A prepared key.
pub trait StreamKey: Send + Sync + fmt::Debug {
    /// Adds (exclusive or) the keystream to `data`; the same call again takes it away. `iv` is the
    /// first counter block, and counts up as one number of 128 bits, big-endian, block by block.
    fn apply_keystream(&self, iv: &[u8; 16], data: &mut [u8]);
}
