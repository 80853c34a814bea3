//! The extensions of hello messages, one file each (RFC 8446 §4.2).
//!
//! ```text
//! struct {
//!     ExtensionType extension_type;
//!     opaque extension_data<0..2^16-1>;
//! } Extension;
//! ```

pub(crate) mod alpn;
pub(crate) mod cookie;
pub(crate) mod ec_point_formats;
pub(crate) mod key_share;
pub(crate) mod renegotiation_info;
pub(crate) mod server_name;
pub(crate) mod signature_algorithms;
pub(crate) mod supported_groups;
pub(crate) mod supported_versions;
pub(crate) mod use_srtp;

pub(crate) use key_share::KeyShare;

use crate::codec::{DecodeError, Reader, Write};

pub(crate) const SERVER_NAME: u16 = 0;
pub(crate) const SUPPORTED_GROUPS: u16 = 10;
pub(crate) const EC_POINT_FORMATS: u16 = 11;
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(crate) const USE_SRTP: u16 = 14;
pub(crate) const ALPN: u16 = 16;
/// RFC 7627 §5.1: nothing in it.
pub(crate) const EXTENDED_MASTER_SECRET: u16 = 23;
pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
pub(crate) const COOKIE: u16 = 44;
pub(crate) const KEY_SHARE: u16 = 51;
pub(crate) const RENEGOTIATION_INFO: u16 = 0xFF01;

/// A list of extensions, read but not understood.
#[derive(Clone, Debug)]
pub(crate) struct Extensions<'a>(Vec<(u16, &'a [u8])>);

/// Browsers send about twenty.
const MAX_EXTENSIONS: usize = 128;

impl<'a> Extensions<'a> {
    /// RFC 8446 §4.2: no type comes twice.
    pub(crate) fn parse(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut found: Vec<(u16, &[u8])> = Vec::new();
        while !reader.is_empty() {
            let id = reader.u16()?;
            let body = reader.vec16()?.rest();
            let is_repeated = found.iter().any(|(other, _)| *other == id);
            if is_repeated || found.len() == MAX_EXTENSIONS {
                return Err(DecodeError);
            }
            found.push((id, body));
        }
        Ok(Self(found))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn find(&self, id: u16) -> Option<&'a [u8]> {
        self.iter()
            .find(|(other, _)| *other == id)
            .map(|(_, body)| body)
    }
}

/// Writes one extension.
pub(crate) fn write(out: &mut Vec<u8>, id: u16, body: impl FnOnce(&mut Vec<u8>)) {
    out.u16(id);
    out.vec16(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_found_by_its_type_and_comes_once() {
        let mut out = Vec::new();
        write(&mut out, ALPN, |out| out.u8(1));
        write(&mut out, COOKIE, |_| ());
        let extensions = Extensions::parse(Reader::new(&out)).unwrap();
        assert_eq!(extensions.find(ALPN), Some(&[1][..]));
        assert_eq!(extensions.find(USE_SRTP), None);
        write(&mut out, ALPN, |_| ());
        assert!(Extensions::parse(Reader::new(&out)).is_err());
        assert!(Extensions::parse(Reader::new(&out[..3])).is_err());
    }
}
