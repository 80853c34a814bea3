use std::fmt;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the format needs, or than a length field says.
    Truncated,
    /// The version is not 2.
    Version,
    /// A length or count contradicts the rest.
    Length,
    /// A field has a value that the format forbids.
    Value,
    /// The format knows this, and it is not spoken here.
    Unsupported,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the data is truncated",
            Self::Version => "the version is not 2",
            Self::Length => "a length contradicts the rest",
            Self::Value => "a field has a forbidden value",
            Self::Unsupported => "not spoken here",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Why something was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer is too small.
    TooSmall,
    /// A value does not fit its field.
    Value,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "the buffer is too small",
            Self::Value => "a value does not fit its field",
        })
    }
}

impl std::error::Error for EncodeError {}
