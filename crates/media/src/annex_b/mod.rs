//! H.264 and H.265 as a byte stream (ITU-T H.264 and H.265, Annex B).
//!
//! ```text
//! +----------+----------+------+----------+------+ - -
//! | (00)     | 00 00 01 | unit | 00 00 01 | unit | (00)*
//! +----------+----------+------+----------+------+ - -
//! ```
//!
//! The stream says where units begin, not where pictures do: the [`Reader`] finds that from the units
//! ([`Boundary`]). A sample is an access unit, in this same form.

mod boundary;
mod reader;
mod writer;

pub use self::boundary::Boundary;
pub use self::reader::Reader;
pub use self::writer::Writer;

use crate::Codec;
use crate::codec::{h264, h265, nal};

/// The codec of a stream, from its first unit: what may come first in the one is not allowed in the
/// other.
pub(crate) fn codec_of(first: &[u8]) -> Option<Codec> {
    let at = nal::start_code(first)?;
    if first[..at].iter().any(|&byte| byte != 0) {
        return None;
    }
    let unit = first.get(at + 3..)?;
    let &[header, second] = unit.first_chunk()?;
    // Parameter sets, delimiter, supplemental information or an intra picture, of layer 0.
    let h265 = matches!(h265::unit_type(unit), 16..=21 | 32..=35 | 39);
    if header & 0x81 == 0 && second == 1 && h265 {
        return Some(Codec::H265);
    }
    let h264 = matches!(h264::unit_type(unit), 1 | 5..=9);
    (header & 0x80 == 0 && h264).then_some(Codec::H264)
}
