//! TCP candidates (RFC 6544): active, passive, simultaneous-open.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use layer::CandidateType::Host;
use layer::{
    Candidate, CandidateAddress, IceEvent, IceRole, IceState, PairFailure, Protocol, TcpType,
};
use muonrtc_ice::Factory;
use std::time::Duration;
use testkit::vnet::{Firewall, Nat, Router};
use world::{World, candidates, completed, data_flows, ip, pair_of, seconds};

fn passive() -> Factory {
    let mut factory = Factory::default();
    factory.tcp_passive = true;
    factory
}

// ice-073, ice-074, ice-075: docs/layers.md, the TCP pair.
#[test]
fn where_datagrams_are_blocked_a_server_is_reached_over_tcp() {
    let mut world = World::new(1);
    let hosts = [
        world.walled(Firewall::udp_blocked()),
        world.open("192.0.2.9"),
    ];
    let (active, passive) = (Factory::default(), passive());
    let (mut drive, a, b) = pair_of(world, hosts, [&active, &passive], |_| {});
    assert!(drive.connect(a, b, seconds(10)), "{drive:?}");
    assert!(drive.run_until(seconds(60), |drive| completed(drive, [a, b])));
    for agent in [a, b] {
        let machine = &drive.agent(agent).machine;
        assert_eq!(machine.route().unwrap().protocol, Protocol::Tcp);
        let pair = machine.selected_pair().unwrap();
        assert_eq!(pair.local.protocol, Protocol::Tcp);
    }
    assert!(data_flows(&mut drive, [a, b]));
    // ice-058: consent goes on over the connection.
    drive.run_for(seconds(120));
    assert!(drive.agent(a).connected() && drive.agent(b).connected());
    let now = drive.now();
    drive.agent(a).machine.close(now);
    drive.run_for(seconds(1));
    assert!(
        drive.agent(b).machine.route().is_none(),
        "the connection is gone"
    );
}

// ice-073, ice-076
#[test]
fn tcp_candidates_say_their_direction_and_active_ones_the_discard_port() {
    let mut world = World::new(2);
    let host = world.open("192.0.2.8");
    let other = world.open("192.0.2.9");
    let mut factory = Factory::default();
    factory.signal_tcp_active = true;
    factory.tcp_passive = true;
    factory.tcp_simultaneous_open = true;
    let (mut drive, a, _) = pair_of(world, [host, other], [&factory, &factory], |_| {});
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(1));
    let gathered = candidates(&mut drive, a);
    let tcp: Vec<_> = gathered
        .iter()
        .filter(|it| it.protocol == Protocol::Tcp)
        .map(|it| (it.tcp_type.unwrap(), it.address.port() == 9))
        .collect();
    assert_eq!(
        tcp,
        [
            (TcpType::Active, true),
            (TcpType::Passive, false),
            (TcpType::SimultaneousOpen, false)
        ]
    );
    assert!(
        gathered
            .windows(2)
            .all(|it| it[0].priority > it[1].priority)
    );
}

#[test]
fn udp_is_preferred_where_both_work() {
    let mut world = World::new(3);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let factory = passive();
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |_| {});
    assert!(drive.connect(a, b, seconds(10)));
    assert!(drive.run_until(seconds(10), |drive| completed(drive, [a, b])));
    let route = drive.agent(a).machine.route().unwrap();
    assert_eq!(route.protocol, Protocol::Udp);
}

// RFC 6544 §3: both ends connect, and the NATs let both through.
#[test]
fn two_agents_open_a_connection_simultaneously() {
    let mut world = World::new(4);
    let mut home = |number: u8| {
        let nat = Nat::full_cone(ip(&format!("203.0.113.{number}")));
        let _ = nat;
        let mut router = Router::open();
        router.firewall = Firewall::udp_blocked();
        world.home(router)
    };
    let hosts = [home(1), home(2)];
    let mut factory = Factory::default();
    factory.tcp_active = false;
    factory.tcp_simultaneous_open = true;
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |_| {});
    assert!(drive.connect(a, b, seconds(30)), "{drive:?}");
    let done = drive.run_until(seconds(60), |drive| completed(drive, [a, b]));
    let ends = [a, b].map(|agent| format!("{:#?}", drive.agent(agent)));
    assert!(done, "{}", ends.join("\n"));
    let pair = drive.agent(a).machine.selected_pair().unwrap();
    assert_eq!(pair.local.tcp_type, Some(TcpType::SimultaneousOpen));
    assert!(data_flows(&mut drive, [a, b]));
}

fn controlling_with(remote: &Candidate) -> (testkit::vnet::Drive, testkit::vnet::AgentId) {
    let mut world = World::new(5);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let factory = Factory::default();
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |_| {});
    let now = drive.now();
    let theirs = drive.agent(b).machine.local_credentials().clone();
    let machine = &mut drive.agent(a).machine;
    machine.set_role(now, IceRole::Controlling);
    machine.set_remote_credentials(now, theirs, false).unwrap();
    machine.gather(now);
    machine.add_remote_candidate(now, remote.clone()).unwrap();
    (drive, a)
}

fn remote(tcp_type: Option<TcpType>) -> Candidate {
    let address = CandidateAddress::Socket("192.0.2.9:4000".parse().unwrap());
    let mut candidate = Candidate::new("1", Host, Protocol::Tcp, 1 << 24, address);
    candidate.tcp_type = tcp_type;
    candidate
}

#[test]
fn a_refused_connection_fails_its_pair() {
    let (mut drive, a) = controlling_with(&remote(Some(TcpType::Passive)));
    drive.run_for(seconds(1));
    let pairs = drive.agent(a).machine.stats().pairs;
    assert_eq!(pairs.len(), 1);
    let refused = PairFailure::Connect(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(pairs[0].last_failure, Some(refused));
}

// ice-074
#[test]
fn nobody_connects_to_an_active_candidate() {
    let (mut drive, a) = controlling_with(&remote(Some(TcpType::Active)));
    drive.run_for(seconds(1));
    assert!(drive.agent(a).machine.stats().pairs.is_empty());
    let events = &drive.agent(a).events;
    let connects = |event: &&IceEvent| matches!(event, IceEvent::ConnectTcp { .. });
    assert_eq!(events.iter().filter(connects).count(), 0);
}

// ice-017
#[test]
fn a_tcp_candidate_without_a_direction_is_dropped() {
    let (mut drive, a) = controlling_with(&remote(None));
    drive.run_for(seconds(1));
    let stats = drive.agent(a).machine.stats();
    assert_eq!((stats.pairs.len(), stats.candidates_dropped), (0, 1));
}

#[test]
fn a_stranger_who_connects_and_says_nothing_is_hung_up_on() {
    let mut world = World::new(6);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let factory = passive();
    let (mut drive, a, _) = pair_of(world, hosts, [&factory, &factory], |_| {});
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(Duration::from_millis(10));
    let listening = candidates(&mut drive, a)
        .into_iter()
        .find(|it| it.tcp_type == Some(TcpType::Passive))
        .and_then(|it| it.socket_addr())
        .unwrap();
    let now = drive.now();
    let local = "192.0.2.9:0".parse().unwrap();
    for _ in 0..100 {
        drive
            .network
            .connect(now, hosts[1], local, listening)
            .unwrap();
    }
    drive.run_for(seconds(1));
    let closed = |drive: &mut testkit::vnet::Drive| {
        let events = drive.agent(a).events.iter();
        let closed = events.filter(|it| matches!(it, IceEvent::CloseSocket { .. }));
        closed.count()
    };
    assert_eq!(closed(&mut drive), 100 - 16, "no more than 16 are kept");
    assert_eq!(drive.agent(a).machine.stats().refused_streams, 100 - 16);
    drive.run_for(seconds(20));
    assert_eq!(closed(&mut drive), 100);
}

#[test]
fn strangers_who_take_every_place_do_not_keep_the_peer_out() {
    let mut world = World::new(9);
    let hosts = [
        world.walled(Firewall::udp_blocked()),
        world.open("192.0.2.9"),
    ];
    let crowd = world.open("192.0.2.66");
    let (active, passive) = (Factory::default(), passive());
    let (mut drive, a, b) = pair_of(world, hosts, [&active, &passive], |_| {});
    let now = drive.now();
    drive.agent(b).machine.gather(now);
    drive.run_for(Duration::from_millis(10));
    let listening = candidates(&mut drive, b)
        .into_iter()
        .find(|it| it.tcp_type == Some(TcpType::Passive))
        .and_then(|it| it.socket_addr())
        .unwrap();
    let local = "192.0.2.66:0".parse().unwrap();
    let crowd_in = |drive: &mut testkit::vnet::Drive, connections: usize| {
        let now = drive.now();
        for _ in 0..connections {
            let network = &mut drive.network;
            network.connect(now, crowd, local, listening).unwrap();
        }
        drive.run_for(Duration::from_millis(200));
    };
    crowd_in(&mut drive, 100);
    drive.introduce(a, b);
    let candidate = candidates(&mut drive, b)
        .into_iter()
        .find(|it| it.tcp_type == Some(TcpType::Passive));
    let now = drive.now();
    let machine = &mut drive.agent(a).machine;
    machine
        .add_remote_candidate(now, candidate.unwrap())
        .unwrap();
    for _ in 0..20 {
        crowd_in(&mut drive, 10);
    }
    assert!(drive.agent(a).connected() && drive.agent(b).connected());
    // Nor do they displace it.
    crowd_in(&mut drive, 200);
    assert!(data_flows(&mut drive, [a, b]));
}

// ice-077, RFC 6544 §9.2: a restart keeps the connection until the new generation has one.
#[test]
fn a_restart_moves_to_a_new_connection() {
    let mut world = World::new(7);
    let hosts = [
        world.walled(Firewall::udp_blocked()),
        world.open("192.0.2.9"),
    ];
    let (active, passive) = (Factory::default(), passive());
    let (mut drive, a, b) = pair_of(world, hosts, [&active, &passive], |_| {});
    assert!(drive.connect(a, b, seconds(10)));
    let before = drive.agent(a).machine.route().unwrap();
    let now = drive.now();
    for (agent, name) in [(a, "aaaa"), (b, "bbbb")] {
        let credentials = layer::Credentials::new(name, "a+password+of+22+chars");
        drive
            .agent(agent)
            .machine
            .restart(now, credentials)
            .unwrap();
    }
    assert_eq!(drive.agent(a).machine.route(), Some(before));
    drive.introduce(a, b);
    drive.run_for(seconds(60));
    assert_eq!(drive.agent(a).machine.state(), IceState::Completed);
    let after = drive.agent(a).machine.route().unwrap();
    assert_ne!(before.socket, after.socket);
    assert!(data_flows(&mut drive, [a, b]));
}

#[test]
fn a_restart_without_an_answer_rests_on_the_connection_that_was_accepted() {
    let mut world = World::new(8);
    let hosts = [
        world.walled(Firewall::udp_blocked()),
        world.open("192.0.2.9"),
    ];
    let (active, passive) = (Factory::default(), passive());
    let (mut drive, a, b) = pair_of(world, hosts, [&active, &passive], |_| {});
    assert!(drive.connect(a, b, seconds(10)));
    let now = drive.now();
    let credentials = layer::Credentials::new("bbbb", "a+password+of+22+chars");
    let restarted = drive.agent(b).machine.restart(now, credentials);
    restarted.unwrap();
    // Longer than a stranger may be connected: the agent must not ask for that instant again and
    // again.
    drive.run_for(seconds(30));
    assert!(data_flows(&mut drive, [a, b]));
}
