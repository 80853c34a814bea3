//! APP (RFC 3550 §6.7).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| subtype |   PT=APP=204  |             length            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                           SSRC/CSRC                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                          name (ASCII)                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   application-dependent data                ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const TYPE: u8 = 204;

/// What an application likes to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationDefined {
    /// Chosen by the application, 5 bits.
    pub subtype: u8,
    /// Who sends it.
    pub ssrc: u32,
    /// The application's name, ASCII.
    pub name: [u8; 4],
    /// Its data, a multiple of 4 bytes.
    pub data: SmallVec<[u8; 32]>,
}

impl ApplicationDefined {
    pub(super) fn parse(subtype: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            subtype,
            ssrc: reader.u32()?,
            name: reader.array()?,
            data: reader.rest().into(),
        })
    }
}

impl Body for ApplicationDefined {
    fn packet_type(&self) -> u8 {
        TYPE
    }

    fn count(&self) -> usize {
        self.subtype.into()
    }

    fn len(&self) -> usize {
        8 + self.data.len().next_multiple_of(4)
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        if !self.data.len().is_multiple_of(4) {
            return Err(EncodeError::Value);
        }
        out.put_u32(self.ssrc);
        out.put_slice(&self.name);
        out.put_slice(&self.data);
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.push(self.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;

    #[test]
    fn name_and_data_come_back() {
        let app = ApplicationDefined {
            subtype: 3,
            ssrc: 1,
            name: *b"muon",
            data: b"abcd".as_slice().into(),
        };
        same_bytes("83cc0003000000016d756f6e61626364", &app.into());
    }

    #[test]
    fn data_of_odd_length_is_not_written() {
        let app = ApplicationDefined {
            data: b"abc".as_slice().into(),
            ..ApplicationDefined::default()
        };
        let written = Packet::from(app).write(&mut [0; 64]);
        assert_eq!(written, Err(EncodeError::Value));
    }
}
