//! G.722 (RFC 3551 §4.5.2): audio of 7 kHz in 64 kbit/s, one byte for each two samples.
//!
//! The static payload type is 9 (§6).

use super::Verbatim;
use crate::DecodeError;

/// The clock rate of timestamps, in Hz. The sampling rate is twice that: the rate was assigned
/// wrongly in RFC 1890, and stays so (RFC 3551 §4.5.2).
pub const CLOCK_RATE: u32 = 8_000;

/// Both ends of the format: a frame goes forward by one unit of the clock for each byte.
pub const FORMAT: Verbatim = Verbatim::new(check);

fn check(payload: &[u8]) -> Result<(), DecodeError> {
    match payload {
        [] => Err(DecodeError::Truncated),
        _ => Ok(()),
    }
}
