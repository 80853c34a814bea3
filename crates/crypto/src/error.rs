use std::fmt;

/// Why a primitive refused. Deliberately without detail: what an attacker can provoke should not explain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A key, nonce or buffer has the wrong length.
    Length,
    /// A tag or signature does not verify.
    Verification,
    /// A key or public value is malformed.
    Malformed,
    /// The random source failed.
    Random,
    /// This provider does not have the primitive.
    Unsupported,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("a key, nonce or buffer has the wrong length"),
            Self::Verification => f.write_str("a tag or signature does not verify"),
            Self::Malformed => f.write_str("a key or public value is malformed"),
            Self::Random => f.write_str("the random source failed"),
            Self::Unsupported => f.write_str("the provider does not have this primitive"),
        }
    }
}

impl std::error::Error for Error {}
