//! Packets of tracks on their way to the sockets: first many are protected, then many are sent.

use super::TrackCore;
use super::media::Written;
use super::{DriverWake, Shared};
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

    /// Sends everything, one socket after the other; what goes to one peer stays in its order.
    fn flush(&mut self) {
        let of_socket = |packet: &Outgoing| (Arc::as_ptr(&packet.socket), packet.at.start);
        self.packets.sort_unstable_by_key(of_socket);
        let mut rest = &self.packets[..];
        while let [first, ..] = rest {
            let run = first.count_run(rest);
            let many = first.count_many(rest);
            let (group, tail) = rest.split_at(run.max(many));
            if run >= many {
                first.send_run(group, &self.bytes);
            } else {
                first.send_many(group, &self.bytes);
            }
            rest = tail;
        }
        self.packets.clear();
        self.len = 0;
    }
}

impl Outgoing {
    /// How many of these, itself the first, go the same way in one length, and lie next to each other;
    /// the last may be shorter.
    fn count_run(&self, packets: &[Self]) -> usize {
        let size = self.at.len();
        let (mut last, mut end) = (size, self.at.start);
        let mut in_run = |next: &&Self| {
            let is_next = last == size
                && next.at.len() <= size
                && next.at.start == end
                && Arc::ptr_eq(&self.shared, &next.shared)
                && Arc::ptr_eq(&self.socket, &next.socket)
                && self.transmit.remote == next.transmit.remote;
            (last, end) = (next.at.len(), next.at.end);
            is_next
        };
        packets.iter().take_while(|next| in_run(next)).count()
    }

    /// How many of these, itself the first, share the socket, each for another destination than the
    /// one before.
    fn count_many(&self, packets: &[Self]) -> usize {
        let mut last = None;
        let mut in_group = |next: &&Self| {
            let differs = last.replace(next.transmit.remote) != Some(next.transmit.remote);
            differs && Arc::ptr_eq(&self.socket, &next.socket)
        };
        packets.iter().take_while(|next| in_group(next)).count()
    }

    /// Sends packets of one length as one run.
    fn send_run(&self, packets: &[Self], bytes: &[u8]) {
        let size = self.at.len();
        let end = packets.last().map_or(self.at.end, |last| last.at.end);
        let run = &bytes[self.at.start..end];
        let segment_size = (packets.len() > 1).then_some(size);
        let remote = self.transmit.remote;
        match self.socket.try_send(remote, run, segment_size, None, None) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                packets.iter().for_each(|packet| packet.leave(bytes));
            }
            Err(error) => tracing::trace!(%error, "a packet was not sent"),
        }
    }

    /// Sends packets of one socket, each to its own destination.
    fn send_many(&self, packets: &[Self], bytes: &[u8]) {
        let mut datagrams = [(self.transmit.remote, &bytes[..0]); MAX_PACKETS];
        for (datagram, packet) in datagrams.iter_mut().zip(packets) {
            *datagram = (packet.transmit.remote, &bytes[packet.at.clone()]);
        }
        let datagrams = &datagrams[..packets.len()];
        let taken = self.socket.try_send_many(datagrams).unwrap_or_default();
        packets[taken..]
            .iter()
            .for_each(|packet| packet.leave(bytes));
    }

    /// What a full socket does not take waits for the driver.
    fn leave(&self, bytes: &[u8]) {
        let bytes = &bytes[self.at.clone()];
        self.shared.lock().media.block(self.transmit, bytes);
        DriverWake::wake_by_ref(&self.shared.driver);
    }
}
