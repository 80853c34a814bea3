//! ALTERNATE-SERVER (RFC 8489 §14.15): an address in the clear, as
//! [`MappedAddress`].

use crate::{Attribute, AttributeType, DecodeError, MappedAddress, TransactionId};
use std::net::SocketAddr;

/// Where the client is sent instead (error 300).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlternateServer(pub SocketAddr);

impl Attribute<'_> for AlternateServer {
    const TYPE: AttributeType = AttributeType::ALTERNATE_SERVER;

    fn parse(value: &[u8], transaction: &TransactionId) -> Result<Self, DecodeError> {
        MappedAddress::parse(value, transaction)
            .map(|MappedAddress(address)| Self(address))
            .map_err(|_| DecodeError::Value(Self::TYPE.0))
    }

    fn value_len(&self) -> usize {
        MappedAddress(self.0).value_len()
    }

    fn write(&self, out: &mut [u8], transaction: &TransactionId) {
        MappedAddress(self.0).write(out, transaction);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_address_stands_in_the_clear() {
        let address = "192.0.2.1:3478".parse().unwrap();
        sample(AlternateServer(address), &[0, 1, 0x0D, 0x96, 192, 0, 2, 1]);
    }
}
