//! ICE-CONTROLLED and ICE-CONTROLLING (RFC 8445 §16.1): the sender's role, with the 64-bit number
//! that breaks a tie when both agents believe in the same one.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

macro_rules! role {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub u64);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
                let bytes = value
                    .try_into()
                    .map_err(|_| DecodeError::Value(Self::TYPE.0))?;
                Ok(Self(u64::from_be_bytes(bytes)))
            }

            fn value_len(&self) -> usize {
                8
            }

            fn write(&self, out: &mut [u8], _: &TransactionId) {
                out.copy_from_slice(&self.0.to_be_bytes());
            }
        }
    };
}

role! {
    /// The sender follows; its tiebreaker.
    IceControlled, ICE_CONTROLLED
}

role! {
    /// The sender nominates; its tiebreaker.
    IceControlling, ICE_CONTROLLING
}
