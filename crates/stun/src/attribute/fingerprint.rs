//! FINGERPRINT (RFC 8489 §14.7): the CRC-32 of the message up to the attribute, masked, as the
//! last attribute. The header's length already counts it.

use super::RawAttribute;
use crate::HEADER_LEN;

/// "STUN", so that the CRC-32 of another protocol in the same packet does not match.
const MASK: u32 = 0x5354_554E;

/// The value for a message whose header length already ends after the attribute.
pub(crate) fn value(message: &[u8]) -> u32 {
    crc32fast::hash(message) ^ MASK
}

/// stun-030. The attribute must be the last one, so its length is already in the header.
pub(crate) fn verify(message: &[u8], raw: &RawAttribute<'_>) -> bool {
    let start = HEADER_LEN + raw.offset;
    start + 8 == message.len() && raw.value == value(&message[..start]).to_be_bytes()
}
