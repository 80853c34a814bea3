//! Streams between hosts of the network: whole, in order and once, through links, NATs and firewalls.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::SocketId;
use muonrtc_testkit::vnet::{
    Arrival, Delivery, Firewall, HostId, LinkId, Nat, Network, Reads, Router,
};
use muonrtc_testkit::{Clock, Link};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const SERVER: &str = "192.0.2.1:443";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A client behind a router and a server on the internet that listens on port 443.
struct Lab {
    clock: Clock,
    network: Network,
    client: HostId,
    server: HostId,
    listener: SocketId,
    uplink: LinkId,
}

impl Lab {
    fn new(router: Router, seed: u64) -> Self {
        let mut network = Network::new(seed);
        let internet = network.internet();
        let home = network.add_subnet(internet, &["192.168.1.0/24"], router);
        let client = network.add_host_at("client", home, ip("192.168.1.2"));
        let server = network.add_host_at("server", internet, ip("192.0.2.1"));
        let listener = network.listen(server, at(SERVER), None).unwrap().socket;
        let uplink = network.uplink(home).unwrap();
        let slow = Link::delayed(SECOND / 100);
        network.set_link(uplink, slow.clone(), slow);
        Self {
            clock: Clock::new(),
            network,
            client,
            server,
            listener,
            uplink,
        }
    }

    /// Behind nothing but a link.
    fn plain() -> Self {
        Self::new(Router::open(), 1)
    }

    /// Runs for this long and returns everything that happened.
    fn run(&mut self, time: Duration) -> Vec<Delivery> {
        let deadline = self.clock.now() + time;
        let mut seen = Vec::new();
        while let Some(next) = self.network.poll_timeout().filter(|it| *it <= deadline) {
            self.clock.advance_to(next);
            while let Some(delivery) = self.network.poll_deliver(self.clock.now()) {
                seen.push(delivery);
            }
        }
        self.clock.advance_to(deadline);
        seen
    }

    fn connect(&mut self, to: &str) -> SocketId {
        let (now, client) = (self.clock.now(), self.client);
        let bound = self
            .network
            .connect(now, client, at("192.168.1.2:0"), at(to));
        bound.unwrap().socket
    }

    /// An open stream: the client's socket and the server's.
    fn open(&mut self) -> (SocketId, SocketId) {
        let ours = self.connect(SERVER);
        let seen = self.run(SECOND * 100);
        let listener = self.listener;
        let accepted = seen
            .iter()
            .find(|it| it.arrival == Arrival::Accepted { listener });
        assert!(
            seen.iter().any(|it| it.arrival == Arrival::Connected),
            "{seen:?}"
        );
        (ours, accepted.unwrap().socket)
    }

    fn write(&mut self, host: HostId, socket: SocketId, bytes: &[u8]) {
        let now = self.clock.now();
        assert_eq!(self.network.write(now, host, socket, bytes), bytes.len());
    }
}

fn bytes(seen: &[Delivery], host: HostId) -> Vec<Vec<u8>> {
    let of_host = seen.iter().filter(|it| it.host == host);
    of_host
        .filter_map(|it| match &it.arrival {
            Arrival::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        })
        .collect()
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 31 % 251) as u8).collect()
}

#[test]
fn a_stream_opens_in_a_round_trip_and_carries_both_ways() {
    let mut lab = Lab::plain();
    let ours = lab.connect(SERVER);
    let seen = lab.run(SECOND);
    let connected = seen
        .iter()
        .find(|it| it.arrival == Arrival::Connected)
        .unwrap();
    assert_eq!((connected.host, connected.socket), (lab.client, ours));
    assert_eq!(lab.clock.offset(connected.at), SECOND / 50);
    let listener = lab.listener;
    let accepted = seen
        .iter()
        .find(|it| it.arrival == Arrival::Accepted { listener });
    let theirs = accepted.unwrap().socket;
    let (client, server) = (lab.client, lab.server);
    lab.write(client, ours, b"ping");
    lab.write(server, theirs, b"pong");
    let seen = lab.run(SECOND);
    assert_eq!(bytes(&seen, server), [b"ping"]);
    assert_eq!(bytes(&seen, client), [b"pong"]);
}

#[test]
fn a_port_without_a_listener_refuses_and_silence_times_out() {
    let mut lab = Lab::plain();
    let ours = lab.connect("192.0.2.1:444");
    let seen = lab.run(SECOND);
    let refused = Arrival::Failed(io::ErrorKind::ConnectionRefused);
    assert_eq!((seen[0].socket, &seen[0].arrival), (ours, &refused));
    let ours = lab.connect("192.0.2.99:443");
    let seen = lab.run(SECOND * 100);
    let silent = Arrival::Failed(io::ErrorKind::TimedOut);
    assert_eq!((seen[0].socket, &seen[0].arrival), (ours, &silent));
    assert_eq!(lab.network.poll_timeout(), None, "nothing is left behind");
}

#[test]
fn bytes_arrive_whole_and_in_order_on_every_link() {
    muonrtc_testkit::for_each_seed(1..=10, |seed| {
        for link in [
            Link::lossy(10),
            Link::hostile(),
            Link::mobile(),
            Link::broadband(),
        ] {
            let mut lab = Lab::new(Router::open(), seed.value());
            let uplink = lab.uplink;
            lab.network.set_link(uplink, link.clone(), link);
            let (ours, theirs) = lab.open();
            let (client, server) = (lab.client, lab.server);
            lab.write(client, ours, &pattern(100_000));
            lab.write(server, theirs, &pattern(5000));
            let now = lab.clock.now();
            lab.network.close(now, client, ours);
            let seen = lab.run(SECOND * 1000);
            assert!(
                bytes(&seen, server).concat() == pattern(100_000),
                "whole and in order"
            );
            assert!(
                bytes(&seen, client).concat() == pattern(5000),
                "whole and in order"
            );
            let last = seen.iter().rfind(|it| it.host == server).unwrap();
            assert_eq!(last.arrival, Arrival::Ended);
            let now = lab.clock.now();
            lab.network.close(now, server, theirs);
            let seen = lab.run(SECOND * 1000);
            assert!(
                matches!(seen.as_slice(), [it] if it.arrival == Arrival::Ended),
                "{seen:?}"
            );
        }
    });
}

#[test]
fn reads_are_split_and_coalesced_as_asked() {
    let read = |reads| {
        let mut lab = Lab::plain();
        let server = lab.server;
        lab.network.set_reads(server, reads);
        let (ours, _) = lab.open();
        let client = lab.client;
        for part in pattern(3000).chunks(300) {
            lab.write(client, ours, part);
        }
        bytes(&lab.run(SECOND), server)
    };
    let whole = read(Reads::AsSent);
    assert!(whole.iter().all(|it| it.len() == 300));
    let split = read(Reads::Split(7));
    assert!(split.iter().all(|it| (1..=7).contains(&it.len())));
    let coalesced = read(Reads::Coalesced(SECOND / 10));
    assert_eq!(coalesced.len(), 1);
    for reads in [whole, split, coalesced] {
        assert_eq!(reads.concat(), pattern(3000));
    }
}

#[test]
fn either_end_resets_and_the_other_is_told() {
    let mut lab = Lab::plain();
    let (ours, theirs) = lab.open();
    let now = lab.clock.now();
    lab.network.reset(now, lab.server, theirs);
    let seen = lab.run(SECOND);
    assert!(matches!(seen.as_slice(), [it] if it.socket == ours && it.arrival == Arrival::Reset));
    let (now, client) = (lab.clock.now(), lab.client);
    assert_eq!(lab.network.write(now, client, ours, b"x"), 0);
    // Writing to one that the other end has forgotten brings a reset.
    let (ours, _) = lab.open();
    let server = lab.server;
    let links = lab.network.links_of(server);
    lab.network.set_plugged(links[0], false);
    lab.write(client, ours, b"x");
    let seen = lab.run(SECOND * 300);
    assert!(
        matches!(seen.as_slice(), [it] if it.arrival == Arrival::Reset),
        "{seen:?}"
    );
}

#[test]
fn both_ends_open_one_stream_at_once() {
    let mut lab = Lab::plain();
    let (now, client, server) = (lab.clock.now(), lab.client, lab.server);
    let (ours, theirs) = (at("192.168.1.2:9000"), at("192.0.2.1:9000"));
    let one = lab.network.connect(now, client, ours, theirs).unwrap();
    let other = lab.network.connect(now, server, theirs, ours).unwrap();
    let seen = lab.run(SECOND);
    let connected = seen.iter().filter(|it| it.arrival == Arrival::Connected);
    assert_eq!(connected.count(), 2, "{seen:?}");
    lab.write(client, one.socket, b"one");
    lab.write(server, other.socket, b"other");
    let seen = lab.run(SECOND);
    assert_eq!(bytes(&seen, server), [b"one"]);
    assert_eq!(bytes(&seen, client), [b"other"]);
}

// RFC 5382 REQ-1, REQ-5
#[test]
fn streams_are_translated_and_mapped_for_two_hours() {
    let nat = Nat::symmetric(ip("203.0.113.1"));
    let mut lab = Lab::new(Router::nat(nat), 1);
    let ours = lab.connect(SERVER);
    let seen = lab.run(SECOND);
    let accepted = seen.iter().find(|it| it.host == lab.server).unwrap();
    assert_eq!(accepted.remote.ip(), ip("203.0.113.1"));
    let theirs = accepted.socket;
    lab.run(SECOND * 7000);
    let (client, server) = (lab.client, lab.server);
    lab.write(server, theirs, b"still there");
    assert_eq!(bytes(&lab.run(SECOND), client), [b"still there"]);
    lab.run(SECOND * 8000);
    lab.write(server, theirs, b"too late");
    let seen = lab.run(SECOND * 300);
    assert!(bytes(&seen, client).is_empty());
    let _ = ours;
}

#[test]
fn only_the_open_port_is_reached_through_a_strict_firewall() {
    let router = Router::firewall(Firewall::tcp_only(443));
    let mut lab = Lab::new(router, 1);
    let server = lab.server;
    lab.network
        .listen(server, at("192.0.2.1:80"), None)
        .unwrap();
    let (ours, theirs) = lab.open();
    let client = lab.client;
    lab.write(client, ours, b"out");
    lab.write(server, theirs, b"in");
    let seen = lab.run(SECOND);
    assert_eq!(
        (bytes(&seen, server), bytes(&seen, client)),
        (vec![b"out".to_vec()], vec![b"in".to_vec()])
    );
    lab.connect("192.0.2.1:80");
    let seen = lab.run(SECOND * 100);
    assert!(
        matches!(seen.as_slice(), [it] if it.arrival == Arrival::Failed(io::ErrorKind::TimedOut))
    );
    // Nor does anything come in that was not asked for.
    lab.network
        .listen(client, at("192.168.1.2:443"), None)
        .unwrap();
    let now = lab.clock.now();
    let to = at("192.168.1.2:443");
    lab.network
        .connect(now, server, at("192.0.2.1:0"), to)
        .unwrap();
    let seen = lab.run(SECOND * 100);
    assert!(
        matches!(seen.as_slice(), [it] if it.host == server && it.arrival == Arrival::Failed(io::ErrorKind::TimedOut))
    );
}

#[test]
fn a_writer_is_held_up_when_a_mebibyte_waits() {
    let mut lab = Lab::plain();
    let (ours, _) = lab.open();
    let (now, client) = (lab.clock.now(), lab.client);
    let most = 1024 * 1024;
    assert_eq!(
        lab.network.write(now, client, ours, &vec![0; 2 * most]),
        most
    );
    assert_eq!(lab.network.write(now, client, ours, b"x"), 0);
    lab.run(SECOND * 10);
    let now = lab.clock.now();
    assert_eq!(lab.network.write(now, client, ours, b"x"), 1);
}
