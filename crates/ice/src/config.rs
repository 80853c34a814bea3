use crate::Agent;
use layer::{Candidate, Ice, IceConfig, Interface, NewIce, Start};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Makes agents; the settings of ICE.
///
/// Take [`Factory::default`] (feature `ring`) or [`Factory::new`], assign the fields you want
/// otherwise, and hand it to the owner of the layers as an `Arc<dyn layer::NewIce>`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// Where HMAC-SHA1 comes from.
    pub provider: crypto::Provider,

    /// Offer loopback addresses beside the others. Default `false` (RFC 8445 §5.1.1.1). On a host
    /// that has no other address they are offered all the same, so that two programs on a machine
    /// without a network connect.
    pub include_loopback: bool,
    /// Offer IPv6 link-local addresses. Default `false`, as browsers do: signalling strips the
    /// scope that the peer would need.
    pub include_link_local: bool,
    /// Offer IPv4 addresses. Default `true`.
    pub ipv4: bool,
    /// Offer IPv6 addresses. Default `true`.
    pub ipv6: bool,
    /// Offer only the addresses that packets to the world leave from, one of each family: what a
    /// browser shows of a user who has not consented to more (RFC 8828 §5.2, mode 2). Default `false`.
    pub default_routes_only: bool,
    /// Says of each remaining address whether it is offered. Default: all are.
    pub interface_filter: Option<InterfaceFilter>,
    /// The ports to bind, first and last. Default: the system chooses.
    pub ports: Option<(u16, u16)>,
    /// Says of each candidate of the peer whether it is used; others are dropped and counted. Default:
    /// all are.
    pub remote_filter: Option<RemoteFilter>,
    /// Show host candidates under random `.local` names instead of their addresses
    /// (draft-ietf-mmusic-mdns-ice-candidates §3.1); the owner answers for them
    /// ([`layer::IceEvent::PublishName`]). Default `false`: what hides a user of a web page keeps
    /// servers and programs from being found.
    pub multicast_names: bool,
    /// Addresses that stand for ours on the other side of a NAT that maps one to one. Default: none.
    /// The first rule that fits an address is applied.
    pub rewrites: Vec<RewriteRule>,
    /// Follow addresses of this host that come and go within a generation. Gathering then never
    /// completes, since every candidate may be followed by another; with
    /// [`renomination`](Factory::renomination) the connection moves without a restart. Default
    /// `false`: a restart gathers anew.
    pub continual_gathering: bool,

    /// Open TCP connections to the peer's passive candidates (RFC 6544). Default `true`, as browsers
    /// do: where UDP is blocked this reaches servers that accept connections.
    pub tcp_active: bool,
    /// Signal the placeholders of active candidates too, with port 9 (RFC 6544 §4.5). Default `false`:
    /// a peer learns nothing from them, since it sees the connection come from another port.
    pub signal_tcp_active: bool,
    /// Offer to accept TCP connections. Default `false`: a host that can be connected to is mostly
    /// reached by UDP as well.
    pub tcp_passive: bool,
    /// Offer to open connections simultaneously with the peer, which gets through some NATs. Default
    /// `false`.
    pub tcp_simultaneous_open: bool,
    /// The ports to listen on, first and last. Default: the system chooses.
    pub tcp_ports: Option<(u16, u16)>,

    /// Be a lite agent (RFC 8445 §2.5): offer host candidates only, answer checks, send none, and let
    /// the peer control. For servers that everybody reaches. Default `false` (ice-001).
    pub lite: bool,
    /// Go on checking after a pair is selected, and when we control nominate a better one as soon as
    /// it works (draft-thatcher-ice-renomination-01). Only for peers that know it. Default `false`.
    /// When we do not control, renominations are followed in any case.
    pub renomination: bool,

    /// Ta: how often a new check may start, on average. Default 50 ms (RFC 8445 §14.2); less than
    /// 5 ms counts as 5 ms. It is proposed to the peer, and the larger of both proposals counts.
    pub check_interval: Duration,
    /// How many checks may start back to back when none did for a while. Default 8: a handful of
    /// dead address pairs then delays a live one by nothing, for less than the 14 600 bytes that
    /// RFC 8445 Appendix B.1 lets an agent have under way. With 1 checks are spaced strictly.
    pub check_burst: u32,
    /// The least time after which a check is repeated; it doubles with each repetition. Default
    /// 500 ms, the least RFC 8445 §14.3 allows.
    pub retransmission_timeout: Duration,
    /// How often a check is sent before its pair fails. Default 7 (RFC 8489 §6.2.1): with 500 ms a
    /// pair fails after 39.5 s.
    pub max_requests: u32,
    /// How long a controlling agent with a valid pair waits for better pairs whose checks are not
    /// over, before it nominates; one round trip if that is longer. Default 200 ms. Data flows
    /// meanwhile (RFC 8445 §12), and where the best pair answers first nothing is waited for.
    pub nomination_patience: Duration,
    /// How long checks go on at least before the agent may fail, even with no pair left
    /// (RFC 8863 §4). Default 39.5 s, a check's whole life.
    pub pac_timeout: Duration,

    /// The time between two consent checks, ±20 %. Default 5 s; less than 5 s counts as 5 s, so that
    /// two are never closer than 4 s (RFC 7675 §5.1).
    pub consent_interval: Duration,
    /// How long consent lasts after an answer. Default 30 s, the most RFC 7675 §5.1 allows.
    pub consent_timeout: Duration,
    /// After how much silence on the path in use the agent calls itself disconnected. After half of
    /// it the path is probed, so that a quiet peer is not mistaken for a dead one. Default 5 s, near
    /// what browsers do.
    pub disconnected_timeout: Duration,
    /// Tr: after how long without a packet of ours a keepalive is sent. Default 15 s, the least
    /// RFC 8445 §11 allows; consent checks normally come first.
    pub keepalive_interval: Duration,
    /// How long after the selection of a pair the sockets of other pairs are given back
    /// (RFC 8445 §8.3.1 suggests 3 s). Default: never, since a browser that controls keeps checking
    /// its other pairs and moves to one of them when it becomes better.
    pub release_after: Option<Duration>,

    /// The most candidate pairs. Default 100 (RFC 8445 §6.1.2.5). When it is reached, failed pairs
    /// make room, then those of the lowest priority.
    pub max_pairs: usize,
    /// The most remote candidates, peer-reflexive ones and unresolved names included. Default 100;
    /// signalling more is an error of the caller, learning more is not done.
    pub max_remote_candidates: usize,
    /// The most host candidates. Default 16; further addresses are not offered.
    pub max_host_candidates: usize,
    /// The largest IP packet to count on, in bytes; the route's largest payload follows from it.
    /// Default 1500.
    pub mtu: usize,
    /// The largest IP packet, in bytes, that a layer above may try to get through
    /// (`MAX_PLPMTU`, RFC 8899 §5.1.2); the route's largest probe follows from it. Default 9000,
    /// what jumbo frames of Ethernet carry; `mtu` tries nothing.
    pub largest_mtu: usize,
}

impl Factory {
    /// Default settings with another source of cryptography.
    #[must_use]
    pub fn new(provider: crypto::Provider) -> Self {
        Self {
            provider,
            include_loopback: false,
            include_link_local: false,
            ipv4: true,
            ipv6: true,
            default_routes_only: false,
            interface_filter: None,
            ports: None,
            remote_filter: None,
            multicast_names: false,
            rewrites: Vec::new(),
            continual_gathering: false,
            tcp_active: true,
            signal_tcp_active: false,
            tcp_passive: false,
            tcp_simultaneous_open: false,
            tcp_ports: None,
            lite: false,
            renomination: false,
            check_interval: layer::DEFAULT_CHECK_INTERVAL,
            check_burst: 8,
            retransmission_timeout: Duration::from_millis(500),
            max_requests: 7,
            nomination_patience: Duration::from_millis(200),
            pac_timeout: Duration::from_millis(39_500),
            consent_interval: Duration::from_secs(5),
            consent_timeout: Duration::from_secs(30),
            disconnected_timeout: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(15),
            release_after: None,
            max_pairs: 100,
            max_remote_candidates: 100,
            max_host_candidates: 16,
            mtu: 1500,
            largest_mtu: 9000,
        }
    }
}

#[cfg(feature = "ring")]
impl Default for Factory {
    fn default() -> Self {
        Self::new(crypto::Provider::default())
    }
}

impl NewIce for Factory {
    fn new_ice(&self, start: Start, config: IceConfig) -> Box<dyn Ice> {
        Box::new(Agent::new(self.clone(), start, config))
    }
}

/// An address that stands for ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RewriteRule {
    /// The address of ours that it stands for; `None` for each of the same family.
    pub local: Option<IpAddr>,
    /// The address that the NAT shows; ports stay.
    pub external: IpAddr,
    /// What becomes of it.
    pub mode: RewriteMode,
}

impl RewriteRule {
    /// A rule for every address of ours of the family of `external`.
    #[must_use]
    pub fn new(external: IpAddr, mode: RewriteMode) -> Self {
        Self {
            local: None,
            external,
            mode,
        }
    }
}

/// What a [`RewriteRule`] makes of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RewriteMode {
    /// Host candidates show it in place of ours: the peer never learns ours.
    Host,
    /// A server-reflexive candidate beside the host candidate, as if a server had told.
    ServerReflexive,
}

/// Says of a candidate of the peer whether it is used.
#[derive(Clone)]
pub struct RemoteFilter(Arc<dyn Fn(&Candidate) -> bool + Send + Sync>);

impl RemoteFilter {
    /// A filter; it keeps the candidates for which `keep` is true.
    #[must_use]
    pub fn new(keep: impl Fn(&Candidate) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(keep))
    }

    pub(crate) fn keeps(&self, candidate: &Candidate) -> bool {
        (self.0)(candidate)
    }
}

impl fmt::Debug for RemoteFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteFilter(..)")
    }
}

/// Says of an interface's address whether it becomes a candidate.
#[derive(Clone)]
pub struct InterfaceFilter(Arc<dyn Fn(&Interface) -> bool + Send + Sync>);

impl InterfaceFilter {
    /// A filter; it keeps the addresses for which `keep` is true.
    #[must_use]
    pub fn new(keep: impl Fn(&Interface) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(keep))
    }

    pub(crate) fn keeps(&self, interface: &Interface) -> bool {
        (self.0)(interface)
    }
}

impl fmt::Debug for InterfaceFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterfaceFilter(..)")
    }
}
