use crate::{CsrcList, DecodeError, EncodeError, Extensions};
use std::ops::Range;

/// The fixed part of a header, in bytes.
const FIXED_LEN: usize = 12;

/// The header of an RTP packet (RFC 3550 §5.1). Cloning it does not allocate, unless its
/// extensions are unusually long.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                           timestamp                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           synchronization source (SSRC) identifier            |
/// +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
/// |            contributing source (CSRC) identifiers             |
/// |                             ....                              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// What the payload format says it is: the end of a video frame, the start of speech.
    pub marker: bool,
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// Counts packets, wrapping.
    pub sequence_number: u16,
    /// The media clock of the first byte of the payload, in units of the format's clock rate.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// What a mixer put together.
    pub csrc: CsrcList,
    /// The header extensions, by negotiated id.
    pub extensions: Extensions,
}

impl Header {
    /// Reads the header of a packet; the range is its payload, without padding.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if a length reaches beyond the packet, or the version is not 2.
    pub fn parse(packet: &[u8]) -> Result<(Self, Range<usize>), DecodeError> {
        let fixed: &[u8; FIXED_LEN] = packet.first_chunk().ok_or(DecodeError::Truncated)?;
        if fixed[0] >> 6 != 2 {
            return Err(DecodeError::Version);
        }
        let mut header = Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7F,
            sequence_number: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: word(&fixed[4..]),
            ssrc: word(&fixed[8..]),
            ..Self::default()
        };
        let mut start = FIXED_LEN + 4 * usize::from(fixed[0] & 0x0F);
        let sources = packet.get(FIXED_LEN..start).ok_or(DecodeError::Truncated)?;
        for source in sources.chunks_exact(4) {
            header.csrc.push(word(source));
        }
        if fixed[0] & 0x10 != 0 {
            let head = packet.get(start..start + 4).ok_or(DecodeError::Truncated)?;
            let profile = u16::from_be_bytes([head[0], head[1]]);
            let len = 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
            let block = packet.get(start + 4..start + 4 + len);
            header.extensions = Extensions::parse(profile, block.ok_or(DecodeError::Truncated)?)?;
            start += 4 + len;
        }
        let mut end = packet.len();
        if fixed[0] & 0x20 != 0 {
            // The last byte counts the padding, itself included (rtp-001).
            let padding = usize::from(packet[end - 1]);
            if padding == 0 || padding > end - start {
                return Err(DecodeError::Length);
            }
            end -= padding;
        }
        Ok((header, start..end))
    }

    /// The length of the header on the wire, in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        FIXED_LEN + 4 * self.csrc.len() + self.extensions.encoded_len()
    }

    /// Writes the header, without padding, and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooSmall`] if `out` is short, [`EncodeError::Value`] if the payload type has
    /// more than 7 bits.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let len = self.encoded_len();
        let out = out.get_mut(..len).ok_or(EncodeError::TooSmall)?;
        if self.payload_type > 0x7F {
            return Err(EncodeError::Value);
        }
        let sources = u8::try_from(self.csrc.len()).map_err(|_| EncodeError::Value)?;
        out[0] = 0x80 | u8::from(!self.extensions.is_empty()) << 4 | sources;
        out[1] = u8::from(self.marker) << 7 | self.payload_type;
        out[2..4].copy_from_slice(&self.sequence_number.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..FIXED_LEN].copy_from_slice(&self.ssrc.to_be_bytes());
        let (sources, block) = out[FIXED_LEN..].split_at_mut(4 * self.csrc.len());
        for (slot, source) in sources.chunks_exact_mut(4).zip(self.csrc.iter()) {
            slot.copy_from_slice(&source.to_be_bytes());
        }
        self.extensions.write(block)?;
        Ok(len)
    }
}

fn word(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |word| u32::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sent by Chromium: a packet of padding alone, with absolute send time and mid.
    const PROBE: &str = "b061335a00000000beb01512bede0002403122cb24130000";

    // rtp-001, rtp-034
    #[test]
    fn a_captured_probe_has_no_payload() {
        let mut packet = crate::hex::decode(PROBE);
        packet.extend([0; 223]);
        packet.push(224);
        let (header, payload) = Header::parse(&packet).unwrap();
        assert!(payload.is_empty());
        assert_eq!(header.payload_type, 97);
        assert_eq!(header.sequence_number, 0x335A);
        assert_eq!(header.ssrc, 0xBEB0_1512);
        assert_eq!(header.extensions.iter().count(), 2);
        let mut out = vec![0; header.encoded_len()];
        assert_eq!(header.write(&mut out), Ok(24));
        // All but the padding bit.
        assert_eq!(out[0], 0x90);
        assert_eq!(out[1..], packet[1..24]);
    }

    #[test]
    fn a_payload_type_of_eight_bits_is_not_written() {
        let header = Header {
            payload_type: 128,
            ..Header::default()
        };
        assert_eq!(header.write(&mut [0; 12]), Err(EncodeError::Value));
        assert_eq!(
            Header::default().write(&mut [0; 11]),
            Err(EncodeError::TooSmall)
        );
    }
}
