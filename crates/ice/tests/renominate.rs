//! Renomination (draft-thatcher-ice-renomination-01): a better pair that works late is moved to.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod network;

use layer::{IceEvent, IceState};
use muonrtc_ice::Factory;
use network::script::Script;
use network::{A, B, Network};
use std::net::SocketAddr;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn factory(renomination: bool) -> Factory {
    let mut factory = Factory::default();
    factory.renomination = renomination;
    factory
}

/// The better of the two addresses of `A` works only after five seconds.
fn late_better_address(renomination: bool) -> Network {
    let factories = [factory(renomination), factory(renomination)];
    let mut network = Network::with(1, factories, [&["10.0.0.1", "10.0.0.3"], &["10.0.0.2"]]);
    network.dead.insert("10.0.0.1".parse().unwrap());
    network.connect();
    network.run(5 * SECOND);
    assert!(network.both(IceState::Completed));
    let used = |network: &Network| network.path(A).unwrap().0.ip().to_string();
    assert_eq!(used(&network), "10.0.0.3");
    network.dead.clear();
    network.run(30 * SECOND);
    assert!(network.both(IceState::Completed));
    network
}

// dfx-028
#[test]
fn a_better_pair_that_works_late_is_nominated_again() {
    let mut network = late_better_address(true);
    assert!(network.peers[A].agent.renominates());
    let (ours, theirs) = (network.path(A).unwrap(), network.path(B).unwrap());
    assert_eq!(ours.0.ip().to_string(), "10.0.0.1");
    assert_eq!((ours.0, ours.1), (theirs.1, theirs.0));
    assert!(network.data_flows());
}

// ice-050
#[test]
fn without_renomination_the_first_nomination_is_the_last() {
    let network = late_better_address(false);
    assert_eq!(network.path(A).unwrap().0.ip().to_string(), "10.0.0.3");
}

// dfx-028: the larger number wins, however late it comes.
#[test]
fn a_controlled_agent_follows_the_largest_number() {
    let mut network = Network::new(3);
    network.peers[A].trickles = false;
    network.gather();
    let now = network.now;
    let password = "browser/password/0123456789";
    let credentials = layer::Credentials::new("brow", password);
    let agent = network.agent(B);
    agent
        .set_remote_credentials(now, credentials, false)
        .unwrap();
    let ours = agent.local_credentials().clone();
    let address = agent.local_candidates()[0].socket_addr().unwrap();
    let peers: [SocketAddr; 2] = [
        "192.0.2.1:1".parse().unwrap(),
        "192.0.2.2:2".parse().unwrap(),
    ];
    let mut number = 0;
    let mut nominate = |network: &mut Network, from: usize, nomination: u32| {
        number += 1;
        let mut script = Script::new(number, &ours, "brow");
        script.nomination = Some(nomination);
        network.inject(peers[from], address, script.bytes(), Duration::ZERO);
        network.run(SECOND);
        // The peer answers the checks that this triggers.
        for (to, check) in network
            .stray
            .drain(..)
            .map(|(_, to, it)| (to, it))
            .collect::<Vec<_>>()
        {
            if network::script::is_request(&check) {
                let answer = network::script::success(&check, password, address);
                network.inject(to, address, answer, Duration::ZERO);
            }
        }
        network.run(SECOND);
        network.path(B).unwrap().1
    };
    assert_eq!(nominate(&mut network, 1, 2), peers[1]);
    assert_eq!(
        nominate(&mut network, 0, 1),
        peers[1],
        "an older one comes late"
    );
    assert_eq!(nominate(&mut network, 0, 3), peers[0]);
    let selections = network.peers[B].events.iter();
    let selections = selections.filter(|(_, it)| matches!(it, IceEvent::SelectedPairChange(_)));
    assert_eq!(selections.count(), 2);
}
