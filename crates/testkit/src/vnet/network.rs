//! The network: how it is put together and changed.

use super::firewall::Flows;
use super::host::Host;
use super::nat::{Nat, Table};
use super::packet::Packet;
use super::server::{Server, Shell};
use super::stream::Reads;
use super::subnet::{Attachment, Subnet, Uplink, Way};
use super::{Delivery, HostId, LinkId, Prefix, Router, SubnetId};
use crate::{Link, Random, WireStats};
use layer::{Interface, Protocol};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Hosts, subnets and routers, and everything that is under way between them.
///
/// It is driven like a layer: verbs put things in at an instant,
/// [`poll_timeout`](Network::poll_timeout) says when something happens next, and
/// [`poll_deliver`](Network::poll_deliver) takes out what has arrived. The
/// [module](super) shows how a topology is built.
#[derive(Debug)]
pub struct Network {
    pub(super) seed: u64,
    pub(super) subnets: Vec<Subnet>,
    pub(super) hosts: Vec<Host>,
    pub(super) links: Vec<Attachment>,
    pub(super) queue: BTreeMap<(Instant, u64), (Place, Packet)>,
    pub(super) sequence: u64,
    pub(super) streams_made: u64,
    pub(super) ready: VecDeque<Delivery>,
    names: BTreeMap<String, Vec<IpAddr>>,
    /// Names that hosts answer for on a subnet.
    published: BTreeMap<String, (SubnetId, IpAddr)>,
    pub(super) stats: Stats,
}

/// Where a packet has come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Subnet(SubnetId),
    /// The router of this subnet, from above.
    Router(SubnetId),
    Host(HostId),
}

/// What a [`Network`] did not deliver, beside what its links lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sent from an address that is no socket of the host: a mistake of the sender.
    pub not_bound: u64,
    /// From an address that the host does not have any more, or to one that nobody has.
    pub unreachable: u64,
    /// Arrived where no socket is bound.
    pub refused: u64,
    /// Stopped by a firewall.
    pub firewalled: u64,
    /// To an external endpoint of a NAT without a mapping, or out where there is no room for one.
    pub unmapped: u64,
    /// To a mapping that does not admit the sender.
    pub filtered: u64,
    /// From inside to an external address of a NAT that does not turn packets around.
    pub not_hairpinned: u64,
}

impl Network {
    /// The internet alone, without hosts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let internet = Subnet {
            prefixes: Vec::new(),
            uplink: None,
        };
        Self {
            seed,
            subnets: vec![internet],
            hosts: Vec::new(),
            links: Vec::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            streams_made: 0,
            ready: VecDeque::new(),
            names: BTreeMap::new(),
            published: BTreeMap::new(),
            stats: Stats::default(),
        }
    }

    /// The subnet at the top, on which any address may be.
    #[must_use]
    pub fn internet(&self) -> SubnetId {
        SubnetId(0)
    }

    // --- putting it together ---

    /// Adds a subnet with these ranges of addresses, behind a router on the subnet `above`. Without
    /// a NAT the ranges must be part of what packets on `above` are sent to.
    pub fn add_subnet(&mut self, above: SubnetId, prefixes: &[&str], router: Router) -> SubnetId {
        let link = self.add_link(None, above);
        let subnet = SubnetId(self.subnets.len());
        let random = Random::new(self.seed, &label(b"nat ", subnet.0));
        self.subnets.push(Subnet {
            prefixes: prefixes.iter().map(|text| Prefix::new(text)).collect(),
            uplink: Some(Uplink {
                parent: above,
                link,
                router,
                table: Table::new(random),
                flows: Flows::default(),
            }),
        });
        subnet
    }

    /// Adds a host, on no subnet yet.
    pub fn add_host(&mut self, name: impl Into<String>) -> HostId {
        self.hosts.push(Host::new(name.into()));
        HostId(self.hosts.len() - 1)
    }

    /// Gives a host an interface with this address on a subnet.
    pub fn attach(&mut self, host: HostId, subnet: SubnetId, address: IpAddr) -> LinkId {
        self.add_link(Some((host, address)), subnet)
    }

    /// A host with one interface, in one step.
    pub fn add_host_at(&mut self, name: &str, subnet: SubnetId, address: IpAddr) -> HostId {
        let host = self.add_host(name);
        self.attach(host, subnet, address);
        host
    }

    /// Lets a server play a host from now on.
    pub fn serve(&mut self, now: Instant, host: HostId, mut server: Box<dyn Server>) {
        self.hosts[host.0].is_server = true;
        let mut shell = Shell {
            network: self,
            host,
        };
        server.start(now, &mut shell);
        self.hosts[host.0].server = Some(server);
    }

    /// Gives a name addresses.
    pub fn set_name(&mut self, name: impl Into<String>, addresses: Vec<IpAddr>) {
        self.names.insert(name.into(), addresses);
    }

    /// The addresses that a name was given; none if it is unknown.
    #[must_use]
    pub fn resolve(&self, name: &str) -> &[IpAddr] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// Lets a host answer for a name with one of its addresses, to the hosts on the same subnet
    /// (multicast DNS, RFC 6762). An address that it does not have is ignored.
    pub fn publish(&mut self, host: HostId, name: impl Into<String>, address: IpAddr) {
        if let Some(link) = self.link_with(host, address) {
            let subnet = self.links[link.0].subnet;
            self.published.insert(name.into(), (subnet, address));
        }
    }

    /// What a host is told when it asks for a name: what was [given](Network::set_name), or what is
    /// [published](Network::publish) on one of its subnets.
    #[must_use]
    pub fn resolve_at(&self, host: HostId, name: &str) -> Vec<IpAddr> {
        let Some((subnet, address)) = self.published.get(name) else {
            return self.resolve(name).to_vec();
        };
        let mut links = self.links.iter().filter(|link| link.live);
        let hears = links.any(|link| {
            let own = link.host.is_some_and(|(own, _)| own == host);
            own && link.subnet == *subnet
        });
        if hears { vec![*address] } else { Vec::new() }
    }

    // --- changes while it runs ---

    /// Unplugs a link, or plugs it in again. The addresses of a host's link come and go with it;
    /// sockets on them stay and reach nobody.
    pub fn set_plugged(&mut self, link: LinkId, plugged: bool) {
        self.links[link.0].live = plugged;
    }

    /// Gives the host's end of a link another address, as when a lease ends.
    pub fn set_address(&mut self, link: LinkId, address: IpAddr) {
        if let Some((_, own)) = &mut self.links[link.0].host {
            *own = address;
        }
    }

    /// Sets the properties of a link, towards the subnet above and away from it, for packets to
    /// come. Perfect at first.
    pub fn set_link(&mut self, link: LinkId, up: Link, down: Link) {
        let attachment = &mut self.links[link.0];
        attachment.up.link = up;
        attachment.down.link = down;
    }

    /// Counters of a link, up and down.
    #[must_use]
    pub fn link_stats(&self, link: LinkId) -> (&WireStats, &WireStats) {
        let attachment = &self.links[link.0];
        (&attachment.up.transit.stats, &attachment.down.transit.stats)
    }

    /// The link from the router of a subnet to the subnet above; `None` for the internet.
    #[must_use]
    pub fn uplink(&self, subnet: SubnetId) -> Option<LinkId> {
        let uplink = self.subnets[subnet.0].uplink.as_ref();
        uplink.map(|uplink| uplink.link)
    }

    /// The links of a host, in the order they were attached.
    #[must_use]
    pub fn links_of(&self, host: HostId) -> Vec<LinkId> {
        let of_host = |link: &Attachment| link.host.is_some_and(|(own, _)| own == host);
        let links = self.links.iter().enumerate();
        let own = links.filter(|(_, link)| of_host(link));
        own.map(|(index, _)| LinkId(index)).collect()
    }

    /// The router of a subnet, to be looked at and changed; `None` for the internet. The mappings
    /// and flows that it has stay.
    pub fn router(&mut self, subnet: SubnetId) -> Option<&mut Router> {
        let uplink = self.subnets[subnet.0].uplink.as_mut();
        uplink.map(|uplink| &mut uplink.router)
    }

    /// The router of a subnet starts anew: it forgets its mappings and flows. With other addresses
    /// in [`Nat::external`](Nat) set through [`router`](Network::router), that is a new dial-up.
    pub fn restart_router(&mut self, subnet: SubnetId) {
        if let Some(uplink) = &mut self.subnets[subnet.0].uplink {
            uplink.table.clear();
            uplink.flows = Flows::default();
        }
    }

    /// Forwards an external endpoint of a NAT to an internal one, for everybody and for ever (a
    /// 1:1 NAT, or a port forwarded by hand).
    pub fn forward(
        &mut self,
        now: Instant,
        subnet: SubnetId,
        protocol: Protocol,
        external: SocketAddr,
        internal: SocketAddr,
    ) {
        if let Some(uplink) = &mut self.subnets[subnet.0].uplink {
            uplink.table.forward(now, protocol, external, internal);
        }
    }

    /// The mappings that the NAT of a subnet has now: protocol, internal and external endpoint.
    #[must_use]
    pub fn mappings(
        &self,
        now: Instant,
        subnet: SubnetId,
    ) -> Vec<(Protocol, SocketAddr, SocketAddr)> {
        let uplink = self.subnets[subnet.0].uplink.as_ref();
        let nat = |uplink: &Uplink| -> Option<Nat> { uplink.router.nat.clone() };
        uplink
            .and_then(|uplink| Some(uplink.table.live(now, &nat(uplink)?)))
            .unwrap_or_default()
    }

    /// How bytes come out of the streams that a host opens or accepts from now on.
    pub fn set_reads(&mut self, host: HostId, reads: Reads) {
        self.hosts[host.0].reads = reads;
    }

    // --- questions ---

    /// The interfaces of a host that are plugged in, named `if0`, `if1`, …
    #[must_use]
    pub fn interfaces(&self, host: HostId) -> Vec<Interface> {
        let links = self.links_of(host).into_iter().enumerate();
        let live = links.filter(|(_, link)| self.links[link.0].live);
        live.filter_map(|(index, link)| {
            let (_, address) = self.links[link.0].host?;
            Some(Interface::new(format!("if{index}"), address))
        })
        .collect()
    }

    /// The name of a host.
    #[must_use]
    pub fn name(&self, host: HostId) -> &str {
        &self.hosts[host.0].name
    }

    /// What was not delivered.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    fn add_link(&mut self, host: Option<(HostId, IpAddr)>, subnet: SubnetId) -> LinkId {
        let index = self.links.len();
        self.links.push(Attachment {
            host,
            subnet,
            live: true,
            up: Way::new(self.seed, index, b'u'),
            down: Way::new(self.seed, index, b'd'),
        });
        LinkId(index)
    }
}

/// What a part of the network draws its randomness under.
pub(super) fn label(kind: &[u8; 4], index: usize) -> [u8; 8] {
    let [a, b, c, d] = *kind;
    let [e, f, g, h] = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c, d, e, f, g, h]
}
