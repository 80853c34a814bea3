//! Bytes nobody meant well with, and the rules for attributes one does not know.
#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_stun::{
    AttributeType, Builder, Class, EncodeError, ErrorCode, IceControlled, IceControlling,
    MappedAddress, Message, Method, Nonce, Priority, Realm, Software, TransactionId,
    UnknownAttributes, UseCandidate, Username, XorMappedAddress,
};
use proptest::prelude::*;

const TRANSACTION: TransactionId = TransactionId([7; 12]);

fn key() -> Box<dyn crypto::HmacKey> {
    crypto::Provider::default().hmac_sha1.key(b"a password")
}

/// Asks everything that can be asked.
fn interrogate(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    let total: usize = message
        .attributes()
        .map(|raw| 4 + raw.value.len().next_multiple_of(4))
        .sum();
    assert!(total + 20 <= bytes.len());
    let _ = message.attribute::<Username<'_>>();
    let _ = message.attribute::<Realm<'_>>();
    let _ = message.attribute::<Nonce<'_>>();
    let _ = message.attribute::<Software<'_>>();
    let _ = message.attribute::<ErrorCode<'_>>();
    let _ = message.attribute::<MappedAddress>();
    let _ = message.attribute::<XorMappedAddress>();
    let _ = message.attribute::<Priority>();
    let _ = message.attribute::<UseCandidate>();
    let _ = message.attribute::<IceControlled>();
    let _ = message.attribute::<IceControlling>();
    let _ = message.attribute::<UnknownAttributes>();
    let _ = message.unknown_attributes(&[]);
    let _ = message.fingerprint();
    assert_ne!(message.integrity(&*key()), Some(true));
    let _ = message.integrity_sha256(&*key());
    let _ = format!("{message:?} {:?}", message.attributes());
}

proptest! {
    // stun-007
    #[test]
    fn any_bytes_give_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        interrogate(&bytes);
    }

    // stun-007
    #[test]
    fn any_attributes_behind_a_good_header_give_a_message_or_an_error(
        kind in 0_u16..0x0400,
        body in proptest::collection::vec(any::<u8>(), 0..200),
        attributes in proptest::collection::vec((0_u16..0x30, 0_usize..24), 0..6),
    ) {
        let mut tail = Vec::new();
        for (number, length) in attributes {
            tail.extend(number.to_be_bytes());
            tail.extend(u16::try_from(length).unwrap().to_be_bytes());
            tail.extend(body.iter().chain(std::iter::repeat(&0)).take(length.next_multiple_of(4)));
        }
        for body in [&body, &tail] {
            let mut bytes = kind.to_be_bytes().to_vec();
            bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
            bytes.extend(0x2112_A442_u32.to_be_bytes());
            bytes.extend([9; 12]);
            bytes.extend(body);
            interrogate(&bytes);
        }
    }

    #[test]
    fn every_single_bit_is_protected(bit in 0_usize..8, at in 0_usize..84) {
        let mut buf = [0; 128];
        let len = Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
            .attribute(&Username("us:them"))
            .attribute(&Priority(1))
            .integrity(&*key())
            .fingerprint()
            .finish()
            .unwrap();
        prop_assert_eq!(len, 72);
        let at = at % len;
        buf[at] ^= 1 << bit;
        if let Ok(message) = Message::parse(&buf[..len]) {
            let whole = message.integrity(&*key()) == Some(true) && message.fingerprint() == Some(true);
            prop_assert!(!whole);
        }
    }
}

// stun-006
#[test]
fn the_first_of_repeated_attributes_counts() {
    let mut buf = [0; 128];
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
        .attribute(&Priority(1))
        .attribute(&Priority(2))
        .finish()
        .unwrap();
    let message = Message::parse(&buf[..len]).unwrap();
    assert_eq!(message.attribute(), Ok(Some(Priority(1))));
}

// stun-014, stun-016, stun-048
#[test]
fn unknown_attributes_are_named_when_they_must_be_understood_and_skipped_when_not() {
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    bytes.extend([7; 12]);
    let browsers = [
        0xC001_u16, 0xC057, 0xC058, 0xC059, 0xC05C, 0xC05D, 0xC05E, 0xC060, 0xC070, 0xC071,
    ];
    for kind in browsers.into_iter().chain([0x0024, 0x0031, 0x7FFF]) {
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 3, 1, 2, 3, 0xEE]);
    }
    bytes[3] = u8::try_from(bytes.len() - 20).unwrap();
    let message = Message::parse(&bytes).unwrap();
    let unknown = message
        .unknown_attributes(&[AttributeType::PRIORITY])
        .unwrap();
    assert_eq!(
        unknown.types(),
        [AttributeType(0x0031), AttributeType(0x7FFF)]
    );
    assert_eq!(message.attributes().count(), 13);
}

// stun-029
#[test]
fn what_comes_after_the_integrity_does_not_count() {
    let mut buf = [0; 128];
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
        .integrity(&*key())
        .finish()
        .unwrap();
    // Appended by someone without the password: USE-CANDIDATE and a second PRIORITY.
    let mut bytes = buf[..len].to_vec();
    bytes.extend([0x00, 0x25, 0, 0]);
    bytes.extend([0x00, 0x24, 0, 4, 0, 0, 0, 9]);
    bytes[3] = u8::try_from(bytes.len() - 20).unwrap();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.integrity(&*key()), Some(true));
    assert_eq!(message.attribute::<UseCandidate>(), Ok(None));
    assert_eq!(message.attribute::<Priority>(), Ok(None));
}

#[test]
fn a_message_that_does_not_fit_or_is_out_of_order_is_not_written() {
    let mut small = [0; 24];
    let mut builder = Builder::new(&mut small, Class::Request, Method::BINDING, TRANSACTION);
    assert_eq!(builder.attribute(&UseCandidate).finish(), Ok(24));
    assert_eq!(
        builder.fingerprint().finish(),
        Err(EncodeError::BufferTooSmall)
    );
    assert_eq!(
        Builder::new(&mut [0; 19], Class::Request, Method::BINDING, TRANSACTION).finish(),
        Err(EncodeError::BufferTooSmall)
    );
    let mut buf = [0; 128];
    assert_eq!(
        Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
            .fingerprint()
            .integrity(&*key())
            .finish(),
        Err(EncodeError::Order(0x0008))
    );
    assert_eq!(
        Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
            .integrity(&*key())
            .attribute(&UseCandidate)
            .finish(),
        Err(EncodeError::Order(0x0025))
    );
}
