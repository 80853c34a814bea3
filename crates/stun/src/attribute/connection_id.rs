//! CONNECTION-ID (RFC 6062 §6.2.1): the name of one connection between relay and peer, 32 bits.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// Names a connection with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

impl Attribute<'_> for ConnectionId {
    const TYPE: AttributeType = AttributeType::CONNECTION_ID;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        super::exactly(value, Self::TYPE).map(|bytes| Self(u32::from_be_bytes(bytes)))
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out.copy_from_slice(&self.0.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_name_takes_four_bytes() {
        sample(ConnectionId(7), &[0, 0, 0, 7]);
    }
}
