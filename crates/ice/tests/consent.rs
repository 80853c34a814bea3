//! Staying connected, and noticing when one is not (RFC 7675, RFC 8863).
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{IceEvent, IceState};
use muonrtc_ice::Factory;
use network::script::is_request;
use network::{A, B, Network};
use std::collections::BTreeSet;
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

fn requests(network: &Network, peer: usize) -> Vec<(Duration, Vec<u8>)> {
    let sent = network.peers[peer].sent.iter();
    sent.filter(|(_, _, bytes)| is_request(bytes))
        .map(|(at, _, bytes)| (*at, bytes.clone()))
        .collect()
}

// ice-055, ice-057
#[test]
fn consent_is_asked_for_every_four_to_six_seconds_with_fresh_transactions() {
    let mut network = connected(1);
    network.peers[A].sent.clear();
    // Data keeps the path from looking silent, so that nothing else is sent.
    for _ in 0..600 {
        network.send(A, b"\x80");
        network.send(B, b"\x80");
        network.run(SECOND / 2);
    }
    let requests = requests(&network, A);
    let gaps: Vec<Duration> = requests
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    assert!((50..=75).contains(&requests.len()), "{}", requests.len());
    for gap in &gaps {
        assert!((4 * SECOND..=6 * SECOND).contains(gap), "{gap:?}");
    }
    let distinct: BTreeSet<_> = gaps.iter().collect();
    assert!(distinct.len() > 40, "the intervals are random");
    let ids: BTreeSet<_> = requests.iter().map(|(_, it)| it[8..20].to_vec()).collect();
    assert_eq!(ids.len(), requests.len());
    assert!(network.both(IceState::Completed));
}

// ice-056
#[test]
fn consent_ends_thirty_seconds_after_the_last_answer() {
    let mut network = connected(2);
    network.run(20 * SECOND);
    network.cut = true;
    let cut = network.now;
    // The last answer came within the last six seconds.
    let failed = network.run_until(40 * SECOND, |it| it.state(A) == IceState::Failed);
    let failed = failed.expect("fails");
    assert!((23 * SECOND..=30 * SECOND).contains(&failed), "{failed:?}");
    assert_eq!(network.path(A), None);
    assert!(!network.send(A, b"\x80"), "nothing may be sent any more");
    let told = &network.peers[A].events;
    assert!(
        told.iter()
            .any(|(at, event)| *event == IceEvent::RouteChange && *at > cut - network.start)
    );
    network.cut = false;
    network.run(60 * SECOND);
    assert_eq!(network.state(A), IceState::Failed, "only a restart helps");
    assert_eq!(
        network.states(A)[2..],
        [
            IceState::Completed,
            IceState::Disconnected,
            IceState::Failed
        ]
    );
}

#[test]
fn a_silent_path_is_disconnected_after_five_seconds_and_comes_back_by_itself() {
    let mut network = connected(3);
    network.cut = true;
    let took = network.run_until(10 * SECOND, |it| it.state(A) == IceState::Disconnected);
    let took = took.unwrap();
    assert!((4 * SECOND..=6 * SECOND).contains(&took), "{took:?}");
    assert!(network.path(A).is_some(), "it may still work");
    network.cut = false;
    let back = network.run_until(7 * SECOND, |it| it.both(IceState::Completed));
    assert!(back.is_some());
    assert!(network.data_flows());
}

#[test]
fn data_alone_brings_a_disconnected_path_back() {
    let mut network = connected(3);
    network.cut = true;
    network.run_until(10 * SECOND, |it| it.both(IceState::Disconnected));
    network.cut = false;
    assert!(network.send(B, b"\x80"));
    network.run(Duration::from_millis(1));
    assert_eq!(network.state(A), IceState::Completed);
}

#[test]
fn an_idle_path_is_not_mistaken_for_a_dead_one() {
    let mut network = connected(4);
    network.run(3600 * SECOND);
    assert!(network.both(IceState::Completed));
    assert!(!network.states(A).contains(&IceState::Disconnected));
    assert!(!network.states(B).contains(&IceState::Disconnected));
    let sent = network.peers[A].sent.len();
    assert!(sent < 3600, "less than one packet a second: {sent}");
}

// ice-056
#[test]
fn consent_survives_loss() {
    for seed in 1..=10 {
        let mut network = connected(seed);
        network.loss = 20;
        network.run(600 * SECOND);
        assert!(network.path(A).is_some(), "seed {seed}");
    }
}

// ice-056: an answer counts for as long as consent lasts, however long it took.
#[test]
fn consent_is_renewed_over_a_path_of_twenty_seconds() {
    let mut network = connected(1);
    network.delay = 10 * SECOND;
    network.run(300 * SECOND);
    assert!(network.path(A).is_some() && network.path(B).is_some());
    network.delay = 16 * SECOND;
    network.run(100 * SECOND);
    assert!(network.path(A).is_none() && network.path(B).is_none());
}

// ice-059
#[test]
fn a_path_without_traffic_gets_a_keepalive_after_fifteen_seconds() {
    let mut factory = Factory::default();
    // Nothing else is sent.
    factory.consent_interval = 1000 * SECOND;
    factory.consent_timeout = 4000 * SECOND;
    factory.disconnected_timeout = 4000 * SECOND;
    let mut network = Network::with(
        1,
        [factory.clone(), factory],
        [&["10.0.0.1"], &["10.0.0.2"]],
    );
    network.connect();
    network.run(SECOND);
    network.peers[A].sent.clear();
    network.run(100 * SECOND);
    let sent = &network.peers[A].sent;
    assert_eq!(sent.len(), 6);
    for (_, _, bytes) in sent {
        let message = stun::Message::parse(bytes).unwrap();
        assert_eq!(message.class(), stun::Class::Indication);
        assert_eq!(message.fingerprint(), Some(true));
        assert_eq!(message.attributes().count(), 1);
    }
    let gap = sent[1].0 - sent[0].0;
    assert_eq!(gap, 15 * SECOND);
}

// ice-031, dfx-031
#[test]
fn an_agent_without_candidates_of_the_peer_is_patient_and_then_fails() {
    let mut network = Network::new(1);
    network.peers[B].trickles = false;
    network.gather();
    network.introduce(A);
    let now = network.now;
    network.agent(A).end_of_remote_candidates(now);
    network.settle();
    let failed = network.run_until(60 * SECOND, |it| it.state(A) == IceState::Failed);
    assert_eq!(failed, Some(Duration::from_millis(39_500)));
}

// ice-031
#[test]
fn a_late_check_of_the_peer_within_patience_connects() {
    let mut network = Network::new(1);
    network.peers[B].trickles = false;
    network.gather();
    network.introduce(A);
    network.run(39 * SECOND);
    network.introduce(B);
    let took = network.run_until(SECOND / 2, |it| it.both(IceState::Completed));
    assert!(took.is_some());
}

// ice-031, ice-043
#[test]
fn pairs_that_nobody_answers_fail_the_agent_after_their_last_wait() {
    let mut network = Network::new(1);
    network.cut = true;
    network.connect();
    let failed = network.run_until(60 * SECOND, |it| it.both(IceState::Failed));
    assert_eq!(failed, Some(Duration::from_millis(39_500)));
    assert_eq!(
        network.peers[A].agent.stats().pairs[0].state,
        layer::PairState::Failed
    );
    assert_eq!(network.peers[A].agent.poll_timeout(), None);
}

// ice-060 is the owner's: it closes the agent.
#[test]
fn a_closed_agent_says_and_does_nothing_more() {
    let mut network = connected(1);
    let now = network.now;
    network.agent(A).close(now);
    network.settle();
    assert_eq!(network.state(A), IceState::Closed);
    assert_eq!(network.path(A), None);
    let last = network.peers[A]
        .events
        .last()
        .map(|(_, event)| event.clone());
    assert!(matches!(last, Some(IceEvent::Ended(_))));
    network.peers[A].sent.clear();
    network.run(60 * SECOND);
    assert!(network.peers[A].sent.is_empty());
    assert_eq!(network.peers[A].agent.poll_timeout(), None);
    assert_eq!(network.state(B), IceState::Failed);
}

#[test]
fn a_lost_socket_fails_its_pairs() {
    let mut network = connected(1);
    let now = network.now;
    let socket = network.peers[A].agent.route().unwrap().socket;
    network.agent(A).socket_closed(now, socket);
    network.settle();
    assert_eq!(network.state(A), IceState::Failed);
    assert_eq!(network.path(A), None);
}
