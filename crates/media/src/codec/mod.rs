//! What a file must know of the codec that it carries.

pub(crate) mod av1;
mod bits;
pub(crate) mod h264;
pub(crate) mod h265;
pub(crate) mod nal;
pub(crate) mod opus;
mod opus_head;
mod vp8;
mod vp9;

use self::bits::Bits;
pub use self::opus_head::OpusHead;
use std::time::Duration;

/// A codec that files carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// VP8 (RFC 6386).
    Vp8,
    /// VP9.
    Vp9,
    /// AV1, in the low-overhead bitstream format (AV1 §5.2).
    Av1,
    /// H.264, in Annex B form.
    H264,
    /// H.265, in Annex B form.
    H265,
    /// Opus (RFC 6716).
    Opus,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// Linear samples of 16 bits in network byte order (RFC 3551 §4.5.11).
    L16,
}

impl Codec {
    /// The media type, as in SDP: `video/VP8`.
    #[must_use]
    pub const fn mime_type(self) -> &'static str {
        match self {
            Self::Vp8 => "video/VP8",
            Self::Vp9 => "video/VP9",
            Self::Av1 => "video/AV1",
            Self::H264 => "video/H264",
            Self::H265 => "video/H265",
            Self::Opus => "audio/opus",
            Self::Pcmu => "audio/PCMU",
            Self::Pcma => "audio/PCMA",
            Self::L16 => "audio/L16",
        }
    }

    /// The codec of a media type; case does not matter.
    #[must_use]
    pub fn from_mime_type(mime_type: &str) -> Option<Self> {
        [
            Self::Vp8,
            Self::Vp9,
            Self::Av1,
            Self::H264,
            Self::H265,
            Self::Opus,
            Self::Pcmu,
            Self::Pcma,
            Self::L16,
        ]
        .into_iter()
        .find(|codec| codec.mime_type().eq_ignore_ascii_case(mime_type))
    }

    /// The rate of the RTP clock, in Hz; for [`L16`](Self::L16), the one of its static payload types.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu | Self::Pcma => 8000,
            Self::L16 => 44_100,
            _ => 90_000,
        }
    }

    /// Whether it codes pictures.
    #[must_use]
    pub const fn is_video(self) -> bool {
        matches!(
            self,
            Self::Vp8 | Self::Vp9 | Self::Av1 | Self::H264 | Self::H265
        )
    }

    /// Whether a decoder can begin with this frame. Each frame of audio is such.
    #[must_use]
    pub fn is_keyframe(self, frame: &[u8]) -> bool {
        match self {
            Self::Vp8 => vp8::is_keyframe(frame),
            Self::Vp9 => vp9::is_keyframe(frame),
            Self::Av1 => av1::is_keyframe(frame),
            Self::H264 => h264::is_keyframe(frame),
            Self::H265 => h265::is_keyframe(frame),
            _ => true,
        }
    }

    /// The size of the picture, which stands in keyframes.
    #[must_use]
    pub fn dimensions(self, keyframe: &[u8]) -> Option<Dimensions> {
        match self {
            Self::Vp8 => vp8::dimensions(keyframe),
            Self::Vp9 => vp9::dimensions(keyframe),
            Self::Av1 => av1::dimensions(keyframe),
            Self::H264 => h264::dimensions(keyframe),
            Self::H265 => h265::dimensions(keyframe),
            _ => None,
        }
    }

    /// How long a frame lasts, where the frame itself says so: each packet of Opus, and keyframes of
    /// H.264 whose parameter sets have timing.
    #[must_use]
    pub fn duration(self, frame: &[u8]) -> Option<Duration> {
        match self {
            Self::Opus => opus::duration(frame),
            Self::H264 => h264::frame_duration(frame),
            _ => None,
        }
    }
}

/// The size of a picture, in pixels; neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dimensions {
    /// Pixels from left to right.
    pub width: u16,
    /// Pixels from top to bottom.
    pub height: u16,
}

impl Dimensions {
    pub(crate) fn new(width: u32, height: u32) -> Option<Self> {
        let width = u16::try_from(width).ok().filter(|&width| width > 0)?;
        let height = u16::try_from(height).ok().filter(|&height| height > 0)?;
        Some(Self { width, height })
    }
}
