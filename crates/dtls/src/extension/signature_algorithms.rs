//! `signature_algorithms` (RFC 8446 §4.2.3).
//!
//! ```text
//! struct {
//!     SignatureScheme supported_signature_algorithms<2..2^16-2>;
//! } SignatureSchemeList;
//! ```

use crate::codec::{DecodeError, Reader, Write};

pub(crate) fn parse(body: &[u8]) -> Result<Vec<u16>, DecodeError> {
    let mut reader = Reader::new(body);
    let schemes = reader.vec16()?.all_u16()?;
    reader.end()?;
    Ok(schemes)
}

pub(crate) fn write(out: &mut Vec<u8>, schemes: &[u16]) {
    out.vec16(|out| schemes.iter().for_each(|scheme| out.u16(*scheme)));
}
