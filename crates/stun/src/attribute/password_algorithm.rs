//! PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS (RFC 8489 §14.11, §14.12).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          Algorithm           |  Algorithm Parameters Length   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Algorithm Parameters (variable)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The list is a run of these, each padded to four bytes.

use super::read_u16;
use crate::{Attribute, AttributeType, DecodeError, EncodeError, TransactionId};

/// How a long-term password becomes a key (RFC 8489 §18.5). As an attribute: the one in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PasswordAlgorithm {
    /// 0x0001, 16 bytes.
    Md5,
    /// 0x0002, 32 bytes.
    Sha256,
}

impl PasswordAlgorithm {
    fn number(self) -> u16 {
        match self {
            Self::Md5 => 0x0001,
            Self::Sha256 => 0x0002,
        }
    }

    /// Neither of the two has parameters.
    fn from_parts(number: u16, parameters: &[u8]) -> Option<Self> {
        match number {
            0x0001 if parameters.is_empty() => Some(Self::Md5),
            0x0002 if parameters.is_empty() => Some(Self::Sha256),
            _ => None,
        }
    }
}

impl Attribute<'_> for PasswordAlgorithm {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHM;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let malformed = DecodeError::Value(Self::TYPE.0);
        let (number, parameters, _) = split(value).ok_or(malformed)?;
        Self::from_parts(number, parameters).ok_or(malformed)
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out[..2].copy_from_slice(&self.number().to_be_bytes());
        out[2..].fill(0);
    }
}

/// The algorithms that a server takes, best first, as they stand in the message: a client sends the
/// same bytes back, so that nobody between the two can take one away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordAlgorithms<'a>(pub &'a [u8]);

impl PasswordAlgorithms<'static> {
    /// SHA-256, then MD5.
    pub const ALL: Self = Self(&[0, 2, 0, 0, 0, 1, 0, 0]);
}

impl PasswordAlgorithms<'_> {
    /// The first one that this crate knows.
    #[must_use]
    pub fn first_known(&self) -> Option<PasswordAlgorithm> {
        self.known().next()
    }

    /// Whether it is in the list.
    #[must_use]
    pub fn contains(&self, algorithm: PasswordAlgorithm) -> bool {
        self.known().any(|known| known == algorithm)
    }

    fn known(&self) -> impl Iterator<Item = PasswordAlgorithm> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (number, parameters, after) = split(rest)?;
            rest = after;
            Some(PasswordAlgorithm::from_parts(number, parameters))
        })
        .flatten()
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithms<'a> {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHMS;

    fn parse(value: &'a [u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let mut rest = value;
        while !rest.is_empty() {
            (_, _, rest) = split(rest).ok_or(DecodeError::Value(Self::TYPE.0))?;
        }
        Ok(Self(value))
    }

    fn value_len(&self) -> usize {
        self.0.len()
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out.copy_from_slice(self.0);
    }

    fn check(&self) -> Result<(), EncodeError> {
        let valid = Self::parse(self.0, &TransactionId([0; 12]));
        valid
            .map(|_| ())
            .map_err(|_| EncodeError::Value(Self::TYPE.0))
    }
}

/// Number, parameters, and what follows their padding; the last padding may be missing.
fn split(value: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let number = read_u16(value, 0)?;
    let length = usize::from(read_u16(value, 2)?);
    let parameters = value.get(4..4 + length)?;
    let rest = value.get(4 + length.next_multiple_of(4)..);
    Some((number, parameters, rest.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn one_algorithm_and_a_list_come_back() {
        sample(PasswordAlgorithm::Sha256, &[0, 2, 0, 0]);
        sample(PasswordAlgorithms::ALL, &[0, 2, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn an_unknown_algorithm_and_its_parameters_are_skipped() {
        let list = [0, 9, 0, 3, 1, 2, 3, 0, 0, 1, 0, 0];
        let list = PasswordAlgorithms::parse(&list, &TransactionId([0; 12])).unwrap();
        assert_eq!(list.first_known(), Some(PasswordAlgorithm::Md5));
        assert!(!list.contains(PasswordAlgorithm::Sha256));
        let cut = PasswordAlgorithms::parse(&[0, 9, 0, 3, 1], &TransactionId([0; 12]));
        assert!(cut.is_err());
    }
}
