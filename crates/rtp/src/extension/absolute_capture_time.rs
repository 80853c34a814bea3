//! The absolute capture time of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/abs-capture-time>).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=15|     absolute capture timestamp (bit 0-23)     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             absolute capture timestamp (bit 24-55)            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ... (56-63)  |   estimated capture clock offset (bit 0-23)   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           estimated capture clock offset (bit 24-55)          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ... (56-63)  |
//! +-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::rtcp::NtpTimestamp;
use crate::{DecodeError, EncodeError};

/// When the first frame of a packet was captured, by the clock of who captured it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsoluteCaptureTime {
    /// The time.
    pub timestamp: NtpTimestamp,
    /// How much the capturer's clock is before the sender's, as the sender estimates it, in units
    /// of 2⁻³² s: what a mixer adds when it passes the time on.
    pub clock_offset: Option<i64>,
}

impl Extension<'_> for AbsoluteCaptureTime {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        let timestamp = NtpTimestamp(reader.u64()?);
        let clock_offset = if reader.is_empty() {
            None
        } else {
            Some(reader.u64()?.cast_signed())
        };
        Ok(Self {
            timestamp,
            clock_offset,
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        let mut value = Value::from_slice(&self.timestamp.0.to_be_bytes());
        if let Some(offset) = self.clock_offset {
            value.extend_from_slice(&offset.to_be_bytes());
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    #[test]
    fn both_forms_come_back() {
        let mut time = AbsoluteCaptureTime {
            timestamp: NtpTimestamp(0x0102_0304_0506_0708),
            clock_offset: None,
        };
        same_bytes(&[1, 2, 3, 4, 5, 6, 7, 8], &time);
        shorter_is_refused::<AbsoluteCaptureTime>(&[1, 2, 3, 4, 5, 6, 7, 8]);
        time.clock_offset = Some(-2);
        let long = [
            1, 2, 3, 4, 5, 6, 7, 8, 255, 255, 255, 255, 255, 255, 255, 254,
        ];
        same_bytes(&long, &time);
        assert!(AbsoluteCaptureTime::parse(&long[..12]).is_err());
    }
}
