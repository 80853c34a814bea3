//! The sites, servers and runs of the matrix.

use layer::{CandidateType, IceServer};
use muonrtc_testkit::vnet::{
    AgentId, Drive, Firewall, HostId, Nat, Network, Router, StunServer, SubnetId, TurnServer,
};
use muonrtc_testkit::{Clock, Link};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

const USER: &str = "alice";
const PASSWORD: &str = "correct horse";

/// What stands between a host and the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Open,
    FullCone,
    Restricted,
    PortRestricted,
    Symmetric,
    UdpBlocked,
    OnlyTcp443,
}

impl Behind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Open,
        Self::FullCone,
        Self::Restricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::UdpBlocked,
        Self::OnlyTcp443,
    ];

    fn router(self, external: IpAddr) -> Option<Router> {
        let nat = match self {
            Self::Open => return None,
            Self::FullCone => Nat::full_cone(external),
            Self::Restricted => Nat::restricted(external),
            Self::PortRestricted | Self::UdpBlocked | Self::OnlyTcp443 => {
                Nat::port_restricted(external)
            }
            Self::Symmetric => Nat::symmetric(external),
        };
        let mut router = Router::nat(nat);
        router.firewall = match self {
            Self::UdpBlocked => Firewall::udp_blocked(),
            Self::OnlyTcp443 => Firewall::tcp_only(443),
            _ => Firewall::open(),
        };
        Some(router)
    }
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::FullCone => "full cone",
            Self::Restricted => "restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::UdpBlocked => "UDP blocked",
            Self::OnlyTcp443 => "only TCP 443",
        })
    }
}

/// The server that both ends know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    Stun,
    TurnUdp,
    TurnTcp,
    TurnTls,
    TurnDtls,
}

impl Known {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Stun,
        Self::TurnUdp,
        Self::TurnTcp,
        Self::TurnTls,
        Self::TurnDtls,
    ];

    pub(crate) fn server(self) -> Option<IceServer> {
        let url = match self {
            Self::Nothing => return None,
            Self::Stun => "stun:stun.example",
            Self::TurnUdp => "turn:turn.example?transport=udp",
            Self::TurnTcp => "turn:turn.example?transport=tcp",
            // Where a strict firewall leaves a way.
            Self::TurnTls => "turns:turn.example:443?transport=tcp",
            Self::TurnDtls => "turns:turn.example?transport=udp",
        };
        let mut server = IceServer::new(vec![url.to_owned()]);
        if self != Self::Stun {
            server.username = USER.to_owned();
            server.credential = PASSWORD.to_owned();
        }
        Some(server)
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "no server",
            Self::Stun => "STUN",
            Self::TurnUdp => "TURN over UDP",
            Self::TurnTcp => "TURN over TCP",
            Self::TurnTls => "TURN over TLS",
            Self::TurnDtls => "TURN over DTLS",
        })
    }
}

/// As what each end is seen on the selected pair: the first one's type, and the second one's.
pub(crate) type Seen = (CandidateType, CandidateType);

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A network with the servers.
pub(crate) fn internet(clock: &Clock, seed: u64) -> Network {
    let mut network = Network::new(seed);
    let top = network.internet();
    let [stun, turn] = ["198.51.100.1", "198.51.100.2"].map(ip);
    let host = network.add_host_at("stun", top, stun);
    let server = StunServer::new(vec![(stun, 3478).into()]);
    network.serve(clock.now(), host, Box::new(server));
    network.set_name("stun.example", vec![stun]);
    let host = network.add_host_at("turn", top, turn);
    let server = TurnServer::new(turn, USER, PASSWORD);
    network.serve(clock.now(), host, Box::new(server));
    network.set_name("turn.example", vec![turn]);
    network
}

/// A site with one host, 10 ms from the internet; `number` tells sites apart.
pub(crate) fn site(network: &mut Network, behind: Behind, number: u8) -> (SubnetId, HostId) {
    let external = ip(&format!("203.0.{number}.1"));
    let internet = network.internet();
    let (subnet, address) = match behind.router(external) {
        None => (internet, external),
        Some(router) => {
            // Everybody's home network is the same one.
            let subnet = network.add_subnet(internet, &["192.168.1.0/24"], router);
            (subnet, ip(&format!("192.168.1.{}", number + 1)))
        }
    };
    let host = network.add_host_at("host", subnet, address);
    let slow = Link::delayed(Duration::from_millis(10));
    let link = network.links_of(host)[0];
    network.set_link(link, slow.clone(), slow);
    (subnet, host)
}

pub(crate) fn agent(drive: &mut Drive, host: HostId, known: Known) -> AgentId {
    drive.add_agent(host, &ice::Factory::default(), |config| {
        config.servers.extend(known.server());
    })
}

/// Lets two sites connect and exchange data; as what they see each other, if they could.
pub(crate) fn run(a: Behind, b: Behind, known: Known, seed: u64) -> Option<Seen> {
    let clock = Clock::new();
    let mut network = internet(&clock, seed);
    let (_, host_a) = site(&mut network, a, 1);
    let (_, host_b) = site(&mut network, b, 2);
    let mut drive = Drive::starting(clock, network);
    let a = agent(&mut drive, host_a, known);
    let b = agent(&mut drive, host_b, known);
    if !drive.connect(a, b, LIMIT) {
        return None;
    }
    drive.run_for(Duration::from_secs(2));
    for (from, to) in [(a, b), (b, a)] {
        assert!(drive.send(from, b"\x14data"), "{drive:?}");
        drive.run_for(Duration::from_millis(200));
        let heard = std::mem::take(&mut drive.agent(to).data);
        assert_eq!(heard, [b"\x14data"], "{drive:?}");
    }
    assert_eq!(drive.network.stats().not_bound, 0);
    let seen = selected(&mut drive, a);
    let (theirs, ours) = selected(&mut drive, b);
    assert_eq!(seen, (ours, theirs), "both ends agree: {drive:?}");
    Some(seen)
}

/// The types of the selected pair as an agent sees it: its own, and its peer's.
pub(crate) fn selected(drive: &mut Drive, agent: AgentId) -> Seen {
    let pair = drive.agent(agent).machine.selected_pair().unwrap();
    (pair.local.candidate_type, pair.remote.candidate_type)
}
