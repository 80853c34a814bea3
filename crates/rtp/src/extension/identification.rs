//! SDES items in header extensions (RFC 7941): which media section a packet is of (MID, RFC 9143
//! §15), and which simulcast stream (RID, RFC 8852 §4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len-1 |  SDES item text value ...                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::{DecodeError, EncodeError};

/// The identification tag of the media section (RFC 9143 §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mid<'a>(pub &'a str);

/// The id of a simulcast stream (RFC 8852 §3.1): letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpStreamId<'a>(pub &'a str);

/// The id of the simulcast stream that this redundancy stream repairs (RFC 8852 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepairedRtpStreamId<'a>(pub &'a str);

impl<'a> Extension<'a> for Mid<'a> {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:sdes:mid";

    fn parse(value: &'a [u8]) -> Result<Self, DecodeError> {
        text(value).map(Self)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        value(self.0)
    }
}

impl<'a> Extension<'a> for RtpStreamId<'a> {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

    fn parse(value: &'a [u8]) -> Result<Self, DecodeError> {
        stream_id(value).map(Self)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        stream_id_value(self.0)
    }
}

impl<'a> Extension<'a> for RepairedRtpStreamId<'a> {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";

    fn parse(value: &'a [u8]) -> Result<Self, DecodeError> {
        stream_id(value).map(Self)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        stream_id_value(self.0)
    }
}

/// RFC 7941 §4.1: the text is UTF-8, 1 to 255 bytes. Zeros at its end are taken off: some senders
/// fill an element of fixed length with them.
fn text(value: &[u8]) -> Result<&str, DecodeError> {
    let len = value
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    match std::str::from_utf8(&value[..len]) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(DecodeError::Value),
    }
}

fn value(text: &str) -> Result<Value, EncodeError> {
    match text.len() {
        1..=255 => Ok(text.as_bytes().into()),
        _ => Err(EncodeError::Value),
    }
}

/// RFC 8852 §3 allows only letters and digits, but ids with `-` and `_` are in use (they are legal
/// in RFC 8851 §10), so all that SDP can carry are read.
fn stream_id(value: &[u8]) -> Result<&str, DecodeError> {
    let id = text(value)?;
    if id.bytes().all(is_stream_id) {
        Ok(id)
    } else {
        Err(DecodeError::Value)
    }
}

fn stream_id_value(id: &str) -> Result<Value, EncodeError> {
    if id.bytes().all(is_stream_id) {
        value(id)
    } else {
        Err(EncodeError::Value)
    }
}

fn is_stream_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::super::same_bytes;
    use super::*;

    // rtp-020, rtp-021
    #[test]
    fn texts_come_back() {
        same_bytes(b"0", &Mid("0"));
        same_bytes(b"hi", &RtpStreamId("hi"));
        same_bytes(b"hi", &RepairedRtpStreamId("hi"));
    }

    #[test]
    fn empty_and_broken_texts_are_refused() {
        assert!(Mid::parse(b"").is_err());
        assert!(Mid::parse(&[0, 0]).is_err());
        assert!(Mid::parse(&[0xFF]).is_err());
        assert!(RtpStreamId::parse(b"a b").is_err());
        assert!(Mid("").write().is_err());
        assert!(RtpStreamId("~").write().is_err());
        assert!(Mid(&"x".repeat(256)).write().is_err());
    }

    #[test]
    fn zeros_at_the_end_are_taken_off() {
        assert_eq!(Mid::parse(b"0\0\0"), Ok(Mid("0")));
    }
}
