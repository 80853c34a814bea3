//! VP9 (draft-ietf-payload-vp9-16, published as RFC 9628).
//!
//! [`Packetizer`] sends a stream of one layer, in flexible or non-flexible mode. [`Descriptor`] and
//! [`Depacketizer`] know everything that a scalable stream has.

mod frame;
mod structure;
#[cfg(test)]
mod tests;

pub use self::structure::{GroupPicture, Resolution, ScalabilityStructure};

use self::frame::FrameHeader;
use super::PictureId;
use super::cut::cuts;
use crate::{DecodeError, EncodeError};
use bytes::{BufMut, Bytes, BytesMut};

/// The B bit.
const START_OF_FRAME: u8 = 0x08;

/// The E bit.
const END_OF_FRAME: u8 = 0x04;

/// The first bytes of every payload (draft-ietf-payload-vp9-16 §4.2).
///
/// ```text
///  flexible mode (F = 1)         non-flexible mode (F = 0)
///       0 1 2 3 4 5 6 7               0 1 2 3 4 5 6 7
///      +-+-+-+-+-+-+-+-+             +-+-+-+-+-+-+-+-+
///      |I|P|L|F|B|E|V|Z|             |I|P|L|F|B|E|V|Z|
///      +-+-+-+-+-+-+-+-+             +-+-+-+-+-+-+-+-+
/// I:   |M| PICTURE ID  |        I:   |M| PICTURE ID  |
///      +-+-+-+-+-+-+-+-+             +-+-+-+-+-+-+-+-+
/// M:   | EXTENDED PID  |        M:   | EXTENDED PID  |
///      +-+-+-+-+-+-+-+-+             +-+-+-+-+-+-+-+-+
/// L:   | TID |U| SID |D|        L:   | TID |U| SID |D|
///      +-+-+-+-+-+-+-+-+  -\         +-+-+-+-+-+-+-+-+
/// P,F: | P_DIFF      |N|  up to 3    |   TL0PICIDX   |
///      +-+-+-+-+-+-+-+-+  -/         +-+-+-+-+-+-+-+-+
/// V:   | SS            |        V:   | SS            |
///      | ..            |             | ..            |
///      +-+-+-+-+-+-+-+-+             +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// I: the running number of the picture. Flexible mode needs it.
    pub picture_id: Option<PictureId>,
    /// P: the frame refers to other pictures.
    pub inter_predicted: bool,
    /// F: flexible mode. Ignored in a descriptor without picture id, and changes at a key picture
    /// only.
    pub flexible: bool,
    /// B: the payload begins with the beginning of a layer frame.
    pub start_of_frame: bool,
    /// E: the payload ends with the end of a layer frame.
    pub end_of_frame: bool,
    /// Z: no higher spatial layer refers to this frame.
    pub not_reference: bool,
    /// L: which layer the frame is of.
    pub layer: Option<LayerIndices>,
    /// TL0PICIDX: the running number of the picture of the base temporal layer that this one is, or
    /// depends on. There exactly in non-flexible mode with [`layer`](Self::layer).
    pub tl0_pic_idx: Option<u8>,
    /// P_DIFF: how many pictures back the references are, 1 to 127 each; 0 for none. There exactly
    /// in flexible mode with [`inter_predicted`](Self::inter_predicted).
    pub references: [u8; 3],
    /// V: what layers there are, at the start of a key picture.
    pub structure: Option<ScalabilityStructure>,
}

/// The layers of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerIndices {
    /// TID: the temporal layer, 0 to 7.
    pub temporal: u8,
    /// U: later pictures of higher temporal layers do not depend on any before this one.
    pub switching_up: bool,
    /// SID: the spatial layer, 0 to 7.
    pub spatial: u8,
    /// D: the frame depends on the next lower spatial layer of the same picture.
    pub inter_layer_predicted: bool,
}

impl Descriptor {
    /// Reads the descriptor of a payload, and gives what follows it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the payload ends within the descriptor, [`DecodeError::Value`]
    /// for more than three references, or one to the picture itself.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (&first, mut rest) = payload.split_first().ok_or(DecodeError::Truncated)?;
        let present = |bit: u8| first & bit != 0;
        let mut descriptor = Self {
            inter_predicted: present(0x40),
            // F without I must be ignored.
            flexible: present(0x10) && present(0x80),
            start_of_frame: present(START_OF_FRAME),
            end_of_frame: present(END_OF_FRAME),
            not_reference: present(0x01),
            ..Self::default()
        };
        if present(0x80) {
            let (id, after) = PictureId::parse(rest)?;
            descriptor.picture_id = Some(id);
            rest = after;
        }
        if present(0x20) {
            descriptor.layer = Some(LayerIndices::from(take(&mut rest)?));
            if !descriptor.flexible {
                descriptor.tl0_pic_idx = Some(take(&mut rest)?);
            }
        }
        if descriptor.flexible && descriptor.inter_predicted {
            descriptor.references = parse_references(&mut rest)?;
        }
        if present(0x02) {
            let (structure, after) = ScalabilityStructure::parse(rest)?;
            descriptor.structure = Some(structure);
            rest = after;
        }
        Ok((descriptor, rest))
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + self.picture_id.map_or(0, PictureId::encoded_len)
            + usize::from(self.layer.is_some())
            + usize::from(self.tl0_pic_idx.is_some())
            + self.references().count()
            + (self.structure.as_ref()).map_or(0, ScalabilityStructure::encoded_len)
    }

    /// Writes the descriptor to the beginning of `out`, and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooSmall`] if `out` is short, [`EncodeError::Value`] if a number does not fit
    /// its field, or a field is there that should not be, or the other way round.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let len = self.encoded_len();
        let (first, mut rest) = (out.get_mut(..len))
            .and_then(<[u8]>::split_first_mut)
            .ok_or(EncodeError::TooSmall)?;
        let references = self.references().count();
        if (self.flexible && self.picture_id.is_none())
            || self.tl0_pic_idx.is_some() != (self.layer.is_some() && !self.flexible)
            || (references != 0) != (self.flexible && self.inter_predicted)
        {
            return Err(EncodeError::Value);
        }
        *first = u8::from(self.picture_id.is_some()) << 7
            | u8::from(self.inter_predicted) << 6
            | u8::from(self.layer.is_some()) << 5
            | u8::from(self.flexible) << 4
            | u8::from(self.start_of_frame) << 3
            | u8::from(self.end_of_frame) << 2
            | u8::from(self.structure.is_some()) << 1
            | u8::from(self.not_reference);
        if let Some(id) = self.picture_id {
            rest = id.write(rest)?;
        }
        if let Some(layer) = self.layer {
            put(&mut rest, layer.to_byte()?)?;
        }
        if let Some(index) = self.tl0_pic_idx {
            put(&mut rest, index)?;
        }
        for (index, difference) in self.references().enumerate() {
            if difference > 0x7F {
                return Err(EncodeError::Value);
            }
            let more = index + 1 < references;
            put(&mut rest, difference << 1 | u8::from(more))?;
        }
        if let Some(structure) = &self.structure {
            structure.write(rest)?;
        }
        Ok(len)
    }

    /// Whether the payload behind this descriptor is the beginning of a picture.
    #[must_use]
    pub fn is_picture_start(&self) -> bool {
        self.start_of_frame && self.layer.is_none_or(|layer| layer.spatial == 0)
    }

    /// Whether the payload behind this descriptor is the beginning of a key picture: P is 0, SID or
    /// L is 0, and B is 1.
    #[must_use]
    pub fn is_keyframe(&self) -> bool {
        self.is_picture_start() && !self.inter_predicted
    }

    fn references(&self) -> impl Iterator<Item = u8> {
        (self.references.into_iter()).filter(|&difference| difference != 0)
    }
}

impl From<u8> for LayerIndices {
    fn from(byte: u8) -> Self {
        Self {
            temporal: byte >> 5,
            switching_up: byte & 0x10 != 0,
            spatial: byte >> 1 & 0x07,
            inter_layer_predicted: byte & 0x01 != 0,
        }
    }
}

impl LayerIndices {
    fn to_byte(self) -> Result<u8, EncodeError> {
        if self.temporal > 7 || self.spatial > 7 {
            return Err(EncodeError::Value);
        }
        Ok(self.temporal << 5
            | u8::from(self.switching_up) << 4
            | self.spatial << 1
            | u8::from(self.inter_layer_predicted))
    }
}

fn parse_references(rest: &mut &[u8]) -> Result<[u8; 3], DecodeError> {
    let mut references = [0; 3];
    for reference in &mut references {
        let byte = take(rest)?;
        *reference = byte >> 1;
        if *reference == 0 {
            return Err(DecodeError::Value);
        }
        if byte & 0x01 == 0 {
            return Ok(references);
        }
    }
    // N announces a fourth.
    Err(DecodeError::Value)
}

fn take(rest: &mut &[u8]) -> Result<u8, DecodeError> {
    let (&first, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
    *rest = after;
    Ok(first)
}

fn put(rest: &mut &mut [u8], byte: u8) -> Result<(), EncodeError> {
    let slot = rest.split_off_first_mut().ok_or(EncodeError::TooSmall)?;
    *slot = byte;
    Ok(())
}

/// What a [`Packetizer`] puts into the descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The number of the first picture, and with it its width: 15 bits, as browsers send, by
    /// default. It should start on a random number (§4.2).
    pub picture_id: PictureId,
    /// Flexible mode: every frame says itself what it refers to, always the frame before. Off by
    /// default, as in browsers without spatial layers: a scalability structure in the key frames
    /// says so once.
    pub flexible: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            picture_id: PictureId::Long(0),
            flexible: false,
        }
    }
}

/// Cuts VP9 frames of one layer.
#[derive(Debug, Default)]
pub struct Packetizer {
    config: Config,
    /// Payloads are made in here; its memory comes back when they are dropped.
    buffer: BytesMut,
    /// The descriptor at hand.
    head: Vec<u8>,
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

    /// Writes the descriptor of the first packet of a frame, or of the others, to `head`.
    fn describe(&mut self, frame: &FrameHeader, first: bool) -> Result<(), DecodeError> {
        let flexible = self.config.flexible;
        let structure = ScalabilityStructure::one_layer(frame.resolution, !flexible);
        let descriptor = Descriptor {
            picture_id: Some(self.config.picture_id),
            inter_predicted: !frame.keyframe,
            flexible,
            start_of_frame: first,
            references: [u8::from(flexible && !frame.keyframe), 0, 0],
            structure: (first && frame.keyframe).then_some(structure),
            ..Descriptor::default()
        };
        self.head.resize(descriptor.encoded_len(), 0);
        let written = descriptor.write(&mut self.head);
        written.map(drop).map_err(|_| DecodeError::Value)
    }
}

impl super::Packetizer for Packetizer {
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError> {
        let header = FrameHeader::parse(frame)?;
        self.describe(&header, true)?;
        // The first descriptor is the longest.
        let room = max_payload.saturating_sub(self.head.len());
        if room == 0 {
            return Err(DecodeError::Length);
        }
        let packets = frame.len().div_ceil(room);
        self.buffer.reserve(frame.len() + packets * self.head.len());
        for part in cuts(frame.len(), room) {
            let (first, last) = (part.start == 0, part.end == frame.len());
            if !first {
                self.describe(&header, false)?;
            }
            if last {
                self.head[0] |= END_OF_FRAME;
            }
            self.buffer.put_slice(&self.head);
            self.buffer.put_slice(&frame[part]);
            emit(self.buffer.split().freeze(), last);
        }
        self.config.picture_id = self.config.picture_id.next();
        Ok(())
    }
}

/// Puts VP9 pictures together: the frames of their layers, one after the other.
#[derive(Debug, Default)]
pub struct Depacketizer {
    /// Whether a layer frame is under way.
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
            // Every layer frame begins with B and ends with E (§4.3).
            if descriptor.start_of_frame == self.under_way {
                return Err(DecodeError::Value);
            }
            if data.is_empty() {
                return Err(DecodeError::Truncated);
            }
            frame.put_slice(data);
            self.under_way = !descriptor.end_of_frame;
        }
        if last && std::mem::take(&mut self.under_way) {
            return Err(DecodeError::Truncated);
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.under_way = false;
    }

    fn is_frame_start(&self, payload: &[u8]) -> bool {
        Descriptor::parse(payload).is_ok_and(|(descriptor, _)| descriptor.is_picture_start())
    }

    fn is_keyframe(&self, payload: &[u8]) -> bool {
        Descriptor::parse(payload).is_ok_and(|(descriptor, _)| descriptor.is_keyframe())
    }
}
