//! How keys are derived: HKDF for 1.3, the PRF for 1.2.

pub(crate) mod hkdf;
pub(crate) mod v1_2;
pub(crate) mod v1_3;

use std::fmt;
use zeroize::Zeroizing;

/// A secret of the length of a hash. It is wiped when dropped, and `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Secret {
    bytes: Zeroizing<[u8; MAX_LEN]>,
    len: usize,
}

/// SHA-384, and the master secret of 1.2.
const MAX_LEN: usize = 48;

impl Secret {
    /// Zeros, to be filled.
    ///
    /// # Panics
    ///
    /// If `len` is more than 48.
    pub(crate) fn zeroed(len: usize) -> Self {
        assert!(len <= MAX_LEN, "no secret here is longer");
        Self {
            bytes: Zeroizing::new([0; MAX_LEN]),
            len,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
