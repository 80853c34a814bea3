//! RPSI, the reference picture selection indication (RFC 4585 §6.3.3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=3  |    PT=206     |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      PB       |0| Payload Type|    Native RPSI bit string     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   defined per codec          ...                | Padding (0) |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, PAYLOAD_FEEDBACK, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const FORMAT: u8 = 3;

/// The picture that a receiver wants others to refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferencePictureSelection {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The stream.
    pub media_ssrc: u32,
    /// The payload type that says how to read the bits; 7 bits.
    pub payload_type: u8,
    /// What the codec says, in whole bytes; the bits of the last one that are not used are zero.
    pub bits: SmallVec<[u8; 16]>,
    /// How many bits of the last byte are not used, 0 to 7.
    pub unused_bits: u8,
}

impl ReferencePictureSelection {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let (sender_ssrc, media_ssrc) = (reader.u32()?, reader.u32()?);
        let padding = reader.u8()?;
        let payload_type = reader.u8()? & 0x7F;
        let string = reader.rest();
        let len = string.len().checked_sub(usize::from(padding / 8));
        let mut bits: SmallVec<_> = string[..len.ok_or(DecodeError::Length)?].into();
        let unused_bits = padding % 8;
        match bits.last_mut() {
            Some(last) => *last &= 0xFF << unused_bits,
            None if unused_bits > 0 => return Err(DecodeError::Length),
            None => {}
        }
        Ok(Self {
            sender_ssrc,
            media_ssrc,
            payload_type,
            bits,
            unused_bits,
        })
    }

    fn padding_bytes(&self) -> usize {
        (2 + self.bits.len()).next_multiple_of(4) - 2 - self.bits.len()
    }
}

impl Body for ReferencePictureSelection {
    fn packet_type(&self) -> u8 {
        PAYLOAD_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        10 + self.bits.len() + self.padding_bytes()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        let no_byte = self.bits.is_empty() && self.unused_bits > 0;
        if self.payload_type > 0x7F || self.unused_bits > 7 || no_byte {
            return Err(EncodeError::Value);
        }
        let padding = u8::try_from(8 * self.padding_bytes()).map_err(|_| EncodeError::Value)?;
        out.put_u32(self.sender_ssrc);
        out.put_u32(self.media_ssrc);
        out.put_u8(padding + self.unused_bits);
        out.put_u8(self.payload_type);
        out.put_slice(&self.bits);
        out.fill(0);
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.sender_ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.push(self.media_ssrc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    // rtcp-023
    #[test]
    fn bits_and_padding_come_back() {
        let indication = ReferencePictureSelection {
            sender_ssrc: 1,
            media_ssrc: 2,
            payload_type: 96,
            bits: smallvec![0xAB, 0xCD, 0xE0],
            unused_bits: 5,
        };
        let bytes = "83ce0004 00000001 00000002 1d60abcd e0000000";
        same_bytes(bytes, &indication.into());
    }

    #[test]
    fn padding_longer_than_the_string_is_refused() {
        for padding in [17, 24, 255] {
            let packet = [0x83, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, padding, 96, 0, 0];
            assert_eq!(Packet::parse(&packet), Err(DecodeError::Length));
        }
    }
}
