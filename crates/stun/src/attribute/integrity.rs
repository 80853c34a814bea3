//! MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6): an HMAC over the message
//! up to the attribute, with the header's length set to end after the attribute.

use super::RawAttribute;
use crate::HEADER_LEN;
use crypto::HmacKey;
use std::ops::RangeInclusive;

/// Writes the tag of `message`, whose header length already ends after the attribute.
pub(crate) fn sign(message: &[u8], key: &dyn HmacKey, out: &mut [u8]) {
    let mut tag = [0; 64];
    key.sign(&[message], &mut tag);
    out.copy_from_slice(&tag[..out.len()]);
}

/// stun-027, stun-028, stun-040. `lengths` are those a tag may have, in steps of four.
pub(crate) fn verify(
    message: &[u8],
    raw: &RawAttribute<'_>,
    key: &dyn HmacKey,
    lengths: RangeInclusive<usize>,
) -> bool {
    let tag = raw.value;
    if !lengths.contains(&tag.len()) || !tag.len().is_multiple_of(4) {
        return false;
    }
    let Ok(length) = u16::try_from(raw.offset + 4 + tag.len()) else {
        return false;
    };
    let start = HEADER_LEN + raw.offset;
    let parts = [&message[..2], &length.to_be_bytes(), &message[4..start]];
    key.verify(&parts, tag)
}
