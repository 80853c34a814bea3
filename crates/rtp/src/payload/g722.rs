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

#[cfg(test)]
mod tests {
    use super::{CLOCK_RATE, FORMAT};
    use crate::payload::sample_builder::{Config, SampleBuilder};
    use crate::payload::{Packetizer as _, Verbatim, g711};
    use crate::{Header, Packet};
    use bytes::Bytes;
    use std::time::Duration;

    /// The length of frames of 160 bytes, each a step of 160 on the clock.
    fn length(mut format: Verbatim, clock_rate: u32) -> Duration {
        let mut builder = SampleBuilder::new(Box::new(format), Config::new(clock_rate));
        for number in 0..3_u16 {
            let header = Header {
                sequence_number: number,
                timestamp: 160 * u32::from(number),
                ..Header::default()
            };
            let frame = Bytes::from(vec![0x55; 160]);
            format
                .packetize(&frame, 160, &mut |payload, marker| {
                    assert!(!marker, "there was no silence");
                    builder.push(Packet::new(header.clone(), payload));
                })
                .unwrap();
        }
        builder.flush();
        let samples = std::iter::from_fn(|| builder.pop());
        samples.last().unwrap().duration
    }

    // media-035: 64 kbit/s are 8000 bytes in a second, and so many units of the clock in both
    // formats, though a byte of G.722 is two samples (RFC 3551 §4.5.2). The static payload types
    // are in the table of the sdp crate.
    #[test]
    fn twenty_milliseconds_are_160_bytes_and_units() {
        assert_eq!((CLOCK_RATE, g711::CLOCK_RATE), (8000, 8000));
        let twenty = Duration::from_millis(20);
        assert_eq!(length(FORMAT, CLOCK_RATE), twenty);
        assert_eq!(length(g711::FORMAT, g711::CLOCK_RATE), twenty);
    }
}
