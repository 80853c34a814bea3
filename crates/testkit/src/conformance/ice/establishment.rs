use super::{DELAY, MINUTE, Subject, data_flows};
use crate::vnet::{Drive, Nat, Network, Router, StunServer, TurnServer};
use crate::{Clock, Link, TestSeed};
use layer::{
    CandidateType, GatheringState, IceEvent, IceRole, IceServer, IceState, TransportPolicy,
};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

pub(super) fn gathering(subject: &Subject, seed: &TestSeed) {
    let link = Link::delayed(DELAY);
    let addresses: [&[&str]; 2] = [&["192.0.2.1", "2001:db8::1"], &["192.0.2.2"]];
    let mut pair = subject.pair_between(addresses, &link, seed.value());
    assert_eq!(pair.a.machine.gathering_state(), GatheringState::New);
    pair.start();
    let events = &pair.a.events;
    let position = |wanted: &dyn Fn(&IceEvent) -> bool| events.iter().position(wanted);
    let state = |state| move |event: &IceEvent| *event == IceEvent::GatheringStateChange(state);
    let begun = position(&state(GatheringState::Gathering)).expect("gathering begins");
    let done = position(&state(GatheringState::Complete)).expect("gathering completes");
    let told: Vec<usize> = (0..events.len())
        .filter(|at| matches!(events[*at], IceEvent::Candidate(_)))
        .collect();
    assert!(told.iter().all(|at| (begun..done).contains(at)));
    let candidates = pair.a.machine.local_candidates();
    assert_eq!(candidates.len(), told.len(), "each is told once");
    assert!(candidates.len() >= 2, "one for each address");
    let priorities: BTreeSet<u32> = candidates.iter().map(|it| it.priority).collect();
    assert_eq!(priorities.len(), candidates.len(), "priorities are unique");
    assert!(candidates.iter().all(|it| it.priority < 1 << 31));
}

pub(super) fn hosts(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    assert!(pair.a.machine.route().is_none());
    assert!(pair.connect(MINUTE), "{pair:?}");
    let selected = pair.run_until(MINUTE, |pair| {
        let ends = [&pair.a, &pair.b];
        ends.iter().all(|end| end.machine.selected_pair().is_some())
    });
    assert!(selected, "{pair:?}");
    let [a, b] = [&pair.a, &pair.b].map(|end| end.machine.route().expect("a route"));
    assert_eq!((a.local, a.remote), (b.remote, b.local));
    for (end, role) in [
        (&pair.a, IceRole::Controlling),
        (&pair.b, IceRole::Controlled),
    ] {
        assert_eq!(end.machine.role(), Some(role));
        assert!(end.events.contains(&IceEvent::RouteChange));
        let connected = IceEvent::StateChange(IceState::Connected);
        assert!(end.events.contains(&connected), "{:?}", end.events);
    }
    assert!(data_flows(&mut pair));
}

pub(super) fn lossy(subject: &Subject, seed: &TestSeed) {
    let mut link = Link::delayed(DELAY);
    link.loss = 0.3;
    let mut pair = subject.pair(&link, seed.value());
    assert!(pair.connect(MINUTE), "{pair:?}");
}

pub(super) fn trickled(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.signaling_delay = Some(Duration::from_secs(3));
    assert!(pair.connect(MINUTE), "{pair:?}");
    assert!(data_flows(&mut pair));
}

pub(super) fn late_answer(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    pair.signaling_delay = None;
    // `b` knows everything of `a`, and `a` nothing of `b` yet.
    let now = pair.now();
    pair.a.machine.set_role(now, IceRole::Controlling);
    pair.b.machine.set_role(now, IceRole::Controlled);
    pair.a.machine.gather(now);
    pair.b.machine.gather(now);
    pair.settle();
    let offer = pair.a.machine.local_credentials().clone();
    let set = pair.b.machine.set_remote_credentials(now, offer, false);
    set.expect("well-formed credentials");
    for candidate in pair.a.machine.local_candidates() {
        let added = pair.b.machine.add_remote_candidate(now, candidate);
        added.expect("a candidate of the current generation");
    }
    // The answerer has a path at once: its checks are answered (RFC 8445 §7.3).
    let open = pair.run_until(MINUTE, |pair| pair.b.machine.route().is_some());
    assert!(open, "{pair:?}");
    let now = pair.now();
    assert!(pair.b.send(now, b"\x16 early"));
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.a.data, [b"\x16 early".to_vec()], "its data is taken");
    pair.exchange_credentials();
    let both = pair.run_until(MINUTE, |pair| pair.a.connected() && pair.b.connected());
    assert!(both, "no candidate of the answerer is needed: {pair:?}");
}

pub(super) fn role_conflict(subject: &Subject, seed: &TestSeed) {
    for role in [IceRole::Controlling, IceRole::Controlled] {
        let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
        pair.start();
        let now = pair.now();
        pair.a.machine.set_role(now, role);
        pair.b.machine.set_role(now, role);
        let both = pair.run_until(MINUTE, |pair| {
            let ends = [&pair.a, &pair.b];
            ends.iter().all(|end| end.machine.selected_pair().is_some())
        });
        assert!(both, "{role:?}: {pair:?}");
        assert_ne!(pair.a.machine.role(), pair.b.machine.role());
        let changed = [&pair.a, &pair.b].iter().any(|end| {
            let mut events = end.events.iter();
            events.any(|event| matches!(event, IceEvent::RoleChange(_)))
        });
        assert!(changed, "who yields says so");
    }
}

fn address(text: &str) -> IpAddr {
    match text.parse() {
        Ok(address) => address,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Two agents behind NATs, and a STUN and a TURN server.
fn behind_nats(
    subject: &Subject,
    seed: &TestSeed,
    nat: fn(IpAddr) -> Nat,
    policy: TransportPolicy,
) -> (Drive, [crate::vnet::AgentId; 2]) {
    let now = Clock::new().now();
    let mut network = Network::new(seed.value());
    let internet = network.internet();
    let server = address("198.51.100.1");
    let stun = network.add_host_at("stun", internet, server);
    network.serve(
        now,
        stun,
        Box::new(StunServer::new(vec![(server, 3478).into()])),
    );
    let relay = address("198.51.100.2");
    let turn = network.add_host_at("turn", internet, relay);
    network.serve(now, turn, Box::new(TurnServer::new(relay, "kit", "secret")));
    let homes = ["203.0.113.1", "203.0.113.2"].map(|external| {
        let router = Router::nat(nat(address(external)));
        let home = network.add_subnet(internet, &["192.168.1.0/24"], router);
        network.add_host_at(external, home, address("192.168.1.2"))
    });
    let mut turn = IceServer::new(vec!["turn:198.51.100.2".to_owned()]);
    "kit".clone_into(&mut turn.username);
    "secret".clone_into(&mut turn.credential);
    let servers = vec![IceServer::new(vec!["stun:198.51.100.1".to_owned()]), turn];
    let mut drive = Drive::new(network);
    let agents = [0, 1].map(|end| {
        drive.add_agent(homes[end], &*subject.factory(end), |config| {
            config.servers.clone_from(&servers);
            config.policy = policy;
        })
    });
    (drive, agents)
}

pub(super) fn reflexive(subject: &Subject, seed: &TestSeed) {
    let policy = TransportPolicy::All;
    let (mut drive, [a, b]) = behind_nats(subject, seed, Nat::port_restricted, policy);
    assert!(drive.connect(a, b, MINUTE), "{drive:?}");
    let candidates = drive.agent(a).machine.local_candidates();
    let mut types = candidates.iter().map(|it| it.candidate_type);
    assert!(types.any(|it| it == CandidateType::ServerReflexive));
}

pub(super) fn relayed(subject: &Subject, seed: &TestSeed) {
    let policy = TransportPolicy::Relay;
    let (mut drive, [a, b]) = behind_nats(subject, seed, Nat::symmetric, policy);
    assert!(drive.connect(a, b, MINUTE), "{drive:?}");
    for agent in [a, b] {
        let candidates = drive.agent(agent).machine.local_candidates();
        let relayed = |it: &layer::Candidate| it.candidate_type == CandidateType::Relayed;
        assert!(candidates.iter().all(relayed), "nothing else is shown");
    }
    // A route that wants room gets it, and the payload arrives as it was.
    drive.run_for(Duration::from_secs(5));
    for payload in [&b"\x80"[..], b"\x80 odd", &[0x90; 1200]] {
        assert!(drive.send(a, payload));
        drive.run_for(Duration::from_secs(1));
        assert_eq!(drive.agent(b).data.pop(), Some(payload.to_vec()));
    }
}
