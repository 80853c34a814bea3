//! One candidate pair (RFC 8445 §6.1.2).

use crate::candidate::{LocalCandidate, RemoteCandidate};
use crate::via::{Via, Way};
use layer::{
    CandidatePair, IceRole, PairFailure, PairState, PairStats, Protocol, RequestId, TcpType,
};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stun::TransactionId;

/// Names a pair for the life of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PairId(pub(crate) u32);

/// A base of ours and an address of the peer, and what has passed between them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) id: PairId,
    /// Index of the local candidate, always a base (RFC 8445 §6.1.2.4).
    pub(crate) local: usize,
    /// Index of the remote candidate.
    pub(crate) remote: usize,
    /// What carries its packets.
    pub(crate) via: Via,
    /// Whether checks may be sent: a relay wants a permission first (RFC 8445 §7.2.1, ice-037).
    pub(crate) ready: bool,
    pub(crate) base: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) priority: u64,
    pub(crate) state: PairState,
    /// The connection that is being opened for it, and until when at most.
    pub(crate) connecting: Option<(RequestId, Instant)>,
    /// The check on its way.
    pub(crate) check: Option<TransactionId>,
    /// When the latest check started.
    pub(crate) checked_at: Option<Instant>,
    /// Index of the local candidate that the peer saw: the valid pair's (RFC 8445 §7.2.5.3.2).
    pub(crate) mapped: usize,
    /// When the controlling peer last nominated the pair.
    pub(crate) use_candidate_at: Option<Instant>,
    /// The number that the peer gave its nomination of the pair, or we ours.
    pub(crate) nomination: Option<u32>,
    /// Whether it was selected after a nomination.
    pub(crate) nominated: bool,
    /// Until when the peer has consented; `None` when it has not, or no longer.
    pub(crate) consent_until: Option<Instant>,
    /// Whether an authenticated check came this way: data may.
    pub(crate) authenticated: bool,
    /// When anything of the peer last came this way.
    pub(crate) heard_at: Option<Instant>,
    /// When data last came this way.
    pub(crate) data_at: Option<Instant>,
    /// When anything was last sent this way.
    pub(crate) sent_at: Option<Instant>,
    /// What went wrong last.
    pub(crate) failure: Option<PairFailure>,
    pub(crate) counters: Counters,
}

/// What `PairStats` wants counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) packets_sent: u64,
    pub(crate) packets_received: u64,
    pub(crate) requests_sent: u64,
    pub(crate) requests_received: u64,
    pub(crate) responses_received: u64,
    pub(crate) responses_sent: u64,
    pub(crate) total_round_trip: Duration,
    pub(crate) round_trip: Option<Duration>,
}

impl Pair {
    pub(crate) fn new(
        id: PairId,
        (local, ours): (usize, &LocalCandidate),
        (remote, theirs): (usize, &RemoteCandidate),
        role: IceRole,
    ) -> Self {
        Self {
            id,
            local,
            remote,
            via: ours.first_via(),
            ready: true,
            base: ours.base,
            destination: theirs.address,
            priority: priority(role, ours.candidate.priority, theirs.candidate.priority),
            state: PairState::Frozen,
            connecting: None,
            check: None,
            checked_at: None,
            mapped: local,
            use_candidate_at: None,
            nomination: None,
            nominated: false,
            consent_until: None,
            authenticated: false,
            heard_at: None,
            data_at: None,
            sent_at: None,
            failure: None,
            counters: Counters::default(),
        }
    }

    /// Whether data may be sent on it: a check succeeded and consent is fresh (RFC 7675 §5.1).
    pub(crate) fn is_valid(&self) -> bool {
        self.state == PairState::Succeeded && self.consent_until.is_some()
    }

    /// Whether a check of it may still succeed.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(
            self.state,
            PairState::Frozen | PairState::Waiting | PairState::InProgress
        )
    }

    /// Whether nothing may be sent on it, and only another check can bring it back: it has failed, or
    /// its consent has ended.
    pub(crate) fn is_dead(&self) -> bool {
        !self.is_pending() && !self.is_valid()
    }

    /// The way of its packets.
    pub(crate) fn way(&self) -> Way {
        Way {
            via: self.via,
            local: self.base,
            remote: self.destination,
        }
    }

    /// It does not work, or no longer.
    pub(crate) fn fail(&mut self, failure: PairFailure) {
        self.state = PairState::Failed;
        self.connecting = None;
        self.check = None;
        self.consent_until = None;
        self.failure = Some(failure);
    }

    pub(crate) fn stats(&self, pair: CandidatePair) -> PairStats {
        let counters = &self.counters;
        let mut stats = PairStats::new(pair, self.state);
        stats.nominated = self.nominated;
        stats.bytes_sent = counters.bytes_sent;
        stats.bytes_received = counters.bytes_received;
        stats.packets_sent = counters.packets_sent;
        stats.packets_received = counters.packets_received;
        stats.requests_sent = counters.requests_sent;
        stats.requests_received = counters.requests_received;
        stats.responses_received = counters.responses_received;
        stats.responses_sent = counters.responses_sent;
        stats.total_round_trip_time = counters.total_round_trip;
        stats.current_round_trip_time = counters.round_trip;
        stats.last_failure = self.failure;
        stats
    }
}

/// The formula of RFC 8445 §6.1.2.3 (ice-024).
pub(crate) fn priority(role: IceRole, local: u32, remote: u32) -> u64 {
    let (controlling, controlled) = match role {
        IceRole::Controlling => (u64::from(local), u64::from(remote)),
        IceRole::Controlled => (u64::from(remote), u64::from(local)),
    };
    (controlling.min(controlled) << 32)
        + 2 * controlling.max(controlled)
        + u64::from(controlling > controlled)
}

/// Whether checks go from one to the other: a passive candidate waits for them (RFC 6544 §6.2,
/// ice-074).
pub(crate) fn can_check(local: &LocalCandidate, remote: &RemoteCandidate) -> bool {
    let types = (local.candidate.tcp_type, remote.candidate.tcp_type);
    match local.candidate.protocol {
        Protocol::Tcp => matches!(
            types,
            (Some(TcpType::Active), Some(TcpType::Passive))
                | (
                    Some(TcpType::SimultaneousOpen),
                    Some(TcpType::SimultaneousOpen)
                )
        ),
        _ => true,
    }
}

/// Whether the two can reach each other at all (RFC 8445 §6.1.2.2, ice-023).
pub(crate) fn can_pair(local: &LocalCandidate, remote: &RemoteCandidate) -> bool {
    if local.candidate.protocol != remote.candidate.protocol {
        return false;
    }
    match (local.base, remote.address) {
        (SocketAddr::V4(_), SocketAddr::V4(_)) => true,
        (SocketAddr::V6(ours), SocketAddr::V6(theirs)) => {
            ours.ip().is_unicast_link_local() == theirs.ip().is_unicast_link_local()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ice-024
    #[test]
    fn both_ends_compute_the_same_pair_priority() {
        let (ours, theirs) = (2_130_706_431, 1_694_498_815);
        let here = priority(IceRole::Controlling, ours, theirs);
        let there = priority(IceRole::Controlled, theirs, ours);
        assert_eq!(here, there);
        assert_eq!(here, (1_694_498_815 << 32) + 2 * 2_130_706_431 + 1);
        assert_eq!(priority(IceRole::Controlled, ours, theirs), here - 1);
    }
}
