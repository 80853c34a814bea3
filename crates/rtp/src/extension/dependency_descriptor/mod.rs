//! The dependency descriptor (AV1 RTP specification, appendix A): which frames a frame needs, in
//! any codec.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |S|E|template id|         frame number          |T|A|D|F|C| ... |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! S start, E end of a frame; then, beyond three bytes: T a structure follows, A a mask of active
//! decode targets, and, of this frame alone: D indications, F frame differences, C chains
//! ```

mod structure;

pub use structure::{Template, TemplateStructure};

use super::Value;
use super::bits::{BitReader, BitWriter};
use crate::{DecodeError, EncodeError};
use smallvec::SmallVec;

/// The length of a descriptor that has nothing but its mandatory fields.
const MANDATORY_LEN: usize = 3;

/// What a decode target has of a frame (Table A.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecodeTargetIndication {
    /// Nothing.
    #[default]
    NotPresent,
    /// Something that may be left out.
    Discardable,
    /// Something, and a receiver can switch to the target here.
    Switch,
    /// Something that is needed.
    Required,
}

/// The dependencies of the frame that a packet is of.
///
/// A structure comes with the first packet of a coded video sequence. Who reads descriptors keeps
/// the last structure of the stream and lends it to [`parse`](Self::parse):
///
/// ```
/// # use muonrtc_rtp::{DecodeError, extension::{DependencyDescriptor, TemplateStructure}};
/// # fn read(value: &[u8], last: &mut Option<TemplateStructure>) -> Result<(), DecodeError> {
/// let mut descriptor = DependencyDescriptor::parse(value, last.as_ref())?;
/// if let Some(structure) = descriptor.structure.take() {
///     *last = Some(structure);
/// }
/// if let Some(frame) = last.as_ref().and_then(|structure| structure.frame(&descriptor)) {
///     println!("layer {} {}", frame.spatial_id, frame.temporal_id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DependencyDescriptor {
    /// Whether the frame begins with this packet.
    pub start_of_frame: bool,
    /// Whether the frame ends with this packet.
    pub end_of_frame: bool,
    /// The template of the frame; 6 bits.
    pub template_id: u8,
    /// Counts frames in decode order, wrapping.
    pub frame_number: u16,
    /// The structure that holds from here on.
    pub structure: Option<TemplateStructure>,
    /// Which decode targets are sent, the first in the lowest bit. With a structure all of them,
    /// unless something else is said.
    pub active_decode_targets: Option<u32>,
    /// What each decode target has of this frame, if it is not what the template says.
    pub decode_target_indications: Option<SmallVec<[DecodeTargetIndication; 16]>>,
    /// How many frames ago each frame was that this one refers to, 1 to 4096, if it is not what the
    /// template says.
    pub frame_differences: Option<SmallVec<[u16; 4]>>,
    /// How many frames ago the last frame of each chain was, if it is not what the template says; 0
    /// when none is needed.
    pub chain_differences: Option<SmallVec<[u8; 4]>>,
}

/// The dependencies of a frame, from its template and from what is said of it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameDependencies<'a> {
    /// The spatial layer.
    pub spatial_id: u8,
    /// The temporal layer.
    pub temporal_id: u8,
    /// What each decode target has of it.
    pub decode_target_indications: &'a [DecodeTargetIndication],
    /// How many frames ago each frame was that it refers to.
    pub frame_differences: &'a [u16],
    /// How many frames ago the last frame of each chain was; 0 when none is needed.
    pub chain_differences: &'a [u8],
    /// Width and height of the spatial layer in pixels, where the structure says them.
    pub resolution: Option<(u32, u32)>,
}

impl DecodeTargetIndication {
    fn parse(bits: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        Ok(match bits.u8(2)? {
            0 => Self::NotPresent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        })
    }

    fn write(self, bits: &mut BitWriter) -> Result<(), EncodeError> {
        bits.put(
            2,
            match self {
                Self::NotPresent => 0_u8,
                Self::Discardable => 1,
                Self::Switch => 2,
                Self::Required => 3,
            },
        )
    }
}

impl DependencyDescriptor {
    /// What names it in SDP.
    pub const URI: &'static str =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

    /// Reads the value of an element. `structure` is the last one of the stream.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Unsupported`] if a structure is needed and there is none; otherwise a
    /// [`DecodeError`] if the value is too short or a field has a forbidden value.
    pub fn parse(value: &[u8], structure: Option<&TemplateStructure>) -> Result<Self, DecodeError> {
        let mut bits = BitReader::new(value);
        let mut descriptor = Self {
            start_of_frame: bits.flag()?,
            end_of_frame: bits.flag()?,
            template_id: bits.u8(6)?,
            frame_number: bits.u16(16)?,
            ..Self::default()
        };
        if value.len() > MANDATORY_LEN {
            descriptor.parse_extended(&mut bits, structure)?;
        }
        Ok(descriptor)
    }

    fn parse_extended(
        &mut self,
        bits: &mut BitReader<'_>,
        last: Option<&TemplateStructure>,
    ) -> Result<(), DecodeError> {
        let (with_structure, with_active) = (bits.flag()?, bits.flag()?);
        let (with_indications, with_frames, with_chains) =
            (bits.flag()?, bits.flag()?, bits.flag()?);
        if with_structure {
            let structure = TemplateStructure::parse(bits)?;
            self.active_decode_targets = Some(structure.all_decode_targets());
            self.structure = Some(structure);
        }
        // Without one only the frame differences can be read.
        let structure = self.structure.as_ref().or(last);
        let (targets, chains) = match structure {
            Some(structure) => (structure.decode_target_count, structure.chain_count()),
            None if with_active || with_indications || with_chains => {
                return Err(DecodeError::Unsupported);
            }
            None => (0, 0),
        };
        if with_active {
            self.active_decode_targets = Some(bits.u32(targets.into())?);
        }
        if with_indications {
            let list = (0..targets).map(|_| DecodeTargetIndication::parse(bits));
            self.decode_target_indications = Some(list.collect::<Result<_, _>>()?);
        }
        if with_frames {
            self.frame_differences = Some(parse_frame_differences(bits)?);
        }
        if with_chains {
            let list = (0..chains).map(|_| bits.u8(8));
            self.chain_differences = Some(list.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Writes the value of an element. `structure` is the last one of the stream; where this
    /// descriptor has one, it is that.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] if a field does not fit, or a list does not have the length that the
    /// structure gives it.
    pub fn write(&self, structure: Option<&TemplateStructure>) -> Result<Value, EncodeError> {
        let mut bits = BitWriter::default();
        bits.flag(self.start_of_frame);
        bits.flag(self.end_of_frame);
        bits.put(6, self.template_id)?;
        bits.put(16, self.frame_number)?;
        let active = self.explicit_decode_targets();
        let extended = self.structure.is_some()
            || active.is_some()
            || self.decode_target_indications.is_some()
            || self.frame_differences.is_some()
            || self.chain_differences.is_some();
        if extended {
            self.write_extended(&mut bits, active, structure)?;
        }
        Ok(bits.finish())
    }

    fn write_extended(
        &self,
        bits: &mut BitWriter,
        active: Option<u32>,
        last: Option<&TemplateStructure>,
    ) -> Result<(), EncodeError> {
        bits.flag(self.structure.is_some());
        bits.flag(active.is_some());
        bits.flag(self.decode_target_indications.is_some());
        bits.flag(self.frame_differences.is_some());
        bits.flag(self.chain_differences.is_some());
        if let Some(structure) = &self.structure {
            structure.write(bits)?;
        }
        let (targets, chains) = match self.structure.as_ref().or(last) {
            Some(structure) => (structure.decode_target_count, structure.chain_count()),
            None => (0, 0),
        };
        if let Some(active) = active {
            bits.put(targets.into(), active)?;
        }
        if let Some(list) = &self.decode_target_indications {
            same_len(list.len(), targets)?;
            list.iter().try_for_each(|one| one.write(bits))?;
        }
        if let Some(list) = &self.frame_differences {
            write_frame_differences(bits, list)?;
        }
        if let Some(list) = &self.chain_differences {
            same_len(list.len(), chains)?;
            list.iter().try_for_each(|one| bits.put(8, *one))?;
        }
        Ok(())
    }

    /// The mask that has to be said: beside a structure, all targets need not.
    fn explicit_decode_targets(&self) -> Option<u32> {
        let all = self
            .structure
            .as_ref()
            .map(TemplateStructure::all_decode_targets);
        self.active_decode_targets.filter(|mask| all != Some(*mask))
    }
}

fn same_len(len: usize, wanted: u8) -> Result<(), EncodeError> {
    if len == usize::from(wanted) {
        Ok(())
    } else {
        Err(EncodeError::Value)
    }
}

/// A.8.2, `frame_fdiffs`.
fn parse_frame_differences(bits: &mut BitReader<'_>) -> Result<SmallVec<[u16; 4]>, DecodeError> {
    let mut list = SmallVec::new();
    loop {
        match bits.u32(2)? {
            0 => return Ok(list),
            nibbles => list.push(bits.u16(4 * nibbles)? + 1),
        }
    }
}

fn write_frame_differences(bits: &mut BitWriter, list: &[u16]) -> Result<(), EncodeError> {
    for difference in list {
        let less = difference.checked_sub(1).ok_or(EncodeError::Value)?;
        let nibbles = match less {
            0..=0xF => 1,
            0x10..=0xFF => 2,
            _ => 3_u32,
        };
        bits.put(2, nibbles)?;
        bits.put(4 * nibbles, less)?;
    }
    bits.put(2, 0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smallvec::smallvec;

    /// L1T3 of A.10.2.1: three temporal layers, four templates, one chain.
    fn structure() -> TemplateStructure {
        use DecodeTargetIndication::{Discardable as D, NotPresent as N, Switch as S};
        let template =
            |temporal_id, indications: [DecodeTargetIndication; 3], frames: &[u16], chain| {
                Template {
                    spatial_id: 0,
                    temporal_id,
                    decode_target_indications: indications.as_slice().into(),
                    frame_differences: frames.into(),
                    chain_differences: smallvec![chain],
                }
            };
        TemplateStructure {
            template_id_offset: 62,
            decode_target_count: 3,
            templates: vec![
                template(0, [S, S, S], &[], 0),
                template(0, [S, S, S], &[4], 4),
                template(1, [S, D, N], &[2], 2),
                template(2, [D, N, N], &[1], 1),
                template(2, [D, N, N], &[1], 3),
            ],
            protected_by: smallvec![0, 0, 0],
            resolutions: smallvec![(640, 360)],
        }
    }

    fn comes_back(descriptor: &DependencyDescriptor, last: Option<&TemplateStructure>) -> usize {
        let value = descriptor.write(last).unwrap();
        let parsed = DependencyDescriptor::parse(&value, last);
        assert_eq!(parsed.as_ref(), Ok(descriptor));
        for len in 0..value.len() {
            let short = DependencyDescriptor::parse(&value[..len], last);
            assert!(len == MANDATORY_LEN || short.is_err(), "{len}");
        }
        value.len()
    }

    #[test]
    fn three_bytes_are_enough_for_a_frame_of_a_template() {
        let descriptor = DependencyDescriptor {
            start_of_frame: true,
            template_id: 1,
            frame_number: 0x0203,
            ..DependencyDescriptor::default()
        };
        assert_eq!(descriptor.write(None).as_deref(), Ok(&[0x81, 2, 3][..]));
        comes_back(&descriptor, None);
    }

    // media-033
    #[test]
    fn a_structure_comes_back() {
        let structure = structure();
        let descriptor = DependencyDescriptor {
            start_of_frame: true,
            end_of_frame: true,
            template_id: 62,
            active_decode_targets: Some(structure.all_decode_targets()),
            structure: Some(structure),
            ..DependencyDescriptor::default()
        };
        assert!(comes_back(&descriptor, None) < 24);
    }

    // media-033
    #[test]
    fn what_is_said_of_a_frame_alone_comes_back() {
        let structure = structure();
        let descriptor = DependencyDescriptor {
            template_id: 63,
            active_decode_targets: Some(0b001),
            decode_target_indications: Some(smallvec![DecodeTargetIndication::Required; 3]),
            frame_differences: Some(smallvec![1, 16, 17, 256, 257, 4096]),
            chain_differences: Some(smallvec![255]),
            ..DependencyDescriptor::default()
        };
        comes_back(&descriptor, Some(&structure));
        let frame = structure.frame(&descriptor).unwrap();
        assert_eq!(frame.frame_differences, [1, 16, 17, 256, 257, 4096]);
        assert_eq!(frame.chain_differences, [255]);
        assert_eq!(frame.resolution, Some((640, 360)));
    }

    #[test]
    fn a_frame_takes_what_it_does_not_say_from_its_template() {
        let structure = structure();
        // The ids wrap at 64: the template is the fourth.
        let descriptor = DependencyDescriptor {
            template_id: 1,
            ..DependencyDescriptor::default()
        };
        let frame = structure.frame(&descriptor).unwrap();
        assert_eq!(frame.temporal_id, 2);
        assert_eq!(frame.frame_differences, [1]);
        assert_eq!(frame.chain_differences, [1]);
        let unknown = DependencyDescriptor {
            template_id: 3,
            ..DependencyDescriptor::default()
        };
        assert_eq!(structure.frame(&unknown), None);
    }

    #[test]
    fn without_a_structure_only_frame_differences_are_read() {
        for (flags, readable) in [(0x10, true), (0x40, false), (0x20, false), (0x08, false)] {
            let parsed = DependencyDescriptor::parse(&[0, 0, 0, flags], None);
            let wanted = if readable {
                Ok(DependencyDescriptor {
                    frame_differences: Some(smallvec![]),
                    ..DependencyDescriptor::default()
                })
            } else {
                Err(DecodeError::Unsupported)
            };
            assert_eq!(parsed, wanted, "{flags:#x}");
        }
    }

    #[test]
    fn a_list_of_another_length_is_not_written() {
        let descriptor = DependencyDescriptor {
            chain_differences: Some(smallvec![1, 2]),
            ..DependencyDescriptor::default()
        };
        let written = descriptor.write(Some(&structure()));
        assert_eq!(written, Err(EncodeError::Value));
    }
}
