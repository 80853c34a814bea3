//! Allocations on TURN servers (RFC 8656), and the candidates they give (RFC 8445 §5.1.1.2).

mod allocate;
mod follow;

use crate::candidate::Base;
use crate::server::Transport;
use crate::via::{RelayId, Via, Way};
use layer::{Bound, Protocol, RequestId, Route, SocketId, Transmit};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};
use turn::Client;

/// Allocations of one agent; further servers and bases are left out.
const MAX_RELAYS: usize = 16;

/// How long a connection to a server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many local addresses a server is asked from when the first is taken (RFC 8656 §7.4).
const MAX_ADDRESSES: u32 = 3;

/// How many servers in a row may send us on to another one over a new connection.
const MAX_REDIRECTS: usize = 4;

/// The best local preference of a relay over each transport: a datagram that is late is better than
/// one that holds up those behind it. Within 16 bits this leaves room for all relays of an agent.
fn preference(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Dtls => 0xFFFF,
        Transport::Tcp => 0x7FFF,
        Transport::Tls => 0x3FFF,
    }
}

/// The allocations of an agent. They outlive generations: a restart takes them over.
#[derive(Debug)]
pub(super) struct Relays {
    list: Vec<Relay>,
    next: u32,
    /// The latest instant that the agent has heard of.
    clock: Instant,
}

/// One allocation, from the wish for it to its end.
#[derive(Debug)]
struct Relay {
    id: RelayId,
    account: Account,
    transport: Transport,
    /// The name in the server's certificate, where there is one (RFC 8656 §3.1).
    server_name: Option<String>,
    base: Base,
    stage: Stage,
    /// What its packets go through, as soon as there is something.
    link: Option<Bound>,
    /// Whether the link is the relay's alone and goes with it.
    owns_link: bool,
    client: Client,
    /// How many local addresses it was asked for from.
    attempts: u32,
    /// Servers that have sent us on, over connections of their own (RFC 8489 §10).
    visited: Vec<SocketAddr>,
    /// Nobody wants it any more: it is being given back.
    released: bool,
}

/// Where an allocation comes from: the same in two generations, and it is the same allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    url: String,
    username: String,
    credential: String,
    /// The address the server had in the beginning.
    server: SocketAddr,
}

impl Account {
    /// Whether the server cannot tell the two apart.
    fn is_user_of(&self, other: &Self) -> bool {
        (&self.username, &self.credential) == (&other.username, &other.credential)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for its turn.
    Queued,
    /// Waits for another socket.
    Binding(RequestId),
    /// Waits for a connection, until then at most.
    Connecting(RequestId, Instant),
    /// The client is at work.
    Running,
}

impl Relays {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            list: Vec::new(),
            next: 0,
            clock: now,
        }
    }

    /// Time has come to `now`.
    pub(super) fn touch(&mut self, now: Instant) {
        self.clock = self.clock.max(now);
    }

    fn position(&self, id: RelayId) -> Option<usize> {
        self.list.iter().position(|relay| relay.id == id)
    }

    fn get(&self, id: RelayId) -> Option<&Relay> {
        self.list.iter().find(|relay| relay.id == id)
    }

    fn get_mut(&mut self, id: RelayId) -> Option<&mut Relay> {
        self.list.iter_mut().find(|relay| relay.id == id)
    }

    /// Whether gathering still waits for an allocation.
    pub(super) fn is_busy(&self) -> bool {
        let mut wanted = self.list.iter().filter(|relay| !relay.released);
        wanted.any(|relay| relay.client.relayed().is_none())
    }

    /// The relay that a server knows by the address of a base.
    fn sharing(&self, base: &Base, server: SocketAddr) -> Option<&Relay> {
        let mut sharing = self.list.iter().filter(|relay| !relay.owns_link);
        sharing.find(|relay| relay.base.socket == base.socket && relay.client.server() == server)
    }

    /// The relay whose server a packet comes from.
    pub(super) fn position_of(&self, socket: SocketId, remote: SocketAddr) -> Option<usize> {
        self.list.iter().position(|relay| {
            // A connection has only the server at its other end, whatever proxies say.
            let is_server = relay.transport.is_connected() || relay.client.server() == remote;
            is_server && relay.link.is_some_and(|link| link.socket == socket)
        })
    }

    /// The sockets that relays go through, and their local addresses.
    pub(super) fn links(&self) -> impl Iterator<Item = (SocketId, SocketAddr)> + '_ {
        let links = self.list.iter().filter_map(|relay| relay.link);
        links.map(|link| (link.socket, link.local))
    }

    /// Lets `write` write a packet into `buf`, puts around it what its way wants, and says where it
    /// goes.
    pub(super) fn send(
        &mut self,
        now: Instant,
        way: &Way,
        buf: &mut [u8],
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<Transmit> {
        match way.via {
            Via::Socket(socket) => Some(Transmit::new(socket, way.local, way.remote, write(buf)?)),
            Via::Stream(socket) => {
                let mut transmit = Transmit::new(socket, way.local, way.remote, write(buf)?);
                transmit.protocol = Protocol::Tcp;
                Some(transmit)
            }
            Via::Relay(id) => {
                let relay = self.get_mut(id)?;
                let start = relay.client.room(now, way.remote).headroom;
                let len = write(buf.get_mut(start..)?)?;
                let packet = relay.client.wrap(now, way.remote, buf, start..start + len);
                relay.transmit(packet.ok()?.end)
            }
            Via::Unconnected => None,
        }
    }

    /// Puts what a relay wants around a payload, in place.
    pub(super) fn wrap(
        &mut self,
        now: Instant,
        id: RelayId,
        peer: SocketAddr,
        buf: &mut [u8],
        payload: Range<usize>,
    ) -> Option<(Range<usize>, Transmit)> {
        let relay = self.get_mut(id)?;
        let range = relay.client.wrap(now, peer, buf, payload).ok()?;
        let transmit = relay.transmit(range.len())?;
        Some((range, transmit))
    }

    /// How data for a peer goes through a relay.
    pub(super) fn route(
        &self,
        id: RelayId,
        peer: SocketAddr,
        mtu: usize,
        largest: usize,
    ) -> Option<Route> {
        let relay = self.get(id)?;
        let link = relay.link?;
        let server = relay.client.server();
        let room = relay.client.room(self.clock, peer);
        let around = room.headroom + room.tailroom + link.overhead;
        let within = |mtu| max_payload(server, relay.protocol(), mtu).saturating_sub(around);
        let (socket, local) = (link.socket, link.local);
        let mut route = Route::new(socket, relay.protocol(), local, server, within(mtu));
        route.max_probe = within(mtu.max(largest));
        route.headroom = room.headroom;
        route.tailroom = room.tailroom;
        Some(route)
    }

    /// Asks that a peer may send through a relay; whether it may already. `None` if it never will.
    pub(super) fn permit(&mut self, now: Instant, id: RelayId, peer: IpAddr) -> Option<bool> {
        let relay = self.get_mut(id)?;
        relay.client.permit(now, peer).ok()?;
        Some(relay.client.is_permitted(now, peer))
    }

    /// Data goes to this peer from now on: four bytes around it are enough (turn-019).
    pub(super) fn bind_channel(&mut self, now: Instant, id: RelayId, peer: SocketAddr) {
        if let Some(relay) = self.get_mut(id) {
            // Without a channel data goes in Send indications.
            let _ = relay.client.bind_channel(now, peer);
        }
    }

    /// The next message to a server.
    pub(super) fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let mut linked = self.list.iter_mut().filter(|relay| relay.link.is_some());
        linked.find_map(|relay| {
            let len = relay.client.poll_transmit(now, buf)?.len;
            relay.transmit(len)
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let times = self.list.iter().filter_map(|relay| match relay.stage {
            Stage::Connecting(_, until) => Some(until),
            _ => relay.client.poll_timeout(),
        });
        times.min()
    }

    pub(super) fn has_queued(&self) -> bool {
        self.list.iter().any(|relay| relay.stage == Stage::Queued)
    }
}

impl Relay {
    fn protocol(&self) -> Protocol {
        if self.transport.is_stream() {
            Protocol::Tcp
        } else {
            Protocol::Udp
        }
    }

    /// So many bytes to the server.
    fn transmit(&self, len: usize) -> Option<Transmit> {
        let link = self.link?;
        let server = self.client.server();
        let mut transmit = Transmit::new(link.socket, link.local, server, len);
        transmit.protocol = self.protocol();
        Some(transmit)
    }
}

/// The largest payload of a packet to an address, in bytes: an IP header and that of UDP, or of TCP
/// with timestamps and a frame's length, are taken off.
pub(super) fn max_payload(remote: SocketAddr, protocol: Protocol, mtu: usize) -> usize {
    let ip = if remote.is_ipv4() { 20 } else { 40 };
    let transport = match protocol {
        Protocol::Tcp => 32 + 2,
        _ => 8,
    };
    mtu.saturating_sub(ip + transport)
}
