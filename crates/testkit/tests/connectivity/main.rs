//! Which pairs of networks connect, and by what kind of pair: agents behind every kind of NAT and
//! firewall, with every kind of server.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod site;
mod table;
mod theory;

use layer::{CandidateType, Credentials, IceEvent};
use muonrtc_testkit::vnet::{AgentId, Drive, Hairpinning, Nat, Network, Router};
use muonrtc_testkit::{Clock, Link};
use site::Behind::{FullCone, PortRestricted, Symmetric, UdpBlocked};
use site::{Behind, Known, LIMIT, Seen, agent, internet, ip, run, selected, site};
use std::collections::BTreeSet;
use std::time::Duration;

/// Runs every pair of sites with one kind of server, and prints and compares what comes of it.
fn matrix(known: Known) {
    let seed = muonrtc_testkit::seed(1);
    let results = Behind::ALL.map(|a| Behind::ALL.map(|b| run(a, b, known, seed.value())));
    let result = |a: Behind, b: Behind| results[a as usize][b as usize];
    println!("{}", table::table(known, result));
    let mut wrong = Vec::new();
    for a in Behind::ALL {
        for b in Behind::ALL {
            let (found, expected) = (result(a, b), theory::expected(a, b, known));
            if found != expected {
                let [found, expected] = [found, expected].map(table::cell);
                wrong.push(format!(
                    "{a} to {b}, {known}: {found} instead of {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sites_connect_where_theory_says_so_without_a_server() {
    matrix(Known::Nothing);
}

#[test]
fn sites_connect_where_theory_says_so_with_stun() {
    matrix(Known::Stun);
}

#[test]
fn sites_connect_where_theory_says_so_with_turn_over_udp() {
    matrix(Known::TurnUdp);
}

#[test]
fn sites_connect_where_theory_says_so_with_turn_over_tcp() {
    matrix(Known::TurnTcp);
}

#[test]
fn sites_connect_where_theory_says_so_with_turn_over_tls() {
    matrix(Known::TurnTls);
}

#[test]
fn sites_connect_where_theory_says_so_with_turn_over_dtls() {
    matrix(Known::TurnDtls);
}

/// Two hosts in two subnets behind one NAT, as behind that of a provider.
fn behind_one_nat(hairpinning: Hairpinning, known: Known) -> Option<(Seen, Seen)> {
    let clock = Clock::new();
    let mut network = internet(&clock, 1);
    let top = network.internet();
    let mut nat = Nat::full_cone(ip("203.0.1.1"));
    nat.hairpinning = hairpinning;
    let provider = network.add_subnet(top, &["100.64.0.0/10"], Router::nat(nat));
    let mut home = |address: &str| {
        let nat = Nat::port_restricted(ip(address));
        let home = network.add_subnet(provider, &["192.168.1.0/24"], Router::nat(nat));
        network.add_host_at("host", home, ip("192.168.1.2"))
    };
    let hosts = [home("100.64.0.1"), home("100.64.0.2")];
    let mut drive = Drive::starting(clock, network);
    let [a, b] = hosts.map(|host| agent(&mut drive, host, known));
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
    let through = behind_one_nat(Hairpinning::ExternalSource, Known::Stun);
    assert_eq!(through, Some((reflexive, reflexive)));
    assert_eq!(behind_one_nat(Hairpinning::Unsupported, Known::Stun), None);
    assert_eq!(
        behind_one_nat(Hairpinning::ExternalSource, Known::Nothing),
        None
    );
}

#[test]
fn two_hosts_of_one_home_connect_directly_without_a_server() {
    for behind in [Symmetric, UdpBlocked] {
        let mut network = Network::new(1);
        let (subnet, one) = site(&mut network, behind, 1);
        let other = network.add_host_at("other", subnet, ip("192.168.1.9"));
        let mut drive = Drive::new(network);
        let [a, b] = [one, other].map(|host| agent(&mut drive, host, Known::Nothing));
        assert!(drive.connect(a, b, LIMIT), "{drive:?}");
        drive.run_for(Duration::from_secs(2));
        let host = CandidateType::Host;
        assert_eq!(selected(&mut drive, a), (host, host));
    }
}

#[test]
fn a_mapping_outlives_silence_of_the_application_because_consent_is_checked() {
    let clock = Clock::new();
    let mut network = internet(&clock, 1);
    let (home_a, a) = site(&mut network, PortRestricted, 1);
    let (home_b, b) = site(&mut network, PortRestricted, 2);
    for home in [home_a, home_b] {
        let router = network.router(home).unwrap();
        router.nat.as_mut().unwrap().lifetime = Duration::from_secs(20);
    }
    let mut drive = Drive::starting(clock, network);
    let [a, b] = [a, b].map(|host| agent(&mut drive, host, Known::Stun));
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
        let mut network = internet(&clock, 3);
        let (home, a) = site(&mut network, Symmetric, 1);
        let (_, b) = site(&mut network, FullCone, 2);
        let link = network.uplink(home).unwrap();
        network.set_link(link, Link::hostile(), Link::hostile());
        let mut drive = Drive::starting(clock, network);
        let [a, b] = [a, b].map(|host| agent(&mut drive, host, Known::Stun));
        let connected = drive.connect(a, b, LIMIT);
        let seen = (connected, drive.elapsed(), drive.network.stats().clone());
        (seen, drive.network.link_stats(link).0.clone())
    };
    assert_eq!(run(), run());
    assert!(run().0.0);
}

/// A restart of both ends: new credentials, gathering, and signalling once more.
fn restart(drive: &mut Drive, ends: [AgentId; 2]) {
    for (number, end) in ends.into_iter().enumerate() {
        let fragment = format!("frag{number}");
        let credentials = Credentials::new(fragment, "apasswordof22charactersormore");
        let now = drive.now();
        drive.agent(end).events.clear();
        drive.agent(end).machine.restart(now, credentials).unwrap();
    }
    drive.introduce(ends[0], ends[1]);
}

fn told(drive: &mut Drive, agent: AgentId) -> Vec<CandidateType> {
    let events = drive.agent(agent).events.iter();
    let candidates = events.filter_map(|event| match event {
        IceEvent::Candidate(candidate) => Some(candidate.candidate_type),
        _ => None,
    });
    candidates.collect()
}

#[test]
fn a_restart_tells_the_same_kinds_of_candidates_again() {
    let clock = Clock::new();
    let mut network = internet(&clock, 1);
    let (_, a) = site(&mut network, PortRestricted, 1);
    let (_, b) = site(&mut network, PortRestricted, 2);
    let mut drive = Drive::starting(clock, network);
    let [a, b] = [a, b].map(|host| agent(&mut drive, host, Known::TurnUdp));
    assert!(drive.connect(a, b, LIMIT), "{drive:?}");
    drive.run_for(Duration::from_secs(2));
    let before = [a, b].map(|end| told(&mut drive, end).into_iter().collect::<BTreeSet<_>>());
    restart(&mut drive, [a, b]);
    drive.run_for(Duration::from_secs(5));
    let after = [a, b].map(|end| told(&mut drive, end).into_iter().collect::<BTreeSet<_>>());
    assert_eq!(before, after);
    assert!(drive.agent(a).connected() && drive.agent(b).connected());
}

#[test]
fn a_restart_finds_a_relay_again_from_behind_another_address() {
    for behind in [PortRestricted, Symmetric] {
        let clock = Clock::new();
        let mut network = internet(&clock, 1);
        let (home, a) = site(&mut network, behind, 1);
        let (_, b) = site(&mut network, Symmetric, 2);
        let mut drive = Drive::starting(clock, network);
        let [a, b] = [a, b].map(|host| agent(&mut drive, host, Known::TurnUdp));
        assert!(drive.connect(a, b, LIMIT), "{drive:?}");
        drive.run_for(Duration::from_secs(2));
        let router = drive.network.router(home).unwrap();
        router.nat.as_mut().unwrap().external = vec![ip("203.0.1.99")];
        drive.network.restart_router(home);
        let noticed =
            |drive: &mut Drive| [a, b].into_iter().any(|end| !drive.agent(end).connected());
        assert!(drive.run_until(LIMIT, noticed));
        // The one that has not noticed yet.
        drive.run_for(Duration::from_secs(6));
        restart(&mut drive, [a, b]);
        let again = drive.run_until(LIMIT, |drive| {
            [a, b].into_iter().all(|end| drive.agent(end).connected())
        });
        assert!(again, "{behind}: {drive:?}");
        drive.run_for(Duration::from_secs(2));
        for end in [a, b] {
            let kinds = told(&mut drive, end).into_iter().collect::<BTreeSet<_>>();
            assert_eq!(
                kinds.len(),
                3,
                "{behind}: host, reflexive and relayed: {kinds:?}"
            );
        }
    }
}
