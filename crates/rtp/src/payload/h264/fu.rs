//! Fragmentation units of type A (RFC 6184 §5.8).

use super::{NalHeader, kind};
use crate::DecodeError;
use crate::payload::cut::cuts;
use bytes::{BufMut, Bytes, BytesMut};

/// The first two bytes of a fragment: the indicator, and the header of RFC 6184 §5.8.
///
/// ```text
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |F|NRI| Type=28 |S|E|R|  Type   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// The header of the NAL unit that the fragment is part of: F and NRI from the first byte,
    /// Type from the second.
    pub nal: NalHeader,
    /// S: the first fragment.
    pub start: bool,
    /// E: the last fragment.
    pub end: bool,
}

impl FragmentHeader {
    /// Bytes on the wire.
    pub const LEN: usize = 2;

    /// Reads the beginning of a payload of type FU-A, and gives the fragment behind it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if it is short, [`DecodeError::Value`] if it is not of type FU-A,
    /// or holds what is not a NAL unit.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (&[indicator, header], fragment) =
            payload.split_first_chunk().ok_or(DecodeError::Truncated)?;
        let indicator = NalHeader::from(indicator);
        let nal = NalHeader {
            kind: header & 0x1F,
            ..indicator
        };
        if indicator.kind != kind::FU_A || !(1..=kind::LAST_NAL_UNIT).contains(&nal.kind) {
            return Err(DecodeError::Value);
        }
        let header = Self {
            nal,
            start: header & 0x80 != 0,
            end: header & 0x40 != 0,
        };
        Ok((header, fragment))
    }

    /// The two bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let indicator = NalHeader {
            kind: kind::FU_A,
            ..self.nal
        };
        let header = u8::from(self.start) << 7 | u8::from(self.end) << 6 | self.nal.kind & 0x1F;
        [indicator.into(), header]
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
    let Some((&first, data)) = unit.split_first() else {
        return;
    };
    let room = max_payload - FragmentHeader::LEN;
    buffer.reserve(data.len() + FragmentHeader::LEN * data.len().div_ceil(room));
    for part in cuts(data.len(), room) {
        let header = FragmentHeader {
            nal: first.into(),
            start: part.start == 0,
            end: part.end == data.len(),
        };
        buffer.put_slice(&header.to_bytes());
        buffer.put_slice(&data[part]);
        emit(buffer.split().freeze(), header.end);
    }
}
