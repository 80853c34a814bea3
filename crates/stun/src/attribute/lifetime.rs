//! LIFETIME (RFC 8656 §18.2): for how many seconds an allocation stays without a refresh, 32 bits.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// Seconds; 0 deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub u32);

impl Attribute<'_> for Lifetime {
    const TYPE: AttributeType = AttributeType::LIFETIME;

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
    fn the_seconds_take_four_bytes() {
        sample(Lifetime(600), &[0, 0, 0x02, 0x58]);
    }
}
