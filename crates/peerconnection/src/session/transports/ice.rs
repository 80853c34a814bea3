//! Candidates between SDP and the layers.

use layer::{Candidate, CandidateAddress, CandidateType, Protocol, TcpType};
use std::net::{IpAddr, SocketAddr};

/// A signalled candidate as the agent takes it; `None` for a transport or type that is unknown
/// here, which only drops that candidate (RFC 8839 §5.1).
pub(crate) fn layer_candidate(candidate: &sdp::Candidate) -> Option<Candidate> {
    let protocol = match candidate.transport.to_ascii_lowercase().as_str() {
        "udp" => Protocol::Udp,
        "tcp" => Protocol::Tcp,
        _ => return None,
    };
    let candidate_type = match candidate.kind.as_str() {
        "host" => CandidateType::Host,
        "srflx" => CandidateType::ServerReflexive,
        "prflx" => CandidateType::PeerReflexive,
        "relay" => CandidateType::Relayed,
        _ => return None,
    };
    let address = match candidate.address.parse::<IpAddr>() {
        Ok(ip) => CandidateAddress::Socket(SocketAddr::new(ip, candidate.port)),
        Err(_) => CandidateAddress::Name {
            host: candidate.address.clone(),
            port: candidate.port,
        },
    };
    let mut out = Candidate::new(
        candidate.foundation.clone(),
        candidate_type,
        protocol,
        candidate.priority,
        address,
    );
    out.component = candidate.component;
    out.username_fragment = candidate.ufrag().map(str::to_owned);
    out.tcp_type = match candidate.tcp_type() {
        Some("active") => Some(TcpType::Active),
        Some("passive") => Some(TcpType::Passive),
        Some("so") => Some(TcpType::SimultaneousOpen),
        _ => None,
    };
    Some(out)
}

/// A candidate of the agent as it is signalled.
pub(crate) fn sdp_candidate(candidate: &Candidate) -> sdp::Candidate {
    let (address, port) = match &candidate.address {
        CandidateAddress::Socket(address) => (address.ip().to_string(), address.port()),
        CandidateAddress::Name { host, port } => (host.clone(), *port),
        _ => (String::new(), 0),
    };
    let transport = match candidate.protocol {
        Protocol::Tcp => "tcp",
        _ => "udp",
    };
    let kind = match candidate.candidate_type {
        CandidateType::ServerReflexive => "srflx",
        CandidateType::PeerReflexive => "prflx",
        CandidateType::Relayed => "relay",
        _ => "host",
    };
    let tcp_type = candidate.tcp_type.map(|tcp_type| match tcp_type {
        TcpType::Active => "active",
        TcpType::Passive => "passive",
        _ => "so",
    });
    sdp::Candidate {
        foundation: candidate.foundation.clone(),
        component: candidate.component,
        transport: transport.into(),
        priority: candidate.priority,
        address,
        port,
        kind: kind.into(),
        related_address: candidate.related.map(|related| related.ip().to_string()),
        related_port: candidate.related.map(|related| related.port()),
        extensions: tcp_type
            .map(|tcp_type| ("tcptype".into(), tcp_type.into()))
            .into_iter()
            .collect(),
    }
}

/// The address that stands in a section for those who look at nothing else: what most likely works
/// (ice-019; RFC 8839 §4.2.1.2, RFC 5245 §4.1.4). The name of a host stands in no such place (ice-070).
pub(crate) fn default_candidate(candidates: &[Candidate]) -> Option<SocketAddr> {
    let datagrams = candidates.iter().filter(|it| it.protocol == Protocol::Udp);
    let addresses = datagrams.filter_map(|it| Some((it.candidate_type, it.socket_addr()?)));
    let likelihood = |(candidate_type, address): &(CandidateType, SocketAddr)| {
        let reach = match candidate_type {
            CandidateType::Relayed => 2,
            CandidateType::ServerReflexive => 1,
            _ => 0,
        };
        (reach, address.is_ipv4())
    };
    // Of equals the first, which is the one of the higher priority.
    let best = addresses.rev().max_by_key(likelihood);
    best.map(|(_, address)| address)
}
