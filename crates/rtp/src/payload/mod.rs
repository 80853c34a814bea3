//! Payload formats: how encoded frames are cut into packets and put together again.
//!
//! [`Packetizer`] cuts a frame, [`Depacketizer`] puts one together, [`SampleBuilder`] does so for
//! packets that come late, doubled or not at all. [`packetizer`] and [`depacketizer`] choose by the
//! encoding name of a session description; the modules, one for each format, have more to set, and
//! the descriptors that a forwarder reads and rewrites.
//!
//! A frame has the form of the codec's elementary stream:
//!
//! | format | a frame is |
//! |---|---|
//! | [`vp8`], [`vp9`] | what the encoder gives; for VP9 with spatial layers, the layer frames one after the other |
//! | [`av1`] | a temporal unit in the low-overhead bitstream format, every OBU with its size |
//! | [`h264`], [`h265`] | an access unit in Annex B, every NAL unit behind a start code |
//! | [`opus`], [`g711`], [`g722`], [`cn`], [`telephone_event`] | the payload |
//!
//! [`red`] stands beside them: it puts several payloads of another format into one packet.

mod annexb;
pub mod av1;
pub mod cn;
mod cut;
pub mod g711;
pub mod g722;
pub mod h264;
pub mod h265;
pub mod opus;
mod picture_id;
pub mod red;
pub mod sample_builder;
pub mod telephone_event;
mod verbatim;
pub mod vp8;
pub mod vp9;

pub use self::picture_id::PictureId;
pub use self::sample_builder::SampleBuilder;
pub use self::verbatim::Verbatim;

use crate::DecodeError;
use bytes::{Bytes, BytesMut};

/// Cuts encoded frames into RTP payloads.
pub trait Packetizer: Send + std::fmt::Debug {
    /// Cuts a frame into payloads of at most `max_payload` bytes, given to `emit` in order with the
    /// value of the marker bit. Payloads are parts of `frame` where the format allows it.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if the frame is not of this codec; [`DecodeError::Length`] if the format
    /// cannot cut it this small. Nothing is emitted then.
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError>;
}

/// Puts the payloads of one stream together to frames.
pub trait Depacketizer: Send + std::fmt::Debug {
    /// Adds a payload to the frame under way in `frame`; payloads come in order. `last` says that
    /// the frame ends with it: [`is_frame_end`](Self::is_frame_end), or the next packet has another
    /// timestamp. An empty payload (the packet was padding) adds nothing. After an error the frame
    /// under way is void: [`reset`](Self::reset), and skip to the next frame.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if the payload is not of this format, does not continue the frame, or is
    /// the last one of a frame that is not whole.
    fn depacketize(
        &mut self,
        payload: &Bytes,
        last: bool,
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError>;

    /// Forgets what is under way.
    fn reset(&mut self);

    /// Whether a frame may begin with this payload. VP8 and VP9 know it; the other video formats
    /// can tell only that a frame does not begin here.
    fn is_frame_start(&self, payload: &[u8]) -> bool;

    /// Whether the frame ends with this payload: in video the marker bit says so, in audio, where
    /// the marker means something else, every payload is a frame.
    fn is_frame_end(&self, _payload: &[u8], marker: bool) -> bool {
        marker
    }

    /// Whether this payload begins a frame that a decoder can begin with.
    fn is_keyframe(&self, payload: &[u8]) -> bool;
}

/// The packetizer of a format, with its defaults. The name is the encoding name of a session
/// description, in upper or lower case: `VP8`, `VP9`, `AV1`, `H264`, `H265`, `opus`, `G722`,
/// `PCMU`, `PCMA`, `CN`, `telephone-event`.
#[must_use]
pub fn packetizer(encoding_name: &str) -> Option<Box<dyn Packetizer>> {
    Some((format(encoding_name)?.packetizer)())
}

/// The depacketizer of a format; names as in [`packetizer`].
#[must_use]
pub fn depacketizer(encoding_name: &str) -> Option<Box<dyn Depacketizer>> {
    Some((format(encoding_name)?.depacketizer)())
}

/// Both ends of a payload format.
struct Format {
    name: &'static str,
    packetizer: fn() -> Box<dyn Packetizer>,
    depacketizer: fn() -> Box<dyn Depacketizer>,
}

const FORMATS: [Format; 11] = [
    Format {
        name: "VP8",
        packetizer: || Box::<vp8::Packetizer>::default(),
        depacketizer: || Box::<vp8::Depacketizer>::default(),
    },
    Format {
        name: "VP9",
        packetizer: || Box::<vp9::Packetizer>::default(),
        depacketizer: || Box::<vp9::Depacketizer>::default(),
    },
    Format {
        name: "AV1",
        packetizer: || Box::<av1::Packetizer>::default(),
        depacketizer: || Box::<av1::Depacketizer>::default(),
    },
    Format {
        name: "H264",
        packetizer: || Box::<h264::Packetizer>::default(),
        depacketizer: || Box::<h264::Depacketizer>::default(),
    },
    Format {
        name: "H265",
        packetizer: || Box::<h265::Packetizer>::default(),
        depacketizer: || Box::<h265::Depacketizer>::default(),
    },
    Format {
        name: "opus",
        packetizer: || Box::<opus::Packetizer>::default(),
        depacketizer: || Box::new(opus::DEPACKETIZER),
    },
    Format {
        name: "G722",
        packetizer: || Box::new(g722::FORMAT),
        depacketizer: || Box::new(g722::FORMAT),
    },
    Format {
        name: "PCMU",
        packetizer: || Box::new(g711::FORMAT),
        depacketizer: || Box::new(g711::FORMAT),
    },
    Format {
        name: "PCMA",
        packetizer: || Box::new(g711::FORMAT),
        depacketizer: || Box::new(g711::FORMAT),
    },
    Format {
        name: "CN",
        packetizer: || Box::new(cn::FORMAT),
        depacketizer: || Box::new(cn::FORMAT),
    },
    Format {
        name: "telephone-event",
        packetizer: || Box::new(telephone_event::FORMAT),
        depacketizer: || Box::new(telephone_event::FORMAT),
    },
];

fn format(encoding_name: &str) -> Option<&'static Format> {
    FORMATS
        .iter()
        .find(|format| format.name.eq_ignore_ascii_case(encoding_name))
}

#[cfg(test)]
mod tests {
    use super::{depacketizer, packetizer};

    #[test]
    fn a_format_is_found_by_its_name_in_any_case() {
        for name in [
            "VP8",
            "vp9",
            "AV1",
            "h264",
            "H265",
            "opus",
            "OPUS",
            "G722",
            "PCMU",
            "pcma",
            "CN",
            "telephone-event",
        ] {
            assert!(packetizer(name).is_some(), "{name}");
            assert!(depacketizer(name).is_some(), "{name}");
        }
        for name in ["", "rtx", "VP80", "red"] {
            assert!(packetizer(name).is_none(), "{name}");
            assert!(depacketizer(name).is_none(), "{name}");
        }
    }
}
