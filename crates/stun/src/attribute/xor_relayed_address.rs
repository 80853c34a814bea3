//! XOR-RELAYED-ADDRESS (RFC 8656 §18.5): masked as [`XorMappedAddress`].

use crate::{Attribute, AttributeType, DecodeError, TransactionId, XorMappedAddress};
use std::net::SocketAddr;

/// The address that the server has allocated to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XorRelayedAddress(pub SocketAddr);

impl Attribute<'_> for XorRelayedAddress {
    const TYPE: AttributeType = AttributeType::XOR_RELAYED_ADDRESS;

    fn parse(value: &[u8], transaction: &TransactionId) -> Result<Self, DecodeError> {
        XorMappedAddress::parse(value, transaction)
            .map(|XorMappedAddress(address)| Self(address))
            .map_err(|_| DecodeError::Value(Self::TYPE.0))
    }

    fn value_len(&self) -> usize {
        XorMappedAddress(self.0).value_len()
    }

    fn write(&self, out: &mut [u8], transaction: &TransactionId) {
        XorMappedAddress(self.0).write(out, transaction);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn port_and_address_are_masked() {
        let address = "192.0.2.1:32853".parse().unwrap();
        sample(
            XorRelayedAddress(address),
            b"\x00\x01\xa1\x47\xe1\x12\xa6\x43",
        );
    }
}
