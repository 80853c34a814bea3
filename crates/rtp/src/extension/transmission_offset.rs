//! The transmission time offset (RFC 5450 §3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=2 |              transmission offset              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};

/// How long after the instant of its RTP timestamp a packet was sent, in units of the stream's
/// clock; 24 bits, signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransmissionOffset(pub i32);

impl Extension<'_> for TransmissionOffset {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:toffset";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(value).i24().map(Self)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        if self.0 << 8 >> 8 != self.0 {
            return Err(EncodeError::Value);
        }
        Ok(Value::from_slice(&self.0.to_be_bytes()[1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    #[test]
    fn offsets_of_24_bits_come_back() {
        same_bytes(&[0, 1, 0], &TransmissionOffset(256));
        same_bytes(&[0xFF, 0xFF, 0xFE], &TransmissionOffset(-2));
        shorter_is_refused::<TransmissionOffset>(&[0, 1, 0]);
        assert!(TransmissionOffset(1 << 23).write().is_err());
    }
}
