//! AV1 temporal units in the low-overhead bitstream format (AV1 §5.2 to §5.9).

use super::{Bits, Dimensions};

/// `obu_type` of a sequence header (§6.2.2).
const SEQUENCE_HEADER: u8 = 1;
/// `obu_type` of a temporal delimiter.
const TEMPORAL_DELIMITER: u8 = 2;
/// `obu_type` of a frame header.
const FRAME_HEADER: u8 = 3;
/// `obu_type` of a frame.
const FRAME: u8 = 6;

/// An open bitstream unit (§5.3).
///
/// ```text
/// +-+-+-+-+-+-+-+-+
/// |0|  type |X|S|0|  X: one more byte; S: the length follows, as leb128
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obu<'a> {
    pub(crate) kind: u8,
    pub(crate) payload: &'a [u8],
    /// All of it, with its header.
    pub(crate) whole: &'a [u8],
}

impl<'a> Obu<'a> {
    /// The first unit of `bytes`.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = *bytes.first()?;
        if header & 0x80 != 0 {
            return None;
        }
        let mut start = if header & 4 == 0 { 1 } else { 2 };
        let mut end = bytes.len();
        if header & 2 != 0 {
            let (len, bytes_of_len) = leb128(bytes.get(start..)?)?;
            start += bytes_of_len;
            end = start.checked_add(len)?;
        }
        Some(Self {
            kind: header >> 3 & 0x0F,
            payload: bytes.get(start..end)?,
            whole: bytes.get(..end)?,
        })
    }
}

/// The units of a temporal unit, up to the first that is broken.
pub(crate) fn units(mut temporal_unit: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    std::iter::from_fn(move || {
        let obu = Obu::parse(temporal_unit)?;
        temporal_unit = &temporal_unit[obu.whole.len()..];
        Some(obu)
    })
}

/// A number in leb128 (§4.10.5), and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, index + 1));
        }
    }
    None
}

/// A decoder begins with a sequence header and a key frame that is not a repetition (§7.6.2).
pub(super) fn is_keyframe(temporal_unit: &[u8]) -> bool {
    let mut sequence = None;
    for obu in units(temporal_unit) {
        match obu.kind {
            SEQUENCE_HEADER => sequence = obu.payload.first(),
            FRAME_HEADER | FRAME => {
                // In a still picture with the reduced header, nothing says what kind of frame it is.
                let still = sequence.is_some_and(|first| first & 0x08 != 0);
                // show_existing_frame (1), frame_type (2)
                let key = obu.payload.first().is_some_and(|first| first & 0xE0 == 0);
                return sequence.is_some() && (still || key);
            }
            _ => {}
        }
    }
    false
}

/// The largest size of a frame of the sequence.
pub(super) fn dimensions(temporal_unit: &[u8]) -> Option<Dimensions> {
    let obu = sequence_header(temporal_unit)?;
    Some(SequenceHeader::parse(obu.payload)?.dimensions)
}

pub(crate) fn sequence_header(temporal_unit: &[u8]) -> Option<Obu<'_>> {
    units(temporal_unit).find(|obu| obu.kind == SEQUENCE_HEADER)
}

/// What is wanted of a sequence header (§5.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SequenceHeader {
    pub(crate) dimensions: Dimensions,
    pub(crate) profile: u8,
    /// `seq_level_idx` of the first operating point.
    pub(crate) level: u8,
    /// `seq_tier` of the first operating point.
    pub(crate) tier: bool,
    pub(crate) color: Color,
}

/// The depth of the samples, and how many of them are color (§5.5.2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Color {
    pub(crate) high_bit_depth: bool,
    pub(crate) twelve_bit: bool,
    pub(crate) monochrome: bool,
    pub(crate) subsampling_x: bool,
    pub(crate) subsampling_y: bool,
    pub(crate) sample_position: u8,
}

impl SequenceHeader {
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(payload);
        let profile = byte(&mut bits, 3)?;
        bits.skip(1)?;
        let reduced = bits.flag()?;
        let (level, tier) = if reduced {
            (byte(&mut bits, 5)?, false)
        } else {
            operating_points(&mut bits)?
        };
        let width_bits = bits.field(4)? + 1;
        let height_bits = bits.field(4)? + 1;
        let width = bits.field(width_bits)? + 1;
        let height = bits.field(height_bits)? + 1;
        tools(&mut bits, reduced)?;
        Some(Self {
            dimensions: Dimensions::new(width, height)?,
            profile,
            level,
            tier,
            color: Color::parse(&mut bits, profile)?,
        })
    }
}

/// Level and tier of the first operating point, and what stands before and after them.
fn operating_points(bits: &mut Bits<'_>) -> Option<(u8, bool)> {
    let mut buffer_delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?;
        if bits.flag()? {
            bits.ue()?;
        }
        if bits.flag()? {
            buffer_delay_bits = Some(bits.field(5)? + 1);
            bits.skip(42)?;
        }
    }
    let initial_display_delay = bits.flag()?;
    let count = bits.field(5)? + 1;
    let mut first = None;
    for _ in 0..count {
        bits.skip(12)?;
        let level = byte(bits, 5)?;
        let tier = level > 7 && bits.flag()?;
        if let Some(width) = buffer_delay_bits
            && bits.flag()?
        {
            bits.skip(2 * width as usize + 1)?;
        }
        if initial_display_delay && bits.flag()? {
            bits.skip(4)?;
        }
        first.get_or_insert((level, tier));
    }
    first
}

/// Passes over the coding tools, between the size and the color.
fn tools(bits: &mut Bits<'_>, reduced: bool) -> Option<()> {
    if !reduced && bits.flag()? {
        bits.skip(7)?;
    }
    bits.skip(3)?;
    if !reduced {
        bits.skip(4)?;
        let order_hint = bits.flag()?;
        if order_hint {
            bits.skip(2)?;
        }
        let choose_screen_content_tools = bits.flag()?;
        if choose_screen_content_tools || bits.flag()? {
            let choose_integer_mv = bits.flag()?;
            if !choose_integer_mv {
                bits.skip(1)?;
            }
        }
        if order_hint {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}

impl Color {
    fn parse(bits: &mut Bits<'_>, profile: u8) -> Option<Self> {
        let high_bit_depth = bits.flag()?;
        let twelve_bit = profile == 2 && high_bit_depth && bits.flag()?;
        let monochrome = profile != 1 && bits.flag()?;
        let described = bits.flag()?;
        // Primaries, transfer and matrix of sRGB (§6.4.2), which is not subsampled.
        let srgb = described && bits.field(24)? == 0x0001_0D00;
        let mut color = Self {
            high_bit_depth,
            twelve_bit,
            monochrome,
            ..Self::default()
        };
        if monochrome {
            color.subsampling_x = true;
            color.subsampling_y = true;
            return Some(color);
        }
        if srgb {
            return Some(color);
        }
        bits.skip(1)?;
        (color.subsampling_x, color.subsampling_y) = match profile {
            0 => (true, true),
            1 => (false, false),
            _ if twelve_bit => {
                let across = bits.flag()?;
                (across, across && bits.flag()?)
            }
            _ => (true, false),
        };
        if color.subsampling_x && color.subsampling_y {
            color.sample_position = byte(bits, 2)?;
        }
        Some(color)
    }
}

/// A field of up to 8 bits.
fn byte(bits: &mut Bits<'_>, width: u32) -> Option<u8> {
    u8::try_from(bits.field(width)?).ok()
}

/// How many bytes the delimiter takes at the start of a temporal unit; 0 if it has none.
pub(crate) fn delimiter_len(temporal_unit: &[u8]) -> usize {
    units(temporal_unit)
        .next()
        .filter(|obu| obu.kind == TEMPORAL_DELIMITER)
        .map_or(0, |obu| obu.whole.len())
}

/// Writes a sequence header with its length.
pub(crate) fn write_sequence_header(payload: &[u8], out: &mut Vec<u8>) {
    out.push(SEQUENCE_HEADER << 3 | 2);
    let mut len = payload.len();
    loop {
        let low = u8::try_from(len & 0x7F).unwrap_or(0);
        len >>= 7;
        out.push(low | if len > 0 { 0x80 } else { 0 });
        if len == 0 {
            break;
        }
    }
    out.extend_from_slice(payload);
}
