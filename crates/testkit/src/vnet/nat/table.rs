//! The mappings of one NAT.

use super::{Dependence, Nat, Pooling, PortAssignment};
use crate::Random;
use crate::vnet::packet::Packet;
use layer::Protocol;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Remote endpoints that one mapping remembers for its filter; beyond it the one that was quiet
/// for longest is forgotten.
const MAX_REMOTES: usize = 1024;

/// What a mapping is found by from inside: as much of the remote endpoint as it depends on.
type Key = (Protocol, SocketAddr, Option<IpAddr>, u16);

/// What became of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::vnet) enum Translated {
    /// It goes on with the new address.
    Yes,
    /// No mapping, or no room for another one.
    Unmapped,
    /// The mapping does not admit its source.
    Filtered,
}

#[derive(Debug)]
pub(in crate::vnet) struct Table {
    outbound: BTreeMap<Key, SocketAddr>,
    mappings: BTreeMap<(Protocol, SocketAddr), Mapping>,
    random: Random,
    last_port: u16,
    /// How many external addresses were given out, for arbitrary pooling.
    turns: usize,
}

#[derive(Debug)]
struct Mapping {
    internal: SocketAddr,
    /// `None`: forwarded by hand, for ever, from everybody.
    key: Option<Key>,
    refreshed: Instant,
    /// Whom it was used to send to, and when last.
    remotes: BTreeMap<SocketAddr, Instant>,
}

impl Table {
    pub(in crate::vnet) fn new(random: Random) -> Self {
        Self {
            outbound: BTreeMap::new(),
            mappings: BTreeMap::new(),
            random,
            last_port: 1023,
            turns: 0,
        }
    }

    /// Forgets everything.
    pub(in crate::vnet) fn clear(&mut self) {
        self.outbound.clear();
        self.mappings.clear();
    }

    /// Forwards an external endpoint to an internal one by hand.
    pub(in crate::vnet) fn forward(
        &mut self,
        now: Instant,
        protocol: Protocol,
        external: SocketAddr,
        internal: SocketAddr,
    ) {
        let mapping = Mapping {
            internal,
            key: None,
            refreshed: now,
            remotes: BTreeMap::new(),
        };
        self.mappings.insert((protocol, external), mapping);
        let key = (protocol, internal, None, 0);
        self.outbound.insert(key, external);
    }

    /// The mappings that are alive: protocol, internal and external endpoint.
    pub(in crate::vnet) fn live(
        &self,
        now: Instant,
        nat: &Nat,
    ) -> Vec<(Protocol, SocketAddr, SocketAddr)> {
        let live = self
            .mappings
            .iter()
            .filter(|(key, mapping)| mapping.is_live(now, nat, key.0));
        live.map(|(key, mapping)| (key.0, mapping.internal, key.1))
            .collect()
    }

    /// Gives a packet from inside its external source, and lets its destination answer.
    pub(in crate::vnet) fn leave(
        &mut self,
        now: Instant,
        nat: &Nat,
        packet: &mut Packet,
    ) -> Translated {
        let protocol = packet.protocol();
        let fixed = (protocol, packet.source, None, 0);
        let key = match self.outbound.get(&fixed) {
            Some(_) => fixed,
            None => key(nat.mapping, protocol, packet.source, packet.destination),
        };
        self.forget(now, nat, key);
        let external = match self.outbound.get(&key) {
            Some(external) => *external,
            None => match self.map(now, nat, key) {
                Some(external) => external,
                None => return Translated::Unmapped,
            },
        };
        if let Some(mapping) = self.mappings.get_mut(&(protocol, external)) {
            if nat.outbound_refresh {
                mapping.refreshed = now;
                mapping.remember(packet.destination, now);
            } else {
                mapping.remotes.entry(packet.destination).or_insert(now);
            }
        }
        packet.source = external;
        Translated::Yes
    }

    /// Gives a packet from outside its internal destination, if its source may send there.
    pub(in crate::vnet) fn enter(
        &mut self,
        now: Instant,
        nat: &Nat,
        packet: &mut Packet,
    ) -> Translated {
        let protocol = packet.protocol();
        let mapping = self.mappings.get_mut(&(protocol, packet.destination));
        let Some(mapping) = mapping.filter(|it| it.is_live(now, nat, protocol)) else {
            return Translated::Unmapped;
        };
        if !mapping.admits(now, nat, protocol, packet.source) {
            return Translated::Filtered;
        }
        if nat.inbound_refresh {
            mapping.refreshed = now;
            // The filter lives as long as the mapping; it is not widened by what comes in.
            let source = packet.source;
            let life = lifetime(nat, protocol);
            let same = mapping
                .remotes
                .iter_mut()
                .filter(|(it, _)| it.ip() == source.ip());
            same.filter(|(_, last)| now.saturating_duration_since(**last) < life)
                .for_each(|(_, last)| *last = now);
        }
        packet.destination = mapping.internal;
        Translated::Yes
    }

    /// Takes out the mapping under `key` if its life is over.
    fn forget(&mut self, now: Instant, nat: &Nat, key: Key) {
        let Some(external) = self.outbound.get(&key).copied() else {
            return;
        };
        let mapping = self.mappings.get(&(key.0, external));
        if !mapping.is_some_and(|it| it.is_live(now, nat, key.0)) {
            self.outbound.remove(&key);
            self.mappings.remove(&(key.0, external));
        }
    }

    /// A new mapping; `None` where the table or the ports are full.
    fn map(&mut self, now: Instant, nat: &Nat, key: Key) -> Option<SocketAddr> {
        self.expire(now, nat);
        if self.mappings.len() >= nat.max_mappings {
            return None;
        }
        let address = self.address(nat, key.1.ip())?;
        let port = self.port(nat, key.0, address, key.1.port())?;
        let external = SocketAddr::new(address, port);
        let mapping = Mapping {
            internal: key.1,
            key: Some(key),
            refreshed: now,
            remotes: BTreeMap::new(),
        };
        self.mappings.insert((key.0, external), mapping);
        self.outbound.insert(key, external);
        Some(external)
    }

    fn expire(&mut self, now: Instant, nat: &Nat) {
        let outbound = &mut self.outbound;
        self.mappings.retain(|(protocol, _), mapping| {
            let live = mapping.is_live(now, nat, *protocol);
            if let (false, Some(key)) = (live, &mapping.key) {
                outbound.remove(key);
            }
            live
        });
    }

    /// The external address for one that is internal (RFC 4787 §4.1, REQ-2).
    fn address(&mut self, nat: &Nat, internal: IpAddr) -> Option<IpAddr> {
        let same_family = |it: &&IpAddr| it.is_ipv4() == internal.is_ipv4();
        let pool: Vec<IpAddr> = nat.external.iter().filter(same_family).copied().collect();
        if nat.pooling == Pooling::Paired {
            let mut mappings = self.mappings.iter();
            let pair = mappings.find(|(_, it)| it.internal.ip() == internal && it.key.is_some());
            let paired = pair.map(|((_, external), _)| external.ip());
            if let Some(paired) = paired.filter(|it| pool.contains(it)) {
                return Some(paired);
            }
        }
        let turn = self.turns % pool.len().max(1);
        self.turns += 1;
        pool.get(turn).copied()
    }

    /// An external port that is free, with the range (REQ-3a) and parity (REQ-4) of the internal one.
    fn port(
        &mut self,
        nat: &Nat,
        protocol: Protocol,
        address: IpAddr,
        internal: u16,
    ) -> Option<u16> {
        let range: RangeInclusive<u16> = if internal < 1024 {
            1..=1023
        } else {
            1024..=65_535
        };
        let size = usize::from(*range.end() - *range.start()) + 1;
        let first = match nat.ports {
            PortAssignment::Preserving => internal,
            PortAssignment::Sequential => self.last_port.wrapping_add(1),
            PortAssignment::Random => {
                let step = u16::try_from(self.random.below(size)).unwrap_or(0);
                *range.start() + step
            }
        };
        let first = if range.contains(&first) {
            first
        } else {
            *range.start()
        };
        let mut candidates = (first..=*range.end()).chain(*range.start()..first);
        let port = candidates.find(|port| {
            let external = SocketAddr::new(address, *port);
            (!nat.parity || port % 2 == internal % 2)
                && !self.mappings.contains_key(&(protocol, external))
        })?;
        self.last_port = port;
        Some(port)
    }
}

impl Mapping {
    fn is_live(&self, now: Instant, nat: &Nat, protocol: Protocol) -> bool {
        let age = now.saturating_duration_since(self.refreshed);
        self.key.is_none() || age < lifetime(nat, protocol)
    }

    fn remember(&mut self, remote: SocketAddr, now: Instant) {
        self.remotes.insert(remote, now);
        if self.remotes.len() > MAX_REMOTES {
            let oldest = self.remotes.iter().min_by_key(|(_, last)| **last);
            if let Some(oldest) = oldest.map(|(remote, _)| *remote) {
                self.remotes.remove(&oldest);
            }
        }
    }

    /// RFC 4787 §5.
    fn admits(&self, now: Instant, nat: &Nat, protocol: Protocol, source: SocketAddr) -> bool {
        let fresh = |last: &Instant| now.saturating_duration_since(*last) < lifetime(nat, protocol);
        let mut remotes = self.remotes.iter().filter(|(_, last)| fresh(last));
        match nat.filtering {
            _ if self.key.is_none() => true,
            Dependence::EndpointIndependent => true,
            Dependence::AddressDependent => remotes.any(|(it, _)| it.ip() == source.ip()),
            Dependence::AddressAndPortDependent => remotes.any(|(it, _)| *it == source),
        }
    }
}

/// RFC 4787 §4.1: what the mapping is looked up by.
fn key(mapping: Dependence, protocol: Protocol, internal: SocketAddr, remote: SocketAddr) -> Key {
    match mapping {
        Dependence::EndpointIndependent => (protocol, internal, None, 1),
        Dependence::AddressDependent => (protocol, internal, Some(remote.ip()), 0),
        Dependence::AddressAndPortDependent => {
            (protocol, internal, Some(remote.ip()), remote.port())
        }
    }
}

fn lifetime(nat: &Nat, protocol: Protocol) -> Duration {
    match protocol {
        Protocol::Udp => nat.lifetime,
        _ => nat.stream_lifetime,
    }
}
