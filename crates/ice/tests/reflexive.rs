//! Candidates that nobody signalled: learned from checks, on both sides.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{Candidate, CandidateAddress, CandidateType, IceState, Protocol};
use network::{A, B, Network};
use std::net::SocketAddr;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const PUBLIC: &str = "198.51.100.7:4444";

/// `B` is behind an address translation, and signals its private address.
fn behind_nat(seed: u64) -> Network {
    let mut network = Network::new(seed);
    let private: SocketAddr = "10.0.0.2:2001".parse().unwrap();
    network.peers[B]
        .translation
        .insert(private, PUBLIC.parse().unwrap());
    network
}

// ice-040, ice-041, ice-046
#[test]
fn both_ends_learn_the_translated_address() {
    let mut network = behind_nat(1);
    network.peers[B].trickles = false;
    network.connect();
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert!(took.is_some());
    let here = network.peers[A].agent.selected_pair().unwrap();
    assert_eq!(here.remote.candidate_type, CandidateType::PeerReflexive);
    assert_eq!(here.remote.socket_addr(), Some(PUBLIC.parse().unwrap()));
    let there = network.peers[B].agent.selected_pair().unwrap();
    assert_eq!(there.local.candidate_type, CandidateType::PeerReflexive);
    assert_eq!(there.local.socket_addr(), Some(PUBLIC.parse().unwrap()));
    assert_eq!(there.local.related, Some("10.0.0.2:2001".parse().unwrap()));
    // ice-033: both ends rank the pair alike, since the check carried the priority.
    assert_eq!(here.remote.priority, there.local.priority);
    assert!(network.data_flows());
    // It is not one of ours to signal.
    assert_eq!(network.peers[B].agent.local_candidates().len(), 1);
}

// ice-049
#[test]
fn a_candidate_signalled_after_its_check_becomes_what_was_signalled() {
    let mut network = Network::new(2);
    network.peers[B].trickles = false;
    network.connect();
    network
        .run_until(SECOND, |it| it.both(IceState::Completed))
        .unwrap();
    let remotes = network.peers[A].agent.remote_candidates();
    assert_eq!(remotes[0].candidate_type, CandidateType::PeerReflexive);
    network.signal_held(B);
    let remotes = network.peers[A].agent.remote_candidates();
    assert_eq!(remotes.len(), 1);
    assert_eq!(remotes[0].candidate_type, CandidateType::Host);
    assert_eq!(network.peers[A].agent.stats().pairs.len(), 1, "no new pair");
}

// ice-044, dfx-071, dfx-072
#[test]
fn checks_and_data_before_the_answer_are_answered_kept_and_followed_at_once() {
    let mut network = Network::new(3);
    network.gather();
    // B has the offer; A waits for the answer.
    network.introduce(B);
    network.run(SECOND / 5);
    let open = network
        .path(B)
        .expect("our answers open the path of the peer");
    assert!(network.send(B, b"\x16client hello"));
    network.run(SECOND / 5);
    assert_eq!(
        network.peers[A].received.len(),
        1,
        "early data is let through"
    );
    assert_eq!(network.path(A), None, "and we send nothing yet");

    network.introduce(A);
    let took = network.run_until(SECOND, |it| it.path(A).is_some());
    assert_eq!(took, Some(Duration::from_millis(2)), "checked back at once");
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert_eq!(took, Some(Duration::from_millis(2)));
    assert_eq!(network.path(B), Some(open));
}

#[test]
fn an_early_check_without_any_signalled_candidate_is_enough() {
    let mut network = Network::new(3);
    network.peers[A].trickles = true;
    network.peers[B].trickles = false;
    network.gather();
    network.introduce(B);
    network.run(SECOND / 10);
    network.introduce(A);
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert_eq!(took, Some(Duration::from_millis(4)));
}

#[test]
fn a_check_under_another_name_of_the_peer_is_not_followed_later() {
    let mut network = Network::new(3);
    network.gather();
    let ours = network.peers[A].agent.local_credentials().clone();
    let to = network.peers[A].agent.local_candidates()[0]
        .socket_addr()
        .unwrap();
    let check = network::script::Script::new(1, &ours, "an_older_one");
    let from = "192.0.2.9:9".parse().unwrap();
    network.inject(from, to, check.bytes(), Duration::ZERO);
    network.run(Duration::from_millis(5));
    network.introduce(A);
    let remotes = network.peers[A].agent.remote_candidates();
    assert!(remotes.iter().all(|it| it.socket_addr() != Some(from)));
}

// dfx-032, ice-072
#[test]
fn a_hidden_address_is_reached_by_the_peers_own_checks() {
    let mut network = Network::new(4);
    network.peers[B].trickles = false;
    network.connect();
    let now = network.now;
    let name = CandidateAddress::Name {
        host: "0b2f7e4a-3b9c-4a52-9c5e-6f1f0a2b3c4d.local".to_owned(),
        port: 2001,
    };
    let hidden = Candidate::new("1", CandidateType::Host, Protocol::Udp, 2_113_937_151, name);
    network
        .agent(A)
        .add_remote_candidate(now, hidden.clone())
        .unwrap();
    network.settle();
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert!(took.unwrap() < Duration::from_millis(10));
    // The name resolves in the end: it is the same candidate, and stays a name.
    let (request, _) = network.peers[A].unresolved[0].clone();
    let now = network.now;
    let address = ["10.0.0.2".parse().unwrap()];
    network.agent(A).resolved(now, request, &address);
    let remotes = network.peers[A].agent.remote_candidates();
    assert_eq!(remotes, [hidden]);
}

// ice-026
#[test]
fn a_checklist_full_of_dead_pairs_has_room_for_one_that_the_peer_has_checked() {
    let mut factory = muonrtc_ice::Factory::default();
    factory.max_pairs = 50;
    let addresses: [&[&str]; 2] = [&["10.0.0.1"], &["10.0.0.2"]];
    let mut network = Network::with(5, [factory.clone(), factory], addresses);
    network.peers[B].trickles = false;
    network.gather();
    network.introduce(A);
    let now = network.now;
    for number in 0..99_u8 {
        let address = CandidateAddress::Socket(SocketAddr::from(([10, 9, 9, number], 9)));
        let priority = 2_130_706_431 - u32::from(number);
        let foundation = number.to_string();
        let dead = Candidate::new(
            foundation,
            CandidateType::Host,
            Protocol::Udp,
            priority,
            address,
        );
        network.agent(A).add_remote_candidate(now, dead).unwrap();
    }
    assert_eq!(network.peers[A].agent.stats().pairs.len(), 50);
    network.introduce(B);
    network.signal_held(A);
    let took = network.run_until(SECOND, |it| it.path(A).is_some());
    assert!(took.unwrap() < Duration::from_millis(10), "{took:?}");
}
