//! NATs behave as RFC 4787 defines each behaviour.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use layer::{Interface, Protocol};
use muonrtc_testkit::Clock;
use muonrtc_testkit::vnet::{
    Arrival, Dependence, Hairpinning, HostId, Nat, Network, Pooling, PortAssignment, Router,
    SubnetId,
};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use Dependence::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

const SECOND: Duration = Duration::from_secs(1);
const INSIDE: &str = "192.168.1.2:5000";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A host behind a NAT, a second one beside it, and three endpoints on two hosts outside.
struct Lab {
    clock: Clock,
    network: Network,
    home: SubnetId,
    inside: HostId,
    beside: HostId,
    outside: [(HostId, SocketAddr); 3],
}

impl Lab {
    fn new(nat: Nat) -> Self {
        let mut network = Network::new(1);
        let internet = network.internet();
        let home = network.add_subnet(internet, &["192.168.1.0/24"], Router::nat(nat));
        let inside = network.add_host_at("inside", home, ip("192.168.1.2"));
        let beside = network.add_host_at("beside", home, ip("192.168.1.3"));
        let y1 = network.add_host_at("y1", internet, ip("192.0.2.1"));
        let y2 = network.add_host_at("y2", internet, ip("192.0.2.2"));
        let outside = [
            (y1, at("192.0.2.1:1000")),
            (y1, at("192.0.2.1:2000")),
            (y2, at("192.0.2.2:1000")),
        ];
        for (host, address) in outside {
            network.bind(host, address, None).unwrap();
        }
        network.bind(inside, at(INSIDE), None).unwrap();
        Self {
            clock: Clock::new(),
            network,
            home,
            inside,
            beside,
            outside,
        }
    }

    /// Sends, and says at which host and as coming from where it arrives.
    fn send(
        &mut self,
        host: HostId,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Option<(HostId, SocketAddr)> {
        let now = self.clock.now();
        self.network.send(now, host, from, to, b"x");
        let delivery = self.network.poll_deliver(now)?;
        assert_eq!(delivery.arrival, Arrival::Datagram(b"x".to_vec()));
        Some((delivery.host, delivery.remote))
    }

    /// From the inside to an endpoint outside: what that sees.
    fn out(&mut self, to: usize) -> SocketAddr {
        self.out_from(INSIDE, to)
    }

    fn out_from(&mut self, from: &str, to: usize) -> SocketAddr {
        let (_, address) = self.outside[to];
        let inside = self.inside;
        self.send(inside, at(from), address).unwrap().1
    }

    /// From an endpoint outside to an external endpoint: whether it arrives inside.
    fn back(&mut self, from: usize, to: SocketAddr) -> bool {
        let (host, address) = self.outside[from];
        let arrived = self.send(host, address, to);
        assert!(arrived.is_none_or(|it| it == (self.inside, address)));
        arrived.is_some()
    }
}

fn nat(mapping: Dependence, filtering: Dependence) -> Nat {
    Nat::new(ip("203.0.113.1"), mapping, filtering)
}

// RFC 4787 §4.1, REQ-1
#[test]
fn a_mapping_is_reused_as_far_as_its_behaviour_says() {
    for (mapping, same) in [
        (EndpointIndependent, [true, true]),
        (AddressDependent, [true, false]),
        (AddressAndPortDependent, [false, false]),
    ] {
        let mut lab = Lab::new(nat(mapping, EndpointIndependent));
        let first = lab.out(0);
        assert_eq!(first.ip(), ip("203.0.113.1"));
        let others = [lab.out(1), lab.out(2)];
        assert_eq!(others.map(|it| it == first), same, "{mapping:?}");
        assert_eq!(lab.out(0), first, "{mapping:?} for the same endpoint");
        let distinct: BTreeSet<SocketAddr> = [first].into_iter().chain(others).collect();
        let now = lab.clock.now();
        let mappings = lab.network.mappings(now, lab.home);
        assert_eq!(mappings.len(), distinct.len());
        assert!(
            mappings
                .iter()
                .all(|it| it.0 == Protocol::Udp && it.1 == at(INSIDE))
        );
    }
}

// RFC 4787 §5, REQ-8
#[test]
fn a_filter_admits_whom_its_behaviour_says() {
    for mapping in [
        EndpointIndependent,
        AddressDependent,
        AddressAndPortDependent,
    ] {
        for (filtering, admitted) in [
            (EndpointIndependent, [true, true, true]),
            (AddressDependent, [true, true, false]),
            (AddressAndPortDependent, [true, false, false]),
        ] {
            let mut lab = Lab::new(nat(mapping, filtering));
            let external = lab.out(0);
            let back = [0, 1, 2].map(|from| lab.back(from, external));
            assert_eq!(back, admitted, "{mapping:?} {filtering:?}");
            let filtered = admitted.iter().filter(|it| !**it).count() as u64;
            assert_eq!(lab.network.stats().filtered, filtered);
        }
    }
}

#[test]
fn what_was_never_mapped_does_not_come_in() {
    let mut lab = Lab::new(nat(EndpointIndependent, EndpointIndependent));
    assert!(!lab.back(0, at("203.0.113.1:5000")));
    assert_eq!(lab.network.stats().unmapped, 1);
}

// RFC 4787 §4.1, REQ-2
#[test]
fn pooled_addresses_are_paired_with_internal_ones() {
    for (pooling, addresses) in [(Pooling::Paired, 1), (Pooling::Arbitrary, 2)] {
        let mut nat = nat(EndpointIndependent, EndpointIndependent);
        nat.external.push(ip("203.0.113.2"));
        nat.pooling = pooling;
        let mut lab = Lab::new(nat);
        let mut seen = BTreeSet::new();
        for port in 6000..6008 {
            let local = SocketAddr::new(ip("192.168.1.2"), port);
            let inside = lab.inside;
            lab.network.bind(inside, local, None).unwrap();
            let to = lab.outside[0].1;
            seen.insert(lab.send(inside, local, to).unwrap().1.ip());
        }
        assert_eq!(seen.len(), addresses, "{pooling:?}");
    }
}

// RFC 4787 §4.2.1, REQ-3, REQ-3a
#[test]
fn a_port_is_preserved_and_never_shared() {
    let mut lab = Lab::new(nat(EndpointIndependent, EndpointIndependent));
    assert_eq!(lab.out(0), at("203.0.113.1:5000"));
    // The same port of another host: another external one, of the same parity (REQ-4).
    let (beside, local) = (lab.beside, at("192.168.1.3:5000"));
    lab.network.bind(beside, local, None).unwrap();
    let to = lab.outside[0].1;
    let second = lab.send(beside, local, to).unwrap().1;
    assert_eq!(second, at("203.0.113.1:5002"));
    assert!(
        lab.back(0, at("203.0.113.1:5000")),
        "still the first host's"
    );
}

// RFC 4787 REQ-3a, REQ-4
#[test]
fn ranges_and_parity_of_ports_are_kept() {
    for ports in [
        PortAssignment::Preserving,
        PortAssignment::Sequential,
        PortAssignment::Random,
    ] {
        let mut nat = nat(AddressAndPortDependent, EndpointIndependent);
        nat.ports = ports;
        let mut lab = Lab::new(nat);
        for port in [53, 54, 1023, 1024, 5001, 65_535] {
            let local = SocketAddr::new(ip("192.168.1.2"), port);
            let inside = lab.inside;
            lab.network.bind(inside, local, None).unwrap();
            for to in 0..3 {
                let seen = lab.out_from(&local.to_string(), to).port();
                assert_eq!(seen < 1024, port < 1024, "{ports:?}: {port} became {seen}");
                assert_eq!(seen % 2, port % 2, "{ports:?}: {port} became {seen}");
            }
        }
    }
}

#[test]
fn sequential_ports_follow_each_other_and_random_ones_do_not() {
    let steps = |ports| {
        let mut nat = nat(AddressAndPortDependent, EndpointIndependent);
        (nat.ports, nat.parity) = (ports, false);
        let mut lab = Lab::new(nat);
        let seen = [0, 1, 2].map(|to| lab.out(to).port());
        [seen[1].wrapping_sub(seen[0]), seen[2].wrapping_sub(seen[1])]
    };
    assert_eq!(steps(PortAssignment::Sequential), [1, 1]);
    assert_ne!(steps(PortAssignment::Random), [1, 1]);
}

// RFC 4787 §4.3, REQ-5
#[test]
fn a_mapping_ends_after_its_lifetime() {
    let mut lab = Lab::new(nat(EndpointIndependent, EndpointIndependent));
    let external = lab.out(0);
    lab.clock.advance(SECOND * 299);
    assert!(lab.back(0, external));
    lab.clock.advance(SECOND);
    assert!(!lab.back(0, external));
    assert!(lab.network.mappings(lab.clock.now(), lab.home).is_empty());
}

// RFC 4787 §4.3, REQ-6
#[test]
fn what_goes_out_refreshes_a_mapping_where_the_nat_says_so() {
    for (refreshes, lives) in [(true, true), (false, false)] {
        let mut nat = nat(EndpointIndependent, AddressAndPortDependent);
        nat.outbound_refresh = refreshes;
        let mut lab = Lab::new(nat);
        let external = lab.out(0);
        lab.clock.advance(SECOND * 200);
        assert_eq!(lab.out(0), external);
        lab.clock.advance(SECOND * 200);
        assert_eq!(lab.back(0, external), lives);
    }
}

// RFC 4787 §4.3, REQ-6a
#[test]
fn what_comes_in_refreshes_a_mapping_where_the_nat_says_so() {
    for refreshes in [false, true] {
        let mut nat = nat(EndpointIndependent, AddressAndPortDependent);
        nat.inbound_refresh = refreshes;
        let mut lab = Lab::new(nat);
        let external = lab.out(0);
        lab.clock.advance(SECOND * 200);
        assert!(lab.back(0, external));
        lab.clock.advance(SECOND * 200);
        assert_eq!(lab.back(0, external), refreshes);
    }
}

// RFC 4787 §5: a filter is opened by what was sent, and closes like a mapping.
#[test]
fn a_filter_forgets_whom_nothing_was_sent_to_for_a_lifetime() {
    let mut lab = Lab::new(nat(EndpointIndependent, AddressAndPortDependent));
    let external = lab.out(0);
    lab.clock.advance(SECOND * 200);
    assert_eq!(lab.out(2), external);
    assert!(lab.back(0, external));
    lab.clock.advance(SECOND * 150);
    assert!(lab.back(2, external));
    assert!(
        !lab.back(0, external),
        "the mapping lives, the filter is closed"
    );
}

// RFC 4787 §6, REQ-9
#[test]
fn a_packet_to_an_external_endpoint_is_turned_around() {
    for (hairpinning, source) in [
        (Hairpinning::ExternalSource, Some("203.0.113.1:7000")),
        (Hairpinning::InternalSource, Some("192.168.1.3:7000")),
        (Hairpinning::Unsupported, None),
    ] {
        let mut nat = nat(EndpointIndependent, EndpointIndependent);
        nat.hairpinning = hairpinning;
        let mut lab = Lab::new(nat);
        let external = lab.out(0);
        let (beside, local) = (lab.beside, at("192.168.1.3:7000"));
        lab.network.bind(beside, local, None).unwrap();
        let arrived = lab.send(beside, local, external);
        let expected = source.map(|source| (lab.inside, at(source)));
        assert_eq!(arrived, expected, "{hairpinning:?}");
        let lost = u64::from(source.is_none());
        assert_eq!(lab.network.stats().not_hairpinned, lost);
    }
}

#[test]
fn a_hairpinned_packet_passes_the_filter_or_is_lost() {
    let mut lab = Lab::new(nat(EndpointIndependent, AddressAndPortDependent));
    let external = lab.out(0);
    let (inside, beside) = (lab.inside, lab.beside);
    let local = at("192.168.1.3:7000");
    lab.network.bind(beside, local, None).unwrap();
    assert_eq!(lab.send(beside, local, external), None);
    // The first one has opened the way back.
    let back = lab.send(inside, at(INSIDE), at("203.0.113.1:7000"));
    assert_eq!(back, Some((beside, external)));
    let again = lab.send(beside, local, external);
    assert_eq!(again, Some((inside, at("203.0.113.1:7000"))));
}

#[test]
fn an_endpoint_forwarded_by_hand_is_open_for_ever_and_used_on_the_way_out() {
    let mut lab = Lab::new(nat(AddressAndPortDependent, AddressAndPortDependent));
    let external = at("203.0.113.1:443");
    let now = lab.clock.now();
    lab.network
        .forward(now, lab.home, Protocol::Udp, external, at(INSIDE));
    lab.clock.advance(SECOND * 86_400);
    assert!(lab.back(0, external) && lab.back(2, external));
    assert_eq!([lab.out(0), lab.out(2)], [external; 2]);
}

#[test]
fn a_full_table_loses_new_mappings_and_keeps_old_ones() {
    let mut nat = nat(AddressAndPortDependent, EndpointIndependent);
    nat.max_mappings = 2;
    let mut lab = Lab::new(nat);
    let first = lab.out(0);
    lab.out(1);
    let (inside, third) = (lab.inside, lab.outside[2].1);
    assert_eq!(lab.send(inside, at(INSIDE), third), None);
    assert_eq!(lab.network.stats().unmapped, 1);
    assert!(lab.back(0, first));
    lab.clock.advance(SECOND * 300);
    assert!(lab.send(inside, at(INSIDE), third).is_some(), "room again");
}

#[test]
fn a_restarted_router_with_another_address_maps_anew() {
    let mut lab = Lab::new(nat(EndpointIndependent, EndpointIndependent));
    let before = lab.out(0);
    let router = lab.network.router(lab.home).unwrap();
    router.nat.as_mut().unwrap().external = vec![ip("203.0.113.9")];
    lab.network.restart_router(lab.home);
    assert!(!lab.back(0, before));
    assert_eq!(lab.out(0), at("203.0.113.9:5000"));
}

#[test]
fn nats_nest_and_the_other_family_is_routed() {
    let mut network = Network::new(1);
    let clock = Clock::new();
    let internet = network.internet();
    let outer = Router::nat(Nat::symmetric(ip("203.0.113.1")));
    let prefixes = ["100.64.0.0/10", "2001:db8:1::/48"];
    let provider = network.add_subnet(internet, &prefixes, outer);
    let inner = Router::nat(Nat::full_cone(ip("100.64.0.1")));
    let prefixes = ["192.168.1.0/24", "2001:db8:1:1::/64"];
    let home = network.add_subnet(provider, &prefixes, inner);
    let inside = network.add_host_at("inside", home, ip("192.168.1.2"));
    network.attach(inside, home, ip("2001:db8:1:1::2"));
    let names: Vec<String> = network
        .interfaces(inside)
        .into_iter()
        .map(|it: Interface| it.name)
        .collect();
    assert_eq!(names, ["if0", "if1"]);
    let outside = network.add_host_at("outside", internet, ip("192.0.2.1"));
    network.attach(outside, internet, ip("2001:db8:2::1"));
    let mut exchange = |from: &str, to: &str| {
        let now = clock.now();
        network.bind(inside, at(from), None).unwrap();
        network.bind(outside, at(to), None).unwrap();
        network.send(now, inside, at(from), at(to), b"x");
        let seen = network.poll_deliver(now).unwrap().remote;
        network.send(now, outside, at(to), seen, b"x");
        let back = network.poll_deliver(now).unwrap();
        assert_eq!((back.host, back.local), (inside, at(from)));
        seen
    };
    assert_eq!(
        exchange("192.168.1.2:5000", "192.0.2.1:6000").ip(),
        ip("203.0.113.1")
    );
    let routed = exchange("[2001:db8:1:1::2]:5000", "[2001:db8:2::1]:6000");
    assert_eq!(routed, at("[2001:db8:1:1::2]:5000"));
}
