//! What is shown of a host, and what becomes of a connection when its addresses change.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use layer::{
    CandidateAddress, CandidateType, GatheringState, IceEvent, IceState, Protocol, TransportPolicy,
};
use muonrtc_ice::{Factory, RemoteFilter, RewriteMode, RewriteRule};
use testkit::vnet::{HostId, Nat, Router};
use world::{
    World, candidates, completed, data_flows, ip, pair, pair_of, seconds, turn_servers, types,
};

// ice-069, ice-070
#[test]
fn addresses_hide_behind_names_that_the_neighbours_resolve() {
    let mut world = World::new(1);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let mut factory = Factory::default();
    factory.multicast_names = true;
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |_| {});
    assert!(drive.connect(a, b, seconds(10)));
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    let gathered = candidates(&mut drive, a);
    assert_eq!(gathered.len(), 1);
    let CandidateAddress::Name { host, .. } = &gathered[0].address else {
        panic!("{gathered:?}");
    };
    assert_eq!(host.len(), 36 + ".local".len());
    // ice-072: nothing tells the resolved address.
    let remote = drive.agent(b).machine.remote_candidates();
    assert!(
        remote.iter().all(|it| it.socket_addr().is_none()),
        "{remote:?}"
    );
    assert!(data_flows(&mut drive, [a, b]));
    // The same name for the same address after a restart.
    let now = drive.now();
    let credentials = layer::Credentials::new("aaaa", "a+password+of+22+chars");
    let machine = &mut drive.agent(a).machine;
    machine.restart(now, credentials).unwrap();
    machine.gather(now);
    drive.run_for(seconds(1));
    let again = candidates(&mut drive, a);
    assert_eq!(again[1].address, gathered[0].address);
    let events = drive.agent(a).events.iter();
    let published = events.filter(|it| matches!(it, IceEvent::PublishName { .. }));
    assert_eq!(published.count(), 1);
}

// ice-069
#[test]
fn behind_a_name_reflexive_candidates_do_not_tell_their_base() {
    let mut world = World::new(2);
    let hosts = [world.nat(Nat::full_cone), world.open("192.0.2.9")];
    let mut factory = Factory::default();
    factory.multicast_names = true;
    let (mut drive, a, _) = pair_of(world, hosts, [&factory, &factory], |config| {
        config.servers = turn_servers(&["stun:stun.example"]);
    });
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(1));
    let gathered = candidates(&mut drive, a);
    assert_eq!(gathered[1].candidate_type, CandidateType::ServerReflexive);
    assert_eq!(gathered[1].related, Some("0.0.0.0:9".parse().unwrap()));
}

#[test]
fn a_host_behind_a_one_to_one_nat_shows_the_address_of_the_nat() {
    for mode in [RewriteMode::Host, RewriteMode::ServerReflexive] {
        let mut world = World::new(3);
        let nat = Router::nat(Nat::full_cone(ip("203.0.113.1")));
        let (subnet, host) = world.subnet(nat);
        let hosts = [host, world.nat(Nat::port_restricted)];
        let external = "203.0.113.1:50000".parse().unwrap();
        let internal = "192.168.1.2:50000".parse().unwrap();
        let now = testkit::Clock::new().now();
        world
            .network
            .forward(now, subnet, Protocol::Udp, external, internal);
        let mut factory = Factory::default();
        factory.ports = Some((50_000, 50_000));
        factory.rewrites = vec![RewriteRule::new(ip("203.0.113.1"), mode)];
        let other = Factory::default();
        let (mut drive, a, b) = pair_of(world, hosts, [&factory, &other], |_| {});
        assert!(drive.connect(a, b, seconds(10)), "{drive:?}");
        assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
        let gathered = candidates(&mut drive, a);
        assert_eq!(gathered.last().unwrap().socket_addr(), Some(external));
        assert_eq!(
            gathered.len(),
            if mode == RewriteMode::Host { 1 } else { 2 }
        );
        let local = drive.agent(a).machine.selected_pair().unwrap().local;
        assert_eq!(local.socket_addr(), Some(external));
        assert_ne!(local.candidate_type, CandidateType::PeerReflexive);
        assert!(data_flows(&mut drive, [a, b]));
    }
}

// ice-013
#[test]
fn what_is_gathered_ahead_is_told_when_it_is_wanted() {
    let mut world = World::new(4);
    let hosts = [world.nat(Nat::full_cone), world.open("192.0.2.9")];
    let (mut drive, a, _) = pair(world, hosts, |config| {
        config.servers = turn_servers(&["stun:stun.example"]);
    });
    let now = drive.now();
    drive.agent(a).machine.gather_ahead(now);
    drive.run_for(seconds(60));
    let machine = &drive.agent(a).machine;
    assert_eq!(machine.gathering_state(), GatheringState::New);
    assert!(machine.local_candidates().is_empty());
    assert!(candidates(&mut drive, a).is_empty());
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(0));
    assert_eq!(
        types(&candidates(&mut drive, a)),
        [CandidateType::Host, CandidateType::ServerReflexive].map(|it| (it, Protocol::Udp))
    );
    let machine = &drive.agent(a).machine;
    assert_eq!(machine.gathering_state(), GatheringState::Complete);
}

// F1.03, ice-007 (RFC 8445 §5.1.1.4)
#[test]
fn a_roaming_host_moves_to_its_new_address_without_a_restart() {
    let mut world = World::new(5);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let mut factory = Factory::default();
    factory.continual_gathering = true;
    factory.renomination = true;
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |_| {});
    assert!(drive.connect(a, b, seconds(10)));
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    let state = drive.agent(a).machine.gathering_state();
    assert_eq!(state, GatheringState::Gathering, "it never ends");
    // A second network comes, and the first goes.
    let internet = drive.network.internet();
    drive.network.attach(hosts[0], internet, ip("192.0.2.77"));
    drive.interfaces_changed(a);
    drive.run_for(seconds(5));
    assert_eq!(candidates(&mut drive, a).len(), 2);
    let link = drive.network.links_of(hosts[0])[0];
    drive.network.set_plugged(link, false);
    drive.interfaces_changed(a);
    drive.run_for(seconds(10));
    for agent in [a, b] {
        let machine = &drive.agent(agent).machine;
        assert_eq!(machine.state(), IceState::Completed);
    }
    let route = drive.agent(a).machine.route().unwrap();
    assert_eq!(route.local.ip(), ip("192.0.2.77"));
    assert!(data_flows(&mut drive, [a, b]));
}

/// One host gets another address again and again; each time there is none for a while.
fn roam(hosts: fn(&mut World) -> [HostId; 2], controls: bool) {
    let mut world = World::new(7);
    let hosts = hosts(&mut world);
    let mut factory = Factory::default();
    factory.continual_gathering = true;
    factory.renomination = true;
    factory.tcp_passive = true;
    factory.max_remote_candidates = 8;
    factory.max_pairs = 12;
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |config| {
        config.servers = turn_servers(&["stun:stun.example", "turn:turn.example?transport=tcp"]);
    });
    let [one, other] = if controls { [a, b] } else { [b, a] };
    assert!(drive.connect(one, other, seconds(10)));
    drive.run_for(seconds(5));
    let link = drive.network.links_of(hosts[0])[0];
    for number in 100..140 {
        let before = drive.network.interfaces(hosts[0])[0].address;
        let address = before.to_string();
        let (network, _) = address.rsplit_once('.').unwrap();
        drive.network.set_plugged(link, false);
        drive.interfaces_changed(a);
        drive.run_for(seconds(8));
        let state = drive.agent(a).machine.state();
        assert_eq!(state, IceState::Disconnected, "{number}");
        let address = ip(&format!("{network}.{number}"));
        drive.network.set_address(link, address);
        drive.network.set_plugged(link, true);
        drive.interfaces_changed(a);
        drive.run_for(seconds(60));
        assert!(data_flows(&mut drive, [a, b]), "{number}");
        for agent in [a, b] {
            let machine = &drive.agent(agent).machine;
            assert_eq!(machine.state(), IceState::Completed, "{number}");
            let stats = machine.stats();
            assert!(stats.pairs.len() <= 12);
            assert!(stats.remote_candidates.len() <= 8 + 16);
            let locals = stats.local_candidates.len();
            assert!(locals <= 8 + 2 * 12, "{locals} after {number}");
        }
    }
}

// F1.03
#[test]
fn who_never_stops_roaming_stays_connected_and_is_bounded() {
    let open = |world: &mut World| [world.open("192.0.2.8"), world.open("192.0.2.9")];
    roam(open, true);
    roam(open, false);
}

// F1.03: the checks of both ends are wanted to get through.
#[test]
fn roaming_behind_a_nat_is_followed_from_either_side() {
    let behind = |world: &mut World| [world.nat(Nat::port_restricted), world.nat(Nat::full_cone)];
    roam(behind, true);
    roam(behind, false);
}

#[test]
fn who_stays_without_an_address_for_long_has_failed() {
    let mut world = World::new(8);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let mut factory = Factory::default();
    factory.continual_gathering = true;
    factory.renomination = true;
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |_| {});
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(5));
    let link = drive.network.links_of(hosts[0])[0];
    drive.network.set_plugged(link, false);
    drive.interfaces_changed(a);
    drive.run_for(seconds(29));
    assert_eq!(drive.agent(a).machine.state(), IceState::Disconnected);
    drive.run_for(seconds(2));
    assert_eq!(drive.agent(a).machine.state(), IceState::Failed);
    drive.run_for(seconds(10));
    assert_eq!(drive.agent(b).machine.state(), IceState::Failed);
}

// ice-063
#[test]
fn without_continual_gathering_a_new_address_waits_for_a_restart() {
    let mut world = World::new(6);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, _) = pair(world, hosts, |_| {});
    let now = drive.now();
    drive.agent(a).machine.gather(now);
    drive.run_for(seconds(1));
    let internet = drive.network.internet();
    drive.network.attach(hosts[0], internet, ip("192.0.2.77"));
    drive.interfaces_changed(a);
    drive.run_for(seconds(1));
    assert_eq!(candidates(&mut drive, a).len(), 1);
    let now = drive.now();
    let credentials = layer::Credentials::new("aaaa", "a+password+of+22+chars");
    let machine = &mut drive.agent(a).machine;
    machine.restart(now, credentials).unwrap();
    machine.gather(now);
    drive.run_for(seconds(1));
    assert_eq!(candidates(&mut drive, a).len(), 3);
}

// ice-067: an address on a list of blocked ports behaves as one that does not answer.
#[test]
fn candidates_that_a_filter_keeps_out_are_not_checked() {
    let mut world = World::new(7);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let mut factory = Factory::default();
    factory.remote_filter = Some(RemoteFilter::new(|it| it.address.port() < 1024));
    let (mut drive, a, b) = pair_of(world, hosts, [&factory, &factory], |config| {
        config.policy = TransportPolicy::All;
    });
    assert!(!drive.connect(a, b, seconds(50)));
    let stats = drive.agent(a).machine.stats();
    assert_eq!((stats.pairs.len(), stats.candidates_dropped), (0, 1));
    assert_eq!(drive.agent(a).machine.state(), IceState::Failed);
}
