//! RTCP-SR-REQ, the rapid resynchronisation request (RFC 6051 §3.2): nothing but the header of
//! feedback.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=5  |    PT=205     |          length=2             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, SsrcList, TRANSPORT_FEEDBACK};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;

pub(super) const FORMAT: u8 = 5;

/// A receiver cannot synchronise a stream with others and wants a sender report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RapidResynchronizationRequest {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The stream whose report is wanted.
    pub media_ssrc: u32,
}

impl RapidResynchronizationRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender_ssrc: reader.u32()?,
            media_ssrc: reader.u32()?,
        })
    }
}

impl Body for RapidResynchronizationRequest {
    fn packet_type(&self) -> u8 {
        TRANSPORT_FEEDBACK
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

    #[test]
    fn a_request_comes_back() {
        let request = RapidResynchronizationRequest {
            sender_ssrc: 1,
            media_ssrc: 2,
        };
        same_bytes("85cd00020000000100000002", &request.into());
    }
}
