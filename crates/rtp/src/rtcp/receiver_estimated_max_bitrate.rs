//! REMB, the receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb §2.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| FMT=15  |    PT=206     |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source = 0                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Unique identifier 'R' 'E' 'M' 'B'                            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Num SSRC     | BR Exp    |  BR Mantissa                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   SSRC feedback                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::bitrate;
use super::body::{APPLICATION_FEEDBACK, Body, PAYLOAD_FEEDBACK, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;

/// The unique identifier.
pub(super) const NAME: &[u8] = b"REMB";

const MANTISSA_BITS: u32 = 18;

/// What a receiver estimates it can receive: an upper bound for its streams together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverEstimatedMaxBitrate {
    /// Who estimates.
    pub sender_ssrc: u32,
    /// The estimate in bit/s. 18 bits of it are written, the rest is rounded down; what is
    /// received beyond 64 bits is `u64::MAX`.
    pub bitrate: u64,
    /// The streams it is for, 255 at most.
    pub ssrcs: SsrcList,
}

impl ReceiverEstimatedMaxBitrate {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let sender_ssrc = reader.u32()?;
        // The media source is 0, and the name has been looked at.
        reader.u64()?;
        let count = reader.u8()?;
        let rate = reader.u24()?;
        let ssrcs = (0..count).map(|_| reader.u32());
        Ok(Self {
            sender_ssrc,
            bitrate: bitrate::join(rate & 0x3_FFFF, rate >> MANTISSA_BITS),
            ssrcs: ssrcs.collect::<Result<_, _>>()?,
        })
    }
}

impl Body for ReceiverEstimatedMaxBitrate {
    fn packet_type(&self) -> u8 {
        PAYLOAD_FEEDBACK
    }

    fn count(&self) -> usize {
        APPLICATION_FEEDBACK.into()
    }

    fn len(&self) -> usize {
        16 + 4 * self.ssrcs.len()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        let count = u8::try_from(self.ssrcs.len()).map_err(|_| EncodeError::Value)?;
        let (mantissa, exponent) = bitrate::split(self.bitrate, MANTISSA_BITS);
        out.put_u32(self.sender_ssrc);
        out.put_u32(0);
        out.put_slice(NAME);
        out.put_u32(u32::from(count) << 24 | exponent << MANTISSA_BITS | mantissa);
        for &ssrc in &self.ssrcs {
            out.put_u32(ssrc);
        }
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.sender_ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.extend_from_slice(&self.ssrcs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    /// Sent by libwebrtc and by Firefox.
    const LIBWEBRTC: &str = "8fce0005f268be870000000052454d42010620a472bf4c2d";
    const FIREFOX: &str = "8fce0005d305260e0000000052454d42010399e95a76631e";

    // int-023
    #[test]
    fn captured_estimates_come_back() {
        let libwebrtc = ReceiverEstimatedMaxBitrate {
            sender_ssrc: 0xf268_be87,
            bitrate: 0x2_20a4 << 1,
            ssrcs: smallvec![0x72bf_4c2d],
        };
        same_bytes(LIBWEBRTC, &libwebrtc.into());
        let firefox = ReceiverEstimatedMaxBitrate {
            sender_ssrc: 0xd305_260e,
            bitrate: 0x3_99e9,
            ssrcs: smallvec![0x5a76_631e],
        };
        same_bytes(FIREFOX, &firefox.into());
    }

    #[test]
    fn more_streams_than_there_are_is_refused() {
        let mut packet = crate::hex::decode(LIBWEBRTC);
        packet[16] = 2;
        assert_eq!(Packet::parse(&packet), Err(DecodeError::Truncated));
    }
}
