use crate::api::handle::Handle;
use crate::api::state::MediaKind;
use crate::event::Event;
use crate::parameters::RtpCodecParameters;
use crate::session::TransceiverKey;
use crate::shared::TrackChange;
use interceptor::StreamStats;
use rtp::{Packet, rtcp};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Notify;

/// What a [`TrackRemote`] tells (webrtc-pc §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackEvent {
    /// The peer has stopped sending for now.
    Mute,
    /// Media comes.
    Unmute,
    /// It is over.
    Ended,
}

/// Media that the peer sends (W3C `MediaStreamTrack` of an `RTCRtpReceiver`): RTP packets, in the
/// order they came or were repaired.
///
/// Where the peer sends a simulcast, each layer is a track. A handle is cheap to clone and keeps
/// the connection alive. Packets wait in a bounded queue; a slow reader loses the oldest.
#[derive(Clone)]
pub struct TrackRemote {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Arc<Handle>,
    key: TransceiverKey,
    layer: u8,
    kind: MediaKind,
    id: String,
    rid: Option<String>,
    readable: Arc<Notify>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut state = self.handle.shared.lock();
        state.media.close_track(self.key, self.layer);
    }
}

impl TrackRemote {
    pub(crate) fn new(handle: Arc<Handle>, key: TransceiverKey, layer: u8) -> Self {
        let (readable, kind, receiver) = {
            let mut state = handle.shared.lock();
            let kind = state.session.transceiver(key).map(|info| info.kind);
            let receiver = state.session.receiver(key);
            let slot = state.media.open_track(key, layer);
            (slot.readable.clone(), kind, receiver)
        };
        let rid = receiver.as_ref().and_then(|receiver| {
            let layers = &receiver.layers;
            layers.get(usize::from(layer)).cloned()
        });
        Self {
            inner: Arc::new(Inner {
                handle,
                key,
                layer,
                kind: kind.unwrap_or(MediaKind::Audio),
                id: receiver.map(|receiver| receiver.track).unwrap_or_default(),
                rid,
                readable,
            }),
        }
    }

    /// Its id, as the peer calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// What it carries.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.inner.kind
    }

    /// The name of the layer; `None` where the peer sends one stream.
    #[must_use]
    pub fn rid(&self) -> Option<&str> {
        self.inner.rid.as_deref()
    }

    /// The codec of a packet of this track, by its payload type.
    #[must_use]
    pub fn codec(&self, payload_type: u8) -> Option<RtpCodecParameters> {
        let state = self.inner.handle.shared.lock();
        state.session.codec(self.inner.kind, payload_type)
    }

    /// The streams that the peer puts it into.
    #[must_use]
    pub fn streams(&self) -> Vec<String> {
        let state = self.inner.handle.shared.lock();
        let receiver = state.session.receiver(self.inner.key);
        receiver
            .map(|receiver| receiver.streams)
            .unwrap_or_default()
    }

    /// W3C `muted`: whether no media comes.
    #[must_use]
    pub fn muted(&self) -> bool {
        let state = self.inner.handle.shared.lock();
        let receiver = state.session.receiver(self.inner.key);
        receiver.is_none_or(|receiver| receiver.muted)
    }

    /// The next packet; `None` when the track has ended or the connection is closed. Cancel safe.
    ///
    /// Payload type and extension ids are those of the connection's
    /// [`Capabilities`](crate::Capabilities), whatever was negotiated: the packet can be written to
    /// another connection as it is.
    pub async fn read_rtp(&self) -> Option<Packet> {
        loop {
            let readable = self.inner.readable.notified();
            let (packet, over) = {
                let mut state = self.inner.handle.shared.lock();
                let closed = state.session.is_closed();
                let slot = state.media.track(self.inner.key, self.inner.layer);
                (slot.packets.pop_front(), slot.ended || closed)
            };
            match packet {
                Some(packet) => return Some(packet),
                None if over => return None,
                None => readable.await,
            }
        }
    }

    /// The next packet, if one waits.
    #[must_use]
    pub fn try_read_rtp(&self) -> Option<Packet> {
        let mut state = self.inner.handle.shared.lock();
        let slot = state.media.track(self.inner.key, self.inner.layer);
        slot.packets.pop_front()
    }

    /// The next RTCP packet from the sender of this track; `None` when it has ended. Packets are
    /// kept from the first call on. Cancel safe.
    pub async fn read_rtcp(&self) -> Option<rtcp::Packet> {
        self.inner.handle.shared.lock().session.read_rtcp();
        loop {
            let readable = self.inner.readable.notified();
            let (packet, over) = {
                let mut state = self.inner.handle.shared.lock();
                let closed = state.session.is_closed();
                let slot = state.media.track(self.inner.key, self.inner.layer);
                (slot.rtcp.pop_front(), slot.ended || closed)
            };
            match packet {
                Some(packet) => return Some(packet),
                None if over => return None,
                None => readable.await,
            }
        }
    }

    /// The next change of the track; `None` after its end. Cancel safe.
    pub async fn next_event(&self) -> Option<Event<TrackEvent>> {
        loop {
            let readable = self.inner.readable.notified();
            let (event, over) = {
                let mut state = self.inner.handle.shared.lock();
                let closed = state.session.is_closed();
                let slot = state.media.track(self.inner.key, self.inner.layer);
                (slot.changes.pop_front(), slot.ended || closed)
            };
            match event {
                Some(event) => {
                    return Some(event.map(|change| match change {
                        TrackChange::Mute => TrackEvent::Mute,
                        TrackChange::Unmute => TrackEvent::Unmute,
                        TrackChange::Ended => TrackEvent::Ended,
                    }));
                }
                None if over => return None,
                None => readable.await,
            }
        }
    }

    /// Asks the peer for a key frame (PLI or FIR, as was negotiated). Requests are limited; ask
    /// again while the frame does not come.
    pub fn request_keyframe(&self) {
        let (key, layer) = (self.inner.key, self.inner.layer);
        self.inner
            .handle
            .shared
            .call(|state, now| state.session.request_keyframe(now, key, layer));
    }

    /// The counters of the stream: what came, what was lost and repaired; `None` before media has
    /// come.
    #[must_use]
    pub fn stats(&self) -> Option<StreamStats> {
        let state = self.inner.handle.shared.lock();
        state
            .session
            .receiver_stats(self.inner.key, self.inner.layer)
    }

    /// Packets that were given up because nobody read them in time.
    #[must_use]
    pub fn packets_dropped(&self) -> u64 {
        let mut state = self.inner.handle.shared.lock();
        state.media.track(self.inner.key, self.inner.layer).dropped
    }
}

impl fmt::Debug for TrackRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackRemote")
            .field("id", &self.inner.id)
            .field("kind", &self.inner.kind)
            .field("rid", &self.inner.rid)
            .finish_non_exhaustive()
    }
}
