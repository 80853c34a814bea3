//! Session descriptions and ICE candidates of WebRTC: parse and print, without loss.
//!
//! [`Description::parse`] reads an offer or an answer (RFC 8866), its [`Display`](std::fmt::Display)
//! prints it. Every attribute is kept, known or not, in its place and its own words; accessors such
//! as [`Media::setup`], [`Media::rtp_maps`] and [`Media::sctp_port`] read the ones that WebRTC needs,
//! each as its own RFC defines it, and say so when a value is malformed, out of range, or given twice.
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
mod bandwidth;
mod base64;
mod candidate;
mod codec;
mod description;
mod direction;
mod error;
mod extmap;
mod feedback;
mod fingerprint;
mod fmtp;
mod group;
mod line;
mod media;
mod msid;
mod origin;
mod parse;
mod print;
mod rid;
mod rtp;
mod sctp;
mod setup;
mod simulcast;
mod ssrc;
mod ssrc_group;
mod timing;
mod transport;

pub use attribute::Attribute;
pub use candidate::{Candidate, CandidateError};
pub use codec::RtpMap;
pub use description::Description;
pub use direction::Direction;
pub use error::{AttributeError, AttributeErrorKind, ParseError, ParseErrorKind};
pub use extmap::ExtMap;
pub use feedback::RtcpFeedback;
pub use fingerprint::Fingerprint;
pub use fmtp::{FormatParameters, format_parameters};
pub use group::Group;
pub use media::Media;
pub use msid::Msid;
pub use origin::Origin;
pub use parse::{MAX_DESCRIPTION_LEN, MAX_LINES};
pub use rid::{Rid, RidDirection};
pub use sctp::DEFAULT_MAX_MESSAGE_SIZE;
pub use setup::{Setup, UnknownSetup};
pub use simulcast::{Simulcast, SimulcastStream};
pub use ssrc::SsrcAttribute;
pub use ssrc_group::SsrcGroup;
pub use timing::Timing;
