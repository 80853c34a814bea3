//! PLI, the picture loss indication (RFC 4585 §6.3.1): nothing but the header of feedback.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=1  |    PT=206     |          length=2             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, PAYLOAD_FEEDBACK, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;

pub(super) const FORMAT: u8 = 1;

/// A receiver has lost a picture and wants one it can begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureLossIndication {
    /// Who lost it.
    pub sender_ssrc: u32,
    /// The stream it is of.
    pub media_ssrc: u32,
}

impl PictureLossIndication {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender_ssrc: reader.u32()?,
            media_ssrc: reader.u32()?,
        })
    }
}

impl Body for PictureLossIndication {
    fn packet_type(&self) -> u8 {
        PAYLOAD_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        8
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.sender_ssrc);
        out.put_u32(self.media_ssrc);
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

    /// Sent by Firefox.
    const FIREFOX: &str = "81ce0002d305260e5f6026db";

    // rtcp-018
    #[test]
    fn a_captured_indication_comes_back() {
        let pli = PictureLossIndication {
            sender_ssrc: 0xd305_260e,
            media_ssrc: 0x5f60_26db,
        };
        same_bytes(FIREFOX, &pli.into());
    }
}
