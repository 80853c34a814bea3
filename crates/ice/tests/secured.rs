//! Relays over DTLS (RFC 7350, RFC 8656 §2.1): the connection is the shell's, the datagrams in it the
//! agent's.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use layer::CandidateType::Relayed;
use layer::{
    Bound, GatheringState, Ice, IceConfig, IceEvent, Input, Interface, NewIce, Protocol, RequestId,
    ServerState, SocketId, TransportPolicy,
};
use muonrtc_ice::Factory;
use std::io;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::{Duration, Instant};
use testkit::Clock;
use world::{
    World, candidates, chosen, completed, data_flows, ip, pair, seconds, turn_servers, types,
};

const URL: &str = "turns:turn.example?transport=udp";
const SERVER: &str = "198.51.100.2:5349";

// turn-021, turn-023
#[test]
fn a_relay_is_reached_over_dtls() {
    let mut world = World::new(1);
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[URL]);
        config.policy = TransportPolicy::Relay;
    });
    assert!(drive.connect(a, b, seconds(10)), "{drive:?}");
    assert!(drive.run_until(seconds(5), |drive| completed(drive, [a, b])));
    assert_eq!(chosen(&mut drive, a), (Relayed, Relayed));
    let gathered = candidates(&mut drive, a);
    assert_eq!(types(&gathered), [(Relayed, Protocol::Udp)]);
    assert_eq!(gathered[0].url.as_deref(), Some(URL));
    let route = drive.agent(a).machine.route().unwrap();
    assert_eq!(
        (route.protocol, route.remote),
        (Protocol::Udp, SERVER.parse().unwrap())
    );
    assert_eq!(
        (route.headroom, route.tailroom),
        (4, 0),
        "ChannelData as over UDP"
    );
    assert_eq!(
        route.max_payload,
        1500 - 28 - 37 - 4,
        "what DTLS wants is taken off"
    );
    assert!(data_flows(&mut drive, [a, b]));
}

// turn-010, turn-014
#[test]
fn a_path_over_dtls_is_kept_for_hours_and_given_back_at_the_end() {
    let mut world = World::new(2);
    let turn = world.turn;
    let hosts = [world.open("192.0.2.8"), world.open("192.0.2.9")];
    let (mut drive, a, b) = pair(world, hosts, |config| {
        config.servers = turn_servers(&[URL]);
        config.policy = TransportPolicy::Relay;
    });
    assert!(drive.connect(a, b, seconds(10)));
    drive.run_for(seconds(2 * 3600));
    assert!(data_flows(&mut drive, [a, b]));
    let relayed = candidates(&mut drive, a)[0].socket_addr().unwrap();
    assert!(drive.network.bind(turn, relayed, None).is_err());
    let now = drive.now();
    drive.agent(a).machine.close(now);
    drive.run_for(seconds(1));
    assert!(drive.network.bind(turn, relayed, None).is_ok());
}

/// An agent on one address whose shell is the test.
struct Alone {
    agent: Box<dyn Ice>,
    now: Instant,
    events: Vec<IceEvent>,
}

/// What the agent wants of its shell for the relay.
struct Wanted {
    request: RequestId,
    remote: SocketAddr,
    server_name: String,
}

impl Alone {
    fn gathering(urls: &[&str]) -> Self {
        let clock = Clock::new();
        let mut config = IceConfig::new(Waker::noop().clone());
        config.servers = turn_servers(urls);
        let start = testkit::seed(1).start(&clock, b"ice     ");
        let mut alone = Self {
            agent: Factory::default().new_ice(start, config),
            now: clock.now(),
            events: Vec::new(),
        };
        alone.agent.gather(alone.now);
        alone.settle();
        alone
    }

    /// Answers what every shell can; what is sent is lost.
    fn settle(&mut self) {
        let mut buf = [0; 1500];
        loop {
            while self.agent.poll_transmit(self.now, &mut buf).is_some() {}
            let Some(event) = self.agent.poll_event() else {
                return;
            };
            match &event {
                IceEvent::ListInterfaces { request } => {
                    let interfaces = [Interface::new("eth0", ip("192.0.2.8"))];
                    self.agent
                        .interfaces_listed(self.now, *request, &interfaces);
                }
                IceEvent::Bind { request, local, .. } => {
                    let local = SocketAddr::new(local.ip(), 50_000);
                    let bound = Bound::new(SocketId(0), local);
                    self.agent.bound(self.now, *request, Ok(bound));
                }
                IceEvent::Resolve { request, .. } => {
                    self.agent
                        .resolved(self.now, *request, &[ip("198.51.100.2")]);
                }
                _ => {}
            }
            self.events.push(event);
        }
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.agent.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    /// The connections that were asked for.
    fn wanted(&self) -> Vec<Wanted> {
        let connects = |event: &IceEvent| match event {
            IceEvent::ConnectDtls {
                request,
                remote,
                server_name,
                local,
                ..
            } => {
                assert_eq!(*local, "192.0.2.8:0".parse().unwrap());
                Some(Wanted {
                    request: *request,
                    remote: *remote,
                    server_name: server_name.clone(),
                })
            }
            _ => None,
        };
        self.events.iter().filter_map(connects).collect()
    }

    fn errors(&self) -> Vec<(u16, String)> {
        let errors = |event: &IceEvent| match event {
            IceEvent::CandidateError(error) => Some((error.code, error.text.clone())),
            _ => None,
        };
        self.events.iter().filter_map(errors).collect()
    }

    fn closed(&self) -> Vec<SocketId> {
        let closed = |event: &IceEvent| match event {
            IceEvent::CloseSocket { socket } => Some(*socket),
            _ => None,
        };
        self.events.iter().filter_map(closed).collect()
    }

    fn is_complete(&self) -> bool {
        self.agent.gathering_state() == GatheringState::Complete
    }
}

#[test]
fn the_shell_is_told_where_to_connect_and_whose_certificate_to_expect() {
    for (url, remote, name) in [
        (URL, SERVER, "turn.example"),
        (
            "turns:198.51.100.2:443?transport=udp",
            "198.51.100.2:443",
            "198.51.100.2",
        ),
    ] {
        let mut alone = Alone::gathering(&[url]);
        alone.run_for(seconds(1));
        let wanted = alone.wanted();
        assert_eq!(wanted.len(), 1, "{:?}", alone.events);
        assert_eq!(wanted[0].remote, remote.parse().unwrap());
        assert_eq!(wanted[0].server_name, name);
        assert!(!alone.is_complete(), "it waits for the relay");
        let servers = alone.agent.stats().servers;
        assert_eq!(servers[0].state, ServerState::Connecting);
    }
}

#[test]
fn why_there_is_no_connection_is_told_in_words() {
    let mut alone = Alone::gathering(&[URL]);
    alone.run_for(seconds(1));
    let request = alone.wanted()[0].request;
    let error = io::Error::new(io::ErrorKind::InvalidData, "the certificate has expired");
    alone.agent.connect_failed(alone.now, request, &error);
    alone.settle();
    let text = "the server cannot be connected to: the certificate has expired";
    assert_eq!(alone.errors(), [(701, text.to_owned())]);
    assert!(alone.is_complete());
}

#[test]
fn a_kind_of_error_will_do() {
    let mut alone = Alone::gathering(&[URL]);
    alone.run_for(seconds(1));
    let request = alone.wanted()[0].request;
    let refused = Err(io::ErrorKind::Unsupported);
    alone.agent.bound(alone.now, request, refused);
    alone.settle();
    assert_eq!(alone.errors()[0].0, 701);
    assert!(alone.is_complete());
}

#[test]
fn a_connection_that_is_never_made_ends_gathering_and_one_that_comes_late_is_closed() {
    let mut alone = Alone::gathering(&[URL]);
    alone.run_for(seconds(9));
    assert!(!alone.is_complete());
    alone.run_for(seconds(3));
    let text = "the connection to the server takes too long";
    assert_eq!(alone.errors(), [(701, text.to_owned())]);
    assert!(alone.is_complete());
    let request = alone.wanted()[0].request;
    let late = Bound::new(SocketId(7), "192.0.2.8:50001".parse().unwrap());
    alone.agent.bound(alone.now, request, Ok(late));
    alone.settle();
    assert_eq!(alone.closed(), [SocketId(7)]);
}

#[test]
fn a_session_that_ends_before_the_allocation_stands_is_an_error() {
    let mut alone = Alone::gathering(&[URL]);
    alone.run_for(seconds(1));
    let request = alone.wanted()[0].request;
    let bound = Bound::new(SocketId(7), "192.0.2.8:50001".parse().unwrap());
    alone.agent.bound(alone.now, request, Ok(bound));
    alone.settle();
    // What is not of TURN is dropped; nothing of it reaches the layers above.
    for noise in [&b"\x16\xfe\xfd"[..], b"", &[0xFF; 60]] {
        let mut bytes = noise.to_vec();
        let remote = SERVER.parse().unwrap();
        let input = Input::new(SocketId(7), bound.local, remote, &mut bytes);
        let received = alone.agent.handle_input(alone.now, input);
        assert_eq!(received, layer::Received::Consumed);
    }
    alone.agent.socket_closed(alone.now, SocketId(7));
    alone.settle();
    assert_eq!(alone.errors()[0].0, 701);
    assert!(alone.is_complete());
    assert_eq!(alone.closed(), [], "it is closed already");
}
