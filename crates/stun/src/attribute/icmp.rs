//! ICMP (RFC 8656 §18.13).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Reserved                     |  ICMP Type  |  ICMP Code      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                          Error Data                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The diagram gives the type seven bits and the code nine. All errors of ICMP and ICMPv6 have types
//! below 128.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// What a router told the relay about a packet on its way to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Icmp {
    /// The type, 0 to 127.
    pub kind: u8,
    /// The code, 0 to 511.
    pub code: u16,
    /// The next hop's MTU for "packet too big", else 0.
    pub data: [u8; 4],
}

impl Icmp {
    /// All three parts; what does not fit its bits is cut.
    #[must_use]
    pub fn new(kind: u8, code: u16, data: [u8; 4]) -> Self {
        Self {
            kind: kind & 0x7F,
            code: code & 0x01FF,
            data,
        }
    }
}

impl Attribute<'_> for Icmp {
    const TYPE: AttributeType = AttributeType::ICMP;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let [_, _, kind, code, data @ ..]: [u8; 8] = super::exactly(value, Self::TYPE)?;
        let code = u16::from_be_bytes([kind & 0x01, code]);
        Ok(Self::new(kind >> 1, code, data))
    }

    fn value_len(&self) -> usize {
        8
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        let word = u16::from(self.kind) << 9 | self.code;
        out[..2].fill(0);
        out[2..4].copy_from_slice(&word.to_be_bytes());
        out[4..].copy_from_slice(&self.data);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn type_code_and_data_stand_behind_two_reserved_bytes() {
        let too_big = Icmp::new(3, 4, [0, 0, 0x05, 0x00]);
        sample(too_big, &[0, 0, 0x06, 0x04, 0, 0, 0x05, 0x00]);
    }
}
