//! EVEN-PORT (RFC 8656 §18.7): one byte, of which the most significant bit asks to reserve the
//! next port too.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// The relayed address is to have an even port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvenPort {
    /// Whether the port above is to be reserved.
    pub reserve_next: bool,
}

impl EvenPort {
    /// With or without the port above.
    #[must_use]
    pub fn new(reserve_next: bool) -> Self {
        Self { reserve_next }
    }
}

impl Attribute<'_> for EvenPort {
    const TYPE: AttributeType = AttributeType::EVEN_PORT;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let [bits] = super::exactly(value, Self::TYPE)?;
        Ok(Self::new(bits & 0x80 != 0))
    }

    fn value_len(&self) -> usize {
        1
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out[0] = u8::from(self.reserve_next) << 7;
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_reservation_is_the_upper_bit() {
        sample(EvenPort::new(true), &[0x80]);
        sample(EvenPort::new(false), &[0]);
    }
}
