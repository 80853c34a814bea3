use crate::Error;

/// The identification header (RFC 7845 §5.1); also the `CodecPrivate` of Opus in WebM.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      'O'      |      'p'      |      'u'      |      's'      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      'H'      |      'e'      |      'a'      |      'd'      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 1  | Channel Count |           Pre-skip            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                     Input Sample Rate (Hz)                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Output Gain (Q7.8 in dB)    | Mapping Family|               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               :
/// |                                                               |
/// :               Optional Channel Mapping Table...               :
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusHead {
    /// Channels that come out of the decoder.
    pub channels: u8,
    /// Samples at 48 kHz to be thrown away at the start.
    pub pre_skip: u16,
    /// The rate of what was encoded, in Hz; 0 if it is not known. It does not change how the stream is
    /// decoded.
    pub input_sample_rate: u32,
    /// What to amplify by, in 1/256 dB.
    pub output_gain: i16,
    /// How channels are laid out: 0 is mono or stereo, which is what RTP carries.
    pub mapping_family: u8,
    /// The stream count, the coupled count and the mapping of each channel; empty in family 0.
    pub mapping: Vec<u8>,
}

impl Default for OpusHead {
    /// Stereo at 48 kHz, as RTP always says (RFC 7587 §4.1). The pre-skip is what libopus looks
    /// ahead, 6.5 ms; the 80 ms that RFC 7845 §4.2 would have a stream skip that is cut from another
    /// would put sound and picture apart.
    fn default() -> Self {
        Self {
            channels: 2,
            pre_skip: 312,
            input_sample_rate: 48_000,
            output_gain: 0,
            mapping_family: 0,
            mapping: Vec::new(),
        }
    }
}

impl OpusHead {
    /// The first bytes.
    pub const MAGIC: &[u8; 8] = b"OpusHead";

    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::Sample`] if it contradicts itself, [`Error::Unsupported`] for
    /// a version that may differ.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (head, table) = bytes.split_first_chunk::<19>().ok_or(Error::Truncated)?;
        if !head.starts_with(Self::MAGIC) {
            return Err(Error::Sample("no OpusHead"));
        }
        // The upper half is what is incompatible (§5.1).
        if head[8] >> 4 != 0 {
            return Err(Error::Unsupported("this version of Ogg Opus"));
        }
        let (channels, family) = (head[9], head[18]);
        let mapping = match family {
            0 => &[],
            _ => table
                .get(..2 + usize::from(channels))
                .ok_or(Error::Truncated)?,
        };
        if channels == 0 || (family == 0 && channels > 2) {
            return Err(Error::Sample("a wrong count of channels"));
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([head[10], head[11]]),
            input_sample_rate: u32::from_le_bytes([head[12], head[13], head[14], head[15]]),
            output_gain: i16::from_le_bytes([head[16], head[17]]),
            mapping_family: family,
            mapping: mapping.to_vec(),
        })
    }

    /// The bytes of the header.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Self::MAGIC.to_vec();
        bytes.extend_from_slice(&[1, self.channels]);
        bytes.extend_from_slice(&self.pre_skip.to_le_bytes());
        bytes.extend_from_slice(&self.input_sample_rate.to_le_bytes());
        bytes.extend_from_slice(&self.output_gain.to_le_bytes());
        bytes.push(self.mapping_family);
        bytes.extend_from_slice(&self.mapping);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_header_is_read_and_written_again() {
        // Written by libopus through ffmpeg.
        let captured = b"OpusHead\x01\x02\x38\x01\x80\xBB\x00\x00\x00\x00\x00";
        let head = OpusHead::parse(captured).unwrap();
        assert_eq!((head.channels, head.pre_skip), (2, 312));
        assert_eq!(head.input_sample_rate, 48_000);
        assert_eq!(head.to_bytes(), captured);
    }

    #[test]
    fn surround_has_a_table() {
        let head = OpusHead {
            channels: 6,
            mapping_family: 1,
            mapping: vec![4, 2, 0, 4, 1, 2, 3, 5],
            ..OpusHead::default()
        };
        assert_eq!(OpusHead::parse(&head.to_bytes()).unwrap(), head);
        let cut = head.to_bytes();
        assert!(matches!(
            OpusHead::parse(&cut[..cut.len() - 1]),
            Err(Error::Truncated)
        ));
    }

    #[test]
    fn nonsense_is_refused() {
        for (at, value) in [(0, b'o'), (8, 0x10), (9, 0), (9, 3)] {
            let mut bytes = OpusHead::default().to_bytes();
            bytes[at] = value;
            assert!(OpusHead::parse(&bytes).is_err(), "{at}");
        }
    }
}
