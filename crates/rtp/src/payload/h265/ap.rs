//! Aggregation packets (RFC 7798 §4.4.2): NAL units of one access unit that share a packet.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   PayloadHdr (Type=48)        |         NALU 1 Size           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          NALU 1 HDR           |                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+         NALU 1 Data           |
//! |                   . . .                                       |
//! +               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  . . .        | NALU 2 Size                   | NALU 2 HDR    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{NalHeader, kind};
use crate::DecodeError;
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Range;

/// Bytes before each unit.
pub(super) const SIZE_LEN: usize = 2;

/// The units behind the payload header, one after the other, or why there are no more.
pub(super) fn units(body: &[u8]) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let unit = split_unit(&mut rest);
        if unit.is_err() {
            rest = &[];
        }
        Some(unit)
    })
}

fn split_unit<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let (size, after) = rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
    let size = usize::from(u16::from_be_bytes(*size));
    let (unit, after) = after.split_at_checked(size).ok_or(DecodeError::Truncated)?;
    *rest = after;
    // Neither aggregates nor fragments are put into one.
    match NalHeader::parse(unit) {
        Ok((header, _)) if header.kind <= kind::LAST_NAL_UNIT => Ok(unit),
        Ok(_) => Err(DecodeError::Value),
        Err(_) => Err(DecodeError::Length),
    }
}

/// The units in one payload. Each is shorter than 64 KiB.
pub(super) fn join(frame: &[u8], units: &[Range<usize>], buffer: &mut BytesMut) -> Bytes {
    let len = units.iter().map(|unit| SIZE_LEN + unit.len());
    buffer.reserve(NalHeader::LEN + len.sum::<usize>());
    // F is set if it is in any of them; LayerId and TID are the lowest.
    let mut header = NalHeader {
        forbidden_zero: false,
        kind: kind::AP,
        layer_id: u8::MAX,
        tid: u8::MAX,
    };
    let headers = units
        .iter()
        .map(|unit| NalHeader::parse(&frame[unit.clone()]));
    for (own, _) in headers.flatten() {
        header.forbidden_zero |= own.forbidden_zero;
        header.layer_id = header.layer_id.min(own.layer_id);
        header.tid = header.tid.min(own.tid);
    }
    buffer.put_slice(&header.to_bytes());
    for unit in units {
        buffer.put_u16(u16::try_from(unit.len()).unwrap_or(u16::MAX));
        buffer.put_slice(&frame[unit.clone()]);
    }
    buffer.split().freeze()
}
