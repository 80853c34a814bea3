//! USERHASH (RFC 8489 §14.4): the SHA-256 of the user name and the realm, in place of the name.

use crate::{Attribute, AttributeType, DecodeError, TransactionId};

/// `SHA-256(username ":" realm)`; see [`Userhash::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Userhash(pub [u8; 32]);

impl Userhash {
    /// The hash of a name in a realm, both prepared (RFC 8265).
    #[must_use]
    pub fn new(provider: &crypto::Provider, username: &str, realm: &str) -> Self {
        let mut context = provider.sha256.start();
        for part in [username, ":", realm] {
            context.update(part.as_bytes());
        }
        let mut hash = [0; 32];
        context.finish_copy(&mut hash);
        Self(hash)
    }
}

impl Attribute<'_> for Userhash {
    const TYPE: AttributeType = AttributeType::USERHASH;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        super::exactly(value, Self::TYPE).map(Self)
    }

    fn value_len(&self) -> usize {
        32
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        out.copy_from_slice(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The user hash in the sample request of RFC 8489 Appendix B.1.
    // stun-039, stun-047
    #[test]
    fn the_hash_is_that_of_the_sample() {
        let hash = Userhash::new(&crypto::Provider::default(), "マトリックス", "example.org");
        let sample = b"\x4a\x3c\xf3\x8f\xef\x69\x92\xbd\xa9\x52\xc6\x78\x04\x17\xda\x0f\
            \x24\x81\x94\x15\x56\x9e\x60\xb2\x05\xc4\x6e\x41\x40\x7f\x17\x04";
        assert_eq!(&hash.0, sample);
    }
}
