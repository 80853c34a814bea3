//! Which addresses of the host become host candidates, and in which order of preference
//! (RFC 8445 §5.1.1.1, RFC 8421 §4).

use crate::Factory;
use layer::Interface;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// The addresses to bind, most preferred first, port 0.
pub(crate) fn choose(interfaces: &[Interface], settings: &Factory) -> Vec<SocketAddr> {
    let usable: Vec<&Interface> = interfaces
        .iter()
        .filter(|interface| is_usable(interface, settings))
        .collect();
    let private: Vec<&Interface> = usable
        .iter()
        .copied()
        .filter(|interface| !is_trackable(interface, &usable))
        .collect();
    let (loopback, network): (Vec<&Interface>, Vec<&Interface>) = private
        .into_iter()
        .partition(|interface| interface.loopback);

    let mut chosen = interleave(&network);
    if settings.include_loopback || chosen.is_empty() {
        chosen.extend(interleave(&loopback));
    }
    chosen.truncate(settings.max_host_candidates);
    chosen
}

fn is_usable(interface: &Interface, settings: &Factory) -> bool {
    let family = match interface.address {
        IpAddr::V4(ip) => settings.ipv4 && !ip.is_unspecified() && !ip.is_broadcast(),
        IpAddr::V6(ip) => settings.ipv6 && is_usable_v6(ip, settings),
    };
    family
        && (interface.default_route || !settings.default_routes_only)
        && !interface.address.is_multicast()
        && settings
            .interface_filter
            .as_ref()
            .is_none_or(|filter| filter.keeps(interface))
}

/// ice-002: no IPv4-compatible, IPv4-mapped or site-local addresses (RFC 8445 §5.1.1.1).
fn is_usable_v6(ip: Ipv6Addr, settings: &Factory) -> bool {
    let [first, ..] = ip.segments();
    let is_site_local = first & 0xFFC0 == 0xFEC0;
    let embeds_v4 = ip.to_ipv4().is_some() && !ip.is_loopback();
    !ip.is_unspecified()
        && !is_site_local
        && !embeds_v4
        && (settings.include_link_local || !ip.is_unicast_link_local())
}

/// ice-003: beside a temporary address the link-local ones of its interface, and the lasting ones of
/// its network, would only help to track the host (RFC 8445 §5.1.1.1).
fn is_trackable(interface: &Interface, all: &[&Interface]) -> bool {
    let IpAddr::V6(ip) = interface.address else {
        return false;
    };
    let hides = |other: &Interface| match other.address {
        IpAddr::V6(temporary) => {
            other.temporary
                && other.name == interface.name
                && (ip.is_unicast_link_local() || temporary.segments()[..4] == ip.segments()[..4])
        }
        IpAddr::V4(_) => false,
    };
    !interface.temporary && all.iter().any(|other| hides(other))
}

/// ice-010: both families take turns, IPv6 first, so that a broken one delays the other little
/// (RFC 8421 §4).
fn interleave(interfaces: &[&Interface]) -> Vec<SocketAddr> {
    let family = |v6: bool| {
        interfaces
            .iter()
            .filter(move |interface| interface.address.is_ipv6() == v6)
            .map(|interface| socket_address(interface))
    };
    let (mut v6, mut v4) = (family(true), family(false));
    let mut ordered = Vec::with_capacity(interfaces.len());
    while ordered.len() < interfaces.len() {
        ordered.extend(v6.next());
        ordered.extend(v4.next());
    }
    ordered
}

fn socket_address(interface: &Interface) -> SocketAddr {
    match interface.address {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddr::V6(SocketAddrV6::new(ip, 0, 0, interface.index))
        }
        ip => SocketAddr::new(ip, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(addresses: &[&str]) -> Vec<Interface> {
        addresses
            .iter()
            .map(|address| Interface::new("eth0", address.parse().unwrap()))
            .collect()
    }

    fn chosen(interfaces: &[Interface], settings: &Factory) -> Vec<String> {
        choose(interfaces, settings)
            .iter()
            .map(|address| address.ip().to_string())
            .collect()
    }

    // ice-002
    #[test]
    fn loopback_and_outdated_addresses_are_not_offered() {
        let interfaces = listed(&[
            "127.0.0.1",
            "::1",
            "10.0.0.1",
            "fe80::1",
            "fec0::1",
            "::ffff:10.0.0.2",
            "::10.0.0.3",
            "0.0.0.0",
            "224.0.0.1",
            "2001:db8::1",
        ]);
        let settings = Factory::default();
        assert_eq!(chosen(&interfaces, &settings), ["2001:db8::1", "10.0.0.1"]);
    }

    #[test]
    fn loopback_is_offered_when_wanted_or_when_there_is_nothing_else() {
        let mut settings = Factory::default();
        let alone = listed(&["127.0.0.1", "::1", "fe80::1"]);
        assert_eq!(chosen(&alone, &settings), ["::1", "127.0.0.1"]);
        settings.include_loopback = true;
        let interfaces = listed(&["127.0.0.1", "10.0.0.1"]);
        assert_eq!(chosen(&interfaces, &settings), ["10.0.0.1", "127.0.0.1"]);
    }

    // ice-014
    #[test]
    fn without_consent_only_the_default_routes_are_shown() {
        let mut interfaces = listed(&["10.0.0.1", "192.168.1.1", "2001:db8::1", "2001:db8::2"]);
        interfaces[1].default_route = true;
        interfaces[2].default_route = true;
        let settings = Factory {
            default_routes_only: true,
            ..Factory::default()
        };
        assert_eq!(
            chosen(&interfaces, &settings),
            ["2001:db8::1", "192.168.1.1"]
        );
    }

    // ice-010
    #[test]
    fn the_families_take_turns() {
        let interfaces = listed(&[
            "10.0.0.1",
            "10.0.0.2",
            "10.0.0.3",
            "2001:db8::1",
            "2001:db8::2",
        ]);
        let order = [
            "2001:db8::1",
            "10.0.0.1",
            "2001:db8::2",
            "10.0.0.2",
            "10.0.0.3",
        ];
        assert_eq!(chosen(&interfaces, &Factory::default()), order);
    }

    // ice-003
    #[test]
    fn a_temporary_address_hides_the_lasting_ones_of_its_network() {
        let mut interfaces = listed(&["2001:db8::1", "2001:db8::2", "10.0.0.1", "fe80::1"]);
        interfaces[1].temporary = true;
        interfaces.push(Interface::new("eth1", "2001:db8::3".parse().unwrap()));
        // A network of its own, without a temporary address.
        interfaces.extend(listed(&["fd00::1"]));
        let settings = Factory {
            include_link_local: true,
            ..Factory::default()
        };
        assert_eq!(
            chosen(&interfaces, &settings),
            ["2001:db8::2", "10.0.0.1", "2001:db8::3", "fd00::1"]
        );
    }

    #[test]
    fn families_and_single_interfaces_can_be_left_out() {
        let interfaces = listed(&["10.0.0.1", "2001:db8::1"]);
        let mut settings = Factory {
            ipv6: false,
            ..Factory::default()
        };
        assert_eq!(chosen(&interfaces, &settings), ["10.0.0.1"]);
        settings.interface_filter = Some(crate::InterfaceFilter::new(|it| it.name != "eth0"));
        assert!(chosen(&interfaces, &settings).is_empty());
    }
}
