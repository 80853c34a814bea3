//! DATA that was sent and is not yet acknowledged: a ring indexed by TSN.
//!
//! A SACK costs as much as it tells that is new: what was acknowledged before is known as runs,
//! and only TSNs outside of them are looked at.

use crate::packet::{DATA_OVERHEAD, ForwardTsn, padded};
use crate::queue::{Fragment, Limit, PIECE_COST};
use crate::serial::Tsn;
use bytes::{BufMut, Bytes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// How many chunks may be outstanding. It keeps every stream below half of the sequence number
/// space (RFC 9260 §6.1) and every gap within the 16 bits of a gap ack block.
const MAX_CHUNKS: usize = 32_767;

/// Reports of a TSN as missing that make it lost (RFC 9260 §7.2.4).
const MISSES: u8 = 3;

/// A chunk that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) fragment: Fragment,
    fate: Fate,
    misses: u8,
    /// It was fast retransmitted: only a timeout marks it again (RFC 9260 §7.2.4, 5).
    fast_retransmitted: bool,
    transmissions: u32,
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

/// What a SACK told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct News {
    /// Bytes acknowledged for the first time.
    pub(crate) bytes: usize,
    /// The cumulative TSN advanced.
    pub(crate) advanced: bool,
    /// Chunks were found lost.
    pub(crate) lost: bool,
    /// A round trip was measured.
    pub(crate) round_trip: Option<Duration>,
}

/// What is wrong with a SACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SackError {
    /// Older than what is known.
    Old,
    /// It acknowledges what was never sent.
    NeverSent,
}

#[derive(Debug)]
pub(crate) struct Outstanding {
    chunks: VecDeque<Sent>,
    /// The TSN of the first chunk: the one after the Cumulative TSN Ack Point.
    first: Tsn,
    /// Runs of TSNs in gap ack blocks: in order, apart from each other.
    acked: VecDeque<(Tsn, Tsn)>,
    /// The largest TSN that was ever acknowledged.
    highest_acked: Tsn,
    /// TSNs below it that are in flight and may be reported missing, in order.
    suspects: VecDeque<Tsn>,
    lost: BTreeSet<Tsn>,
    /// Bytes of chunks in flight.
    in_flight: usize,
    /// Bytes of user data that are kept.
    held: usize,
    /// The Advanced.Peer.Ack.Point (RFC 3758 §3.5).
    advanced: Tsn,
    /// The TSN that is being timed, and when it was sent.
    timed: Option<(Tsn, Instant)>,
    /// Streams of messages that were given up, for the owner to collect.
    abandoned: Vec<u16>,
    /// The message that was given up last has fragments that were not sent.
    cut_off: Option<u16>,
}

impl Outstanding {
    pub(crate) fn new(initial: Tsn) -> Self {
        Self {
            chunks: VecDeque::new(),
            first: initial,
            acked: VecDeque::new(),
            highest_acked: initial.previous(),
            suspects: VecDeque::new(),
            lost: BTreeSet::new(),
            in_flight: 0,
            held: 0,
            advanced: initial.previous(),
            timed: None,
            abandoned: Vec::new(),
            cut_off: None,
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
        self.in_flight += Self::cost(fragment.data.len());
        self.held += fragment.data.len();
        self.timed.get_or_insert((tsn, now));
        self.chunks.push_back(Sent {
            fragment,
            fate: Fate::InFlight,
            misses: 0,
            fast_retransmitted: false,
            transmissions: 1,
        });
        (tsn, &self.chunks[self.chunks.len() - 1].fragment)
    }

    /// Processes a SACK (RFC 9260 §6.2.1). `fast_recovery` changes how misses count (§7.2.4).
    pub(crate) fn acknowledge(
        &mut self,
        now: Instant,
        cumulative: u32,
        blocks: impl Iterator<Item = (u16, u16)>,
        fast_recovery: bool,
    ) -> Result<News, SackError> {
        let before = self.first.previous();
        let cumulative = before.near(cumulative);
        if cumulative < before {
            return Err(SackError::Old);
        }
        if cumulative >= self.next_tsn() {
            return Err(SackError::NeverSent);
        }
        let mut news = News {
            advanced: cumulative > before,
            ..News::default()
        };
        self.pop_through(now, cumulative, &mut news);
        self.take_back_reneged();
        let mut newest = None;
        let mut highest = cumulative;
        for (start, end) in blocks {
            let block = cumulative.plus(start.into())..=cumulative.plus(end.into());
            if *block.end() >= self.next_tsn() {
                return Err(SackError::NeverSent);
            }
            highest = highest.max(*block.end());
            newest = newest.max(self.acknowledge_block(now, block, &mut news));
        }
        self.suspect_up_to(highest);
        let reported = if fast_recovery && news.advanced {
            Some(highest)
        } else {
            newest
        };
        if let Some(reported) = reported {
            news.lost = self.count_misses(reported);
        }
        Ok(news)
    }

    fn pop_through(&mut self, now: Instant, cumulative: Tsn, news: &mut News) {
        while self.first <= cumulative {
            let Some(sent) = self.chunks.pop_front() else {
                break;
            };
            let tsn = self.first;
            self.first = tsn.next();
            self.held -= sent.fragment.data.len();
            let cost = Self::cost(sent.fragment.data.len());
            match sent.fate {
                Fate::InFlight => self.in_flight -= cost,
                Fate::Lost => {
                    self.lost.remove(&tsn);
                }
                Fate::Acked | Fate::Abandoned => {}
            }
            if matches!(sent.fate, Fate::InFlight | Fate::Lost) {
                news.bytes += cost;
            }
            self.stop_timing(now, tsn, sent.fate, news);
        }
        self.highest_acked = self.highest_acked.max(cumulative);
        while self.acked.front().is_some_and(|run| run.1 <= cumulative) {
            self.acked.pop_front();
        }
        if let Some(run) = self.acked.front_mut() {
            run.0 = run.0.max(self.first);
        }
        while self.suspects.front().is_some_and(|tsn| *tsn <= cumulative) {
            self.suspects.pop_front();
        }
    }

    /// Acknowledges a block; returns its largest TSN that was not acknowledged before.
    fn acknowledge_block(
        &mut self,
        now: Instant,
        block: RangeInclusive<Tsn>,
        news: &mut News,
    ) -> Option<Tsn> {
        let (mut tsn, end) = block.into_inner();
        let mut newest = None;
        while tsn <= end {
            let at = self.acked.partition_point(|run| run.1 < tsn);
            let known = self.acked.get(at).copied();
            if let Some((first, last)) = known
                && first <= tsn
            {
                tsn = last.next();
                continue;
            }
            let until = known.map_or(end, |(first, _)| end.min(first.previous()));
            self.record_run(at, tsn, until);
            while tsn <= until {
                self.acknowledge_one(now, tsn, news);
                newest = Some(tsn);
                tsn = tsn.next();
            }
        }
        newest
    }

    /// Inserts a run at a place where there is none, joining it with its neighbours.
    fn record_run(&mut self, at: usize, first: Tsn, last: Tsn) {
        let joins_last = at > 0 && self.acked[at - 1].1.next() == first;
        let joins_next = self.acked.get(at).is_some_and(|run| run.0 == last.next());
        match (joins_last, joins_next) {
            (true, true) => {
                self.acked[at - 1].1 = self.acked[at].1;
                self.acked.remove(at);
            }
            (true, false) => self.acked[at - 1].1 = last,
            (false, true) => self.acked[at].0 = first,
            (false, false) => self.acked.insert(at, (first, last)),
        }
    }

    fn acknowledge_one(&mut self, now: Instant, tsn: Tsn, news: &mut News) {
        let Some(sent) = self.chunks.get_mut(self.first.distance_to(tsn)) else {
            return;
        };
        let fate = sent.fate;
        let cost = Self::cost(sent.fragment.data.len());
        match fate {
            Fate::InFlight => self.in_flight -= cost,
            Fate::Lost => {
                self.lost.remove(&tsn);
            }
            Fate::Acked | Fate::Abandoned => return,
        }
        sent.fate = Fate::Acked;
        news.bytes += cost;
        self.stop_timing(now, tsn, fate, news);
    }

    fn stop_timing(&mut self, now: Instant, tsn: Tsn, fate: Fate, news: &mut News) {
        if let Some((timed, sent_at)) = self.timed
            && timed == tsn
        {
            self.timed = None;
            if fate == Fate::InFlight {
                news.round_trip = Some(now.saturating_duration_since(sent_at));
            }
        }
    }

    /// The first outstanding TSN cannot have arrived. If a gap ack block said so, the receiver has
    /// thrown it away since (RFC 9260 §6.2.1, D iii). One that is missing from a block further up
    /// may just not have fit into the SACK; it is found out when it comes to stand here.
    fn take_back_reneged(&mut self) {
        let Some(&(first, last)) = self.acked.front() else {
            return;
        };
        if first != self.first {
            return;
        }
        self.acked.pop_front();
        let count = first.distance_to(last) + 1;
        for at in (0..count).rev() {
            let sent = &mut self.chunks[at];
            if sent.fate == Fate::Acked {
                sent.fate = Fate::InFlight;
                sent.misses = 1;
                self.in_flight += Self::cost(sent.fragment.data.len());
                if !sent.fast_retransmitted {
                    self.suspects.push_front(first.plus(at));
                }
            }
        }
    }

    /// What lies between the largest TSN acknowledged so far and a larger one is in doubt.
    fn suspect_up_to(&mut self, highest: Tsn) {
        let mut tsn = self.highest_acked.next();
        while tsn < highest {
            let sent = &self.chunks[self.first.distance_to(tsn)];
            if sent.fate == Fate::InFlight && !sent.fast_retransmitted {
                self.suspects.push_back(tsn);
            }
            tsn = tsn.next();
        }
        self.highest_acked = self.highest_acked.max(highest);
    }

    /// Counts a miss for each suspect below `reported`; whether one is now lost.
    fn count_misses(&mut self, reported: Tsn) -> bool {
        let mut newly_lost = Vec::new();
        let (chunks, first) = (&mut self.chunks, self.first);
        self.suspects.retain(|&tsn| {
            let sent = &mut chunks[first.distance_to(tsn)];
            if sent.fate != Fate::InFlight {
                return false;
            }
            if tsn < reported {
                sent.misses += 1;
            }
            if sent.misses < MISSES {
                return true;
            }
            sent.fast_retransmitted = true;
            newly_lost.push(tsn);
            false
        });
        for &tsn in &newly_lost {
            self.lose(tsn);
        }
        !newly_lost.is_empty()
    }

    /// Marks a chunk for retransmission, unless its message may not be sent again.
    fn lose(&mut self, tsn: Tsn) {
        let sent = &mut self.chunks[self.first.distance_to(tsn)];
        if sent.fate != Fate::InFlight {
            return;
        }
        sent.fate = Fate::Lost;
        sent.misses = 0;
        self.in_flight -= Self::cost(sent.fragment.data.len());
        self.lost.insert(tsn);
        if let Limit::Retransmissions(count) = sent.fragment.limit
            && sent.transmissions > u32::from(count)
        {
            self.abandon(tsn);
        }
    }

    /// The retransmission timer expired: all that is in flight is lost (RFC 9260 §6.3.3, E3).
    pub(crate) fn expire(&mut self) {
        self.timed = None;
        self.suspects.clear();
        for at in 0..self.chunks.len() {
            let tsn = self.first.plus(at);
            self.chunks[at].fast_retransmitted = false;
            self.lose(tsn);
        }
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

    /// Sends a lost chunk again.
    pub(crate) fn retransmit(&mut self, tsn: Tsn) -> &Fragment {
        self.lost.remove(&tsn);
        // Karn: what is timed must not lie behind a retransmission (RFC 9260 §6.3.1, C5).
        if self.timed.is_some_and(|(timed, _)| timed >= tsn) {
            self.timed = None;
        }
        let sent = &mut self.chunks[self.first.distance_to(tsn)];
        // Chunks above it that arrive later tell whether it was lost once more.
        if tsn < self.highest_acked && !sent.fast_retransmitted {
            let at = self.suspects.partition_point(|suspect| *suspect < tsn);
            self.suspects.insert(at, tsn);
        }
        sent.fate = Fate::InFlight;
        sent.transmissions += 1;
        self.in_flight += Self::cost(sent.fragment.data.len());
        &sent.fragment
    }

    pub(crate) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    // --- partial reliability ---

    /// Gives up the whole message of a chunk (RFC 3758 §3.5, A3).
    fn abandon(&mut self, tsn: Tsn) {
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
        let last = &self.chunks.back()?.fragment;
        let fragment = Fragment {
            beginning: false,
            ending: true,
            data: Bytes::new(),
            ..*last
        };
        self.chunks.push_back(Sent {
            fragment,
            fate: Fate::Abandoned,
            misses: 0,
            fast_retransmitted: false,
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
