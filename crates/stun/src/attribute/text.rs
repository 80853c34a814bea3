//! USERNAME, REALM, NONCE, SOFTWARE and ALTERNATE-DOMAIN (RFC 8489 §14.3, §14.9, §14.10, §14.14,
//! §14.16): UTF-8 text, each with its own longest length.

use crate::{Attribute, AttributeType, DecodeError, EncodeError, TransactionId};

/// Below 509 bytes (RFC 8489 §14.3).
const MAX_USERNAME: usize = 508;

/// Fewer than 128 characters, which can take 763 bytes in the older grammar (RFC 8489 §14.9,
/// §14.10, §14.14).
const MAX_TEXT: usize = 763;

/// The longest name of a host (RFC 1035 §2.3.4).
const MAX_DOMAIN: usize = 255;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $max:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub &'a str);

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: AttributeType = AttributeType::$kind;

            fn parse(value: &'a [u8], _: &TransactionId) -> Result<Self, DecodeError> {
                read(value, $max).map(Self).ok_or(DecodeError::Value(Self::TYPE.0))
            }

            fn value_len(&self) -> usize {
                self.0.len()
            }

            fn write(&self, out: &mut [u8], _: &TransactionId) {
                out.copy_from_slice(self.0.as_bytes());
            }

            fn check(&self) -> Result<(), EncodeError> {
                if self.0.len() > $max {
                    return Err(EncodeError::Value(Self::TYPE.0));
                }
                Ok(())
            }
        }
    };
}

text! {
    /// Whose credentials protect the message; at most 508 bytes.
    Username, USERNAME, MAX_USERNAME
}

text! {
    /// The domain of long-term credentials; at most 763 bytes.
    Realm, REALM, MAX_TEXT
}

text! {
    /// What the server wants to see again; at most 763 bytes.
    Nonce, NONCE, MAX_TEXT
}

text! {
    /// What software the sender runs; at most 763 bytes.
    Software, SOFTWARE, MAX_TEXT
}

text! {
    /// The name in the certificate of the server that a client is sent to; at most 255 bytes.
    AlternateDomain, ALTERNATE_DOMAIN, MAX_DOMAIN
}

/// stun-011
fn read(value: &[u8], max: usize) -> Option<&str> {
    if value.len() > max {
        return None;
    }
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-011
    #[test]
    fn a_text_beyond_its_longest_length_is_refused_both_ways() {
        let transaction = TransactionId([0; 12]);
        let long = "x".repeat(509);
        assert!(Username::parse(&long.as_bytes()[..508], &transaction).is_ok());
        assert_eq!(
            Username::parse(long.as_bytes(), &transaction),
            Err(DecodeError::Value(0x0006))
        );
        assert_eq!(Username(&long).check(), Err(EncodeError::Value(0x0006)));
        assert!(Realm(&long).check().is_ok());
        let longer = "x".repeat(764);
        assert!(Nonce(&longer).check().is_err());
        assert!(Software::parse(longer.as_bytes(), &transaction).is_err());
    }

    #[test]
    fn a_text_that_is_not_utf8_is_refused() {
        let transaction = TransactionId([0; 12]);
        assert!(Username::parse(&[0xC3, 0x28], &transaction).is_err());
    }
}
