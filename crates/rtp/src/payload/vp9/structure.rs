use super::{put, take};
use crate::{DecodeError, EncodeError};

/// The scalability structure: the spatial layers, and how the pictures of a group depend on each
/// other (draft-ietf-payload-vp9-16 §4.2.1).
///
/// ```text
///      +-+-+-+-+-+-+-+-+
/// V:   | N_S |Y|G|-|-|-|
///      +-+-+-+-+-+-+-+-+              -\
/// Y:   |     WIDTH     | (OPTIONAL)    .
///      +               +               .
///      |               | (OPTIONAL)    .
///      +-+-+-+-+-+-+-+-+               . - N_S + 1 times
///      |     HEIGHT    | (OPTIONAL)    .
///      +               +               .
///      |               | (OPTIONAL)    .
///      +-+-+-+-+-+-+-+-+              -/
/// G:   |      N_G      | (OPTIONAL)
///      +-+-+-+-+-+-+-+-+                            -\
/// N_G: | TID |U| R |-|-| (OPTIONAL)                 .
///      +-+-+-+-+-+-+-+-+              -\            . - N_G times
///      |    P_DIFF     | (OPTIONAL)    . - R times  .
///      +-+-+-+-+-+-+-+-+              -/            -/
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalabilityStructure {
    /// N_S + 1: the spatial layers, 1 to 8.
    pub spatial_layers: u8,
    /// Y: the size of the frames of each spatial layer; empty if not told.
    pub resolutions: Vec<Resolution>,
    /// G: the pictures of a group, at most 255; `None` if not told. None at all is the same as not
    /// told.
    pub group: Option<Vec<GroupPicture>>,
}

/// The size of a frame, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// WIDTH.
    pub width: u16,
    /// HEIGHT.
    pub height: u16,
}

/// One picture of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupPicture {
    /// TID: its temporal layer, 0 to 7; that of the first is 0.
    pub temporal: u8,
    /// U: later pictures of higher temporal layers do not depend on any before this one.
    pub switching_up: bool,
    /// P_DIFF: how many pictures back its references are; 0 for none.
    pub references: [u8; 3],
}

impl ScalabilityStructure {
    /// That of a stream of one layer, whose frames refer to the one before, told if `group`.
    pub(super) fn one_layer(resolution: Option<Resolution>, group: bool) -> Self {
        let picture = GroupPicture {
            references: [1, 0, 0],
            ..GroupPicture::default()
        };
        Self {
            spatial_layers: 1,
            resolutions: resolution.into_iter().collect(),
            group: group.then(|| vec![picture]),
        }
    }

    /// Reads the structure, and gives what follows it.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut rest = bytes;
        let first = take(&mut rest)?;
        let mut structure = Self {
            spatial_layers: (first >> 5) + 1,
            resolutions: Vec::new(),
            group: None,
        };
        if first & 0x10 != 0 {
            for _ in 0..structure.spatial_layers {
                let (&[w0, w1, h0, h1], after) =
                    rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
                structure.resolutions.push(Resolution {
                    width: u16::from_be_bytes([w0, w1]),
                    height: u16::from_be_bytes([h0, h1]),
                });
                rest = after;
            }
        }
        if first & 0x08 != 0 {
            let count = take(&mut rest)?;
            let pictures = (0..count).map(|_| GroupPicture::parse(&mut rest));
            structure.group = Some(pictures.collect::<Result<_, _>>()?);
        }
        Ok((structure, rest))
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let group = self.group.as_ref().map_or(0, |group| {
            1 + group.iter().map(GroupPicture::encoded_len).sum::<usize>()
        });
        1 + 4 * self.resolutions.len() + group
    }

    /// Writes the structure to the beginning of `out`.
    pub(super) fn write(&self, out: &mut [u8]) -> Result<(), EncodeError> {
        let mut rest = out;
        let sizes = self.resolutions.len();
        if !(1..=8).contains(&self.spatial_layers)
            || (sizes != 0 && sizes != usize::from(self.spatial_layers))
        {
            return Err(EncodeError::Value);
        }
        let first = (self.spatial_layers - 1) << 5
            | u8::from(sizes != 0) << 4
            | u8::from(self.group.is_some()) << 3;
        put(&mut rest, first)?;
        for resolution in &self.resolutions {
            for field in [resolution.width, resolution.height] {
                for byte in field.to_be_bytes() {
                    put(&mut rest, byte)?;
                }
            }
        }
        if let Some(group) = &self.group {
            let count = u8::try_from(group.len()).map_err(|_| EncodeError::Value)?;
            put(&mut rest, count)?;
            for picture in group {
                picture.write(&mut rest)?;
            }
        }
        Ok(())
    }
}

impl GroupPicture {
    fn parse(rest: &mut &[u8]) -> Result<Self, DecodeError> {
        let first = take(rest)?;
        let mut picture = Self {
            temporal: first >> 5,
            switching_up: first & 0x10 != 0,
            references: [0; 3],
        };
        let count = usize::from(first >> 2 & 0x03);
        for reference in &mut picture.references[..count] {
            *reference = take(rest)?;
            if *reference == 0 {
                return Err(DecodeError::Value);
            }
        }
        Ok(picture)
    }

    fn references(&self) -> impl Iterator<Item = u8> {
        (self.references.into_iter()).filter(|&difference| difference != 0)
    }

    fn encoded_len(&self) -> usize {
        1 + self.references().count()
    }

    fn write(&self, rest: &mut &mut [u8]) -> Result<(), EncodeError> {
        let count = self.references().fold(0, |count, _| count + 1);
        if self.temporal > 7 {
            return Err(EncodeError::Value);
        }
        let switching_up = u8::from(self.switching_up) << 4;
        put(rest, self.temporal << 5 | switching_up | count << 2)?;
        for difference in self.references() {
            put(rest, difference)?;
        }
        Ok(())
    }
}
