//! UNKNOWN-ATTRIBUTES (RFC 8489 §14.13).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Attribute 1 Type         |       Attribute 2 Type        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Attribute 3 Type         |       Attribute 4 Type    ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// How many types are kept and named; a message that is wrong in more ways is not told the rest.
const MAX_TYPES: usize = 8;

/// The attributes a request was refused for (error 420).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAttributes {
    types: [AttributeType; MAX_TYPES],
    len: usize,
}

impl Default for UnknownAttributes {
    fn default() -> Self {
        Self {
            types: [AttributeType(0); MAX_TYPES],
            len: 0,
        }
    }
}

impl UnknownAttributes {
    /// Their types, at most eight.
    #[must_use]
    pub fn types(&self) -> &[AttributeType] {
        &self.types[..self.len]
    }

    /// Adds a type, unless it is there or the list is full.
    pub fn push(&mut self, kind: AttributeType) {
        if self.len < MAX_TYPES && !self.types().contains(&kind) {
            self.types[self.len] = kind;
            self.len += 1;
        }
    }
}

impl Attribute<'_> for UnknownAttributes {
    const TYPE: AttributeType = AttributeType::UNKNOWN_ATTRIBUTES;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let (pairs, rest) = value.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(DecodeError::Value(Self::TYPE.0));
        }
        let mut all = Self::default();
        for pair in pairs {
            all.push(AttributeType(u16::from_be_bytes(*pair)));
        }
        Ok(all)
    }

    fn value_len(&self) -> usize {
        2 * self.len
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        for (place, kind) in out.chunks_exact_mut(2).zip(self.types()) {
            place.copy_from_slice(&kind.0.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-012
    #[test]
    fn types_come_back_and_an_odd_length_is_refused() {
        let transaction = TransactionId([0; 12]);
        let value = [0x00, 0x31, 0x7F, 0xFF];
        let parsed = UnknownAttributes::parse(&value, &transaction).unwrap();
        assert_eq!(
            parsed.types(),
            [AttributeType(0x0031), AttributeType(0x7FFF)]
        );
        let mut out = [0; 4];
        parsed.write(&mut out, &transaction);
        assert_eq!(out, value);
        assert!(UnknownAttributes::parse(&value[..3], &transaction).is_err());
    }

    #[test]
    fn a_long_list_is_cut() {
        let mut all = UnknownAttributes::default();
        for number in 0..100 {
            all.push(AttributeType(number));
            all.push(AttributeType(number));
        }
        assert_eq!(all.types().len(), MAX_TYPES);
    }
}
