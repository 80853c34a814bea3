//! Local and remote candidates: priority and foundation (RFC 8445 §5.1).

use crate::via::{RelayId, Via};
use layer::{Candidate, CandidateAddress, CandidateType, Protocol, SocketId};
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

fn new_candidate(
    candidate_type: CandidateType,
    local_preference: u16,
    address: SocketAddr,
    foundation: String,
) -> Candidate {
    Candidate::new(
        foundation,
        candidate_type,
        Protocol::Udp,
        priority(candidate_type, local_preference),
        CandidateAddress::Socket(address),
    )
}

/// A UDP socket of ours, from which candidates are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) socket: SocketId,
    pub(crate) local: SocketAddr,
    /// How its address is preferred among those of this host.
    pub(crate) preference: u16,
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
    /// What carries its packets.
    pub(crate) via: Via,
    /// How it is preferred among those of its type.
    pub(crate) local_preference: u16,
    /// Its base is gone: it keeps its place for the pairs that were made with it.
    pub(crate) gone: bool,
}

impl LocalCandidate {
    /// An address of this host.
    pub(crate) fn host(
        base: &Base,
        local_preference: u16,
        foundation: String,
        fragment: &str,
    ) -> Self {
        let (candidate_type, address) = (CandidateType::Host, base.local);
        let candidate = new_candidate(candidate_type, local_preference, address, foundation);
        let mut local = Self {
            candidate,
            address,
            base: address,
            via: Via::Socket(base.socket),
            local_preference,
            gone: false,
        };
        local.candidate.username_fragment = Some(fragment.to_owned());
        local
    }

    /// What a server saw a question of `base` come from (RFC 8445 §5.1.1.2).
    pub(crate) fn server_reflexive(
        base: &Self,
        address: SocketAddr,
        local_preference: u16,
        foundation: String,
    ) -> Self {
        let candidate_type = CandidateType::ServerReflexive;
        let candidate = new_candidate(candidate_type, local_preference, address, foundation);
        base.seen_as(candidate, address)
    }

    /// What the peer saw a check of `base` come from (RFC 8445 §7.2.5.3.1, ice-040).
    pub(crate) fn peer_reflexive(base: &Self, address: SocketAddr, foundation: String) -> Self {
        let candidate_type = CandidateType::PeerReflexive;
        let preference = base.local_preference;
        let candidate = new_candidate(candidate_type, preference, address, foundation);
        base.seen_as(candidate, address)
    }

    /// An address on a TURN server, which is its own base (RFC 8445 §3).
    pub(crate) fn relayed(
        relay: RelayId,
        address: SocketAddr,
        local_preference: u16,
        foundation: String,
        fragment: &str,
    ) -> Self {
        let candidate_type = CandidateType::Relayed;
        let mut candidate = new_candidate(candidate_type, local_preference, address, foundation);
        candidate.username_fragment = Some(fragment.to_owned());
        Self {
            candidate,
            address,
            base: address,
            via: Via::Relay(relay),
            local_preference,
            gone: false,
        }
    }

    /// Another address of the same base.
    fn seen_as(&self, mut candidate: Candidate, address: SocketAddr) -> Self {
        candidate.related = Some(self.base);
        candidate.protocol = self.candidate.protocol;
        let fragment = &self.candidate.username_fragment;
        candidate.username_fragment.clone_from(fragment);
        Self {
            candidate,
            address,
            base: self.base,
            via: self.via,
            local_preference: self.local_preference,
            gone: false,
        }
    }

    /// Whether pairs are made with it: its packets really leave from its address.
    pub(crate) fn is_base(&self) -> bool {
        self.address == self.base && !self.gone
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
    /// Whether its address stands behind a multicast name.
    pub(crate) fn is_hidden(&self) -> bool {
        let address = &self.candidate.address;
        matches!(address, CandidateAddress::Name { host, .. } if is_multicast_name(host))
    }

    /// Where a check of a stranger with the right password came from (RFC 8445 §7.3.1.3, ice-046).
    pub(crate) fn peer_reflexive(address: SocketAddr, priority: u32, foundation: String) -> Self {
        let candidate = Candidate::new(
            foundation,
            CandidateType::PeerReflexive,
            Protocol::Udp,
            priority,
            CandidateAddress::Socket(address),
        );
        Self { candidate, address }
    }
}

/// Whether a name is resolved by multicast DNS (RFC 6762 §3).
pub(crate) fn is_multicast_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.rsplit_once('.')
        .is_some_and(|(_, last)| last.eq_ignore_ascii_case("local"))
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
