use crate::transit::Transit;
use crate::{Link, Random, WireStats};
use layer::{Bound, Interface, SocketId};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Instant;

/// The ports a socket gets that does not ask for one (RFC 6335 §6).
const DYNAMIC_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Names one host of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

/// A datagram with the addresses it travels between.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet {
    /// Where it comes from.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Packet {
    /// All three parts.
    #[must_use]
    pub fn new(source: SocketAddr, destination: SocketAddr, bytes: Vec<u8>) -> Self {
        Self {
            source,
            destination,
            bytes,
        }
    }
}

/// A small network: hosts with addresses on one segment, their sockets, and what travels between.
///
/// Every host reaches every other one directly, IPv4 and IPv6 apart. For routers, NATs, firewalls and
/// streams there is [`vnet::Network`](crate::vnet::Network).
///
/// Each ordered pair of addresses has its own direction with its own randomness, all with the
/// properties of [`link`](Network::link) unless [`set_link`](Network::set_link) gave them others.
#[derive(Debug)]
pub struct Network {
    /// The properties of every path; may be changed at any time for the packets to come.
    pub link: Link,
    seed: u64,
    hosts: Vec<Host>,
    links: BTreeMap<(IpAddr, IpAddr), Link>,
    blocked: BTreeSet<(IpAddr, IpAddr)>,
    transits: BTreeMap<(IpAddr, IpAddr), Transit>,
    in_flight: BTreeMap<(Instant, u64), Packet>,
    sequence: u64,
    names: BTreeMap<String, Vec<IpAddr>>,
    stats: NetworkStats,
}

/// What a [`Network`] did not deliver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkStats {
    /// Sent from an address that is no socket of the host: a mistake of the sender.
    pub not_bound: u64,
    /// To an address that no host has, of another family, or on a loopback interface of another host.
    pub unreachable: u64,
    /// On a path that [`Network::block`] closed.
    pub blocked: u64,
    /// Arrived where no socket is bound.
    pub refused: u64,
}

#[derive(Debug)]
struct Host {
    interfaces: Vec<Interface>,
    sockets: BTreeMap<SocketAddr, SocketId>,
    next_socket: u32,
    next_port: u16,
}

impl Network {
    /// A segment without hosts.
    #[must_use]
    pub fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            seed,
            hosts: Vec::new(),
            links: BTreeMap::new(),
            blocked: BTreeSet::new(),
            transits: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            sequence: 0,
            names: BTreeMap::new(),
            stats: NetworkStats::default(),
        }
    }

    /// Adds a host with these interfaces.
    pub fn add_host(&mut self, interfaces: Vec<Interface>) -> HostId {
        self.hosts.push(Host {
            interfaces,
            sockets: BTreeMap::new(),
            next_socket: 0,
            next_port: *DYNAMIC_PORTS.start(),
        });
        HostId(self.hosts.len() - 1)
    }

    /// The interfaces of a host.
    #[must_use]
    pub fn interfaces(&self, host: HostId) -> &[Interface] {
        &self.hosts[host.0].interfaces
    }

    /// Gives a host other interfaces. Sockets on addresses that are gone stay, and reach nobody.
    pub fn set_interfaces(&mut self, host: HostId, interfaces: Vec<Interface>) {
        self.hosts[host.0].interfaces = interfaces;
    }

    /// Gives the direction from one address to another properties of its own.
    pub fn set_link(&mut self, source: IpAddr, destination: IpAddr, link: Link) {
        self.links.insert((source, destination), link);
    }

    /// Loses everything between two addresses, in both directions, as a firewall does.
    pub fn block(&mut self, one: IpAddr, other: IpAddr) {
        self.blocked.insert((one, other));
        self.blocked.insert((other, one));
    }

    /// Takes back [`block`](Network::block).
    pub fn unblock(&mut self, one: IpAddr, other: IpAddr) {
        self.blocked.remove(&(one, other));
        self.blocked.remove(&(other, one));
    }

    /// Gives a name addresses.
    pub fn set_name(&mut self, name: impl Into<String>, addresses: Vec<IpAddr>) {
        self.names.insert(name.into(), addresses);
    }

    /// The addresses of a name; none if it is unknown.
    #[must_use]
    pub fn resolve(&self, name: &str) -> &[IpAddr] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// Binds a socket on a host: to `local`, or for port 0 to the first free one of `ports` or of
    /// the dynamic range. An unspecified address becomes the host's first one of that family.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrNotAvailable`] if the host does not have the address,
    /// [`io::ErrorKind::AddrInUse`] if no port is free.
    pub fn bind(
        &mut self,
        host: HostId,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let host = &mut self.hosts[host.0];
        let ip = host
            .address_for(local.ip())
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let port = host
            .free_port(ip, local.port(), ports)
            .ok_or(io::ErrorKind::AddrInUse)?;
        let socket = SocketId(host.next_socket);
        host.next_socket += 1;
        let local = SocketAddr::new(ip, port);
        host.sockets.insert(local, socket);
        Ok(Bound::new(socket, local))
    }

    /// Closes a socket.
    pub fn close(&mut self, host: HostId, socket: SocketId) {
        self.hosts[host.0].sockets.retain(|_, id| *id != socket);
    }

    /// Sends a packet from a socket of `host`.
    pub fn send(&mut self, now: Instant, host: HostId, packet: Packet) {
        if !self.hosts[host.0].sockets.contains_key(&packet.source) {
            self.stats.not_bound += 1;
            return;
        }
        let path = (packet.source.ip(), packet.destination.ip());
        if self.blocked.contains(&path) {
            self.stats.blocked += 1;
            return;
        }
        if !self.reaches(host, path.0, path.1) {
            self.stats.unreachable += 1;
            return;
        }
        let link = self.links.get(&path).unwrap_or(&self.link);
        let transit = self
            .transits
            .entry(path)
            .or_insert_with(|| Transit::new(Random::new(self.seed, &label(path))));
        let Some(arrival) = transit.admit(link, now, packet.bytes.len()) else {
            return;
        };
        if let Some(copy) = arrival.copy {
            self.deliver_at(copy, packet.clone());
        }
        self.deliver_at(arrival.at, packet);
    }

    /// Puts a packet in that arrives at `arrival`, whatever lies on its way.
    pub fn deliver_at(&mut self, arrival: Instant, packet: Packet) {
        self.in_flight.insert((arrival, self.sequence), packet);
        self.sequence += 1;
    }

    /// When the next packet arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.keys().next().map(|(arrival, _)| *arrival)
    }

    /// Takes out the next packet that has arrived by `now` at a socket, and says whose it is.
    pub fn receive(&mut self, now: Instant) -> Option<(HostId, SocketId, Packet)> {
        while let Some(entry) = self.in_flight.first_entry() {
            if entry.key().0 > now {
                return None;
            }
            let packet = entry.remove();
            let Some((host, socket)) = self.socket_at(&packet) else {
                self.stats.refused += 1;
                continue;
            };
            let path = (packet.source.ip(), packet.destination.ip());
            if let Some(transit) = self.transits.get_mut(&path) {
                transit.delivered(packet.bytes.len());
            }
            return Some((host, socket, packet));
        }
        None
    }

    /// Counters of one direction, once something was sent there.
    #[must_use]
    pub fn path_stats(&self, source: IpAddr, destination: IpAddr) -> Option<&WireStats> {
        let transit = self.transits.get(&(source, destination))?;
        Some(&transit.stats)
    }

    /// What was not delivered.
    #[must_use]
    pub fn stats(&self) -> &NetworkStats {
        &self.stats
    }

    fn reaches(&self, from: HostId, source: IpAddr, destination: IpAddr) -> bool {
        let Some(to) = self.hosts.iter().position(|host| host.has(destination)) else {
            return false;
        };
        let own_loopback = to == from.0 || !(source.is_loopback() || destination.is_loopback());
        source.is_ipv4() == destination.is_ipv4() && self.hosts[from.0].has(source) && own_loopback
    }

    fn socket_at(&self, packet: &Packet) -> Option<(HostId, SocketId)> {
        self.hosts.iter().enumerate().find_map(|(index, host)| {
            let socket = host.sockets.get(&packet.destination)?;
            host.has(packet.destination.ip())
                .then_some((HostId(index), *socket))
        })
    }
}

impl Host {
    fn has(&self, address: IpAddr) -> bool {
        self.interfaces
            .iter()
            .any(|interface| interface.address == address)
    }

    fn address_for(&self, wanted: IpAddr) -> Option<IpAddr> {
        self.interfaces
            .iter()
            .map(|interface| interface.address)
            .find(|address| {
                *address == wanted
                    || (wanted.is_unspecified() && wanted.is_ipv4() == address.is_ipv4())
            })
    }

    fn free_port(&mut self, ip: IpAddr, wanted: u16, ports: Option<(u16, u16)>) -> Option<u16> {
        let free = |port: &u16| !self.sockets.contains_key(&SocketAddr::new(ip, *port));
        match (wanted, ports) {
            (0, Some((low, high))) => (low..=high).find(free),
            (0, None) => {
                let port = (self.next_port..=*DYNAMIC_PORTS.end()).find(free)?;
                self.next_port = port.saturating_add(1);
                Some(port)
            }
            (port, _) => free(&port).then_some(port),
        }
    }
}

/// The label under which a direction draws its randomness: a hash of both addresses (FNV-1a), so
/// that it depends neither on the order of events nor on the other hosts.
fn label((source, destination): (IpAddr, IpAddr)) -> [u8; 8] {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{source} {destination}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash.to_be_bytes()
}
