//! RTP as it stands on the wire: packets and header extensions (RFC 3550, RFC 8285), RTCP
//! ([`rtcp`]), payload formats ([`payload`]) and the typed header extensions ([`extension`]).
//!
//! Parse with [`Packet::parse`] (the payload is a slice of the buffer, nothing is copied) or
//! [`Header::parse`]; change fields; write the header with [`Header::write`] into a buffer you lend.
//!
//! It leaves out: encryption (`muonrtc-srtp`), reaction to feedback (`muonrtc-interceptor`), files
//! and codecs (`muonrtc-media`).

mod csrc;
mod demux;
mod error;
pub mod extension;
mod extensions;
mod header;
#[cfg(test)]
mod hex;
mod packet;
pub mod payload;
mod reader;
pub mod rtcp;
mod sample;
mod sequence;

pub use self::csrc::CsrcList;
pub use self::demux::is_rtcp;
pub use self::error::{DecodeError, EncodeError};
pub use self::extensions::Extensions;
pub use self::header::Header;
pub use self::packet::Packet;
pub use self::sample::Sample;
pub use self::sequence::SequenceUnwrapper;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
