//! What waits for the readers of tracks and RTCP, and the way of written packets to the socket.

use super::TrackCore;
use super::{Shared, State};
use crate::event::Event;
use crate::session::{SessionEvent, TransceiverKey};
use layer::Transmit;
use net::UdpSocket;
use rtp::{Packet, rtcp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Instant;
use tokio::sync::Notify;

/// Packets that a track keeps for a reader who is slow: about a second of video of 10 Mbit/s.
/// Beyond it the oldest is given up and counted, so that a slow reader harms only itself.
const MAX_TRACK_QUEUE: usize = 1024;

/// RTCP packets kept for a reader; beyond it the oldest is given up.
const MAX_RTCP_QUEUE: usize = 128;

/// Protected packets that wait because the socket was full. Beyond it packets are dropped, as on
/// any path.
const MAX_BLOCKED: usize = 512;

/// Tracks, senders and what could not be sent yet.
#[derive(Debug, Default)]
pub(crate) struct MediaState {
    tracks: BTreeMap<(TransceiverKey, u8), TrackSlot>,
    senders: BTreeMap<TransceiverKey, SenderSlot>,
    blocked: VecDeque<(Transmit, Vec<u8>)>,
}

/// What waits for the reader of one track.
#[derive(Debug, Default)]
pub(crate) struct TrackSlot {
    pub(crate) packets: VecDeque<Packet>,
    pub(crate) changes: VecDeque<Event<TrackChange>>,
    pub(crate) rtcp: VecDeque<rtcp::Packet>,
    /// Packets given up because the reader was slow.
    pub(crate) dropped: u64,
    pub(crate) ended: bool,
    pub(crate) readable: Arc<Notify>,
    /// Handles that can read it.
    handles: usize,
    /// There was a handle and there is none any more.
    orphaned: bool,
}

/// What concerns one sender.
#[derive(Debug, Default)]
pub(crate) struct SenderSlot {
    pub(crate) track: Weak<TrackCore>,
    pub(crate) rtcp: VecDeque<rtcp::Packet>,
    pub(crate) readable: Arc<Notify>,
}

/// A change in a track's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackChange {
    Mute,
    Unmute,
    Ended,
}

impl MediaState {
    pub(crate) fn track(&mut self, key: TransceiverKey, layer: u8) -> &mut TrackSlot {
        self.tracks.entry((key, layer)).or_default()
    }

    pub(crate) fn sender(&mut self, key: TransceiverKey) -> &mut SenderSlot {
        self.senders.entry(key).or_default()
    }

    /// Whether this is the track that the sender has now.
    fn is_attached(&self, key: TransceiverKey, track: &TrackCore) -> bool {
        let slot = self.senders.get(&key);
        slot.is_some_and(|slot| std::ptr::eq(slot.track.as_ptr(), track))
    }

    /// Another handle reads the track.
    pub(crate) fn open_track(&mut self, key: TransceiverKey, layer: u8) -> &TrackSlot {
        let slot = self.track(key, layer);
        slot.handles += 1;
        slot.orphaned = false;
        slot
    }

    /// A handle of a track is gone; with the last one what waits for a reader goes too.
    pub(crate) fn close_track(&mut self, key: TransceiverKey, layer: u8) {
        let Some(slot) = self.tracks.get_mut(&(key, layer)) else {
            return;
        };
        slot.handles -= 1;
        if slot.handles > 0 {
            return;
        }
        slot.orphaned = true;
        slot.packets.clear();
        if slot.ended {
            self.tracks.remove(&(key, layer));
        }
    }

    fn change(&mut self, key: TransceiverKey, sequence: u64, change: TrackChange) {
        let layers = self.tracks.range_mut((key, 0)..=(key, u8::MAX));
        for (_, slot) in layers {
            if slot.ended {
                continue;
            }
            slot.ended = change == TrackChange::Ended;
            // Changes that nobody took coalesce: the last one holds.
            slot.changes
                .retain(|waiting| waiting.kind == TrackChange::Ended);
            slot.changes.push_back(Event::new(sequence, change));
            slot.readable.notify_waiters();
        }
        if change == TrackChange::Ended {
            let over = |(own, _): &(TransceiverKey, u8), slot: &mut TrackSlot| {
                !(*own == key && slot.orphaned)
            };
            self.tracks.retain(over);
            self.senders.remove(&key);
        }
    }
}

impl State {
    /// Whether the event was one of a track or a sender.
    pub(super) fn dispatch_track_event(&mut self, event: &SessionEvent, sequence: u64) -> bool {
        let media = &mut self.media;
        match event {
            SessionEvent::TrackMuted(key) => media.change(*key, sequence, TrackChange::Mute),
            SessionEvent::TrackUnmuted(key) => media.change(*key, sequence, TrackChange::Unmute),
            SessionEvent::TrackEnded(key) => media.change(*key, sequence, TrackChange::Ended),
            SessionEvent::KeyframeRequested(key, _) => {
                let slot = media.senders.get(key);
                if let Some(track) = slot.and_then(|slot| slot.track.upgrade()) {
                    track.note_keyframe_request();
                }
            }
            _ => return false,
        }
        true
    }

    /// Queues the packets that have come.
    pub(super) fn dispatch_packets(&mut self) {
        while let Some(incoming) = self.session.poll_rtp() {
            let key = (incoming.transceiver, incoming.layer);
            let Some(slot) = self.media.tracks.get_mut(&key) else {
                continue;
            };
            if slot.orphaned {
                continue;
            }
            if slot.packets.len() >= MAX_TRACK_QUEUE {
                slot.packets.pop_front();
                slot.dropped += 1;
            }
            slot.packets.push_back(incoming.packet);
            slot.readable.notify_waiters();
        }
        while let Some(incoming) = self.session.poll_rtcp() {
            let packet = &incoming.packet;
            for key in incoming.senders {
                if let Some(slot) = self.media.senders.get_mut(&key) {
                    keep(&mut slot.rtcp, packet);
                    slot.readable.notify_waiters();
                }
            }
            for key in incoming.receivers {
                let layers = (key, 0)..=(key, u8::MAX);
                for (_, slot) in self.media.tracks.range_mut(layers) {
                    keep(&mut slot.rtcp, packet);
                    slot.readable.notify_waiters();
                }
            }
        }
    }

    /// The oldest packet that a full socket did not take.
    pub(crate) fn take_blocked(&mut self) -> Option<(Transmit, Vec<u8>)> {
        self.media.blocked.pop_front()
    }
}

impl MediaState {
    /// Queues what a full socket did not take for the driver. Beyond the bound it is lost, as on any
    /// full queue of the path.
    pub(super) fn block(&mut self, transmit: Transmit, bytes: &[u8]) {
        if self.blocked.len() < MAX_BLOCKED {
            self.blocked.push_back((transmit, bytes.to_vec()));
        }
    }
}

/// What became of a packet that was written.
#[derive(Debug)]
pub(super) enum Written {
    /// It goes nowhere.
    Nothing,
    /// It is for the driver to send.
    Waits,
    /// It is protected.
    Ready(Transmit, Arc<UdpSocket>),
}

impl Shared {
    /// The connection is closed: whoever waits for a track is told.
    pub(crate) fn wake_readers(&self) {
        let state = self.lock();
        for slot in state.media.tracks.values() {
            slot.readable.notify_waiters();
        }
        for slot in state.media.senders.values() {
            slot.readable.notify_waiters();
        }
    }

    /// Protects a packet of a track into `out`, for a sender and one of its layers.
    ///
    /// A track that was replaced while it was being written sends nothing more: one packet of its
    /// own among those of its successor would tear apart the frame that these are.
    pub(super) fn write_rtp(
        &self,
        now: Instant,
        track: &TrackCore,
        (key, rid): (TransceiverKey, Option<&str>),
        packet: &Packet,
        out: &mut [u8],
    ) -> Written {
        let mut state = self.lock();
        if !state.media.is_attached(key, track) {
            return Written::Nothing;
        }
        let layer = match rid {
            None => Some(0),
            Some(rid) => state.session.encoding_of(key, rid),
        };
        let Some(layer) = layer else {
            return Written::Nothing;
        };
        let Some(transmit) = state.session.write_rtp(now, key, layer, packet, out) else {
            return Written::Nothing;
        };
        let mut sockets = state.sockets.iter();
        let socket = sockets.find(|own| own.id == transmit.socket);
        match socket {
            // Behind what waits already, so that nothing is overtaken.
            Some(socket) if state.media.blocked.is_empty() => {
                Written::Ready(transmit, Arc::clone(&socket.udp))
            }
            // A stream is the driver's.
            _ => {
                state.media.block(transmit, &out[..transmit.len]);
                Written::Waits
            }
        }
    }
}

/// The oldest goes where nobody reads.
fn keep(queue: &mut VecDeque<rtcp::Packet>, packet: &rtcp::Packet) {
    if queue.len() >= MAX_RTCP_QUEUE {
        queue.pop_front();
    }
    queue.push_back(packet.clone());
}
