//! Two agents find each other.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{IceEvent, IceState};
use network::{A, B, Network};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

// ice-028, ice-050, ice-054
#[test]
fn two_hosts_connect_within_two_round_trips_and_exchange_data() {
    let mut network = Network::new(1);
    network.connect();
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert_eq!(
        took,
        Some(Duration::from_millis(4)),
        "two round trips of 2 ms"
    );
    assert_eq!(
        network.states(A),
        [IceState::Checking, IceState::Connected, IceState::Completed]
    );
    assert!(network.data_flows());
    let (local, remote) = network.path(A).unwrap();
    assert_eq!(network.path(B), Some((remote, local)));
}

#[test]
fn a_path_is_open_before_it_is_nominated() {
    let mut network = Network::new(1);
    network.connect();
    let took = network.run_until(SECOND, |it| it.path(A).is_some());
    assert_eq!(took, Some(Duration::from_millis(2)));
    assert_eq!(network.state(A), IceState::Connected);
    assert!(network.send(A, b"\x16early"));
    network.run(Duration::from_millis(1));
    assert_eq!(network.peers[B].received.len(), 1);
}

#[test]
fn the_round_trip_is_told() {
    let mut network = Network::new(1);
    network.delay = Duration::from_millis(7);
    network.connect();
    network.run(SECOND);
    let told = |event: &IceEvent| *event == IceEvent::RoundTrip(Duration::from_millis(14));
    assert!(network.peers[A].events.iter().any(|(_, event)| told(event)));
}

// The figure the issue asks of whole connections, for ICE alone.
#[test]
fn seeds_1_to_200_connect_at_30_percent_loss_with_duplicates_and_reordering() {
    for seed in 1..=200 {
        let mut network = Network::new(seed);
        network.loss = 30;
        network.duplicate = 20;
        network.delay = Duration::from_millis(20);
        network.jitter = Duration::from_millis(30);
        network.connect();
        let took = network.run_until(30 * SECOND, |it| it.both(IceState::Completed));
        assert!(took.is_some(), "seed {seed}: {:?}", network.states(A));
    }
}
