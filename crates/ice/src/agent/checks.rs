//! Connectivity checks: following the peer's (RFC 8445 §7.3.1), starting our own (§6.1.4), taking
//! their answers (§7.2.5).

use super::Agent;
use super::input::understood;
use crate::candidate::RemoteCandidate;
use crate::generation::PeerCheck;
use crate::outstanding::{Purpose, Request};
use crate::pair::PairId;
use crate::via::{Path, Way};
use chacha20::rand_core::Rng;
use layer::{CandidateType, IceEvent, IceRole, PairFailure, PairState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stun::{Class, ErrorCode, Message, Timing, Transaction, XorMappedAddress};

/// After so many role conflicts checks that answer one are spaced like all others: two agents that
/// cannot agree do not flood each other.
const MAX_QUICK_REPAIRS: u64 = 4;

/// How many addresses are learned from checks where signalled candidates have taken all the room.
const MAX_PROVEN: usize = 16;

impl Agent {
    /// Follows an authenticated check of the peer (RFC 8445 §7.3.1.3 to §7.3.1.5).
    pub(super) fn follow_check(&mut self, now: Instant, check: &PeerCheck) {
        let Some(id) = self.pair_of_check(now, check.path, check.priority) else {
            return;
        };
        let controlled = self.role == Some(IceRole::Controlled);
        let concluded = self.current.selected.is_some();
        let Some(pair) = self.current.checklist.get_mut(id) else {
            return;
        };
        pair.authenticated = true;
        pair.heard_at = Some(now);
        pair.counters.requests_received += 1;
        pair.counters.responses_sent += 1;
        let nominated = check.use_candidate && controlled;
        if nominated {
            pair.use_candidate_at = Some(now);
            pair.nomination = pair.nomination.max(check.nomination);
        }
        if self.settings.lite {
            self.follow_as_lite(now, id, nominated);
        } else if pair.is_valid() {
            // ice-048: our own check has succeeded already (RFC 8445 §7.3.1.5).
            if nominated {
                self.follow_nomination(now, id);
            }
        } else if controlled || !concluded || self.settings.renomination {
            // A controlling agent that has selected keeps answering and checks no more
            // (RFC 8445 §8.1.2); a controlled one may yet be led elsewhere (dfx-026).
            self.trigger_check(now, id);
        }
    }

    /// ice-061: a lite agent believes what it is told (RFC 8445 §7.3.2). Whoever checks has consented.
    fn follow_as_lite(&mut self, now: Instant, id: PairId, nominated: bool) {
        let consent_until = Some(now + self.settings.consent_timeout);
        let Some(pair) = self.current.checklist.get_mut(id) else {
            return;
        };
        if nominated {
            pair.state = PairState::Succeeded;
        }
        if pair.state == PairState::Succeeded {
            pair.consent_until = consent_until;
        }
        if nominated {
            self.valid_since.get_or_insert(now);
            self.follow_nomination(now, id);
        }
    }

    /// Whether one more address is learned from a check. However many candidates were signalled, some
    /// that prove themselves find a place.
    fn has_room_for_proven(&mut self) -> bool {
        let learned = |remote: &&RemoteCandidate| {
            remote.candidate.candidate_type == CandidateType::PeerReflexive
        };
        let learned = self.current.remotes.iter().filter(learned).count();
        let (count, max) = (
            self.current.remote_count(),
            self.settings.max_remote_candidates,
        );
        count < max
            || (learned < MAX_PROVEN && count < max + MAX_PROVEN)
            || self.current.make_room_for_remote()
    }

    /// The pair a check came on, with its candidate learned and the pair made if need be.
    fn pair_of_check(&mut self, now: Instant, path: Path, priority: u32) -> Option<PairId> {
        if let Some(pair) = self.current.checklist.by_path(path) {
            return Some(pair.id);
        }
        let (via, remote) = path;
        let local = self.current.base_of(self.streams.origin(via))?;
        let protocol = self.current.locals[local].candidate.protocol;
        let theirs = match self.current.remote_at(remote, protocol) {
            Some(index) => index,
            // ice-046 (RFC 8445 §7.3.1.3), within the bound on candidates.
            None if self.has_room_for_proven() => {
                let foundation = self.current.new_foundation();
                let candidate = RemoteCandidate::peer_reflexive(
                    remote,
                    protocol,
                    priority,
                    format!("p{foundation}"),
                );
                self.current.remotes.push(candidate);
                self.current.remotes.len() - 1
            }
            None => {
                self.stats.candidates_dropped += 1;
                return None;
            }
        };
        if let Some(id) = self.adopt_connection(via, local, theirs) {
            return Some(id);
        }
        self.make_pair(now, (local, theirs), Some(via))
    }

    /// ice-047: checks back (RFC 8445 §7.3.1.4).
    fn trigger_check(&mut self, now: Instant, id: PairId) {
        let interval = self.pacer.interval();
        let Some(pair) = self.current.checklist.get_mut(id) else {
            return;
        };
        // A check that has only just left is given the time until the next may follow: where its
        // answer is already on the way, nothing is sent twice.
        let not_before = match (pair.state, pair.checked_at) {
            (PairState::InProgress, Some(at)) => at + interval,
            _ => now,
        };
        pair.state = PairState::Waiting;
        let replaced = pair.check.take();
        if let Some(check) = replaced {
            self.current.outstanding.cancel(check);
        }
        self.current.checklist.trigger(id, not_before);
    }

    /// Follows the checks that came before the peer's credentials, our role or the candidate of
    /// their socket were known (RFC 8445 §7.3).
    pub(super) fn follow_early_checks(&mut self, now: Instant) {
        let Some(remote) = &self.current.remote else {
            return;
        };
        if self.role.is_none() {
            return;
        }
        let fragment = remote.credentials.username_fragment.clone();
        for check in std::mem::take(&mut self.current.early) {
            if check.fragment != fragment {
                continue;
            }
            if !self.is_ours(check.path) {
                self.current.remember(check);
                continue;
            }
            self.follow_check(now, &check);
        }
    }

    /// Starts a request on a pair of the current generation and returns it, to be written.
    pub(super) fn start_request(
        &mut self,
        now: Instant,
        id: PairId,
        purpose: Purpose,
        transaction: Transaction,
    ) -> Option<Request> {
        let request = Request {
            transaction,
            pair: id,
            purpose,
            role: self.role?,
            tiebreaker: self.tiebreaker,
            cancelled: false,
        };
        let pair = self.current.checklist.get_mut(id)?;
        if purpose == Purpose::Check {
            pair.state = PairState::InProgress;
        }
        pair.checked_at = Some(now);
        let replaced = pair.check.replace(transaction.id());
        self.current.checklist.untrigger(id);
        if let Some(check) = replaced {
            self.current.outstanding.cancel(check);
        }
        self.current.outstanding.insert(request);
        Some(request)
    }

    /// ice-030: RTO grows with the number of checks that share the pace (RFC 8445 §14.3).
    pub(super) fn check_timing(&self) -> Timing {
        let shared = self
            .pacer
            .interval()
            .saturating_mul(self.current.checklist.active());
        let mut timing = Timing::default();
        timing.retransmission_timeout = self.settings.retransmission_timeout.max(shared);
        timing.max_requests = self.settings.max_requests.max(1);
        timing
    }

    /// An authenticated response to one of our requests.
    pub(super) fn take_response(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
        request: &Request,
        previous: bool,
    ) {
        let id = message.transaction_id();
        let Some(generation) = (if previous {
            self.previous.as_mut()
        } else {
            Some(&mut self.current)
        }) else {
            return;
        };
        generation.outstanding.remove(id);
        let Some(pair) = generation.checklist.get_mut(request.pair) else {
            return;
        };
        pair.counters.responses_received += 1;
        // ice-039: the way back must be the way there (RFC 8445 §7.2.5.2.1). stun-015: what is not
        // understood fails the transaction.
        let is_symmetric = pair.way().path() == path;
        let mapped = message.attribute::<XorMappedAddress>();
        let verdict = match (message.class(), mapped) {
            _ if !is_symmetric => Outcome::Failure(PairFailure::Asymmetric),
            _ if understood(message).is_some() => Outcome::Failure(PairFailure::Malformed),
            (Class::Success, Ok(Some(XorMappedAddress(mapped)))) => Outcome::Success(mapped),
            (Class::Error, _) => error_outcome(message),
            _ => Outcome::Failure(PairFailure::Malformed),
        };
        match verdict {
            Outcome::Success(mapped) => {
                pair.authenticated = true;
                pair.heard_at = Some(now);
                // ice-056: consent is renewed (RFC 7675 §5.1).
                pair.consent_until = Some(now + self.settings.consent_timeout);
                let round_trip = request.transaction.round_trip(now);
                if !previous {
                    self.succeed(now, request, mapped);
                }
                self.note_round_trip(request.pair, round_trip, previous);
            }
            Outcome::RoleConflict if !previous => self.yield_role(now, request),
            Outcome::RoleConflict => {}
            Outcome::Failure(failure) => {
                if !previous {
                    self.fail(now, request, failure);
                }
            }
        }
    }

    /// RFC 8445 §7.2.5.3.
    fn succeed(&mut self, now: Instant, request: &Request, mapped: SocketAddr) {
        let id = request.pair;
        let Some(pair) = self.current.checklist.get_mut(id) else {
            return;
        };
        pair.state = PairState::Succeeded;
        let (local, base) = (pair.local, pair.base);
        let other = pair
            .check
            .take_if(|check| self.current.outstanding.is_check(*check));
        if let Some(check) = other {
            self.current.outstanding.cancel(check);
        }
        self.current.checklist.untrigger(id);
        // ice-041: the valid pair's local candidate is what the peer saw; data leaves from the base
        // that was checked in any case (RFC 8445 §7.2.5.3.2).
        let mapped = if mapped == base {
            local
        } else {
            self.current.mapped(local, mapped)
        };
        let use_candidate = match self.current.checklist.get_mut(id) {
            Some(pair) => {
                pair.mapped = mapped;
                pair.use_candidate_at.is_some()
            }
            None => return,
        };
        self.current.unfreeze(id);
        self.valid_since.get_or_insert(now);
        match self.role {
            Some(IceRole::Controlling) if request.purpose == Purpose::Nomination => {
                self.nominated(now, id);
            }
            Some(IceRole::Controlled) if use_candidate => self.follow_nomination(now, id),
            _ => {}
        }
    }

    fn note_round_trip(&mut self, id: PairId, round_trip: Option<Duration>, previous: bool) {
        let Some(round_trip) = round_trip else {
            return;
        };
        let generation = if previous {
            self.previous.as_mut()
        } else {
            Some(&mut self.current)
        };
        let pair = generation.and_then(|generation| generation.checklist.get_mut(id));
        if let Some(pair) = pair {
            pair.counters.round_trip = Some(round_trip);
            pair.counters.total_round_trip += round_trip;
        }
        let in_use = self.route_generation().and_then(|it| it.route());
        if in_use.is_some_and(|pair| pair.id == id) {
            self.update_route();
            self.emit(IceEvent::RoundTrip(round_trip));
        }
    }

    /// ice-038: the peer insists on our role (RFC 8445 §7.2.5.1).
    fn yield_role(&mut self, now: Instant, request: &Request) {
        self.stats.role_conflicts += 1;
        if self.role == Some(request.role) {
            self.change_role(match request.role {
                IceRole::Controlling => IceRole::Controlled,
                IceRole::Controlled => IceRole::Controlling,
            });
            self.tiebreaker = self.rng.next_u64();
        }
        let quick = self.stats.role_conflicts <= MAX_QUICK_REPAIRS;
        let not_before = if quick {
            now
        } else {
            now + self.settings.retransmission_timeout
        };
        if let Some(pair) = self.current.checklist.get_mut(request.pair)
            && !pair.is_valid()
        {
            pair.state = PairState::Waiting;
            self.current.checklist.trigger(request.pair, not_before);
        }
    }

    /// A check got no answer, or one that ends it (RFC 8445 §7.2.5.2).
    pub(super) fn fail(&mut self, now: Instant, request: &Request, failure: PairFailure) {
        let id = request.pair;
        if let Some(pair) = self.current.checklist.get_mut(id) {
            pair.failure = Some(failure);
        }
        match request.purpose {
            // Only an answer renews consent; its time runs out by itself.
            Purpose::Consent | Purpose::Probe => return,
            // Another check has taken its place.
            Purpose::Check if request.cancelled && !self.current.is_check_of(id, request) => return,
            Purpose::Check => {}
            Purpose::Nomination => {
                self.nomination_failed(id);
                if self.current.is_valid(id) && failure == PairFailure::TimedOut {
                    // The pair works and the peer has not said no: the next try is a new one.
                    if let Some(pair) = self.current.checklist.get_mut(id) {
                        pair.check = None;
                    }
                    return self.consider_nomination(now);
                }
            }
        }
        if let Some(pair) = self.current.checklist.get_mut(id) {
            pair.fail(failure);
        }
        self.current.checklist.untrigger(id);
        self.consider_nomination(now);
    }

    /// The ways for which `is_dead` is true cannot be gone any more, and every pair of them fails.
    pub(super) fn fail_pairs_of(
        &mut self,
        now: Instant,
        is_dead: impl Fn(&Way) -> bool,
        failure: PairFailure,
    ) {
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            let mut failed = Vec::new();
            for pair in &mut generation.checklist.pairs {
                if is_dead(&pair.way()) {
                    pair.fail(failure);
                    failed.push(pair.id);
                }
            }
            for id in failed {
                generation.checklist.untrigger(id);
                generation.outstanding.retain(|request| request.pair != id);
            }
        }
        if let Some(id) = self.nominating
            && self
                .current
                .checklist
                .get(id)
                .is_some_and(|pair| is_dead(&pair.way()))
        {
            self.nomination_failed(id);
        }
        self.consider_nomination(now);
    }
}

enum Outcome {
    Success(SocketAddr),
    RoleConflict,
    Failure(PairFailure),
}

fn error_outcome(message: &Message<'_>) -> Outcome {
    match message.attribute::<ErrorCode<'_>>() {
        Ok(Some(error)) if error.code == ErrorCode::ROLE_CONFLICT.code => Outcome::RoleConflict,
        // ice-043
        Ok(Some(error)) => Outcome::Failure(PairFailure::Refused { code: error.code }),
        _ => Outcome::Failure(PairFailure::Malformed),
    }
}
