//! Audio and video: transceivers, and the packets that flow through them.

mod apply;
mod codec;
mod explicit;
mod extension;
mod flow;
mod heard;
mod incoming;
mod info;
mod numbers;
mod outgoing;
mod parameter;
mod pool;
mod receiver;
mod report;
mod route;
mod section;
mod sender;
mod transceiver;
mod verb;

pub use self::flow::{IncomingRtcp, IncomingRtp};
pub use self::info::{ReceiverInfo, SenderInfo, TransceiverInfo};
pub use self::transceiver::TransceiverKey;

pub(crate) use self::apply::Agreement;
use self::flow::Flow;
use self::numbers::Numbers;
use self::receiver::Receiver;
use self::sender::{Encoding, Sender};
use self::transceiver::{Saved, Transceiver};
pub(crate) use self::verb::SentTrack;
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::capability::Capabilities;
use crate::config::Configuration;
use crate::parameters::RtpEncodingParameters;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use layer::Start;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// Characters of a CNAME: 16 of 6 bits are the 96 random bits of RFC 7022 §4.2 (rtp-035).
const CNAME_LEN: usize = 16;

/// The transceivers of a connection (webrtc-pc §5.4), in the order they were made.
#[derive(Debug)]
pub(crate) struct Transceivers {
    start: Start,
    capabilities: Arc<Capabilities>,
    numbers: Numbers,
    /// The numbers of the offer that is being made.
    draft: Numbers,
    list: Vec<Transceiver>,
    next_key: u32,
    rng: ChaCha12Rng,
    cname: String,
    /// How things were before the pending offer.
    saved: Option<Vec<Saved>>,
    /// Who a source belongs to, retransmissions included.
    routes: BTreeMap<u32, TransceiverKey>,
    flow: Flow,
    events: VecDeque<MediaEvent>,
}

/// What happens to audio and video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaEvent {
    /// The peer will send a layer: W3C `track`.
    Track(TransceiverKey, u8),
    /// The peer will not send for now.
    TrackMuted(TransceiverKey),
    /// Media flows (again).
    TrackUnmuted(TransceiverKey),
    /// The track is over.
    TrackEnded(TransceiverKey),
    /// The peer wants a key frame of an encoding.
    KeyframeRequested(TransceiverKey, u8),
}

/// Whether a section can be spoken here.
pub(crate) fn is_spoken(section: &sdp::Media) -> bool {
    section.is_data() || section.is_rtp()
}

impl Transceivers {
    pub(crate) fn new(start: Start, configuration: &Configuration, stack: &super::Stack) -> Self {
        let mut rng = ChaCha12Rng::from_seed(*start.seed.as_bytes());
        rng.set_stream(u64::from_be_bytes(*b"media   "));
        Self {
            start,
            capabilities: Arc::clone(&configuration.capabilities),
            numbers: Numbers::default(),
            draft: Numbers::default(),
            list: Vec::new(),
            next_key: 0,
            cname: super::ice_chars(&mut rng, CNAME_LEN),
            rng,
            saved: None,
            routes: BTreeMap::new(),
            flow: Flow::new(stack.stages.clone()),
            events: VecDeque::new(),
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// The sections of an offer are written from here on.
    pub(crate) fn begin_offer(&mut self) {
        self.draft = self.numbers.clone();
    }

    /// Transceivers that wait for a section, in the order they were made.
    pub(crate) fn unassociated(&self) -> Vec<TransceiverKey> {
        let waits = |transceiver: &&Transceiver| {
            transceiver.section.is_none()
                && transceiver.mid.is_none()
                && transceiver.is_alive()
                && !transceiver.is_explicit
        };
        self.list
            .iter()
            .filter(waits)
            .map(|transceiver| transceiver.key)
            .collect()
    }

    /// The transceiver that has this section and goes on with it.
    pub(crate) fn alive_in_section(&self, index: usize) -> Option<TransceiverKey> {
        self.of_section(index)
            .filter(|transceiver| transceiver.is_alive())
            .map(|transceiver| transceiver.key)
    }

    fn of_section(&self, index: usize) -> Option<&Transceiver> {
        self.list
            .iter()
            .find(|transceiver| transceiver.section == Some(index) && !transceiver.stopped)
    }

    /// Keys only grow, so the list is in their order.
    fn position(&self, key: TransceiverKey) -> Option<usize> {
        self.list
            .binary_search_by_key(&key, |transceiver| transceiver.key)
            .ok()
    }

    fn get(&self, key: TransceiverKey) -> Option<&Transceiver> {
        self.list.get(self.position(key)?)
    }

    fn get_mut(&mut self, key: TransceiverKey) -> Option<&mut Transceiver> {
        let at = self.position(key)?;
        self.list.get_mut(at)
    }

    fn push(
        &mut self,
        kind: MediaKind,
        direction: RtpTransceiverDirection,
        encodings: &[RtpEncodingParameters],
    ) -> TransceiverKey {
        let key = TransceiverKey(self.next_key);
        self.next_key += 1;
        let rng = &mut self.rng;
        let one = [RtpEncodingParameters::default()];
        let encodings = if encodings.is_empty() {
            &one
        } else {
            encodings
        };
        let encodings = encodings
            .iter()
            .map(|parameters| Encoding::new(parameters.clone(), || rng.next_u32()))
            .collect();
        let (ours, theirs) = (draw_id(rng), draw_id(rng));
        self.list.push(Transceiver {
            key,
            kind,
            mid: None,
            section: None,
            planned: None,
            direction,
            current_direction: None,
            fired_direction: None,
            stopping: false,
            stopped: false,
            preferences: Vec::new(),
            answered: Vec::new(),
            by_add_track: false,
            by_pending_offer: false,
            is_explicit: false,
            sender: Sender::new(ours, encodings),
            receiver: Receiver::new(theirs),
        });
        key
    }

    /// Takes a transceiver away as if it had never been.
    fn remove(&mut self, now: Instant, key: TransceiverKey) {
        self.unbind(now, key);
        if let Some(at) = self.position(key) {
            self.list.remove(at);
        }
    }
}

/// The id of a track: as unguessable as any, and short.
fn draw_id(rng: &mut ChaCha12Rng) -> String {
    format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
}
