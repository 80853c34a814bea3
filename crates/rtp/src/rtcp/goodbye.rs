//! BYE (RFC 3550 §6.6).
//!
//! ```text
//!        0                   1                   2                   3
//!        0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!       +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!       |V=2|P|    SC   |   PT=BYE=203  |             length            |
//!       +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!       |                           SSRC/CSRC                           |
//!       +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!       :                              ...                              :
//!       +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! (opt) |     length    |               reason for leaving            ...
//!       +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::{SmallVec, smallvec};

pub(super) const TYPE: u8 = 203;

/// Sources that end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goodbye {
    /// The sources, 31 at most.
    pub ssrcs: SmallVec<[u32; 4]>,
    /// Why, UTF-8 if the sender obeys, 255 bytes at most; empty when nothing is said.
    pub reason: SmallVec<[u8; 16]>,
}

impl Goodbye {
    /// The end of one source, without a reason.
    #[must_use]
    pub fn new(ssrc: u32) -> Self {
        Self {
            ssrcs: smallvec![ssrc],
            ..Self::default()
        }
    }

    pub(super) fn parse(count: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let ssrcs = (0..count).map(|_| reader.u32()).collect::<Result<_, _>>()?;
        let mut goodbye = Self {
            ssrcs,
            ..Self::default()
        };
        if !reader.is_empty() {
            let len = reader.u8()?;
            goodbye.reason = reader.take(len.into())?.into();
        }
        Ok(goodbye)
    }
}

impl Body for Goodbye {
    fn packet_type(&self) -> u8 {
        TYPE
    }

    fn count(&self) -> usize {
        self.ssrcs.len()
    }

    fn len(&self) -> usize {
        let reason = match self.reason.len() {
            0 => 0,
            len => 1 + len,
        };
        4 * self.ssrcs.len() + reason.next_multiple_of(4)
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        for &ssrc in &self.ssrcs {
            out.put_u32(ssrc);
        }
        if !self.reason.is_empty() {
            out.put_u8(u8::try_from(self.reason.len()).map_err(|_| EncodeError::Value)?);
            out.put_slice(&self.reason);
        }
        out.fill(0);
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        None
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

    /// Sent by libwebrtc at the end of a call.
    const LIBWEBRTC: &str = "81cb0001f268be87";

    #[test]
    fn a_captured_goodbye_comes_back() {
        same_bytes(LIBWEBRTC, &Goodbye::new(0xf268_be87).into());
    }

    #[test]
    fn a_reason_is_padded_to_words() {
        let goodbye = Goodbye {
            ssrcs: smallvec![1, 2],
            reason: b"tired".as_slice().into(),
        };
        same_bytes("82cb000400000001000000020574697265640000", &goodbye.into());
    }

    #[test]
    fn a_goodbye_may_name_nobody() {
        same_bytes("80cb0000", &Goodbye::default().into());
    }

    #[test]
    fn sources_and_reasons_beyond_the_packet_are_refused() {
        for packet in [
            &[0x82, 203, 0, 1, 0, 0, 0, 1][..],
            &[0x80, 203, 0, 1, 4, 65, 66, 67],
        ] {
            assert_eq!(Packet::parse(packet), Err(DecodeError::Truncated));
        }
    }
}
