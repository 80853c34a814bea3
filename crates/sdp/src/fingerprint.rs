use crate::error::AttributeError;
use crate::line::{fields, is_token};
use std::fmt;

/// The longest hash that is read, in bytes; SHA-512 has 64.
const MAX_HASH_LEN: usize = 128;

/// An `a=fingerprint` value (RFC 8122 §5): the hash of the certificate the peer will present.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The hash function, lower case: `sha-256`.
    pub algorithm: String,
    /// The hash.
    pub bytes: Vec<u8>,
}

impl Fingerprint {
    pub(crate) fn parse(value: &str) -> Result<Self, AttributeError> {
        let malformed = AttributeError::malformed("fingerprint");
        let mut fields = fields(value);
        let (Some(algorithm), Some(hash), None) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(malformed);
        };
        let bytes: Option<Vec<u8>> = hash.split(':').map(hex_pair).collect();
        match bytes {
            Some(bytes) if is_token(algorithm) && bytes.len() <= MAX_HASH_LEN => Ok(Self {
                algorithm: algorithm.to_ascii_lowercase(),
                bytes,
            }),
            _ => Err(malformed),
        }
    }

    /// The hash as it is written: upper-case hex pairs, separated by colons.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let pairs: Vec<String> = self.bytes.iter().map(|b| format!("{b:02X}")).collect();
        pairs.join(":")
    }
}

/// RFC 8122 §5 wants upper case; lower case is read too.
fn hex_pair(pair: &str) -> Option<u8> {
    match pair.as_bytes() {
        [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
            u8::from_str_radix(pair, 16).ok()
        }
        _ => None,
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.to_hex())
    }
}
