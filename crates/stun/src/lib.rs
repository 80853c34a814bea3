//! STUN messages and client transactions (RFC 8489), with the attributes that ICE adds
//! (RFC 8445 §16).
//!
//! [`Message::parse`] looks at a datagram without copying it and never fails on the caller: any
//! bytes give a message or a [`DecodeError`]. [`Builder`] writes a message into a lent buffer.
//! [`Transaction`] says when a request is sent again and when it is given up; it holds no bytes,
//! reads no clock and draws no randomness.
//!
//! This crate leaves out: sockets, the credentials' life (who has which password), TURN's methods
//! and attributes (`muonrtc-turn`), and the compatibility mode for RFC 3489.

#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod attribute;
mod builder;
mod error;
mod message;
mod transaction;

pub use attribute::{
    Attribute, AttributeType, Attributes, ErrorCode, IceControlled, IceControlling, MappedAddress,
    Nonce, Priority, RawAttribute, Realm, Software, UnknownAttributes, UseCandidate, Username,
    XorMappedAddress,
};
pub use builder::Builder;
pub use error::{DecodeError, EncodeError};
pub use message::{Class, HEADER_LEN, MAGIC_COOKIE, Message, Method, TransactionId};
pub use transaction::{Step, Timing, Transaction};
