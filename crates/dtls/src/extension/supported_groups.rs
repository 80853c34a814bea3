//! `supported_groups` (RFC 8446 §4.2.7).
//!
//! ```text
//! struct {
//!     NamedGroup named_group_list<2..2^16-1>;
//! } NamedGroupList;
//! ```

use crate::codec::{DecodeError, Reader, Write};

pub(crate) fn parse(body: &[u8]) -> Result<Vec<u16>, DecodeError> {
    let mut reader = Reader::new(body);
    let groups = reader.vec16()?.all_u16()?;
    reader.end()?;
    Ok(groups)
}

pub(crate) fn write(out: &mut Vec<u8>, groups: &[u16]) {
    out.vec16(|out| groups.iter().for_each(|group| out.u16(*group)));
}
