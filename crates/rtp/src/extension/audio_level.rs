//! The audio level, client to mixer (RFC 6464 §3).
//!
//! ```text
//!  0                   1
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=0 |V| level       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::{DecodeError, EncodeError};
use smallvec::smallvec;

/// How loud the audio of a packet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the encoder believes that there is speech. It means nothing if `vad=off` was
    /// negotiated (§4).
    pub voice: bool,
    /// The level in -dBov: 0 is the loudest, 127 is silence.
    pub level: u8,
}

impl Extension<'_> for AudioLevel {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        // §3: in the two-byte form the data may be followed by a byte of padding.
        let &first = value.first().ok_or(DecodeError::Truncated)?;
        Ok(Self {
            voice: first & 0x80 != 0,
            level: first & 0x7F,
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        if self.level > 127 {
            return Err(EncodeError::Value);
        }
        Ok(smallvec![u8::from(self.voice) << 7 | self.level])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    // rtp-022
    #[test]
    fn a_captured_level_comes_back() {
        // From Chromium.
        let quiet = AudioLevel {
            voice: true,
            level: 127,
        };
        same_bytes(&[0xFF], &quiet);
        let silence = AudioLevel {
            voice: false,
            level: 127,
        };
        same_bytes(&[0x7F], &silence);
        shorter_is_refused::<AudioLevel>(&[0x7F]);
        let too_silent = AudioLevel {
            voice: false,
            level: 128,
        };
        assert!(too_silent.write().is_err());
    }
}
