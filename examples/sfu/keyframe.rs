//! Looks into payloads, as far as key frames go.

use muonrtc::TrackRemote;
use muonrtc::rtp::Packet;
use muonrtc::rtp::payload::{Depacketizer, depacketizer};

/// Recognises the first packet of a key frame, whatever the codec. One for each track.
#[derive(Debug, Default)]
pub(super) struct KeyFrames {
    /// The payload type seen last, and what reads it. A sender changes its codec rarely.
    format: Option<(u8, Option<Box<dyn Depacketizer>>)>,
}

impl KeyFrames {
    /// Whether a decoder may begin with this packet of `track`.
    pub(super) fn begin_with(&mut self, track: &TrackRemote, packet: &Packet) -> bool {
        let number = packet.header.payload_type;
        let known = self.format.take().filter(|(known, _)| *known == number);
        let (_, format) = self.format.insert(known.unwrap_or_else(|| {
            let codec = track.codec(number);
            let format = codec.and_then(|codec| depacketizer(codec.codec.encoding_name()));
            (number, format)
        }));
        let format = format.as_ref();
        format.is_some_and(|format| format.is_keyframe(&packet.payload))
    }
}
