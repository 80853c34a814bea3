//! PRIORITY (RFC 8445 §16.1): the priority that a peer-reflexive candidate learned from this check
//! has, 32 bits.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// The priority of the sender's candidate, as if it were peer-reflexive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority(pub u32);

impl Attribute<'_> for Priority {
    const TYPE: AttributeType = AttributeType::PRIORITY;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let bytes = value
            .try_into()
            .map_err(|_| DecodeError::Value(Self::TYPE.0))?;
        Ok(Self(u32::from_be_bytes(bytes)))
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out.copy_from_slice(&self.0.to_be_bytes());
    }
}
