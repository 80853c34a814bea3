//! Packets of tracks on their way to the sockets: first many are protected, then many are sent.

use super::media::Written;
use super::{DriverWake, Shared};
use crate::api::local_track::TrackCore;
use crate::session::TransceiverKey;
use layer::Transmit;
use net::UdpSocket;
use rtp::Packet;
use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::task::Wake;
use std::time::Instant;

/// How many packets are protected before the first of them is sent. Our code and the system's drive
/// each other out of the processor's caches; taking turns less often leaves both there.
const MAX_PACKETS: usize = 32;

/// The largest protected packet.
const MAX_PACKET: usize = 2048;

thread_local! {
    static OUTBOX: RefCell<Outbox> = const { RefCell::new(Outbox::new()) };
}

/// What one thread has protected and not sent yet. It is empty between two calls of the
/// application.
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    len: usize,
    packets: Vec<Outgoing>,
}

/// A packet in the bytes of an outbox.
struct Outgoing {
    shared: Arc<Shared>,
    socket: Arc<UdpSocket>,
    transmit: Transmit,
    at: Range<usize>,
}

impl Outbox {
    const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            len: 0,
            packets: Vec::new(),
        }
    }

    /// Lends the thread's outbox, and sends what was put there.
    pub(crate) fn with<T>(fill: impl FnOnce(&mut Self) -> T) -> T {
        OUTBOX.with_borrow_mut(|outbox| {
            outbox.bytes.resize(MAX_PACKETS * MAX_PACKET, 0);
            let filled = fill(outbox);
            outbox.flush();
            filled
        })
    }

    /// Protects a packet of a track for one of its senders; whether it goes on its way.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        track: &TrackCore,
        (shared, key): (Arc<Shared>, TransceiverKey),
        rid: Option<&str>,
        packet: &Packet,
    ) -> bool {
        if self.bytes.len() - self.len < MAX_PACKET || self.packets.len() == MAX_PACKETS {
            self.flush();
        }
        let room = &mut self.bytes[self.len..][..MAX_PACKET];
        match shared.write_rtp(now, track, (key, rid), packet, room) {
            Written::Nothing => return false,
            Written::Waits => DriverWake::wake_by_ref(&shared.driver),
            Written::Ready(transmit, socket) => {
                let at = self.len..self.len + transmit.len;
                self.len = at.end;
                self.packets.push(Outgoing {
                    shared,
                    socket,
                    transmit,
                    at,
                });
            }
        }
        true
    }

    /// Sends everything, in its order.
    fn flush(&mut self) {
        let mut packets = self.packets.drain(..).peekable();
        while let Some(first) = packets.next() {
            let mut run = first.at.clone();
            let size = run.len();
            // Packets of one length to one address are one system call; the last may be shorter.
            let mut last = size;
            while let Some(next) = packets
                .next_if(|next| last == size && next.at.len() <= size && first.is_to_where(next))
            {
                last = next.at.len();
                run.end = next.at.end;
            }
            first.send(&self.bytes[run], size);
        }
        drop(packets);
        self.len = 0;
    }
}

impl Outgoing {
    fn is_to_where(&self, next: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &next.shared)
            && Arc::ptr_eq(&self.socket, &next.socket)
            && self.transmit.remote == next.transmit.remote
    }

    /// Sends a run of packets of `size` bytes; what a full socket does not take waits for the driver.
    fn send(&self, run: &[u8], size: usize) {
        let segment_size = (run.len() > size).then_some(size);
        let remote = self.transmit.remote;
        match self.socket.try_send(remote, run, segment_size, None, None) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut state = self.shared.lock();
                for packet in run.chunks(size) {
                    let mut transmit = self.transmit;
                    transmit.len = packet.len();
                    state.media.block(transmit, packet);
                }
                drop(state);
                DriverWake::wake_by_ref(&self.shared.driver);
            }
            Err(error) => tracing::trace!(%error, "a packet was not sent"),
        }
    }
}
