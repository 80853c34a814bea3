use std::fmt;
use subtle::ConstantTimeEq;

/// A keyed hash (RFC 2104).
pub trait Hmac: Send + Sync + fmt::Debug {
    /// The length of a tag, in bytes; at most 64.
    fn tag_len(&self) -> usize;

    /// Prepares a key of any length. Keep the result: the key schedule is its cost.
    fn key(&self, key: &[u8]) -> Box<dyn HmacKey>;
}

/// A prepared key.
pub trait HmacKey: Send + Sync + fmt::Debug {
    /// The length of a tag, in bytes.
    fn tag_len(&self) -> usize;

    /// Writes the tag of the concatenation of `parts` into the first [`tag_len`](HmacKey::tag_len) bytes of `out`.
    ///
    /// # Panics
    ///
    /// If `out` is shorter than a tag.
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]);

    /// Whether `tag` (possibly truncated, never empty) is the tag of `parts`; in constant time.
    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let mut expected = [0; 64];
        self.sign(parts, &mut expected);
        let len = self.tag_len();
        !tag.is_empty() && tag.len() <= len && expected[..tag.len()].ct_eq(tag).into()
    }
}
