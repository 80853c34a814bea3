//! Messages that are given up, and how the receiver learns of it (RFC 3758 §3.5).

use super::{Fate, Outstanding, Sent};
use crate::packet::ForwardTsn;
use crate::queue::{Fragment, ssn};
use crate::serial::Tsn;
use bytes::{BufMut, Bytes};
use std::collections::BTreeMap;

impl Outstanding {
    /// Gives up the whole message of a chunk (RFC 3758 §3.5, A3).
    pub(super) fn abandon(&mut self, tsn: Tsn) {
        let at = self.first.distance_to(tsn);
        let fragment = &self.chunks[at].fragment;
        let (stream, name) = (fragment.stream, fragment.message());
        // Fragments of other messages may lie between, where messages interleave.
        let of_message = |sent: &Sent| sent.fragment.message() == name;
        let mut from = at;
        for before in (0..=at).rev() {
            if of_message(&self.chunks[before]) {
                from = before;
                if self.chunks[before].fragment.beginning {
                    break;
                }
            } else if !self.interleaving {
                break;
            }
        }
        let mut to = at;
        for after in at..self.chunks.len() {
            if of_message(&self.chunks[after]) {
                to = after;
                if self.chunks[after].fragment.ending {
                    break;
                }
            } else if !self.interleaving {
                break;
            }
        }
        let last = &self.chunks[to].fragment;
        if !last.ending {
            self.cut_off.push(Fragment {
                beginning: false,
                ending: true,
                data: Bytes::new(),
                ..*last
            });
        }
        for at in from..=to {
            let tsn = self.first.plus(at);
            let sent = &mut self.chunks[at];
            if sent.fragment.message() != name {
                continue;
            }
            match sent.fate {
                Fate::InFlight => self.in_flight -= Self::cost(sent.fragment.data.len()),
                Fate::Lost => {
                    self.lost.remove(&tsn);
                }
                Fate::Acked | Fate::Abandoned => {}
            }
            sent.fate = Fate::Abandoned;
            self.held -= sent.fragment.data.len();
            sent.fragment.data = Bytes::new();
        }
        self.abandoned.push(stream);
    }

    /// Whether messages were given up of which the owner was not told.
    pub(crate) fn has_abandoned(&self) -> bool {
        !self.abandoned.is_empty()
    }

    /// The streams of the messages that were given up since the last call.
    pub(crate) fn take_abandoned(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.abandoned)
    }

    /// If a message that was given up has an unsent rest: the stream whose rest must be thrown away.
    ///
    /// The receiver may have all that was sent, and would take the next message for the rest. So
    /// the end that was never sent gets a TSN too, which is skipped with the others.
    pub(crate) fn take_cut_off(&mut self) -> Option<u16> {
        let fragment = self.cut_off.pop()?;
        let stream = fragment.stream;
        let last = self.chunks.back()?;
        let (departure, snapshot) = (last.departure, last.snapshot);
        self.chunks.push_back(Sent {
            fragment,
            fate: Fate::Abandoned,
            departure,
            snapshot,
            transmissions: 0,
        });
        Some(stream)
    }

    /// Moves the Advanced.Peer.Ack.Point (RFC 3758 §3.5, C1 and C2); whether a FORWARD TSN is due.
    pub(crate) fn advance(&mut self) -> bool {
        self.advanced = self.advanced.max(self.first.previous());
        let skipped = |sent: &Sent| sent.fate == Fate::Abandoned;
        while self
            .chunks
            .get(self.first.distance_to(self.advanced.next()))
            .is_some_and(skipped)
        {
            self.advanced = self.advanced.next();
        }
        self.advanced >= self.first
    }

    /// The Advanced.Peer.Ack.Point.
    pub(crate) fn advanced(&self) -> Tsn {
        self.advanced
    }

    /// Writes the list of a FORWARD TSN, four bytes for each stream, or of an I-FORWARD-TSN, eight,
    /// and returns its New Cumulative TSN: the Advanced.Peer.Ack.Point, or less if more does not fit
    /// (RFC 3758 §3.5, C4).
    pub(crate) fn write_forward(&self, room: usize, out: &mut Vec<u8>) -> Option<Tsn> {
        let entry = if self.interleaving { 8 } else { 4 };
        let most = room.checked_sub(ForwardTsn::FIXED_LEN)? / entry;
        let mut highest = BTreeMap::new();
        let mut to = self.first.previous();
        let skipped = self.first.distance_to(self.advanced.next());
        for sent in self.chunks.iter().take(skipped) {
            let fragment = &sent.fragment;
            if !fragment.unordered || self.interleaving {
                let kind = (fragment.stream, fragment.unordered);
                if highest.len() == most && !highest.contains_key(&kind) {
                    break;
                }
                highest.insert(kind, fragment.number);
            }
            to = to.next();
        }
        out.clear();
        for ((stream, unordered), number) in highest {
            out.put_u16(stream);
            if self.interleaving {
                out.put_u16(u16::from(unordered));
                out.put_u32(number);
            } else {
                out.put_u16(ssn(number));
            }
        }
        (to >= self.first).then_some(to)
    }
}
