//! H.264 (RFC 6184): single NAL units, STAP-A and FU-A, the payloads of packetization mode 1.
//!
//! A frame is an access unit in Annex B. The payloads of interleaved mode (STAP-B, MTAP, FU-B) are
//! refused with [`DecodeError::Unsupported`]: WebRTC never negotiates it.

mod fu;
mod nal;
mod stap;
#[cfg(test)]
mod tests;

pub use self::fu::FragmentHeader;
pub use self::nal::{NalHeader, kind};

use super::annexb::{START_CODE, nal_units};
use crate::DecodeError;
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Range;

/// How NAL units become payloads (RFC 6184 §5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketizationMode {
    /// Mode 0: every NAL unit is one packet; the encoder makes them small enough.
    SingleNal,
    /// Mode 1: small NAL units share a packet, large ones are fragmented.
    #[default]
    NonInterleaved,
}

/// What a [`Packetizer`] may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// What was negotiated; mode 1, which every browser prefers.
    pub mode: PacketizationMode,
}

/// Cuts H.264 access units.
///
/// Access unit delimiters and filler data are not sent: the marker bit ends an access unit (§5.1).
/// Neighbours that fit a packet together, first of all the parameter sets before a key frame,
/// share it.
#[derive(Debug, Default)]
pub struct Packetizer {
    config: Config,
    /// The NAL units of the access unit at hand.
    units: Vec<Range<usize>>,
    /// Payloads are made in here; its memory comes back when they are dropped.
    buffer: BytesMut,
}

impl Packetizer {
    /// A packetizer that does what `config` says.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// How many of the units from `first` on share a packet.
    fn together(&self, first: usize, max_payload: usize) -> usize {
        if self.config.mode == PacketizationMode::SingleNal {
            return 1;
        }
        let mut len = stap::HEADER_LEN;
        let fits = |unit: &&Range<usize>| {
            len += stap::SIZE_LEN + unit.len();
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
        self.units.extend(nal_units(frame).filter(|unit| {
            let kind = NalHeader::from(frame[unit.start]).kind;
            // What has the type of a kind of payload, or a reserved one, cannot be sent (§5.4).
            (1..=kind::LAST_NAL_UNIT).contains(&kind)
                && !matches!(kind, kind::ACCESS_UNIT_DELIMITER | kind::FILLER_DATA)
        }));
        let longest = self.units.iter().map(Range::len).max();
        let longest = longest.ok_or(DecodeError::Value)?;
        let fragments = self.config.mode == PacketizationMode::NonInterleaved
            && max_payload > FragmentHeader::LEN;
        if longest > max_payload && !fragments {
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
                units => emit(stap::join(frame, units, &mut self.buffer), last),
            }
            first = next;
        }
        Ok(())
    }
}

/// Puts H.264 access units together.
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
        if let Some(&first) = payload.first() {
            let header = NalHeader::from(first);
            if self.fragmented.is_some() && header.kind != kind::FU_A {
                // The end of a NAL unit is missing (§5.8).
                return Err(DecodeError::Value);
            }
            match header.kind {
                kind::STAP_A => {
                    for unit in stap::units(payload) {
                        put_unit(frame, unit?);
                    }
                }
                kind::FU_A => self.put_fragment(payload, frame)?,
                1..=kind::LAST_NAL_UNIT => put_unit(frame, payload),
                kind::STAP_B..=kind::MTAP24 | kind::FU_B => return Err(DecodeError::Unsupported),
                // The reserved ones must be ignored (§5.4).
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
    fn put_fragment(&mut self, payload: &[u8], frame: &mut BytesMut) -> Result<(), DecodeError> {
        let (header, fragment) = FragmentHeader::parse(payload)?;
        match self.fragmented {
            None if header.start => put_unit(frame, &[header.nal.into()]),
            Some(nal) if !header.start && nal.kind == header.nal.kind => {}
            // The start of this unit or the end of another is missing (§5.8).
            _ => return Err(DecodeError::Value),
        }
        frame.put_slice(fragment);
        self.fragmented = (!header.end).then_some(header.nal);
        Ok(())
    }
}

fn put_unit(frame: &mut BytesMut, unit: &[u8]) {
    frame.reserve(START_CODE.len() + unit.len());
    frame.put_slice(&START_CODE);
    frame.put_slice(unit);
}

/// A NAL unit, or its beginning.
#[derive(Clone, Copy)]
struct Unit<'a> {
    kind: u8,
    data: &'a [u8],
}

impl<'a> Unit<'a> {
    fn new(unit: &'a [u8]) -> Option<Self> {
        let (&first, data) = unit.split_first()?;
        let kind = NalHeader::from(first).kind;
        Some(Self { kind, data })
    }

    /// Whether it is the first slice of its picture: first_mb_in_slice, the first field, is 0,
    /// which is a single bit that is set (H.264 §7.3.3, §9.1).
    fn is_first_slice(self) -> bool {
        self.data.first().is_some_and(|byte| byte & 0x80 != 0)
    }

    /// Whether an access unit may begin with it. What may as well follow something that is lost
    /// (PPS, SEI) is not one.
    fn begins_frame(self) -> bool {
        match self.kind {
            kind::SPS | kind::ACCESS_UNIT_DELIMITER => true,
            kind::SLICE | kind::IDR_SLICE => self.is_first_slice(),
            _ => false,
        }
    }

    fn begins_keyframe(self) -> bool {
        match self.kind {
            kind::SPS => true,
            kind::IDR_SLICE => self.is_first_slice(),
            _ => false,
        }
    }
}

/// The NAL units that begin in a payload, as far as it can be read.
fn units(payload: &[u8]) -> impl Iterator<Item = Unit<'_>> {
    let kind = payload.first().map(|&first| NalHeader::from(first).kind);
    let fragment = match kind {
        Some(kind::FU_A) => FragmentHeader::parse(payload).ok(),
        _ => None,
    };
    let fragment = fragment.filter(|(header, _)| header.start);
    let fragment = fragment.map(|(header, data)| Unit {
        kind: header.nal.kind,
        data,
    });
    let aggregate = (kind == Some(kind::STAP_A)).then(|| stap::units(payload));
    let aggregate = aggregate.into_iter().flatten().flatten();
    let single = Unit::new(payload).filter(|unit| unit.kind <= kind::LAST_NAL_UNIT);
    (fragment.into_iter())
        .chain(aggregate.filter_map(Unit::new))
        .chain(single)
}
