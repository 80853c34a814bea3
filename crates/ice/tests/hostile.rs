//! Packets of people who do not belong: counted, bounded, without effect.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{Ice, IceState, Input, Received, SocketId};
use network::script::{self, Script, verdict};
use network::{A, B, Network};
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;
use stun::Class;

const SECOND: Duration = Duration::from_secs(1);
const STRANGER: &str = "203.0.113.66:666";

fn address(network: &Network, peer: usize) -> SocketAddr {
    network.peers[peer].agent.local_candidates()[0]
        .socket_addr()
        .unwrap()
}

/// The answers that a stranger gets to one message.
fn ask(network: &mut Network, bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let to = address(network, A);
    let before = network.stray.len();
    network.inject(STRANGER.parse().unwrap(), to, bytes, Duration::ZERO);
    network.run(Duration::from_millis(3));
    let stray = network.stray[before..].iter();
    stray.map(|(_, _, bytes)| bytes.clone()).collect()
}

fn connected(seed: u64) -> Network {
    let mut network = Network::new(seed);
    network.connect();
    network
        .run_until(SECOND, |it| it.both(IceState::Completed))
        .unwrap();
    network
}

// stun-033, ice-044
#[test]
fn unauthenticated_requests_are_refused_without_integrity_and_without_effect() {
    let mut network = connected(1);
    let ours = network.peers[A].agent.local_credentials().clone();
    let good = Script::new(1, &ours, "them");
    type Spoil = fn(&mut Script);
    let cases: [(&str, u16, Spoil); 5] = [
        ("no user name", 400, |it| it.username.clear()),
        ("no integrity", 400, |it| it.integrity = false),
        ("another password", 401, |it| {
            it.password = "wrong".to_owned()
        }),
        ("another user", 401, |it| {
            it.username = "nobody:them".to_owned()
        }),
        ("half a user name", 401, |it| {
            it.username = "nobody".to_owned()
        }),
    ];
    for (case, code, spoil) in cases {
        let mut script = good.clone();
        spoil(&mut script);
        let answers = ask(&mut network, script.bytes());
        assert_eq!(answers.len(), 1, "{case}");
        assert_eq!(verdict(&answers[0]), Some((Class::Error, code)), "{case}");
        let message = stun::Message::parse(&answers[0]).unwrap();
        let key = script::key(&ours.password);
        assert_eq!(message.integrity(&*key), None, "{case}");
        assert_eq!(message.fingerprint(), Some(true), "{case}");
    }
    let stats = network.peers[A].agent.stats();
    assert_eq!(stats.unauthenticated, 5);
    assert_eq!(stats.pairs.len(), 1);
    assert_eq!(network.peers[A].agent.remote_candidates().len(), 1);
}

// stun-014, stun-034
#[test]
fn authenticated_requests_that_make_no_sense_are_refused_with_integrity() {
    let mut network = connected(1);
    let ours = network.peers[A].agent.local_credentials().clone();
    let mut unknown = Script::new(1, &ours, "them");
    unknown.unknown = true;
    let mut without = Script::new(2, &ours, "them");
    without.priority = None;
    for (script, code) in [(unknown, 420), (without, 400)] {
        let answers = ask(&mut network, script.bytes());
        assert_eq!(verdict(&answers[0]), Some((Class::Error, code)));
        let message = stun::Message::parse(&answers[0]).unwrap();
        let key = script::key(&ours.password);
        assert_eq!(message.integrity(&*key), Some(true));
        assert_eq!(message.attribute::<stun::Username<'_>>(), Ok(None));
        let unknown = message.attribute::<stun::UnknownAttributes>().unwrap();
        assert_eq!(unknown.is_some(), code == 420);
    }
}

// ice-035, stun-013
#[test]
fn requests_without_a_fingerprint_are_not_ice() {
    let mut network = connected(1);
    let ours = network.peers[A].agent.local_credentials().clone();
    let mut script = Script::new(1, &ours, "them");
    script.fingerprint = false;
    assert!(ask(&mut network, script.bytes()).is_empty());
    assert_eq!(network.peers[A].agent.stats().malformed, 1);
}

#[test]
fn a_flood_of_bogus_requests_gets_a_handful_of_answers_and_harms_nobody() {
    let mut network = connected(1);
    let to = address(&network, A);
    for number in 0..10_000_u32 {
        let from = SocketAddr::from((
            [203, 0, 113, 1],
            1024 + u16::try_from(number % 60_000).unwrap(),
        ));
        let ours = network.peers[A].agent.local_credentials().clone();
        let mut script = Script::new(1, &ours, "them");
        script.password = "wrong".to_owned();
        script.id[..4].copy_from_slice(&number.to_be_bytes());
        network.inject(from, to, script.bytes(), Duration::from_micros(1));
    }
    network.run(Duration::from_millis(10));
    assert_eq!(network.stray.len(), 16);
    let stats = network.peers[A].agent.stats();
    assert_eq!((stats.unauthenticated, stats.unanswered), (10_000, 9984));
    assert!(network.data_flows());
    network.run(60 * SECOND);
    assert!(network.both(IceState::Completed));
}

#[test]
fn a_peer_that_checks_from_ten_thousand_addresses_is_bounded() {
    let mut network = connected(1);
    let now = network.now;
    let to = address(&network, B);
    let ours = network.peers[B].agent.local_credentials().clone();
    for number in 0..10_000_u32 {
        let from = SocketAddr::from((std::net::Ipv4Addr::from(0x0B00_0000 + number), 9));
        let mut script = Script::new(1, &ours, "them");
        script.id[..4].copy_from_slice(&number.to_be_bytes());
        network.inject(
            from,
            to,
            script.bytes(),
            Duration::from_micros(u64::from(number)),
        );
    }
    network.run(2 * SECOND);
    assert!(network.peers[B].agent.remote_candidates().len() <= 100);
    let stats = network.peers[B].agent.stats();
    assert!(stats.pairs.len() <= 100);
    assert!(stats.candidates_dropped >= 9900, "{stats:?}");
    assert!(network.path(A).is_some() && network.now > now);
    network.run(60 * SECOND);
    assert!(network.both(IceState::Completed));
    assert!(network.data_flows());
}

// dfx-072
#[test]
fn data_of_strangers_is_dropped_and_counted() {
    let mut network = connected(1);
    for first in [0x04, 0x16, 0x40, 0x80, 0xFF] {
        ask(&mut network, vec![first; 100]);
    }
    assert!(network.peers[A].received.is_empty());
    assert_eq!(network.peers[A].agent.stats().unvalidated_data, 5);
}

// ice-039
#[test]
fn an_answer_from_elsewhere_fails_the_pair() {
    let mut network = Network::new(1);
    network.cut = true;
    network.connect();
    let check = network.peers[A].sent[0].2.clone();
    let password = network.peers[B].agent.local_credentials().password.clone();
    let to = address(&network, A);
    let answer = script::success(&check, &password, to);
    network.inject(STRANGER.parse().unwrap(), to, answer, Duration::ZERO);
    network.run(Duration::from_millis(1));
    let stats = network.peers[A].agent.stats();
    assert_eq!(stats.pairs[0].state, layer::PairState::Failed);
    assert_eq!(network.path(A), None);
}

// stun-026, stun-035
#[test]
fn forged_answers_are_as_good_as_none() {
    let mut network = Network::new(1);
    network.cut = true;
    network.connect();
    let check = network.peers[A].sent[0].2.clone();
    let (from, to) = (address(&network, B), address(&network, A));
    let forged = [
        script::success(&check, "wrong", to),
        script::error(&check, 401, None),
        script::error(&check, 487, None),
        script::error(&check, 487, Some("wrong")),
    ];
    for answer in forged {
        network.inject(from, to, answer, Duration::ZERO);
    }
    let mut stranger = check.clone();
    stranger[10] ^= 1;
    let password = network.peers[B].agent.local_credentials().password.clone();
    let unmatched = script::success(&stranger, &password, to);
    network.inject(from, to, unmatched, Duration::ZERO);
    network.run(Duration::from_millis(1));
    let stats = network.peers[A].agent.stats();
    assert_eq!((stats.unauthenticated, stats.unmatched), (4, 1));
    assert_eq!(stats.pairs[0].state, layer::PairState::InProgress);
    // The true answer is still taken.
    let answer = script::success(&check, &password, to);
    network.inject(from, to, answer, Duration::ZERO);
    network.run(Duration::from_millis(1));
    assert!(network.path(A).is_some());
}

// ice-043
#[test]
fn an_authentic_refusal_fails_the_pair() {
    let mut network = Network::new(1);
    network.cut = true;
    network.connect();
    let check = network.peers[A].sent[0].2.clone();
    let password = network.peers[B].agent.local_credentials().password.clone();
    let (from, to) = (address(&network, B), address(&network, A));
    let refusal = script::error(&check, 400, Some(&password));
    network.inject(from, to, refusal, Duration::ZERO);
    network.run(Duration::from_millis(1));
    let stats = network.peers[A].agent.stats();
    assert_eq!(stats.pairs[0].state, layer::PairState::Failed);
}

#[test]
fn two_agents_that_cannot_agree_on_roles_do_not_flood_each_other() {
    // A peer that answers every check with 487, as fast as it can.
    let mut network = Network::new(1);
    network.cut = true;
    network.connect();
    let password = network.peers[B].agent.local_credentials().password.clone();
    let (from, to) = (address(&network, B), address(&network, A));
    let mut answered = 0;
    for _ in 0..2000 {
        let sent: Vec<Vec<u8>> = network.peers[A].sent[answered..]
            .iter()
            .map(|it| it.2.clone())
            .collect();
        answered += sent.len();
        for check in sent {
            let refusal = script::error(&check, 487, Some(&password));
            network.inject(from, to, refusal, Duration::ZERO);
        }
        network.run(Duration::from_millis(1));
    }
    assert!(answered < 12, "{answered} checks in 2 s");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_and_times_never_panic(
        packets in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..120), 0_u64..5000),
            1..40,
        ),
        seed in 1_u64..50,
    ) {
        let mut network = Network::new(seed);
        network.connect();
        let to = address(&network, A);
        let friend = address(&network, B);
        for (bytes, pause) in packets {
            for from in [STRANGER.parse().unwrap(), friend] {
                network.inject(from, to, bytes.clone(), Duration::from_millis(pause));
                // The same behind a STUN header that looks right.
                let mut stun = vec![bytes.first().copied().unwrap_or(0) & 3, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
                stun.extend(&bytes);
                let length = u16::try_from(stun.len().saturating_sub(20)).unwrap();
                stun[2..4].copy_from_slice(&length.to_be_bytes());
                network.inject(from, to, stun, Duration::from_millis(pause));
            }
        }
        network.run(6 * SECOND);
        prop_assert!(network.both(IceState::Completed));
    }

    #[test]
    fn mutated_checks_never_panic_and_open_nothing(
        at in 0_usize..200, xor in 1_u8..=255, cut in 0_usize..100,
    ) {
        let mut network = Network::new(1);
        network.gather();
        let ours = network.peers[A].agent.local_credentials().clone();
        let mut bytes = Script::new(1, &ours, "them").nominating().bytes();
        let at = at % bytes.len();
        bytes[at] ^= xor;
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        ask(&mut network, bytes);
        let to = address(&network, A);
        let mut data = [0x80; 20];
        let now = network.now;
        let agent: &mut dyn Ice = network.agent(A);
        let input = Input::new(SocketId(1), to, STRANGER.parse().unwrap(), &mut data);
        prop_assert_eq!(agent.handle_input(now, input), Received::Consumed);
    }
}

// RFC 8445 §19.5.1
#[test]
fn a_peer_with_forged_addresses_cannot_make_us_flood_others() {
    let mut network = connected(1);
    let to = address(&network, B);
    let ours = network.peers[B].agent.local_credentials().clone();
    for number in 0..1000_u16 {
        let from = SocketAddr::from(([192, 0, 2, 1], 1000 + number));
        let mut script = Script::new(1, &ours, "them");
        script.id[..2].copy_from_slice(&number.to_be_bytes());
        network.inject(
            from,
            to,
            script.bytes(),
            Duration::from_micros(u64::from(number)),
        );
    }
    network.peers[B].sent.clear();
    network.run(Duration::from_millis(400));
    let sent = network.peers[B].sent.iter();
    let checks = sent.filter(|(_, _, bytes)| script::is_request(bytes));
    assert!(checks.count() <= 16, "eight at once and then one per 50 ms");
}
