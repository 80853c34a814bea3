//! `server_name` (RFC 6066 §3).
//!
//! ```text
//! struct {
//!     NameType name_type = host_name(0);
//!     opaque HostName<1..2^16-1>;
//! } ServerName;
//! struct {
//!     ServerName server_name_list<1..2^16-1>
//! } ServerNameList;
//! ```
//!
//! A server that has made use of it answers with an empty one.

use crate::codec::{DecodeError, Reader, Write};
use std::net::IpAddr;

const HOST_NAME: u8 = 0;

/// The name as it is said; `None` for an address, which is never said (RFC 6066 §3), and for what
/// is no name.
pub(crate) fn host_name(name: &str) -> Option<String> {
    let is_address = name.parse::<IpAddr>().is_ok();
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = !name.is_empty() && name.is_ascii() && name.len() <= 253;
    (is_name && !is_address).then(|| name.to_owned())
}

/// The first host name.
pub(crate) fn parse(body: &[u8]) -> Result<String, DecodeError> {
    let mut reader = Reader::new(body);
    let mut list = reader.vec16()?;
    reader.end()?;
    if list.u8()? != HOST_NAME {
        return Err(DecodeError);
    }
    let name = list.vec16()?.rest();
    String::from_utf8(name.to_vec()).map_err(|_| DecodeError)
}

/// A server's answer.
pub(crate) fn parse_answer(body: &[u8]) -> Result<(), DecodeError> {
    Reader::new(body).end()
}

pub(crate) fn write(out: &mut Vec<u8>, name: &str) {
    out.vec16(|out| {
        out.u8(HOST_NAME);
        out.vec16(|out| out.bytes(name.as_bytes()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_round_trips() {
        let mut out = Vec::new();
        write(&mut out, "turn.example");
        assert_eq!(out, b"\x00\x0f\x00\x00\x0cturn.example");
        assert_eq!(parse(&out).as_deref(), Ok("turn.example"));
        for len in 0..out.len() {
            assert!(parse(&out[..len]).is_err(), "{len}");
        }
        assert_eq!(parse_answer(b""), Ok(()));
        assert!(parse_answer(&out).is_err());
    }

    #[test]
    fn addresses_are_not_said_and_names_without_their_last_dot() {
        assert_eq!(host_name("turn.example."), Some("turn.example".to_owned()));
        for unsaid in ["192.0.2.1", "2001:db8::1", "", ".", "t\u{fc}rn.example"] {
            assert_eq!(host_name(unsaid), None, "{unsaid}");
        }
    }
}
