//! `key_share` (RFC 8446 §4.2.8).
//!
//! ```text
//! struct {
//!     NamedGroup group;
//!     opaque key_exchange<1..2^16-1>;
//! } KeyShareEntry;
//! struct {
//!     KeyShareEntry client_shares<0..2^16-1>;
//! } KeyShareClientHello;
//! struct {
//!     NamedGroup selected_group;
//! } KeyShareHelloRetryRequest;
//! struct {
//!     KeyShareEntry server_share;
//! } KeyShareServerHello;
//! ```

use crate::codec::{DecodeError, Reader, Write};

/// The public half of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyShare {
    pub(crate) group: u16,
    pub(crate) key: Vec<u8>,
}

impl KeyShare {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let share = Self {
            group: reader.u16()?,
            key: reader.vec16()?.rest().to_vec(),
        };
        if share.key.is_empty() {
            return Err(DecodeError);
        }
        Ok(share)
    }
}

pub(crate) fn parse_offer(body: &[u8]) -> Result<Vec<KeyShare>, DecodeError> {
    let mut reader = Reader::new(body);
    let mut list = reader.vec16()?;
    reader.end()?;
    let mut shares = Vec::new();
    while !list.is_empty() {
        shares.push(KeyShare::parse(&mut list)?);
    }
    Ok(shares)
}

pub(crate) fn parse_answer(body: &[u8]) -> Result<KeyShare, DecodeError> {
    let mut reader = Reader::new(body);
    let share = KeyShare::parse(&mut reader)?;
    reader.end()?;
    Ok(share)
}

pub(crate) fn parse_retry(body: &[u8]) -> Result<u16, DecodeError> {
    let mut reader = Reader::new(body);
    let group = reader.u16()?;
    reader.end()?;
    Ok(group)
}

pub(crate) fn write_offer(out: &mut Vec<u8>, shares: &[KeyShare]) {
    out.vec16(|out| {
        for share in shares {
            write_answer(out, share);
        }
    });
}

pub(crate) fn write_answer(out: &mut Vec<u8>, share: &KeyShare) {
    out.u16(share.group);
    out.vec16(|out| out.bytes(&share.key));
}
