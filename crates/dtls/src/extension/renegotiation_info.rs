//! `renegotiation_info` (RFC 5746 §3.2): empty, in a first handshake, and there is no second one.
//!
//! ```text
//! struct {
//!     opaque renegotiated_connection<0..255>;
//! } RenegotiationInfo;
//! ```

use crate::codec::{DecodeError, Reader, Write};

/// RFC 5746 §3.4, §3.6: anything in it is an attack.
pub(crate) fn parse(body: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new(body);
    reader.vec8()?.end()?;
    reader.end()
}

pub(crate) fn write(out: &mut Vec<u8>) {
    out.vec8(|_| ());
}
