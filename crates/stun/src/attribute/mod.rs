//! Attributes (RFC 8489 §14).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Type                  |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Value (variable)                ....
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

mod address_error_code;
mod address_family;
mod alternate_server;
mod channel_number;
mod connection_id;
mod data;
mod dont_fragment;
mod error_code;
mod even_port;
pub(crate) mod fingerprint;
mod icmp;
pub(crate) mod integrity;
mod lifetime;
mod mapped_address;
mod password_algorithm;
mod priority;
mod requested_transport;
mod reservation_token;
mod role;
mod text;
mod unknown_attributes;
mod use_candidate;
mod userhash;
mod xor_mapped_address;
mod xor_peer_address;
mod xor_relayed_address;

pub use address_error_code::AddressErrorCode;
pub use address_family::{AdditionalAddressFamily, AddressFamily, RequestedAddressFamily};
pub use alternate_server::AlternateServer;
pub use channel_number::ChannelNumber;
pub use connection_id::ConnectionId;
pub use data::Data;
pub use dont_fragment::DontFragment;
pub use error_code::ErrorCode;
pub use even_port::EvenPort;
pub use icmp::Icmp;
pub use lifetime::Lifetime;
pub use mapped_address::MappedAddress;
pub use password_algorithm::{PasswordAlgorithm, PasswordAlgorithms};
pub use priority::Priority;
pub use requested_transport::RequestedTransport;
pub use reservation_token::ReservationToken;
pub use role::{IceControlled, IceControlling};
pub use text::{AlternateDomain, Nonce, Realm, Software, Username};
pub use unknown_attributes::UnknownAttributes;
pub use use_candidate::UseCandidate;
pub use userhash::Userhash;
pub use xor_mapped_address::XorMappedAddress;
pub use xor_peer_address::XorPeerAddress;
pub use xor_relayed_address::XorRelayedAddress;

use crate::{DecodeError, EncodeError, HEADER_LEN, TransactionId};
use std::fmt;
use std::ops::Range;

/// The 16-bit type of an attribute (IANA, STUN Attributes).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// RFC 8489 §14.1.
    pub const MAPPED_ADDRESS: Self = Self(0x0001);
    /// RFC 8489 §14.3.
    pub const USERNAME: Self = Self(0x0006);
    /// RFC 8489 §14.5.
    pub const MESSAGE_INTEGRITY: Self = Self(0x0008);
    /// RFC 8489 §14.8.
    pub const ERROR_CODE: Self = Self(0x0009);
    /// RFC 8489 §14.13.
    pub const UNKNOWN_ATTRIBUTES: Self = Self(0x000A);
    /// RFC 8656 §18.1.
    pub const CHANNEL_NUMBER: Self = Self(0x000C);
    /// RFC 8656 §18.2.
    pub const LIFETIME: Self = Self(0x000D);
    /// RFC 8656 §18.3.
    pub const XOR_PEER_ADDRESS: Self = Self(0x0012);
    /// RFC 8656 §18.4.
    pub const DATA: Self = Self(0x0013);
    /// RFC 8489 §14.9.
    pub const REALM: Self = Self(0x0014);
    /// RFC 8489 §14.10.
    pub const NONCE: Self = Self(0x0015);
    /// RFC 8656 §18.5.
    pub const XOR_RELAYED_ADDRESS: Self = Self(0x0016);
    /// RFC 8656 §18.6.
    pub const REQUESTED_ADDRESS_FAMILY: Self = Self(0x0017);
    /// RFC 8656 §18.7.
    pub const EVEN_PORT: Self = Self(0x0018);
    /// RFC 8656 §18.8.
    pub const REQUESTED_TRANSPORT: Self = Self(0x0019);
    /// RFC 8656 §18.9.
    pub const DONT_FRAGMENT: Self = Self(0x001A);
    /// RFC 8489 §14.6.
    pub const MESSAGE_INTEGRITY_SHA256: Self = Self(0x001C);
    /// RFC 8489 §14.12.
    pub const PASSWORD_ALGORITHM: Self = Self(0x001D);
    /// RFC 8489 §14.4.
    pub const USERHASH: Self = Self(0x001E);
    /// RFC 8489 §14.2.
    pub const XOR_MAPPED_ADDRESS: Self = Self(0x0020);
    /// RFC 8656 §18.10.
    pub const RESERVATION_TOKEN: Self = Self(0x0022);
    /// RFC 8445 §16.1.
    pub const PRIORITY: Self = Self(0x0024);
    /// RFC 8445 §16.1.
    pub const USE_CANDIDATE: Self = Self(0x0025);
    /// RFC 6062 §6.2.1.
    pub const CONNECTION_ID: Self = Self(0x002A);
    /// RFC 8656 §18.11.
    pub const ADDITIONAL_ADDRESS_FAMILY: Self = Self(0x8000);
    /// RFC 8656 §18.12.
    pub const ADDRESS_ERROR_CODE: Self = Self(0x8001);
    /// RFC 8489 §14.11.
    pub const PASSWORD_ALGORITHMS: Self = Self(0x8002);
    /// RFC 8489 §14.16.
    pub const ALTERNATE_DOMAIN: Self = Self(0x8003);
    /// RFC 8656 §18.13.
    pub const ICMP: Self = Self(0x8004);
    /// RFC 8489 §14.14.
    pub const SOFTWARE: Self = Self(0x8022);
    /// RFC 8489 §14.15.
    pub const ALTERNATE_SERVER: Self = Self(0x8023);
    /// RFC 8489 §14.7.
    pub const FINGERPRINT: Self = Self(0x8028);
    /// RFC 8445 §16.1.
    pub const ICE_CONTROLLED: Self = Self(0x8029);
    /// RFC 8445 §16.1.
    pub const ICE_CONTROLLING: Self = Self(0x802A);

    /// Whether a receiver that does not know it has to refuse the message (RFC 8489 §14).
    #[must_use]
    pub const fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttributeType(0x{:04x})", self.0)
    }
}

/// An attribute with a value of its own. Integrity and fingerprint are not among them: they are
/// made by [`Builder`](crate::Builder) and verified by [`Message`](crate::Message).
pub trait Attribute<'a>: Sized {
    /// Its type.
    const TYPE: AttributeType;

    /// Reads the value. The transaction id is part of what some addresses are masked with.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Value`] if it breaks the format.
    fn parse(value: &'a [u8], transaction: &TransactionId) -> Result<Self, DecodeError>;

    /// The length of the value, in bytes, without padding.
    fn value_len(&self) -> usize;

    /// Writes the value into exactly [`value_len`](Attribute::value_len) bytes.
    fn write(&self, out: &mut [u8], transaction: &TransactionId);

    /// Whether the value may be sent.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] if it is longer than the attribute allows.
    fn check(&self) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// An attribute as it stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawAttribute<'a> {
    /// Its type.
    pub kind: AttributeType,
    /// Its value, without padding.
    pub value: &'a [u8],
    /// Where the attribute begins, in bytes after the header.
    pub(crate) offset: usize,
}

impl RawAttribute<'_> {
    /// Where in the message the value lies, so that it can be used where the message is not
    /// borrowed any more.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let start = HEADER_LEN + self.offset + 4;
        start..start + self.value.len()
    }
}

/// Goes through the attributes of a message; see [`Message::attributes`](crate::Message::attributes).
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    body: &'a [u8],
    offset: usize,
    /// The strongest of integrity and fingerprint seen so far.
    last: Option<AttributeType>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            offset: 0,
            last: None,
        }
    }

    fn step(&mut self) -> Option<RawAttribute<'a>> {
        let offset = self.offset;
        let rest = self.body.get(offset..)?;
        let kind = AttributeType(read_u16(rest, 0)?);
        let length = usize::from(read_u16(rest, 2)?);
        let value = rest.get(4..4 + length)?;
        self.offset += 4 + length.next_multiple_of(4);
        Some(RawAttribute {
            kind,
            value,
            offset,
        })
    }

    /// stun-029: what may follow what (RFC 8489 §14.5, §14.6, §14.7).
    fn counts(&self, kind: AttributeType) -> bool {
        match self.last {
            None => true,
            Some(AttributeType::MESSAGE_INTEGRITY) => {
                kind == AttributeType::MESSAGE_INTEGRITY_SHA256
                    || kind == AttributeType::FINGERPRINT
            }
            Some(AttributeType::MESSAGE_INTEGRITY_SHA256) => kind == AttributeType::FINGERPRINT,
            Some(_) => false,
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = RawAttribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let raw = self.step()?;
            if !self.counts(raw.kind) {
                continue;
            }
            if matches!(
                raw.kind,
                AttributeType::MESSAGE_INTEGRITY
                    | AttributeType::MESSAGE_INTEGRITY_SHA256
                    | AttributeType::FINGERPRINT
            ) {
                self.last = Some(raw.kind);
            }
            return Some(raw);
        }
    }
}

pub(crate) fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([pair[0], pair[1]]))
}

/// A value of a fixed length.
fn exactly<const N: usize>(value: &[u8], kind: AttributeType) -> Result<[u8; N], DecodeError> {
    value.try_into().map_err(|_| DecodeError::Value(kind.0))
}

/// Reads a sample, writes it again, and reads every shorter one without a panic.
#[cfg(test)]
fn sample<'a, A: Attribute<'a> + PartialEq + fmt::Debug>(attribute: A, wire: &'a [u8]) {
    let transaction = TransactionId(*b"unguessable!");
    assert_eq!(A::parse(wire, &transaction).as_ref(), Ok(&attribute));
    let mut out = vec![0xFF; attribute.value_len()];
    attribute.write(&mut out, &transaction);
    assert_eq!(out, wire);
    for length in 0..wire.len() {
        let _ = A::parse(&wire[..length], &transaction);
    }
}
