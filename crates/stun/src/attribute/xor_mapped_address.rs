//! XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    Family     |         X-Port                |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                X-Address (Variable)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The port is masked with the upper half of the magic cookie, the address with the cookie and,
//! if it is longer, the transaction id behind it: middleboxes that rewrite addresses inside
//! packets do not recognise it.

use super::mapped_address;
use crate::{Attribute, AttributeType, DecodeError, MAGIC_COOKIE, TransactionId};
use std::net::SocketAddr;

/// The address a request came from, as the one who answers saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XorMappedAddress(pub SocketAddr);

impl Attribute<'_> for XorMappedAddress {
    const TYPE: AttributeType = AttributeType::XOR_MAPPED_ADDRESS;

    fn parse(value: &[u8], transaction: &TransactionId) -> Result<Self, DecodeError> {
        let malformed = DecodeError::Value(Self::TYPE.0);
        let mut plain = [0; 20];
        let plain = plain.get_mut(..value.len()).ok_or(malformed)?;
        plain.copy_from_slice(value);
        mask(plain, transaction);
        mapped_address::read(plain).map(Self).ok_or(malformed)
    }

    fn value_len(&self) -> usize {
        mapped_address::len(self.0)
    }

    fn write(&self, out: &mut [u8], transaction: &TransactionId) {
        mapped_address::write(self.0, out);
        mask(out, transaction);
    }
}

/// Masks everything after the family; masking twice gives the original.
fn mask(value: &mut [u8], transaction: &TransactionId) {
    let cookie = MAGIC_COOKIE.to_be_bytes();
    let port = value.iter_mut().skip(2).take(2);
    port.zip(cookie).for_each(|(byte, mask)| *byte ^= mask);
    let address = value.iter_mut().skip(4);
    address
        .zip(cookie.into_iter().chain(transaction.0))
        .for_each(|(byte, mask)| *byte ^= mask);
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-008, with the values of RFC 5769 §2.2 and §2.3
    #[test]
    fn port_and_address_are_masked_with_cookie_and_transaction() {
        let transaction = TransactionId(*b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae");
        let samples: [(&str, &[u8]); 2] = [
            ("192.0.2.1:32853", b"\x00\x01\xa1\x47\xe1\x12\xa6\x43"),
            (
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
                b"\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9",
            ),
        ];
        for (text, wire) in samples {
            let attribute = XorMappedAddress(text.parse().unwrap());
            assert_eq!(XorMappedAddress::parse(wire, &transaction), Ok(attribute));
            let mut out = vec![0; attribute.value_len()];
            attribute.write(&mut out, &transaction);
            assert_eq!(out, wire);
        }
    }

    #[test]
    fn a_value_of_another_length_is_refused() {
        let transaction = TransactionId([7; 12]);
        for length in (0..40).filter(|length| ![8, 20].contains(length)) {
            for family in [1, 2] {
                let mut value = vec![0; length];
                if let Some(byte) = value.get_mut(1) {
                    *byte = family;
                }
                assert!(XorMappedAddress::parse(&value, &transaction).is_err());
            }
        }
    }
}
