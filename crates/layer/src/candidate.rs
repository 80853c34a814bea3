use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The transport of a candidate (RFC 8839 §5.1, RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream: TCP, or TLS over it. To a peer each packet lies behind a 16-bit length (RFC 4571);
    /// to a server see [`Framing`](crate::Framing).
    Tcp,
}

/// How a candidate was learned (RFC 8445 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CandidateType {
    /// An address of this host.
    Host,
    /// The address a STUN server saw.
    ServerReflexive,
    /// The address the peer saw, learned from a check.
    PeerReflexive,
    /// An address on a TURN server.
    Relayed,
}

/// The direction in which a TCP candidate opens connections (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TcpType {
    /// Opens connections.
    Active,
    /// Accepts connections.
    Passive,
    /// Does both at once.
    SimultaneousOpen,
}

/// Where a candidate can be reached: an address, or a name still to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CandidateAddress {
    /// A transport address.
    Socket(SocketAddr),
    /// A host name and port; `.local` names are multicast DNS (draft-ietf-mmusic-mdns-ice-candidates).
    Name {
        /// The name, as signalled.
        host: String,
        /// The port.
        port: u16,
    },
}

/// One ICE candidate (RFC 8445 §5.1), as the layers see it. Its SDP line is `muonrtc-sdp`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Groups candidates of one type, base, server and transport (RFC 8445 §5.1.1.3): 1 to 32 ice-chars.
    pub foundation: String,
    /// 1 for RTP and everything multiplexed with it, 2 for RTCP.
    pub component: u16,
    /// Datagrams or a stream.
    pub protocol: Protocol,
    /// 1 to 2^31 - 1, larger is preferred (RFC 8445 §5.1.2).
    pub priority: u32,
    /// Where to reach it.
    pub address: CandidateAddress,
    /// How it was learned.
    pub candidate_type: CandidateType,
    /// The related address: the base of a reflexive candidate, the mapped address of a relayed one.
    pub related: Option<SocketAddr>,
    /// Only for TCP.
    pub tcp_type: Option<TcpType>,
    /// The user name fragment of the generation it belongs to, where signalled (RFC 8839 §5.1).
    pub username_fragment: Option<String>,
    /// The URL of the server it came from, for local reflexive and relayed candidates.
    pub url: Option<String>,
}

impl Candidate {
    /// A candidate of component 1 at a known address; the optional parts are `None`.
    #[must_use]
    pub fn new(
        foundation: impl Into<String>,
        candidate_type: CandidateType,
        protocol: Protocol,
        priority: u32,
        address: CandidateAddress,
    ) -> Self {
        Self {
            foundation: foundation.into(),
            component: 1,
            protocol,
            priority,
            address,
            candidate_type,
            related: None,
            tcp_type: None,
            username_fragment: None,
            url: None,
        }
    }

    /// The transport address, unless it is still a name.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.address {
            CandidateAddress::Socket(address) => Some(address),
            CandidateAddress::Name { .. } => None,
        }
    }
}

/// A server that gave no candidate (W3C `icecandidateerror`, webrtc-pc §4.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CandidateError {
    /// The local address the request went from, if there was one.
    pub address: Option<SocketAddr>,
    /// The server's URL.
    pub url: String,
    /// A STUN error code (300 to 699), or 701 when the server could not be reached.
    pub code: u16,
    /// What went wrong, in lower case.
    pub text: String,
}

impl CandidateError {
    /// All four parts.
    #[must_use]
    pub fn new(address: Option<SocketAddr>, url: String, code: u16, text: String) -> Self {
        Self {
            address,
            url,
            code,
            text,
        }
    }
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => write!(f, "{address}"),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl CandidateAddress {
    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            Self::Socket(address) => address.port(),
            Self::Name { port, .. } => *port,
        }
    }

    /// The IP address, unless it is still a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Socket(address) => Some(address.ip()),
            Self::Name { .. } => None,
        }
    }
}
