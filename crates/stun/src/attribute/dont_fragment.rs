//! DONT-FRAGMENT (RFC 8656 §18.9): a flag, without a value.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// The relay is to send with the DF bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DontFragment;

impl Attribute<'_> for DontFragment {
    const TYPE: AttributeType = AttributeType::DONT_FRAGMENT;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        super::exactly(value, Self::TYPE).map(|[]| Self)
    }

    fn value_len(&self) -> usize {
        0
    }

    fn write(&self, _: &mut [u8], _: &TransactionId) {}
}
