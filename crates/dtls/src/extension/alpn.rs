//! `application_layer_protocol_negotiation` (RFC 7301 §3.1).
//!
//! ```text
//! opaque ProtocolName<1..2^8-1>;
//! struct {
//!     ProtocolName protocol_name_list<2..2^16-1>
//! } ProtocolNameList;
//! ```

use crate::codec::{DecodeError, Reader, Write};

pub(crate) fn parse(body: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut reader = Reader::new(body);
    let mut list = reader.vec16()?;
    reader.end()?;
    let mut protocols = Vec::new();
    while !list.is_empty() {
        let name = list.vec8()?.rest();
        if name.is_empty() {
            return Err(DecodeError);
        }
        protocols.push(name.to_vec());
    }
    Ok(protocols)
}

/// A server answers with one.
pub(crate) fn parse_answer(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut protocols = parse(body)?;
    match protocols.len() {
        1 => protocols.pop().ok_or(DecodeError),
        _ => Err(DecodeError),
    }
}

pub(crate) fn write(out: &mut Vec<u8>, protocols: &[Vec<u8>]) {
    out.vec16(|out| {
        for name in protocols {
            out.vec8(|out| out.bytes(name));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBRTC: &[u8] = b"webrtc";

    // dtls-012
    #[test]
    fn what_firefox_offers_round_trips() {
        let body = b"\x00\x10\x06webrtc\x08c-webrtc";
        let protocols = parse(body).unwrap();
        assert_eq!(protocols, [WEBRTC.to_vec(), b"c-webrtc".to_vec()]);
        let mut out = Vec::new();
        write(&mut out, &protocols);
        assert_eq!(out, body);
        assert!(parse_answer(body).is_err());
        assert_eq!(parse_answer(b"\x00\x07\x06webrtc").unwrap(), WEBRTC);
    }
}
