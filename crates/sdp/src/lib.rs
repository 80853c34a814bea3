//! Session descriptions and ICE candidates of WebRTC: parse and print, without loss.
//!
//! [`Description::parse`] reads an offer or an answer (RFC 8866), its [`Display`](std::fmt::Display)
//! prints it. Every attribute is kept, known or not, in its place and its own words; accessors such
//! as [`Media::setup`] and [`Media::sctp_port`] read the ones that a data connection needs, each as
//! its own RFC defines it, and say so when a value is malformed, out of range, or given twice.
//! [`Candidate`] is the candidate line (RFC 8839), alone or inside a description.
//!
//! # What is strict and what is not
//!
//! Lines end in CRLF or LF and are printed with CRLF. Lines out of order, of an unknown type, or
//! not of their form reject the description with the [number of the line](ParseError::line)
//! (RFC 9429 §5.8); only `b=` may stand anywhere in its section. Attribute values are opaque until
//! an accessor reads them, so that an unknown or foreign attribute never costs the description.
//! Input has bounds: [`MAX_DESCRIPTION_LEN`], [`MAX_LINES`].
//!
//! This crate leaves out: offer and answer rules (`muonrtc-peerconnection`), sockets and addresses
//! as the layers see them (`muonrtc-layer`), and `k=` lines, which are checked and then discarded
//! (RFC 8866 §5.12).
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod attribute;
mod candidate;
mod codec;
mod description;
mod direction;
mod error;
mod fingerprint;
mod group;
mod line;
mod media;
mod origin;
mod parse;
mod print;
mod sctp;
mod setup;
mod timing;
mod transport;

pub use attribute::Attribute;
pub use candidate::{Candidate, CandidateError};
pub use codec::RtpMap;
pub use description::Description;
pub use direction::Direction;
pub use error::{AttributeError, AttributeErrorKind, ParseError, ParseErrorKind};
pub use fingerprint::Fingerprint;
pub use group::Group;
pub use media::Media;
pub use origin::Origin;
pub use parse::{MAX_DESCRIPTION_LEN, MAX_LINES};
pub use sctp::DEFAULT_MAX_MESSAGE_SIZE;
pub use setup::{Setup, UnknownSetup};
pub use timing::Timing;
