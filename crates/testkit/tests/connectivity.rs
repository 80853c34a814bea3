//! Which pairs of networks connect, and by what kind of pair: agents behind every kind of NAT, with
//! and without a STUN server.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::{CandidateType, IceServer};
use muonrtc_testkit::vnet::{
    AgentId, Drive, Firewall, Hairpinning, HostId, Nat, Network, Router, StunServer, SubnetId,
};
use muonrtc_testkit::{Clock, Link};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

const STUN: &str = "stun:stun.example";
const LIMIT: Duration = Duration::from_secs(60);

/// What stands between a host and the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behind {
    Open,
    FullCone,
    Restricted,
    PortRestricted,
    Symmetric,
    UdpBlocked,
}

use Behind::{FullCone, Open, PortRestricted, Restricted, Symmetric, UdpBlocked};

const ALL: [Behind; 6] = [
    Open,
    FullCone,
    Restricted,
    PortRestricted,
    Symmetric,
    UdpBlocked,
];

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Open => "open",
            FullCone => "full cone",
            Restricted => "restricted",
            PortRestricted => "port-restricted",
            Symmetric => "symmetric",
            UdpBlocked => "UDP blocked",
        })
    }
}

/// The types of the selected pair as one end sees it.
type PairType = (CandidateType, CandidateType);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A site with one host; `number` tells sites apart.
fn site(network: &mut Network, behind: Behind, number: u8) -> (SubnetId, HostId) {
    let public = format!("203.0.{number}.1");
    let external = ip(&public);
    let nat = match behind {
        Open => None,
        FullCone => Some(Nat::full_cone(external)),
        Restricted => Some(Nat::restricted(external)),
        PortRestricted => Some(Nat::port_restricted(external)),
        Symmetric => Some(Nat::symmetric(external)),
        UdpBlocked => {
            let routed = format!("203.0.{number}.0/24");
            let router = Router::firewall(Firewall::udp_blocked());
            let internet = network.internet();
            let subnet = network.add_subnet(internet, &[&routed], router);
            return (subnet, network.add_host_at("host", subnet, external));
        }
    };
    let internet = network.internet();
    let (subnet, address) = match nat {
        None => (internet, external),
        Some(nat) => {
            // Everybody's home network is the same one.
            let subnet = network.add_subnet(internet, &["192.168.1.0/24"], Router::nat(nat));
            (subnet, ip(&format!("192.168.1.{}", number + 1)))
        }
    };
    let host = network.add_host_at("host", subnet, address);
    let slow = Link::delayed(Duration::from_millis(10));
    let link = network.links_of(host)[0];
    network.set_link(link, slow.clone(), slow);
    (subnet, host)
}

fn add_stun(clock: &Clock, network: &mut Network) {
    let internet = network.internet();
    let address = ip("198.51.100.1");
    let host = network.add_host_at("stun", internet, address);
    let server = StunServer::new(vec![(address, 3478).into()]);
    network.serve(clock.now(), host, Box::new(server));
    network.set_name("stun.example", vec![address]);
}

fn agent(drive: &mut Drive, host: HostId, stun: bool) -> AgentId {
    drive.add_agent(host, &ice::Factory::default(), |config| {
        if stun {
            config.servers = vec![IceServer::new(vec![STUN.to_owned()])];
        }
    })
}

/// Lets two sites connect; the pair types that both ends selected, if they could.
fn run(a: Behind, b: Behind, stun: bool, seed: u64) -> Option<(PairType, PairType)> {
    let clock = Clock::new();
    let mut network = Network::new(seed);
    add_stun(&clock, &mut network);
    let (_, host_a) = site(&mut network, a, 1);
    let (_, host_b) = site(&mut network, b, 2);
    let mut drive = Drive::starting(clock, network);
    let a = agent(&mut drive, host_a, stun);
    let b = agent(&mut drive, host_b, stun);
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
    Some((selected(&mut drive, a), selected(&mut drive, b)))
}

fn selected(drive: &mut Drive, agent: AgentId) -> PairType {
    let pair = drive.agent(agent).machine.selected_pair().unwrap();
    (pair.local.candidate_type, pair.remote.candidate_type)
}

/// What theory says (RFC 4787 §4.1 and §5, RFC 5128 §3.3): whether checks find a way, and what kind
/// of candidate each end is reached at.
fn theory(a: Behind, b: Behind, stun: bool) -> Option<(PairType, PairType)> {
    let reached_at = |end: Behind| match end {
        Open => CandidateType::Host,
        // Each destination sees another port than the STUN server did.
        Symmetric => CandidateType::PeerReflexive,
        _ if stun => CandidateType::ServerReflexive,
        _ => CandidateType::PeerReflexive,
    };
    let connects = match (a.min(b), a.max(b)) {
        (_, UdpBlocked) => false,
        // One end has an address that the other can send to first.
        (Open, _) => true,
        _ if !stun => false,
        // The port that checks come from is not the one that was let in.
        (PortRestricted | Symmetric, Symmetric) => false,
        _ => true,
    };
    let (a, b) = (reached_at(a), reached_at(b));
    connects.then_some(((a, b), (b, a)))
}

fn short(result: Option<(PairType, PairType)>) -> String {
    let name = |kind| match kind {
        CandidateType::Host => "host",
        CandidateType::ServerReflexive => "srflx",
        CandidateType::PeerReflexive => "prflx",
        _ => "relay",
    };
    result.map_or("-".to_owned(), |((local, remote), _)| {
        format!("{}/{}", name(local), name(remote))
    })
}

#[test]
fn every_pair_of_networks_connects_where_theory_says_so() {
    let seed = muonrtc_testkit::seed(1);
    let mut wrong = Vec::new();
    for stun in [false, true] {
        let server = if stun { "STUN" } else { "no server" };
        print!("{server:<16}");
        ALL.iter().for_each(|b| print!("{b:<17}"));
        println!();
        for a in ALL {
            print!("{a:<16}");
            for b in ALL {
                let result = run(a, b, stun, seed.value());
                print!("{:<17}", short(result));
                let expected = theory(a, b, stun);
                if result != expected {
                    wrong.push(format!(
                        "{a} to {b}, {server}: {result:?} instead of {expected:?}"
                    ));
                }
            }
            println!();
        }
        println!();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two hosts in two subnets behind one NAT, as behind that of a provider.
fn behind_one_nat(hairpinning: Hairpinning, stun: bool) -> Option<(PairType, PairType)> {
    let clock = Clock::new();
    let mut network = Network::new(1);
    add_stun(&clock, &mut network);
    let internet = network.internet();
    let mut nat = Nat::full_cone(ip("203.0.1.1"));
    nat.hairpinning = hairpinning;
    let provider = network.add_subnet(internet, &["100.64.0.0/10"], Router::nat(nat));
    let mut home = |address: &str| {
        let nat = Nat::port_restricted(ip(address));
        let home = network.add_subnet(provider, &["192.168.1.0/24"], Router::nat(nat));
        network.add_host_at("host", home, ip("192.168.1.2"))
    };
    let hosts = [home("100.64.0.1"), home("100.64.0.2")];
    let mut drive = Drive::starting(clock, network);
    let [a, b] = hosts.map(|host| agent(&mut drive, host, stun));
    let connected = drive.connect(a, b, LIMIT);
    drive.run_for(Duration::from_secs(2));
    connected.then(|| (selected(&mut drive, a), selected(&mut drive, b)))
}

// RFC 4787 REQ-9
#[test]
fn two_homes_behind_one_provider_connect_where_it_hairpins() {
    let reflexive = (
        CandidateType::ServerReflexive,
        CandidateType::ServerReflexive,
    );
    let through = behind_one_nat(Hairpinning::ExternalSource, true);
    assert_eq!(through, Some((reflexive, reflexive)));
    assert_eq!(behind_one_nat(Hairpinning::Unsupported, true), None);
    assert_eq!(behind_one_nat(Hairpinning::ExternalSource, false), None);
}

#[test]
fn two_hosts_of_one_home_connect_directly_without_a_server() {
    for behind in [Symmetric, UdpBlocked] {
        let mut network = Network::new(1);
        let (subnet, one) = site(&mut network, behind, 1);
        let address = if behind == Symmetric {
            "192.168.1.9"
        } else {
            "203.0.1.9"
        };
        let other = network.add_host_at("other", subnet, ip(address));
        let mut drive = Drive::new(network);
        let [a, b] = [one, other].map(|host| agent(&mut drive, host, false));
        assert!(drive.connect(a, b, LIMIT), "{drive:?}");
        drive.run_for(Duration::from_secs(2));
        let host = CandidateType::Host;
        assert_eq!(selected(&mut drive, a), (host, host));
    }
}

#[test]
fn a_mapping_outlives_silence_of_the_application_because_consent_is_checked() {
    let clock = Clock::new();
    let mut network = Network::new(1);
    add_stun(&clock, &mut network);
    let (home_a, a) = site(&mut network, PortRestricted, 1);
    let (home_b, b) = site(&mut network, PortRestricted, 2);
    for home in [home_a, home_b] {
        let router = network.router(home).unwrap();
        router.nat.as_mut().unwrap().lifetime = Duration::from_secs(20);
    }
    let mut drive = Drive::starting(clock, network);
    let [a, b] = [a, b].map(|host| agent(&mut drive, host, true));
    assert!(drive.connect(a, b, LIMIT), "{drive:?}");
    drive.run_for(Duration::from_secs(600));
    assert!(drive.send(a, b"\x14data"));
    drive.run_for(Duration::from_secs(1));
    assert_eq!(drive.agent(b).data, [b"\x14data"]);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let clock = Clock::new();
        let mut network = Network::new(3);
        add_stun(&clock, &mut network);
        let (home, a) = site(&mut network, Symmetric, 1);
        let (_, b) = site(&mut network, FullCone, 2);
        let link = network.uplink(home).unwrap();
        network.set_link(link, Link::hostile(), Link::hostile());
        let mut drive = Drive::starting(clock, network);
        let [a, b] = [a, b].map(|host| agent(&mut drive, host, true));
        let connected = drive.connect(a, b, LIMIT);
        let seen = (connected, drive.elapsed(), drive.network.stats().clone());
        (seen, drive.network.link_stats(link).0.clone())
    };
    assert_eq!(run(), run());
    assert!(run().0.0);
}
