//! Relayed candidates: allocations, permissions, channels, their errors and their end.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use layer::CandidateType::{Host, Relayed, ServerReflexive};
use layer::{GatheringState, IceEvent, IceState, Protocol, ServerState, TransportPolicy};
use muonrtc_ice::Factory;
use std::sync::Arc;
use std::time::Duration;
use testkit::Link;
use testkit::vnet::{Drive, Firewall, Nat, Router, TurnServer};
use turn::server::{Config, Relay, StaticCredentials};
use world::{
    TURN, World, candidates, chosen, completed, data_flows, errors, ip, pair, seconds,
    turn_servers, types,
};

const TURN_UDP: &str = "turn:turn.example";
const TURN_TCP: &str = "turn:turn.example?transport=tcp";
const TURN_TLS: &str = "turns:turn.example:443";
const TURN_DTLS: &str = "turns:turn.example?transport=udp";

// ice-004, ice-037
#[test]
fn hosts_behind_symmetric_nats_meet_at_a_relay() {
    let mut world = World::new(1);
    let hosts = [world.nat(Nat::symmetric), world.nat(Nat::symmetric)];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
    });
    assert!(drive.connect(a, b, seconds(10)), "{drive:?}");
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    let (local, remote) = chosen(&mut drive, a);
    assert!([local, remote].contains(&Relayed), "{local:?} {remote:?}");
    assert!(data_flows(&mut drive, [a, b]));
}

// ice-004, turn-023
#[test]
fn one_allocation_gives_a_relayed_and_a_reflexive_candidate() {
    let mut world = World::new(2);
    let hosts = [world.nat(Nat::port_restricted), world.open("192.0.2.9")];
    let (mut drive, a, _) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
    });
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(2));
    let gathered = candidates(&mut drive, a);
    assert_eq!(
        types(&gathered),
        [Host, ServerReflexive, Relayed].map(|it| (it, Protocol::Udp))
    );
    let [_, reflexive, relayed] = &gathered[..] else {
        panic!("{gathered:?}");
    };
    assert_eq!(relayed.socket_addr().unwrap().ip(), ip(TURN));
    // RFC 8839 §5.1: a relayed candidate is related to the mapped address.
    assert_eq!(relayed.related, reflexive.socket_addr());
    assert_eq!(relayed.url.as_deref(), Some(TURN_UDP));
    assert_eq!(relayed.priority >> 24, 0);
    let machine = &drive.agent(a).machine;
    assert_eq!(machine.gathering_state(), GatheringState::Complete);
    let servers = machine.stats().servers;
    assert_eq!(servers.len(), 1);
    assert_eq!(servers[0].state, ServerState::Answered);
}

// ice-012, dfx-035
#[test]
fn the_relay_policy_shows_and_uses_nothing_but_relays() {
    let mut world = World::new(3);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP, "stun:stun.example"]);
        config.policy = TransportPolicy::Relay;
    });
    assert!(drive.connect(a, b, seconds(10)));
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    for agent in [a, b] {
        let gathered = candidates(&mut drive, agent);
        assert_eq!(types(&gathered), [(Relayed, Protocol::Udp)]);
        assert_eq!(gathered[0].related, Some("0.0.0.0:9".parse().unwrap()));
        let pairs = drive.agent(agent).machine.stats().pairs;
        assert!(
            pairs
                .iter()
                .all(|pair| pair.pair.local.candidate_type == Relayed)
        );
        assert_eq!(chosen(&mut drive, agent), (Relayed, Relayed));
    }
    assert!(data_flows(&mut drive, [a, b]));
}

// turn-019: a channel once ICE has concluded; docs/layers.md, the relayed pair.
#[test]
fn the_route_wants_four_bytes_once_the_channel_is_bound() {
    let mut world = World::new(4);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
        config.policy = TransportPolicy::Relay;
    });
    let link = drive.network.links_of(hosts[0])[0];
    let slow = Link::delayed(Duration::from_millis(10));
    drive.network.set_link(link, slow.clone(), slow);
    let mut headrooms = Vec::new();
    drive.introduce(a, b);
    let bound = drive.run_until(seconds(10), |drive| {
        let route = drive.agent(a).machine.route();
        let headroom = route.map(|route| route.headroom);
        if headrooms.last() != Some(&headroom) {
            headrooms.push(headroom);
        }
        headroom == Some(4)
    });
    assert!(bound);
    assert_eq!(headrooms, [None, Some(36), Some(4)]);
    let route = drive.agent(a).machine.route().unwrap();
    assert_eq!(route.remote.to_string(), format!("{TURN}:3478"));
    assert_eq!(route.tailroom, 0);
    assert_eq!(route.max_payload, 1500 - 28 - 4);
    let routes = drive.agent(a).events.iter();
    let changes = routes.filter(|it| **it == IceEvent::RouteChange).count();
    assert_eq!(changes, 2, "a route, and its smaller headroom");
    // A payload is wrapped in place, and a run of datagrams is not.
    let now = drive.now();
    let mut buf = [7; 104];
    let machine = &mut drive.agent(a).machine;
    let (range, transmit) = machine.wrap(now, &mut buf, 4..104, None).unwrap();
    assert_eq!((range, transmit.len), (0..104, 104));
    assert_eq!((buf[0] >> 6, &buf[2..5]), (1, &[0, 100, 7][..]));
    assert_eq!(machine.wrap(now, &mut buf, 4..104, Some(50)), None);
    assert!(data_flows(&mut drive, [a, b]));
}

fn connects_through(urls: &[&str], firewall: fn() -> Firewall, seed: u64) -> Drive {
    let mut world = World::new(seed);
    let hosts = [world.walled(firewall()), world.walled(firewall())];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(urls);
    });
    assert!(drive.connect(a, b, seconds(15)), "{drive:?}");
    assert!(drive.run_until(seconds(15), |drive| completed(drive, [a, b])));
    assert_eq!(chosen(&mut drive, a), (Relayed, Relayed));
    let route = drive.agent(a).machine.route().unwrap();
    assert_eq!(route.protocol, Protocol::Tcp);
    assert_eq!((route.headroom, route.tailroom), (4, 3));
    assert!(data_flows(&mut drive, [a, b]));
    drive
}

// turn-021
#[test]
fn where_datagrams_are_blocked_a_relay_is_reached_over_tcp() {
    connects_through(&[TURN_TCP], Firewall::udp_blocked, 5);
}

// turn-021
#[test]
fn where_only_port_443_is_open_a_relay_is_reached_over_tls() {
    connects_through(&[TURN_TLS], || Firewall::tcp_only(443), 6);
}

#[test]
fn relays_over_datagrams_are_preferred_to_those_over_streams() {
    let mut world = World::new(7);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_TLS, TURN_TCP, TURN_UDP, TURN_DTLS]);
        config.policy = TransportPolicy::Relay;
    });
    assert!(drive.connect(a, b, seconds(10)));
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    let mut gathered = candidates(&mut drive, a);
    gathered.sort_by_key(|it| std::cmp::Reverse(it.priority));
    let urls: Vec<&str> = gathered.iter().filter_map(|it| it.url.as_deref()).collect();
    assert_eq!(urls, [TURN_UDP, TURN_DTLS, TURN_TCP, TURN_TLS]);
    // ice-006, ice-008: four sources, four foundations, four priorities.
    for two in gathered.windows(2) {
        assert_ne!(two[0].foundation, two[1].foundation);
        assert!(two[0].priority > two[1].priority);
    }
    let route = drive.agent(a).machine.route().unwrap();
    assert_eq!(route.protocol, Protocol::Udp);
}

#[test]
fn a_server_that_refuses_is_told_with_its_code_and_the_others_go_on() {
    let mut world = World::new(8);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP, "turn:nowhere.example", TURN_DTLS]);
        "wrong".clone_into(&mut config.servers[0].credential);
    });
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(20));
    let mut told = errors(&mut drive, a);
    told.sort();
    let expected = [
        ("turn:nowhere.example", 701),
        (TURN_UDP, 401),
        (TURN_DTLS, 401),
    ];
    assert_eq!(told, expected.map(|(url, code)| (url.to_owned(), code)));
    let machine = &drive.agent(a).machine;
    assert_eq!(machine.gathering_state(), GatheringState::Complete);
    let servers = machine.stats().servers;
    assert_eq!(servers.len(), 3);
    assert!(servers.iter().all(|it| it.failure.is_some()));
}

#[test]
fn a_server_that_does_not_answer_ends_with_701_over_every_transport() {
    let mut world = World::new(9);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, _) = pair(world, hosts, |config| {
        let urls = [
            "turn:198.51.100.77",
            "turn:198.51.100.77?transport=tcp",
            "turns:198.51.100.77",
            "turns:198.51.100.77?transport=udp",
            "turn:198.51.100.2:99?transport=tcp",
        ];
        config.servers = turn_servers(&urls);
    });
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(12));
    let told = errors(&mut drive, a);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.iter().all(|(_, code)| *code == 701));
    let state = drive.agent(a).machine.gathering_state();
    assert_eq!(state, GatheringState::Complete);
}

#[test]
fn closing_gives_the_allocation_back() {
    let mut world = World::new(10);
    let turn = world.turn;
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP, TURN_TCP]);
        config.policy = TransportPolicy::Relay;
    });
    assert!(drive.connect(a, b, seconds(10)));
    let relayed = candidates(&mut drive, a)[0].socket_addr().unwrap();
    assert!(drive.network.bind(turn, relayed, None).is_err());
    let now = drive.now();
    drive.agent(a).machine.close(now);
    drive.run_for(seconds(1));
    assert!(
        drive.network.bind(turn, relayed, None).is_ok(),
        "the server has given the port back"
    );
    let closed = drive.agent(a).events.iter();
    let closed = closed.filter(|it| matches!(it, IceEvent::CloseSocket { .. }));
    assert_eq!(closed.count(), 2, "the socket and the connection");
}

// turn-010, turn-011, turn-014
#[test]
fn a_relayed_path_is_kept_for_hours() {
    let mut world = World::new(11);
    let hosts = [world.nat(Nat::symmetric), world.nat(Nat::symmetric)];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
    });
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(2 * 3600));
    assert!(drive.agent(a).connected() && drive.agent(b).connected());
    assert!(data_flows(&mut drive, [a, b]));
}

// ice-053: the socket is the same, so the allocation has to be.
#[test]
fn a_restart_takes_the_allocation_over() {
    let mut world = World::new(12);
    let hosts = [world.nat(Nat::symmetric), world.nat(Nat::symmetric)];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP, TURN_TCP]);
    });
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(5));
    let before: Vec<_> = candidates(&mut drive, a)
        .into_iter()
        .filter(|it| it.candidate_type == Relayed)
        .map(|it| it.socket_addr())
        .collect();
    let now = drive.now();
    for (agent, name) in [(a, "aaaa"), (b, "bbbb")] {
        let credentials = layer::Credentials::new(name, "a password of 22 chars".replace(' ', "+"));
        drive.agent(agent).events.clear();
        drive
            .agent(agent)
            .machine
            .restart(now, credentials)
            .unwrap();
    }
    drive.introduce(a, b);
    assert!(drive.run_until(seconds(10), |drive| completed(drive, [a, b])));
    drive.run_for(seconds(10));
    let after: Vec<_> = candidates(&mut drive, a)
        .into_iter()
        .filter(|it| it.candidate_type == Relayed)
        .map(|it| it.socket_addr())
        .collect();
    assert_eq!(before, after);
    assert!(errors(&mut drive, a).is_empty());
    assert!(data_flows(&mut drive, [a, b]));
}

#[test]
fn each_restart_without_a_path_asks_for_relays_anew() {
    let mut world = World::new(29);
    let mut router = Router::nat(Nat::port_restricted(ip("203.0.113.1")));
    router.firewall = Firewall::udp_blocked();
    let (subnet, walled) = world.subnet(router);
    let hosts = [walled, world.nat(Nat::symmetric)];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_TCP]);
    });
    assert!(drive.connect(a, b, seconds(10)));
    let restart = |drive: &mut Drive, agent, name: &str| {
        let now = drive.now();
        let credentials = layer::Credentials::new(name, "a+password+of+22+chars");
        let machine = &mut drive.agent(agent).machine;
        machine.restart(now, credentials).unwrap();
        machine.gather(now);
    };
    // The router dials up anew, and does so again after a restart that is not answered: the connection
    // to the server is dead, and nobody says so.
    let dial = |drive: &mut Drive, external: &str| {
        drive.network.restart_router(subnet);
        let router = drive.network.router(subnet).unwrap();
        router.nat.as_mut().unwrap().external = vec![ip(external)];
    };
    dial(&mut drive, "203.0.113.11");
    drive.run_for(seconds(60));
    restart(&mut drive, a, "aaaa");
    drive.run_for(seconds(5));
    dial(&mut drive, "203.0.113.12");
    restart(&mut drive, a, "aaab");
    restart(&mut drive, b, "bbbb");
    drive.introduce(a, b);
    assert!(drive.run_until(seconds(20), |drive| completed(drive, [a, b])));
    assert!(data_flows(&mut drive, [a, b]));
}

// ice-063: the end of candidates belongs to a generation.
#[test]
fn a_restart_while_a_relay_is_asked_for_ends_no_gathering() {
    let mut world = World::new(30);
    let turn = world.turn;
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
    });
    let unplug = |drive: &mut Drive, host| {
        let link = drive.network.links_of(host)[0];
        drive.network.set_plugged(link, false);
    };
    unplug(&mut drive, turn);
    assert!(drive.connect(a, b, seconds(1)));
    unplug(&mut drive, hosts[1]);
    let silent = |drive: &mut Drive| drive.agent(a).machine.state() == IceState::Disconnected;
    assert!(drive.run_until(seconds(7), silent));
    let now = drive.now();
    let end = drive.agent(a);
    assert_eq!(end.machine.gathering_state(), GatheringState::Gathering);
    end.events.clear();
    let credentials = layer::Credentials::new("aaaa", "a+password+of+22+chars");
    end.machine.restart(now, credentials).unwrap();
    drive.run_for(seconds(1));
    let told = drive.agent(a).events.iter();
    let gathering = told.filter(|it| matches!(it, IceEvent::GatheringStateChange(_)));
    assert_eq!(gathering.count(), 0, "{:?}", drive.agent(a).events);
}

#[test]
fn several_urls_of_one_server_are_one_allocation() {
    let mut world = World::new(31);
    world.network.set_name("same.example", vec![ip(TURN)]);
    let hosts = [world.nat(Nat::symmetric), world.open("192.0.2.9")];
    let urls = [
        TURN_UDP,
        "turn:same.example",
        "turn:turn.example?transport=udp",
    ];
    let (mut drive, a, _) = pair(world, hosts, |config| {
        config.servers = turn_servers(&urls);
    });
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(1));
    let machine = &drive.agent(a).machine;
    assert_eq!(machine.gathering_state(), GatheringState::Complete);
    let gathered = types(&candidates(&mut drive, a));
    let wanted = [Host, ServerReflexive, Relayed];
    assert_eq!(gathered, wanted.map(|it| (it, Protocol::Udp)));
    assert!(errors(&mut drive, a).is_empty());
}

// turn-002: the server knows one user of each 5-tuple, and the path in use is still the old one's.
#[test]
fn a_restart_with_another_user_gets_an_allocation_of_its_own() {
    let mut world = World::new(32);
    let realm = "testkit.example";
    let provider = crypto::Provider::default();
    let users = StaticCredentials::new(provider, realm)
        .with("alice", "secret")
        .with("alice:tomorrow", "another secret");
    let address = ip("198.51.100.3");
    let config = Config::new(provider, realm, Arc::new(users), Relay::new(address));
    let internet = world.network.internet();
    let host = world.network.add_host_at("turn", internet, address);
    let server = TurnServer::with_config(address, config);
    let now = testkit::Clock::new().now();
    world.network.serve(now, host, Box::new(server));
    world.network.set_name("turn.example", vec![address]);
    let hosts = [world.nat(Nat::symmetric), world.nat(Nat::symmetric)];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
    });
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(5));
    let now = drive.now();
    for (agent, name) in [(a, "aaaa"), (b, "bbbb")] {
        let mut servers = turn_servers(&[TURN_UDP]);
        "alice:tomorrow".clone_into(&mut servers[0].username);
        "another secret".clone_into(&mut servers[0].credential);
        let end = drive.agent(agent);
        end.events.clear();
        end.machine.reconfigure(servers, TransportPolicy::All);
        let credentials = layer::Credentials::new(name, "a+password+of+22+chars");
        end.machine.restart(now, credentials).unwrap();
    }
    drive.introduce(a, b);
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    drive.run_for(seconds(10));
    let gathered = types(&candidates(&mut drive, a));
    let wanted = [Host, ServerReflexive, Relayed];
    assert_eq!(gathered, wanted.map(|it| (it, Protocol::Udp)));
    assert!(errors(&mut drive, a).is_empty());
    assert!(data_flows(&mut drive, [a, b]));
}

#[test]
fn a_connection_to_the_relay_that_breaks_takes_its_pairs_with_it() {
    let mut world = World::new(13);
    let turn = world.turn;
    let hosts = [
        world.walled(Firewall::udp_blocked()),
        world.walled(Firewall::udp_blocked()),
    ];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_TCP]);
    });
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(5));
    let link = drive.network.links_of(turn)[0];
    drive.network.set_plugged(link, false);
    drive.run_for(seconds(120));
    let machine = &drive.agent(a).machine;
    assert_eq!(machine.state(), IceState::Failed);
    assert!(machine.route().is_none());
    let pairs = machine.stats().pairs;
    let selected = pairs.iter().find(|pair| pair.nominated).unwrap();
    assert!(selected.last_failure.is_some());
}

// ice-071
#[test]
fn a_relay_is_not_told_what_a_multicast_name_hides() {
    let mut world = World::new(14);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    world
        .network
        .set_name("secret.local", vec![ip("192.0.2.9")]);
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[TURN_UDP]);
    });
    let now = drive.now();
    let theirs = drive.agent(b).machine.local_credentials().clone();
    let machine = &mut drive.agent(a).machine;
    machine.set_role(now, layer::IceRole::Controlling);
    machine.set_remote_credentials(now, theirs, false).unwrap();
    machine.gather(now);
    drive.run_for(seconds(2));
    let name = layer::CandidateAddress::Name {
        host: "secret.local".to_owned(),
        port: 5000,
    };
    let candidate = layer::Candidate::new("1", Host, Protocol::Udp, 99, name);
    let now = drive.now();
    drive
        .agent(a)
        .machine
        .add_remote_candidate(now, candidate)
        .unwrap();
    drive.run_for(seconds(1));
    let pairs = drive.agent(a).machine.stats().pairs;
    assert_eq!(pairs.len(), 1);
    assert_eq!(pairs[0].pair.local.candidate_type, Host);
}

#[test]
fn a_port_of_ours_that_the_server_still_knows_is_replaced() {
    // turn-008: the same local address again, after a crash that gave nothing back.
    let mut world = World::new(15);
    let host = world.open("192.0.2.8");
    let mut factory = Factory::default();
    factory.ports = Some((40_000, 40_010));
    let mut drive = Drive::new(world.network);
    let configure = |config: &mut layer::IceConfig| {
        config.servers = turn_servers(&[TURN_UDP]);
        config.policy = TransportPolicy::Relay;
    };
    let first = drive.add_agent(host, &factory, configure);
    let now = drive.now();
    drive.agent(first).machine.gather(now);
    drive.run_for(seconds(2));
    assert_eq!(candidates(&mut drive, first).len(), 1);
    // The socket vanishes without a goodbye, and another agent gets its port.
    let local = "192.0.2.8:40000".parse().unwrap();
    let bound = (0..64).map(layer::SocketId).find(|id| {
        let now = drive.now();
        drive.network.close(now, host, *id);
        drive.network.bind(host, local, None).is_ok_and(|bound| {
            let now = drive.now();
            drive.network.close(now, host, bound.socket);
            true
        })
    });
    assert!(bound.is_some());
    let second = drive.add_agent(host, &factory, configure);
    let now = drive.now();
    drive.agent(second).machine.gather(now);
    drive.run_for(seconds(2));
    assert_eq!(candidates(&mut drive, second).len(), 1);
    assert!(errors(&mut drive, second).is_empty());
    let bound = drive.agent(second).events.iter();
    let bound = bound.filter(|it| matches!(it, IceEvent::Bind { .. }));
    assert_eq!(bound.count(), 2);
}

// ice-007
#[test]
fn reflexive_addresses_stay_good_while_the_answer_is_waited_for() {
    let mut world = World::new(16);
    let short = |external| {
        let mut nat = Nat::port_restricted(external);
        nat.lifetime = seconds(30);
        nat
    };
    let hosts = [world.nat(short), world.nat(short)];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&["stun:stun.example"]);
    });
    for agent in [a, b] {
        let now = drive.now();
        drive.agent(agent).machine.gather(now);
        drive.run_for(seconds(1));
    }
    drive.run_for(seconds(300));
    drive.introduce(a, b);
    for (own, other) in [(a, b), (b, a)] {
        let now = drive.now();
        for candidate in candidates(&mut drive, own) {
            let machine = &mut drive.agent(other).machine;
            machine.add_remote_candidate(now, candidate).unwrap();
        }
    }
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    assert!(data_flows(&mut drive, [a, b]));
}
