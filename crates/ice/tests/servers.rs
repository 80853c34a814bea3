//! Server-reflexive candidates: what servers are asked, and what becomes of their answers.
#![allow(clippy::unwrap_used, reason = "tests")]

use layer::{
    Bound, Candidate, CandidateAddress, CandidateType, GatheringState, Ice, IceConfig, IceEvent,
    IceServer, Input, Interface, NewIce, RequestId, Seed, SocketId, Start, Transmit,
    TransportPolicy,
};
use layer::{Credentials, IceRole, Protocol};
use muonrtc_ice::Factory;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};
use stun::{
    Builder, Class, Data, ErrorCode, Lifetime, Message, Method, Priority, TransactionId, Username,
    XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};

const HOST: &str = "10.0.0.1:5000";
const SERVER: &str = "192.0.2.1:3478";
const SEEN: &str = "198.51.100.7:40000";
const RELAYED: &str = "192.0.2.1:60000";

struct Gatherer {
    agent: Box<dyn Ice>,
    now: Instant,
    events: Vec<IceEvent>,
}

impl Gatherer {
    /// An agent with one host candidate and these servers.
    fn with(urls: &[&str], policy: TransportPolicy) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some instant to start from"
        )]
        let now = Instant::now();
        let start = Start::new(now, SystemTime::UNIX_EPOCH, Seed::new([7; 32]));
        let mut config = IceConfig::new(Waker::noop().clone());
        config.servers = vec![IceServer::new(
            urls.iter().map(|url| (*url).into()).collect(),
        )];
        config.policy = policy;
        let mut this = Self {
            agent: Factory::default().new_ice(start, config),
            now,
            events: Vec::new(),
        };
        this.agent.gather(now);
        this.answer_requests();
        this
    }

    /// Plays the operating system; names are left alone.
    fn answer_requests(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            match &event {
                IceEvent::ListInterfaces { request } => {
                    let interface = Interface::new("eth0", addr(HOST).ip());
                    self.agent
                        .interfaces_listed(self.now, *request, &[interface]);
                }
                IceEvent::Bind { request, .. } => {
                    let bound = Bound::new(SocketId(1), addr(HOST));
                    self.agent.bound(self.now, *request, Ok(bound));
                }
                _ => {}
            }
            self.events.push(event);
        }
    }

    fn name_asked(&self) -> Option<(RequestId, String)> {
        self.events.iter().find_map(|event| match event {
            IceEvent::Resolve { request, host } => Some((*request, host.clone())),
            _ => None,
        })
    }

    /// What is sent now.
    fn sent(&mut self) -> Vec<(Transmit, TransactionId)> {
        let mut buf = [0; 1500];
        let mut sent = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit(self.now, &mut buf) {
            let message = Message::parse(&buf[..transmit.len]).unwrap();
            assert_eq!(message.class(), Class::Request);
            sent.push((transmit, message.transaction_id()));
        }
        sent
    }

    fn receive(&mut self, from: &str, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let input = Input::new(SocketId(1), addr(HOST), addr(from), &mut bytes);
        self.agent.handle_input(self.now, input);
        self.answer_requests();
    }

    fn pass(&mut self, until: Duration, start: Instant) {
        while let Some(due) = self
            .agent
            .poll_timeout()
            .filter(|due| *due <= start + until)
        {
            self.now = due.max(self.now);
            self.agent.handle_timeout(self.now);
            self.sent();
            self.answer_requests();
        }
        self.now = start + until;
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn success(id: TransactionId, seen: &str) -> Vec<u8> {
    let mut buf = [0; 200];
    // As old servers answer: without a fingerprint.
    let len = Builder::new(&mut buf, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(addr(seen)))
        .finish()
        .unwrap();
    buf[..len].to_vec()
}

// ice-004, ice-006, ice-008, ice-009
#[test]
fn a_server_shows_where_a_host_candidate_is_seen_from() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    assert_eq!(it.agent.gathering_state(), GatheringState::Gathering);
    let sent = it.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].0.local, sent[0].0.remote),
        (addr(HOST), addr(SERVER))
    );
    it.receive(SERVER, &success(sent[0].1, SEEN));
    assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
    let candidates = it.agent.local_candidates();
    assert_eq!(candidates.len(), 2);
    let reflexive = &candidates[1];
    assert_eq!(reflexive.candidate_type, CandidateType::ServerReflexive);
    assert_eq!(reflexive.address, CandidateAddress::Socket(addr(SEEN)));
    assert_eq!(reflexive.related, Some(addr(HOST)));
    assert_eq!(reflexive.priority, 1_694_498_815);
    assert_ne!(reflexive.foundation, candidates[0].foundation);
    assert_eq!(reflexive.url.as_deref(), Some("stun:192.0.2.1"));
    let told = it.events.iter().any(
        |event| matches!(event, IceEvent::Candidate(told) if told.address == reflexive.address),
    );
    assert!(told);
}

// ice-011
#[test]
fn without_a_nat_there_is_nothing_new() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    let sent = it.sent();
    it.receive(SERVER, &success(sent[0].1, HOST));
    assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
    assert_eq!(it.agent.local_candidates().len(), 1);
}

#[test]
fn an_answer_from_elsewhere_or_to_another_question_is_nothing() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    let sent = it.sent();
    it.receive("192.0.2.9:3478", &success(sent[0].1, SEEN));
    it.receive(SERVER, &success(TransactionId([9; 12]), SEEN));
    assert_eq!(it.agent.local_candidates().len(), 1);
    assert_eq!(it.agent.gathering_state(), GatheringState::Gathering);
    assert!(it.agent.stats().malformed + it.agent.stats().unmatched >= 2);
}

#[test]
fn a_name_is_resolved_and_every_family_asked_from_its_own() {
    let mut it = Gatherer::with(&["stun:stun.example:19302"], TransportPolicy::All);
    let (request, host) = it.name_asked().unwrap();
    assert_eq!(host, "stun.example");
    assert!(it.sent().is_empty());
    assert_eq!(it.agent.gathering_state(), GatheringState::Gathering);
    let found = ["2001:db8::1", "192.0.2.1"].map(|text| text.parse().unwrap());
    it.agent.resolved(it.now, request, &found);
    let sent = it.sent();
    assert_eq!(sent.len(), 1, "an IPv4 socket asks nobody over IPv6");
    assert_eq!(sent[0].0.remote, addr("192.0.2.1:19302"));
}

// webrtc-pc §4.8.2: 701 for a server that cannot be reached
#[test]
fn a_silent_server_is_given_up_after_ten_seconds_and_said_so() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    let start = it.now;
    it.sent();
    it.pass(Duration::from_secs(9), start);
    assert_eq!(it.agent.gathering_state(), GatheringState::Gathering);
    it.pass(Duration::from_secs(10), start);
    assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
    let error = it.events.iter().find_map(|event| match event {
        IceEvent::CandidateError(error) => Some(error.clone()),
        _ => None,
    });
    let error = error.unwrap();
    assert_eq!((error.code, error.address), (701, Some(addr(HOST))));
    assert_eq!(error.url, "stun:192.0.2.1");
}

#[test]
fn what_a_server_says_against_it_is_told() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    let id = it.sent()[0].1;
    let mut buf = [0; 200];
    let mut code = ErrorCode::BAD_REQUEST;
    (code.code, code.reason) = (500, "busy");
    let len = Builder::new(&mut buf, Class::Error, Method::BINDING, id)
        .attribute(&code)
        .finish()
        .unwrap();
    it.receive(SERVER, &buf[..len]);
    assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
    let told = it.events.iter().any(|event| {
        matches!(event, IceEvent::CandidateError(error) if error.code == 500 && error.text == "busy")
    });
    assert!(told);
}

// ice-012
#[test]
fn policies_hide_what_they_should() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::Relay);
    assert!(it.sent().is_empty());
    assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::NoHost);
    let id = it.sent()[0].1;
    it.receive(SERVER, &success(id, SEEN));
    let candidates = it.agent.local_candidates();
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0].candidate_type, CandidateType::ServerReflexive);
    assert_eq!(candidates[0].related, Some(addr("0.0.0.0:9")));
}

#[test]
fn a_restart_asks_again() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    let id = it.sent()[0].1;
    it.receive(SERVER, &success(id, SEEN));
    let credentials = Credentials::new("abcdefgh", "abcdefghijklmnopqrstuvwx");
    it.agent.restart(it.now, credentials).unwrap();
    it.agent.gather(it.now);
    it.answer_requests();
    let id = it.sent()[0].1;
    it.receive(SERVER, &success(id, SEEN));
    assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
    assert_eq!(it.agent.local_candidates().len(), 2);
}

// ice-005: a server on this host whose relayed address is ours.
#[test]
fn a_relayed_candidate_that_is_the_host_candidate_is_left_out() {
    for (relayed, expected) in [(HOST, 1), (RELAYED, 2)] {
        let mut it = Gatherer::with(&["turn:192.0.2.1"], TransportPolicy::All);
        let (_, id) = it.sent()[0];
        let mut buf = [0; 200];
        let len = Builder::new(&mut buf, Class::Success, Method::ALLOCATE, id)
            .attribute(&XorRelayedAddress(addr(relayed)))
            .attribute(&XorMappedAddress(addr(HOST)))
            .attribute(&Lifetime(600))
            .finish()
            .unwrap();
        it.receive(SERVER, &buf[..len]);
        assert_eq!(it.agent.gathering_state(), GatheringState::Complete);
        assert_eq!(it.agent.local_candidates().len(), expected, "{relayed}");
    }
}

// ice-025: a reflexive candidate is replaced by its base, and the pair with it left out.
#[test]
fn reflexive_candidates_make_no_pairs_of_their_own() {
    let mut it = Gatherer::with(&["stun:192.0.2.1"], TransportPolicy::All);
    let (_, id) = it.sent()[0];
    it.receive(SERVER, &success(id, SEEN));
    assert_eq!(it.agent.local_candidates().len(), 2);
    it.agent.set_role(it.now, IceRole::Controlling);
    let theirs = Credentials::new("peer", "a+password+of+22+chars");
    it.agent
        .set_remote_credentials(it.now, theirs, false)
        .unwrap();
    let address = CandidateAddress::Socket(addr("192.0.2.9:9000"));
    let remote = Candidate::new("1", CandidateType::Host, Protocol::Udp, 99, address);
    it.agent.add_remote_candidate(it.now, remote).unwrap();
    let pairs = it.agent.stats().pairs;
    assert_eq!(pairs.len(), 1);
    assert_eq!(pairs[0].pair.local.candidate_type, CandidateType::Host);
}

// ice-032, ice-033, ice-035: what a check says.
#[test]
fn a_check_names_both_ends_and_how_it_would_be_preferred() {
    let mut it = Gatherer::with(&[], TransportPolicy::All);
    it.agent.set_role(it.now, IceRole::Controlling);
    let theirs = Credentials::new("peer", "a+password+of+22+chars");
    it.agent
        .set_remote_credentials(it.now, theirs, false)
        .unwrap();
    let address = CandidateAddress::Socket(addr("192.0.2.9:9000"));
    let remote = Candidate::new("1", CandidateType::Host, Protocol::Udp, 99, address);
    it.agent.add_remote_candidate(it.now, remote).unwrap();
    let mut buf = [0; 1500];
    let sent = it.agent.poll_transmit(it.now, &mut buf).unwrap();
    let check = Message::parse(&buf[..sent.len]).unwrap();
    let ours = &it.agent.local_credentials().username_fragment;
    let Ok(Some(Username(name))) = check.attribute() else {
        panic!("no user name");
    };
    assert_eq!(name, format!("peer:{ours}"));
    let Ok(Some(Priority(priority))) = check.attribute() else {
        panic!("no priority");
    };
    assert_eq!(priority >> 24, 110, "as if it were peer-reflexive");
    assert_eq!(check.fingerprint(), Some(true));
    let key = crypto::Provider::default();
    let key = key.hmac_sha1.key(b"a+password+of+22+chars");
    assert_eq!(check.integrity(&*key), Some(true));
}

/// An agent with an allocation whose server is not to be trusted, and what it says.
fn with_relay() -> Gatherer {
    let mut it = Gatherer::with(&["turn:192.0.2.1"], TransportPolicy::Relay);
    let (_, id) = it.sent()[0];
    let mut buf = [0; 200];
    let len = Builder::new(&mut buf, Class::Success, Method::ALLOCATE, id)
        .attribute(&XorRelayedAddress(addr(RELAYED)))
        .attribute(&XorMappedAddress(addr(SEEN)))
        .attribute(&Lifetime(600))
        .finish()
        .unwrap();
    it.receive(SERVER, &buf[..len]);
    assert_eq!(it.agent.local_candidates().len(), 1);
    it
}

#[test]
fn a_server_that_relays_what_nobody_permitted_is_not_believed() {
    let mut it = with_relay();
    for number in 0..10_000_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        let peer = SocketAddr::from(([203, 0, high, low], 9));
        let mut buf = [0; 200];
        let id = TransactionId([low; 12]);
        let len = Builder::new(&mut buf, Class::Indication, Method::DATA, id)
            .attribute(&XorPeerAddress(peer))
            .attribute(&Data(b"\x80 not from a peer of ours"))
            .finish()
            .unwrap();
        it.receive(SERVER, &buf[..len]);
        // Channels that were never bound, and lengths that are not there.
        it.receive(SERVER, &[0x40, low, 0, high, 1, 2, 3]);
    }
    assert!(it.agent.stats().pairs.is_empty());
    assert!(it.agent.remote_candidates().is_empty());
    assert_eq!(it.sent().len(), 0, "nothing is answered");
}

#[test]
fn what_comes_past_the_relay_is_not_answered_where_only_relays_may_be_seen() {
    let mut it = with_relay();
    let ours = it.agent.local_credentials().clone();
    let key = crypto::Provider::default()
        .hmac_sha1
        .key(ours.password.as_bytes());
    let mut buf = [0; 200];
    let id = TransactionId([1; 12]);
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, id)
        .attribute(&Username(&format!("{}:peer", ours.username_fragment)))
        .attribute(&Priority(99))
        .integrity(&*key)
        .fingerprint()
        .finish()
        .unwrap();
    it.receive("203.0.113.9:9", &buf[..len]);
    let mut out = [0; 1500];
    assert_eq!(it.agent.poll_transmit(it.now, &mut out), None);
}
