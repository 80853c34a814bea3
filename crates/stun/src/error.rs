use std::fmt;

/// Why bytes are not a STUN message, or an attribute not what its type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the header, or than the header says.
    Truncated,
    /// The two most significant bits are not zero, or the magic cookie is missing.
    NotStun,
    /// The length is not a multiple of four, or bytes follow the message.
    Length,
    /// An attribute reaches beyond the message.
    Attribute(u16),
    /// The value of an attribute breaks its format.
    Value(u16),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message is truncated"),
            Self::NotStun => f.write_str("not a STUN message"),
            Self::Length => f.write_str("the message length is wrong"),
            Self::Attribute(kind) => write!(f, "attribute 0x{kind:04x} reaches beyond the message"),
            Self::Value(kind) => write!(f, "the value of attribute 0x{kind:04x} is malformed"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Why a message was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer is too small for the message.
    BufferTooSmall,
    /// A value is longer than its attribute allows.
    Value(u16),
    /// An attribute came after one that must be last (RFC 8489 §14.5 to §14.7).
    Order(u16),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall => f.write_str("the buffer is too small for the message"),
            Self::Value(kind) => write!(f, "the value of attribute 0x{kind:04x} is too long"),
            Self::Order(kind) => write!(
                f,
                "attribute 0x{kind:04x} cannot come after the integrity or the fingerprint"
            ),
        }
    }
}

impl std::error::Error for EncodeError {}
