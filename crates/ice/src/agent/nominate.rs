//! Nomination (RFC 8445 §8.1.1): regular when we control; when we do not, wherever the peer leads.

use super::Agent;
use crate::outstanding::Purpose;
use crate::pair::{Pair, PairId};
use layer::{IceEvent, IceRole, PairState};
use std::time::{Duration, Instant};

/// Two pairs nominated within this time are nominated at once, as aggressive agents of RFC 5245 do;
/// later the peer has moved (RFC 8445 §8.3.1 gives aggressive nomination the same three seconds).
const AT_ONCE: Duration = Duration::from_secs(3);

impl Agent {
    /// Nominates the best valid pair, as soon as no better one may still become valid or patience has
    /// ended. The criterion is ours to choose (RFC 8445 §8.1.1).
    pub(super) fn consider_nomination(&mut self, now: Instant) {
        if self.role != Some(IceRole::Controlling)
            || self.current.selected.is_some()
            || self.nominating.is_some()
        {
            return;
        }
        let Some(best) = self.current.checklist.best_valid() else {
            return;
        };
        if self.hopes_for_better(best) && self.patience_ends(best).is_some_and(|end| now < end) {
            return;
        }
        self.nominating = Some(best.id);
        self.nomination_queued = true;
    }

    fn hopes_for_better(&self, best: &Pair) -> bool {
        let mut pairs = self.current.checklist.pairs.iter();
        pairs.any(|pair| pair.priority > best.priority && pair.is_pending())
    }

    fn patience_ends(&self, best: &Pair) -> Option<Instant> {
        let round_trip = best.counters.round_trip.unwrap_or_default();
        let patience = self.settings.nomination_patience.max(round_trip);
        Some(self.valid_since? + patience)
    }

    /// When a nomination that waits for better pairs waits no longer.
    pub(super) fn nomination_at(&self) -> Option<Instant> {
        if self.role != Some(IceRole::Controlling)
            || self.current.selected.is_some()
            || self.nominating.is_some()
        {
            return None;
        }
        self.patience_ends(self.current.checklist.best_valid()?)
    }

    /// A check with USE-CANDIDATE was answered: the pair is nominated (RFC 8445 §7.2.5.3.4).
    pub(super) fn nominated(&mut self, now: Instant, id: PairId) {
        self.nominating = None;
        self.nomination_queued = false;
        // ice-050: one successful nomination, and no other in this generation.
        if self.current.selected.is_none() {
            self.select(now, id);
        }
    }

    /// The nominated pair died before the peer agreed. RFC 8445 §7.2.5.3.4 lets the whole checklist
    /// fail; nothing is nominated yet, so we nominate the next valid pair instead.
    pub(super) fn nomination_failed(&mut self, id: PairId) {
        if self.nominating == Some(id) {
            self.nominating = None;
            self.nomination_queued = false;
        }
    }

    /// The controlling peer nominates a valid pair (RFC 8445 §7.3.1.5, dfx-024 to dfx-027).
    pub(super) fn follow_nomination(&mut self, now: Instant, id: PairId) {
        let Some(new) = self.current.checklist.get(id) else {
            return;
        };
        let current = self.current.selected;
        let selected = current.and_then(|id| self.current.checklist.get(id));
        match selected {
            Some(selected) if selected.id == id => {}
            Some(selected) if !leads(new, selected, now) => {}
            _ => self.select(now, id),
        }
    }

    /// Puts a nominated pair in use and ends checking (RFC 8445 §8.1.2).
    fn select(&mut self, now: Instant, id: PairId) {
        let first = self.current.selected.replace(id).is_none();
        if let Some(pair) = self.current.checklist.get_mut(id) {
            pair.nominated = true;
        }
        if first {
            self.stop_checks(id);
            self.retire_after_selection(now);
        }
        // turn-019 (RFC 8445 §12.1)
        self.bind_channel(now);
        if let Some(pair) = self.current.checklist.get(id) {
            let candidates = self.current.candidates(pair);
            self.update_route();
            self.emit(IceEvent::SelectedPairChange(candidates));
        }
    }

    /// Checks under way are not repeated; their answers are still taken (RFC 8445 §8.1.2).
    fn stop_checks(&mut self, selected: PairId) {
        let mut cancelled = Vec::new();
        for pair in &mut self.current.checklist.pairs {
            if pair.id != selected
                && !pair.authenticated
                && pair.state == PairState::InProgress
                && let Some(check) = pair.check
            {
                cancelled.push(check);
            }
        }
        for check in cancelled {
            self.current.outstanding.cancel(check);
        }
        self.current.checklist.conclude();
    }

    /// The pair whose nomination is to be sent now.
    pub(super) fn next_nomination(&mut self) -> Option<(PairId, Purpose)> {
        if !std::mem::take(&mut self.nomination_queued) {
            return None;
        }
        Some((self.nominating?, Purpose::Nomination))
    }
}

/// Whether a newly nominated pair takes over from the selected one.
fn leads(new: &Pair, selected: &Pair, now: Instant) -> bool {
    let both_at_once = selected.is_valid()
        && selected
            .use_candidate_at
            .is_some_and(|at| now.saturating_duration_since(at) < AT_ONCE);
    if !both_at_once {
        // dfx-026: a renominating peer has moved; the latest nomination counts.
        return true;
    }
    // The peer nominates several pairs. Where its data comes from is where it is; before there is
    // any, the highest priority decides (RFC 8445 §8.1.1, ice-050).
    if new.data_at == selected.data_at {
        new.priority > selected.priority
    } else {
        new.data_at > selected.data_at
    }
}
