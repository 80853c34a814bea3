//! What may leave now, and how it gets into the packet (RFC 9260 §6.1).

use super::{Sender, SentForward, Upper, WindowProbe};
use crate::outstanding::Outstanding;
use crate::packet::{
    DATA_OVERHEAD, Data, ForwardTsn, I_DATA_OVERHEAD, IData, IForwardTsn, Writer, padded,
};
use crate::queue::{Fragment, Limit, Room, SendQueue, ssn};
use crate::serial::Tsn;
use std::time::Instant;

/// A fragment shorter than this does not fill up a packet that has other chunks already; the
/// message goes on in the next packet.
const MIN_FRAGMENT: usize = 256;

impl Sender {
    /// Whether data would go out now.
    pub(crate) fn has_sendable(&self, now: Instant, queue: &SendQueue) -> bool {
        self.may_leave(now) && self.has_room(queue)
    }

    /// Whether it is time for another packet.
    fn may_leave(&self, now: Instant) -> bool {
        self.fast_retransmit || self.tail_probe.is_due() || self.pacer.may_send(now)
    }

    /// Whether the windows leave room for what there is to send.
    fn has_room(&self, queue: &SendQueue) -> bool {
        if self.outstanding.has_lost() {
            return self.may_retransmit();
        }
        queue
            .next_len()
            .is_some_and(|len| self.may_send(len.min(self.chunk - self.overhead())))
    }

    /// The chunk that is to be sent again now and its length, if no packet takes it: it was cut for
    /// a larger path and cannot be cut again (RFC 9260 §6.9).
    pub(crate) fn next_oversize(
        &mut self,
        now: Instant,
        queue: &SendQueue,
    ) -> Option<(Tsn, usize)> {
        let chunk = match self.outstanding.next_lost(now) {
            Some(lost) => self.may_retransmit().then_some(lost),
            None if self.tail_probe.is_due() && !self.has_room(queue) => {
                self.outstanding.probe_chunk(now)
            }
            None => None,
        };
        chunk.filter(|&(_, len)| self.wire_len(len) > self.segment && self.may_leave(now))
    }

    /// Writes this chunk; `None`, and nothing written, if the packet has no room for it either.
    pub(crate) fn write_alone(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        upper: &mut Upper<'_>,
        (tsn, len): (Tsn, usize),
    ) -> Option<()> {
        let len = self.wire_len(len);
        if len > packet.remaining() {
            return None;
        }
        self.outstanding.begin_packet();
        if self.outstanding.has_lost() {
            self.write_again(now, packet, upper, tsn);
            self.fast_retransmit = false;
        } else {
            self.write_tail_probe(now, packet, upper);
        }
        self.settle(upper);
        self.pacer.sent(now, len);
        Some(())
    }

    /// What a chunk has around its user data.
    fn overhead(&self) -> usize {
        if self.interleaving {
            I_DATA_OVERHEAD
        } else {
            DATA_OVERHEAD
        }
    }

    /// What a chunk with this much user data takes in a packet.
    pub(super) fn wire_len(&self, payload: usize) -> usize {
        padded(self.overhead() + payload)
    }

    /// RFC 3758 §3.5, C3 to C5.
    pub(crate) fn write_forward(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        scratch: &mut Vec<u8>,
    ) {
        if !self.forward.due {
            return;
        }
        let Some(to) = self.outstanding.write_forward(packet.remaining(), scratch) else {
            return;
        };
        let new_cumulative_tsn = to.wire();
        let pushed = if self.interleaving {
            packet.push(&IForwardTsn {
                new_cumulative_tsn,
                skipped: scratch,
            })
        } else {
            packet.push(&ForwardTsn {
                new_cumulative_tsn,
                skipped: scratch,
            })
        };
        if pushed {
            self.forward.due = false;
            self.forward.sent = Some(SentForward {
                at: now,
                advanced: self.outstanding.advanced(),
                told: to,
            });
            self.timer.get_or_insert(now + self.rto.timeout());
        }
    }

    /// Fills the packet with DATA: first what is lost, then what is new (RFC 9260 §6.1, C).
    pub(crate) fn write_data(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        upper: &mut Upper<'_>,
    ) {
        if !self.may_leave(now) {
            if self.has_room(upper.queue) {
                self.pacer.block();
            }
            return;
        }
        let has_data = self.outstanding.has_lost() || !upper.queue.is_empty();
        if !has_data && !self.tail_probe.is_due() {
            self.fast_retransmit = false;
            self.note_idleness(upper.queue);
            return;
        }
        let before = packet.remaining();
        self.outstanding.begin_packet();
        self.write_lost(now, packet, upper);
        if !self.outstanding.has_lost() {
            self.fast_retransmit = false;
            self.write_new(now, packet, upper);
            self.write_tail_probe(now, packet, upper);
        }
        let written = before - packet.remaining();
        if written > 0 {
            self.pacer.sent(now, written);
        }
    }

    fn may_retransmit(&self) -> bool {
        let in_flight = self.outstanding.in_flight();
        self.fast_retransmit || self.tail_probe.is_due() || self.has_window(in_flight)
    }

    /// Bursts are bounded by the pacer or by what a SACK has made room for.
    fn has_window(&self, in_flight: usize) -> bool {
        in_flight < self.congestion.window()
            && (in_flight < self.burst_limit || self.pacer.is_pacing())
    }

    fn write_lost(&mut self, now: Instant, packet: &mut Writer<'_>, upper: &mut Upper<'_>) {
        let mut written = false;
        while self.may_retransmit()
            && let Some((tsn, len)) = self.outstanding.next_lost(now)
            && self.wire_len(len) <= packet.remaining()
        {
            self.write_again(now, packet, upper, tsn);
            written = true;
        }
        if written {
            self.fast_retransmit = false;
        }
        self.settle(upper);
        self.forward_news();
    }

    fn write_again(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        upper: &mut Upper<'_>,
        tsn: Tsn,
    ) {
        let due = now + self.rto.backed_off(self.expirations);
        // The earliest outstanding chunk restarts the timer (RFC 9260 §6.1).
        if tsn == self.outstanding.first() {
            self.timer = Some(due);
        }
        self.timer.get_or_insert(due);
        let interleaving = self.interleaving;
        let fragment = self.outstanding.retransmit(now, tsn);
        let immediate = self.tail_probe.is_due();
        push_chunk(packet, fragment, tsn, immediate, interleaving);
        upper.stats.retransmissions += 1;
        self.last_sent = now;
        self.sent_again(now, tsn);
    }

    /// RFC 9260 §6.1, A, B and D. `len` is the payload of the next chunk.
    fn may_send(&self, len: usize) -> bool {
        let in_flight = self.outstanding.in_flight();
        (self.has_window(in_flight) || self.tail_probe.is_due())
            && !self.outstanding.is_full()
            && (in_flight + Outstanding::cost(len) <= self.a_rwnd
                || (self.outstanding.is_empty() && self.window_probe == WindowProbe::Due))
    }

    fn write_new(&mut self, now: Instant, packet: &mut Writer<'_>, upper: &mut Upper<'_>) {
        loop {
            if self.interleaving {
                upper.queue.set_room(self.peer_room());
            }
            let room = packet.remaining().min(self.chunk);
            let Some(room) = room.checked_sub(self.overhead()) else {
                self.note_idleness(upper.queue);
                return;
            };
            upper.stats.messages_abandoned += upper.queue.expire(now, upper.events);
            let Some(len) = upper.queue.next_len() else {
                self.note_idleness(upper.queue);
                return;
            };
            if room < len && room < MIN_FRAGMENT {
                return;
            }
            if !self.may_send(len.min(room)) {
                self.consider_probe(now, len.min(room));
                return;
            }
            let Some(fragment) = upper.queue.take(room, upper.events) else {
                return;
            };
            self.write_fragment(now, packet, fragment, upper.queue.next_len().is_none());
        }
    }

    /// What the peer can hold, as far as it told.
    fn peer_room(&self) -> Room {
        Room {
            widest: self.widest_window,
            fragment: self.chunk - self.overhead(),
        }
    }

    fn write_fragment(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        mut fragment: Fragment,
        is_last: bool,
    ) {
        if self.outstanding.is_empty() {
            self.decay(now);
            if self.a_rwnd < Outstanding::cost(fragment.data.len()) {
                self.window_probe = WindowProbe::Sent;
            }
        }
        if !self.partial_reliability {
            // The peer could not be told to go on without it (RFC 3758 §3.3.3).
            fragment.limit = Limit::Never;
        }
        let interleaving = self.interleaving;
        let (tsn, fragment) = self.outstanding.push(now, fragment);
        // Nothing follows that would make the receiver acknowledge, or it is a probe: ask for it
        // (RFC 9260 §3.3.1).
        let immediate = is_last || self.tail_probe.is_due();
        push_chunk(packet, fragment, tsn, immediate, interleaving);
        self.last_sent = now;
        self.timer
            .get_or_insert(now + self.rto.backed_off(self.expirations));
        self.sent_tail(now, tsn, immediate);
    }

    /// If there is too little to send, the rates that follow tell nothing of the path.
    fn note_idleness(&mut self, queue: &SendQueue) {
        let room = self.outstanding.in_flight() < self.congestion.window();
        if room && queue.next_len().is_none() {
            self.outstanding.limited_by_sender();
        }
    }

    /// A window that was not used for a while is worth less (RFC 9260 §7.2.1).
    fn decay(&mut self, now: Instant) {
        let idle = now.saturating_duration_since(self.last_sent);
        let timeouts = idle.as_micros() / self.rto.timeout().as_micros().max(1);
        if timeouts > 0 {
            self.congestion
                .idle(now, u32::try_from(timeouts).unwrap_or(u32::MAX));
            self.burst_limit = self.burst * self.segment;
        }
    }

    /// With the peer's window closed and nothing in flight, a probe goes after a timeout
    /// (RFC 9260 §6.1, A).
    fn consider_probe(&mut self, now: Instant, len: usize) {
        if self.window_probe == WindowProbe::None
            && self.outstanding.is_empty()
            && self.a_rwnd < Outstanding::cost(len)
        {
            self.window_probe = WindowProbe::At(now + self.rto.timeout());
        }
    }
}

/// Writes a chunk of the kind that both ends have agreed on.
pub(super) fn push_chunk(
    packet: &mut Writer<'_>,
    fragment: &Fragment,
    tsn: Tsn,
    immediate: bool,
    interleaving: bool,
) {
    let pushed = if interleaving {
        packet.push(&IData {
            immediate,
            unordered: fragment.unordered,
            beginning: fragment.beginning,
            ending: fragment.ending,
            tsn: tsn.wire(),
            stream: fragment.stream,
            mid: fragment.number,
            protocol: fragment.protocol,
            fsn: fragment.fsn,
            payload: &fragment.data,
        })
    } else {
        packet.push(&Data {
            immediate,
            unordered: fragment.unordered,
            beginning: fragment.beginning,
            ending: fragment.ending,
            tsn: tsn.wire(),
            stream: fragment.stream,
            ssn: if fragment.unordered {
                0
            } else {
                ssn(fragment.number)
            },
            protocol: fragment.protocol,
            payload: &fragment.data,
        })
    };
    debug_assert!(pushed, "the caller has made room");
}
