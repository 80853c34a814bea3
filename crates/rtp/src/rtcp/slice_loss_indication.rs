//! SLI, the slice loss indication (RFC 4585 §6.3.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=2  |    PT=206     |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            First        |        Number           | PictureID |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, PAYLOAD_FEEDBACK, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const FORMAT: u8 = 2;

/// Parts of pictures that a receiver has lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SliceLossIndication {
    /// Who lost them.
    pub sender_ssrc: u32,
    /// The stream they are of.
    pub media_ssrc: u32,
    /// Which ones.
    pub slices: SmallVec<[Slice; 4]>,
}

/// Macroblocks lost in scan order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The first of them, counted from 1; 13 bits.
    pub first: u16,
    /// How many; 13 bits.
    pub number: u16,
    /// The low 6 bits of the picture's id.
    pub picture_id: u8,
}

impl Slice {
    fn parse(word: u32) -> Self {
        let [.., low] = word.to_be_bytes();
        Self {
            first: thirteen_bits(word >> 19),
            number: thirteen_bits(word >> 6),
            picture_id: low & 0x3F,
        }
    }

    fn to_word(self) -> Result<u32, EncodeError> {
        if self.first > 0x1FFF || self.number > 0x1FFF || self.picture_id > 0x3F {
            return Err(EncodeError::Value);
        }
        let (first, number) = (u32::from(self.first), u32::from(self.number));
        Ok(first << 19 | number << 6 | u32::from(self.picture_id))
    }
}

fn thirteen_bits(word: u32) -> u16 {
    let [.., high, low] = word.to_be_bytes();
    u16::from_be_bytes([high & 0x1F, low])
}

impl SliceLossIndication {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut indication = Self {
            sender_ssrc: reader.u32()?,
            media_ssrc: reader.u32()?,
            slices: SmallVec::new(),
        };
        while !reader.is_empty() {
            indication.slices.push(Slice::parse(reader.u32()?));
        }
        Ok(indication)
    }
}

impl Body for SliceLossIndication {
    fn packet_type(&self) -> u8 {
        PAYLOAD_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        8 + 4 * self.slices.len()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.sender_ssrc);
        out.put_u32(self.media_ssrc);
        for slice in &self.slices {
            out.put_u32(slice.to_word()?);
        }
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
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    // rtcp-023
    #[test]
    fn the_three_fields_keep_apart() {
        let slice = Slice {
            first: 1,
            number: 0x1FFF,
            picture_id: 2,
        };
        let indication = SliceLossIndication {
            sender_ssrc: 1,
            media_ssrc: 2,
            slices: smallvec![slice],
        };
        same_bytes("82ce0003 00000001 00000002 000fffc2", &indication.into());
    }

    #[test]
    fn a_field_that_is_too_large_is_not_written() {
        let slice = Slice {
            first: 0x2000,
            ..Slice::default()
        };
        assert_eq!(slice.to_word(), Err(EncodeError::Value));
    }
}
