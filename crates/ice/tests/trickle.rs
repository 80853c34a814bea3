//! Candidates one by one, in any order, of any kind (RFC 8838).
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{
    Candidate, CandidateAddress, CandidateType, Credentials, IceError, IceEvent, IceState, Protocol,
};
use muonrtc_ice::Factory;
use network::{A, B, Network};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn candidate(address: &str) -> Candidate {
    let address = CandidateAddress::Socket(address.parse().unwrap());
    Candidate::new(
        "9",
        CandidateType::Host,
        Protocol::Udp,
        2_130_706_431,
        address,
    )
}

fn named(host: &str) -> Candidate {
    let mut candidate = candidate("192.0.2.1:9");
    candidate.address = CandidateAddress::Name {
        host: host.to_owned(),
        port: 2001,
    };
    candidate
}

// ice-018, ice-062, dfx-034
#[test]
fn every_order_of_signalling_connects() {
    // Bits: who trickles late, whose credentials come late, in which order.
    for order in 0..16 {
        let mut network = Network::new(order);
        network.peers[A].trickles = order & 1 == 0;
        network.peers[B].trickles = order & 2 == 0;
        network.gather();
        let (first, second) = if order & 4 == 0 { (A, B) } else { (B, A) };
        if order & 8 == 0 {
            network.introduce(first);
            network.run(SECOND);
            network.signal_held(first);
            network.introduce(second);
            network.signal_held(second);
        } else {
            network.signal_held(second);
            network.run(SECOND);
            network.introduce(first);
            network.run(SECOND);
            network.introduce(second);
            network.signal_held(first);
        }
        let took = network.run_until(2 * SECOND, |it| it.both(IceState::Completed));
        assert!(took.is_some(), "order {order}");
        assert!(network.data_flows(), "order {order}");
    }
}

// ice-062
#[test]
fn every_candidate_is_told_once_and_before_gathering_ends() {
    let mut network = Network::new(1);
    network.gather();
    let events: Vec<&IceEvent> = network.peers[A].events.iter().map(|(_, it)| it).collect();
    let position = |wanted: &dyn Fn(&IceEvent) -> bool| {
        let found: Vec<usize> = (0..events.len()).filter(|at| wanted(events[*at])).collect();
        assert_eq!(found.len(), 1);
        found[0]
    };
    let told = position(&|it| matches!(it, IceEvent::Candidate(_)));
    let complete =
        position(&|it| *it == IceEvent::GatheringStateChange(layer::GatheringState::Complete));
    assert!(told < complete);
    let fragment = network.peers[A]
        .agent
        .local_credentials()
        .username_fragment
        .clone();
    let candidate = &network.peers[A].agent.local_candidates()[0];
    assert_eq!(candidate.username_fragment, Some(fragment));
}

// ice-063
#[test]
fn candidates_after_the_end_are_ignored() {
    let mut network = Network::new(1);
    network.gather();
    network.introduce(A);
    let now = network.now;
    network.agent(A).end_of_remote_candidates(now);
    network
        .agent(A)
        .add_remote_candidate(now, candidate("192.0.2.1:9"))
        .unwrap();
    let stats = network.peers[A].agent.stats();
    assert_eq!(stats.candidates_dropped, 1);
    assert_eq!(network.peers[A].agent.remote_candidates().len(), 1);
}

// ice-063
#[test]
fn an_end_that_overtakes_the_credentials_ends_nothing_that_came_before() {
    let mut network = Network::new(1);
    network.gather();
    let now = network.now;
    network.agent(A).end_of_remote_candidates(now);
    network.introduce(A);
    assert_eq!(network.peers[A].agent.remote_candidates().len(), 1);
}

// ice-066
#[test]
fn a_candidate_of_another_generation_is_refused() {
    let mut network = Network::new(1);
    network.gather();
    let mut stale = candidate("192.0.2.1:9");
    stale.username_fragment = Some("stale".to_owned());
    let now = network.now;
    // Before the credentials nobody can tell; they tell.
    let early = network.agent(A).add_remote_candidate(now, stale.clone());
    assert_eq!(early, Ok(()));
    network.introduce(A);
    assert_eq!(network.peers[A].agent.remote_candidates().len(), 1);
    assert_eq!(network.peers[A].agent.stats().candidates_dropped, 1);
    assert_eq!(
        network.agent(A).add_remote_candidate(now, stale),
        Err(IceError::UnknownGeneration)
    );
}

// ice-017, ice-023, dfx-033
#[test]
fn candidates_that_cannot_be_used_are_dropped_alone_and_counted() {
    let mut network = Network::new(1);
    network.connect();
    let now = network.now;
    let mut tcp = candidate("192.0.2.1:9");
    tcp.protocol = Protocol::Tcp;
    let mut rtcp = candidate("192.0.2.1:9");
    rtcp.component = 2;
    let unusable = [
        tcp,
        rtcp,
        candidate("192.0.2.1:0"),
        candidate("0.0.0.0:9"),
        candidate("[::]:9"),
        candidate("224.0.0.1:9"),
        candidate("255.255.255.255:9"),
    ];
    let count = u64::try_from(unusable.len()).unwrap();
    for candidate in unusable {
        assert_eq!(
            network.agent(A).add_remote_candidate(now, candidate),
            Ok(())
        );
    }
    assert_eq!(network.peers[A].agent.stats().candidates_dropped, count);
    assert_eq!(network.peers[A].agent.remote_candidates().len(), 1);
    network
        .run_until(SECOND, |it| it.both(IceState::Completed))
        .unwrap();
}

// dfx-032
#[test]
fn an_unanswered_name_delays_nothing() {
    let mut network = Network::new(1);
    network.gather();
    let now = network.now;
    for number in 0..20 {
        let name = named(&format!("{number}.local"));
        network.agent(A).add_remote_candidate(now, name).unwrap();
    }
    network.introduce(A);
    network.introduce(B);
    assert_eq!(network.peers[A].unresolved.len(), 20);
    let took = network.run_until(SECOND, |it| it.both(IceState::Completed));
    assert_eq!(took, Some(Duration::from_millis(4)));
}

#[test]
fn an_unanswered_name_does_not_delay_failure() {
    let mut network = Network::new(1);
    network.peers[B].trickles = false;
    network.cut = true;
    network.connect();
    let now = network.now;
    let name = named("nobody.local");
    network.agent(A).add_remote_candidate(now, name).unwrap();
    network.settle();
    let failed = network.run_until(60 * SECOND, |it| it.state(A) == IceState::Failed);
    assert_eq!(failed, Some(Duration::from_millis(39_500)));
}

// ice-071
#[test]
fn a_name_resolves_to_one_address_or_to_nothing() {
    for (host, found, usable) in [
        ("x.local", &["10.0.0.2"][..], true),
        ("x.local", &[], false),
        ("x.local", &["10.0.0.2", "10.0.0.3"], false),
        ("X.LOCAL.", &["10.0.0.2", "10.0.0.3"], false),
        ("host.example", &["10.0.0.2", "10.0.0.3"], true),
        ("x.local", &["0.0.0.0"], false),
    ] {
        let mut network = Network::new(1);
        network.peers[B].trickles = false;
        network.connect();
        network.cut = true;
        let now = network.now;
        network
            .agent(A)
            .add_remote_candidate(now, named(host))
            .unwrap();
        network.settle();
        let (request, asked) = network.peers[A].unresolved[0].clone();
        assert_eq!(asked, host);
        let found: Vec<_> = found.iter().map(|it| it.parse().unwrap()).collect();
        network.agent(A).resolved(now, request, &found);
        network.settle();
        let stats = network.peers[A].agent.stats();
        assert_eq!(stats.pairs.len(), usize::from(usable), "{host} {found:?}");
        assert_eq!(stats.candidates_dropped, u64::from(!usable));
        // A second answer to the same question is nobody's.
        network.agent(A).resolved(now, request, &found);
        assert_eq!(
            network.peers[A].agent.stats().candidates_dropped,
            u64::from(!usable)
        );
    }
}

// ice-067
#[test]
fn a_relayed_session_resolves_no_names_and_offers_no_hosts() {
    let mut network = Network::new(1);
    network
        .agent(A)
        .reconfigure(Vec::new(), layer::TransportPolicy::Relay);
    network.connect();
    let now = network.now;
    network
        .agent(A)
        .add_remote_candidate(now, named("x.local"))
        .unwrap();
    network.settle();
    assert!(network.peers[A].unresolved.is_empty());
    assert!(network.peers[A].agent.local_candidates().is_empty());
    assert_eq!(
        network.peers[A].agent.gathering_state(),
        layer::GatheringState::Complete
    );
}

// ice-026, ice-065
#[test]
fn ten_thousand_candidates_are_bounded() {
    let mut network = Network::new(1);
    network.connect();
    network.cut = true;
    let now = network.now;
    let mut refused = 0;
    for number in 0..10_000_u32 {
        let address = std::net::Ipv4Addr::from(0x0B00_0000 + number);
        let candidate = candidate(&format!("{address}:9"));
        match network.agent(A).add_remote_candidate(now, candidate) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, IceError::TooManyCandidates);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 9_901);
    let counted = network.peers[A].agent.stats().candidates_dropped;
    assert_eq!(counted, refused);
    assert_eq!(network.peers[A].agent.remote_candidates().len(), 100);
    assert!(network.peers[A].agent.stats().pairs.len() <= 100);
}

// ice-065
#[test]
fn a_candidate_said_twice_makes_one_pair() {
    let mut network = Network::new(1);
    network.connect();
    let now = network.now;
    for _ in 0..3 {
        let again = network.peers[B].agent.local_candidates()[0].clone();
        network.agent(A).add_remote_candidate(now, again).unwrap();
    }
    assert_eq!(network.peers[A].agent.stats().pairs.len(), 1);
}

// ice-015
#[test]
fn credentials_outside_the_grammar_are_refused() {
    let mut network = Network::new(1);
    let now = network.now;
    for (fragment, password) in [
        ("abc", "0123456789012345678901"),
        ("abcd", "012345678901234567890"),
        ("ab d", "0123456789012345678901"),
    ] {
        let credentials = Credentials::new(fragment, password);
        assert_eq!(
            network
                .agent(A)
                .set_remote_credentials(now, credentials, false),
            Err(IceError::Credentials)
        );
    }
}

// ice-064: as long as pairs may still be added, nothing has failed (RFC 8838 §8).
#[test]
fn a_failed_pair_does_not_fail_an_agent_that_may_hear_of_more() {
    let mut settings = Factory::default();
    settings.max_requests = 1;
    let mut network = Network::with(
        21,
        [settings.clone(), settings],
        [&["10.0.0.1"], &["10.0.0.2"]],
    );
    network.peers[A].trickles = false;
    network.peers[B].trickles = false;
    network.connect();
    let now = network.now;
    let dead = CandidateAddress::Socket("10.9.9.9:9".parse().unwrap());
    let dead = Candidate::new("9", CandidateType::Host, Protocol::Udp, 99, dead);
    network.agent(A).add_remote_candidate(now, dead).unwrap();
    network.run(Duration::from_secs(20));
    let pairs = network.peers[A].agent.stats().pairs;
    assert_eq!(pairs[0].state, layer::PairState::Failed);
    assert_eq!(network.state(A), IceState::Checking);
    network.signal_held(B);
    network.run(Duration::from_secs(2));
    assert!(network.both(IceState::Completed));
}

// ice-051: what was not begun is removed once a pair is selected, and checks are still answered.
#[test]
fn a_selected_pair_ends_all_other_checking() {
    let addresses: &[&str] = &["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
    let factories = [Factory::default(), Factory::default()];
    let mut network = Network::with(22, factories, [&["10.0.0.1"], addresses]);
    network.connect();
    network.run(Duration::from_secs(5));
    assert!(network.both(IceState::Completed));
    let pairs = network.peers[A].agent.stats().pairs;
    let waits = |it: &layer::PairStats| {
        matches!(
            it.state,
            layer::PairState::Frozen | layer::PairState::Waiting
        )
    };
    assert!(
        !pairs
            .iter()
            .any(|it| waits(it) && it.requests_received == 0)
    );
    assert!(network.data_flows());
}
