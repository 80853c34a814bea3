//! REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §18.6, §18.11).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Family      |            Reserved                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Attribute, AttributeType, DecodeError, TransactionId};
use std::net::IpAddr;

/// IPv4 or IPv6, as attributes number them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressFamily {
    /// 0x01.
    Ipv4,
    /// 0x02.
    Ipv6,
}

impl AddressFamily {
    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() {
            Self::Ipv4
        } else {
            Self::Ipv6
        }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 0x01,
            Self::Ipv6 => 0x02,
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        match number {
            0x01 => Some(Self::Ipv4),
            0x02 => Some(Self::Ipv6),
            _ => None,
        }
    }
}

macro_rules! family {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub AddressFamily);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
                let [family, _, _, _] = super::exactly(value, Self::TYPE)?;
                AddressFamily::from_number(family)
                    .map(Self)
                    .ok_or(DecodeError::Value(Self::TYPE.0))
            }

            fn value_len(&self) -> usize {
                4
            }

            fn write(&self, out: &mut [u8], _: &TransactionId) {
                out.copy_from_slice(&[self.0.number(), 0, 0, 0]);
            }
        }
    };
}

family! {
    /// Of which family the relayed address is to be.
    RequestedAddressFamily, REQUESTED_ADDRESS_FAMILY
}

family! {
    /// A second relayed address of this family is wanted; only IPv6 may stand here.
    AdditionalAddressFamily, ADDITIONAL_ADDRESS_FAMILY
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_family_stands_before_three_reserved_bytes() {
        sample(RequestedAddressFamily(AddressFamily::Ipv6), &[2, 0, 0, 0]);
        sample(AdditionalAddressFamily(AddressFamily::Ipv4), &[1, 0, 0, 0]);
        let other = RequestedAddressFamily::parse(&[3, 0, 0, 0], &TransactionId([0; 12]));
        assert!(other.is_err());
    }
}
