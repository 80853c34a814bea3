//! USE-CANDIDATE (RFC 8445 §16.1): a flag, without a value.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// The controlling agent nominates the pair of this check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseCandidate;

impl Attribute<'_> for UseCandidate {
    const TYPE: AttributeType = AttributeType::USE_CANDIDATE;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        if !value.is_empty() {
            return Err(DecodeError::Value(Self::TYPE.0));
        }
        Ok(Self)
    }

    fn value_len(&self) -> usize {
        0
    }

    fn write(&self, _: &mut [u8], _: &TransactionId) {}
}
