//! A controlled agent and the browsers that lead it, written by hand (dfx-024 to dfx-030).
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use layer::{IceEvent, IceState};
use network::script::{self, Script};
use network::{A, B, Network};
use std::net::SocketAddr;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const PASSWORD: &str = "browser/password/0123456789";

/// Agent `B`, controlled, and a scripted browser with two addresses.
struct Browser {
    network: Network,
    agent: SocketAddr,
    addresses: [SocketAddr; 2],
    number: u8,
    answered: usize,
}

impl Browser {
    fn new() -> Self {
        let mut network = Network::new(7);
        network.peers[A].trickles = false;
        network.gather();
        let now = network.now;
        let credentials = layer::Credentials::new("brow", PASSWORD);
        network
            .agent(B)
            .set_remote_credentials(now, credentials, false)
            .unwrap();
        let agent = network.peers[B].agent.local_candidates()[0]
            .socket_addr()
            .unwrap();
        Self {
            network,
            agent,
            // The first is better: its checks say so.
            addresses: [
                "192.0.2.1:1".parse().unwrap(),
                "192.0.2.2:2".parse().unwrap(),
            ],
            number: 0,
            answered: 0,
        }
    }

    fn check(&mut self, from: usize, nominates: bool) {
        let ours = self.network.peers[B].agent.local_credentials().clone();
        self.number += 1;
        let mut script = Script::new(self.number, &ours, "brow");
        script.priority = Some(0x6E00_1000 - u32::try_from(from).unwrap());
        script.use_candidate = nominates;
        let address = self.addresses[from];
        self.network
            .inject(address, self.agent, script.bytes(), Duration::ZERO);
        self.answer_for(Duration::from_millis(100));
    }

    /// Answers every check of the agent.
    fn answer_for(&mut self, duration: Duration) {
        let end = self.network.now + duration;
        while self.network.now < end {
            self.network.run(Duration::from_millis(1));
            let stray = self.network.stray[self.answered..].to_vec();
            self.answered += stray.len();
            for (from, to, bytes) in stray {
                if script::is_request(&bytes) && self.addresses.contains(&to) {
                    let answer = script::success(&bytes, PASSWORD, from);
                    self.network.inject(to, from, answer, Duration::ZERO);
                }
            }
        }
    }

    fn data(&mut self, from: usize) {
        let address = self.addresses[from];
        self.network
            .inject(address, self.agent, vec![0x80; 20], Duration::ZERO);
        self.answer_for(Duration::from_millis(2));
    }

    fn selected(&self) -> Option<usize> {
        let (_, remote) = self.network.path(B)?;
        self.network.peers[B].agent.selected_pair()?;
        self.addresses.iter().position(|it| *it == remote)
    }
}

// ice-047, ice-048
#[test]
fn a_nomination_counts_once_our_own_check_has_succeeded() {
    let mut browser = Browser::new();
    browser.check(0, false);
    assert_eq!(browser.selected(), None);
    assert_eq!(browser.network.state(B), IceState::Connected);
    browser.check(0, true);
    assert_eq!(browser.selected(), Some(0));
    assert_eq!(browser.network.state(B), IceState::Completed);
}

// ice-048
#[test]
fn a_nomination_in_the_first_check_is_followed_after_the_check_back() {
    let mut browser = Browser::new();
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(1));
    let requests = browser.network.peers[B].sent.iter();
    let requests: Vec<_> = requests.filter(|it| script::is_request(&it.2)).collect();
    assert_eq!(requests.len(), 1);
    // ice-036: a controlled agent never nominates.
    let message = stun::Message::parse(&requests[0].2).unwrap();
    assert_eq!(message.attribute::<stun::UseCandidate>(), Ok(None));
}

// ice-050, dfx-027
#[test]
fn of_pairs_nominated_at_once_the_best_is_taken() {
    let mut browser = Browser::new();
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(1));
    browser.check(0, true);
    assert_eq!(browser.selected(), Some(0), "the better one");
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(0), "and it stays");
}

// dfx-026
#[test]
fn a_browser_that_moves_later_is_followed_to_the_worse_pair() {
    let mut browser = Browser::new();
    browser.check(0, true);
    browser.check(1, false);
    browser.answer_for(4 * SECOND);
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(1));
    let changes = browser.network.peers[B].events.iter();
    let changes = changes.filter(|(_, it)| matches!(it, IceEvent::SelectedPairChange(_)));
    assert_eq!(changes.count(), 2);
}

// dfx-024, dfx-026
#[test]
fn while_a_browser_nominates_two_pairs_its_data_tells_where_it_is() {
    let mut browser = Browser::new();
    browser.check(0, true);
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(0));
    // It moves to the worse pair, and still pings the better one with the flag now and then.
    browser.data(1);
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(1));
    for _ in 0..10 {
        browser.data(1);
        browser.check(0, true);
        browser.check(1, true);
        assert_eq!(browser.selected(), Some(1), "no flapping");
    }
}

// dfx-024
#[test]
fn pings_of_a_backup_pair_are_answered_and_change_nothing() {
    let mut browser = Browser::new();
    browser.check(0, true);
    browser.check(1, false);
    for _ in 0..10 {
        browser.answer_for(SECOND);
        browser.check(0, true);
        browser.check(1, false);
    }
    assert_eq!(browser.selected(), Some(0));
    let answered = browser.network.stray.iter();
    let answered = answered.filter(|(_, _, it)| {
        script::verdict(it).is_some_and(|(class, _)| class == stun::Class::Success)
    });
    assert_eq!(answered.count(), 22);
}

// RFC 7675 §5.1
#[test]
fn a_pair_whose_consent_has_ended_is_checked_again_before_it_is_followed() {
    let mut browser = Browser::new();
    browser.check(1, false);
    browser.check(0, true);
    for _ in 0..40 {
        browser.answer_for(SECOND);
    }
    assert_eq!(browser.selected(), Some(0));
    let before = browser.network.peers[B].sent.len();
    browser.check(1, true);
    let sent = browser.network.peers[B].sent[before..].iter();
    let checks = sent.filter(|(_, to, it)| script::is_request(it) && *to == browser.addresses[1]);
    assert_eq!(checks.count(), 1);
    assert_eq!(browser.selected(), Some(1));
}

// dfx-025
#[test]
fn a_browser_that_leaves_a_dead_pair_is_followed_at_once() {
    let mut browser = Browser::new();
    browser.check(0, true);
    browser.check(1, false);
    // The path of the first dies: nothing of it comes any more, for 3 s.
    browser.answer_for(3100 * Duration::from_millis(1));
    browser.check(1, true);
    assert_eq!(browser.selected(), Some(1));
    assert_eq!(browser.network.state(B), IceState::Completed);
}
