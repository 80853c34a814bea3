/// Why bytes are not a STUN message, or an attribute not what its type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the header, or than the header says.
    #[error("the message is truncated")]
    Truncated,
    /// The two most significant bits are not zero, or the magic cookie is missing.
    #[error("not a STUN message")]
    NotStun,
    /// The length is not a multiple of four, or bytes follow the message.
    #[error("the message length is wrong")]
    Length,
    /// An attribute reaches beyond the message.
    #[error("attribute 0x{0:04x} reaches beyond the message")]
    Attribute(u16),
    /// The value of an attribute breaks its format.
    #[error("the value of attribute 0x{0:04x} is malformed")]
    Value(u16),
}

/// Why a message was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer is too small for the message.
    #[error("the buffer is too small for the message")]
    BufferTooSmall,
    /// A value is longer than its attribute allows.
    #[error("the value of attribute 0x{0:04x} is too long")]
    Value(u16),
    /// An attribute came after one that must be last (RFC 8489 §14.5 to §14.7).
    #[error("attribute 0x{0:04x} cannot come after the integrity or the fingerprint")]
    Order(u16),
}
