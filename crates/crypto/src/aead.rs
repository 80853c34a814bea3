use crate::Error;
use std::fmt;

/// Authenticated encryption with associated data (RFC 5116).
pub trait Aead: Send + Sync + fmt::Debug {
    /// The length of a key, in bytes.
    fn key_len(&self) -> usize;

    /// Prepares a key.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the key does not have [`key_len`](Aead::key_len) bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Error>;
}

/// A prepared key. Nonces have 12 bytes and tags 16.
pub trait AeadKey: Send + Sync + fmt::Debug {
    /// Encrypts `data` in place and writes its tag. A nonce is never used twice with one key.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the data is larger than the algorithm allows.
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        associated: &[u8],
        data: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), Error>;

    /// Verifies and decrypts `data`, ciphertext with its tag at the end, in place; returns the
    /// length of the plaintext. After an error the buffer holds nothing of use.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] if the tag is wrong or missing.
    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        associated: &[u8],
        data: &mut [u8],
    ) -> Result<usize, Error>;
}
