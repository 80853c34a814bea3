//! `supported_versions` (RFC 8446 §4.2.1).
//!
//! ```text
//! struct {
//!     select (Handshake.msg_type) {
//!         case client_hello:
//!              ProtocolVersion versions<2..254>;
//!         case server_hello: /* and HelloRetryRequest */
//!              ProtocolVersion selected_version;
//!     };
//! } SupportedVersions;
//! ```

use crate::codec::{DecodeError, Reader, Write};
use layer::DtlsVersion;

/// How a version is written.
pub(crate) fn number(version: DtlsVersion) -> u16 {
    match version {
        DtlsVersion::V1_3 => 0xFEFC,
        _ => 0xFEFD,
    }
}

pub(crate) fn parse_offer(body: &[u8]) -> Result<Vec<u16>, DecodeError> {
    let mut reader = Reader::new(body);
    let versions = reader.vec8()?.all_u16()?;
    reader.end()?;
    Ok(versions)
}

pub(crate) fn parse_choice(body: &[u8]) -> Result<u16, DecodeError> {
    let mut reader = Reader::new(body);
    let version = reader.u16()?;
    reader.end()?;
    Ok(version)
}

pub(crate) fn write_offer(out: &mut Vec<u8>, versions: &[u16]) {
    out.vec8(|out| versions.iter().for_each(|version| out.u16(*version)));
}
