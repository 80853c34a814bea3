//! Packets find their way, firewalls and links stop them, and everything may change on the way.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::Protocol;
use muonrtc_testkit::vnet::{
    Arrival, Delivery, Direction, Firewall, HostId, Network, Prefix, Router, Rule, Server, Shell,
    StunServer, SubnetId, Verdict,
};
use muonrtc_testkit::{Clock, Link};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const INSIDE: &str = "10.1.0.1:5000";
const OUTSIDE: &str = "192.0.2.1:6000";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A host behind a router without a NAT, and one on the internet.
struct Lab {
    clock: Clock,
    network: Network,
    subnet: SubnetId,
    inside: HostId,
    outside: HostId,
}

impl Lab {
    fn new(firewall: Firewall) -> Self {
        let mut network = Network::new(1);
        let internet = network.internet();
        let subnet = network.add_subnet(internet, &["10.1.0.0/16"], Router::firewall(firewall));
        let inside = network.add_host_at("inside", subnet, ip("10.1.0.1"));
        let outside = network.add_host_at("outside", internet, ip("192.0.2.1"));
        network.bind(inside, at(INSIDE), None).unwrap();
        network.bind(outside, at(OUTSIDE), None).unwrap();
        Self {
            clock: Clock::new(),
            network,
            subnet,
            inside,
            outside,
        }
    }

    fn out(&mut self, len: usize) -> bool {
        let (now, inside) = (self.clock.now(), self.inside);
        self.network
            .send(now, inside, at(INSIDE), at(OUTSIDE), &vec![1; len]);
        self.arrives()
    }

    fn back(&mut self) -> bool {
        let (now, outside) = (self.clock.now(), self.outside);
        self.network
            .send(now, outside, at(OUTSIDE), at(INSIDE), b"x");
        self.arrives()
    }

    fn arrives(&mut self) -> bool {
        self.network
            .poll_deliver(self.clock.now() + SECOND)
            .is_some()
    }
}

#[test]
fn a_firewall_for_answers_lets_them_in_while_it_remembers() {
    let mut lab = Lab::new(Firewall::answers_only());
    assert!(!lab.back());
    assert!(lab.out(1) && lab.back());
    lab.clock.advance(SECOND * 301);
    assert!(!lab.back());
    assert_eq!(lab.network.stats().firewalled, 2);
}

#[test]
fn udp_is_blocked_in_both_directions() {
    let mut lab = Lab::new(Firewall::udp_blocked());
    assert!(!lab.out(1) && !lab.back());
    assert_eq!(lab.network.stats().firewalled, 2);
    lab.network.router(lab.subnet).unwrap().firewall = Firewall::open();
    assert!(lab.back() && lab.out(1), "opened while it runs");
}

#[test]
fn the_first_rule_that_fits_decides() {
    let mut firewall = Firewall::open();
    let mut allow = Rule::new(Verdict::Allow);
    allow.direction = Some(Direction::Outbound);
    allow.protocol = Some(Protocol::Udp);
    allow.address = Some(ip("192.0.2.1"));
    allow.ports = Some(6000..=6001);
    firewall.rules = vec![allow, Rule::new(Verdict::Drop)];
    let mut lab = Lab::new(firewall);
    assert!(!lab.back(), "another direction");
    assert!(lab.out(1));
    assert!(lab.back(), "an answer");
    let (now, inside) = (lab.clock.now(), lab.inside);
    lab.network
        .bind(lab.outside, at("192.0.2.1:6002"), None)
        .unwrap();
    lab.network
        .send(now, inside, at(INSIDE), at("192.0.2.1:6002"), b"x");
    assert!(!lab.arrives(), "another port");
}

#[test]
fn what_exceeds_the_mtu_of_one_link_vanishes() {
    let mut lab = Lab::new(Firewall::open());
    let uplink = lab.network.uplink(lab.subnet).unwrap();
    let mut narrow = Link::perfect();
    narrow.mtu = Some(1200);
    lab.network.set_link(uplink, narrow, Link::perfect());
    assert!(lab.out(1200));
    assert!(!lab.out(1201));
    let (up, down) = lab.network.link_stats(uplink);
    assert_eq!((up.oversized, up.delivered, down.sent), (1, 1, 0));
}

#[test]
fn every_link_on_the_way_adds_its_delay() {
    let mut lab = Lab::new(Firewall::open());
    let links = [
        lab.network.links_of(lab.inside)[0],
        lab.network.uplink(lab.subnet).unwrap(),
        lab.network.links_of(lab.outside)[0],
    ];
    for (index, link) in links.into_iter().enumerate() {
        let millis = 10_u64.pow(index as u32);
        let up = Link::delayed(Duration::from_millis(millis));
        let down = Link::delayed(Duration::from_millis(2 * millis));
        lab.network.set_link(link, up, down);
    }
    let now = lab.clock.now();
    lab.network
        .send(now, lab.inside, at(INSIDE), at(OUTSIDE), b"x");
    assert_eq!(lab.network.poll_deliver(now), None);
    let delivery = lab.network.poll_deliver(now + SECOND).unwrap();
    assert_eq!(
        lab.clock.offset(delivery.at),
        Duration::from_millis(1 + 10 + 200)
    );
    assert_eq!(lab.network.poll_timeout(), None);
}

#[test]
fn a_link_that_is_unplugged_or_renumbered_takes_its_address_along() {
    let mut lab = Lab::new(Firewall::open());
    let link = lab.network.links_of(lab.inside)[0];
    lab.network.set_plugged(link, false);
    assert!(lab.network.interfaces(lab.inside).is_empty());
    assert!(!lab.out(1) && !lab.back());
    lab.network.set_plugged(link, true);
    assert!(lab.out(1) && lab.back());
    lab.network.set_address(link, ip("10.1.0.7"));
    assert!(!lab.out(1) && !lab.back());
    let (now, inside) = (lab.clock.now(), lab.inside);
    let bound = lab.network.bind(inside, at("0.0.0.0:0"), None).unwrap();
    assert_eq!(bound.local.ip(), ip("10.1.0.7"));
    lab.network
        .send(now, inside, bound.local, at(OUTSIDE), b"x");
    assert!(lab.arrives());
}

#[test]
fn what_is_under_way_when_a_host_moves_is_lost() {
    let mut lab = Lab::new(Firewall::open());
    let uplink = lab.network.uplink(lab.subnet).unwrap();
    let slow = Link::delayed(SECOND / 10);
    lab.network.set_link(uplink, slow.clone(), slow);
    let now = lab.clock.now();
    lab.network
        .send(now, lab.outside, at(OUTSIDE), at(INSIDE), b"x");
    let link = lab.network.links_of(lab.inside)[0];
    lab.network.set_address(link, ip("10.1.0.7"));
    assert!(!lab.arrives());
    assert_eq!(lab.network.stats().unreachable, 1);
}

#[test]
fn mistakes_and_dead_ends_are_counted() {
    let mut lab = Lab::new(Firewall::open());
    let (now, inside) = (lab.clock.now(), lab.inside);
    let mut send = |from: &str, to: &str| lab.network.send(now, inside, at(from), at(to), b"x");
    send("10.1.0.1:1", OUTSIDE);
    send(INSIDE, "192.0.2.99:1");
    send(INSIDE, "10.1.9.9:1");
    send(INSIDE, "[2001:db8::1]:1");
    send(INSIDE, "192.0.2.1:1");
    assert!(!lab.arrives());
    let stats = lab.network.stats();
    assert_eq!(
        (stats.not_bound, stats.unreachable, stats.refused),
        (1, 3, 1)
    );
    let foreign = lab.network.bind(inside, at(OUTSIDE), None);
    assert_eq!(foreign, Err(io::ErrorKind::AddrNotAvailable));
    let taken = lab.network.bind(inside, at(INSIDE), None);
    assert_eq!(taken, Err(io::ErrorKind::AddrInUse));
}

#[test]
fn prefixes_contain_what_they_say() {
    let contains = |prefix, address| Prefix::new(prefix).contains(ip(address));
    assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
    assert!(contains("0.0.0.0/0", "255.0.0.1") && !contains("0.0.0.0/0", "::1"));
    assert!(contains("192.0.2.1/32", "192.0.2.1") && !contains("192.0.2.1/32", "192.0.2.0"));
    assert!(contains("fd00::/8", "fdff::1") && !contains("fd00::/8", "fe00::1"));
}

/// Says the time every second to whoever has asked last.
#[derive(Debug, Default)]
struct Ticker {
    asked: Option<(SocketAddr, SocketAddr)>,
    next: Option<Instant>,
}

impl Server for Ticker {
    fn start(&mut self, _now: Instant, shell: &mut Shell<'_>) {
        shell.bind(at("192.0.2.9:13")).unwrap();
    }

    fn handle(&mut self, now: Instant, _shell: &mut Shell<'_>, delivery: Delivery) {
        self.asked = Some((delivery.local, delivery.remote));
        self.next = Some(now + SECOND);
    }

    fn handle_timeout(&mut self, now: Instant, shell: &mut Shell<'_>) {
        if let Some((local, remote)) = self.asked {
            shell.send(now, local, remote, b"tick");
        }
        self.next = Some(now + SECOND);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}

#[test]
fn a_server_plays_its_host_and_has_timers() {
    let mut lab = Lab::new(Firewall::open());
    let internet = lab.network.internet();
    let host = lab.network.add_host_at("ticker", internet, ip("192.0.2.9"));
    let now = lab.clock.now();
    lab.network.serve(now, host, Box::new(Ticker::default()));
    lab.network
        .send(now, lab.inside, at(INSIDE), at("192.0.2.9:13"), b"?");
    for tick in 1..=3 {
        let delivery = lab.network.poll_deliver(now + SECOND * tick).unwrap();
        assert_eq!(delivery.arrival, Arrival::Datagram(b"tick".to_vec()));
        assert_eq!(lab.clock.offset(delivery.at), SECOND * tick);
    }
}

#[test]
fn a_stun_server_answers_binding_requests_and_nothing_else() {
    let mut lab = Lab::new(Firewall::open());
    let internet = lab.network.internet();
    let host = lab
        .network
        .add_host_at("stun", internet, ip("198.51.100.1"));
    let server = at("198.51.100.1:3478");
    let now = lab.clock.now();
    let stun = StunServer::new(vec![server]);
    lab.network.serve(now, host, Box::new(stun));
    // RFC 8489 §5: a Binding request without attributes, and an Allocate request.
    let mut request = *b"\x00\x01\x00\x00\x21\x12\xa4\x42unguessable!";
    lab.network
        .send(now, lab.inside, at(INSIDE), server, &request);
    let delivery = lab.network.poll_deliver(now).unwrap();
    let Arrival::Datagram(answer) = delivery.arrival else {
        panic!("not a datagram");
    };
    assert_eq!(answer[..2], [0x01, 0x01]);
    assert_eq!(answer[8..20], request[8..20]);
    // §14.2: family, then port and address, each XORed with the magic cookie.
    let address = [
        0,
        0x20,
        0,
        8,
        0,
        1,
        0x13 ^ 0x21,
        0x88 ^ 0x12,
        10 ^ 0x21,
        1 ^ 0x12,
        0xa4,
        1 ^ 0x42,
    ];
    assert_eq!(answer[20..32], address);
    request[1] = 3;
    for unanswered in [&request[..], b"", b"x", &answer] {
        lab.network
            .send(now, lab.inside, at(INSIDE), server, unanswered);
        assert_eq!(lab.network.poll_deliver(now), None);
    }
}

// RFC 6762 §3: a name that multicast answers for is known on its own link.
#[test]
fn a_published_name_is_known_on_its_subnet_and_nowhere_else() {
    let mut network = Network::new(1);
    let internet = network.internet();
    let home = network.add_subnet(internet, &["192.168.1.0/24"], Router::open());
    let one = network.add_host_at("one", home, ip("192.168.1.2"));
    let other = network.add_host_at("other", home, ip("192.168.1.3"));
    let far = network.add_host_at("far", internet, ip("192.0.2.1"));
    network.set_name("far.example", vec![ip("192.0.2.1")]);
    network.publish(one, "one.local", ip("192.168.1.2"));
    network.publish(one, "wrong.local", ip("192.168.1.3"));
    let all = [one, other, far];
    let found = |name: &str| all.map(|host| network.resolve_at(host, name).len());
    assert_eq!(found("one.local"), [1, 1, 0]);
    assert_eq!(found("wrong.local"), [0; 3]);
    assert_eq!(found("far.example"), [1; 3]);
}
