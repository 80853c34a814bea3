//! Single-time aggregation packets of type A (RFC 6184 §5.7.1): NAL units of one access unit that
//! share a packet.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAP-A NAL HDR |         NALU 1 Size           | NALU 1 HDR    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         NALU 1 Data                           |
//! :                                                               :
//! +               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |               | NALU 2 Size                   | NALU 2 HDR    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{NalHeader, kind};
use crate::DecodeError;
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Range;

/// Bytes before the first unit.
pub(super) const HEADER_LEN: usize = 1;

/// Bytes before each unit.
pub(super) const SIZE_LEN: usize = 2;

/// The units of a payload, one after the other, or why there are no more.
pub(super) fn units(payload: &[u8]) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    let mut rest = payload.get(HEADER_LEN..).unwrap_or_default();
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
    match unit.first() {
        None => Err(DecodeError::Length),
        // Aggregates and fragments are not put into one (§5.7).
        Some(&first) => match NalHeader::from(first).kind {
            1..=kind::LAST_NAL_UNIT => Ok(unit),
            _ => Err(DecodeError::Value),
        },
    }
}

/// The units in one payload. Each is shorter than 64 KiB.
pub(super) fn join(frame: &[u8], units: &[Range<usize>], buffer: &mut BytesMut) -> Bytes {
    let len = units.iter().map(|unit| SIZE_LEN + unit.len());
    buffer.reserve(HEADER_LEN + len.sum::<usize>());
    // F is set if it is in any of them, NRI is that of the most important (§5.7).
    let mut header = NalHeader::from(kind::STAP_A);
    for unit in units {
        let own = NalHeader::from(frame[unit.start]);
        header.forbidden_zero |= own.forbidden_zero;
        header.ref_idc = header.ref_idc.max(own.ref_idc);
    }
    buffer.put_u8(header.into());
    for unit in units {
        buffer.put_u16(u16::try_from(unit.len()).unwrap_or(u16::MAX));
        buffer.put_slice(&frame[unit.clone()]);
    }
    buffer.split().freeze()
}
