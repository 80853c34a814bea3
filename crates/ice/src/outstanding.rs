//! Requests on their way (RFC 8489 §6.2, RFC 8445 §7.2).

use crate::pair::PairId;
use layer::IceRole;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;
use stun::{Step, Timing, Transaction, TransactionId};

/// How often a nomination is sent before it begins anew: its pair works, so a loss is made good within
/// seconds rather than after the doubled waits of a check.
const NOMINATION_REQUESTS: u32 = 3;

/// How often a silent path is asked for a sign of life.
const PROBE_REQUESTS: u32 = 3;

/// How many times the first wait the last answer of a short transaction is waited for.
const SHORT_LAST_WAIT: u32 = 4;

/// Why a Binding request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Does the pair work? (RFC 8445 §7.2)
    Check,
    /// Carries USE-CANDIDATE (RFC 8445 §8.1.1).
    Nomination,
    /// Does the peer still want to hear from us? (RFC 7675 §5.1)
    Consent,
    /// Is a silent path dead?
    Probe,
}

impl Purpose {
    /// How a request of this kind is repeated, from the timing of an ordinary check.
    pub(crate) fn timing(self, check: Timing) -> Timing {
        let mut timing = check;
        match self {
            Self::Check | Self::Consent => {}
            Self::Nomination => {
                timing.max_requests = NOMINATION_REQUESTS.min(check.max_requests);
                timing.last_wait = SHORT_LAST_WAIT;
            }
            Self::Probe => {
                timing.max_requests = PROBE_REQUESTS.min(check.max_requests);
                timing.last_wait = SHORT_LAST_WAIT;
            }
        }
        timing
    }
}

/// What is kept of a request: enough to write it again bit by bit, and to judge its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) transaction: Transaction,
    pub(crate) pair: PairId,
    pub(crate) purpose: Purpose,
    pub(crate) role: IceRole,
    pub(crate) tiebreaker: u64,
    /// Replaced by another check of the pair; its answer still counts, its timeout does not.
    pub(crate) cancelled: bool,
}

/// All requests of a generation. Each pair has at most one check, one cancelled check, one probe and
/// a few consent checks under way.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    requests: BTreeMap<TransactionId, Request>,
    /// To be sent again.
    repetitions: VecDeque<TransactionId>,
}

impl Outstanding {
    pub(crate) fn insert(&mut self, request: Request) {
        self.requests.insert(request.transaction.id(), request);
    }

    pub(crate) fn get(&self, id: TransactionId) -> Option<&Request> {
        self.requests.get(&id)
    }

    pub(crate) fn remove(&mut self, id: TransactionId) -> Option<Request> {
        self.requests.remove(&id)
    }

    /// Stops repeating a check; an answer that is already on its way is still taken
    /// (RFC 8445 §7.3.1.4).
    pub(crate) fn cancel(&mut self, id: TransactionId) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.cancelled = true;
        request.transaction.cancel();
        let pair = request.pair;
        self.requests
            .retain(|other, request| *other == id || request.pair != pair || !request.cancelled);
    }

    /// Forgets the requests for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Request) -> bool) {
        self.requests.retain(|_, request| keep(request));
    }

    /// Whether the request asks whether a pair works, and nothing more. One that was answered does
    /// not exist any more, and asks no more either.
    pub(crate) fn is_check(&self, id: TransactionId) -> bool {
        self.get(id)
            .is_none_or(|request| request.purpose == Purpose::Check)
    }

    /// Whether the check had to be repeated.
    pub(crate) fn was_repeated(&self, id: TransactionId) -> bool {
        self.get(id)
            .is_some_and(|request| request.transaction.requests() > 1)
    }

    /// Queues what is to be repeated and returns the requests that nobody answered.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<Request> {
        let mut expired = Vec::new();
        for (id, request) in &mut self.requests {
            match request.transaction.handle_timeout(now) {
                Step::Wait => {}
                Step::Retransmit => self.repetitions.push_back(*id),
                Step::TimedOut => expired.push(*request),
            }
        }
        for request in &expired {
            self.requests.remove(&request.transaction.id());
        }
        expired
    }

    pub(crate) fn next_repetition(&mut self) -> Option<Request> {
        while let Some(id) = self.repetitions.pop_front() {
            if let Some(request) = self.requests.get(&id)
                && !request.cancelled
            {
                return Some(*request);
            }
        }
        None
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = self.requests.values();
        deadlines
            .map(|request| request.transaction.poll_timeout())
            .min()
    }
}
