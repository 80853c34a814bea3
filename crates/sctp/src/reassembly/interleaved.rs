//! Messages whose fragments come between those of others (RFC 8260 §2.2.3): found by stream, order
//! and message identifier, put together by fragment number.

mod state;

use super::{Reassembly, Violation, frozen};
use crate::packet::{IData, SkippedMessage};
use crate::serial::Tsn;
use bytes::{Bytes, BytesMut};
use layer::Message;
use std::collections::BTreeMap;

/// In how many messages at a time room is made for all of a message when it begins.
const ROOMY: usize = 4;

/// What has arrived of messages that are not delivered.
#[derive(Debug, Default)]
pub(super) struct Interleaved {
    partial: BTreeMap<Name, Partial>,
    streams: BTreeMap<u16, Incoming>,
}

/// Which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    stream: u16,
    unordered: bool,
    mid: u32,
}

/// A message in the making.
#[derive(Debug, Default)]
struct Partial {
    protocol: u32,
    /// The fragments before `next`, one after another.
    begun: BytesMut,
    next: u32,
    /// Fragments behind a gap.
    later: BTreeMap<u32, Bytes>,
    /// The number of the last fragment.
    last: Option<u32>,
    /// Bytes that are here.
    len: usize,
    /// Bytes that were handed out already.
    handed_out: usize,
}

/// The ordered messages of one stream. Identifiers count as 32-bit serial numbers, like TSNs.
#[derive(Debug)]
struct Incoming {
    next: Tsn,
    waiting: BTreeMap<Tsn, Message>,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            next: Tsn::initial(0),
            waiting: BTreeMap::new(),
        }
    }
}

impl Partial {
    /// Takes a fragment; `false` if it contradicts what is there.
    fn take(&mut self, data: &IData<'_>) -> bool {
        let beyond = self.last.is_some_and(|last| data.fsn >= last);
        let behind = self
            .later
            .last_key_value()
            .is_some_and(|(&at, _)| at > data.fsn);
        let known = data.fsn < self.next || self.later.contains_key(&data.fsn);
        let ends_early = data.ending && (behind || self.next > data.fsn);
        if beyond && !(data.ending && self.last.is_none()) || known || ends_early {
            return false;
        }
        if data.beginning {
            self.protocol = data.protocol;
        }
        if data.ending {
            self.last = Some(data.fsn);
        }
        self.len += data.payload.len();
        if data.fsn == self.next {
            self.begun.extend_from_slice(data.payload);
            self.next += 1;
            while let Some(bytes) = self.later.remove(&self.next) {
                self.begun.extend_from_slice(&bytes);
                self.next += 1;
            }
        } else {
            let bytes = Bytes::copy_from_slice(data.payload);
            self.later.insert(data.fsn, bytes);
        }
        true
    }

    fn is_whole(&self) -> bool {
        self.last.is_some_and(|last| self.next > last)
    }

    /// How many pieces it was counted as.
    fn pieces(&self) -> usize {
        self.later.len() + usize::from(self.next > 0)
    }
}

impl Reassembly {
    /// Takes a fragment that was not here before.
    pub(crate) fn insert_interleaved(&mut self, data: &IData<'_>) -> Result<(), Violation> {
        let name = Name {
            stream: data.stream,
            unordered: data.unordered,
            mid: data.mid,
        };
        if data.beginning && data.ending {
            if data.payload.len() > self.max_message {
                return Err(Violation::TooLarge);
            }
            if self.interleaved.partial.contains_key(&name) {
                return Err(Violation::Mixed);
            }
            self.held += data.payload.len();
            self.pieces += 1;
            let bytes = Bytes::copy_from_slice(data.payload);
            self.deliver_interleaved(name, data.protocol, bytes, true);
            return Ok(());
        }
        let roomy = data.beginning && self.interleaved.partial.len() < ROOMY;
        let room = if roomy { self.expected_len } else { 0 };
        let new = || Partial {
            begun: BytesMut::with_capacity(room),
            ..Partial::default()
        };
        let partial = self.interleaved.partial.entry(name).or_insert_with(new);
        let before = partial.pieces();
        if !partial.take(data) {
            return Err(Violation::Mixed);
        }
        let after = partial.pieces();
        let (len, whole) = (partial.len, partial.is_whole());
        let (first, begun) = (partial.handed_out == 0, partial.begun.len());
        let too_large = len > self.max_message.saturating_sub(partial.handed_out);
        self.held += data.payload.len();
        self.pieces = self.pieces + after - before;
        if too_large {
            return Err(Violation::TooLarge);
        }
        if !whole && begun >= self.partial_delivery {
            self.hand_out_interleaved(name);
        }
        if whole && let Some(partial) = self.interleaved.partial.remove(&name) {
            self.expected_len = len;
            let bytes = frozen(partial.begun);
            self.deliver_interleaved(name, partial.protocol, bytes, first);
        }
        Ok(())
    }

    /// Hands out what is there of a message that has begun, if it is the message's turn.
    fn hand_out_interleaved(&mut self, name: Name) {
        let has_turn = if name.unordered {
            !self.held_back.contains_key(&name.stream)
        } else {
            let streams = &self.interleaved.streams;
            let next = streams.get(&name.stream).map_or(0, |s| s.next.wire());
            next == name.mid
        };
        let Some(partial) = self.interleaved.partial.get_mut(&name) else {
            return;
        };
        if partial.handed_out == 0 && !has_turn {
            return;
        }
        let bytes = std::mem::take(&mut partial.begun);
        partial.len -= bytes.len();
        let mut message = Message::new(name.stream, partial.protocol, frozen(bytes));
        message.unordered = name.unordered;
        message.first = partial.handed_out == 0;
        message.last = false;
        partial.handed_out += message.data.len();
        if name.unordered {
            self.held_back.entry(name.stream).or_default();
        }
        self.pieces += 1;
        self.ready.push_back(message);
    }

    /// Hands out what there is of every message whose turn it is, however little, where messages are
    /// taken in parts.
    pub(crate) fn hand_out_early(&mut self) {
        if self.partial_delivery == usize::MAX {
            return;
        }
        let begun = self.interleaved.partial.iter();
        let begun = begun.filter(|(_, partial)| !partial.begun.is_empty());
        let names: Vec<Name> = begun.map(|(&name, _)| name).collect();
        for name in names {
            self.hand_out_interleaved(name);
        }
    }

    fn deliver_interleaved(&mut self, name: Name, protocol: u32, bytes: Bytes, first: bool) {
        let mut message = Message::new(name.stream, protocol, bytes);
        message.unordered = name.unordered;
        message.first = first;
        if name.unordered {
            self.deliver_unordered(message);
            return;
        }
        let incoming = self.interleaved.streams.entry(name.stream).or_default();
        let mid = incoming.next.near(name.mid);
        if mid == incoming.next {
            incoming.next = mid.next();
            self.ready.push_back(message);
            self.release_interleaved(name.stream);
        } else if mid < incoming.next || incoming.waiting.contains_key(&mid) {
            // A number that was used already: the message has no place.
            self.held -= message.data.len();
            self.pieces -= 1;
        } else {
            incoming.waiting.insert(mid, message);
        }
    }

    /// Hands out what waited only for its turn.
    fn release_interleaved(&mut self, stream: u16) {
        let Some(incoming) = self.interleaved.streams.get_mut(&stream) else {
            return;
        };
        while let Some(entry) = incoming.waiting.first_entry()
            && *entry.key() == incoming.next
        {
            self.ready.push_back(entry.remove());
            incoming.next = incoming.next.next();
        }
    }

    /// Messages up to this one of its kind will not come (RFC 8260 §2.3.1).
    pub(crate) fn skip_interleaved(&mut self, skipped: SkippedMessage) {
        let first = Name {
            stream: skipped.stream,
            unordered: skipped.unordered,
            mid: 0,
        };
        let last = Name {
            mid: u32::MAX,
            ..first
        };
        let of_stream = self.interleaved.partial.range(first..=last);
        let dropped: Vec<Name> = of_stream
            .map(|(&name, _)| name)
            .filter(|name| skipped.mid.wrapping_sub(name.mid) < 1 << 31)
            .collect();
        for name in dropped {
            if let Some(partial) = self.interleaved.partial.remove(&name) {
                self.held -= partial.len;
                self.pieces -= partial.pieces();
                if partial.handed_out > 0 {
                    self.abort_message(name.stream, partial.protocol, name.unordered);
                }
            }
        }
        if skipped.unordered {
            return;
        }
        let incoming = self.interleaved.streams.entry(skipped.stream).or_default();
        let mid = incoming.next.near(skipped.mid);
        if mid < incoming.next {
            return;
        }
        let later = incoming.waiting.split_off(&mid.next());
        let stranded = std::mem::replace(&mut incoming.waiting, later);
        incoming.next = mid.next();
        self.ready.extend(stranded.into_values());
        self.release_interleaved(skipped.stream);
    }

    /// Starts a stream of the peer anew (RFC 8260 §2.3.2).
    pub(super) fn reset_interleaved(&mut self, stream: u16) {
        if let Some(incoming) = self.interleaved.streams.remove(&stream) {
            for message in incoming.waiting.into_values() {
                self.held -= message.data.len();
                self.pieces -= 1;
            }
        }
    }

    /// Streams that have begun.
    pub(super) fn interleaved_streams(&self) -> Vec<u16> {
        self.interleaved.streams.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reassembly::MessageLimits;

    fn fragment(
        stream: u16,
        mid: u32,
        fsn: u32,
        flags: &str,
        payload: &'static str,
    ) -> IData<'static> {
        IData {
            immediate: false,
            unordered: flags.contains('U'),
            beginning: flags.contains('B'),
            ending: flags.contains('E'),
            tsn: 0,
            stream,
            mid,
            protocol: 51,
            fsn,
            payload: payload.as_bytes(),
        }
    }

    fn reassembly() -> Reassembly {
        let limits = MessageLimits {
            largest: 100,
            partial: None,
        };
        Reassembly::new(limits, Tsn::initial(1))
    }

    fn delivered(reassembly: &mut Reassembly) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(message) = reassembly.poll_message() {
            reassembly.consume(message.data.len());
            all.push(String::from_utf8(message.data.to_vec()).unwrap());
        }
        all
    }

    // sctp-033, sctp-044
    #[test]
    fn fragments_of_several_streams_in_any_order_make_their_messages() {
        let mut all = reassembly();
        for data in [
            fragment(1, 0, 2, "E", "c"),
            fragment(2, 0, 0, "B", "x"),
            fragment(1, 0, 0, "B", "a"),
            fragment(1, 0, 0, "UB", "u"),
            fragment(2, 0, 1, "E", "y"),
            fragment(1, 1, 0, "BE", "next"),
            fragment(1, 0, 1, "", "b"),
            fragment(1, 0, 1, "UE", "v"),
        ] {
            all.insert_interleaved(&data).unwrap();
        }
        assert_eq!(delivered(&mut all), ["xy", "abc", "next", "uv"]);
        assert_eq!((all.occupied(), all.pieces), (0, 0));
    }

    // sctp-038, sctp-043
    #[test]
    fn a_skipped_message_is_dropped_and_what_waited_for_it_comes() {
        let mut all = reassembly();
        all.insert_interleaved(&fragment(1, 0, 0, "B", "part"))
            .unwrap();
        all.insert_interleaved(&fragment(1, 3, 0, "BE", "third"))
            .unwrap();
        all.insert_interleaved(&fragment(1, 7, 0, "UB", "part"))
            .unwrap();
        assert_eq!(delivered(&mut all), [""; 0]);
        for (unordered, mid) in [(false, 2), (true, 7)] {
            all.skip_interleaved(SkippedMessage {
                stream: 1,
                unordered,
                mid,
            });
        }
        assert_eq!(delivered(&mut all), ["third"]);
        assert_eq!((all.occupied(), all.pieces), (0, 0));
    }

    #[test]
    fn fragments_that_contradict_each_other_are_a_violation() {
        for (first, second) in [
            (fragment(1, 0, 2, "E", "c"), fragment(1, 0, 3, "", "d")),
            (fragment(1, 0, 2, "E", "c"), fragment(1, 0, 3, "E", "d")),
            (fragment(1, 0, 3, "", "c"), fragment(1, 0, 2, "E", "d")),
            (fragment(1, 0, 1, "", "c"), fragment(1, 0, 1, "", "d")),
            (fragment(1, 0, 1, "", "c"), fragment(1, 0, 0, "BE", "d")),
        ] {
            let mut all = reassembly();
            all.insert_interleaved(&first).unwrap();
            assert_eq!(all.insert_interleaved(&second), Err(Violation::Mixed));
        }
        let mut all = reassembly();
        let long = "0123456789012345678901234567890123456789012345678901234567890";
        all.insert_interleaved(&fragment(1, 0, 0, "B", long))
            .unwrap();
        let second = fragment(1, 0, 1, "", long);
        assert_eq!(all.insert_interleaved(&second), Err(Violation::TooLarge));
    }
}
