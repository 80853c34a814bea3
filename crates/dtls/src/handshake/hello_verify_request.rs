use crate::codec::{DecodeError, Reader, Write};

/// HelloVerifyRequest, of 1.2 alone (RFC 6347 §4.2.1).
///
/// ```text
/// struct {
///   ProtocolVersion server_version;
///   opaque cookie<0..2^8-1>;
/// } HelloVerifyRequest;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HelloVerifyRequest {
    pub(crate) cookie: Vec<u8>,
}

/// RFC 6347 §4.2.1: servers say 1.0 whatever they will choose; it is not negotiation.
const VERSION: u16 = 0xFEFF;

impl HelloVerifyRequest {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.u16()?;
        let cookie = reader.vec8()?.rest().to_vec();
        reader.end()?;
        Ok(Self { cookie })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.u16(VERSION);
        out.vec8(|out| out.bytes(&self.cookie));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-022
    #[test]
    fn a_request_of_any_version_round_trips() {
        let request = HelloVerifyRequest::parse(&[0xFE, 0xFD, 2, 8, 9]).unwrap();
        assert_eq!(request.cookie, [8, 9]);
        assert_eq!(request.write(), [0xFE, 0xFF, 2, 8, 9]);
        assert!(HelloVerifyRequest::parse(&[0xFE, 0xFD, 2, 8]).is_err());
        assert!(HelloVerifyRequest::parse(&[0xFE, 0xFD, 0, 8]).is_err());
    }
}
