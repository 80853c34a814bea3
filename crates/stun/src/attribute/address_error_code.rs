//! ADDRESS-ERROR-CODE (RFC 8656 §18.12).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Family       |    Reserved             |Class|     Number    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Reason Phrase (variable)                                ..
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{
    AddressFamily, Attribute, AttributeType, DecodeError, EncodeError, ErrorCode, TransactionId,
};

/// Why one half of a dual allocation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressErrorCode<'a> {
    /// Which half.
    pub family: AddressFamily,
    /// Why.
    pub error: ErrorCode<'a>,
}

impl<'a> AddressErrorCode<'a> {
    /// Both parts.
    #[must_use]
    pub fn new(family: AddressFamily, error: ErrorCode<'a>) -> Self {
        Self { family, error }
    }
}

impl<'a> Attribute<'a> for AddressErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ADDRESS_ERROR_CODE;

    fn parse(value: &'a [u8], transaction: &TransactionId) -> Result<Self, DecodeError> {
        let malformed = DecodeError::Value(Self::TYPE.0);
        let family = value.first().copied().and_then(AddressFamily::from_number);
        Ok(Self {
            family: family.ok_or(malformed)?,
            error: ErrorCode::parse(value, transaction).map_err(|_| malformed)?,
        })
    }

    fn value_len(&self) -> usize {
        self.error.value_len()
    }

    fn write(&self, out: &mut [u8], transaction: &TransactionId) {
        self.error.write(out, transaction);
        out[0] = self.family.number();
    }

    fn check(&self) -> Result<(), EncodeError> {
        let check = self.error.check();
        check.map_err(|_| EncodeError::Value(Self::TYPE.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_family_stands_before_the_code() {
        let error = ErrorCode::new(440, "no");
        sample(
            AddressErrorCode::new(AddressFamily::Ipv6, error),
            &[2, 0, 4, 40, b'n', b'o'],
        );
    }
}
