//! What lies between the two: sites, servers, links.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use muonrtc::IceServer;
use testkit::vnet::{Firewall, HostId, Nat, Network, Router, StunServer, SubnetId, TurnServer};
use testkit::{Clock, Link};

const STUN: &str = "198.51.100.1";
const TURN: &str = "198.51.100.2";
const USER: &str = "user";
const PASSWORD: &str = "secret";

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

/// The server that both know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Nothing,
    Stun,
    TurnUdp,
    TurnTcp,
    TurnTls,
    TurnDtls,
}

impl Behind {
    pub(crate) const ALL: [(Self, &str); 7] = [
        (Self::Open, "open"),
        (Self::FullCone, "full-cone"),
        (Self::Restricted, "restricted"),
        (Self::PortRestricted, "port-restricted"),
        (Self::Symmetric, "symmetric"),
        (Self::UdpBlocked, "udp-blocked"),
        (Self::OnlyTcp443, "only-tcp-443"),
    ];

    fn router(self, external: IpAddr) -> Option<Router> {
        let nat = match self {
            Self::Open => return None,
            Self::FullCone => Nat::full_cone(external),
            Self::Restricted => Nat::restricted(external),
            Self::Symmetric => Nat::symmetric(external),
            Self::PortRestricted | Self::UdpBlocked | Self::OnlyTcp443 => {
                Nat::port_restricted(external)
            }
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

impl Server {
    pub(crate) const ALL: [(Self, &str); 6] = [
        (Self::Nothing, "none"),
        (Self::Stun, "stun"),
        (Self::TurnUdp, "turn-udp"),
        (Self::TurnTcp, "turn-tcp"),
        (Self::TurnTls, "turn-tls"),
        (Self::TurnDtls, "turn-dtls"),
    ];

    pub(crate) fn ice_servers(self) -> Vec<IceServer> {
        let url = match self {
            Self::Nothing => return Vec::new(),
            Self::Stun => "stun:stun.example",
            Self::TurnUdp => "turn:turn.example?transport=udp",
            Self::TurnTcp => "turn:turn.example?transport=tcp",
            Self::TurnTls => "turns:turn.example:443?transport=tcp",
            Self::TurnDtls => "turns:turn.example?transport=udp",
        };
        let mut server = IceServer::new(vec![url.to_owned()]);
        if self != Self::Stun {
            (server.username, server.credential) = (USER.to_owned(), PASSWORD.to_owned());
        }
        vec![server]
    }
}

/// A site with one host, and its subnet.
pub(crate) struct Site {
    pub(crate) host: HostId,
    pub(crate) subnet: SubnetId,
    pub(crate) address: IpAddr,
}

/// An internet with a STUN and a TURN server.
pub(crate) fn internet(clock: &Clock, seed: u64) -> Network {
    let mut network = Network::new(seed);
    let top = network.internet();
    let [stun, turn] = [STUN, TURN].map(address);
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

/// Adds a site, 20 ms from the internet, with the public address 203.0.NUMBER.1.
pub(crate) fn site(network: &mut Network, name: &str, behind: Behind, number: u8) -> Site {
    let external = IpAddr::from([203, 0, number, 1]);
    let internet = network.internet();
    let (subnet, address) = match behind.router(external) {
        None => (internet, external),
        Some(router) => {
            let home = network.add_subnet(internet, &["192.168.1.0/24"], router);
            (home, IpAddr::from([192, 168, 1, number + 1]))
        }
    };
    let host = network.add_host_at(name, subnet, address);
    let slow = Link::delayed(Duration::from_millis(20));
    for link in network.links_of(host) {
        network.set_link(link, slow.clone(), slow.clone());
    }
    Site {
        host,
        subnet,
        address,
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn name<T: Copy + PartialEq>(all: &[(T, &'static str)], it: T) -> &'static str {
    let found = all.iter().find(|(one, _)| *one == it);
    found.map_or("?", |(_, name)| name)
}

fn named<T: Copy>(all: &[(T, &'static str)], text: &str) -> Result<T, String> {
    let found = all.iter().find(|(_, name)| *name == text);
    let names: Vec<&str> = all.iter().map(|(_, name)| *name).collect();
    found
        .map(|(it, _)| *it)
        .ok_or_else(|| format!("{text:?} is none of {}", names.join(", ")))
}

impl Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(&Self::ALL, *self))
    }
}

impl FromStr for Behind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(&Self::ALL, text)
    }
}

impl Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(&Self::ALL, *self))
    }
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(&Self::ALL, text)
    }
}
