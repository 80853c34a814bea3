//! Everything switched on, and everything going wrong: relays over three transports, TCP of all
//! kinds, names, renomination, addresses that come and go, a shell that lies. The agents stand, and a
//! restart heals.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use layer::{
    Bound, Candidate, CandidateAddress, CandidateType, Credentials, IceRole, IceState, Protocol,
    RequestId, SocketId, TcpType, TransportPolicy,
};
use muonrtc_ice::Factory;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use testkit::vnet::{AgentId, Drive, Firewall, HostId, LinkId, Nat, Router, SubnetId};
use testkit::{Link, Random};
use world::{World, data_flows, ip, pair_of, seconds, turn_servers};

const URLS: [&str; 5] = [
    "stun:stun.example",
    "turn:turn.example",
    "turn:turn.example?transport=tcp",
    "turns:turn.example:443",
    "turn:nowhere.example",
];

fn factory(random: &mut Random) -> Factory {
    let mut factory = Factory::default();
    factory.tcp_passive = random.chance(0.5);
    factory.tcp_simultaneous_open = random.chance(0.5);
    factory.renomination = random.chance(0.5);
    factory.continual_gathering = random.chance(0.5);
    factory.multicast_names = random.chance(0.3);
    factory.release_after = random.chance(0.3).then_some(seconds(3));
    factory
}

fn home(world: &mut World, random: &mut Random) -> (SubnetId, HostId) {
    let external = ip("203.0.113.99");
    let mut router = match random.below(5) {
        0 => return (world.network.internet(), world.open("192.0.2.8")),
        1 => Router::nat(Nat::full_cone(external)),
        2 => Router::nat(Nat::symmetric(external)),
        _ => Router::nat(Nat::port_restricted(external)),
    };
    if random.chance(0.25) {
        router.firewall = Firewall::udp_blocked();
    }
    world.subnet(router)
}

struct Chaos {
    drive: Drive,
    agents: [AgentId; 2],
    hosts: [HostId; 2],
    /// The links of both hosts, and that of the TURN server.
    links: [LinkId; 3],
    /// The networks with a router of their own.
    subnets: Vec<SubnetId>,
    random: Random,
    restarts: u32,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, b"chaos   ");
        let mut world = World::new(seed);
        let external = ip("203.0.113.50");
        let other = Router::nat(Nat::port_restricted(external));
        let homes = [home(&mut world, &mut random), world.subnet(other)];
        let hosts = homes.map(|(_, host)| host);
        let internet = world.network.internet();
        let subnets = homes.iter().map(|(subnet, _)| *subnet);
        let subnets = subnets.filter(|subnet| *subnet != internet).collect();
        let factories = [factory(&mut random), factory(&mut random)];
        let links = [hosts[0], hosts[1], world.turn].map(|host| world.network.links_of(host)[0]);
        let (drive, a, b) = pair_of(world, hosts, [&factories[0], &factories[1]], |config| {
            config.servers = turn_servers(&URLS);
        });
        Self {
            drive,
            agents: [a, b],
            hosts,
            links,
            subnets,
            random,
            restarts: 0,
        }
    }

    /// Something happens to one end.
    fn happen(&mut self) {
        let end = self.random.below(2);
        match self.random.below(18) {
            0 | 1 => {
                let link = self.links[self.random.below(3)];
                let plugged = self.random.chance(0.6);
                self.drive.network.set_plugged(link, plugged);
            }
            2 => self.drive.interfaces_changed(self.agents[end]),
            3 => self.lose_socket(end),
            4 => self.answer_what_was_not_asked(end),
            5 => self.say_something_to_the_server(end),
            6 => self.restart(),
            7 => self.restart_alone(end),
            8 => {
                self.drive.send(self.agents[end], b"\x80 whatever");
            }
            9 => self.signal_nonsense(end),
            10 => self.change_policy(end),
            11 => {
                let now = self.drive.now();
                let machine = &mut self.drive.agent(self.agents[end]).machine;
                machine.revoke_consent(now);
            }
            12 => {
                let now = self.drive.now();
                let role = [IceRole::Controlling, IceRole::Controlled][self.random.below(2)];
                self.drive
                    .agent(self.agents[end])
                    .machine
                    .set_role(now, role);
            }
            13 => self.drive_badly(),
            14 => {
                let at = self.random.below(self.subnets.len());
                self.drive.network.restart_router(self.subnets[at]);
            }
            _ => {}
        }
        let pause = self.random.duration(seconds(20));
        self.drive.run_for(pause);
        self.check();
    }

    /// What holds at any time.
    fn check(&mut self) {
        for agent in self.agents {
            let machine = &self.drive.agent(agent).machine;
            let stats = machine.stats();
            assert!(stats.pairs.len() <= 200, "two generations of a hundred");
            assert!(stats.remote_candidates.len() <= 116);
            assert!(stats.local_candidates.len() <= 100);
            let state = machine.state();
            let open = matches!(state, IceState::Connected | IceState::Completed);
            let has_route = machine.route().is_some();
            assert!(!open || has_route, "{state:?} without a path");
            let failed = state == IceState::Failed;
            assert!(!failed || !has_route, "{state:?} with a path");
        }
    }

    /// A link becomes slow, or loses much of what it is given.
    fn drive_badly(&mut self) {
        let mut link = Link::delayed(self.random.duration(seconds(1)));
        link.loss = [0.0, 0.1, 0.5][self.random.below(3)];
        let worse = self.links[self.random.below(3)];
        let network = &mut self.drive.network;
        network.set_link(worse, link.clone(), link);
    }

    fn lose_socket(&mut self, end: usize) {
        let now = self.drive.now();
        let socket = SocketId(u32::try_from(self.random.below(12)).unwrap());
        let machine = &mut self.drive.agent(self.agents[end]).machine;
        machine.socket_closed(now, socket);
    }

    /// A shell that answers requests twice, late, or that nobody made.
    fn answer_what_was_not_asked(&mut self, end: usize) {
        let now = self.drive.now();
        let number = u32::try_from(self.random.below(12)).unwrap();
        let local = "192.0.2.8:1234".parse().unwrap();
        let result = if self.random.chance(0.5) {
            Ok(Bound::new(SocketId(900 + number), local))
        } else {
            Err(ErrorKind::ConnectionRefused)
        };
        let request = RequestId(u64::from(number));
        let machine = &mut self.drive.agent(self.agents[end]).machine;
        machine.tcp_connected(now, request, result);
        machine.bound(now, request, result);
        machine.resolved(now, request, &[ip("198.51.100.99")]);
    }

    fn say_something_to_the_server(&mut self, end: usize) {
        let now = self.drive.now();
        let bytes = self.random.below(600);
        let bytes = self.random.bytes(bytes);
        let turn = "198.51.100.2:3478".parse().unwrap();
        let local = "192.168.1.2:49152".parse().unwrap();
        let network = &mut self.drive.network;
        network.send(now, self.hosts[end], local, turn, &bytes);
    }

    /// Candidates that lead nowhere, more than there is room for.
    fn signal_nonsense(&mut self, end: usize) {
        let now = self.drive.now();
        for _ in 0..self.random.below(150) {
            let number = u32::try_from(self.random.below(1 << 20)).unwrap();
            let address = SocketAddr::from((Ipv4Addr::from(0x0B00_0000 + number), 9000));
            let address = CandidateAddress::Socket(address);
            let host = CandidateType::Host;
            let mut candidate = Candidate::new("9", host, Protocol::Udp, number + 1, address);
            if self.random.chance(0.3) {
                candidate.protocol = Protocol::Tcp;
                candidate.tcp_type = Some(TcpType::Passive);
            }
            let machine = &mut self.drive.agent(self.agents[end]).machine;
            // Too many of them are refused.
            let _ = machine.add_remote_candidate(now, candidate);
        }
    }

    fn change_policy(&mut self, end: usize) {
        let policies = [
            TransportPolicy::All,
            TransportPolicy::Relay,
            TransportPolicy::NoHost,
        ];
        let policy = policies[self.random.below(3)];
        let servers = self.random.below(URLS.len());
        let servers = turn_servers(&URLS[servers..]);
        let machine = &mut self.drive.agent(self.agents[end]).machine;
        machine.reconfigure(servers, policy);
    }

    fn renew(&mut self, end: usize) {
        let now = self.drive.now();
        let fragment = format!("r{}end{end}", self.restarts);
        let credentials = Credentials::new(fragment, "a+password+of+22+chars");
        let machine = &mut self.drive.agent(self.agents[end]).machine;
        machine.restart(now, credentials).unwrap();
    }

    /// The offer is made and its answer does not come.
    fn restart_alone(&mut self, end: usize) {
        self.restarts += 1;
        self.renew(end);
        if self.random.chance(0.5) {
            let now = self.drive.now();
            let own = self.drive.agent(self.agents[end]);
            let credentials = own.machine.local_credentials().clone();
            own.machine.gather(now);
            let other = &mut self.drive.agent(self.agents[1 - end]).machine;
            let taken = other.set_remote_credentials(now, credentials, false);
            taken.unwrap();
        }
    }

    fn restart(&mut self) {
        self.restarts += 1;
        self.renew(0);
        self.renew(1);
        let [a, b] = self.agents;
        self.drive.introduce(a, b);
    }

    /// The world is as it was in the beginning.
    fn calm_down(&mut self) {
        for link in self.links {
            let network = &mut self.drive.network;
            network.set_plugged(link, true);
            network.set_link(link, Link::perfect(), Link::perfect());
        }
        for agent in self.agents {
            let machine = &mut self.drive.agent(agent).machine;
            machine.reconfigure(turn_servers(&URLS), TransportPolicy::All);
        }
        self.drive.run_for(seconds(60));
    }
}

#[test]
fn whatever_happens_a_restart_heals() {
    testkit::for_each_seed(1..=60, |seed| {
        let mut chaos = Chaos::new(seed.value());
        let [a, b] = chaos.agents;
        chaos.drive.introduce(a, b);
        for _ in 0..20 {
            chaos.happen();
        }
        chaos.calm_down();
        chaos.restart();
        let healed = chaos.drive.run_until(seconds(60), |drive| {
            drive.agent(a).connected() && drive.agent(b).connected()
        });
        let ends = [a, b].map(|agent| format!("{:?}", chaos.drive.agent(agent)));
        assert!(healed, "{}", ends.join("\n"));
        chaos.drive.run_for(Duration::from_secs(5));
        assert!(data_flows(&mut chaos.drive, [a, b]));
        let now = chaos.drive.now();
        for agent in [a, b] {
            chaos.drive.agent(agent).machine.close(now);
        }
        chaos.drive.run_for(seconds(1));
    });
}
