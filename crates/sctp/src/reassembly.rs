//! Received data on its way to the user: fragments become messages, messages come into order
//! (RFC 9260 §6.6, §6.9), and what is held is counted against the receive window.

mod interleaved;
mod state;

use crate::packet::Data;
use crate::serial::{Ssn, Tsn};
use bytes::{Bytes, BytesMut};
use interleaved::Interleaved;
use layer::Message;
use std::collections::{BTreeMap, VecDeque};

/// How many messages and pieces of messages are held, however small. Beyond it new data is not
/// accepted, as if the window were closed: each costs more memory than its bytes.
const MAX_PIECES: usize = 65_536;

/// How large messages may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageLimits {
    pub(crate) largest: usize,
    /// From where on a message is handed out before it is complete.
    pub(crate) partial: Option<usize>,
}

impl MessageLimits {
    /// What is held of a message at most.
    pub(crate) fn held(self) -> usize {
        self.partial
            .map_or(self.largest, |bytes| bytes.min(self.largest))
    }
}

/// What the peer did that no message can come of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A message is larger than we take.
    TooLarge,
    /// Fragments that follow each other do not belong together.
    Mixed,
    /// Messages that are not complete fill the window, and none of them can be.
    Standstill,
}

#[derive(Debug)]
pub(crate) struct Reassembly {
    max_message: usize,
    /// From how many bytes on an incomplete message is handed out (`SctpConfig::partial_delivery`).
    partial_delivery: usize,
    /// Unordered messages that wait until the one of their stream is over that is handed out in
    /// fragments.
    held_back: BTreeMap<u16, Vec<Message>>,
    /// Pieces of messages that are not complete, by the TSN of their first fragment.
    runs: BTreeMap<Tsn, Run>,
    streams: BTreeMap<u16, Incoming>,
    interleaved: Interleaved,
    ready: VecDeque<Message>,
    /// Set between a reset request and the arrival of everything that was sent before it.
    deferred: Option<Deferred>,
    /// Bytes in all of these.
    held: usize,
    /// How many pieces and messages these are.
    pieces: usize,
    /// Bytes that were handed out and not given back.
    unconsumed: usize,
    /// The largest TSN of any FORWARD TSN.
    forwarded: Tsn,
    /// The length of the last message that had several fragments: the next is likely as long.
    expected_len: usize,
}

/// Fragments with consecutive TSNs of one message.
#[derive(Debug)]
struct Run {
    stream: u16,
    ssn: u16,
    unordered: bool,
    protocol: u32,
    begins: bool,
    ends: bool,
    last: Tsn,
    /// Bytes that are here.
    len: usize,
    /// Bytes that were handed out already.
    handed_out: usize,
    /// The bytes, in parts; more than the first only where a gap was filled.
    part: BytesMut,
    more: VecDeque<BytesMut>,
}

/// One stream of the peer.
#[derive(Debug)]
struct Incoming {
    next: Ssn,
    waiting: BTreeMap<Ssn, Message>,
}

#[derive(Debug)]
struct Deferred {
    last_tsn: Tsn,
    /// Empty means all.
    streams: Vec<u16>,
    messages: Vec<(Message, u16)>,
}

impl Reassembly {
    pub(crate) fn new(limits: MessageLimits, initial: Tsn) -> Self {
        Self {
            max_message: limits.largest,
            partial_delivery: limits.partial.map_or(usize::MAX, |bytes| bytes.max(1)),
            held_back: BTreeMap::new(),
            runs: BTreeMap::new(),
            streams: BTreeMap::new(),
            interleaved: Interleaved::default(),
            ready: VecDeque::new(),
            deferred: None,
            held: 0,
            pieces: 0,
            unconsumed: 0,
            forwarded: initial.previous(),
            expected_len: 0,
        }
    }

    /// Bytes that count against the receive window.
    pub(crate) fn occupied(&self) -> usize {
        self.held + self.unconsumed
    }

    /// Whether the owner has taken all there is, and has no more than this of it still in hand.
    pub(crate) fn is_taken_but(&self, bytes: usize) -> bool {
        self.ready.is_empty() && self.unconsumed <= bytes
    }

    /// Whether no more pieces can be held.
    pub(crate) fn is_full(&self) -> bool {
        self.pieces >= MAX_PIECES
    }

    /// Whether not even pieces are taken that fill gaps.
    pub(crate) fn is_overfull(&self) -> bool {
        self.pieces >= MAX_PIECES + MAX_PIECES / 2
    }

    pub(crate) fn poll_message(&mut self) -> Option<Message> {
        let message = self.ready.pop_front()?;
        self.held -= message.data.len();
        self.pieces -= 1;
        self.unconsumed += message.data.len();
        Some(message)
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.unconsumed = self.unconsumed.saturating_sub(bytes);
    }

    /// Takes a fragment that was not here before. `in_order` says that nothing before it is missing.
    pub(crate) fn insert(
        &mut self,
        tsn: Tsn,
        data: &Data<'_>,
        in_order: bool,
    ) -> Result<(), Violation> {
        if data.payload.len() > self.max_message {
            return Err(Violation::TooLarge);
        }
        self.held += data.payload.len();
        self.pieces += 1;
        if !self.runs.is_empty() {
            self.check_neighbours(tsn, data)?;
        }
        if data.beginning && data.ending {
            let message = message(data, Bytes::copy_from_slice(data.payload));
            self.order(tsn, message, data.ssn);
            return Ok(());
        }
        let first = self.join(tsn, data, in_order)?;
        if let Some(run) = self.runs.get(&first)
            && run.len > self.max_message.saturating_sub(run.handed_out)
        {
            return Err(Violation::TooLarge);
        }
        self.complete(first);
        if self.partial_delivery < usize::MAX {
            self.hand_out(first);
        }
        Ok(())
    }

    /// The stranded pieces of a skip are dropped, what waited for it is released (RFC 3758 §3.6).
    pub(crate) fn forward(&mut self, to: Tsn, skipped: impl Iterator<Item = (u16, u16)>) {
        self.forwarded = self.forwarded.max(to);
        let mut dropped = Vec::new();
        for (&first, run) in self.runs.range(..=to.next()) {
            let misses_start = !run.begins && first.previous() <= to;
            let misses_end = !run.ends && run.last.next() <= to;
            if misses_start || misses_end {
                dropped.push(first);
            }
        }
        for first in dropped {
            self.drop_run(first);
        }
        for (stream, ssn) in skipped {
            self.skip(stream, ssn);
        }
    }

    /// Starts these streams of the peer anew (RFC 6525 §5.2.2, E3 and E4); none means all.
    pub(crate) fn reset(&mut self, streams: &[u16]) {
        if streams.is_empty() {
            let mut all = self.interleaved_streams();
            all.extend(self.streams.keys());
            all.iter().for_each(|&stream| self.reset_stream(stream));
        } else {
            streams.iter().for_each(|&stream| self.reset_stream(stream));
        }
        if let Some(deferred) = self.deferred.take() {
            for (message, ssn) in deferred.messages {
                self.deliver_in_turn(message, ssn);
            }
        }
    }

    /// Holds back what was sent after `last_tsn` on these streams (RFC 6525 §5.2.2, E2).
    pub(crate) fn defer_reset(&mut self, last_tsn: Tsn, streams: &[u16]) {
        let messages = self.deferred.take().map_or(Vec::new(), |d| d.messages);
        self.deferred = Some(Deferred {
            last_tsn,
            streams: streams.to_vec(),
            messages,
        });
    }

    fn reset_stream(&mut self, stream: u16) {
        self.reset_interleaved(stream);
        if let Some(incoming) = self.streams.remove(&stream) {
            for message in incoming.waiting.into_values() {
                self.held -= message.data.len();
                self.pieces -= 1;
            }
        }
    }

    /// Fragments of one message have consecutive TSNs (RFC 9260 §3.3.1): beside a piece that is
    /// not finished only its continuation can stand.
    fn check_neighbours(&mut self, tsn: Tsn, data: &Data<'_>) -> Result<(), Violation> {
        if let Some((&first, run)) = self.runs.range(..tsn).next_back()
            && run.last.next() == tsn
            && run.ends != data.beginning
        {
            // The rest of an abandoned message may never have had a TSN: the sender goes on with
            // the next one behind the part that arrived.
            if !run.ends && run.last <= self.forwarded {
                self.drop_run(first);
            } else {
                return Err(Violation::Mixed);
            }
        }
        if let Some(run) = self.runs.get(&tsn.next())
            && run.begins != data.ending
        {
            return Err(Violation::Mixed);
        }
        Ok(())
    }

    /// Puts a fragment beside its neighbours; returns the first TSN of the run it is now part of.
    fn join(&mut self, tsn: Tsn, data: &Data<'_>, in_order: bool) -> Result<Tsn, Violation> {
        let left = (!data.beginning)
            .then(|| self.runs.range_mut(..tsn).next_back())
            .flatten()
            .filter(|(_, run)| run.last.next() == tsn);
        let first = if let Some((&first, run)) = left {
            if !run.belongs(data) {
                return Err(Violation::Mixed);
            }
            run.append(tsn, data);
            self.pieces -= 1;
            first
        } else {
            // A gap bounds how many pieces there are, order bounds how many start without one:
            // only then is room made for a whole message.
            let room = if in_order { self.expected_len } else { 0 };
            self.runs
                .insert(tsn, Run::new(tsn, data, room.min(self.max_message)));
            tsn
        };
        if !data.ending
            && let Some(right) = self.runs.remove(&tsn.next())
        {
            if !right.belongs(data) {
                return Err(Violation::Mixed);
            }
            if let Some(run) = self.runs.get_mut(&first) {
                run.concatenate(right);
                self.pieces -= 1;
            }
        }
        Ok(first)
    }

    /// Takes the run out if it is a whole message.
    fn complete(&mut self, first: Tsn) {
        let whole = |run: &Run| run.begins && run.ends;
        if !self.runs.get(&first).is_some_and(whole) {
            return;
        }
        if let Some(mut run) = self.runs.remove(&first) {
            self.expected_len = run.len;
            let mut message = Message::new(run.stream, run.protocol, run.take_bytes());
            message.unordered = run.unordered;
            message.first = run.handed_out == 0;
            self.order(first, message, run.ssn);
        }
    }

    /// Hands out what is there of a message that has begun, if it is much and the message's turn.
    fn hand_out(&mut self, first: Tsn) {
        let Some(run) = self.runs.get(&first) else {
            return;
        };
        if run.len < self.partial_delivery || !run.begins {
            return;
        }
        if run.handed_out == 0 && !self.has_turn(first, run) {
            return;
        }
        if let Some(run) = self.runs.get_mut(&first) {
            let mut message = Message::new(run.stream, run.protocol, run.take_bytes());
            message.unordered = run.unordered;
            message.first = run.handed_out == 0;
            message.last = false;
            if run.unordered {
                self.held_back.entry(run.stream).or_default();
            }
            run.handed_out += run.len;
            run.len = 0;
            self.pieces += 1;
            self.ready.push_back(message);
        }
    }

    /// Whether nothing of its stream has to come before a message.
    fn has_turn(&self, first: Tsn, run: &Run) -> bool {
        if self.is_deferred(first, run.stream) {
            return false;
        }
        if run.unordered {
            return !self.held_back.contains_key(&run.stream);
        }
        let next = self.streams.get(&run.stream).map_or(Ssn::FIRST, |s| s.next);
        next.near(run.ssn) == next
    }

    fn order(&mut self, first: Tsn, message: Message, ssn: u16) {
        if message.first
            && self.is_deferred(first, message.stream)
            && let Some(deferred) = &mut self.deferred
        {
            deferred.messages.push((message, ssn));
            return;
        }
        self.deliver_in_turn(message, ssn);
    }

    /// Whether it waits for a reset of its stream.
    fn is_deferred(&self, first: Tsn, stream: u16) -> bool {
        self.deferred.as_ref().is_some_and(|deferred| {
            first > deferred.last_tsn
                && (deferred.streams.is_empty() || deferred.streams.contains(&stream))
        })
    }

    /// An unordered message, or the rest of one.
    fn deliver_unordered(&mut self, message: Message) {
        let stream = message.stream;
        match self.held_back.get_mut(&stream) {
            Some(held_back) if message.first => held_back.push(message),
            _ => {
                let rest = !message.first;
                self.ready.push_back(message);
                if rest {
                    self.ready
                        .extend(self.held_back.remove(&stream).into_iter().flatten());
                }
            }
        }
    }

    /// The rest of a message will not come, of which the owner has the beginning.
    fn abort_message(&mut self, stream: u16, protocol: u32, unordered: bool) {
        let mut message = Message::new(stream, protocol, Bytes::new());
        message.unordered = unordered;
        message.first = false;
        message.aborted = true;
        self.pieces += 1;
        if unordered {
            self.deliver_unordered(message);
        } else {
            self.ready.push_back(message);
        }
    }

    /// RFC 9260 §6.6.
    fn deliver_in_turn(&mut self, message: Message, ssn: u16) {
        if message.unordered {
            self.deliver_unordered(message);
            return;
        }
        let incoming = self.streams.entry(message.stream).or_insert(Incoming {
            next: Ssn::FIRST,
            waiting: BTreeMap::new(),
        });
        let ssn = incoming.next.near(ssn);
        if ssn == incoming.next {
            incoming.next = ssn.next();
            self.ready.push_back(message);
            incoming.release(&mut self.ready);
        } else if ssn < incoming.next || incoming.waiting.contains_key(&ssn) {
            // A number that was used already: the message has no place.
            self.held -= message.data.len();
            self.pieces -= 1;
        } else {
            incoming.waiting.insert(ssn, message);
        }
    }

    fn skip(&mut self, stream: u16, ssn: u16) {
        let incoming = self.streams.entry(stream).or_insert(Incoming {
            next: Ssn::FIRST,
            waiting: BTreeMap::new(),
        });
        let ssn = incoming.next.near(ssn);
        if ssn < incoming.next {
            return;
        }
        let later = incoming.waiting.split_off(&ssn.next());
        let stranded = std::mem::replace(&mut incoming.waiting, later);
        self.ready.extend(stranded.into_values());
        incoming.next = ssn.next();
        incoming.release(&mut self.ready);
    }

    fn drop_run(&mut self, first: Tsn) {
        if let Some(run) = self.runs.remove(&first) {
            self.held -= run.len;
            self.pieces -= 1;
            if run.handed_out > 0 {
                self.abort_message(run.stream, run.protocol, run.unordered);
            }
        }
    }
}

impl Incoming {
    /// Hands out what waited only for its turn.
    fn release(&mut self, ready: &mut VecDeque<Message>) {
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() == self.next
        {
            ready.push_back(entry.remove());
            self.next = self.next.next();
        }
    }
}

impl Run {
    fn new(tsn: Tsn, data: &Data<'_>, room: usize) -> Self {
        let mut bytes = BytesMut::with_capacity(room.max(data.payload.len()));
        bytes.extend_from_slice(data.payload);
        Self {
            stream: data.stream,
            ssn: data.ssn,
            unordered: data.unordered,
            protocol: data.protocol,
            begins: data.beginning,
            ends: data.ending,
            last: tsn,
            len: data.payload.len(),
            handed_out: 0,
            part: bytes,
            more: VecDeque::new(),
        }
    }

    fn belongs(&self, data: &Data<'_>) -> bool {
        // The sequence number of an unordered message means nothing (RFC 9260 §3.3.1).
        self.stream == data.stream
            && self.unordered == data.unordered
            && (self.unordered || self.ssn == data.ssn)
    }

    fn append(&mut self, tsn: Tsn, data: &Data<'_>) {
        let part = self.more.back_mut().unwrap_or(&mut self.part);
        part.extend_from_slice(data.payload);
        self.len += data.payload.len();
        self.last = tsn;
        self.ends = data.ending;
    }

    /// Moves handles, never bytes: filling gaps in any order costs the same.
    fn concatenate(&mut self, mut right: Self) {
        if self.more.len() < right.more.len() {
            right.more.push_front(right.part);
            while let Some(part) = self.more.pop_back() {
                right.more.push_front(part);
            }
            self.more = right.more;
        } else {
            self.more.push_back(right.part);
            self.more.append(&mut right.more);
        }
        self.len += right.len;
        self.last = right.last;
        self.ends = right.ends;
    }

    fn take_bytes(&mut self) -> Bytes {
        let first = std::mem::take(&mut self.part);
        if self.more.is_empty() {
            return frozen(first);
        }
        let mut whole = BytesMut::with_capacity(self.len);
        whole.extend_from_slice(&first);
        for part in self.more.drain(..) {
            whole.extend_from_slice(&part);
        }
        whole.freeze()
    }
}

/// The bytes of a message. Room that turned out too large is not kept alive by a short one.
fn frozen(bytes: BytesMut) -> Bytes {
    if bytes.capacity() > 2 * bytes.len() + 4096 {
        return Bytes::copy_from_slice(&bytes);
    }
    bytes.freeze()
}

fn message(data: &Data<'_>, bytes: Bytes) -> Message {
    let mut message = Message::new(data.stream, data.protocol, bytes);
    message.unordered = data.unordered;
    message
}

#[cfg(test)]
mod tests;
