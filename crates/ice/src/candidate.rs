//! Local and remote candidates: priority and foundation (RFC 8445 §5.1).

use crate::via::{RelayId, Via};
use layer::{Candidate, CandidateAddress, CandidateType, Protocol, SocketId, TcpType};
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

/// Over TCP, below every direct way over UDP and above every relay (RFC 6544 §4.2, ice-076).
fn tcp_type_preference(candidate_type: CandidateType) -> u32 {
    match candidate_type {
        CandidateType::Host => 90,
        CandidateType::PeerReflexive => 80,
        _ => 0,
    }
}

/// The formula of RFC 8445 §5.1.2.1 (ice-008).
pub(crate) fn priority(candidate_type: CandidateType, local_preference: u16) -> u32 {
    compose(type_preference(candidate_type), local_preference)
}

/// The same for TCP.
pub(crate) fn tcp_priority(candidate_type: CandidateType, local_preference: u16) -> u32 {
    compose(tcp_type_preference(candidate_type), local_preference)
}

fn compose(type_preference: u32, local_preference: u16) -> u32 {
    type_preference << 24 | u32::from(local_preference) << 8 | (256 - u32::from(COMPONENT))
}

/// How a TCP candidate connects (RFC 6544 §4.2, §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Active,
    Passive,
    SimultaneousOpen,
}

impl Direction {
    /// The best local preference: three bits of direction above thirteen others (RFC 6544 §4.2).
    pub(crate) fn preference(self) -> u16 {
        let direction: u16 = match self {
            Self::Active => 6,
            Self::Passive => 4,
            Self::SimultaneousOpen => 2,
        };
        direction << 13 | 0x1FFF
    }

    pub(crate) fn tcp_type(self) -> TcpType {
        match self {
            Self::Active => TcpType::Active,
            Self::Passive => TcpType::Passive,
            Self::SimultaneousOpen => TcpType::SimultaneousOpen,
        }
    }
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
    /// What is shown in place of its address, where a NAT maps one to one.
    pub(crate) rewritten: Option<SocketAddr>,
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
            rewritten: None,
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
            rewritten: None,
            gone: false,
        }
    }

    /// An address of this host from which TCP connections are opened or on which they are accepted
    /// (RFC 6544 §5.1).
    pub(crate) fn tcp_host(
        via: Via,
        address: SocketAddr,
        direction: Direction,
        local_preference: u16,
        foundation: String,
        fragment: &str,
    ) -> Self {
        let mut candidate = Candidate::new(
            foundation,
            CandidateType::Host,
            Protocol::Tcp,
            tcp_priority(CandidateType::Host, local_preference),
            CandidateAddress::Socket(address),
        );
        candidate.tcp_type = Some(direction.tcp_type());
        candidate.username_fragment = Some(fragment.to_owned());
        Self {
            candidate,
            address,
            base: address,
            via,
            local_preference,
            rewritten: None,
            gone: false,
        }
    }

    /// What carries the packets of a new pair: a connection of its own has to be opened for TCP.
    pub(crate) fn first_via(&self) -> Via {
        match self.candidate.protocol {
            Protocol::Tcp => Via::Unconnected,
            _ => self.via,
        }
    }

    /// Another address of the same base.
    fn seen_as(&self, mut candidate: Candidate, address: SocketAddr) -> Self {
        candidate.related = Some(self.base);
        candidate.protocol = self.candidate.protocol;
        candidate.tcp_type = self.candidate.tcp_type;
        if candidate.protocol == Protocol::Tcp {
            candidate.priority = self.check_priority();
        }
        let fragment = &self.candidate.username_fragment;
        candidate.username_fragment.clone_from(fragment);
        Self {
            candidate,
            address,
            base: self.base,
            via: self.via,
            local_preference: self.local_preference,
            rewritten: None,
            gone: false,
        }
    }

    /// Whether pairs are made with it: its packets really leave from its address.
    pub(crate) fn is_base(&self) -> bool {
        let is_reflexive = matches!(
            self.candidate.candidate_type,
            CandidateType::ServerReflexive | CandidateType::PeerReflexive
        );
        self.address == self.base && !is_reflexive && !self.gone
    }

    /// What a check from here carries: its priority as if it were peer-reflexive
    /// (RFC 8445 §7.1.1, ice-033).
    pub(crate) fn check_priority(&self) -> u32 {
        let candidate_type = CandidateType::PeerReflexive;
        match self.candidate.protocol {
            Protocol::Tcp => tcp_priority(candidate_type, self.local_preference),
            _ => priority(candidate_type, self.local_preference),
        }
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
    pub(crate) fn peer_reflexive(
        address: SocketAddr,
        protocol: Protocol,
        priority: u32,
        foundation: String,
    ) -> Self {
        let mut candidate = Candidate::new(
            foundation,
            CandidateType::PeerReflexive,
            protocol,
            priority,
            CandidateAddress::Socket(address),
        );
        // Whoever connects is active.
        candidate.tcp_type = (protocol == Protocol::Tcp).then_some(TcpType::Active);
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

    // ice-076
    #[test]
    fn tcp_stands_below_direct_udp_and_above_relays() {
        let host = |direction: Direction| tcp_priority(CandidateType::Host, direction.preference());
        let active = host(Direction::Active);
        assert_eq!(active, 90 << 24 | 0xDFFF << 8 | 255);
        assert!(active > host(Direction::Passive));
        assert!(host(Direction::Passive) > host(Direction::SimultaneousOpen));
        assert!(active < priority(CandidateType::ServerReflexive, 0));
        assert!(host(Direction::SimultaneousOpen) > priority(CandidateType::Relayed, u16::MAX));
    }
}
