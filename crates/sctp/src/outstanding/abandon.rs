//! Messages that are given up, and how the receiver learns of it (RFC 3758 §3.5).

use super::{Fate, Outstanding, Sent};
use crate::packet::ForwardTsn;
use crate::queue::Fragment;
use crate::serial::Tsn;
use bytes::{BufMut, Bytes};
use std::collections::BTreeMap;

impl Outstanding {
    /// Gives up the whole message of a chunk (RFC 3758 §3.5, A3).
    pub(super) fn abandon(&mut self, tsn: Tsn) {
        let at = self.first.distance_to(tsn);
        let stream = self.chunks[at].fragment.stream;
        let mut from = at;
        while from > 0 && !self.chunks[from].fragment.beginning {
            from -= 1;
        }
        let mut to = at;
        while to + 1 < self.chunks.len() && !self.chunks[to].fragment.ending {
            to += 1;
        }
        if !self.chunks[to].fragment.ending {
            self.cut_off = Some(stream);
        }
        for at in from..=to {
            let tsn = self.first.plus(at);
            let sent = &mut self.chunks[at];
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

    /// The streams of the messages that were given up since the last call.
    pub(crate) fn take_abandoned(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.abandoned)
    }

    /// If the message given up last has an unsent rest: the stream whose rest must be thrown away.
    ///
    /// The receiver may have all that was sent, and would take the next message for the rest. So
    /// the end that was never sent gets a TSN too, which is skipped with the others.
    pub(crate) fn take_cut_off(&mut self) -> Option<u16> {
        let stream = self.cut_off.take()?;
        let last = self.chunks.back()?;
        let (departure, snapshot) = (last.departure, last.snapshot);
        let last = &last.fragment;
        let fragment = Fragment {
            beginning: false,
            ending: true,
            data: Bytes::new(),
            ..*last
        };
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

    /// Writes the streams of a FORWARD TSN, four bytes each, and returns its New Cumulative TSN:
    /// the Advanced.Peer.Ack.Point, or less if more does not fit (RFC 3758 §3.5, C4).
    pub(crate) fn write_forward(&self, room: usize, out: &mut Vec<u8>) -> Option<Tsn> {
        let most = room.checked_sub(ForwardTsn::FIXED_LEN)? / 4;
        let mut highest = BTreeMap::new();
        let mut to = self.first.previous();
        let skipped = self.first.distance_to(self.advanced.next());
        for sent in self.chunks.iter().take(skipped) {
            let fragment = &sent.fragment;
            if !fragment.unordered {
                if highest.len() == most && !highest.contains_key(&fragment.stream) {
                    break;
                }
                highest.insert(fragment.stream, fragment.ssn);
            }
            to = to.next();
        }
        out.clear();
        for (stream, ssn) in highest {
            out.put_u16(stream);
            out.put_u16(ssn);
        }
        (to >= self.first).then_some(to)
    }
}
