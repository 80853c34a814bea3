//! MAPPED-ADDRESS (RFC 8489 §14.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    Family     |           Port                |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! |                 Address (32 bits or 128 bits)                 |
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Attribute, AttributeType, DecodeError, TransactionId};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const IPV4: u8 = 0x01;
const IPV6: u8 = 0x02;

/// The address a request came from, in the clear. New code answers with
/// [`XorMappedAddress`](crate::XorMappedAddress); this one is for servers of RFC 3489 times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappedAddress(pub SocketAddr);

impl Attribute<'_> for MappedAddress {
    const TYPE: AttributeType = AttributeType::MAPPED_ADDRESS;

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        read(value)
            .map(Self)
            .ok_or(DecodeError::Value(Self::TYPE.0))
    }

    fn value_len(&self) -> usize {
        len(self.0)
    }

    fn write(&self, out: &mut [u8], _: &TransactionId) {
        write(self.0, out);
    }
}

/// Reads family, port and address.
pub(super) fn read(value: &[u8]) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], address) = value.split_first_chunk()?;
    let ip = match family {
        IPV4 => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        IPV6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([p0, p1])))
}

pub(super) fn len(address: SocketAddr) -> usize {
    if address.is_ipv4() { 8 } else { 20 }
}

pub(super) fn write(address: SocketAddr, out: &mut [u8]) {
    out[0] = 0;
    out[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => write_ip(out, IPV4, &Ipv4Addr::octets(&ip)),
        IpAddr::V6(ip) => write_ip(out, IPV6, &Ipv6Addr::octets(&ip)),
    }
}

fn write_ip(out: &mut [u8], family: u8, octets: &[u8]) {
    out[1] = family;
    out[4..].copy_from_slice(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_come_back() {
        for text in ["192.0.2.1:32853", "[2001:db8::7]:9"] {
            let address: SocketAddr = text.parse().unwrap();
            let mut out = vec![0xFF; len(address)];
            write(address, &mut out);
            assert_eq!(read(&out), Some(address));
        }
    }

    #[test]
    fn another_family_or_length_is_refused() {
        for value in [
            &[][..],
            &[0, 1, 0, 9],
            &[0, 1, 0, 9, 1, 2, 3],
            &[0, 3, 0, 9, 1, 2, 3, 4],
            &[0, 2, 0, 9, 1, 2, 3, 4],
            &[0, 1, 0, 9, 1, 2, 3, 4, 5],
        ] {
            assert_eq!(read(value), None, "{value:?}");
        }
    }
}
