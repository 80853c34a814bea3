//! Gathering: what is asked of the shell, and what comes of its answers.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{
    Bound, GatheringState, Ice, IceConfig, IceEvent, Interface, NewIce, RequestId, Seed, SocketId,
    Start,
};
use muonrtc_ice::Factory;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::{Instant, SystemTime};

fn agent(factory: &Factory) -> (Box<dyn Ice>, Instant) {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some instant to start from"
    )]
    let now = Instant::now();
    let start = Start::new(now, SystemTime::UNIX_EPOCH, Seed::new([3; 32]));
    (
        factory.new_ice(start, IceConfig::new(Waker::noop().clone())),
        now,
    )
}

fn events(agent: &mut dyn Ice) -> Vec<IceEvent> {
    std::iter::from_fn(|| agent.poll_event()).collect()
}

fn listing(agent: &mut dyn Ice) -> RequestId {
    let found = events(agent).into_iter().find_map(|event| match event {
        IceEvent::ListInterfaces { request } => Some(request),
        _ => None,
    });
    found.expect("interfaces are asked for")
}

fn binds(events: &[IceEvent]) -> Vec<(RequestId, SocketAddr)> {
    let binds = events.iter().filter_map(|event| match event {
        IceEvent::Bind { request, local, .. } => Some((*request, *local)),
        _ => None,
    });
    binds.collect()
}

// ice-008, ice-009, ice-010
#[test]
fn every_address_becomes_a_candidate_with_a_priority_of_its_own() {
    let (mut agent, now) = agent(&Factory::default());
    agent.gather(now);
    let request = listing(&mut *agent);
    let interfaces = ["10.0.0.1", "10.0.0.2", "2001:db8::1"]
        .map(|address| Interface::new("eth0", address.parse().unwrap()));
    agent.interfaces_listed(now, request, &interfaces);
    let asked = events(&mut *agent);
    let binds = binds(&asked);
    assert_eq!(binds.len(), 3);
    assert!(binds.iter().all(|(_, local)| local.port() == 0));
    assert_eq!(agent.gathering_state(), GatheringState::Gathering);
    for (number, (request, local)) in (1..).zip(binds) {
        let local = SocketAddr::new(local.ip(), 5000);
        agent.bound(now, request, Ok(Bound::new(SocketId(number), local)));
    }
    assert_eq!(agent.gathering_state(), GatheringState::Complete);
    let candidates = agent.local_candidates();
    let priorities: Vec<u32> = candidates.iter().map(|it| it.priority).collect();
    assert_eq!(priorities, [2_130_706_431, 2_130_706_175, 2_130_705_919]);
    let foundations: std::collections::BTreeSet<_> =
        candidates.iter().map(|it| it.foundation.clone()).collect();
    assert_eq!(foundations.len(), 3, "ice-006: one per base");
    assert!(
        candidates
            .iter()
            .all(|it| it.component == 1 && it.related.is_none())
    );
}

#[test]
fn an_address_that_cannot_be_bound_is_left_out() {
    let (mut agent, now) = agent(&Factory::default());
    agent.gather(now);
    let request = listing(&mut *agent);
    let interfaces = ["10.0.0.1", "10.0.0.2"].map(|it| Interface::new("eth0", it.parse().unwrap()));
    agent.interfaces_listed(now, request, &interfaces);
    let binds = binds(&events(&mut *agent));
    agent.bound(now, binds[0].0, Err(ErrorKind::AddrInUse));
    assert_eq!(agent.gathering_state(), GatheringState::Gathering);
    let local = SocketAddr::new(binds[1].1.ip(), 5000);
    agent.bound(now, binds[1].0, Ok(Bound::new(SocketId(1), local)));
    assert_eq!(agent.gathering_state(), GatheringState::Complete);
    assert_eq!(agent.local_candidates().len(), 1);
}

#[test]
fn a_host_without_addresses_completes_with_nothing() {
    let (mut agent, now) = agent(&Factory::default());
    agent.gather(now);
    let request = listing(&mut *agent);
    agent.interfaces_listed(now, request, &[]);
    assert_eq!(agent.gathering_state(), GatheringState::Complete);
    agent.gather(now);
    assert!(
        events(&mut *agent)
            .iter()
            .all(|event| !matches!(event, IceEvent::ListInterfaces { .. })),
        "once per generation"
    );
}

#[test]
fn answers_to_nobodys_question_are_ignored_and_their_sockets_given_back() {
    let (mut agent, now) = agent(&Factory::default());
    agent.interfaces_listed(now, RequestId(77), &[]);
    assert_eq!(agent.gathering_state(), GatheringState::New);
    let bound = Bound::new(SocketId(5), "10.0.0.1:9".parse().unwrap());
    agent.bound(now, RequestId(78), Ok(bound));
    assert_eq!(
        events(&mut *agent),
        [IceEvent::CloseSocket {
            socket: SocketId(5)
        }]
    );
    assert!(agent.local_candidates().is_empty());
}

#[test]
fn sockets_that_come_after_the_end_are_given_back() {
    let mut factory = Factory::default();
    factory.tcp_passive = true;
    let (mut agent, now) = agent(&factory);
    agent.gather(now);
    let request = listing(&mut *agent);
    let interface = Interface::new("eth0", [10, 0, 0, 1].into());
    agent.interfaces_listed(now, request, &[interface]);
    let (request, local) = binds(&events(&mut *agent))[0];
    agent.bound(now, request, Ok(Bound::new(SocketId(5), local)));
    let listens = events(&mut *agent).into_iter();
    let listens = listens.filter_map(|event| match event {
        IceEvent::ListenTcp { request, .. } => Some(request),
        _ => None,
    });
    let listens: Vec<RequestId> = listens.collect();
    assert_eq!(listens.len(), 1);
    agent.close(now);
    events(&mut *agent);
    let socket = SocketId(6);
    agent.bound(now, listens[0], Ok(Bound::new(socket, local)));
    assert_eq!(events(&mut *agent)[0], IceEvent::CloseSocket { socket });
}

#[test]
fn the_number_of_addresses_is_bounded_and_the_port_range_is_passed_on() {
    let mut factory = Factory::default();
    factory.ports = Some((40_000, 40_010));
    let (mut agent, now) = agent(&factory);
    agent.gather(now);
    let request = listing(&mut *agent);
    let interfaces: Vec<Interface> = (1..200_u8)
        .map(|number| Interface::new("eth0", [10, 0, 0, number].into()))
        .collect();
    agent.interfaces_listed(now, request, &interfaces);
    let asked = events(&mut *agent);
    assert_eq!(binds(&asked).len(), 16);
    assert!(asked.iter().all(|event| match event {
        IceEvent::Bind { ports, .. } => *ports == Some((40_000, 40_010)),
        _ => true,
    }));
}

// ice-052
#[test]
fn sockets_without_a_selected_pair_are_released_when_wanted() {
    use network::{A, Network};
    let mut factory = Factory::default();
    factory.release_after = Some(std::time::Duration::from_secs(3));
    let addresses: [&[&str]; 2] = [&["10.0.0.1", "10.0.1.1"], &["10.0.0.2"]];
    let mut network = Network::with(1, [factory, Factory::default()], addresses);
    network.connect();
    network.run(std::time::Duration::from_secs(5));
    let closed = network.peers[A].events.iter();
    let closed: Vec<_> = closed
        .filter(|(_, event)| matches!(event, IceEvent::CloseSocket { .. }))
        .collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].0.as_secs(), 3);
    assert!(network.data_flows());
}

// ice-013 has nothing to pool here: gathering may begin before anything else is known.
#[test]
fn candidates_can_be_gathered_before_roles_and_peers_are_known() {
    let (mut agent, now) = agent(&Factory::default());
    agent.gather(now);
    let request = listing(&mut *agent);
    agent.interfaces_listed(now, request, &[Interface::new("lo", [127, 0, 0, 1].into())]);
    let (request, local) = binds(&events(&mut *agent))[0];
    assert!(local.ip().is_loopback(), "there is nothing else to offer");
    let local = SocketAddr::new(local.ip(), 5000);
    agent.bound(now, request, Ok(Bound::new(SocketId(1), local)));
    assert_eq!(agent.gathering_state(), GatheringState::Complete);
    assert_eq!(agent.poll_timeout(), None);
}
