//! `cookie` (RFC 8446 §4.2.2).
//!
//! ```text
//! struct {
//!     opaque cookie<1..2^16-1>;
//! } Cookie;
//! ```

use crate::codec::{DecodeError, Reader, Write};

pub(crate) fn parse(body: &[u8]) -> Result<&[u8], DecodeError> {
    let mut reader = Reader::new(body);
    let cookie = reader.vec16()?.rest();
    reader.end()?;
    if cookie.is_empty() {
        return Err(DecodeError);
    }
    Ok(cookie)
}

pub(crate) fn write(out: &mut Vec<u8>, cookie: &[u8]) {
    out.vec16(|out| out.bytes(cookie));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_round_trips() {
        let mut out = Vec::new();
        write(&mut out, b"crumb");
        assert_eq!(parse(&out), Ok(&b"crumb"[..]));
        assert!(parse(&[0, 0]).is_err());
    }
}
