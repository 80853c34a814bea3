//! Telephone events, of which DTMF digits are the ones in use (RFC 4733).
//!
//! Events are part of the audio stream: same SSRC, sequence numbers and timestamps, and the clock
//! rate of its codec (§2.2). [`Tone`] says which packets make an event.

mod event_set;
#[cfg(test)]
mod tests;
mod tone;

pub use self::event_set::EventSet;
pub use self::tone::{Report, Tone};

use super::Verbatim;
use crate::DecodeError;
use std::time::Duration;

/// The shortest tone (RFC 7874 §3).
pub const MIN_DURATION: Duration = Duration::from_millis(40);

/// The longest tone (RFC 7874 §3).
pub const MAX_DURATION: Duration = Duration::from_millis(8_000);

/// The shortest pause between tones (RFC 7874 §3).
pub const MIN_GAP: Duration = Duration::from_millis(30);

/// Both ends of the format: a frame is one [`Event`] as it is written, or several that follow each
/// other (RFC 4733 §2.5.1.5). The marker bit is that of the [`Report`].
pub const FORMAT: Verbatim = Verbatim::new(check);

fn check(payload: &[u8]) -> Result<(), DecodeError> {
    match payload.len() {
        0 => Err(DecodeError::Truncated),
        len if len % Event::LEN == 0 => Ok(()),
        _ => Err(DecodeError::Length),
    }
}

/// The payload (RFC 4733 §2.3).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |     event     |E|R| volume    |          duration             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The code; 0 to 15 are the digits, see [`digit`].
    pub code: u8,
    /// E: the event has ended.
    pub end: bool,
    /// The power of the tone in -dBm0, 0 to 63: larger is fainter.
    pub volume: u8,
    /// How long it has lasted since the timestamp, in units of the clock rate. 0 is for states
    /// only, which have no end.
    pub duration: u16,
}

impl Event {
    /// Bytes on the wire.
    pub const LEN: usize = 4;

    /// Reads an event, and gives what follows it: another that follows it, or nothing.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if it is short.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (&[code, flags, d0, d1], rest) =
            payload.split_first_chunk().ok_or(DecodeError::Truncated)?;
        let event = Self {
            code,
            end: flags & 0x80 != 0,
            volume: flags & 0x3F,
            duration: u16::from_be_bytes([d0, d1]),
        };
        Ok((event, rest))
    }

    /// The four bytes; a volume above 63 is sent as 63.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let [d0, d1] = self.duration.to_be_bytes();
        let flags = u8::from(self.end) << 7 | self.volume.min(63);
        [self.code, flags, d0, d1]
    }
}

/// The characters of the DTMF digits, by code (RFC 4733 §3.2).
const DIGITS: &[u8; 16] = b"0123456789*#ABCD";

/// The code of a DTMF digit: `0` to `9`, `*`, `#`, `A` to `D`, of either case.
#[must_use]
pub fn code(digit: char) -> Option<u8> {
    let digit = u8::try_from(digit).ok()?.to_ascii_uppercase();
    let position = DIGITS.iter().position(|&own| own == digit)?;
    u8::try_from(position).ok()
}

/// The DTMF digit of a code.
#[must_use]
pub fn digit(code: u8) -> Option<char> {
    DIGITS.get(usize::from(code)).copied().map(char::from)
}
