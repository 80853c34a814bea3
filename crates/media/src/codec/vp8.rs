//! VP8 frames (RFC 6386 §9.1).

use super::Dimensions;

/// The start code of a key frame.
const START_CODE: [u8; 3] = [0x9D, 0x01, 0x2A];

/// The lowest bit of the frame tag is 0 in a key frame.
pub(super) fn is_keyframe(frame: &[u8]) -> bool {
    frame.first().is_some_and(|tag| tag & 1 == 0)
}

/// The size that stands in the header of a key frame.
///
/// ```text
/// +-----------------+------------+----------------------+-----------------------+
/// | frame tag (24)  | 9D 01 2A   | scale (2) width (14) | scale (2) height (14) |
/// +-----------------+------------+----------------------+-----------------------+
/// ```
pub(super) fn dimensions(frame: &[u8]) -> Option<Dimensions> {
    let &[tag, _, _, a, b, c, w0, w1, h0, h1] = frame.first_chunk()?;
    if tag & 1 != 0 || [a, b, c] != START_CODE {
        return None;
    }
    Dimensions::new(
        u32::from(u16::from_le_bytes([w0, w1]) & 0x3FFF),
        u32::from(u16::from_le_bytes([h0, h1]) & 0x3FFF),
    )
}
