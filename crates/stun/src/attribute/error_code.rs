//! ERROR-CODE (RFC 8489 §14.8).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           Reserved, should be 0         |Class|     Number    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Reason Phrase (variable)                                ..
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Attribute, AttributeType, DecodeError, EncodeError, TransactionId};

/// Why a request was refused: a code of 300 to 699 and a phrase for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCode<'a> {
    /// The code.
    pub code: u16,
    /// The phrase, at most 763 bytes; empty when the sender's is not UTF-8.
    pub reason: &'a str,
}

impl<'a> ErrorCode<'a> {
    /// The request is malformed (RFC 8489 §14.8).
    pub const BAD_REQUEST: ErrorCode<'static> = ErrorCode::new(400, "bad request");
    /// The credentials are wrong (RFC 8489 §14.8).
    pub const UNAUTHENTICATED: ErrorCode<'static> = ErrorCode::new(401, "unauthenticated");
    /// The request has attributes that must be understood and are not (RFC 8489 §14.8).
    pub const UNKNOWN_ATTRIBUTE: ErrorCode<'static> = ErrorCode::new(420, "unknown attribute");
    /// Another server is to be asked (RFC 8489 §10).
    pub const TRY_ALTERNATE: ErrorCode<'static> = ErrorCode::new(300, "try alternate");
    /// The server will not do it (RFC 8656 §19).
    pub const FORBIDDEN: ErrorCode<'static> = ErrorCode::new(403, "forbidden");
    /// There is an allocation where none should be, or none where one should (RFC 8656 §19).
    pub const ALLOCATION_MISMATCH: ErrorCode<'static> = ErrorCode::new(437, "allocation mismatch");
    /// The nonce is not valid any more; the answer has a new one (RFC 8489 §14.8).
    pub const STALE_NONCE: ErrorCode<'static> = ErrorCode::new(438, "stale nonce");
    /// No relayed addresses of this family (RFC 8656 §19).
    pub const ADDRESS_FAMILY_NOT_SUPPORTED: ErrorCode<'static> =
        ErrorCode::new(440, "address family not supported");
    /// Not the credentials that made the allocation (RFC 8656 §19).
    pub const WRONG_CREDENTIALS: ErrorCode<'static> = ErrorCode::new(441, "wrong credentials");
    /// The relay does not speak that protocol with peers (RFC 8656 §19).
    pub const UNSUPPORTED_TRANSPORT_PROTOCOL: ErrorCode<'static> =
        ErrorCode::new(442, "unsupported transport protocol");
    /// The peer's address is not of the allocation's family (RFC 8656 §19).
    pub const PEER_ADDRESS_FAMILY_MISMATCH: ErrorCode<'static> =
        ErrorCode::new(443, "peer address family mismatch");
    /// The connection is there already (RFC 6062 §6.3).
    pub const CONNECTION_ALREADY_EXISTS: ErrorCode<'static> =
        ErrorCode::new(446, "connection already exists");
    /// The peer does not answer (RFC 6062 §6.3).
    pub const CONNECTION_TIMEOUT_OR_FAILURE: ErrorCode<'static> =
        ErrorCode::new(447, "connection timeout or failure");
    /// This user has as many allocations as allowed (RFC 8656 §19).
    pub const ALLOCATION_QUOTA_REACHED: ErrorCode<'static> =
        ErrorCode::new(486, "allocation quota reached");
    /// The server is full (RFC 8656 §19).
    pub const INSUFFICIENT_CAPACITY: ErrorCode<'static> =
        ErrorCode::new(508, "insufficient capacity");
    /// Both agents believe in the same role (RFC 8445 §16.2).
    pub const ROLE_CONFLICT: ErrorCode<'static> = ErrorCode::new(487, "role conflict");

    /// A code and its phrase.
    #[must_use]
    pub const fn new(code: u16, reason: &'a str) -> Self {
        Self { code, reason }
    }
}

impl<'a> Attribute<'a> for ErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ERROR_CODE;

    fn parse(value: &'a [u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let malformed = DecodeError::Value(Self::TYPE.0);
        let (&[_, _, class, number], reason) = value.split_first_chunk().ok_or(malformed)?;
        let class = class & 0x07;
        // stun-010: the class is 3 to 6, the number 0 to 99.
        if !(3..=6).contains(&class) || number > 99 || reason.len() > 763 {
            return Err(malformed);
        }
        Ok(Self {
            code: u16::from(class) * 100 + u16::from(number),
            reason: std::str::from_utf8(reason).unwrap_or_default(),
        })
    }

    fn value_len(&self) -> usize {
        4 + self.reason.len()
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        let [_, class] = (self.code / 100).to_be_bytes();
        let [_, number] = (self.code % 100).to_be_bytes();
        out[..4].copy_from_slice(&[0, 0, class, number]);
        out[4..].copy_from_slice(self.reason.as_bytes());
    }

    fn check(&self) -> Result<(), EncodeError> {
        if !(300..700).contains(&self.code) || self.reason.len() > 763 {
            return Err(EncodeError::Value(Self::TYPE.0));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-010
    #[test]
    fn class_and_number_are_split_and_checked() {
        let transaction = TransactionId([0; 12]);
        let mut out = [0xFF; 17];
        let conflict = ErrorCode::ROLE_CONFLICT;
        conflict.write(&mut out, &transaction);
        assert_eq!(out[..4], [0, 0, 4, 87]);
        assert_eq!(ErrorCode::parse(&out, &transaction), Ok(conflict));
        for value in [
            &[0, 0, 4][..],
            &[0, 0, 2, 0],
            &[0, 0, 7, 0],
            &[0, 0, 4, 100],
        ] {
            assert!(ErrorCode::parse(value, &transaction).is_err(), "{value:?}");
        }
        assert!(ErrorCode::new(299, "").check().is_err());
        assert!(ErrorCode::new(700, "").check().is_err());
    }
}
