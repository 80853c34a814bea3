//! Generic NACK (RFC 4585 §6.2.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=1  |    PT=205     |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            PID                |             BLP               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, SsrcList, TRANSPORT_FEEDBACK};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const FORMAT: u8 = 1;

/// Packets that a receiver misses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nack {
    /// Who misses them.
    pub sender_ssrc: u32,
    /// The stream they are of.
    pub media_ssrc: u32,
    /// Which ones.
    pub pairs: SmallVec<[NackPair; 8]>,
}

/// A missing packet, and which of the 16 behind it are missing too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NackPair {
    /// The sequence number of a missing packet, PID.
    pub packet_id: u16,
    /// Bit `i`, counted from the least significant, is set when packet `packet_id + i + 1` is
    /// missing too, BLP.
    pub following: u16,
}

impl NackPair {
    /// The sequence numbers it names.
    pub fn sequence_numbers(self) -> impl Iterator<Item = u16> {
        let following = (0..16)
            .filter(move |bit| self.following & 1 << bit != 0)
            .map(move |bit| self.packet_id.wrapping_add(bit + 1));
        std::iter::once(self.packet_id).chain(following)
    }
}

impl Nack {
    /// Asks for packets of a stream. The sequence numbers take the least room in ascending order,
    /// wraps included.
    pub fn new(
        sender_ssrc: u32,
        media_ssrc: u32,
        sequence_numbers: impl IntoIterator<Item = u16>,
    ) -> Self {
        let mut nack = Self {
            sender_ssrc,
            media_ssrc,
            pairs: SmallVec::new(),
        };
        for sequence_number in sequence_numbers {
            nack.push(sequence_number);
        }
        nack
    }

    /// Asks for one more packet.
    pub fn push(&mut self, sequence_number: u16) {
        if let Some(last) = self.pairs.last_mut() {
            match sequence_number.wrapping_sub(last.packet_id) {
                0 => return,
                ahead @ 1..=16 => {
                    last.following |= 1 << (ahead - 1);
                    return;
                }
                _ => {}
            }
        }
        self.pairs.push(NackPair {
            packet_id: sequence_number,
            following: 0,
        });
    }

    /// The sequence numbers of the missing packets: 17 for each pair at most.
    pub fn sequence_numbers(&self) -> impl Iterator<Item = u16> {
        self.pairs.iter().flat_map(|pair| pair.sequence_numbers())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut nack = Self {
            sender_ssrc: reader.u32()?,
            media_ssrc: reader.u32()?,
            pairs: SmallVec::new(),
        };
        while !reader.is_empty() {
            nack.pairs.push(NackPair {
                packet_id: reader.u16()?,
                following: reader.u16()?,
            });
        }
        Ok(nack)
    }
}

impl Body for Nack {
    fn packet_type(&self) -> u8 {
        TRANSPORT_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        8 + 4 * self.pairs.len()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.sender_ssrc);
        out.put_u32(self.media_ssrc);
        for pair in &self.pairs {
            out.put_u16(pair.packet_id);
            out.put_u16(pair.following);
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

    /// Sent by Firefox that misses two packets of video.
    const FIREFOX: &str = "81cd0003d305260e5f6026db657d0001";

    // rtcp-017
    #[test]
    fn a_captured_nack_comes_back() {
        let nack = Nack::new(0xd305_260e, 0x5f60_26db, [0x657d, 0x657e]);
        assert_eq!(nack.pairs.len(), 1);
        same_bytes(FIREFOX, &nack.into());
    }

    #[test]
    fn sequence_numbers_are_packed_across_the_wrap() {
        let missing = [65_530, 65_535, 0, 10, 11, 27, 28, 500];
        let nack = Nack::new(1, 2, missing);
        let ids: Vec<u16> = nack.pairs.iter().map(|pair| pair.packet_id).collect();
        assert_eq!(ids, [65_530, 11, 28, 500]);
        assert!(nack.sequence_numbers().eq(missing));
    }

    #[test]
    fn a_number_asked_twice_takes_no_room() {
        let nack = Nack::new(1, 2, [5, 5, 6, 6]);
        assert!(nack.sequence_numbers().eq([5, 6]));
    }
}
