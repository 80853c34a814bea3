//! STUN messages and client transactions (RFC 8489), with the attributes that ICE
//! (RFC 8445 §16) and TURN (RFC 8656 §18, RFC 6062 §6.2) add.
//!
//! [`Message::parse`] looks at a datagram without copying it and never fails on the caller: any
//! bytes give a message or a [`DecodeError`]. [`Builder`] writes a message into a lent buffer.
//! [`Transaction`] says when a request is sent again and when it is given up; it holds no bytes,
//! reads no clock and draws no randomness.
//!
//! This crate leaves out: sockets, the credentials' life (who has which password, which nonce is
//! stale: `muonrtc-turn`), and the compatibility mode for RFC 3489.

#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod attribute;
mod builder;
mod credential;
mod error;
mod message;
mod round_trip;
mod transaction;

pub use attribute::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, AlternateDomain, AlternateServer,
    Attribute, AttributeType, Attributes, ChannelNumber, ConnectionId, Data, DontFragment,
    ErrorCode, EvenPort, IceControlled, IceControlling, Icmp, Lifetime, MappedAddress, Nonce,
    PasswordAlgorithm, PasswordAlgorithms, Priority, RawAttribute, Realm, RequestedAddressFamily,
    RequestedTransport, ReservationToken, Software, UnknownAttributes, UseCandidate, Userhash,
    Username, XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
pub use builder::Builder;
pub use credential::{SecurityFeatures, long_term_key};
pub use error::{DecodeError, EncodeError};
pub use message::{Class, HEADER_LEN, MAGIC_COOKIE, Message, Method, TransactionId};
pub use round_trip::RoundTrip;
pub use transaction::{Step, Timing, Transaction};
