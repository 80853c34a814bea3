//! The TURN server inside the network: over datagrams and streams, through NATs and firewalls.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::SocketId;
use muonrtc_testkit::Clock;
use muonrtc_testkit::vnet::{Arrival, Firewall, HostId, Nat, Network, Reads, Router, TurnServer};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use turn::client::{Config, Event, Received};
use turn::{Client, Frames, Transport};

const SERVER: &str = "198.51.100.1";
const PEER: &str = "192.0.2.9:7000";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A client behind a router, the server, and a peer on the internet.
struct Lab {
    clock: Clock,
    network: Network,
    host: HostId,
    peer: HostId,
    local: SocketAddr,
    /// The stream to the server, and what came on it.
    stream: Option<(SocketId, Frames)>,
    client: Client,
    events: Vec<Event>,
    heard: Vec<(SocketAddr, Vec<u8>)>,
    at_peer: Vec<(SocketAddr, Vec<u8>)>,
}

impl Lab {
    fn new(router: Router, transport: Transport, port: u16, password: &str) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(1);
        let internet = network.internet();
        let server = network.add_host_at("turn", internet, ip(SERVER));
        let turn = TurnServer::new(ip(SERVER), "alice", "secret");
        network.serve(clock.now(), server, Box::new(turn));
        network.set_reads(server, Reads::Split(9));
        let home = network.add_subnet(internet, &["192.168.1.0/24"], router);
        let host = network.add_host_at("client", home, ip("192.168.1.2"));
        let peer = network.add_host_at("peer", internet, ip("192.0.2.9"));
        network.bind(peer, at(PEER), None).unwrap();
        let mut config = Config::new(crypto::Provider::default(), "alice", password);
        config.transport = transport;
        let remote = SocketAddr::new(ip(SERVER), port);
        let from = at("192.168.1.2:0");
        let bound = match transport {
            Transport::Datagram => network.bind(host, from, None),
            Transport::Stream => network.connect(clock.now(), host, from, remote),
        };
        let bound = bound.unwrap();
        let is_stream = transport == Transport::Stream;
        Self {
            clock,
            network,
            host,
            peer,
            local: bound.local,
            stream: is_stream.then(|| (bound.socket, Frames::new())),
            client: Client::new(config, remote, [7; 32]),
            events: Vec::new(),
            heard: Vec::new(),
            at_peer: Vec::new(),
        }
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let (now, host) = (self.clock.now(), self.host);
        match &self.stream {
            Some((socket, _)) => {
                self.network.write(now, host, *socket, bytes);
            }
            None => {
                let server = self.client.server();
                self.network.send(now, host, self.local, server, bytes);
            }
        }
    }

    fn hear(&mut self, message: &[u8]) {
        let (now, server) = (self.clock.now(), self.client.server());
        if let Received::Data { peer, range } = self.client.handle_input(now, server, message) {
            self.heard.push((peer, message[range].to_vec()));
        }
    }

    /// Runs for this long.
    fn run(&mut self, time: Duration) {
        let deadline = self.clock.now() + time;
        loop {
            let mut buffer = [0; 1500];
            while let Some(transmit) = self.client.poll_transmit(self.clock.now(), &mut buffer) {
                self.transmit(&buffer[..transmit.len]);
            }
            while let Some(event) = self.client.poll_event() {
                self.events.push(event);
            }
            let next = [self.network.poll_timeout(), self.client.poll_timeout()];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= deadline) else {
                break;
            };
            self.clock.advance_to(next);
            self.client.handle_timeout(self.clock.now());
            while let Some(delivery) = self.network.poll_deliver(self.clock.now()) {
                match delivery.arrival {
                    Arrival::Datagram(bytes) if delivery.host == self.peer => {
                        self.at_peer.push((delivery.remote, bytes));
                    }
                    Arrival::Datagram(bytes) => self.hear(&bytes),
                    Arrival::Bytes(bytes) => {
                        let (socket, mut frames) = self.stream.take().unwrap();
                        frames.push(&bytes);
                        while let Some(message) = frames.pop().unwrap() {
                            let message = message.to_vec();
                            self.hear(&message);
                        }
                        self.stream = Some((socket, frames));
                    }
                    _ => {}
                }
            }
        }
        self.clock.advance_to(deadline);
    }

    /// Asks for an allocation and a permission for the peer; the relayed address.
    fn allocate(&mut self) -> Option<SocketAddr> {
        self.client.allocate(self.clock.now());
        self.run(Duration::from_secs(60));
        let relayed = self.client.relayed()?;
        let peer = at(PEER);
        self.client.permit(self.clock.now(), peer.ip()).unwrap();
        self.run(Duration::from_secs(1));
        Some(relayed)
    }

    /// Sends to the peer through the relay.
    fn send(&mut self, bytes: &[u8]) {
        let (now, peer) = (self.clock.now(), at(PEER));
        let room = self.client.room(now, peer);
        let payload = room.headroom..room.headroom + bytes.len();
        let mut buffer = vec![0; payload.end + room.tailroom];
        buffer[payload.clone()].copy_from_slice(bytes);
        let range = self.client.wrap(now, peer, &mut buffer, payload).unwrap();
        self.transmit(&buffer[range]);
    }
}

fn home() -> Router {
    Router::nat(Nat::symmetric(ip("203.0.113.1")))
}

#[test]
fn data_is_relayed_both_ways_over_datagrams_and_streams() {
    for (transport, port) in [
        (Transport::Datagram, 3478),
        (Transport::Stream, 3478),
        (Transport::Stream, 5349),
        (Transport::Stream, 443),
    ] {
        let mut lab = Lab::new(home(), transport, port, "secret");
        let relayed = lab.allocate().unwrap();
        assert_eq!(relayed.ip(), ip(SERVER));
        lab.send(b"out");
        lab.run(Duration::from_secs(1));
        assert_eq!(lab.at_peer, [(relayed, b"out".to_vec())]);
        let (now, peer) = (lab.clock.now(), lab.peer);
        lab.network.send(now, peer, at(PEER), relayed, b"back");
        lab.run(Duration::from_secs(1));
        assert_eq!(lab.heard, [(at(PEER), b"back".to_vec())]);
        // The same through a channel.
        lab.client.bind_channel(lab.clock.now(), at(PEER)).unwrap();
        lab.run(Duration::from_secs(1));
        lab.send(b"channel");
        let now = lab.clock.now();
        lab.network
            .send(now, peer, at(PEER), relayed, b"back again");
        lab.run(Duration::from_secs(1));
        assert_eq!(lab.at_peer[1].1, b"channel");
        assert_eq!(lab.heard[1].1, b"back again");
    }
}

#[test]
fn firewalls_leave_open_what_their_rules_say() {
    let reaches = |firewall: Firewall, transport, port| {
        let mut router = Router::firewall(firewall);
        router.nat = Some(Nat::port_restricted(ip("203.0.113.1")));
        Lab::new(router, transport, port, "secret")
            .allocate()
            .is_some()
    };
    use Transport::{Datagram, Stream};
    for (firewall, expected) in [
        (Firewall::answers_only(), [true, true, true]),
        (Firewall::udp_blocked(), [false, true, true]),
        (Firewall::tcp_only(443), [false, false, true]),
    ] {
        let found = [(Datagram, 3478), (Stream, 3478), (Stream, 443)]
            .map(|(transport, port)| reaches(firewall.clone(), transport, port));
        assert_eq!(found, expected, "{firewall:?}");
    }
}

#[test]
fn a_wrong_password_gets_nothing() {
    let mut lab = Lab::new(home(), Transport::Datagram, 3478, "guess");
    assert_eq!(lab.allocate(), None);
    assert!(matches!(lab.events.last(), Some(Event::Ended(_))));
}

// RFC 8656 §3.1
#[test]
fn an_allocation_ends_with_the_stream_of_its_client() {
    let mut lab = Lab::new(home(), Transport::Stream, 3478, "secret");
    let relayed = lab.allocate().unwrap();
    let (now, host) = (lab.clock.now(), lab.host);
    let socket = lab.stream.as_ref().unwrap().0;
    lab.network.close(now, host, socket);
    lab.run(Duration::from_secs(1));
    let refused = lab.network.stats().refused;
    let (now, peer) = (lab.clock.now(), lab.peer);
    lab.network.send(now, peer, at(PEER), relayed, b"late");
    lab.run(Duration::from_secs(1));
    assert_eq!(lab.network.stats().refused, refused + 1, "nobody is there");
}

#[test]
fn a_stream_of_something_else_is_reset() {
    let mut lab = Lab::new(home(), Transport::Stream, 443, "secret");
    lab.run(Duration::from_secs(1));
    lab.transmit(b"\xffGET / HTTP/1.1\r\n\r\n");
    lab.run(Duration::from_secs(1));
    lab.client.allocate(lab.clock.now());
    lab.run(Duration::from_secs(60));
    assert_eq!(lab.client.relayed(), None);
}

// RFC 8656 §3.2
#[test]
fn an_allocation_is_refreshed_and_without_that_ends() {
    let mut lab = Lab::new(home(), Transport::Datagram, 3478, "secret");
    let relayed = lab.allocate().unwrap();
    for _ in 0..60 {
        lab.run(Duration::from_secs(60));
        lab.send(b"still there");
    }
    lab.run(Duration::from_secs(1));
    assert_eq!(lab.at_peer.len(), 60);
    assert!(lab.at_peer.iter().all(|(from, _)| *from == relayed));
    // The client is gone without a word.
    let (host, peer) = (lab.host, lab.peer);
    let link = lab.network.links_of(host)[0];
    lab.network.set_plugged(link, false);
    lab.run(Duration::from_secs(3600));
    let refused = lab.network.stats().refused;
    let now = lab.clock.now();
    lab.network.send(now, peer, at(PEER), relayed, b"late");
    lab.run(Duration::from_secs(1));
    assert_eq!(lab.network.stats().refused, refused + 1);
}
