//! The messages of the Data Channel Establishment Protocol (RFC 8832 §5).

mod ack;
mod open;

pub use ack::Ack;
pub use open::{ChannelType, Open};

use std::fmt;

/// A message of DCEP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlMessage {
    /// Opens a channel.
    Open(Open),
    /// Says that it is open.
    Ack(Ack),
}

impl ControlMessage {
    /// Reads one message. Bytes behind its fields are ignored: Pion's acknowledgement has three.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for an unknown type or a message that does not have its form.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.first() {
            Some(&Open::TYPE) => Open::decode(bytes).map(Self::Open),
            Some(&Ack::TYPE) => Ack::decode(bytes).map(Self::Ack),
            Some(&other) => Err(DecodeError::Type(other)),
            None => Err(DecodeError::Truncated),
        }
    }
}

/// Why bytes are no message of DCEP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The message ends before its fields do.
    Truncated,
    /// No message has this type (RFC 8832 §8.2.1).
    Type(u8),
    /// No channel has this type (RFC 8832 §8.2.2).
    ChannelType(u8),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message ends too early"),
            Self::Type(kind) => write!(f, "unknown message type {kind:#04x}"),
            Self::ChannelType(kind) => write!(f, "unknown channel type {kind:#04x}"),
        }
    }
}

impl std::error::Error for DecodeError {}
