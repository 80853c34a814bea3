//! How packets find their way, one link at a time.

use super::nat::{Hairpinning, Translated};
use super::network::Place;
use super::packet::Packet;
use super::subnet::Uplink;
use super::{HostId, LinkId, Network, SubnetId};
use std::net::IpAddr;
use std::time::Instant;

/// Towards the subnet above, or away from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heading {
    Up,
    Down,
}

impl Network {
    /// A host puts a packet on the link of its source address.
    pub(super) fn depart(&mut self, now: Instant, host: HostId, packet: Packet) {
        let destination = packet.destination.ip();
        let same_family = packet.source.is_ipv4() == destination.is_ipv4();
        let Some(link) = self
            .link_with(host, packet.source.ip())
            .filter(|_| same_family)
        else {
            self.stats.unreachable += 1;
            return;
        };
        if self.link_with(host, destination).is_some() {
            self.put(now, Place::Host(host), packet);
            return;
        }
        let subnet = self.links[link.0].subnet;
        self.travel(now, (link, Heading::Up), Place::Subnet(subnet), packet);
    }

    /// A packet has come somewhere.
    pub(super) fn arrive(&mut self, now: Instant, place: Place, packet: Packet) {
        match place {
            Place::Subnet(subnet) => self.switch(now, subnet, packet),
            Place::Router(subnet) => self.enter(now, subnet, packet),
            Place::Host(host) => self.receive(now, host, packet),
        }
    }

    /// On a subnet: to a host on it, down to another subnet, or up.
    fn switch(&mut self, now: Instant, subnet: SubnetId, packet: Packet) {
        let destination = packet.destination.ip();
        if let Some((link, host)) = self.host_on(subnet, destination) {
            self.travel(now, (link, Heading::Down), Place::Host(host), packet);
        } else if let Some((link, below)) = self.router_on(subnet, destination) {
            self.travel(now, (link, Heading::Down), Place::Router(below), packet);
        } else if self.subnets[subnet.0].contains(destination) {
            self.stats.unreachable += 1;
        } else {
            self.leave(now, subnet, packet);
        }
    }

    /// Through the router of a subnet, to the one above.
    fn leave(&mut self, now: Instant, subnet: SubnetId, mut packet: Packet) {
        let Some(uplink) = &mut self.subnets[subnet.0].uplink else {
            self.stats.unreachable += 1;
            return;
        };
        let Uplink {
            router,
            table,
            flows,
            ..
        } = uplink;
        if !flows.passes_out(now, &router.firewall, &packet) {
            self.stats.firewalled += 1;
            return;
        }
        let nat = router.nat.as_ref();
        let nat = nat.filter(|nat| nat.translates(packet.source.ip()));
        let (link, parent) = (uplink.link, uplink.parent);
        let Some(nat) = nat else {
            self.travel(now, (link, Heading::Up), Place::Subnet(parent), packet);
            return;
        };
        let inside = packet.source;
        let hairpinned = nat.external.contains(&packet.destination.ip());
        let hairpinning = nat.hairpinning;
        if hairpinned && hairpinning == Hairpinning::Unsupported {
            self.stats.not_hairpinned += 1;
            return;
        }
        if table.leave(now, nat, &mut packet) != Translated::Yes {
            self.stats.unmapped += 1;
            return;
        }
        if !hairpinned {
            self.travel(now, (link, Heading::Up), Place::Subnet(parent), packet);
            return;
        }
        // RFC 4787 §6: turned around. Filters see the external source in any case.
        let translated = table.enter(now, nat, &mut packet);
        if hairpinning == Hairpinning::InternalSource {
            packet.source = inside;
        }
        if self.count(&translated) {
            self.put(now, Place::Subnet(subnet), packet);
        }
    }

    /// Through the router of a subnet, from the one above.
    fn enter(&mut self, now: Instant, subnet: SubnetId, mut packet: Packet) {
        let Some(uplink) = &mut self.subnets[subnet.0].uplink else {
            return;
        };
        let Uplink {
            router,
            table,
            flows,
            ..
        } = uplink;
        if let Some(nat) = &router.nat
            && nat.translates(packet.destination.ip())
        {
            let translated = table.enter(now, nat, &mut packet);
            if translated != Translated::Yes {
                self.count(&translated);
                return;
            }
        }
        if !flows.passes_in(now, &router.firewall, &packet) {
            self.stats.firewalled += 1;
            return;
        }
        self.put(now, Place::Subnet(subnet), packet);
    }

    /// Counts what a NAT did not let through; whether it did.
    fn count(&mut self, translated: &Translated) -> bool {
        match translated {
            Translated::Yes => return true,
            Translated::Unmapped => self.stats.unmapped += 1,
            Translated::Filtered => self.stats.filtered += 1,
        }
        false
    }

    /// Puts a packet on a link, if it is plugged in.
    fn travel(&mut self, now: Instant, way: (LinkId, Heading), to: Place, packet: Packet) {
        let attachment = &mut self.links[way.0.0];
        if !attachment.live {
            self.stats.unreachable += 1;
            return;
        }
        let way = match way.1 {
            Heading::Up => &mut attachment.up,
            Heading::Down => &mut attachment.down,
        };
        let Some(arrival) = way.transit.admit(&way.link, now, packet.len()) else {
            return;
        };
        way.transit.delivered(packet.len());
        if let Some(copy) = arrival.copy {
            way.transit.delivered(packet.len());
            self.put(copy, to, packet.clone());
        }
        self.put(arrival.at, to, packet);
    }

    fn put(&mut self, at: Instant, place: Place, packet: Packet) {
        self.queue.insert((at, self.sequence), (place, packet));
        self.sequence += 1;
    }

    /// The link of a host with this address.
    pub(super) fn link_with(&self, host: HostId, address: IpAddr) -> Option<LinkId> {
        let is = |link: &LinkId| {
            let link = &self.links[link.0];
            link.live && link.host == Some((host, address))
        };
        self.links_of(host).into_iter().find(is)
    }

    fn host_on(&self, subnet: SubnetId, address: IpAddr) -> Option<(LinkId, HostId)> {
        self.links.iter().enumerate().find_map(|(index, link)| {
            let (host, own) = link.host?;
            let here = link.subnet == subnet && own == address && link.live;
            here.then_some((LinkId(index), host))
        })
    }

    fn router_on(&self, subnet: SubnetId, address: IpAddr) -> Option<(LinkId, SubnetId)> {
        self.subnets.iter().enumerate().find_map(|(index, below)| {
            let uplink = below.uplink.as_ref()?;
            let here = uplink.parent == subnet && below.answers_for(address);
            here.then_some((uplink.link, SubnetId(index)))
        })
    }
}
