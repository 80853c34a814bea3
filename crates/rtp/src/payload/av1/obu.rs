use super::leb128;
use crate::DecodeError;
use bytes::{BufMut, BytesMut};
use std::ops::Range;

/// The first byte of an OBU, and the second if it has an extension (AV1 specification §5.3).
///
/// ```text
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |F| type  |X|S|-| TID |SID|-|-|-|
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObuHeader {
    /// obu_type; see [`kind`].
    pub kind: u8,
    /// The layer that the OBU is of.
    pub extension: Option<ObuExtension>,
    /// obu_has_size_field.
    pub has_size: bool,
}

/// The layer of an OBU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObuExtension {
    /// temporal_id, 0 to 7.
    pub temporal: u8,
    /// spatial_id, 0 to 3.
    pub spatial: u8,
}

/// The types of OBUs that matter here (AV1 specification §6.2.2).
pub mod kind {
    /// The parameters of a coded video sequence.
    pub const SEQUENCE_HEADER: u8 = 1;
    /// The beginning of a temporal unit.
    pub const TEMPORAL_DELIMITER: u8 = 2;
    /// The header of a frame whose tiles follow.
    pub const FRAME_HEADER: u8 = 3;
    /// Metadata.
    pub const METADATA: u8 = 5;
    /// A frame, header and tiles.
    pub const FRAME: u8 = 6;
    /// A list of tiles, which is not sent.
    pub const TILE_LIST: u8 = 8;
}

impl ObuHeader {
    /// Reads the header of an OBU, and gives what follows it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if it is short, [`DecodeError::Value`] if the forbidden bit is
    /// set.
    pub fn parse(obu: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (first, mut rest) = obu.split_first().ok_or(DecodeError::Truncated)?;
        if first & 0x80 != 0 {
            return Err(DecodeError::Value);
        }
        let mut extension = None;
        if first & 0x04 != 0 {
            let (layer, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
            extension = Some(ObuExtension {
                temporal: layer >> 5,
                spatial: layer >> 3 & 0x03,
            });
            rest = after;
        }
        let header = Self {
            kind: first >> 3 & 0x0F,
            extension,
            has_size: first & 0x02 != 0,
        };
        Ok((header, rest))
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + usize::from(self.extension.is_some())
    }

    /// The two bytes; the second counts if there is an extension.
    pub(super) fn to_bytes(self) -> [u8; 2] {
        let layer = self.extension.unwrap_or_default();
        let first = (self.kind & 0x0F) << 3
            | u8::from(self.extension.is_some()) << 2
            | u8::from(self.has_size) << 1;
        [first, layer.temporal << 5 | (layer.spatial & 0x03) << 3]
    }
}

/// An OBU of a temporal unit.
#[derive(Clone, Debug)]
pub(super) struct Obu {
    pub(super) header: ObuHeader,
    /// What follows header and size.
    pub(super) payload: Range<usize>,
}

impl Obu {
    /// Reads the OBU that begins at `start`. One without size goes to the end.
    pub(super) fn parse(unit: &[u8], start: usize) -> Result<Self, DecodeError> {
        let (header, mut rest) = ObuHeader::parse(unit.get(start..).unwrap_or_default())?;
        let mut len = rest.len();
        if header.has_size {
            (len, rest) = leb128::parse(rest)?;
        }
        if len > rest.len() {
            return Err(DecodeError::Truncated);
        }
        let start = unit.len() - rest.len();
        Ok(Self {
            header,
            payload: start..start + len,
        })
    }

    /// Bytes of the OBU as it is sent, without its size.
    pub(super) fn len(&self) -> usize {
        self.header.encoded_len() + self.payload.len()
    }

    /// Writes a part of the OBU as it is sent, without its size (§4.5).
    pub(super) fn put(&self, unit: &[u8], part: Range<usize>, out: &mut BytesMut) {
        let header = ObuHeader {
            has_size: false,
            ..self.header
        };
        let head = &header.to_bytes()[..header.encoded_len()];
        let payload = &unit[self.payload.clone()];
        let cut = |at: usize| (at.min(head.len()), at.saturating_sub(head.len()));
        let ((head_start, start), (head_end, end)) = (cut(part.start), cut(part.end));
        out.put_slice(&head[head_start..head_end]);
        out.put_slice(&payload[start..end]);
    }

    /// Whether it begins a key frame: show_existing_frame is 0, and frame_type too (AV1
    /// specification §5.9.2).
    pub(super) fn is_key_frame(&self, unit: &[u8]) -> bool {
        matches!(self.header.kind, kind::FRAME_HEADER | kind::FRAME)
            && unit[self.payload.clone()]
                .first()
                .is_some_and(|first| first & 0xE0 == 0)
    }
}

/// Writes an OBU that came without its size, or with it, as the low-overhead bitstream format has
/// it.
pub(super) fn put_sized(obu: &[u8], out: &mut BytesMut) -> Result<(), DecodeError> {
    let parsed = Obu::parse(obu, 0)?;
    if matches!(
        parsed.header.kind,
        kind::TEMPORAL_DELIMITER | kind::TILE_LIST
    ) {
        // Must be ignored (§5).
        return Ok(());
    }
    let header = ObuHeader {
        has_size: true,
        ..parsed.header
    };
    let payload = &obu[parsed.payload];
    out.reserve(header.encoded_len() + leb128::encoded_len(payload.len()) + payload.len());
    out.put_slice(&header.to_bytes()[..header.encoded_len()]);
    leb128::write(payload.len(), out);
    out.put_slice(payload);
    Ok(())
}
