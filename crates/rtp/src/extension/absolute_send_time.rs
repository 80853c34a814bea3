//! The absolute send time of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/abs-send-time>).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=2 |  seconds  |            fraction               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::rtcp::NtpTimestamp;
use crate::{DecodeError, EncodeError};
use std::time::Duration;

/// When a packet left the sender: 6 bits of seconds and 18 bits of fraction, wrapping every 64 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsoluteSendTime(pub u32);

impl AbsoluteSendTime {
    /// The time on any clock of the sender's that does not jump.
    #[must_use]
    pub fn from_duration(since: Duration) -> Self {
        Self::from_ntp(NtpTimestamp::default() + since)
    }

    /// The time of a wall clock.
    #[must_use]
    pub fn from_ntp(time: NtpTimestamp) -> Self {
        let [_, _, _, a, b, c, d, _] = time.0.to_be_bytes();
        // 8 bits of seconds and 24 of fraction: two and six too many.
        Self(u32::from_be_bytes([a, b, c, d]) >> 6 & 0xFF_FFFF)
    }

    /// How long after `earlier` this is, if it is less than 32 s; a negative time otherwise, in
    /// units of 2⁻¹⁸ s.
    #[must_use]
    pub fn since(self, earlier: Self) -> i32 {
        (self.0.wrapping_sub(earlier.0) << 8).cast_signed() >> 8
    }
}

impl Extension<'_> for AbsoluteSendTime {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(value).u24().map(Self)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        match self.0.to_be_bytes() {
            [0, time @ ..] => Ok(time.as_slice().into()),
            _ => Err(EncodeError::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    #[test]
    fn a_captured_time_comes_back() {
        // From Chromium's video.
        same_bytes(&[0xCB, 0x24, 0x13], &AbsoluteSendTime(0xCB_2413));
        shorter_is_refused::<AbsoluteSendTime>(&[0xCB, 0x24, 0x13]);
        assert!(AbsoluteSendTime(1 << 24).write().is_err());
    }

    #[test]
    fn time_wraps_every_64_seconds() {
        let before = AbsoluteSendTime::from_duration(Duration::from_millis(63_500));
        let after = AbsoluteSendTime::from_duration(Duration::from_millis(64_250));
        assert_eq!(before.0, 63 << 18 | 1 << 17);
        assert_eq!(after.0, 1 << 16);
        assert_eq!(after.since(before), 3 << 16);
        assert_eq!(before.since(after), -(3 << 16));
    }
}
