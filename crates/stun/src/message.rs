//! The message header (RFC 8489 §5).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|     STUN Message Type     |         Message Length        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Magic Cookie                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! |                     Transaction ID (96 bits)                  |
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The message type interleaves the method with the class:
//!
//! ```text
//!   0                 1
//!   2  3  4 5 6 7 8 9 0 1 2 3 4 5
//! +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
//! |M |M |M|M|M|C|M|M|M|C|M|M|M|M|
//! |11|10|9|8|7|1|6|5|4|0|3|2|1|0|
//! +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::attribute::{
    Attribute, AttributeType, Attributes, RawAttribute, fingerprint, integrity, read_u16,
};
use crate::{DecodeError, UnknownAttributes};
use crypto::HmacKey;
use std::fmt;

/// The length of the header, in bytes.
pub const HEADER_LEN: usize = 20;

/// What every message carries in its second word (RFC 8489 §5).
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// What kind of message it is (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// The answer to a request that was carried out.
    Success,
    /// The answer to one that was not.
    Error,
}

/// What a message is about: 12 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method(u16);

impl Method {
    /// Binding (RFC 8489 §3).
    pub const BINDING: Self = Self(0x001);
    /// Allocate (RFC 8656 §7).
    pub const ALLOCATE: Self = Self(0x003);
    /// Refresh (RFC 8656 §8).
    pub const REFRESH: Self = Self(0x004);
    /// Send, an indication (RFC 8656 §11).
    pub const SEND: Self = Self(0x006);
    /// Data, an indication (RFC 8656 §11).
    pub const DATA: Self = Self(0x007);
    /// CreatePermission (RFC 8656 §10).
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// ChannelBind (RFC 8656 §12).
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// Connect (RFC 6062 §4.3).
    pub const CONNECT: Self = Self(0x00A);
    /// ConnectionBind (RFC 6062 §4.3).
    pub const CONNECTION_BIND: Self = Self(0x00B);
    /// ConnectionAttempt, an indication (RFC 6062 §4.4).
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);

    /// The method of that number, if it has 12 bits.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number < 0x1000 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BINDING => f.write_str("Binding"),
            Self::ALLOCATE => f.write_str("Allocate"),
            Self::REFRESH => f.write_str("Refresh"),
            Self::SEND => f.write_str("Send"),
            Self::DATA => f.write_str("Data"),
            Self::CREATE_PERMISSION => f.write_str("CreatePermission"),
            Self::CHANNEL_BIND => f.write_str("ChannelBind"),
            Self::CONNECT => f.write_str("Connect"),
            Self::CONNECTION_BIND => f.write_str("ConnectionBind"),
            Self::CONNECTION_ATTEMPT => f.write_str("ConnectionAttempt"),
            Self(number) => write!(f, "Method(0x{number:03x})"),
        }
    }
}

/// Interleaves method and class into the message type.
pub(crate) fn message_type(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0x0000,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    let m = method.0;
    (m & 0x0F80) << 2 | (m & 0x0070) << 1 | (m & 0x000F) | class
}

fn split_type(word: u16) -> (Class, Method) {
    let class = match word & 0x0110 {
        0x0000 => Class::Request,
        0x0010 => Class::Indication,
        0x0100 => Class::Success,
        _ => Class::Error,
    };
    let method = (word & 0x3E00) >> 2 | (word & 0x00E0) >> 1 | (word & 0x000F);
    (class, Method(method))
}

/// Matches a response with its request: 96 unguessable bits (RFC 8489 §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 12]);

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A STUN message in a byte slice: header and attribute lengths have been checked, values have not.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    class: Class,
    method: Method,
    transaction: TransactionId,
}

impl<'a> Message<'a> {
    /// Whether bytes that arrived on a shared 5-tuple are STUN's: the first is 0 to 3
    /// (RFC 7983 §7) and the magic cookie is in its place (RFC 8489 §5).
    #[must_use]
    pub fn is_stun(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|&first| first < 4)
            && bytes.get(4..8) == Some(&MAGIC_COOKIE.to_be_bytes())
    }

    /// Reads one message that fills `bytes` exactly.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] for anything that is not a whole message with its cookie, or one whose
    /// attributes do not fit into it. A message of RFC 3489, without the cookie, is not one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(DecodeError::Truncated);
        };
        let [t0, t1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
        if t0 & 0xC0 != 0 || u32::from_be_bytes([c0, c1, c2, c3]) != MAGIC_COOKIE {
            return Err(DecodeError::NotStun);
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if length > body.len() {
            return Err(DecodeError::Truncated);
        }
        if length < body.len() || !length.is_multiple_of(4) {
            return Err(DecodeError::Length);
        }
        check_attributes(body)?;
        let (class, method) = split_type(u16::from_be_bytes([t0, t1]));
        Ok(Self {
            bytes,
            class,
            method,
            transaction: TransactionId(transaction),
        })
    }

    /// Request, indication, success or error.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// What it is about.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The transaction it belongs to.
    #[must_use]
    pub fn transaction_id(&self) -> TransactionId {
        self.transaction
    }

    /// The attributes that count, in their order: after an integrity attribute only a stronger
    /// one and the fingerprint do (RFC 8489 §14.5, §14.6), and nothing does after the fingerprint.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(&self.bytes[HEADER_LEN..])
    }

    /// The first attribute of a kind; later ones do not count (RFC 8489 §14). `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Value`] if its value breaks the format.
    pub fn attribute<A: Attribute<'a>>(&self) -> Result<Option<A>, DecodeError> {
        self.find(A::TYPE)
            .map(|raw| A::parse(raw.value, &self.transaction))
            .transpose()
    }

    pub(crate) fn find(&self, kind: AttributeType) -> Option<RawAttribute<'a>> {
        self.attributes().find(|raw| raw.kind == kind)
    }

    /// The attributes that one must understand and that are not in `understood` (RFC 8489 §6.3);
    /// `None` if there are none. Those of RFC 8489 that the message itself takes care of
    /// (integrity and fingerprint) are always understood.
    #[must_use]
    pub fn unknown_attributes(&self, understood: &[AttributeType]) -> Option<UnknownAttributes> {
        const OWN: [AttributeType; 2] = [
            AttributeType::MESSAGE_INTEGRITY,
            AttributeType::MESSAGE_INTEGRITY_SHA256,
        ];
        let mut unknown = UnknownAttributes::default();
        for raw in self.attributes() {
            let known = understood.contains(&raw.kind) || OWN.contains(&raw.kind);
            if raw.kind.is_comprehension_required() && !known {
                unknown.push(raw.kind);
            }
        }
        (!unknown.types().is_empty()).then_some(unknown)
    }

    /// Whether there is a FINGERPRINT; `Some(false)` when it is there and wrong (RFC 8489 §14.7).
    #[must_use]
    pub fn fingerprint(&self) -> Option<bool> {
        let raw = self.find(AttributeType::FINGERPRINT)?;
        Some(fingerprint::verify(self.bytes, &raw))
    }

    /// Whether there is a MESSAGE-INTEGRITY; `Some(false)` when it is there and wrong under this
    /// HMAC-SHA1 key (RFC 8489 §14.5). The comparison takes constant time.
    #[must_use]
    pub fn integrity(&self, key: &dyn HmacKey) -> Option<bool> {
        let raw = self.find(AttributeType::MESSAGE_INTEGRITY)?;
        Some(integrity::verify(self.bytes, &raw, key, 20..=20))
    }

    /// Whether there is a MESSAGE-INTEGRITY-SHA256; `Some(false)` when it is there and wrong under
    /// this HMAC-SHA256 key. Truncated to 16 bytes or more it is still accepted (RFC 8489 §14.6).
    #[must_use]
    pub fn integrity_sha256(&self, key: &dyn HmacKey) -> Option<bool> {
        let raw = self.find(AttributeType::MESSAGE_INTEGRITY_SHA256)?;
        Some(integrity::verify(self.bytes, &raw, key, 16..=32))
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("class", &self.class)
            .field("method", &self.method)
            .field("transaction", &self.transaction)
            .finish_non_exhaustive()
    }
}

/// Walks the attributes once, so that later walks cannot fail.
fn check_attributes(mut body: &[u8]) -> Result<(), DecodeError> {
    while !body.is_empty() {
        let kind = read_u16(body, 0).ok_or(DecodeError::Length)?;
        let length = usize::from(read_u16(body, 2).ok_or(DecodeError::Length)?);
        body = body
            .get(4 + length.next_multiple_of(4)..)
            .ok_or(DecodeError::Attribute(kind))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-003
    #[test]
    fn every_method_and_class_survives_the_interleaving() {
        for number in 0..0x1000 {
            let method = Method::new(number).unwrap();
            for class in [
                Class::Request,
                Class::Indication,
                Class::Success,
                Class::Error,
            ] {
                let word = message_type(class, method);
                assert!(word < 0x4000, "the top two bits are zero");
                assert_eq!(split_type(word), (class, method));
            }
        }
        assert_eq!(Method::new(0x1000), None);
        assert_eq!(message_type(Class::Success, Method::BINDING), 0x0101);
    }

    // stun-001, stun-002, stun-007
    #[test]
    fn headers_that_are_not_stun_are_refused() {
        let good = [
            0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
        ];
        assert!(Message::parse(&good).is_ok());
        let with = |index: usize, value: u8| {
            let mut bytes = good;
            bytes[index] = value;
            Message::parse(&bytes).map(|_| ())
        };
        assert_eq!(with(0, 0x40), Err(DecodeError::NotStun));
        assert_eq!(with(0, 0x80), Err(DecodeError::NotStun));
        assert_eq!(with(5, 0x13), Err(DecodeError::NotStun));
        assert_eq!(with(3, 4), Err(DecodeError::Truncated));
        for length in 0..HEADER_LEN {
            assert_eq!(
                Message::parse(&good[..length]).map(|_| ()),
                Err(DecodeError::Truncated)
            );
        }
        let mut longer = good.to_vec();
        longer.extend([0; 4]);
        assert_eq!(
            Message::parse(&longer).map(|_| ()),
            Err(DecodeError::Length),
            "bytes after the message"
        );
        longer.truncate(22);
        longer[3] = 2;
        assert_eq!(
            Message::parse(&longer).map(|_| ()),
            Err(DecodeError::Length)
        );
    }

    // stun-007
    #[test]
    fn an_attribute_that_reaches_beyond_the_message_is_refused() {
        let mut bytes = vec![
            0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x80, 0x22,
            0, 4, b'm', b'u', b'o', b'n',
        ];
        assert!(Message::parse(&bytes).is_ok());
        for length in [5, 6, 8, 0xFF] {
            bytes[23] = length;
            assert_eq!(
                Message::parse(&bytes).map(|_| ()),
                Err(DecodeError::Attribute(0x8022))
            );
        }
    }
}
