//! The sample messages of RFC 5769, read and written. The one of RFC 8489 Appendix B is not here: its
//! header claims 156 bytes where its attributes, as printed, have 136.
#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_stun::{
    AttributeType, Builder, Class, ErrorCode, IceControlled, IceControlling, Message, Method,
    Nonce, Priority, Realm, Software, TransactionId, UseCandidate, Username, XorMappedAddress,
};

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
const TRANSACTION: TransactionId =
    TransactionId(*b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae");

/// RFC 5769 §2.1
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69\
    656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70c\
    bfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";

/// RFC 5769 §2.2
const IPV4_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f\
    7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";

/// RFC 5769 §2.3
const IPV6_RESPONSE: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f\
    7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bf\
    e3ed4180280004c8fb0b4c";

/// RFC 5769 §2.4
const LONG_TERM_REQUEST: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383\
    aae38383e382afe382b900000015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341001400\
    0b6578616d706c652e6f7267000008001 4f67024656dd64a3e02b8e0712e85c9a28ca89666";

/// MD5 of `マトリックス:example.org:TheMatrIX`.
const LONG_TERM_KEY: &str = "e8ca7ad59d5eb0518e312911d2dab2a9";

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn sha1_key(key: &[u8]) -> Box<dyn crypto::HmacKey> {
    crypto::Provider::default().hmac_sha1.key(key)
}

// stun-047, stun-027, stun-030; stun-031: the key is the password, which OpaqueString leaves as it is,
// since in ICE it is ASCII letters, digits, + and / (RFC 8839 §5.4)
#[test]
fn the_sample_request_is_read() {
    let bytes = hex(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.class(), Class::Request);
    assert_eq!(message.method(), Method::BINDING);
    assert_eq!(message.transaction_id(), TRANSACTION);
    assert_eq!(message.attribute(), Ok(Some(Software("STUN test client"))));
    assert_eq!(message.attribute(), Ok(Some(Priority(0x6E00_01FF))));
    assert_eq!(
        message.attribute(),
        Ok(Some(IceControlled(0x932F_F9B1_5126_3B36)))
    );
    assert_eq!(message.attribute(), Ok(Some(Username("evtj:h6vY"))));
    assert_eq!(message.integrity(&*sha1_key(PASSWORD)), Some(true));
    assert_eq!(message.integrity(&*sha1_key(b"another")), Some(false));
    assert_eq!(message.fingerprint(), Some(true));
}

// stun-046
#[test]
fn attributes_of_ice_have_their_numbers_and_lengths() {
    let mut buf = [0; 100];
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
        .attribute(&Priority(0x6E00_01FF))
        .attribute(&UseCandidate)
        .attribute(&IceControlled(1))
        .attribute(&IceControlling(2))
        .finish()
        .unwrap();
    let expected = hex("0024 0004 6e0001ff  0025 0000  8029 0008 0000000000000001
        802a 0008 0000000000000002");
    assert_eq!(buf[20..len], expected);
    let message = Message::parse(&buf[..len]).unwrap();
    assert_eq!(message.attribute(), Ok(Some(UseCandidate)));
    assert_eq!(message.attribute(), Ok(Some(IceControlling(2))));
    assert_eq!(ErrorCode::ROLE_CONFLICT.code, 487);
    // Of another length they are not there.
    for kind in [0x24_u8, 0x25, 0x29, 0x2a] {
        let optional = if kind < 0x29 { 0 } else { 0x80 };
        let header = [0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42];
        let wrong = [
            &header[..],
            &TRANSACTION.0,
            &[optional, kind, 0, 3, 1, 2, 3, 0],
        ]
        .concat();
        let message = Message::parse(&wrong).unwrap();
        let refused = [
            message.attribute::<Priority>().is_err(),
            message.attribute::<UseCandidate>().is_err(),
            message.attribute::<IceControlled>().is_err(),
            message.attribute::<IceControlling>().is_err(),
        ];
        assert_eq!(refused.iter().filter(|it| **it).count(), 1, "{kind:x}");
    }
}

// stun-047, stun-008, stun-019
#[test]
fn the_sample_responses_are_read_and_written_but_for_their_padding() {
    for (text, address) in [
        (IPV4_RESPONSE, "192.0.2.1:32853"),
        (
            IPV6_RESPONSE,
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        ),
    ] {
        let bytes = hex(text);
        let message = Message::parse(&bytes).unwrap();
        let mapped = XorMappedAddress(address.parse().unwrap());
        assert_eq!(message.class(), Class::Success);
        assert_eq!(message.attribute(), Ok(Some(Software("test vector"))));
        assert_eq!(message.attribute(), Ok(Some(mapped)));
        assert_eq!(message.integrity(&*sha1_key(PASSWORD)), Some(true));
        assert_eq!(message.fingerprint(), Some(true));

        let mut buf = [0xFF; 576];
        let len = Builder::new(&mut buf, Class::Success, Method::BINDING, TRANSACTION)
            .attribute(&Software("test vector"))
            .attribute(&mapped)
            .integrity(&*sha1_key(PASSWORD))
            .fingerprint()
            .finish()
            .unwrap();
        // The sample pads with a space, and we with zero: from there on the tags differ.
        assert_eq!(len, bytes.len());
        assert_eq!(buf[..35], bytes[..35]);
        assert_eq!(buf[35], 0);
        assert_eq!(buf[36..len - 32], bytes[36..len - 32]);
        let again = Message::parse(&buf[..len]).unwrap();
        assert_eq!(again.integrity(&*sha1_key(PASSWORD)), Some(true));
        assert_eq!(again.fingerprint(), Some(true));
    }
}

// stun-047, stun-032
#[test]
fn the_sample_request_with_long_term_credentials_is_read_and_written() {
    let bytes = hex(LONG_TERM_REQUEST);
    let message = Message::parse(&bytes).unwrap();
    let username = Username("マトリックス");
    let nonce = Nonce("f//499k954d6OL34oL9FSTvy64sA");
    let realm = Realm("example.org");
    assert_eq!(message.attribute(), Ok(Some(username)));
    assert_eq!(message.attribute(), Ok(Some(nonce)));
    assert_eq!(message.attribute(), Ok(Some(realm)));
    let key = sha1_key(&hex(LONG_TERM_KEY));
    assert_eq!(message.integrity(&*key), Some(true));
    assert_eq!(message.fingerprint(), None);

    let mut buf = [0xFF; 576];
    let len = Builder::new(
        &mut buf,
        Class::Request,
        Method::BINDING,
        message.transaction_id(),
    )
    .attribute(&username)
    .attribute(&nonce)
    .attribute(&realm)
    .integrity(&*key)
    .finish()
    .unwrap();
    assert_eq!(buf[..len], bytes);
}

// stun-028, stun-029
#[test]
fn both_integrities_and_the_fingerprint_stand_together() {
    let provider = crypto::Provider::default();
    let sha256 = provider.hmac_sha256.key(PASSWORD);
    let mut buf = [0; 576];
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, TRANSACTION)
        .attribute(&Username("evtj:h6vY"))
        .integrity(&*sha1_key(PASSWORD))
        .integrity_sha256(&*sha256)
        .fingerprint()
        .finish()
        .unwrap();
    let message = Message::parse(&buf[..len]).unwrap();
    assert_eq!(message.integrity(&*sha1_key(PASSWORD)), Some(true));
    assert_eq!(message.integrity_sha256(&*sha256), Some(true));
    assert_eq!(
        message.integrity_sha256(&*provider.hmac_sha256.key(b"another")),
        Some(false)
    );
    assert_eq!(message.fingerprint(), Some(true));
    let kinds: Vec<AttributeType> = message.attributes().map(|raw| raw.kind).collect();
    assert_eq!(
        kinds,
        [
            AttributeType::USERNAME,
            AttributeType::MESSAGE_INTEGRITY,
            AttributeType::MESSAGE_INTEGRITY_SHA256,
            AttributeType::FINGERPRINT
        ]
    );
}
