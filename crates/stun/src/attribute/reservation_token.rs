//! RESERVATION-TOKEN (RFC 8656 §18.10): eight bytes that name a reserved relayed address.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// Names a relayed address that was reserved with [`EvenPort`](crate::EvenPort).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservationToken(pub [u8; 8]);

impl Attribute<'_> for ReservationToken {
    const TYPE: AttributeType = AttributeType::RESERVATION_TOKEN;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        super::exactly(value, Self::TYPE).map(Self)
    }

    fn value_len(&self) -> usize {
        8
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out.copy_from_slice(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_token_has_eight_bytes() {
        sample(ReservationToken(*b"reserved"), b"reserved");
    }
}
