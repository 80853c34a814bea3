//! Hosts on one segment reach each other, and nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::{Bound, Interface};
use muonrtc_testkit::{Clock, HostId, Link, Network, Packet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn host(network: &mut Network, addresses: &[&str]) -> HostId {
    let interface = |address: &&str| Interface::new("if0", ip(address));
    network.add_host(addresses.iter().map(interface).collect())
}

fn bind(network: &mut Network, host: HostId, local: &str) -> Bound {
    let local = SocketAddr::new(ip(local), 0);
    network.bind(host, local, None).unwrap()
}

/// Two hosts with an IPv4, an IPv6 and a loopback address each.
fn two_hosts() -> (Network, HostId, HostId) {
    let mut network = Network::new(Link::delayed(Duration::from_millis(1)), 1);
    let one = host(&mut network, &["10.0.0.1", "fd00::1", "127.0.0.1"]);
    let other = host(&mut network, &["10.0.0.2", "fd00::2", "127.0.0.1"]);
    (network, one, other)
}

#[test]
fn a_packet_reaches_the_socket_it_is_addressed_to() {
    let (mut network, one, other) = two_hosts();
    let clock = Clock::new();
    let from = bind(&mut network, one, "10.0.0.1");
    let to = bind(&mut network, other, "10.0.0.2");
    let packet = Packet::new(from.local, to.local, b"hello".to_vec());
    network.send(clock.now(), one, packet.clone());
    let arrival = network.next_arrival().unwrap();
    assert_eq!(clock.offset(arrival), Duration::from_millis(1));
    assert_eq!(network.receive(clock.now()), None);
    assert_eq!(network.receive(arrival), Some((other, to.socket, packet)));
    let stats = network.path_stats(ip("10.0.0.1"), ip("10.0.0.2")).unwrap();
    assert_eq!((stats.sent, stats.delivered), (1, 1));
}

#[test]
fn what_cannot_be_reached_is_counted() {
    let (mut network, one, other) = two_hosts();
    let now = Clock::new().now();
    let v4 = bind(&mut network, one, "10.0.0.1").local;
    let v6 = bind(&mut network, other, "fd00::2").local;
    let loopback = bind(&mut network, one, "127.0.0.1").local;
    let target = bind(&mut network, other, "10.0.0.2").local;
    let mut send = |source, destination| {
        network.send(now, one, Packet::new(source, destination, vec![0]));
    };
    send(v4, v6);
    send(v4, "10.0.0.3:5000".parse().unwrap());
    send(loopback, target);
    send(target, v4);
    send(v4, "10.0.0.2:5000".parse().unwrap());
    assert_eq!(network.receive(now + Duration::from_secs(1)), None);
    let stats = network.stats();
    assert_eq!(
        (stats.unreachable, stats.not_bound, stats.refused),
        (3, 1, 1)
    );
}

#[test]
fn a_blocked_path_loses_everything_until_it_is_opened() {
    let (mut network, one, other) = two_hosts();
    let now = Clock::new().now();
    let from = bind(&mut network, one, "10.0.0.1").local;
    let to = bind(&mut network, other, "10.0.0.2").local;
    network.block(to.ip(), from.ip());
    network.send(now, one, Packet::new(from, to, vec![0]));
    assert_eq!((network.next_arrival(), network.stats().blocked), (None, 1));
    network.unblock(from.ip(), to.ip());
    network.send(now, one, Packet::new(from, to, vec![0]));
    assert!(network.next_arrival().is_some());
}

#[test]
fn binding_obeys_the_address_and_the_ports_asked_for() {
    let (mut network, one, _) = two_hosts();
    let foreign = SocketAddr::new(ip("10.0.0.2"), 0);
    let result = network.bind(one, foreign, None);
    assert_eq!(result, Err(io::ErrorKind::AddrNotAvailable));
    let any = SocketAddr::new(ip("::"), 0);
    let bound = network.bind(one, any, Some((7000, 7001))).unwrap();
    assert_eq!(bound.local, "[fd00::1]:7000".parse().unwrap());
    let bound = network.bind(one, any, Some((7000, 7001))).unwrap();
    assert_eq!(bound.local.port(), 7001);
    let result = network.bind(one, any, Some((7000, 7001)));
    assert_eq!(result, Err(io::ErrorKind::AddrInUse));
    network.close(one, bound.socket);
    assert!(network.bind(one, bound.local, None).is_ok());
}
