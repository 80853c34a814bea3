use super::MediaEvent;
use super::receiver::Receiver;
use super::sender::Sender;
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::parameters::RtpCodec;

/// Names a transceiver of a [`Session`](crate::Session), and with it its sender and receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransceiverKey(pub(crate) u32);

/// A sender and a receiver that share a section (webrtc-pc §5.4, RFC 9429 §3.4.1).
#[derive(Debug)]
pub(crate) struct Transceiver {
    pub(crate) key: TransceiverKey,
    pub(crate) kind: MediaKind,
    /// The section it is associated with: name and place.
    pub(crate) mid: Option<String>,
    pub(crate) section: Option<usize>,
    /// The section that the offer made last would give it.
    pub(crate) planned: Option<(String, usize)>,
    pub(crate) direction: RtpTransceiverDirection,
    pub(crate) current_direction: Option<RtpTransceiverDirection>,
    /// W3C `[[FiredDirection]]`: what the application was last told of.
    pub(crate) fired_direction: Option<RtpTransceiverDirection>,
    pub(crate) stopping: bool,
    pub(crate) stopped: bool,
    pub(crate) preferences: Vec<RtpCodec>,
    /// The payload types of the last answer, in its order.
    pub(crate) answered: Vec<u8>,
    /// Made by `add_track`: an offer of the peer may take it for a section (RFC 9429 §5.10).
    pub(crate) by_add_track: bool,
    /// Made by an offer that is still pending; taken back with it.
    pub(crate) by_pending_offer: bool,
    /// Told its parameters, and no part of descriptions (ORTC).
    pub(crate) is_explicit: bool,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
}

/// What a rollback restores of a transceiver (webrtc-pc §4.4.1.5).
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) key: TransceiverKey,
    pub(crate) mid: Option<String>,
    pub(crate) section: Option<usize>,
    pub(crate) fired_direction: Option<RtpTransceiverDirection>,
    pub(crate) streams: Vec<String>,
    pub(crate) layers: Vec<String>,
}

impl Transceiver {
    /// pc-033: what a user reads.
    pub(crate) fn shown_direction(&self) -> RtpTransceiverDirection {
        if self.stopping || self.stopped {
            RtpTransceiverDirection::Stopped
        } else {
            self.direction
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.stopping && !self.stopped
    }

    /// Whether packets may go to the peer now.
    pub(crate) fn sends(&self) -> bool {
        !self.stopped
            && self
                .current_direction
                .is_some_and(RtpTransceiverDirection::sends)
    }

    /// Whether packets may come from the peer now.
    pub(crate) fn receives(&self) -> bool {
        !self.stopped
            && self
                .current_direction
                .is_some_and(RtpTransceiverDirection::receives)
    }

    pub(crate) fn save(&self) -> Saved {
        Saved {
            key: self.key,
            mid: self.mid.clone(),
            section: self.section,
            fired_direction: self.fired_direction,
            streams: self.receiver.streams.clone(),
            layers: self.receiver.layers.clone(),
        }
    }

    pub(crate) fn restore(&mut self, saved: Saved) {
        self.mid = saved.mid;
        self.section = saved.section;
        self.fired_direction = saved.fired_direction;
        self.receiver.streams = saved.streams;
        self.receiver.layers = saved.layers;
    }

    /// Whether the application was last told that the peer sends.
    pub(crate) fn is_told(&self) -> bool {
        self.fired_direction
            .is_some_and(RtpTransceiverDirection::receives)
    }

    /// webrtc-pc §5.1.4, the addition of a remote track: one for each layer.
    pub(crate) fn announce(&self) -> impl Iterator<Item = MediaEvent> + use<> {
        let key = self.key;
        let layers = u8::try_from(self.receiver.track_count()).unwrap_or(u8::MAX);
        (0..layers).map(move |layer| MediaEvent::Track(key, layer))
    }

    /// webrtc-pc §5.1.4, the removal of a remote track: an event if media came.
    pub(crate) fn mute(&mut self) -> Option<MediaEvent> {
        let flowed = !std::mem::replace(&mut self.receiver.muted, true);
        flowed.then_some(MediaEvent::TrackMuted(self.key))
    }
}
