//! What a SACK makes of outstanding chunks (RFC 9260 §6.2.1).

use super::meter::Snapshot;
use super::rack::Departure;
use super::{Delivery, Fate, Outstanding};
use crate::serial::Tsn;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// What a SACK told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct News {
    /// Bytes acknowledged for the first time.
    pub(crate) bytes: usize,
    /// The cumulative TSN advanced.
    pub(crate) advanced: bool,
    /// A round trip was measured.
    pub(crate) round_trip: Option<Duration>,
    /// The round trip of what was sent last among that which has just arrived, also if another is
    /// being measured.
    pub(crate) latest: Option<Duration>,
    /// How fast what has just arrived was delivered.
    pub(crate) delivery: Option<Delivery>,
    /// What was sent last of it: its packet, and what that remembers.
    newest: Option<(u64, Snapshot)>,
}

/// What is wrong with a SACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SackError {
    /// Older than what is known.
    Old,
    /// It acknowledges what was never sent.
    NeverSent,
}

impl Outstanding {
    /// Processes a SACK (RFC 9260 §6.2.1).
    pub(crate) fn acknowledge(
        &mut self,
        now: Instant,
        cumulative: u32,
        blocks: impl Iterator<Item = (u16, u16)>,
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
        for (start, end) in blocks {
            let block = cumulative.plus(start.into())..=cumulative.plus(end.into());
            if *block.end() >= self.next_tsn() {
                return Err(SackError::NeverSent);
            }
            self.acknowledge_block(now, block, &mut news);
        }
        if self.acked.is_empty() {
            self.rack.gaps_are_filled();
        }
        let newest = news.newest.map(|(_, snapshot)| snapshot);
        news.delivery = newest.map(|newest| self.meter.sample(now, newest));
        Ok(news)
    }

    fn pop_through(&mut self, now: Instant, cumulative: Tsn, news: &mut News) {
        while self.first <= cumulative {
            let Some(sent) = self.chunks.pop_front() else {
                break;
            };
            self.visit(1);
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
                let again = sent.transmissions > 1;
                self.note_arrival(now, tsn, (sent.departure, sent.snapshot, again), cost, news);
            }
            self.stop_timing(now, tsn, sent.fate, news);
        }
        while self.acked.front().is_some_and(|run| run.1 <= cumulative) {
            self.acked.pop_front();
        }
        if let Some(run) = self.acked.front_mut() {
            run.0 = run.0.max(self.first);
        }
    }

    /// Acknowledges what in a block was not acknowledged before.
    fn acknowledge_block(&mut self, now: Instant, block: RangeInclusive<Tsn>, news: &mut News) {
        let (mut tsn, end) = block.into_inner();
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
                tsn = tsn.next();
            }
        }
    }

    /// Inserts a run at a place where there is none, joining it with its neighbours.
    pub(super) fn record_run(&mut self, at: usize, first: Tsn, last: Tsn) {
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
        self.visit(1);
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
        let (departure, again) = (sent.departure, sent.transmissions > 1);
        let snapshot = sent.snapshot;
        self.note_arrival(now, tsn, (departure, snapshot, again), cost, news);
        if departure.is_ours() {
            self.rack.arrived_above_gap(departure);
        }
        self.stop_timing(now, tsn, fate, news);
    }

    /// A chunk is acknowledged for the first time, which was sent last then, and more than once or not.
    fn note_arrival(
        &mut self,
        now: Instant,
        tsn: Tsn,
        (departure, snapshot, again): (Departure, Snapshot, bool),
        cost: usize,
        news: &mut News,
    ) {
        news.bytes += cost;
        // What another process has sent says nothing of this path.
        if !departure.is_ours() {
            return;
        }
        let packet = departure.packet;
        if news.newest.is_none_or(|(newest, _)| packet > newest) {
            news.newest = Some((packet, snapshot));
        }
        self.meter.delivers(now, cost);
        news.arrived(self.rack.arrived(now, tsn, departure, again));
    }

    fn stop_timing(&mut self, now: Instant, tsn: Tsn, fate: Fate, news: &mut News) {
        let Some(timed) = self.timed.take_if(|timed| timed.tsn == tsn) else {
            return;
        };
        let elapsed = now.saturating_duration_since(timed.sent_at);
        if timed.retransmitted {
            self.ambiguous = Some((tsn, elapsed));
        } else if fate == Fate::InFlight {
            news.round_trip = Some(elapsed);
        }
    }

    /// The receiver had these TSNs before. If one was acknowledged by an earlier SACK, and only then
    /// came again, the original had arrived, and the timer was too fast for the path: this gives the
    /// round trip that Karn's algorithm could not tell (as RFC 3708 §3 does for TCP).
    pub(crate) fn take_proven(
        &mut self,
        mut duplicates: impl Iterator<Item = u32>,
    ) -> Option<Duration> {
        let (tsn, elapsed) = self.ambiguous?;
        let proven = duplicates.any(|duplicate| duplicate == tsn.wire());
        proven.then(|| {
            self.ambiguous = None;
            elapsed
        })
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
        for at in 0..count {
            let sent = &mut self.chunks[at];
            if sent.fate == Fate::Acked {
                sent.fate = Fate::InFlight;
                self.in_flight += Self::cost(sent.fragment.data.len());
                self.lose(first.plus(at));
            }
        }
    }
}

impl News {
    /// Something arrived after this round trip, if it is one.
    fn arrived(&mut self, round_trip: Option<Duration>) {
        // The last of them has waited least for the SACK.
        self.latest = [self.latest, round_trip].into_iter().flatten().min();
    }
}
