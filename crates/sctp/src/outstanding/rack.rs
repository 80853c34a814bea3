//! Loss detection by time (RACK, RFC 8985 §6, with TSNs and packets in the place of sequence
//! numbers and segments): what was sent sufficiently long before something that has arrived is
//! lost. It counts transmissions, not TSNs, so that a retransmission that is lost is noticed too.

use super::{Fate, Outstanding, Sent};
use crate::queue::Limit;
use crate::serial::Tsn;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets above a gap that make what was sent before them lost, as long as the path was never seen
/// to reorder (RFC 8985 §6.2.4; the third report of RFC 9260 §7.2.4).
const PACKET_THRESHOLD: u32 = 3;

/// How long a least round trip counts. It must be able to grow when the path does (RFC 8985 §6.2.1
/// recommends a windowed filter).
const MIN_ROUND_TRIP_AGE: Duration = Duration::from_secs(30);

/// Recoveries that a wider reordering window lasts after a needless retransmission (RFC 8985
/// §6.2.4).
const WIDE_RECOVERIES: u32 = 16;

/// The largest reordering window, in quarters of the least round trip; the smoothed round trip
/// bounds it too (RFC 8985 §6.2.4).
const MAX_QUARTERS: u32 = 16;

/// Retransmissions that are remembered, to know a report of a duplicate as one of theirs.
const MAX_REMEMBERED: usize = 64;

/// Duplicates of one SACK that are looked at.
const MAX_DUPLICATES: usize = 32;

/// How many transmissions are remembered per outstanding chunk, in the mean, before those that mean
/// nothing any more are thrown out.
const SLACK: usize = 2;

/// When a chunk was sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    /// Packets with data are numbered as they leave, so that those of one instant have an order.
    pub(super) packet: u64,
    pub(super) at: Instant,
}

/// The state of RFC 8985 §5.2 and §5.3.
#[derive(Debug, Default)]
pub(super) struct Rack {
    /// The number of the packet that is being written.
    packet: u64,
    /// Every transmission in order, with those that mean nothing any more since the chunk was
    /// acknowledged or sent again.
    departures: VecDeque<(u64, Tsn)>,
    /// The latest departure of what has arrived, and how long it took.
    newest: Option<(Departure, Duration)>,
    /// The largest TSN that has arrived (`RACK.fack`).
    highest: Option<Tsn>,
    min_round_trip: Option<(Duration, Instant)>,
    reordering_seen: bool,
    /// The reordering window, in quarters of the least round trip.
    quarters: u32,
    /// Recoveries until it is one quarter again.
    wide_recoveries: u32,
    /// Packets that arrived above a gap since there was none, and the last of them.
    above_gap: u32,
    last_above_gap: u64,
    retransmitted: VecDeque<Tsn>,
}

/// What came out of a look for losses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    /// Chunks were found lost.
    pub(crate) found: bool,
    /// When the next will be, unless they are acknowledged.
    pub(crate) next: Option<Instant>,
}

impl Rack {
    pub(super) fn departs(&mut self, now: Instant, tsn: Tsn) -> Departure {
        self.departures.push_back((self.packet, tsn));
        Departure {
            packet: self.packet,
            at: now,
        }
    }

    /// A chunk is in flight that another process has sent, before any packet of this one.
    pub(super) fn took_over(&mut self, tsn: Tsn) {
        self.departures.push_back((0, tsn));
    }

    pub(super) fn remember(&mut self, tsn: Tsn) {
        if self.retransmitted.len() == MAX_REMEMBERED {
            self.retransmitted.pop_front();
        }
        self.retransmitted.push_back(tsn);
    }

    /// A chunk has arrived (RFC 8985 §6.2, steps 1 to 3). Returns the round trip, if it is one.
    pub(super) fn arrived(
        &mut self,
        now: Instant,
        tsn: Tsn,
        departure: Departure,
        retransmitted: bool,
    ) -> Option<Duration> {
        let round_trip = now.saturating_duration_since(departure.at);
        if retransmitted {
            // It is likely the original that arrived.
            let too_soon = |(least, _): (Duration, Instant)| round_trip < least;
            if self.min_round_trip.is_some_and(too_soon) {
                return None;
            }
        } else {
            let smaller = |(least, since): (Duration, Instant)| {
                round_trip <= least || now.saturating_duration_since(since) > MIN_ROUND_TRIP_AGE
            };
            if self.min_round_trip.is_none_or(smaller) {
                self.min_round_trip = Some((round_trip, now));
            }
        }
        let newer = |(newest, _): (Departure, Duration)| departure.packet >= newest.packet;
        if self.newest.is_none_or(newer) {
            self.newest = Some((departure, round_trip));
        }
        // Sent once, and overtaken: this path reorders.
        self.reordering_seen |= !retransmitted && self.highest.is_some_and(|last| tsn < last);
        self.highest = self.highest.max(Some(tsn));
        (!retransmitted).then_some(round_trip)
    }

    /// A chunk arrived above a gap.
    pub(super) fn arrived_above_gap(&mut self, departure: Departure) {
        if self.above_gap == 0 || departure.packet != self.last_above_gap {
            self.above_gap = self.above_gap.saturating_add(1);
            self.last_above_gap = departure.packet;
        }
    }

    pub(super) fn gaps_are_filled(&mut self) {
        self.above_gap = 0;
    }

    /// How much later than something sent after it a packet may arrive (RFC 8985 §6.2.4).
    fn reordering_window(&self, recovering: bool, smoothed: Option<Duration>) -> Duration {
        if !self.reordering_seen && (recovering || self.above_gap >= PACKET_THRESHOLD) {
            return Duration::ZERO;
        }
        let least = self.min_round_trip.map_or(Duration::ZERO, |least| least.0);
        let window = least * self.quarters.max(1) / 4;
        smoothed.map_or(window, |smoothed| window.min(smoothed))
    }
}

impl Outstanding {
    /// What is sent from here on is in another packet.
    pub(crate) fn begin_packet(&mut self) {
        self.rack.packet += 1;
    }

    /// Looks for what is lost by now (RFC 8985 §6.2, step 5). It costs as much as it finds.
    pub(crate) fn detect_losses(
        &mut self,
        now: Instant,
        recovering: bool,
        smoothed: Option<Duration>,
    ) -> Losses {
        let mut losses = Losses::default();
        let Some((newest, round_trip)) = self.rack.newest else {
            return losses;
        };
        let patience = round_trip + self.rack.reordering_window(recovering, smoothed);
        while let Some(&(packet, tsn)) = self.rack.departures.front() {
            self.visit(1);
            if let Some(departure) = self.flying(packet, tsn) {
                if packet >= newest.packet {
                    break;
                }
                let lost_at = departure.at + patience;
                if lost_at > now {
                    losses.next = Some(lost_at);
                    break;
                }
                losses.found = true;
                self.lose(tsn);
            }
            self.rack.departures.pop_front();
        }
        self.forget_departures();
        losses
    }

    /// The chunk, if this transmission of it is in flight.
    fn flying(&self, packet: u64, tsn: Tsn) -> Option<Departure> {
        if tsn < self.first {
            return None;
        }
        let sent = self.chunks.get(self.first.distance_to(tsn))?;
        (sent.fate == Fate::InFlight && sent.departure.packet == packet).then_some(sent.departure)
    }

    /// Keeps the list of transmissions in proportion to the chunks.
    fn forget_departures(&mut self) {
        if self.rack.departures.len() > SLACK * (self.chunks.len() + 64) {
            let mut departures = std::mem::take(&mut self.rack.departures);
            self.visit(departures.len());
            departures.retain(|&(packet, tsn)| self.flying(packet, tsn).is_some());
            self.rack.departures = departures;
        }
    }

    /// How many transmissions are remembered.
    #[cfg(test)]
    pub(super) fn departures(&self) -> usize {
        self.rack.departures.len()
    }

    /// Nothing is in flight any more.
    pub(super) fn clear_departures(&mut self) {
        self.rack.departures.clear();
    }

    /// The receiver had these TSNs before. One that was retransmitted was so needlessly: the path
    /// reorders by more than the window (RFC 8985 §6.2.4).
    pub(crate) fn widen_for(&mut self, duplicates: impl Iterator<Item = u32>) {
        for duplicate in duplicates.take(MAX_DUPLICATES) {
            let known = |tsn: &Tsn| tsn.wire() == duplicate;
            if let Some(at) = self.rack.retransmitted.iter().position(known) {
                self.rack.retransmitted.remove(at);
                self.rack.reordering_seen = true;
                self.rack.quarters = (self.rack.quarters.max(1) + 1).min(MAX_QUARTERS);
                self.rack.wide_recoveries = WIDE_RECOVERIES;
            }
        }
    }

    /// A recovery is over.
    pub(crate) fn recovered(&mut self) {
        self.rack.wide_recoveries = self.rack.wide_recoveries.saturating_sub(1);
        if self.rack.wide_recoveries == 0 {
            self.rack.quarters = 1;
        }
    }

    /// Another path: what is known of the old one does not count.
    pub(crate) fn path_changed(&mut self) {
        self.rack.min_round_trip = None;
        self.rack.reordering_seen = false;
        self.rack.quarters = 1;
        self.rack.newest = None;
    }

    /// The least round trip of late.
    pub(crate) fn min_round_trip(&self) -> Option<Duration> {
        self.rack.min_round_trip.map(|least| least.0)
    }

    /// The chunk that a tail loss probe repeats, and its length: the last one (RFC 8985 §7.3), or the
    /// first if the last has arrived, unless it may not be sent again.
    pub(crate) fn probe_chunk(&self, now: Instant) -> Option<(Tsn, usize)> {
        let last = (self.next_tsn().previous(), self.chunks.back()?);
        let first = (self.first, self.chunks.front()?);
        let in_flight = |(_, sent): &(Tsn, &Sent)| sent.fate == Fate::InFlight;
        let (tsn, sent) = [last, first].into_iter().find(in_flight)?;
        let spent = match sent.fragment.limit {
            Limit::Retransmissions(count) => sent.transmissions > u32::from(count),
            limit => limit.has_passed(now),
        };
        (!spent).then_some((tsn, sent.fragment.data.len()))
    }

    /// Whether all that is outstanding was sent in one packet.
    pub(crate) fn is_single_packet(&self) -> bool {
        let first = self.chunks.front().map(|sent| sent.departure.packet);
        first == self.chunks.back().map(|sent| sent.departure.packet)
    }
}
