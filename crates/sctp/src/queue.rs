//! Messages that wait to be sent: one queue per stream, and whose turn it is.

mod finish;
mod state;
mod stream;
mod turns;

use crate::Scheduler;
use bytes::Bytes;
use finish::Begun;
pub(crate) use finish::Room;
use layer::{Outgoing, Reliability, SctpError, SctpEvent};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;
use stream::{Head, Piece, ResetState, Stream};
use turns::Turns;

/// What a queued message or fragment costs beyond its bytes, against the send buffer.
pub(crate) const PIECE_COST: usize = 64;

/// From which share of the send buffer on a message is sent before its last fragment is there.
const EARLY_START_SHARE: usize = 4;

/// When a message is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Never,
    /// After this many retransmissions (RFC 7496 §3.1).
    Retransmissions(u16),
    /// At this instant (RFC 3758 §4.1).
    Deadline(Instant),
}

impl Limit {
    pub(crate) fn has_passed(self, now: Instant) -> bool {
        matches!(self, Self::Deadline(at) if at <= now)
    }
}

/// What becomes one DATA chunk.
#[derive(Debug)]
pub(crate) struct Fragment {
    pub(crate) stream: u16,
    /// The stream sequence number, in its low 16 bits, or the message identifier.
    pub(crate) number: u32,
    /// The fragment sequence number.
    pub(crate) fsn: u32,
    pub(crate) protocol: u32,
    pub(crate) unordered: bool,
    pub(crate) beginning: bool,
    pub(crate) ending: bool,
    pub(crate) limit: Limit,
    pub(crate) data: Bytes,
}

impl Fragment {
    /// Which message it belongs to.
    pub(crate) fn message(&self) -> (u16, bool, u32) {
        (self.stream, self.unordered, self.number)
    }
}

/// The stream sequence number of a message: the low 16 bits of its number.
pub(crate) fn ssn(number: u32) -> u16 {
    let [_, _, high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// All queues.
///
/// The scheduler gives turns message by message: without interleaving, the fragments of a message have
/// consecutive TSNs (RFC 9260 §6.9); with it, fragment by fragment. A message that is queued in
/// fragments has its turn once the last one is there, or once it fills a good part of the send
/// buffer; from then on the others wait for it.
#[derive(Debug)]
pub(crate) struct SendQueue {
    /// Boxed, because the nodes of a map have room for many and most associations have one or two.
    streams: BTreeMap<u16, Box<Stream>>,
    /// Streams with something to send.
    turns: Turns,
    /// The stream whose message has begun and not ended.
    current: Option<u16>,
    /// Streams whose reset is wanted and not requested yet.
    unreset: BTreeSet<u16>,
    bytes: usize,
    pieces: usize,
    early_start: usize,
    /// Messages of different streams may interleave (RFC 8260 §2.2.2).
    interleaving: bool,
    /// Where messages interleave: those that have begun.
    begun: Begun,
    room: Room,
}

impl SendQueue {
    pub(crate) fn new(send_buffer: usize, scheduler: Scheduler) -> Self {
        Self {
            streams: BTreeMap::new(),
            turns: Turns::new(scheduler),
            current: None,
            unreset: BTreeSet::new(),
            bytes: 0,
            pieces: 0,
            early_start: send_buffer / EARLY_START_SHARE,
            interleaving: false,
            begun: Begun::default(),
            room: Room::default(),
        }
    }

    /// What is queued, with the charge for each piece.
    pub(crate) fn occupied(&self) -> usize {
        self.bytes + self.pieces * PIECE_COST
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces == 0
    }

    pub(crate) fn buffered(&self, stream: u16) -> usize {
        self.streams
            .get(&stream)
            .map_or(0, |stream| stream.buffered)
    }

    pub(crate) fn set_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.streams.entry(stream).or_default().low_threshold = bytes;
    }

    /// Whether fragments of other streams may come between those of a message.
    pub(crate) fn set_interleaving(&mut self, interleaving: bool) {
        self.interleaving = interleaving;
    }

    pub(crate) fn set_weight(&mut self, stream: u16, weight: u16) {
        self.turns.set_weight(stream, weight);
    }

    pub(crate) fn push(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError> {
        let id = message.stream;
        let stream = self.streams.entry(id).or_default();
        // What has begun may be finished before a reset.
        let resetting = stream.reset != ResetState::None && message.first;
        if resetting || stream.open == message.first {
            return Err(SctpError::Stream(id));
        }
        stream.open = !message.last;
        if stream.discarding {
            stream.discarding = stream.open;
            return Ok(());
        }
        let len = message.data.len();
        stream.pieces.push_back(Piece {
            head: Head {
                number: 0,
                protocol: message.protocol,
                unordered: message.unordered,
                limit: match message.reliability {
                    Reliability::MaxRetransmits(count) => Limit::Retransmissions(count),
                    Reliability::MaxLifetime(time) => Limit::Deadline(now + time),
                    // `Reliable`, and kinds that we do not know: rather too much than too little.
                    _ => Limit::Never,
                },
            },
            last: message.last,
            data: message.data,
        });
        stream.buffered += len;
        stream.whole += usize::from(message.last);
        let ends_begun = message.last && stream.whole == 1 && stream.begun.is_some();
        if ends_begun {
            stream.count_left();
        }
        self.bytes += len;
        self.pieces += 1;
        if stream.is_due(self.early_start) {
            self.turns.join(id);
        }
        if ends_begun {
            self.note_rest(id);
        }
        Ok(())
    }

    /// Whether everything waits for the next fragment of this stream.
    pub(crate) fn waits_for(&self, id: u16) -> bool {
        self.current == Some(id) && self.buffered(id) == 0
    }

    /// Whether everything waits for the next fragment of some stream.
    pub(crate) fn is_starved(&self) -> bool {
        self.current.is_some_and(|id| self.buffered(id) == 0)
    }

    /// The buffer is full: if only beginnings of messages fill it, one of them is sent early, best
    /// that of the stream whose owner is waiting.
    pub(crate) fn unblock(&mut self, id: u16) {
        if self.current.is_some() || !self.turns.is_empty() {
            return;
        }
        let filled = |stream: &Stream| !stream.pieces.is_empty();
        let id = if self.streams.get(&id).is_some_and(|it| filled(it)) {
            Some(id)
        } else {
            let mut all = self.streams.iter();
            all.find(|(_, stream)| filled(stream)).map(|(&id, _)| id)
        };
        if let Some(id) = id
            && let Some(stream) = self.streams.get_mut(&id)
        {
            stream.scheduled = true;
            self.turns.join(id);
        }
    }

    /// Throws away every stream from `count` on: the peer does not have them.
    pub(crate) fn limit_streams(&mut self, count: u16) {
        let beyond = self.streams.split_off(&count);
        for stream in beyond.into_values() {
            self.bytes -= stream.buffered;
            self.pieces -= stream.pieces.len();
        }
        self.turns.limit(count);
        self.begun.limit(count);
        self.unreset.retain(|&stream| stream < count);
    }

    /// Throws away messages whose time is over before they began (RFC 3758 §4.1, TR3), as far as
    /// it is their turn. Returns how many.
    pub(crate) fn expire(&mut self, now: Instant, events: &mut VecDeque<SctpEvent>) -> u64 {
        let mut count = 0;
        while self.current.is_none()
            && let Some(id) = self.turns.next()
            && let Some(stream) = self.streams.get_mut(&id)
            && let Some(piece) = stream.pieces.front()
            && stream.begun.is_none()
            && piece.head.limit.has_passed(now)
        {
            self.turns.leave(id);
            count += 1;
            events.push_back(SctpEvent::Abandoned { stream: id });
            self.discard_message(id, events);
            self.finish_turn(id);
        }
        count
    }

    /// Whose fragment is next.
    fn next_stream(&self) -> Option<u16> {
        self.current
            .or_else(|| self.finishing())
            .or_else(|| self.turns.next())
    }

    /// The bytes of the next fragment if it may be as long as it likes.
    pub(crate) fn next_len(&self) -> Option<usize> {
        let id = self.next_stream()?;
        let piece = self.streams.get(&id)?.pieces.front()?;
        Some(piece.data.len())
    }

    /// Takes at most `room` bytes of the next message.
    pub(crate) fn take(
        &mut self,
        room: usize,
        events: &mut VecDeque<SctpEvent>,
    ) -> Option<Fragment> {
        let id = self.next_stream()?;
        let has_turn = self.turns.next() == Some(id);
        let stream = self.streams.get_mut(&id)?;
        let (head, beginning) = stream.begin()?;
        let piece = stream.pieces.front_mut()?;
        let data = piece.data.split_to(room.min(piece.data.len()));
        let exhausted = piece.data.is_empty();
        let ending = exhausted && piece.last;
        let fsn = stream.fragments;
        stream.fragments = fsn.wrapping_add(1);
        stream.sent += data.len();
        stream.left = stream.left.map(|left| left - data.len());
        self.bytes -= data.len();
        if exhausted {
            stream.pieces.pop_front();
            self.pieces -= 1;
        }
        stream.drain(id, data.len(), events);
        if ending {
            stream.whole -= 1;
            stream.begun = None;
            (stream.sent, stream.left) = (0, None);
        }
        if self.current.is_none() && has_turn {
            self.turns.begin();
            self.current = (!self.interleaving).then_some(id);
        }
        self.turns.spend(id, data.len());
        if self.interleaving && !has_turn {
            self.keep_turn(id);
        } else if ending || self.interleaving {
            self.finish_turn(id);
        }
        self.note_rest(id);
        Some(Fragment {
            stream: id,
            number: head.number,
            fsn,
            protocol: head.protocol,
            unordered: head.unordered,
            beginning,
            ending,
            limit: head.limit,
            data,
        })
    }

    /// Throws away what is left of the message of this stream that has begun.
    pub(crate) fn abandon_current(&mut self, id: u16, events: &mut VecDeque<SctpEvent>) {
        let begun = |stream: &Stream| stream.begun.is_some();
        let reached = self.current == Some(id) || self.interleaving;
        if reached && self.streams.get(&id).is_some_and(|it| begun(it)) {
            if self.interleaving {
                self.turns.leave(id);
            }
            self.discard_message(id, events);
            self.finish_turn(id);
        }
    }

    /// Throws away the first message of a stream, begun or not.
    fn discard_message(&mut self, id: u16, events: &mut VecDeque<SctpEvent>) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.begun = None;
        (stream.sent, stream.left) = (0, None);
        let mut freed = 0;
        let mut ended = false;
        while !ended && let Some(piece) = stream.pieces.pop_front() {
            freed += piece.data.len();
            self.pieces -= 1;
            ended = piece.last;
        }
        if ended {
            stream.whole -= 1;
        } else {
            // The caller is still writing it.
            stream.discarding = true;
        }
        self.bytes -= freed;
        stream.drain(id, freed, events);
        self.note_rest(id);
    }

    /// A stream has sent out of turn: it has its turn still, if it has anything left.
    fn keep_turn(&mut self, id: u16) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !stream.has_work(self.early_start)
        {
            stream.scheduled = false;
            self.turns.leave(id);
        }
    }

    /// The message of this stream is over: the next stream's turn.
    fn finish_turn(&mut self, id: u16) {
        if self.current == Some(id) {
            self.current = None;
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.scheduled = false;
            if stream.is_due(self.early_start) {
                self.turns.join(id);
            }
        }
    }

    /// Throws everything away.
    pub(crate) fn clear(&mut self) {
        self.streams.clear();
        self.turns.clear();
        self.begun.clear();
        self.unreset.clear();
        self.current = None;
        self.bytes = 0;
        self.pieces = 0;
    }

    // --- stream reset ---

    /// Wants a stream reset once it is drained.
    pub(crate) fn want_reset(&mut self, id: u16) {
        let stream = self.streams.entry(id).or_default();
        if stream.reset == ResetState::None {
            stream.reset = ResetState::Wanted;
            self.unreset.insert(id);
        }
    }

    /// Whether streams are to be reset for which there is no request yet.
    pub(crate) fn wants_resets(&self) -> bool {
        !self.unreset.is_empty()
    }

    /// Up to `count` streams that are to be reset and have nothing queued; they count as requested.
    pub(crate) fn request_resets(&mut self, count: usize) -> Vec<u16> {
        let streams = &mut self.streams;
        let drained = |id: &u16| {
            streams
                .get(id)
                .is_some_and(|stream| stream.pieces.is_empty() && !stream.open)
        };
        let requested: Vec<u16> = self
            .unreset
            .iter()
            .copied()
            .filter(drained)
            .take(count)
            .collect();
        for id in &requested {
            self.unreset.remove(id);
            if let Some(stream) = self.streams.get_mut(id) {
                stream.reset = ResetState::Requested;
            }
        }
        requested
    }

    /// A request was answered: the streams start anew, or go on as they were.
    pub(crate) fn finish_resets(&mut self, streams: &[u16], performed: bool) {
        for id in streams {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.reset = ResetState::None;
                if performed {
                    stream.next = [0; 2];
                }
            }
        }
    }

    /// The peer restarted: sequence numbers start anew, what is queued stays, unless it has begun.
    pub(crate) fn restart(&mut self, events: &mut VecDeque<SctpEvent>) {
        let begun = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.begun.is_some());
        let begun: Vec<u16> = begun.map(|(&id, _)| id).collect();
        for id in begun {
            self.abandon_current(id, events);
        }
        for (&id, stream) in &mut self.streams {
            stream.next = [0; 2];
            if stream.reset == ResetState::Requested {
                stream.reset = ResetState::Wanted;
                self.unreset.insert(id);
            }
        }
    }
}
