//! H.265 (RFC 7798): single NAL units, aggregation packets and fragmentation units, in one stream
//! and in decoding order (`tx-mode` SRST, `sprop-max-don-diff` 0).
//!
//! A frame is an access unit in Annex B. The information in PACI packets is passed over.

mod ap;
mod fu;
mod nal;
mod paci;
#[cfg(test)]
mod tests;

pub use self::fu::FragmentHeader;
pub use self::nal::{NalHeader, kind};

use super::annexb::{START_CODE, nal_units};
use crate::DecodeError;
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Range;

/// Cuts H.265 access units.
///
/// Access unit delimiters and filler data are not sent: the marker bit ends an access unit (§4.1).
/// Neighbours that fit a packet together, first of all the parameter sets before a key frame,
/// share it.
#[derive(Debug, Default)]
pub struct Packetizer {
    /// The NAL units of the access unit at hand.
    units: Vec<Range<usize>>,
    /// Payloads are made in here; its memory comes back when they are dropped.
    buffer: BytesMut,
}

impl Packetizer {
    /// How many of the units from `first` on share a packet.
    fn together(&self, first: usize, max_payload: usize) -> usize {
        let mut len = NalHeader::LEN;
        let fits = |unit: &&Range<usize>| {
            len += ap::SIZE_LEN + unit.len();
            len <= max_payload && u16::try_from(unit.len()).is_ok()
        };
        self.units[first..].iter().take_while(fits).count().max(1)
    }
}

impl super::Packetizer for Packetizer {
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError> {
        self.units.clear();
        for unit in nal_units(frame) {
            let (header, _) = NalHeader::parse(&frame[unit.clone()])?;
            match header.kind {
                kind::ACCESS_UNIT_DELIMITER | kind::FILLER_DATA => {}
                // What has the type of a kind of payload cannot be sent.
                ..=kind::LAST_NAL_UNIT => self.units.push(unit),
                _ => {}
            }
        }
        let longest = self.units.iter().map(Range::len).max();
        let longest = longest.ok_or(DecodeError::Value)?;
        if longest > max_payload && max_payload <= FragmentHeader::LEN {
            return Err(DecodeError::Length);
        }
        let mut first = 0;
        while first < self.units.len() {
            let next = first + self.together(first, max_payload);
            let last = next == self.units.len();
            match &self.units[first..next] {
                [unit] if unit.len() <= max_payload => emit(frame.slice(unit.clone()), last),
                [unit] => fu::cut(
                    &frame[unit.clone()],
                    max_payload,
                    &mut self.buffer,
                    &mut |payload, end| emit(payload, last && end),
                ),
                units => emit(ap::join(frame, units, &mut self.buffer), last),
            }
            first = next;
        }
        Ok(())
    }
}

/// Puts H.265 access units together.
#[derive(Debug, Default)]
pub struct Depacketizer {
    /// The NAL unit that is under way in fragments.
    fragmented: Option<NalHeader>,
}

impl super::Depacketizer for Depacketizer {
    fn depacketize(
        &mut self,
        payload: &Bytes,
        last: bool,
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError> {
        if !payload.is_empty() {
            let (header, body) = open(payload)?;
            if self.fragmented.is_some() && header.kind != kind::FU {
                // The end of a NAL unit is missing (§4.4.3).
                return Err(DecodeError::Value);
            }
            match header.kind {
                ..=kind::LAST_NAL_UNIT => put_unit(frame, &[&header.to_bytes(), body]),
                kind::AP => {
                    for unit in ap::units(body) {
                        put_unit(frame, &[unit?]);
                    }
                }
                kind::FU => self.put_fragment(header, body, frame)?,
                // Reserved, or not specified.
                _ => {}
            }
        }
        if last && self.fragmented.take().is_some() {
            return Err(DecodeError::Truncated);
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.fragmented = None;
    }

    fn is_frame_start(&self, payload: &[u8]) -> bool {
        units(payload).next().is_some_and(Unit::begins_frame)
    }

    fn is_keyframe(&self, payload: &[u8]) -> bool {
        units(payload).any(Unit::begins_keyframe)
    }
}

impl Depacketizer {
    fn put_fragment(
        &mut self,
        header: NalHeader,
        body: &[u8],
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError> {
        let (header, fragment) = FragmentHeader::parse(header, body)?;
        match self.fragmented {
            None if header.start => put_unit(frame, &[&header.nal.to_bytes()]),
            Some(nal) if !header.start && nal.kind == header.nal.kind => {}
            // The start of this unit or the end of another is missing (§4.4.3).
            _ => return Err(DecodeError::Value),
        }
        frame.put_slice(fragment);
        self.fragmented = (!header.end).then_some(header.nal);
        Ok(())
    }
}

/// The header and the body of a payload, or of the one in a PACI packet.
fn open(payload: &[u8]) -> Result<(NalHeader, &[u8]), DecodeError> {
    let (header, body) = NalHeader::parse(payload)?;
    match header.kind {
        kind::PACI => paci::unwrap(header, body),
        _ => Ok((header, body)),
    }
}

fn put_unit(frame: &mut BytesMut, parts: &[&[u8]]) {
    frame.put_slice(&START_CODE);
    for part in parts {
        frame.put_slice(part);
    }
}

/// A NAL unit, or its beginning.
#[derive(Clone, Copy)]
struct Unit<'a> {
    kind: u8,
    data: &'a [u8],
}

impl Unit<'_> {
    /// Whether it is the first slice of its picture: first_slice_segment_in_pic_flag, the first bit
    /// (H.265 §7.3.6.1).
    fn is_first_slice(self) -> bool {
        self.data.first().is_some_and(|byte| byte & 0x80 != 0)
    }

    /// Whether an access unit may begin with it. What may as well follow something that is lost
    /// (SPS, PPS, SEI) is not one.
    fn begins_frame(self) -> bool {
        match self.kind {
            kind::VPS | kind::ACCESS_UNIT_DELIMITER => true,
            ..=kind::CRA => self.is_first_slice(),
            _ => false,
        }
    }

    fn begins_keyframe(self) -> bool {
        match self.kind {
            kind::VPS | kind::SPS => true,
            kind::FIRST_IRAP..=kind::CRA => self.is_first_slice(),
            _ => false,
        }
    }
}

/// The NAL units that begin in a payload, as far as it can be read.
fn units(payload: &[u8]) -> impl Iterator<Item = Unit<'_>> {
    let (header, body) = open(payload).ok().unzip();
    let (kind, body) = (header.map(|header| header.kind), body.unwrap_or_default());
    let single = match kind {
        Some(kind @ ..=kind::LAST_NAL_UNIT) => Some(Unit { kind, data: body }),
        Some(kind::FU) => (header.and_then(|header| FragmentHeader::parse(header, body).ok()))
            .filter(|(header, _)| header.start)
            .map(|(header, data)| Unit {
                kind: header.nal.kind,
                data,
            }),
        _ => None,
    };
    let aggregate = (kind == Some(kind::AP)).then(|| ap::units(body));
    let aggregate = aggregate.into_iter().flatten().flatten();
    let aggregate = aggregate.filter_map(|unit| {
        let (header, data) = NalHeader::parse(unit).ok()?;
        Some(Unit {
            kind: header.kind,
            data,
        })
    });
    single.into_iter().chain(aggregate)
}
