//! DATA that was sent and is not yet acknowledged: a ring indexed by TSN.
//!
//! A SACK costs as much as it tells that is new: what was acknowledged before is known as runs,
//! and only TSNs outside of them are looked at.

mod abandon;
mod meter;
mod rack;
mod sack;
mod state;
#[cfg(test)]
mod tests;

use crate::packet::{DATA_OVERHEAD, padded};
use crate::queue::{Fragment, Limit, PIECE_COST};
use crate::serial::Tsn;
pub(crate) use meter::Delivery;
use meter::{Meter, Snapshot};
use rack::{Departure, Rack};
pub(crate) use sack::SackError;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// How many chunks may be outstanding. It keeps every stream below half of the sequence number
/// space (RFC 9260 §6.1) and every gap within the 16 bits of a gap ack block.
const MAX_CHUNKS: usize = 32_767;

/// How many times in a row a chunk may be lost by chance: at 10 % of loss one in ten thousand is.
const OFTEN: u32 = 4;

/// A chunk that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) fragment: Fragment,
    fate: Fate,
    departure: Departure,
    snapshot: Snapshot,
    transmissions: u32,
}

/// The chunk whose round trip is being measured: one at a time (RFC 9260 §6.3.1, C4).
#[derive(Clone, Copy, Debug)]
struct Timed {
    tsn: Tsn,
    sent_at: Instant,
    retransmitted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    InFlight,
    /// In a gap ack block.
    Acked,
    /// To be sent again.
    Lost,
    /// Given up (RFC 3758 §3.4).
    Abandoned,
}

#[derive(Debug)]
pub(crate) struct Outstanding {
    chunks: VecDeque<Sent>,
    /// The TSN of the first chunk: the one after the Cumulative TSN Ack Point.
    first: Tsn,
    /// Runs of TSNs in gap ack blocks: in order, apart from each other.
    acked: VecDeque<(Tsn, Tsn)>,
    rack: Rack,
    meter: Meter,
    lost: BTreeSet<Tsn>,
    /// Bytes of chunks in flight.
    in_flight: usize,
    /// Bytes of user data that are kept.
    held: usize,
    /// The Advanced.Peer.Ack.Point (RFC 3758 §3.5).
    advanced: Tsn,
    timed: Option<Timed>,
    /// A round trip that was measured if the acknowledgement was that of the original, which a
    /// report of the retransmission as a duplicate would prove.
    ambiguous: Option<(Tsn, Duration)>,
    /// Streams of messages that were given up, for the owner to collect.
    abandoned: Vec<u16>,
    /// The ends, never sent, of messages that were given up.
    cut_off: Vec<Fragment>,
    /// Fragments of several messages may lie between each other.
    interleaving: bool,
    /// Chunks that were looked at.
    #[cfg(test)]
    visited: usize,
}

impl Outstanding {
    pub(crate) fn new(now: Instant, initial: Tsn, interleaving: bool) -> Self {
        Self {
            chunks: VecDeque::new(),
            first: initial,
            acked: VecDeque::new(),
            rack: Rack::default(),
            meter: Meter::new(now),
            lost: BTreeSet::new(),
            in_flight: 0,
            held: 0,
            advanced: initial.previous(),
            timed: None,
            ambiguous: None,
            abandoned: Vec::new(),
            cut_off: Vec::new(),
            interleaving,
            #[cfg(test)]
            visited: 0,
        }
    }

    /// Tests count what a SACK costs.
    #[cfg_attr(
        not(test),
        allow(unused_variables, clippy::unused_self, reason = "tests")
    )]
    fn visit(&mut self, count: usize) {
        #[cfg(test)]
        {
            self.visited += count;
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// What is kept, with the charge for each chunk, against the send buffer.
    pub(crate) fn occupied(&self) -> usize {
        self.held + self.chunks.len() * PIECE_COST
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.chunks.len() >= MAX_CHUNKS
    }

    /// The TSN that the next chunk gets.
    pub(crate) fn next_tsn(&self) -> Tsn {
        self.first.plus(self.chunks.len())
    }

    /// The first TSN that is not acknowledged.
    pub(crate) fn first(&self) -> Tsn {
        self.first
    }

    /// Bytes a chunk takes in flight: its length with padding (RFC 9260 §7.2).
    pub(crate) fn cost(payload: usize) -> usize {
        padded(DATA_OVERHEAD + payload)
    }

    /// Records a chunk that is sent for the first time.
    pub(crate) fn push(&mut self, now: Instant, fragment: Fragment) -> (Tsn, &Fragment) {
        let tsn = self.next_tsn();
        let cost = Self::cost(fragment.data.len());
        let snapshot = self.meter.departs(now, self.in_flight, cost);
        self.in_flight += cost;
        self.held += fragment.data.len();
        self.timed.get_or_insert(Timed {
            tsn,
            sent_at: now,
            retransmitted: false,
        });
        let departure = self.rack.departs(now, tsn);
        self.chunks.push_back(Sent {
            fragment,
            fate: Fate::InFlight,
            departure,
            snapshot,
            transmissions: 1,
        });
        (tsn, &self.chunks[self.chunks.len() - 1].fragment)
    }

    /// Marks a chunk for retransmission, unless its message may not be sent again.
    fn lose(&mut self, tsn: Tsn) {
        let sent = &mut self.chunks[self.first.distance_to(tsn)];
        if sent.fate != Fate::InFlight {
            return;
        }
        sent.fate = Fate::Lost;
        let cost = Self::cost(sent.fragment.data.len());
        self.in_flight -= cost;
        self.meter.loses(cost);
        self.lost.insert(tsn);
        if let Limit::Retransmissions(count) = sent.fragment.limit
            && sent.transmissions > u32::from(count)
        {
            self.abandon(tsn);
        }
    }

    /// The retransmission timer expired: all that is in flight is lost (RFC 9260 §6.3.3, E3).
    pub(crate) fn expire(&mut self) {
        for at in 0..self.chunks.len() {
            self.lose(self.first.plus(at));
        }
        self.clear_departures();
    }

    /// The first chunk to be sent again, after giving up those whose time is over.
    pub(crate) fn next_lost(&mut self, now: Instant) -> Option<(Tsn, usize)> {
        loop {
            let &tsn = self.lost.first()?;
            let fragment = &self.chunks[self.first.distance_to(tsn)].fragment;
            if !fragment.limit.has_passed(now) {
                return Some((tsn, fragment.data.len()));
            }
            // RFC 3758 §4.1, TR4.
            self.abandon(tsn);
        }
    }

    /// The first chunk, if it is lost for the [`OFTEN`]th time.
    pub(crate) fn often_lost(&self) -> Option<Tsn> {
        let sent = self.chunks.front()?;
        let often = sent.fate == Fate::Lost && sent.transmissions >= OFTEN;
        often.then_some(self.first)
    }

    /// Sends a chunk again that is lost, or that probes for a lost tail.
    pub(crate) fn retransmit(&mut self, now: Instant, tsn: Tsn) -> &Fragment {
        let was_lost = self.lost.remove(&tsn);
        // Karn: what is timed must not lie behind a retransmission (RFC 9260 §6.3.1, C5).
        match &mut self.timed {
            Some(timed) if timed.tsn == tsn => timed.retransmitted = true,
            Some(timed) if timed.tsn > tsn => self.timed = None,
            Some(_) | None => {}
        }
        let sent = &mut self.chunks[self.first.distance_to(tsn)];
        sent.fate = Fate::InFlight;
        sent.transmissions += 1;
        sent.departure = self.rack.departs(now, tsn);
        let cost = Self::cost(sent.fragment.data.len());
        sent.snapshot = self.meter.departs(now, self.in_flight, cost);
        if was_lost {
            self.rack.remember(tsn);
            self.in_flight += cost;
        }
        &sent.fragment
    }

    /// There is nothing more to send although the window has room.
    pub(crate) fn limited_by_sender(&mut self) {
        self.meter.limit(self.in_flight);
    }

    pub(crate) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }
}
