//! Verbs in any order, at any time: an owner can do everything wrong and the agent stands.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{
    Candidate, CandidateAddress, CandidateType, Credentials, IceRole, IceState, Protocol,
    RequestId, SocketId, TransportPolicy,
};
use network::{A, B, Network};
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Verb {
    Role(bool),
    Gather,
    Introduce,
    Invent(u8),
    Restart(u8),
    Candidate(u8),
    Name,
    Resolve(u64, u8),
    End,
    Bound(u64),
    Interfaces(u64),
    Policy(bool),
    SocketClosed(u32),
    Send,
    Loss(u64),
    Pass(u64),
    Close,
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        any::<bool>().prop_map(Verb::Role),
        Just(Verb::Gather),
        Just(Verb::Introduce),
        Just(Verb::Introduce),
        (0_u8..3).prop_map(Verb::Invent),
        (0_u8..3).prop_map(Verb::Restart),
        (0_u8..250).prop_map(Verb::Candidate),
        Just(Verb::Name),
        (0_u64..20, 0_u8..3).prop_map(|(request, count)| Verb::Resolve(request, count)),
        Just(Verb::End),
        (0_u64..20).prop_map(Verb::Bound),
        (0_u64..20).prop_map(Verb::Interfaces),
        any::<bool>().prop_map(Verb::Policy),
        (0_u32..4).prop_map(Verb::SocketClosed),
        Just(Verb::Send),
        (0_u64..60).prop_map(Verb::Loss),
        (0_u64..40_000).prop_map(Verb::Pass),
        (0_u64..100).prop_map(Verb::Pass),
        // Rarely, or there would be nothing else to see.
        Just(Verb::Send),
        prop_oneof![9 => Just(Verb::Gather), 1 => Just(Verb::Close)],
    ]
}

fn credentials(number: u8) -> Credentials {
    Credentials::new(
        format!("frag{number}"),
        format!("password{number}0123456789ABCDEF"),
    )
}

fn candidate(number: u8) -> Candidate {
    let address = CandidateAddress::Socket(([10, 0, 0, number], 9).into());
    Candidate::new("1", CandidateType::Host, Protocol::Udp, 77, address)
}

fn apply(network: &mut Network, peer: usize, verb: &Verb) {
    let now = network.now;
    let agent = network.agent(peer);
    match *verb {
        Verb::Role(true) => agent.set_role(now, IceRole::Controlling),
        Verb::Role(false) => agent.set_role(now, IceRole::Controlled),
        Verb::Gather => agent.gather(now),
        Verb::Introduce => {
            let theirs = network.peers[1 - peer].agent.local_credentials().clone();
            let candidates = network.peers[1 - peer].agent.local_candidates();
            let agent = network.agent(peer);
            let _ = agent.set_remote_credentials(now, theirs, false);
            for candidate in candidates {
                let _ = agent.add_remote_candidate(now, candidate);
            }
        }
        Verb::Invent(number) => {
            let _ = agent.set_remote_credentials(now, credentials(number), number == 2);
        }
        Verb::Restart(number) => {
            let _ = agent.restart(now, credentials(number));
        }
        Verb::Candidate(number) => {
            let _ = agent.add_remote_candidate(now, candidate(number));
        }
        Verb::Name => {
            let mut named = candidate(1);
            named.address = CandidateAddress::Name {
                host: "x.local".to_owned(),
                port: 9,
            };
            let _ = agent.add_remote_candidate(now, named);
        }
        Verb::Resolve(request, count) => {
            let found = [[10, 0, 0, 2].into(), [10, 0, 0, 9].into()];
            agent.resolved(now, RequestId(request), &found[..usize::from(count)]);
        }
        Verb::End => agent.end_of_remote_candidates(now),
        Verb::Bound(request) => {
            agent.bound(now, RequestId(request), Err(std::io::ErrorKind::AddrInUse));
        }
        Verb::Interfaces(request) => agent.interfaces_listed(now, RequestId(request), &[]),
        Verb::Policy(all) => agent.reconfigure(
            Vec::new(),
            if all {
                TransportPolicy::All
            } else {
                TransportPolicy::Relay
            },
        ),
        Verb::SocketClosed(socket) => agent.socket_closed(now, SocketId(socket)),
        Verb::Send => {
            network.send(peer, b"\x80data");
        }
        Verb::Loss(percent) => network.loss = percent,
        Verb::Pass(millis) => network.run(Duration::from_millis(millis)),
        Verb::Close => agent.close(now),
    }
    network.settle();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_order_of_verbs_is_survived_and_a_restart_heals(
        verbs in proptest::collection::vec((any::<bool>(), verb()), 1..40),
        seed in 1_u64..1000,
    ) {
        let mut network = Network::new(seed);
        for (first, verb) in &verbs {
            apply(&mut network, usize::from(*first), verb);
            for peer in [A, B] {
                let stats = network.peers[peer].agent.stats();
                prop_assert!(stats.pairs.len() <= 200, "two generations of a hundred");
                let route = network.peers[peer].agent.route();
                let state = network.state(peer);
                let open = matches!(
                    state,
                    IceState::Connected | IceState::Completed | IceState::Disconnected
                );
                prop_assert!(!open || route.is_some(), "{state:?} without a path");
            }
        }
        if [A, B].into_iter().any(|peer| network.state(peer) == IceState::Closed) {
            return Ok(());
        }
        // Whatever happened: with a restart on both ends everything is well again.
        network.loss = 0;
        let now = network.now;
        for (peer, role) in [(A, IceRole::Controlling), (B, IceRole::Controlled)] {
            let label = u8::try_from(10 + peer).unwrap();
            let agent = network.agent(peer);
            agent.reconfigure(Vec::new(), TransportPolicy::All);
            agent.restart(now, credentials(label)).unwrap();
            agent.set_role(now, role);
            agent.gather(now);
        }
        network.settle();
        for peer in [A, B] {
            apply(&mut network, peer, &Verb::Introduce);
        }
        let healed = network.run_until(Duration::from_secs(30), |it| it.both(IceState::Completed));
        prop_assert!(healed.is_some(), "{:?} {:?}", network.states(A), network.states(B));
        prop_assert!(network.data_flows());
    }
}
