//! REQUESTED-TRANSPORT (RFC 8656 §18.8): the number of a protocol over IP, and 24 reserved bits.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// What the relay speaks with peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedTransport(pub u8);

impl RequestedTransport {
    /// UDP.
    pub const UDP: Self = Self(17);
    /// TCP (RFC 6062 §4.1).
    pub const TCP: Self = Self(6);
}

impl Attribute<'_> for RequestedTransport {
    const TYPE: AttributeType = AttributeType::REQUESTED_TRANSPORT;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let [protocol, _, _, _] = super::exactly(value, Self::TYPE)?;
        Ok(Self(protocol))
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out.copy_from_slice(&[self.0, 0, 0, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_protocol_stands_before_three_reserved_bytes() {
        sample(RequestedTransport::UDP, &[17, 0, 0, 0]);
        sample(RequestedTransport::TCP, &[6, 0, 0, 0]);
    }
}
