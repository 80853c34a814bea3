//! VP8 (RFC 7741).
//!
//! The frame is cut without regard to its partitions (§4.4): S is set in its first packet, and
//! PID is 0 in all.

#[cfg(test)]
mod tests;

use super::PictureId;
use super::cut::cuts;
use crate::{DecodeError, EncodeError};
use bytes::{BufMut, Bytes, BytesMut};

/// The S bit.
const START_OF_PARTITION: u8 = 0x10;

/// The first bytes of every payload (RFC 7741 §4.2).
///
/// ```text
///          0 1 2 3 4 5 6 7
///         +-+-+-+-+-+-+-+-+
///         |X|R|N|S|R| PID | (REQUIRED)
///         +-+-+-+-+-+-+-+-+
///    X:   |I|L|T|K| RSV   | (OPTIONAL)
///         +-+-+-+-+-+-+-+-+
///    I:   |M| PictureID   | (OPTIONAL)
///         +-+-+-+-+-+-+-+-+
///         |   PictureID   |
///         +-+-+-+-+-+-+-+-+
///    L:   |   TL0PICIDX   | (OPTIONAL)
///         +-+-+-+-+-+-+-+-+
///    T/K: |TID|Y| KEYIDX  | (OPTIONAL)
///         +-+-+-+-+-+-+-+-+
/// ```
///
/// A forwarder reads it, changes numbers, and writes it over the old one: the length stays the
/// same as long as no field comes or goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// N: no other frame refers to this one.
    pub non_reference: bool,
    /// S: the payload begins with the beginning of a partition.
    pub start_of_partition: bool,
    /// PID: the partition that the payload begins with, 0 to 7.
    pub partition: u8,
    /// The running number of the frame.
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX: the running number of the frame of the base temporal layer that this frame is,
    /// or depends on. A sender gives [`temporal`](Self::temporal) too.
    pub tl0_pic_idx: Option<u8>,
    /// The temporal layer.
    pub temporal: Option<TemporalLayer>,
    /// KEYIDX: the running number of the key frame that this frame depends on, 0 to 31.
    pub key_idx: Option<u8>,
}

/// The temporal layer of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemporalLayer {
    /// TID: 0 to 3; 0 is the base layer.
    pub id: u8,
    /// Y: the frame depends on the base layer only, so that a receiver may go up to this layer here.
    pub sync: bool,
}

impl Descriptor {
    /// The most bytes that a descriptor has.
    pub const MAX_LEN: usize = 6;

    /// Reads the descriptor of a payload, and gives what follows it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the payload ends within the descriptor.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (&first, mut rest) = payload.split_first().ok_or(DecodeError::Truncated)?;
        let mut descriptor = Self {
            non_reference: first & 0x20 != 0,
            start_of_partition: first & START_OF_PARTITION != 0,
            partition: first & 0x07,
            ..Self::default()
        };
        if first & 0x80 == 0 {
            return Ok((descriptor, rest));
        }
        let (&present, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
        rest = after;
        if present & 0x80 != 0 {
            let (id, after) = PictureId::parse(rest)?;
            descriptor.picture_id = Some(id);
            rest = after;
        }
        if present & 0x40 != 0 {
            let (&index, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
            descriptor.tl0_pic_idx = Some(index);
            rest = after;
        }
        if present & 0x30 != 0 {
            // One byte serves both; what T or K does not announce in it is ignored.
            let (&layer, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
            descriptor.temporal = (present & 0x20 != 0).then_some(TemporalLayer {
                id: layer >> 6,
                sync: layer & 0x20 != 0,
            });
            descriptor.key_idx = (present & 0x10 != 0).then_some(layer & 0x1F);
            rest = after;
        }
        Ok((descriptor, rest))
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + usize::from(self.extended_bits() != 0)
            + self.picture_id.map_or(0, PictureId::encoded_len)
            + usize::from(self.tl0_pic_idx.is_some())
            + usize::from(self.temporal.is_some() || self.key_idx.is_some())
    }

    /// Writes the descriptor to the beginning of `out`, and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooSmall`] if `out` is short, [`EncodeError::Value`] if a number does not fit
    /// its field.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let len = self.encoded_len();
        let out = out.get_mut(..len).ok_or(EncodeError::TooSmall)?;
        let layer = self.temporal.unwrap_or_default();
        let key_idx = self.key_idx.unwrap_or_default();
        if self.partition > 0x07 || layer.id > 0x03 || key_idx > 0x1F {
            return Err(EncodeError::Value);
        }
        let present = self.extended_bits();
        out[0] = u8::from(present != 0) << 7
            | u8::from(self.non_reference) << 5
            | if self.start_of_partition {
                START_OF_PARTITION
            } else {
                0
            }
            | self.partition;
        let mut rest = &mut out[1..];
        if present != 0 {
            rest[0] = present;
            rest = &mut rest[1..];
        }
        if let Some(id) = self.picture_id {
            rest = id.write(rest)?;
        }
        if let Some(index) = self.tl0_pic_idx {
            rest[0] = index;
            rest = &mut rest[1..];
        }
        if let Some(last) = rest.first_mut() {
            *last = layer.id << 6 | u8::from(layer.sync) << 5 | key_idx;
        }
        Ok(len)
    }

    /// Whether the payload behind this descriptor is the beginning of a frame (§4.3).
    #[must_use]
    pub fn is_frame_start(&self) -> bool {
        self.start_of_partition && self.partition == 0
    }

    fn extended_bits(&self) -> u8 {
        u8::from(self.picture_id.is_some()) << 7
            | u8::from(self.tl0_pic_idx.is_some()) << 6
            | u8::from(self.temporal.is_some()) << 5
            | u8::from(self.key_idx.is_some()) << 4
    }
}

/// Whether an encoded frame is a key frame: P, the inverse key frame flag, is 0 (§4.3).
///
/// ```text
///      0 1 2 3 4 5 6 7
///     +-+-+-+-+-+-+-+-+
///     |Size0|H| VER |P|
///     +-+-+-+-+-+-+-+-+
/// ```
#[must_use]
pub fn is_keyframe(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 0x01 == 0)
}

/// What a [`Packetizer`] puts into the descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The picture id of the first frame, and with it its width; `None` sends none. A number of 15
    /// bits, as browsers send, is the default: 7 bits wrap every four seconds at 30 frames a
    /// second. It may start anywhere (§4.2).
    pub picture_id: Option<PictureId>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            picture_id: Some(PictureId::Long(0)),
        }
    }
}

/// Cuts VP8 frames.
#[derive(Debug, Default)]
pub struct Packetizer {
    config: Config,
    /// Payloads are made in here; its memory comes back when they are dropped.
    buffer: BytesMut,
}

impl Packetizer {
    /// A packetizer that begins as `config` says.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }
}

impl super::Packetizer for Packetizer {
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError> {
        if frame.is_empty() {
            return Err(DecodeError::Truncated);
        }
        let descriptor = Descriptor {
            start_of_partition: true,
            picture_id: self.config.picture_id,
            ..Descriptor::default()
        };
        let head = descriptor.encoded_len();
        let room = max_payload.saturating_sub(head);
        if room == 0 {
            return Err(DecodeError::Length);
        }
        let mut bytes = [0; Descriptor::MAX_LEN];
        descriptor
            .write(&mut bytes)
            .map_err(|_| DecodeError::Value)?;
        self.buffer
            .reserve(frame.len() + head * frame.len().div_ceil(room));
        for part in cuts(frame.len(), room) {
            let last = part.end == frame.len();
            self.buffer.put_slice(&bytes[..head]);
            self.buffer.put_slice(&frame[part]);
            emit(self.buffer.split().freeze(), last);
            // S belongs to the first packet alone (§4.4).
            bytes[0] &= !START_OF_PARTITION;
        }
        self.config.picture_id = self.config.picture_id.map(PictureId::next);
        Ok(())
    }
}

/// Puts VP8 frames together.
#[derive(Debug, Default)]
pub struct Depacketizer {
    under_way: bool,
}

impl super::Depacketizer for Depacketizer {
    fn depacketize(
        &mut self,
        payload: &Bytes,
        last: bool,
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError> {
        if !payload.is_empty() {
            let (descriptor, data) = Descriptor::parse(payload)?;
            // A start within a frame, or none at its beginning, says that packets are missing.
            if descriptor.is_frame_start() == self.under_way {
                return Err(DecodeError::Value);
            }
            if data.is_empty() {
                return Err(DecodeError::Truncated);
            }
            frame.put_slice(data);
            self.under_way = true;
        }
        if last {
            self.under_way = false;
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.under_way = false;
    }

    fn is_frame_start(&self, payload: &[u8]) -> bool {
        Descriptor::parse(payload).is_ok_and(|(descriptor, _)| descriptor.is_frame_start())
    }

    fn is_keyframe(&self, payload: &[u8]) -> bool {
        Descriptor::parse(payload)
            .is_ok_and(|(descriptor, data)| descriptor.is_frame_start() && is_keyframe(data))
    }
}
