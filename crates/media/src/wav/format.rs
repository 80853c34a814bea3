use crate::{Codec, Error};

/// `WAVE_FORMAT_PCM`.
const PCM: u16 = 1;
/// `WAVE_FORMAT_ALAW`.
const A_LAW: u16 = 6;
/// `WAVE_FORMAT_MULAW`.
const MU_LAW: u16 = 7;
/// The format stands at the start of the GUID of an extension of 22 bytes.
const EXTENSIBLE: u16 = 0xFFFE;

/// What the samples are.
///
/// ```text
/// bytes 0-1    format: 1 linear, 6 A-law, 7 µ-law
/// bytes 2-3    channels
/// bytes 4-7    samples in a second, of each channel
/// bytes 8-11   bytes in a second
/// bytes 12-13  bytes of one sample of all channels
/// bytes 14-15  bits of one sample
/// bytes 16-17  length of an extension
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// [`Codec::L16`], [`Codec::Pcmu`] or [`Codec::Pcma`].
    pub codec: Codec,
    /// Samples in a second, of each channel.
    pub sample_rate: u32,
    /// Channels, one sample of each after the other.
    pub channels: u8,
}

impl Format {
    /// The highest rate that is accepted, in Hz.
    pub const MAX_SAMPLE_RATE: u32 = 384_000;

    /// Reads the chunk `fmt `.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], or [`Error::Unsupported`] for all other formats and widths.
    pub fn parse(chunk: &[u8]) -> Result<Self, Error> {
        let fixed: &[u8; 16] = chunk.first_chunk().ok_or(Error::Truncated)?;
        let half = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let mut tag = half(0);
        if tag == EXTENSIBLE {
            let guid = chunk.get(24..26).ok_or(Error::Truncated)?;
            tag = u16::from_le_bytes([guid[0], guid[1]]);
        }
        let codec = match (tag, half(14)) {
            (PCM, 16) => Codec::L16,
            (A_LAW, 8) => Codec::Pcma,
            (MU_LAW, 8) => Codec::Pcmu,
            _ => return Err(Error::Unsupported("the format of the samples")),
        };
        let sample_rate = u32::from(half(4)) | u32::from(half(6)) << 16;
        let format = Self {
            codec,
            sample_rate,
            channels: u8::try_from(half(2)).unwrap_or(0),
        };
        format.check()?;
        Ok(format)
    }

    /// Whether this can be written.
    pub(super) fn check(self) -> Result<(), Error> {
        if self.channels == 0 {
            return Err(Error::Unsupported("this count of channels"));
        }
        if self.sample_rate == 0 || self.sample_rate > Self::MAX_SAMPLE_RATE {
            return Err(Error::Unsupported("this rate of samples"));
        }
        match self.codec {
            Codec::L16 | Codec::Pcma | Codec::Pcmu => Ok(()),
            other => Err(Error::Codec(other)),
        }
    }

    /// The content of the chunk `fmt `.
    pub(super) fn to_bytes(self) -> [u8; 18] {
        let (tag, bits) = match self.codec {
            Codec::Pcma => (A_LAW, 8_u16),
            Codec::Pcmu => (MU_LAW, 8),
            _ => (PCM, 16),
        };
        let block = self.block_len();
        let mut bytes = [0; 18];
        bytes[..2].copy_from_slice(&tag.to_le_bytes());
        bytes[2] = self.channels;
        bytes[4..8].copy_from_slice(&self.sample_rate.to_le_bytes());
        bytes[8..12].copy_from_slice(&(self.sample_rate * u32::from(block)).to_le_bytes());
        bytes[12..14].copy_from_slice(&block.to_le_bytes());
        bytes[14..16].copy_from_slice(&bits.to_le_bytes());
        bytes
    }

    /// Bytes of one sample of all channels.
    pub(super) fn block_len(self) -> u16 {
        let width = if self.codec == Codec::L16 { 2 } else { 1 };
        width * u16::from(self.channels)
    }

    /// Silence (G.711 tables 1a and 2a, the code of the smallest positive value).
    pub(super) fn silence(self) -> u8 {
        match self.codec {
            Codec::Pcma => 0xD5,
            Codec::Pcmu => 0xFF,
            _ => 0,
        }
    }
}

/// From the byte order of files to that of the network, or back.
pub(super) fn swap(samples: &mut [u8]) {
    for sample in samples.as_chunks_mut::<2>().0 {
        sample.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_format_is_read() {
        // Of a file that ffmpeg wrote: A-law, mono, 8000 Hz.
        let captured = [
            6, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0, 0, 0,
        ];
        let format = Format::parse(&captured).unwrap();
        let expected = Format {
            codec: Codec::Pcma,
            sample_rate: 8000,
            channels: 1,
        };
        assert_eq!(format, expected);
        assert_eq!(format.to_bytes(), captured);
    }

    #[test]
    fn an_extensible_format_says_what_it_is_later() {
        let mut bytes = vec![0xFE, 0xFF, 2, 0, 0x80, 0xBB, 0, 0, 0, 0, 0, 0, 4, 0, 16, 0];
        bytes.extend([22, 0, 16, 0, 3, 0, 0, 0, 1, 0]);
        let format = Format::parse(&bytes).unwrap();
        assert_eq!((format.codec, format.channels), (Codec::L16, 2));
        assert!(Format::parse(&bytes[..20]).is_err());
    }
}
