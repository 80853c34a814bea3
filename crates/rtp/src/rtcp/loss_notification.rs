//! LNTF, the loss notification of libwebrtc: application layer feedback (RFC 4585 §6.4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| FMT=15  |    PT=206     |          length=4             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Unique identifier 'L' 'N' 'T' 'F'                            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | Last Decoded Sequence Number  | Last Received SeqNum Delta  |D|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{APPLICATION_FEEDBACK, Body, PAYLOAD_FEEDBACK, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;

/// The unique identifier.
pub(super) const NAME: &[u8] = b"LNTF";

/// What of a video stream was received and what was decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossNotification {
    /// Who received it.
    pub sender_ssrc: u32,
    /// The stream.
    pub media_ssrc: u32,
    /// The first packet of the last frame that was decoded.
    pub last_decoded: u16,
    /// The last packet received; at most 32 767 behind `last_decoded`.
    pub last_received: u16,
    /// Whether the frame of the last packet can be decoded.
    pub decodable: bool,
}

impl LossNotification {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let (sender_ssrc, media_ssrc) = (reader.u32()?, reader.u32()?);
        // The name has been looked at.
        reader.u32()?;
        let last_decoded = reader.u16()?;
        let low = reader.u16()?;
        Ok(Self {
            sender_ssrc,
            media_ssrc,
            last_decoded,
            last_received: last_decoded.wrapping_add(low >> 1),
            decodable: low & 1 != 0,
        })
    }
}

impl Body for LossNotification {
    fn packet_type(&self) -> u8 {
        PAYLOAD_FEEDBACK
    }

    fn count(&self) -> usize {
        APPLICATION_FEEDBACK.into()
    }

    fn len(&self) -> usize {
        16
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        let delta = self.last_received.wrapping_sub(self.last_decoded);
        if delta > 0x7FFF {
            return Err(EncodeError::Value);
        }
        out.put_u32(self.sender_ssrc);
        out.put_u32(self.media_ssrc);
        out.put_slice(NAME);
        out.put_u16(self.last_decoded);
        out.put_u16(delta << 1 | u16::from(self.decodable));
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

    #[test]
    fn numbers_come_back_across_the_wrap() {
        let notification = LossNotification {
            sender_ssrc: 1,
            media_ssrc: 2,
            last_decoded: 0xFFFF,
            last_received: 1,
            decodable: true,
        };
        let bytes = "8fce0004 00000001 00000002 4c4e5446 ffff0005";
        same_bytes(bytes, &notification.into());
    }
}
