//! Who nominates, and what happens when both think they do.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{IceEvent, IceRole, IceState};
use network::script::{Script, verdict};
use network::{A, B, Network};
use std::time::Duration;
use stun::Class;

const SECOND: Duration = Duration::from_secs(1);

fn connect_as(network: &mut Network, roles: [IceRole; 2]) {
    let now = network.now;
    for peer in [A, B] {
        network.agent(peer).set_role(now, roles[peer]);
        network.agent(peer).gather(now);
        network.settle();
    }
    network.introduce(A);
    network.introduce(B);
}

// ice-034, ice-038, ice-045
#[test]
fn a_role_conflict_is_repaired_whichever_end_wins() {
    use IceRole::{Controlled, Controlling};
    let mut winners = [0, 0];
    for roles in [[Controlling; 2], [Controlled; 2]] {
        for seed in 1..=20 {
            let mut network = Network::new(seed);
            connect_as(&mut network, roles);
            let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
            assert!(took.is_some(), "seed {seed}, both {:?}", roles[0]);
            let settled = [A, B].map(|peer| network.peers[peer].agent.role().unwrap());
            assert_ne!(settled[A], settled[B], "seed {seed}");
            winners[usize::from(settled[A] == Controlling)] += 1;
            let changed = usize::from(settled[B] != roles[B]);
            let events = network.peers[changed].events.iter();
            let told = events.filter(
                |(_, event)| matches!(event, IceEvent::RoleChange(role) if *role == settled[changed]),
            );
            assert_eq!(told.count(), 1, "seed {seed}");
            assert!(network.peers[A].agent.stats().role_conflicts > 0);
            assert!(network.data_flows());
        }
    }
    assert!(winners[0] > 5 && winners[1] > 5, "{winners:?}");
}

// ice-038
#[test]
fn conflicts_are_repaired_over_a_lossy_network() {
    for seed in 1..=50 {
        let mut network = Network::new(seed);
        network.loss = 30;
        connect_as(&mut network, [IceRole::Controlling; 2]);
        let took = network.run_until(30 * SECOND, |it| it.both(IceState::Completed));
        assert!(took.is_some(), "seed {seed}");
    }
}

// ice-045
#[test]
fn the_larger_tiebreaker_controls() {
    // Our number is random: 0 loses to it, and the largest wins against it.
    for (claims, tiebreaker, expected_role, code) in [
        (IceRole::Controlling, 0, IceRole::Controlling, 487),
        (IceRole::Controlling, u64::MAX, IceRole::Controlled, 0),
        (IceRole::Controlled, 0, IceRole::Controlling, 0),
        (IceRole::Controlled, u64::MAX, IceRole::Controlled, 487),
    ] {
        let mut network = Network::new(9);
        let now = network.now;
        network.agent(A).set_role(now, claims);
        network.agent(A).gather(now);
        network.settle();
        let ours = network.peers[A].agent.local_credentials().clone();
        let mut script = Script::new(1, &ours, "them");
        script.controlling = (claims == IceRole::Controlling).then_some(tiebreaker);
        script.controlled = (claims == IceRole::Controlled).then_some(tiebreaker);
        let to = network.peers[A].agent.local_candidates()[0]
            .socket_addr()
            .unwrap();
        let from = "192.0.2.9:9".parse().unwrap();
        network.inject(from, to, script.bytes(), Duration::ZERO);
        network.run(Duration::from_millis(2));
        let (_, _, answer) = &network.stray[0];
        let class = if code == 0 {
            Class::Success
        } else {
            Class::Error
        };
        assert_eq!(verdict(answer), Some((class, code)));
        assert_eq!(network.peers[A].agent.role(), Some(expected_role));
    }
}

// ice-022
#[test]
fn saying_the_role_again_does_not_undo_what_a_conflict_settled() {
    let mut network = Network::new(4);
    connect_as(&mut network, [IceRole::Controlling; 2]);
    network.run(SECOND);
    let settled = [A, B].map(|peer| network.peers[peer].agent.role());
    let now = network.now;
    for peer in [A, B] {
        network.agent(peer).set_role(now, IceRole::Controlling);
    }
    network.run(SECOND);
    assert_eq!(settled, [A, B].map(|peer| network.peers[peer].agent.role()));
    assert!(network.both(IceState::Completed));
}

#[test]
fn checks_wait_for_the_role_and_early_ones_of_the_peer_are_kept() {
    let mut network = Network::new(4);
    let now = network.now;
    network.agent(A).gather(now);
    network.agent(B).set_role(now, IceRole::Controlled);
    network.agent(B).gather(now);
    network.settle();
    network.introduce(A);
    network.introduce(B);
    network.run(SECOND);
    assert_eq!(network.state(A), IceState::New);
    let now = network.now;
    network.agent(A).set_role(now, IceRole::Controlling);
    network.settle();
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert_eq!(took, Some(Duration::from_millis(4)));
}

// ice-021
#[test]
fn a_full_agent_controls_a_lite_one() {
    let mut network = Network::new(4);
    let now = network.now;
    network.agent(A).set_role(now, IceRole::Controlled);
    let credentials = network.peers[B].agent.local_credentials().clone();
    network
        .agent(A)
        .set_remote_credentials(now, credentials, true)
        .unwrap();
    assert_eq!(network.peers[A].agent.role(), Some(IceRole::Controlling));
}
