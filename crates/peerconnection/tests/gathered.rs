//! What a description says once candidates are gathered.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::{Bound, Interface, SocketId};
use muonrtc_peerconnection::{
    Configuration, DataChannelInit, IceGatheringState, LocalSessionDescription, Session,
    SessionEvent, ShellRequest, Stack,
};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;
use testkit::{Clock, layer_seed};

struct Peer {
    session: Session,
    now: Instant,
    addresses: Vec<IpAddr>,
    sockets: u32,
    events: Vec<SessionEvent>,
}

impl Peer {
    fn on(addresses: &[&str], stack: Stack) -> Self {
        let clock = Clock::new();
        let start = clock.start(layer_seed(1, b"alice   "));
        let waker = Waker::noop().clone();
        let session = Session::new(start, Configuration::default(), stack, waker);
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        Self {
            session: session.unwrap(),
            now: clock.now(),
            addresses: addresses.collect(),
            sockets: 0,
            events: Vec::new(),
        }
    }

    fn offer(&mut self) {
        let init = DataChannelInit::default();
        self.session
            .create_data_channel(self.now, "a", init)
            .unwrap();
        self.session
            .set_local_description(self.now, LocalSessionDescription::default())
            .unwrap();
    }

    /// Answers what the session asks of the system, until it asks for nothing more.
    fn gather(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match &event {
                SessionEvent::Request(ShellRequest::ListInterfaces { request }) => {
                    let addresses = self.addresses.iter();
                    let list: Vec<_> = addresses.map(|it| Interface::new("eth0", *it)).collect();
                    self.session.interfaces_listed(self.now, *request, &list);
                }
                SessionEvent::Request(ShellRequest::Bind { request, local, .. }) => {
                    let port = 4000 + self.sockets as u16;
                    let bound = Bound::new(SocketId(self.sockets), (local.ip(), port).into());
                    self.sockets += 1;
                    self.session.bound(self.now, *request, Ok(bound));
                }
                _ => {}
            }
            self.events.push(event);
        }
        assert_eq!(
            self.session.ice_gathering_state(),
            IceGatheringState::Complete
        );
    }

    fn lines(&self, begins: &[&str]) -> Vec<String> {
        let description = self.session.local_description().unwrap();
        let lines = description.sdp().lines();
        lines
            .filter(|line| begins.iter().any(|begins| line.starts_with(begins)))
            .map(str::to_owned)
            .collect()
    }
}

// ice-019, ice-068, pc-024
#[test]
fn the_default_candidate_stands_in_the_section_once_there_is_one() {
    let mut peer = Peer::on(&["2001:db8::7", "192.0.2.7", "192.0.2.8"], Stack::default());
    peer.offer();
    let address = ["m=", "c="];
    assert_eq!(
        peer.lines(&address),
        [
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 0.0.0.0"
        ]
    );
    assert!(peer.lines(&["a=end-of-candidates"]).is_empty());
    peer.gather();
    let candidates = peer.lines(&["a=candidate:"]);
    let first = candidates.iter().find(|line| line.contains(" 192.0.2."));
    let words: Vec<&str> = first.unwrap().split(' ').collect();
    assert_eq!(
        peer.lines(&address),
        [
            format!(
                "m=application {} UDP/DTLS/SCTP webrtc-datachannel",
                words[5]
            ),
            format!("c=IN IP4 {}", words[4])
        ]
    );
    assert_eq!(peer.lines(&["a=end-of-candidates"]).len(), 1);
    let ends = peer.events.iter();
    let ends = ends.filter(|it| matches!(it, SessionEvent::IceCandidate(None)));
    assert_eq!(ends.count(), 1, "told once");
}

// ice-020
#[test]
fn a_description_says_that_candidates_may_follow_and_which_ice_is_spoken() {
    let mut peer = Peer::on(&["192.0.2.7"], Stack::default());
    peer.offer();
    assert_eq!(
        peer.lines(&["a=ice-options:"]),
        ["a=ice-options:trickle ice2"]
    );
}

// ice-070
#[test]
fn the_name_of_a_host_stands_in_candidates_alone() {
    let mut ice = ice::Factory::default();
    ice.multicast_names = true;
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    let mut peer = Peer::on(&["192.0.2.7"], stack);
    peer.offer();
    peer.gather();
    let candidates = peer.lines(&["a=candidate:"]);
    assert!(
        candidates[0].contains(".local 4000 typ host"),
        "{candidates:?}"
    );
    assert_eq!(
        peer.lines(&["m=", "c="]),
        [
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 0.0.0.0"
        ]
    );
}
