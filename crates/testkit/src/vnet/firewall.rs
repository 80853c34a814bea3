//! Firewalls: what a router lets through.

use super::packet::Packet;
use layer::Protocol;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Flows that a firewall remembers; beyond it the one that was quiet for longest is forgotten.
const MAX_FLOWS: usize = 4096;

/// What a router lets through between its subnet (inside) and the one above it (outside).
///
/// The first rule that fits decides, and where none does, [`outbound`](Firewall::outbound) or
/// [`inbound`](Firewall::inbound). Answers to what went out come in whatever the rules say, from
/// the very address and port it went to, until the flow was quiet for [`memory`](Firewall::memory).
/// What is not let through is lost silently.
///
/// With a NAT, the firewall stands on its inner side: it sees internal addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Firewall {
    /// Asked in order.
    pub rules: Vec<Rule>,
    /// What happens to packets from inside that no rule fits. Default: allow.
    pub outbound: Verdict,
    /// What happens to packets from outside that no rule fits and that answer nothing. Default: allow.
    pub inbound: Verdict,
    /// How long answers may come in. Default 5 minutes, as long as a NAT should remember
    /// (RFC 4787 REQ-5c).
    pub memory: Duration,
}

/// Whether a packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Allow,
    /// It is lost, and nobody is told.
    Drop,
}

/// Which way a packet goes through a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the subnet to the one above it.
    Outbound,
    /// Into the subnet.
    Inbound,
}

/// Fits packets on all the properties that are `Some`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The way it goes.
    pub direction: Option<Direction>,
    /// Datagrams or streams.
    pub protocol: Option<Protocol>,
    /// The address outside.
    pub address: Option<IpAddr>,
    /// The port at its destination.
    pub ports: Option<RangeInclusive<u16>>,
    /// What happens to packets that fit.
    pub verdict: Verdict,
}

impl Rule {
    /// A rule that fits every packet.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self {
            direction: None,
            protocol: None,
            address: None,
            ports: None,
            verdict,
        }
    }

    fn fits(&self, direction: Direction, packet: &Packet) -> bool {
        let outside = match direction {
            Direction::Outbound => packet.destination,
            Direction::Inbound => packet.source,
        };
        let ports = self.ports.as_ref();
        self.direction.is_none_or(|it| it == direction)
            && self.protocol.is_none_or(|it| it == packet.protocol())
            && self.address.is_none_or(|it| it == outside.ip())
            && ports.is_none_or(|it| it.contains(&packet.destination.port()))
    }
}

impl Firewall {
    /// Everything passes.
    #[must_use]
    pub fn open() -> Self {
        Self {
            rules: Vec::new(),
            outbound: Verdict::Allow,
            inbound: Verdict::Allow,
            memory: Duration::from_secs(300),
        }
    }

    /// Everything goes out, and only answers come in.
    #[must_use]
    pub fn answers_only() -> Self {
        Self {
            inbound: Verdict::Drop,
            ..Self::open()
        }
    }

    /// No datagram passes in either direction; streams go out, and their answers come in.
    #[must_use]
    pub fn udp_blocked() -> Self {
        let udp = Rule {
            protocol: Some(Protocol::Udp),
            ..Rule::new(Verdict::Drop)
        };
        Self {
            rules: vec![udp],
            ..Self::answers_only()
        }
    }

    /// Only streams to this port go out (443: what the strictest networks leave open), and their
    /// answers come in.
    #[must_use]
    pub fn tcp_only(port: u16) -> Self {
        let rule = Rule {
            direction: Some(Direction::Outbound),
            protocol: Some(Protocol::Tcp),
            ports: Some(port..=port),
            ..Rule::new(Verdict::Allow)
        };
        Self {
            rules: vec![rule],
            outbound: Verdict::Drop,
            ..Self::answers_only()
        }
    }

    fn verdict(&self, direction: Direction, packet: &Packet) -> Verdict {
        let rule = self.rules.iter().find(|rule| rule.fits(direction, packet));
        match (rule, direction) {
            (Some(rule), _) => rule.verdict,
            (None, Direction::Outbound) => self.outbound,
            (None, Direction::Inbound) => self.inbound,
        }
    }
}

impl Default for Firewall {
    fn default() -> Self {
        Self::open()
    }
}

/// The flows that have gone out through a firewall.
#[derive(Debug, Default)]
pub(super) struct Flows(BTreeMap<(Protocol, SocketAddr, SocketAddr), Instant>);

impl Flows {
    /// Whether the firewall lets a packet out.
    pub(super) fn passes_out(&mut self, now: Instant, wall: &Firewall, packet: &Packet) -> bool {
        let flow = (packet.protocol(), packet.source, packet.destination);
        let allowed = wall.verdict(Direction::Outbound, packet) == Verdict::Allow
            // The answers to what was let in go out.
            || self.is_live(now, wall, flow);
        if allowed {
            self.remember(now, flow);
        }
        allowed
    }

    /// Whether it lets one in.
    pub(super) fn passes_in(&mut self, now: Instant, wall: &Firewall, packet: &Packet) -> bool {
        let flow = (packet.protocol(), packet.destination, packet.source);
        let allowed = self.is_live(now, wall, flow)
            || wall.verdict(Direction::Inbound, packet) == Verdict::Allow;
        if allowed {
            self.remember(now, flow);
        }
        allowed
    }

    fn is_live(
        &self,
        now: Instant,
        wall: &Firewall,
        flow: (Protocol, SocketAddr, SocketAddr),
    ) -> bool {
        let seen = self.0.get(&flow);
        seen.is_some_and(|seen| now.saturating_duration_since(*seen) < wall.memory)
    }

    fn remember(&mut self, now: Instant, flow: (Protocol, SocketAddr, SocketAddr)) {
        self.0.insert(flow, now);
        if self.0.len() > MAX_FLOWS {
            let oldest = self.0.iter().min_by_key(|(_, seen)| **seen);
            if let Some(oldest) = oldest.map(|(flow, _)| *flow) {
                self.0.remove(&oldest);
            }
        }
    }
}
