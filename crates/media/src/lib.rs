//! Media files to and from RTP samples: [`ivf`] (VP8, VP9, AV1), [`ogg`] (Opus), [`annex_b`] (H.264,
//! H.265), [`wav`] (linear and G.711) and [`webm`] (VP8, VP9, AV1, Opus, several tracks in one file);
//! and RTP packets as they are: [`rtpdump`].
//!
//! [`open`] looks at the first bytes of a file and gives a [`Reader`] of samples, whatever the format;
//! each format's module has a reader over any [`std::io::Read`], and a [`Writer`] over any
//! [`std::io::Write`]. [`Recorder`] makes a file of the packets of a call. Nothing here is asynchronous and nothing looks at a clock: a sample says how
//! long it lasts, and who plays it waits. Files are not trusted: everything that a file says about
//! lengths is bounded ([`MAX_FRAME_LEN`]), and no bytes make a reader panic.
//!
//! It leaves out: encoding and decoding, MP4, and cutting samples into packets, which is
//! `rtp::payload`.

#![cfg_attr(
    not(all(
        feature = "annex-b",
        feature = "ivf",
        feature = "ogg",
        feature = "wav",
        feature = "webm"
    )),
    allow(
        dead_code,
        reason = "what only some formats need is compiled without them"
    )
)]
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
#[cfg(feature = "webm")]
mod recorder;
#[cfg(feature = "rtpdump")]
pub mod rtpdump;
mod stream;
mod timeline;
#[cfg(feature = "wav")]
pub mod wav;
#[cfg(feature = "webm")]
pub mod webm;

pub use self::codec::{Codec, Dimensions, OpusHead};
pub use self::error::Error;
pub use self::input::MAX_FRAME_LEN;
pub use self::open::{open, read};
#[cfg(feature = "webm")]
pub use self::recorder::Recorder;
pub use self::stream::{Reader, Writer};
pub use rtp::Sample;
