//! H.265 access units in Annex B form (ITU-T H.265 §7.3).

use super::{Bits, Dimensions, nal};
use std::ops::RangeInclusive;

/// `nal_unit_type` of the slices that a decoder can begin with (table 7-1): BLA, IDR and CRA.
const RANDOM_ACCESS: RangeInclusive<u8> = 16..=21;
/// `nal_unit_type` of a sequence parameter set.
const SPS: u8 = 33;

/// The six bits after the first of the header of a unit.
pub(crate) fn unit_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header >> 1 & 0x3F)
}

pub(super) fn is_keyframe(access_unit: &[u8]) -> bool {
    nal::units(access_unit).any(|unit| RANDOM_ACCESS.contains(&unit_type(unit)))
}

/// The size in the sequence parameter set (§7.3.2.2).
pub(super) fn dimensions(access_unit: &[u8]) -> Option<Dimensions> {
    let payload = sequence_parameters(access_unit)?;
    let mut bits = Bits::new(&payload);
    bits.skip(4)?;
    let sub_layers = bits.field(3)?;
    bits.skip(1)?;
    profile_tier_level(&mut bits, sub_layers)?;
    bits.ue()?;
    let chroma = bits.ue()?;
    let planes_are_separate = chroma == 3 && bits.flag()?;
    let width = bits.ue()?;
    let height = bits.ue()?;
    // The conformance window counts in units of chroma samples (equations D-28 and D-29).
    let (across, down) = match chroma {
        1 if !planes_are_separate => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let (mut cut_across, mut cut_down) = (0, 0);
    if bits.flag()? {
        cut_across = bits.ue()?.checked_add(bits.ue()?)?.checked_mul(across)?;
        cut_down = bits.ue()?.checked_add(bits.ue()?)?.checked_mul(down)?;
    }
    Dimensions::new(
        width.checked_sub(cut_across)?,
        height.checked_sub(cut_down)?,
    )
}

fn sequence_parameters(access_unit: &[u8]) -> Option<Vec<u8>> {
    let unit = nal::units(access_unit).find(|unit| unit_type(unit) == SPS)?;
    Some(nal::unescape(unit.get(2..)?))
}

/// Passes over `profile_tier_level` (§7.3.3).
fn profile_tier_level(bits: &mut Bits<'_>, sub_layers: u32) -> Option<()> {
    bits.skip(96)?;
    let mut len = 0;
    for _ in 0..sub_layers {
        len += if bits.flag()? { 88 } else { 0 };
        len += if bits.flag()? { 8 } else { 0 };
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers as usize))?;
    }
    bits.skip(len)
}
