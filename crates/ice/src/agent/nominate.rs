//! Nomination (RFC 8445 §8.1.1): regular when we control; when we do not, wherever the peer leads.

use super::Agent;
use crate::message::MAX_NOMINATION;
use crate::outstanding::Purpose;
use crate::pair::{Pair, PairId};
use crate::via::Via;
use layer::{IceEvent, IceRole, PairState};
use std::time::{Duration, Instant};

/// Two pairs nominated within this time are nominated at once, as aggressive agents of RFC 5245 do;
/// later the peer has moved (RFC 8445 §8.3.1 gives aggressive nomination the same three seconds).
const AT_ONCE: Duration = Duration::from_secs(3);

/// How long two lite agents go on without a word of consent: neither can ask (RFC 7675 §4.1).
const UNCHECKED_CONSENT: Duration = Duration::from_secs(365 * 24 * 3600);

impl Agent {
    /// Nominates the best valid pair, as soon as no better one may still become valid or patience has
    /// ended. The criterion is ours to choose (RFC 8445 §8.1.1).
    pub(super) fn consider_nomination(&mut self, now: Instant) {
        if !self.may_nominate() {
            return;
        }
        let Some(best) = self.current.checklist.best_valid() else {
            return;
        };
        if self.current.selected.is_some() {
            return self.renominate(best.id);
        }
        if self.hopes_for_better(best) && self.patience_ends(best).is_some_and(|end| now < end) {
            return;
        }
        self.nominating = Some(best.id);
        self.nomination_queued = true;
    }

    /// Whether a path that died may be followed by another without a restart.
    pub(super) fn may_move(&self) -> bool {
        let mut pairs = self.current.checklist.pairs.iter();
        let may_come = self.moving_until.is_some();
        self.settings.renomination && (may_come || pairs.any(|pair| !pair.is_dead()))
    }

    /// The address of the path in use is gone: another one may come, for as long as the peer may have
    /// consented to hear from us (RFC 7675 §5.1).
    pub(super) fn await_address(&mut self, now: Instant) {
        if self.settings.continual_gathering && self.current.selected.is_some() {
            let until = now + self.settings.consent_timeout;
            self.moving_until.get_or_insert(until);
        }
    }

    /// Whether checks that nobody asked for are over: a pair is selected, and will not be followed by
    /// another (RFC 8445 §8.1.2).
    pub(super) fn has_concluded(&self) -> bool {
        self.current.selected.is_some() && !self.settings.renomination
    }

    fn may_nominate(&self) -> bool {
        self.role == Some(IceRole::Controlling)
            && self.nominating.is_none()
            && !self.has_concluded()
            && !self.settings.lite
    }

    /// A pair has become valid that is better than the selected one, or the only one left
    /// (draft-thatcher-ice-renomination-01 §3).
    fn renominate(&mut self, best: PairId) {
        let selected = self
            .current
            .selected
            .and_then(|id| self.current.checklist.get(id));
        let priority = selected
            .filter(|pair| pair.is_valid())
            .map(|pair| pair.priority);
        let is_better = self.current.checklist.get(best).map(|pair| pair.priority) > priority;
        if is_better {
            self.nominating = Some(best);
            self.nomination_queued = true;
        }
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
        if !self.may_nominate() || self.current.selected.is_some() {
            return None;
        }
        self.patience_ends(self.current.checklist.best_valid()?)
    }

    /// A check with USE-CANDIDATE was answered: the pair is nominated (RFC 8445 §7.2.5.3.4).
    pub(super) fn nominated(&mut self, now: Instant, id: PairId) {
        self.nominating = None;
        self.nomination_queued = false;
        // ice-050: one successful nomination, and no other in this generation.
        if self.current.selected.is_none() || self.settings.renomination {
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
            self.reflexive.conclude();
            if self.has_concluded() {
                self.stop_checks(id);
            }
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

    /// Two lite agents cannot check: the best pair is taken on trust (RFC 8445 §8.2). What protects
    /// against strangers is DTLS alone.
    pub(super) fn select_between_lites(&mut self, now: Instant) {
        if !self.settings.lite || !self.peer_is_lite() || self.current.selected.is_some() {
            return;
        }
        let udp = |pair: &&mut Pair| matches!(pair.via, Via::Socket(_));
        let pairs = self.current.checklist.pairs.iter_mut().filter(udp);
        let Some(best) = pairs.max_by_key(|pair| pair.priority) else {
            return;
        };
        best.state = PairState::Succeeded;
        best.authenticated = true;
        best.heard_at = Some(now);
        best.consent_until = Some(now + UNCHECKED_CONSENT);
        let id = best.id;
        self.select(now, id);
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
        let id = self.nominating?;
        if self.settings.renomination
            && let Some(pair) = self.current.checklist.get_mut(id)
        {
            // One more than ever before; at the end of the numbers the last one stays.
            self.nominations = (self.nominations + 1).min(MAX_NOMINATION);
            pair.nomination = Some(self.nominations);
        }
        Some((id, Purpose::Nomination))
    }
}

/// Whether a newly nominated pair takes over from the selected one.
fn leads(new: &Pair, selected: &Pair, now: Instant) -> bool {
    // The largest number wins, and any number over none (draft-thatcher-ice-renomination-01 §4).
    if new.nomination != selected.nomination {
        return new.nomination > selected.nomination;
    }
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
