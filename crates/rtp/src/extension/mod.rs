//! The typed header extensions: one file each, with its URI, parse and write.
//!
//! SDP gives each URI an id (`a=extmap`), and a packet's [`Extensions`](crate::Extensions) hold
//! values by id:
//!
//! ```
//! use muonrtc_rtp::{Extensions, extension::{AudioLevel, Mid}};
//!
//! let mut extensions = Extensions::default();
//! extensions.set_typed(1, &AudioLevel { voice: true, level: 30 })?;
//! extensions.set_typed(4, &Mid("0"))?;
//! assert_eq!(extensions.typed::<Mid>(4), Some(Mid("0")));
//! # Ok::<(), muonrtc_rtp::EncodeError>(())
//! ```
//!
//! The [`DependencyDescriptor`] stands apart: to read one, the structure of the ones before is
//! needed.

mod absolute_capture_time;
mod absolute_send_time;
mod audio_level;
mod bits;
mod color_space;
mod csrc_audio_level;
mod dependency_descriptor;
mod identification;
mod ntp_time;
mod playout_delay;
mod transmission_offset;
mod transport_sequence_number;
mod video_content_type;
mod video_layers_allocation;
mod video_orientation;
mod video_timing;

pub use self::absolute_capture_time::AbsoluteCaptureTime;
pub use self::absolute_send_time::AbsoluteSendTime;
pub use self::audio_level::AudioLevel;
pub use self::color_space::{ColorSpace, HdrMetadata};
pub use self::csrc_audio_level::CsrcAudioLevel;
pub use self::dependency_descriptor::{
    DecodeTargetIndication, DependencyDescriptor, FrameDependencies, Template, TemplateStructure,
};
pub use self::identification::{Mid, RepairedRtpStreamId, RtpStreamId};
pub use self::ntp_time::NtpTime;
pub use self::playout_delay::PlayoutDelay;
pub use self::transmission_offset::TransmissionOffset;
pub use self::transport_sequence_number::{
    FeedbackRequest, TransportSequenceNumber, TransportSequenceNumber2,
};
pub use self::video_content_type::VideoContentType;
pub use self::video_layers_allocation::{LayerResolution, SpatialLayer, VideoLayersAllocation};
pub use self::video_orientation::{Rotation, VideoOrientation};
pub use self::video_timing::VideoTiming;

use crate::{DecodeError, EncodeError};
use smallvec::SmallVec;

/// The value of an element. What is usual stands in it without allocating.
pub type Value = SmallVec<[u8; 32]>;

/// A header extension whose value means something by itself.
pub trait Extension<'a>: Sized {
    /// What names it in SDP (RFC 8285 §5).
    const URI: &'static str;

    /// Reads the value of an element.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if it is too short, or a field has a forbidden value.
    fn parse(value: &'a [u8]) -> Result<Self, DecodeError>;

    /// Writes the value of an element.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] if a field does not fit.
    fn write(&self) -> Result<Value, EncodeError>;
}

/// Asserts that the bytes are read as the extension, and that it is written as the bytes.
#[cfg(test)]
#[track_caller]
fn same_bytes<'a, E: Extension<'a> + PartialEq + std::fmt::Debug>(value: &'a [u8], extension: &E) {
    assert_eq!(E::parse(value).as_ref(), Ok(extension));
    assert_eq!(extension.write().as_deref(), Ok(value));
}

/// Asserts that no value shorter than this one is read.
#[cfg(test)]
#[track_caller]
fn shorter_is_refused<'a, E: Extension<'a> + std::fmt::Debug>(value: &'a [u8]) {
    for len in 0..value.len() {
        assert!(E::parse(&value[..len]).is_err(), "{len}");
    }
}
