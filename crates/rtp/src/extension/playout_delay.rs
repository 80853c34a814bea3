//! The playout delay of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/playout-delay>).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=2 |       MIN delay       |       MAX delay       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use std::time::Duration;

/// One unit of the delays, in milliseconds.
const UNIT_MILLIS: u32 = 10;

/// How long a receiver should hold a frame between its capture and its showing, from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// At least this long, in steps of 10 ms up to 40.95 s.
    pub min: Duration,
    /// At most this long; not less than `min`.
    pub max: Duration,
}

impl Extension<'_> for PlayoutDelay {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let bits = Reader::new(value).u24()?;
        let delay = |units: u32| Duration::from_millis((units * UNIT_MILLIS).into());
        let (min, max) = (delay(bits >> 12), delay(bits & 0xFFF));
        if min > max {
            return Err(DecodeError::Value);
        }
        Ok(Self { min, max })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        if self.min > self.max {
            return Err(EncodeError::Value);
        }
        let bits = units(self.min)? << 12 | units(self.max)?;
        Ok(Value::from_slice(&bits.to_be_bytes()[1..]))
    }
}

/// The delay in units, rounded down.
fn units(delay: Duration) -> Result<u32, EncodeError> {
    match u32::try_from(delay.as_millis() / u128::from(UNIT_MILLIS)) {
        Ok(units @ 0..=0xFFF) => Ok(units),
        _ => Err(EncodeError::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    #[test]
    fn delays_come_back() {
        let delay = PlayoutDelay {
            min: Duration::from_millis(160),
            max: Duration::from_millis(40_950),
        };
        same_bytes(&[0x01, 0x0F, 0xFF], &delay);
        shorter_is_refused::<PlayoutDelay>(&[0x01, 0x0F, 0xFF]);
    }

    #[test]
    fn a_minimum_above_the_maximum_is_refused() {
        assert!(PlayoutDelay::parse(&[0x00, 0x20, 0x01]).is_err());
        let delay = PlayoutDelay {
            min: Duration::from_millis(10),
            max: Duration::ZERO,
        };
        assert!(delay.write().is_err());
        let long = PlayoutDelay {
            min: Duration::ZERO,
            max: Duration::from_secs(41),
        };
        assert!(long.write().is_err());
    }
}
