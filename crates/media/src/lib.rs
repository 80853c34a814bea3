//! Media files to and from RTP samples: [`ivf`] (VP8, VP9, AV1), [`ogg`] (Opus), [`annex_b`] (H.264,
//! H.265) and [`webm`] (VP8, VP9, AV1, Opus, several tracks in one file).
//!
//! [`open`] looks at the first bytes of a file and gives a [`Reader`] of samples, whatever the format;
//! each format's module has a reader over any [`std::io::Read`], and a [`Writer`] over any
//! [`std::io::Write`]. Nothing here is asynchronous and nothing looks at a clock: a sample says how
//! long it lasts, and who plays it waits. Files are not trusted: everything that a file says about
//! lengths is bounded ([`MAX_FRAME_LEN`]), and no bytes make a reader panic.
//!
//! It leaves out: encoding and decoding, MP4, and cutting samples into packets, which is
//! `rtp::payload`.

#![cfg_attr(doctest, doc = include_str!("../README.md"))]

#[cfg(feature = "annex-b")]
pub mod annex_b;
mod codec;
mod error;
mod input;
#[cfg(feature = "ivf")]
pub mod ivf;
#[cfg(feature = "ogg")]
pub mod ogg;
mod open;
mod output;
mod stream;
mod timeline;
#[cfg(feature = "webm")]
pub mod webm;

pub use self::codec::{Codec, Dimensions, OpusHead};
pub use self::error::Error;
pub use self::input::MAX_FRAME_LEN;
pub use self::open::{open, read};
pub use self::stream::{Reader, Writer};
pub use rtp::Sample;
