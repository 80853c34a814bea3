use super::Resolution;
use crate::DecodeError;

/// What the first bits of a VP9 frame say (VP9 bitstream specification §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Whether nothing before it is needed.
    pub(super) keyframe: bool,
    /// Its size; of key frames only.
    pub(super) resolution: Option<Resolution>,
}

impl FrameHeader {
    /// Reads the uncompressed header.
    pub(super) fn parse(frame: &[u8]) -> Result<Self, DecodeError> {
        const SYNC_CODE: u32 = 0x49_8342;
        let mut bits = Bits {
            bytes: frame,
            at: 0,
        };
        if bits.take(2)? != 0b10 {
            return Err(DecodeError::Value);
        }
        let profile = bits.take(1)? | bits.take(1)? << 1;
        if profile == 3 {
            bits.take(1)?;
        }
        let shows_existing = bits.take(1)? == 1;
        if shows_existing || bits.take(1)? == 1 {
            return Ok(Self {
                keyframe: false,
                resolution: None,
            });
        }
        // show_frame and error_resilient_mode.
        bits.take(2)?;
        if bits.take(24)? != SYNC_CODE {
            return Err(DecodeError::Value);
        }
        skip_color_config(&mut bits, profile)?;
        // Stored as one less; a side of 65 536 pixels does not fit the payload's field.
        let width = u16::try_from(bits.take(16)? + 1);
        let height = u16::try_from(bits.take(16)? + 1);
        Ok(Self {
            keyframe: true,
            resolution: match (width, height) {
                (Ok(width), Ok(height)) => Some(Resolution { width, height }),
                _ => None,
            },
        })
    }
}

/// color_config (§6.2.2).
fn skip_color_config(bits: &mut Bits<'_>, profile: u32) -> Result<(), DecodeError> {
    const RGB: u32 = 7;
    if profile >= 2 {
        bits.take(1)?;
    }
    let subsampling_told = profile % 2 == 1;
    match (bits.take(3)?, subsampling_told) {
        (RGB, false) => {}
        (RGB, true) | (_, false) => {
            bits.take(1)?;
        }
        (_, true) => {
            bits.take(4)?;
        }
    }
    Ok(())
}

/// Reads bits, the most significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: usize) -> Result<u32, DecodeError> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(DecodeError::Truncated)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }
}
