//! `ec_point_formats` (RFC 8422 §5.1.2): uncompressed, the only one there is.
//!
//! ```text
//! struct {
//!     ECPointFormat ec_point_format_list<1..2^8-1>
//! } ECPointFormatList;
//! ```

use crate::codec::Write;

const UNCOMPRESSED: u8 = 0;

pub(crate) fn write(out: &mut Vec<u8>) {
    out.vec8(|out| out.u8(UNCOMPRESSED));
}
