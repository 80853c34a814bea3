//! A network with servers in virtual time: what tests of relays and streams stand on.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]
#![allow(clippy::unwrap_used, reason = "tests")]

use layer::{Candidate, CandidateType, IceConfig, IceEvent, IceServer, IceState, Protocol};
use muonrtc_ice::Factory;
use std::net::IpAddr;
use std::time::Duration;
use testkit::vnet::{
    AgentId, Drive, Firewall, HostId, Nat, Network, Router, StunServer, SubnetId, TurnServer,
};

pub const STUN: &str = "198.51.100.1";
pub const TURN: &str = "198.51.100.2";

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A network with a STUN and a TURN server on the internet.
pub struct World {
    pub network: Network,
    pub turn: HostId,
    homes: u8,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut network = Network::new(seed);
        let internet = network.internet();
        let now = testkit::Clock::new().now();
        let stun = network.add_host_at("stun", internet, ip(STUN));
        let address = format!("{STUN}:3478").parse().unwrap();
        network.serve(now, stun, Box::new(StunServer::new(vec![address])));
        let turn = network.add_host_at("turn", internet, ip(TURN));
        let server = TurnServer::new(ip(TURN), "alice", "secret");
        network.serve(now, turn, Box::new(server));
        network.set_name("stun.example", vec![ip(STUN)]);
        network.set_name("turn.example", vec![ip(TURN)]);
        Self {
            network,
            turn,
            homes: 0,
        }
    }

    /// A host behind a router of its own, at 192.168.N.2.
    pub fn home(&mut self, router: Router) -> HostId {
        let (_, host) = self.subnet(router);
        host
    }

    pub fn subnet(&mut self, router: Router) -> (SubnetId, HostId) {
        self.homes += 1;
        let internet = self.network.internet();
        let prefix = format!("192.168.{}.0/24", self.homes);
        let home = self.network.add_subnet(internet, &[&prefix], router);
        let address = ip(&format!("192.168.{}.2", self.homes));
        (home, self.network.add_host_at("host", home, address))
    }

    pub fn nat(&mut self, nat: fn(IpAddr) -> Nat) -> HostId {
        let external = ip(&format!("203.0.113.{}", self.homes + 1));
        self.home(Router::nat(nat(external)))
    }

    /// A host behind a NAT and a firewall.
    pub fn walled(&mut self, firewall: Firewall) -> HostId {
        let external = ip(&format!("203.0.113.{}", self.homes + 1));
        let mut router = Router::nat(Nat::port_restricted(external));
        router.firewall = firewall;
        self.home(router)
    }

    /// A host on the internet.
    pub fn open(&mut self, address: &str) -> HostId {
        let internet = self.network.internet();
        self.network.add_host_at("open", internet, ip(address))
    }
}

pub fn turn_servers(urls: &[&str]) -> Vec<IceServer> {
    let mut server = IceServer::new(urls.iter().map(ToString::to_string).collect());
    "alice".clone_into(&mut server.username);
    "secret".clone_into(&mut server.credential);
    vec![server]
}

/// Two agents of default factories on two hosts, with the same servers.
pub fn pair(
    world: World,
    hosts: [HostId; 2],
    configure: impl Fn(&mut IceConfig),
) -> (Drive, AgentId, AgentId) {
    let factory = Factory::default();
    pair_of(world, hosts, [&factory, &factory], configure)
}

pub fn pair_of(
    world: World,
    hosts: [HostId; 2],
    factories: [&Factory; 2],
    configure: impl Fn(&mut IceConfig),
) -> (Drive, AgentId, AgentId) {
    let mut drive = Drive::new(world.network);
    let a = drive.add_agent(hosts[0], factories[0], &configure);
    let b = drive.add_agent(hosts[1], factories[1], &configure);
    (drive, a, b)
}

pub fn completed(drive: &mut Drive, agents: [AgentId; 2]) -> bool {
    let done = |agent: &AgentId, drive: &mut Drive| {
        drive.agent(*agent).machine.state() == IceState::Completed
    };
    agents.iter().all(|agent| done(agent, drive))
}

/// What both ends chose, as types.
pub fn chosen(drive: &mut Drive, agent: AgentId) -> (CandidateType, CandidateType) {
    let pair = drive.agent(agent).machine.selected_pair().unwrap();
    (pair.local.candidate_type, pair.remote.candidate_type)
}

pub fn candidates(drive: &mut Drive, agent: AgentId) -> Vec<Candidate> {
    let events = drive.agent(agent).events.iter();
    events
        .filter_map(|event| match event {
            IceEvent::Candidate(candidate) => Some(candidate.clone()),
            _ => None,
        })
        .collect()
}

pub fn types(candidates: &[Candidate]) -> Vec<(CandidateType, Protocol)> {
    let types = candidates.iter();
    types.map(|it| (it.candidate_type, it.protocol)).collect()
}

/// The errors that servers gave: URL and code.
pub fn errors(drive: &mut Drive, agent: AgentId) -> Vec<(String, u16)> {
    let events = drive.agent(agent).events.iter();
    events
        .filter_map(|event| match event {
            IceEvent::CandidateError(error) => Some((error.url.clone(), error.code)),
            _ => None,
        })
        .collect()
}

/// Whether data gets from each end to the other.
pub fn data_flows(drive: &mut Drive, agents: [AgentId; 2]) -> bool {
    let payload = b"\x80payload of no multiple of four";
    for agent in agents {
        drive.agent(agent).data.clear();
        if !drive.send(agent, payload) {
            return false;
        }
    }
    drive.run_for(seconds(1));
    agents
        .iter()
        .all(|agent| drive.agent(*agent).data == [payload.to_vec()])
}
