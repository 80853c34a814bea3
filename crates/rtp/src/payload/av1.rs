//! AV1 (RTP Payload Format For AV1, of the Alliance for Open Media).
//!
//! A frame is a temporal unit in the low-overhead bitstream format, as IVF and WebM files hold it:
//! every OBU has its size, and a temporal delimiter comes first. On the wire there are neither
//! sizes nor delimiters.

mod aggregation;
mod leb128;
mod obu;
mod packet;
#[cfg(test)]
mod tests;

pub use self::aggregation::AggregationHeader;
pub use self::obu::{ObuExtension, ObuHeader, kind};

use self::aggregation::elements;
use self::obu::Obu;
use self::packet::Packet;
use crate::DecodeError;
use bytes::{BufMut, Bytes, BytesMut};

/// The temporal delimiter that a temporal unit begins with: type 2, with its size, which is 0.
const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0x00];

/// Cuts AV1 temporal units.
///
/// Temporal delimiters and tile lists are not sent (§5). OBUs share packets, as long as they are of
/// the same layer; a sequence header comes first in its packet.
#[derive(Debug, Default)]
pub struct Packetizer {
    /// The OBUs of the temporal unit at hand.
    obus: Vec<Obu>,
    /// Payloads are made in here; its memory comes back when they are dropped.
    buffer: BytesMut,
}

impl super::Packetizer for Packetizer {
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError> {
        self.obus.clear();
        let mut rest = 0;
        while rest < frame.len() {
            let obu = Obu::parse(frame, rest)?;
            rest = obu.payload.end;
            if !matches!(obu.header.kind, kind::TEMPORAL_DELIMITER | kind::TILE_LIST) {
                self.obus.push(obu);
            }
        }
        if self.obus.is_empty() {
            return Err(DecodeError::Truncated);
        }
        if max_payload < Packet::MIN_LEN {
            return Err(DecodeError::Length);
        }
        let mut packet = Packet::first(begins_sequence(&self.obus, frame));
        // Headers, and the sizes of elements that share a packet.
        let overhead = Packet::MAX_OVERHEAD * frame.len().div_ceil(max_payload);
        self.buffer.reserve(frame.len() + overhead);
        for (index, obu) in self.obus.iter().enumerate() {
            if !packet.admits(obu) {
                emit(packet.take(frame, &self.obus, &mut self.buffer), false);
            }
            let mut start = 0;
            while start < obu.len() {
                let left = obu.len() - start;
                let room = packet.room(max_payload);
                let len = match room {
                    _ if left <= room => left,
                    // What fits a packet of its own is not parted.
                    _ if packet.is_empty() => left.div_ceil(left.div_ceil(room)),
                    _ if left < max_payload => 0,
                    _ => room,
                };
                if len > 0 {
                    packet.push(index, obu, start..start + len);
                    start += len;
                }
                if start < obu.len() {
                    emit(packet.take(frame, &self.obus, &mut self.buffer), false);
                }
            }
        }
        emit(packet.take(frame, &self.obus, &mut self.buffer), true);
        Ok(())
    }
}

/// Whether a coded video sequence begins with this temporal unit: it has a sequence header, and
/// its first frame is a key frame (AV1 specification §7.5).
fn begins_sequence(obus: &[Obu], unit: &[u8]) -> bool {
    let is_frame = |obu: &&Obu| matches!(obu.header.kind, kind::FRAME_HEADER | kind::FRAME);
    let first_frame = obus.iter().find(is_frame);
    first_frame.is_some_and(|frame| frame.is_key_frame(unit))
        && (obus.iter()).any(|obu| obu.header.kind == kind::SEQUENCE_HEADER)
}

/// Puts AV1 temporal units together.
#[derive(Debug, Default)]
pub struct Depacketizer {
    /// Whether a temporal unit is under way.
    under_way: bool,
    /// An OBU whose end has not come, so that its size is not known.
    fragment: BytesMut,
    /// Whether there is one; it may be empty.
    fragmented: bool,
}

impl super::Depacketizer for Depacketizer {
    fn depacketize(
        &mut self,
        payload: &Bytes,
        last: bool,
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError> {
        if !payload.is_empty() {
            self.put_payload(payload, frame)?;
        }
        if last {
            self.under_way = false;
            if self.fragmented {
                return Err(DecodeError::Truncated);
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.under_way = false;
        self.fragmented = false;
        self.fragment.clear();
    }

    /// Whether the first OBU is one that a temporal unit may begin with, and of the lowest spatial
    /// layer.
    fn is_frame_start(&self, payload: &[u8]) -> bool {
        first_obu(payload).is_some_and(|obu| {
            let spatial = obu.extension.map_or(0, |extension| extension.spatial);
            let first = matches!(
                obu.kind,
                kind::SEQUENCE_HEADER
                    | kind::TEMPORAL_DELIMITER
                    | kind::FRAME_HEADER
                    | kind::METADATA
                    | kind::FRAME
            );
            first && spatial == 0
        })
    }

    /// Whether N is set, or, for senders that never set it, a sequence header comes first.
    fn is_keyframe(&self, payload: &[u8]) -> bool {
        AggregationHeader::parse(payload).is_ok_and(|(header, _)| header.new_sequence)
            || first_obu(payload).is_some_and(|obu| obu.kind == kind::SEQUENCE_HEADER)
    }
}

impl Depacketizer {
    fn put_payload(&mut self, payload: &[u8], frame: &mut BytesMut) -> Result<(), DecodeError> {
        let (header, data) = AggregationHeader::parse(payload)?;
        // The end of an OBU is missing, or its beginning (§4.4).
        if header.continues != self.fragmented {
            return Err(DecodeError::Value);
        }
        let mut elements = elements(header, data).peekable();
        while let Some(element) = elements.next() {
            let element = element?;
            let is_last = elements.peek().is_none();
            if self.fragmented || (is_last && header.continued) {
                self.fragment.put_slice(element);
                self.fragmented = is_last && header.continued;
                if !self.fragmented {
                    let obu = self.fragment.split();
                    self.put_obu(&obu, frame)?;
                }
            } else {
                self.put_obu(element, frame)?;
            }
        }
        Ok(())
    }

    fn put_obu(&mut self, obu: &[u8], frame: &mut BytesMut) -> Result<(), DecodeError> {
        if obu.is_empty() {
            return Ok(());
        }
        if !self.under_way {
            self.under_way = true;
            frame.put_slice(&TEMPORAL_DELIMITER);
        }
        obu::put_sized(obu, frame)
    }
}

/// The first OBU of a payload, unless it began in another.
fn first_obu(payload: &[u8]) -> Option<ObuHeader> {
    let (header, data) = AggregationHeader::parse(payload).ok()?;
    let first = elements(header, data).next()?.ok()?;
    let (obu, _) = ObuHeader::parse(first).ok()?;
    (!header.continues).then_some(obu)
}
