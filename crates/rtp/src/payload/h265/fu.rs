//! Fragmentation units (RFC 7798 §4.4.3).

use super::{NalHeader, kind};
use crate::DecodeError;
use crate::payload::cut::cuts;
use bytes::{BufMut, Bytes, BytesMut};

/// The first three bytes of a fragment: the payload header, and the FU header.
///
/// ```text
///  0                   1                   2
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    PayloadHdr (Type=49)       |S|E|  FuType   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// The header of the NAL unit that the fragment is part of: Type from the FU header, the rest
    /// from the payload header.
    pub nal: NalHeader,
    /// S: the first fragment.
    pub start: bool,
    /// E: the last fragment.
    pub end: bool,
}

impl FragmentHeader {
    /// Bytes on the wire.
    pub const LEN: usize = NalHeader::LEN + 1;

    /// Reads what follows the payload header, and gives the fragment behind it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if it is short, [`DecodeError::Value`] if the payload header is
    /// not that of a fragment, or the fragment is not one of a NAL unit.
    pub fn parse(header: NalHeader, body: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (&own, fragment) = body.split_first().ok_or(DecodeError::Truncated)?;
        let nal = NalHeader {
            kind: own & 0x3F,
            ..header
        };
        if header.kind != kind::FU || nal.kind > kind::LAST_NAL_UNIT {
            return Err(DecodeError::Value);
        }
        let header = Self {
            nal,
            start: own & 0x80 != 0,
            end: own & 0x40 != 0,
        };
        Ok((header, fragment))
    }

    /// The three bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let [first, second] = NalHeader {
            kind: kind::FU,
            ..self.nal
        }
        .to_bytes();
        let own = u8::from(self.start) << 7 | u8::from(self.end) << 6 | self.nal.kind & 0x3F;
        [first, second, own]
    }
}

/// Cuts a NAL unit that is longer than `max_payload` into fragments, given to `emit` with whether
/// it is the last. `max_payload` has room for the header and a byte.
pub(super) fn cut(
    unit: &[u8],
    max_payload: usize,
    buffer: &mut BytesMut,
    emit: &mut dyn FnMut(Bytes, bool),
) {
    let Ok((nal, data)) = NalHeader::parse(unit) else {
        return;
    };
    let room = max_payload - FragmentHeader::LEN;
    buffer.reserve(data.len() + FragmentHeader::LEN * data.len().div_ceil(room));
    for part in cuts(data.len(), room) {
        let header = FragmentHeader {
            nal,
            start: part.start == 0,
            end: part.end == data.len(),
        };
        buffer.put_slice(&header.to_bytes());
        buffer.put_slice(&data[part]);
        emit(buffer.split().freeze(), header.end);
    }
}
