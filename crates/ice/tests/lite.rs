//! Lite agents (RFC 8445 §2.5) on either side.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use layer::{IceEvent, IceRole, IceState};
use muonrtc_ice::Factory;
use testkit::vnet::{AgentId, Drive, Nat};
use world::{World, candidates, completed, data_flows, pair_of, seconds, turn_servers};

fn lite() -> Factory {
    let mut factory = Factory::default();
    factory.lite = true;
    factory
}

/// As `Drive::introduce`, telling who is lite.
fn introduce(drive: &mut Drive, ends: [(AgentId, IceRole); 2]) {
    let now = drive.now();
    let [a, b] = ends;
    for ((own, role), (other, _)) in [(a, b), (b, a)] {
        let theirs = &drive.agent(other).machine;
        let (credentials, is_lite) = (theirs.local_credentials().clone(), theirs.is_lite());
        let machine = &mut drive.agent(own).machine;
        machine.set_role(now, role);
        machine
            .set_remote_credentials(now, credentials, is_lite)
            .unwrap();
    }
    for (own, _) in ends {
        drive.agent(own).machine.gather(now);
    }
    drive.run_for(seconds(0));
    let [a, b] = ends.map(|(agent, _)| agent);
    for (own, other) in [(a, b), (b, a)] {
        for candidate in drive.agent(own).machine.local_candidates() {
            let machine = &mut drive.agent(other).machine;
            machine.add_remote_candidate(now, candidate).unwrap();
        }
    }
}

// ice-001, ice-021, ice-061
#[test]
fn a_lite_server_answers_and_never_asks() {
    let mut world = World::new(1);
    let hosts = [world.nat(Nat::symmetric), world.open("192.0.2.9")];
    let (full, lite) = (Factory::default(), lite());
    let (mut drive, a, b) = pair_of(world, hosts, [&full, &lite], |config| {
        config.servers = turn_servers(&["turn:turn.example"]);
    });
    // The lite agent began, and is controlled all the same.
    introduce(
        &mut drive,
        [(a, IceRole::Controlled), (b, IceRole::Controlling)],
    );
    assert!(drive.run_until(seconds(10), |drive| completed(drive, [a, b])));
    assert_eq!(drive.agent(a).machine.role(), Some(IceRole::Controlling));
    assert_eq!(drive.agent(b).machine.role(), Some(IceRole::Controlled));
    assert!(drive.agent(b).machine.is_lite());
    assert_eq!(candidates(&mut drive, b).len(), 1, "host candidates only");
    assert!(data_flows(&mut drive, [a, b]));
    drive.run_for(seconds(300));
    let stats = drive.agent(b).machine.stats();
    assert!(stats.pairs.iter().all(|pair| pair.requests_sent == 0));
    assert!(stats.servers.iter().all(|it| it.address.is_none()));
    // Hearing the peer's consent checks it never calls itself disconnected.
    let disconnected = IceEvent::StateChange(IceState::Disconnected);
    assert!(!drive.agent(b).events.contains(&disconnected));
    assert_eq!(drive.agent(b).machine.state(), IceState::Completed);
}

#[test]
fn a_lite_server_notices_that_its_peer_is_gone() {
    let mut world = World::new(2);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (full, lite) = (Factory::default(), lite());
    let (mut drive, a, b) = pair_of(world, hosts, [&full, &lite], |_| {});
    introduce(
        &mut drive,
        [(a, IceRole::Controlling), (b, IceRole::Controlled)],
    );
    assert!(drive.run_until(seconds(10), |drive| completed(drive, [a, b])));
    let link = drive.network.links_of(hosts[0])[0];
    drive.network.set_plugged(link, false);
    drive.run_for(seconds(15));
    assert_eq!(drive.agent(b).machine.state(), IceState::Disconnected);
    drive.run_for(seconds(25));
    assert_eq!(drive.agent(b).machine.state(), IceState::Failed);
}

// ice-021
#[test]
fn two_lite_agents_use_their_best_pair_and_the_initiator_controls() {
    let mut world = World::new(3);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let lite = lite();
    let (mut drive, a, b) = pair_of(world, hosts, [&lite, &lite], |_| {});
    introduce(
        &mut drive,
        [(a, IceRole::Controlling), (b, IceRole::Controlled)],
    );
    drive.run_for(seconds(100));
    assert!(completed(&mut drive, [a, b]));
    assert_eq!(drive.agent(a).machine.role(), Some(IceRole::Controlling));
    assert!(data_flows(&mut drive, [a, b]));
}
