//! The NTP timestamp of a packet, in its 64-bit form (RFC 6051 §3.3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | L=7   |     NTP timestamp format - seconds (bit 0-23) |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |NTP Sec.(24-31)|   NTP timestamp format - fraction(bit 0-23)   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |NTP Frc.(24-31)|
//! +-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::rtcp::NtpTimestamp;
use crate::{DecodeError, EncodeError};

/// The wall clock at the instant of a packet's RTP timestamp: what a sender report says, so that a
/// receiver need not wait for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NtpTime(pub NtpTimestamp);

impl Extension<'_> for NtpTime {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:ntp-64";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(value)
            .u64()
            .map(|time| Self(NtpTimestamp(time)))
    }

    fn write(&self) -> Result<Value, EncodeError> {
        Ok(Value::from_slice(&self.0.0.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    // rtp-038
    #[test]
    fn a_time_comes_back() {
        let value = [1, 2, 3, 4, 5, 6, 7, 8];
        same_bytes(&value, &NtpTime(NtpTimestamp(0x0102_0304_0506_0708)));
        shorter_is_refused::<NtpTime>(&value);
    }
}
