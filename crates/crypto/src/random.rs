use crate::Error;
use std::fmt;

/// A source of unguessable bytes.
pub trait SecureRandom: Send + Sync + fmt::Debug {
    /// Fills `out`.
    ///
    /// # Errors
    ///
    /// [`Error::Random`] if the source fails.
    fn fill(&self, out: &mut [u8]) -> Result<(), Error>;
}
