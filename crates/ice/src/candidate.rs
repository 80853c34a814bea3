//! Local and remote candidates: priority and foundation (RFC 8445 §5.1).

use layer::{Candidate, CandidateType, Protocol, SocketId};
use std::net::SocketAddr;

/// The only component: RTP and everything multiplexed with it (RFC 8834 §4.5).
pub(crate) const COMPONENT: u16 = 1;

/// The type preferences of RFC 8445 §5.1.2.2 (ice-009).
pub(crate) fn type_preference(candidate_type: CandidateType) -> u32 {
    match candidate_type {
        CandidateType::Host => 126,
        CandidateType::PeerReflexive => 110,
        CandidateType::ServerReflexive => 100,
        _ => 0,
    }
}

/// The formula of RFC 8445 §5.1.2.1 (ice-008).
pub(crate) fn priority(candidate_type: CandidateType, local_preference: u16) -> u32 {
    type_preference(candidate_type) << 24
        | u32::from(local_preference) << 8
        | (256 - u32::from(COMPONENT))
}

/// A candidate of ours.
#[derive(Clone, Debug)]
pub(crate) struct LocalCandidate {
    /// As it is signalled.
    pub(crate) candidate: Candidate,
    /// Its own address, the same as in `candidate`.
    pub(crate) address: SocketAddr,
    /// Where its packets leave from (RFC 8445 §3): its own address for a host candidate.
    pub(crate) base: SocketAddr,
    /// The socket bound to the base.
    pub(crate) socket: SocketId,
    /// How it is preferred among those of its type.
    pub(crate) local_preference: u16,
}

impl LocalCandidate {
    pub(crate) fn host(
        socket: SocketId,
        address: SocketAddr,
        local_preference: u16,
        foundation: String,
        fragment: &str,
    ) -> Self {
        let mut candidate = Candidate::new(
            foundation,
            CandidateType::Host,
            Protocol::Udp,
            priority(CandidateType::Host, local_preference),
            layer::CandidateAddress::Socket(address),
        );
        candidate.username_fragment = Some(fragment.to_owned());
        Self {
            candidate,
            address,
            base: address,
            socket,
            local_preference,
        }
    }

    /// What a server saw a question of `base` come from (RFC 8445 §5.1.1.2).
    pub(crate) fn server_reflexive(base: &Self, address: SocketAddr, foundation: String) -> Self {
        let mut candidate = Candidate::new(
            foundation,
            CandidateType::ServerReflexive,
            Protocol::Udp,
            priority(CandidateType::ServerReflexive, base.local_preference),
            layer::CandidateAddress::Socket(address),
        );
        candidate.related = Some(base.base);
        candidate
            .username_fragment
            .clone_from(&base.candidate.username_fragment);
        Self {
            candidate,
            address,
            base: base.base,
            socket: base.socket,
            local_preference: base.local_preference,
        }
    }

    /// What the peer saw a check of `base` come from (RFC 8445 §7.2.5.3.1, ice-040).
    pub(crate) fn peer_reflexive(base: &Self, address: SocketAddr, foundation: String) -> Self {
        let mut candidate = Candidate::new(
            foundation,
            CandidateType::PeerReflexive,
            Protocol::Udp,
            base.check_priority(),
            layer::CandidateAddress::Socket(address),
        );
        candidate.related = Some(base.base);
        candidate
            .username_fragment
            .clone_from(&base.candidate.username_fragment);
        Self {
            candidate,
            address,
            base: base.base,
            socket: base.socket,
            local_preference: base.local_preference,
        }
    }

    /// Whether pairs are made with it: its packets really leave from its address.
    pub(crate) fn is_base(&self) -> bool {
        self.address == self.base
    }

    /// What a check from here carries: its priority as if it were peer-reflexive
    /// (RFC 8445 §7.1.1, ice-033).
    pub(crate) fn check_priority(&self) -> u32 {
        priority(CandidateType::PeerReflexive, self.local_preference)
    }
}

/// A candidate of the peer, with an address to send to.
#[derive(Clone, Debug)]
pub(crate) struct RemoteCandidate {
    /// As it was signalled: a name stays a name, so that what it resolved to is not shown
    /// (ice-072).
    pub(crate) candidate: Candidate,
    /// Its address.
    pub(crate) address: SocketAddr,
}

impl RemoteCandidate {
    /// Where a check of a stranger with the right password came from (RFC 8445 §7.3.1.3, ice-046).
    pub(crate) fn peer_reflexive(address: SocketAddr, priority: u32, foundation: String) -> Self {
        let candidate = Candidate::new(
            foundation,
            CandidateType::PeerReflexive,
            Protocol::Udp,
            priority,
            layer::CandidateAddress::Socket(address),
        );
        Self { candidate, address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ice-008, ice-009
    #[test]
    fn priorities_follow_the_formula_and_stay_in_range() {
        assert_eq!(priority(CandidateType::Host, 65535), 2_130_706_431);
        assert_eq!(priority(CandidateType::PeerReflexive, 65535), 1_862_270_975);
        assert_eq!(
            priority(CandidateType::ServerReflexive, 65535),
            1_694_498_815
        );
        assert_eq!(priority(CandidateType::Relayed, 0), 255);
    }
}
