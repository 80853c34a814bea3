//! G.711, A-law and µ-law (RFC 3551 §4.5.14): PCMA and PCMU, one byte for each sample.
//!
//! The clock rate is 8 000 Hz, and the static payload types are 0 for PCMU and 8 for PCMA (§6).

use super::Verbatim;
use crate::DecodeError;

/// The clock rate of timestamps, in Hz.
pub const CLOCK_RATE: u32 = 8_000;

/// Both ends of the format. A longer frame than fits a packet is cut by the sender, which knows
/// the timestamps; any whole number of samples makes a frame.
pub const FORMAT: Verbatim = Verbatim::new(check);

fn check(payload: &[u8]) -> Result<(), DecodeError> {
    match payload {
        [] => Err(DecodeError::Truncated),
        _ => Ok(()),
    }
}
