//! H.264 access units in Annex B form (ITU-T H.264 §7.3).

use super::{Bits, Dimensions, nal};
use std::time::Duration;

/// `nal_unit_type` of a slice of an IDR picture (table 7-1).
const IDR: u8 = 5;
/// `nal_unit_type` of a sequence parameter set.
const SPS: u8 = 7;

/// The five low bits of the header of a unit.
pub(crate) fn unit_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1F)
}

/// A keyframe has slices of an IDR picture.
pub(super) fn is_keyframe(access_unit: &[u8]) -> bool {
    nal::units(access_unit).any(|unit| unit_type(unit) == IDR)
}

pub(super) fn dimensions(access_unit: &[u8]) -> Option<Dimensions> {
    parameters(access_unit).map(|parameters| parameters.dimensions)
}

pub(super) fn frame_duration(access_unit: &[u8]) -> Option<Duration> {
    parameters(access_unit)?.frame_duration
}

fn parameters(access_unit: &[u8]) -> Option<Parameters> {
    let unit = nal::units(access_unit).find(|unit| unit_type(unit) == SPS)?;
    Parameters::parse(&nal::unescape(&unit[1..]))
}

/// What is wanted of a sequence parameter set (§7.3.2.1.1).
struct Parameters {
    dimensions: Dimensions,
    frame_duration: Option<Duration>,
}

impl Parameters {
    fn parse(payload: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(payload);
        let profile = bits.field(8)?;
        bits.skip(16)?;
        bits.ue()?;
        let chroma = chroma_format(&mut bits, profile)?;
        bits.ue()?; // log2_max_frame_num_minus4
        picture_order(&mut bits)?;
        bits.ue()?; // max_num_ref_frames
        bits.skip(1)?;
        let width = bits.ue()?.checked_add(1)?.checked_mul(16)?;
        let height = bits.ue()?.checked_add(1)?.checked_mul(16)?;
        let frame_mbs_only = bits.flag()?;
        let fields = if frame_mbs_only { 1 } else { 2 };
        bits.skip(if frame_mbs_only { 1 } else { 2 })?;
        // Cropping counts in units of chroma samples (equations 7-19 to 7-22).
        let unit = match chroma {
            1 => (2, 2 * fields),
            2 => (2, fields),
            _ => (1, fields),
        };
        let (cropped_width, cropped_height) = cropping(&mut bits, unit)?;
        Some(Self {
            dimensions: Dimensions::new(
                width.checked_sub(cropped_width)?,
                height.checked_mul(fields)?.checked_sub(cropped_height)?,
            )?,
            frame_duration: timing(&mut bits),
        })
    }
}

/// `chroma_format_idc`, which only the profiles with it have, and what comes before the picture order
/// count.
fn chroma_format(bits: &mut Bits<'_>, profile: u32) -> Option<u32> {
    let extended = matches!(
        profile,
        44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244
    );
    if !extended {
        return Some(1);
    }
    let chroma = bits.ue()?;
    let planes_are_separate = chroma == 3 && bits.flag()?;
    bits.ue()?;
    bits.ue()?;
    bits.skip(1)?;
    if bits.flag()? {
        for list in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.flag()? {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(if planes_are_separate { 0 } else { chroma })
}

/// A scaling list (§7.3.2.1.1.1): it ends early when the next scale comes to 0.
fn scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<()> {
    let mut last = 8;
    for _ in 0..size {
        let next = (last + bits.se()?).rem_euclid(256);
        if next == 0 {
            break;
        }
        last = next;
    }
    Some(())
}

/// What says in which order pictures are shown.
fn picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.ue()? {
        0 => {
            bits.ue()?;
        }
        1 => {
            bits.skip(1)?;
            bits.se()?;
            bits.se()?;
            let frames = bits.ue()?.min(255);
            for _ in 0..frames {
                bits.se()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// How much is cut off, in pixels across and down.
fn cropping(bits: &mut Bits<'_>, (across, down): (u32, u32)) -> Option<(u32, u32)> {
    if !bits.flag()? {
        return Some((0, 0));
    }
    let width = bits.ue()?.checked_add(bits.ue()?)?.checked_mul(across)?;
    let height = bits.ue()?.checked_add(bits.ue()?)?.checked_mul(down)?;
    Some((width, height))
}

/// How long a frame lasts, from the usability information (§E.1.1): two ticks, for there is one per
/// field.
fn timing(bits: &mut Bits<'_>) -> Option<Duration> {
    if !bits.flag()? {
        return None;
    }
    if bits.flag()? && bits.field(8)? == 255 {
        bits.skip(32)?;
    }
    if bits.flag()? {
        bits.skip(1)?;
    }
    if bits.flag()? {
        bits.skip(4)?;
        if bits.flag()? {
            bits.skip(24)?;
        }
    }
    if bits.flag()? {
        bits.ue()?;
        bits.ue()?;
    }
    if !bits.flag()? {
        return None;
    }
    let units = bits.field(32)?;
    let scale = bits.field(32)?;
    frame_time(units.checked_mul(2)?, scale)
}

/// How long a frame lasts of which `time_scale` / `units` come in a second, if it is believable.
fn frame_time(units: u32, time_scale: u32) -> Option<Duration> {
    let nanos = u64::from(units) * 1_000_000_000 / u64::from(time_scale).max(1);
    let believable = 1_000_000..=10_000_000_000;
    believable
        .contains(&nanos)
        .then(|| Duration::from_nanos(nanos))
}
