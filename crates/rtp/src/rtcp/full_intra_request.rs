//! FIR, the full intra request (RFC 5104 §4.3.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=4  |    PT=206     |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source = 0                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              SSRC                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | Seq nr.       |    Reserved                                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, PAYLOAD_FEEDBACK, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::{SmallVec, smallvec};

pub(super) const FORMAT: u8 = 4;

/// Key frames are wanted, not because of loss but because of a new viewer or a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullIntraRequest {
    /// Who wants them.
    pub sender_ssrc: u32,
    /// Of which streams.
    pub entries: SmallVec<[FullIntraEntry; 2]>,
}

/// The key frame wanted of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullIntraEntry {
    /// The stream.
    pub ssrc: u32,
    /// One more for each new request, wrapping; the same when a request is repeated.
    pub sequence_number: u8,
}

impl FullIntraRequest {
    /// Asks one stream for a key frame.
    #[must_use]
    pub fn new(sender_ssrc: u32, ssrc: u32, sequence_number: u8) -> Self {
        Self {
            sender_ssrc,
            entries: smallvec![FullIntraEntry {
                ssrc,
                sequence_number,
            }],
        }
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut request = Self {
            sender_ssrc: reader.u32()?,
            entries: SmallVec::new(),
        };
        // §4.3.1.2: the media source is 0, and ignored here.
        reader.u32()?;
        while !reader.is_empty() {
            request.entries.push(FullIntraEntry {
                ssrc: reader.u32()?,
                sequence_number: reader.u8()?,
            });
            reader.u24()?;
        }
        Ok(request)
    }
}

impl Body for FullIntraRequest {
    fn packet_type(&self) -> u8 {
        PAYLOAD_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        8 + 8 * self.entries.len()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.sender_ssrc);
        out.put_u32(0);
        for entry in &self.entries {
            out.put_u32(entry.ssrc);
            out.put_u32(u32::from(entry.sequence_number) << 24);
        }
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.sender_ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.extend(self.entries.iter().map(|entry| entry.ssrc));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::packet::same_bytes;

    // rtcp-019
    #[test]
    fn a_request_for_two_streams_comes_back() {
        let mut request = FullIntraRequest::new(1, 2, 3);
        request.entries.push(FullIntraEntry {
            ssrc: 4,
            sequence_number: 255,
        });
        let bytes = "84ce0006 00000001 00000000 00000002 03000000 00000004 ff000000";
        same_bytes(bytes, &request.into());
    }
}
