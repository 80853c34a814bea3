//! ICE restart (RFC 8445 §9): new credentials, new checks, and data all the while.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{Credentials, GatheringState, IceError, IceEvent, IceState};
use network::{A, B, Network};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn connected(seed: u64) -> Network {
    let mut network = Network::new(seed);
    network.connect();
    network
        .run_until(SECOND, |it| it.both(IceState::Completed))
        .unwrap();
    network
}

fn fresh(label: &str) -> Credentials {
    Credentials::new(
        format!("{label}frag"),
        format!("{label}password0123456789ABCDEF"),
    )
}

fn restart(network: &mut Network, peer: usize, label: &str) {
    let now = network.now;
    network.agent(peer).restart(now, fresh(label)).unwrap();
    network.settle();
}

fn gather(network: &mut Network, peer: usize) {
    let now = network.now;
    network.agent(peer).gather(now);
    network.settle();
}

// ice-053
#[test]
fn data_flows_on_the_old_path_until_the_new_generation_has_one() {
    let mut network = connected(1);
    let before = network.peers[A].agent.local_credentials().clone();
    // The offerer restarts; its candidates and credentials reach the answerer.
    restart(&mut network, A, "A2");
    assert_ne!(*network.peers[A].agent.local_credentials(), before);
    assert_eq!(network.state(A), IceState::Connected);
    assert_eq!(
        network.peers[A].agent.gathering_state(),
        GatheringState::New
    );
    assert!(
        network.data_flows(),
        "while nothing is known of the new generation"
    );
    let two = ["A2frag".to_owned(), before.username_fragment];
    assert_eq!(network.peers[A].agent.claims(), two);
    gather(&mut network, A);
    network.run(10 * SECOND);
    assert!(network.data_flows(), "while the answer takes its time");

    restart(&mut network, B, "B2");
    network.introduce(B);
    gather(&mut network, B);
    network.introduce(A);
    for _ in 0..40 {
        assert!(network.data_flows(), "while the new generation is checked");
    }
    assert!(network.both(IceState::Completed));
    network.run(4 * SECOND);
    assert_eq!(network.peers[A].agent.claims(), ["A2frag"]);
    assert!(network.data_flows());
    network.run(60 * SECOND);
    assert!(
        network.both(IceState::Completed),
        "consent runs under the new passwords"
    );
    let completed = network.states(A);
    assert_eq!(
        completed[2..],
        [
            IceState::Completed,
            IceState::Connected,
            IceState::Completed
        ]
    );
}

#[test]
fn sockets_are_used_again_when_the_addresses_are_the_same() {
    let mut network = connected(1);
    restart(&mut network, A, "A2");
    gather(&mut network, A);
    let binds = network.peers[A].events.iter();
    let binds = binds.filter(|(_, event)| matches!(event, IceEvent::Bind { .. }));
    assert_eq!(binds.count(), 1);
    assert_eq!(network.peers[A].agent.local_candidates().len(), 1);
}

#[test]
fn a_new_address_takes_over_and_the_old_socket_is_given_back() {
    let mut network = connected(1);
    // The host moves: its old address is gone.
    network.peers[A].addresses = vec!["10.0.9.1".parse().unwrap()];
    network.dead.insert("10.0.0.1".parse().unwrap());
    network.run(6 * SECOND);
    assert_eq!(network.state(A), IceState::Disconnected);
    restart(&mut network, A, "A2");
    assert_eq!(network.state(A), IceState::Checking, "W3C webrtc-pc §5.6.4");
    gather(&mut network, A);
    restart(&mut network, B, "B2");
    network.introduce(B);
    gather(&mut network, B);
    network.introduce(A);
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert!(took.is_some());
    assert_eq!(network.path(A).unwrap().0.ip().to_string(), "10.0.9.1");
    network.run(4 * SECOND);
    let closed = network.peers[A].events.iter();
    let closed = closed.filter(|(_, event)| matches!(event, IceEvent::CloseSocket { .. }));
    assert_eq!(closed.count(), 1);
    assert!(network.data_flows());
}

// ice-056
#[test]
fn a_failed_agent_is_saved_by_a_restart() {
    let mut network = connected(2);
    network.cut = true;
    network.run(60 * SECOND);
    assert!(network.both(IceState::Failed));
    network.cut = false;
    restart(&mut network, A, "A2");
    assert_eq!(network.state(A), IceState::Checking);
    gather(&mut network, A);
    restart(&mut network, B, "B2");
    network.introduce(B);
    gather(&mut network, B);
    network.introduce(A);
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert!(took.is_some());
}

#[test]
fn the_peers_credentials_may_come_before_our_own_restart() {
    let mut network = connected(3);
    restart(&mut network, A, "A2");
    gather(&mut network, A);
    // The answerer applies the offer first and restarts only when it answers.
    network.introduce(B);
    network.signal_held(A);
    assert!(network.data_flows());
    restart(&mut network, B, "B2");
    gather(&mut network, B);
    assert_eq!(
        network.peers[B].agent.remote_credentials(),
        Some(&fresh("A2"))
    );
    network.introduce(A);
    for _ in 0..20 {
        assert!(network.data_flows());
    }
    assert!(network.both(IceState::Completed));
    assert_eq!(network.peers[B].agent.local_credentials(), &fresh("B2"));
}

#[test]
fn a_peer_that_restarts_alone_is_followed() {
    let mut network = connected(3);
    restart(&mut network, A, "A2");
    gather(&mut network, A);
    network.introduce(B);
    network.introduce(A);
    network.run(2 * SECOND);
    // A has new credentials and B the old ones: that is a generation too.
    network.signal_held(A);
    let now = network.now;
    for candidate in network.peers[A].agent.local_candidates() {
        network
            .agent(B)
            .add_remote_candidate(now, candidate)
            .unwrap();
    }
    let took = network.run_until(3 * SECOND, |it| it.both(IceState::Completed));
    assert!(took.is_some());
    assert!(network.data_flows());
}

#[test]
fn restarts_over_a_lossy_network_keep_the_path() {
    for seed in 1..=50 {
        let mut network = Network::new(seed);
        network.connect();
        network
            .run_until(SECOND, |it| it.both(IceState::Completed))
            .unwrap();
        network.loss = 25;
        for round in 0..3 {
            restart(&mut network, A, &format!("A{round}"));
            gather(&mut network, A);
            restart(&mut network, B, &format!("B{round}"));
            network.introduce(B);
            gather(&mut network, B);
            network.introduce(A);
            let took = network.run_until(30 * SECOND, |it| it.both(IceState::Completed));
            assert!(took.is_some(), "seed {seed}, round {round}");
        }
        network.loss = 0;
        network.run(5 * SECOND);
        assert!(network.data_flows(), "seed {seed}");
    }
}

#[test]
fn current_and_malformed_credentials_are_refused() {
    let mut network = connected(1);
    let now = network.now;
    let current = network.peers[A].agent.local_credentials().clone();
    for credentials in [current, Credentials::new("a", "b")] {
        assert_eq!(
            network.agent(A).restart(now, credentials),
            Err(IceError::Credentials)
        );
    }
    network.agent(A).close(now);
    assert_eq!(
        network.agent(A).restart(now, fresh("x")),
        Err(IceError::Closed)
    );
}

// The answerer may check under its old credentials before it restarts; that path must not be lost.
#[test]
fn a_path_found_between_the_peers_restart_and_our_own_is_kept() {
    let mut network = connected(3);
    network.cut = true;
    network.run(60 * SECOND);
    network.cut = false;
    restart(&mut network, A, "A2");
    gather(&mut network, A);
    network.introduce(B);
    let now = network.now;
    for candidate in network.peers[A].agent.local_candidates() {
        network
            .agent(B)
            .add_remote_candidate(now, candidate)
            .unwrap();
    }
    network.run(SECOND);
    assert!(
        network.path(B).is_some(),
        "the offerer answers early checks"
    );
    restart(&mut network, B, "B2");
    assert!(network.path(B).is_some());
    gather(&mut network, B);
    network.introduce(A);
    network.run(SECOND);
    assert!(network.both(IceState::Completed));
    assert!(network.data_flows());
}
