//! Which TSNs have arrived (RFC 9260 §6.2, §6.7): what a SACK reports.

use crate::packet::DecodeError;
use crate::serial::Tsn;
use crate::state::{StateReader, StateWriter};
use bytes::BufMut;
use std::collections::VecDeque;

/// How many separate runs above the cumulative TSN are kept. A packet that would make one more is
/// not accepted and comes again. A SACK of 1150 bytes reports about 280.
const MAX_RUNS: usize = 2048;

/// How many duplicates are reported in one SACK; more are only counted.
const MAX_DUPLICATES: usize = 32;

/// What a TSN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The one after the cumulative TSN.
    Next,
    /// New, above a gap.
    AboveGap,
    /// Here already.
    Duplicate,
    /// New, but it cannot be kept track of.
    TooFar,
}

/// The TSNs that have arrived: all up to `cumulative`, and runs above it.
#[derive(Debug)]
pub(crate) struct Tracker {
    cumulative: Tsn,
    /// First and last of each run: in order, apart from each other and from `cumulative`.
    runs: VecDeque<(Tsn, Tsn)>,
    duplicates: Vec<u32>,
}

impl Tracker {
    pub(crate) fn new(initial: Tsn) -> Self {
        Self {
            cumulative: initial.previous(),
            runs: VecDeque::new(),
            duplicates: Vec::new(),
        }
    }

    /// Everything up to here has arrived.
    pub(crate) fn cumulative(&self) -> Tsn {
        self.cumulative
    }

    /// The largest TSN that has arrived.
    pub(crate) fn largest(&self) -> Tsn {
        self.runs.back().map_or(self.cumulative, |run| run.1)
    }

    pub(crate) fn has_gaps(&self) -> bool {
        !self.runs.is_empty()
    }

    pub(crate) fn has_duplicates(&self) -> bool {
        !self.duplicates.is_empty()
    }

    /// What a TSN on the wire means here.
    pub(crate) fn read(&self, wire: u32) -> Tsn {
        self.cumulative.near(wire)
    }

    /// Looks at a TSN without recording it.
    pub(crate) fn classify(&self, tsn: Tsn) -> Arrival {
        if tsn <= self.cumulative {
            return Arrival::Duplicate;
        }
        if tsn == self.cumulative.next() {
            return Arrival::Next;
        }
        let at = self.runs_before(tsn);
        if self.runs.get(at).is_some_and(|run| run.0 <= tsn) {
            return Arrival::Duplicate;
        }
        if self.runs.len() >= MAX_RUNS && !self.touches(at, tsn) {
            return Arrival::TooFar;
        }
        Arrival::AboveGap
    }

    /// Records a TSN that [`classify`](Self::classify) found new.
    pub(crate) fn record(&mut self, tsn: Tsn) {
        if tsn == self.cumulative.next() {
            self.cumulative = tsn;
            self.absorb();
            return;
        }
        let at = self.runs_before(tsn);
        let joins_next = self.runs.get(at).is_some_and(|run| run.0 == tsn.next());
        let joins_last = at > 0 && self.runs[at - 1].1 == tsn.previous();
        match (joins_last, joins_next) {
            (true, true) => {
                self.runs[at - 1].1 = self.runs[at].1;
                self.runs.remove(at);
            }
            (true, false) => self.runs[at - 1].1 = tsn,
            (false, true) => self.runs[at].0 = tsn,
            (false, false) => self.runs.insert(at, (tsn, tsn)),
        }
    }

    /// Remembers to report a duplicate (RFC 9260 §6.2).
    pub(crate) fn record_duplicate(&mut self, tsn: Tsn) {
        if self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push(tsn.wire());
        }
    }

    /// Takes everything up to `tsn` as received (RFC 3758 §3.6); `false` if that is old news.
    pub(crate) fn forward(&mut self, tsn: Tsn) -> bool {
        if tsn <= self.cumulative {
            return false;
        }
        self.cumulative = tsn;
        while self.runs.front().is_some_and(|run| run.1 <= tsn) {
            self.runs.pop_front();
        }
        if let Some(run) = self.runs.front_mut()
            && run.0 <= tsn
        {
            self.cumulative = run.1;
            self.runs.pop_front();
        }
        self.absorb();
        true
    }

    /// Writes the lowest gap ack blocks that fit (RFC 9260 §6.7), as far as `until`, and the
    /// duplicates, four bytes each; the duplicates are then forgotten. Returns how many of the
    /// bytes are blocks.
    pub(crate) fn report(&mut self, until: Tsn, room: usize, out: &mut Vec<u8>) -> usize {
        out.clear();
        let known = self.runs.iter().take_while(|run| run.0 <= until);
        for &(first, last) in known.take(room / 4) {
            let start = u16::try_from(self.cumulative.distance_to(first));
            let end = u16::try_from(self.cumulative.distance_to(last.min(until)));
            let (Ok(start), Ok(end)) = (start, end) else {
                break;
            };
            out.put_u16(start);
            out.put_u16(end);
        }
        let blocks = out.len();
        for tsn in self.duplicates.drain(..).take((room - blocks) / 4) {
            out.put_u32(tsn);
        }
        blocks
    }

    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        state.list(self.runs.iter(), |state, (first, last)| {
            state.out.put_u32(first.wire());
            state.out.put_u32(last.wire());
        });
    }

    /// Into one that has only a Cumulative TSN.
    pub(crate) fn read_state(&mut self, state: &mut StateReader<'_>) -> Result<(), DecodeError> {
        let runs = state.list(|state| Ok((state.u32()?, state.u32()?)))?;
        let mut after = self.cumulative;
        for (first, last) in runs {
            let run = (after.near(first), after.near(last));
            if run.0 <= after.next() || run.1 < run.0 {
                return Err(DecodeError::Value);
            }
            after = run.1;
            self.runs.push_back(run);
        }
        Ok(())
    }

    /// Moves the cumulative TSN over the run that it has reached.
    fn absorb(&mut self) {
        if let Some(&(first, last)) = self.runs.front()
            && first == self.cumulative.next()
        {
            self.cumulative = last;
            self.runs.pop_front();
        }
    }

    /// How many runs end before `tsn`.
    fn runs_before(&self, tsn: Tsn) -> usize {
        // Packets mostly come in order: look at the end first.
        if self.runs.back().is_none_or(|run| run.1 < tsn) {
            return self.runs.len();
        }
        self.runs.partition_point(|run| run.1 < tsn)
    }

    /// Whether `tsn` extends one of the runs around place `at`.
    fn touches(&self, at: usize, tsn: Tsn) -> bool {
        self.runs.get(at).is_some_and(|run| run.0 == tsn.next())
            || (at > 0 && self.runs[at - 1].1 == tsn.previous())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker() -> Tracker {
        Tracker::new(Tsn::initial(u32::MAX - 2))
    }

    fn take(tracker: &mut Tracker, offset: u32) -> Arrival {
        let tsn = tracker.read((u32::MAX - 3).wrapping_add(offset));
        let arrival = tracker.classify(tsn);
        if matches!(arrival, Arrival::Next | Arrival::AboveGap) {
            tracker.record(tsn);
        }
        arrival
    }

    fn blocks(tracker: &mut Tracker) -> Vec<(u16, u16)> {
        let mut out = Vec::new();
        let len = tracker.report(tracker.largest(), 400, &mut out);
        out[..len]
            .chunks(4)
            .map(|b| {
                (
                    u16::from_be_bytes([b[0], b[1]]),
                    u16::from_be_bytes([b[2], b[3]]),
                )
            })
            .collect()
    }

    // sctp-025, sctp-031
    #[test]
    fn gaps_are_reported_merged_and_apart_across_the_wrap() {
        let mut tracker = tracker();
        assert_eq!(take(&mut tracker, 1), Arrival::Next);
        for offset in [3, 5, 4, 9, 8, 12] {
            assert_eq!(take(&mut tracker, offset), Arrival::AboveGap);
        }
        assert_eq!(blocks(&mut tracker), [(2, 4), (7, 8), (11, 11)]);
        assert_eq!(take(&mut tracker, 2), Arrival::Next);
        assert_eq!(blocks(&mut tracker), [(3, 4), (7, 7)]);
        assert_eq!(tracker.cumulative().wire(), 1);
    }

    // sctp-025
    #[test]
    fn duplicates_are_found_below_and_above_the_cumulative_tsn() {
        let mut tracker = tracker();
        take(&mut tracker, 1);
        take(&mut tracker, 4);
        assert_eq!(take(&mut tracker, 1), Arrival::Duplicate);
        assert_eq!(take(&mut tracker, 4), Arrival::Duplicate);
        assert_eq!(take(&mut tracker, 3), Arrival::AboveGap);
    }

    #[test]
    fn runs_are_bounded() {
        let mut tracker = tracker();
        let mut offset = 3;
        for _ in 0..MAX_RUNS {
            assert_eq!(take(&mut tracker, offset), Arrival::AboveGap);
            offset += 2;
        }
        assert_eq!(take(&mut tracker, offset), Arrival::TooFar);
        assert_eq!(take(&mut tracker, 4), Arrival::AboveGap, "it fills a gap");
    }

    // sctp-038
    #[test]
    fn a_forward_moves_over_what_follows() {
        let mut tracker = tracker();
        for offset in [3, 5, 6, 9] {
            take(&mut tracker, offset);
        }
        let to = tracker.read(u32::MAX);
        assert!(tracker.forward(to.next()));
        assert_eq!(blocks(&mut tracker), [(3, 3)]);
        assert!(!tracker.forward(to));
    }

    #[test]
    fn a_report_can_stop_in_the_middle_of_a_run() {
        let mut tracker = tracker();
        for offset in [3, 4, 5, 8] {
            take(&mut tracker, offset);
        }
        let until = tracker.cumulative().next().next().next().next();
        let mut out = Vec::new();
        assert_eq!(tracker.report(until, 400, &mut out), 4);
        assert_eq!(out, [0, 3, 0, 4]);
    }

    #[test]
    fn only_what_fits_is_reported() {
        let mut tracker = tracker();
        for offset in [3, 5, 7, 9] {
            take(&mut tracker, offset);
        }
        tracker.record_duplicate(tracker.cumulative());
        let mut out = Vec::new();
        assert_eq!(tracker.report(tracker.largest(), 8, &mut out), 8);
        assert_eq!(out.len(), 8);
    }
}
