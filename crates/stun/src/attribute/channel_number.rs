//! CHANNEL-NUMBER (RFC 8656 §18.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |        Channel Number         |         RFFU = 0              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// The number of a channel; whether it is one that may be used is TURN's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelNumber(pub u16);

impl Attribute<'_> for ChannelNumber {
    const TYPE: AttributeType = AttributeType::CHANNEL_NUMBER;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let [n0, n1, _, _] = super::exactly(value, Self::TYPE)?;
        Ok(Self(u16::from_be_bytes([n0, n1])))
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out[..2].copy_from_slice(&self.0.to_be_bytes());
        out[2..].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_number_stands_before_two_reserved_bytes() {
        sample(ChannelNumber(0x4001), &[0x40, 0x01, 0, 0]);
    }
}
