//! VP9 frames (VP9 bitstream specification §6.2, the uncompressed header).

use super::{Bits, Dimensions};

/// `frame_sync_code` of a key frame (§7.2).
const SYNC_CODE: u32 = 0x0049_8342;
/// `color_space` of RGB (§7.2.2).
const CS_RGB: u32 = 7;

/// A key frame has `frame_type` 0, and is not a repetition of a frame.
pub(super) fn is_keyframe(frame: &[u8]) -> bool {
    keyframe_header(frame).is_some()
}

/// Reads up to `error_resilient_mode`; `None` if it is no key frame. The number is the profile.
fn keyframe_header(frame: &[u8]) -> Option<(u32, Bits<'_>)> {
    let mut bits = Bits::new(frame);
    if bits.field(2)? != 2 {
        return None;
    }
    let profile = bits.field(1)? | bits.field(1)? << 1;
    if profile == 3 {
        bits.skip(1)?;
    }
    let show_existing_frame = bits.flag()?;
    if show_existing_frame || bits.flag()? {
        return None;
    }
    bits.skip(2)?;
    Some((profile, bits))
}

/// The size of a key frame: of its first spatial layer, in a super frame of several.
pub(super) fn dimensions(frame: &[u8]) -> Option<Dimensions> {
    let (profile, mut bits) = keyframe_header(frame)?;
    if bits.field(24)? != SYNC_CODE {
        return None;
    }
    // color_config
    if profile >= 2 {
        bits.skip(1)?;
    }
    let subsampled = profile == 1 || profile == 3;
    if bits.field(3)? == CS_RGB {
        bits.skip(usize::from(subsampled))?;
    } else {
        bits.skip(if subsampled { 4 } else { 1 })?;
    }
    Dimensions::new(bits.field(16)? + 1, bits.field(16)? + 1)
}
