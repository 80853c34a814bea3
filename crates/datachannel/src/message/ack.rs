use super::DecodeError;

/// `DATA_CHANNEL_ACK` (RFC 8832 §5.2).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+
/// |  Message Type |
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack;

impl Ack {
    /// The message type.
    pub const TYPE: u8 = 0x02;

    /// Reads the message; bytes behind it are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `bytes` is of another type, or empty.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes {
            [Self::TYPE, ..] => Ok(Self),
            [other, ..] => Err(DecodeError::Type(*other)),
            [] => Err(DecodeError::Truncated),
        }
    }

    /// The message.
    #[must_use]
    pub fn encode(self) -> [u8; 1] {
        [Self::TYPE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dc-004
    #[test]
    fn the_message_is_one_byte() {
        assert_eq!(Ack.encode(), [0x02]);
        assert_eq!(Ack::decode(&Ack.encode()), Ok(Ack));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(Ack::decode(&[]), Err(DecodeError::Truncated));
        assert_eq!(Ack::decode(&[0x03]), Err(DecodeError::Type(0x03)));
    }

    #[test]
    fn the_four_bytes_that_pion_sends_are_read() {
        assert_eq!(Ack::decode(&[0x02, 0, 0, 0]), Ok(Ack));
    }
}
