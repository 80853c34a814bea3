//! Allocations on TURN servers (RFC 8656), and the candidates they give (RFC 8445 §5.1.1.2).

use super::Agent;
use super::server::UNREACHABLE;
use crate::candidate::{Base, LocalCandidate};
use crate::generation::{Generation, Source};
use crate::server::Transport;
use crate::via::{RelayId, Via, Way};
use chacha20::rand_core::Rng;
use layer::{
    Bound, CandidateType, Framing, IceEvent, PairFailure, Protocol, RequestId, Route, ServerState,
    SocketId, Transmit, TransportPolicy,
};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};
use turn::client::{Advice, Config, Ending, Event, Failure};
use turn::{Client, Timing};

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
    /// The name in the server's certificate, where there is one.
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

    /// The relay whose server a packet comes from.
    pub(super) fn position_of(&self, socket: SocketId, remote: SocketAddr) -> Option<usize> {
        self.list.iter().position(|relay| {
            // A stream has only the server at its other end, whatever proxies say.
            let is_server = relay.owns_stream() || relay.client.server() == remote;
            is_server && relay.link.is_some_and(|link| link.socket == socket)
        })
    }

    /// The sockets that relays go through.
    pub(super) fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        let links = self.list.iter().filter_map(|relay| relay.link);
        links.map(|link| link.socket)
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
    pub(super) fn route(&self, id: RelayId, peer: SocketAddr, mtu: usize) -> Option<Route> {
        let relay = self.get(id)?;
        let link = relay.link?;
        let server = relay.client.server();
        let room = relay.client.room(self.clock, peer);
        let around = room.headroom + room.tailroom;
        let payload = max_payload(server, relay.protocol(), mtu).saturating_sub(around);
        let (socket, local) = (link.socket, link.local);
        let mut route = Route::new(socket, relay.protocol(), local, server, payload);
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
    fn owns_stream(&self) -> bool {
        matches!(self.transport, Transport::Tcp | Transport::Tls)
    }

    fn protocol(&self) -> Protocol {
        if self.owns_stream() {
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

impl Agent {
    /// A base wants a relay on a server.
    pub(super) fn relay(&mut self, server: usize, address: SocketAddr, base: Base) {
        let known = &self.servers.list[server];
        let Some(url) = &known.parsed else {
            return;
        };
        let account = Account {
            url: known.url.clone(),
            username: known.username.clone(),
            credential: known.credential.clone(),
            server: address,
        };
        let transport = url.transport;
        let server_name = (transport == Transport::Tls).then(|| url.host.name());
        let same = |relay: &Relay| {
            let same_base = relay.base.socket == base.socket;
            same_base && relay.account == account && !relay.released
        };
        // A restart takes over what stands.
        if let Some(relay) = self.relays.list.iter().find(|relay| same(relay)) {
            let id = relay.id;
            return self.add_relayed(self.relays.clock, id);
        }
        if self.relays.list.len() >= MAX_RELAYS {
            return;
        }
        self.server_state(&account.url, address, base.local, ServerState::Waiting);
        let id = RelayId(self.relays.next);
        self.relays.next += 1;
        let client = self.turn_client(&account, transport, address, Vec::new());
        let is_stream = matches!(transport, Transport::Tcp | Transport::Tls);
        self.relays.list.push(Relay {
            id,
            account,
            transport,
            server_name,
            base,
            stage: Stage::Queued,
            link: (!is_stream).then(|| Bound::new(base.socket, base.local)),
            owns_link: is_stream,
            client,
            attempts: 1,
            visited: Vec::new(),
            released: false,
        });
    }

    fn turn_client(
        &mut self,
        account: &Account,
        transport: Transport,
        server: SocketAddr,
        visited: Vec<SocketAddr>,
    ) -> Client {
        let (username, credential) = (&*account.username, &*account.credential);
        let mut config = Config::new(self.settings.provider, username, credential);
        config.transport = match transport {
            Transport::Tcp | Transport::Tls => turn::Transport::Stream,
            Transport::Udp | Transport::Dtls => turn::Transport::Datagram,
        };
        let timing: Timing = self.gathering_timing();
        config.timing = timing;
        config.visited = visited;
        config.max_permissions = self.settings.max_remote_candidates;
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Client::new(config, server, seed)
    }

    /// Relays whose turn it is are asked for; ice-004: one new transaction in each Ta.
    pub(super) fn start_relays(&mut self, now: Instant) {
        while self.pacer.is_ready(now) {
            let mut relays = self.relays.list.iter();
            let Some(at) = relays.position(|relay| relay.stage == Stage::Queued) else {
                return;
            };
            self.pacer.started(now);
            if self.relays.list[at].link.is_some() {
                self.start_client(now, at);
            } else {
                self.connect_relay(now, at);
            }
        }
    }

    /// When the next relay may be asked for.
    pub(super) fn relay_at(&self) -> Option<Instant> {
        self.relays.has_queued().then(|| self.pacer.ready_at())
    }

    fn start_client(&mut self, now: Instant, at: usize) {
        let relay = &mut self.relays.list[at];
        relay.stage = Stage::Running;
        relay.client.allocate(now);
        self.relay_state(at, ServerState::Asking);
    }

    fn connect_relay(&mut self, now: Instant, at: usize) {
        let request = self.new_request_id();
        let relay = &mut self.relays.list[at];
        relay.stage = Stage::Connecting(request, now + CONNECT_TIMEOUT);
        let event = IceEvent::ConnectTcp {
            request,
            local: SocketAddr::new(relay.base.local.ip(), 0),
            remote: relay.client.server(),
            framing: Framing::Stun,
            server_name: relay.server_name.clone(),
        };
        self.emit(event);
        self.relay_state(at, ServerState::Connecting);
    }

    fn relay_state(&mut self, at: usize, state: ServerState) {
        let relay = &self.relays.list[at];
        let (url, local) = (relay.account.url.clone(), relay.base.local);
        let server = relay.account.server;
        self.server_state(&url, server, local, state);
    }

    /// The answer to a connection that a relay asked for; whether it was one.
    pub(super) fn take_relay_connection(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) -> bool {
        let asked =
            |relay: &Relay| matches!(relay.stage, Stage::Connecting(own, _) if own == request);
        let Some(at) = self.relays.list.iter().position(asked) else {
            return false;
        };
        match result {
            Ok(bound) => {
                self.relays.list[at].link = Some(bound);
                self.start_client(now, at);
            }
            Err(error) => {
                let text = format!("the server cannot be connected to: {error}");
                self.drop_relay(at, Some((UNREACHABLE, text)));
            }
        }
        true
    }

    /// The answer to a socket that a relay asked for; whether it was one.
    pub(super) fn take_relay_socket(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) -> bool {
        let asked = |relay: &Relay| relay.stage == Stage::Binding(request);
        let Some(at) = self.relays.list.iter().position(asked) else {
            return false;
        };
        match result {
            Ok(bound) => {
                let relay = &mut self.relays.list[at];
                relay.link = Some(bound);
                relay.owns_link = true;
                self.start_client(now, at);
            }
            Err(error) => {
                let text = format!("no other local address can be bound: {error}");
                self.drop_relay(
                    at,
                    Some((
                        Failure::AllocationMismatch.code().unwrap_or(UNREACHABLE),
                        text,
                    )),
                );
            }
        }
        true
    }

    /// A packet of a server, or what it relays: the peer's packet is taken as if it had come
    /// directly.
    pub(super) fn receive_relayed(
        &mut self,
        now: Instant,
        at: usize,
        bytes: &[u8],
    ) -> layer::Received {
        let relay = &mut self.relays.list[at];
        let server = relay.client.server();
        let received = relay.client.handle_input(now, server, bytes);
        let (turn::client::Received::Data { peer, range }, Some(local)) =
            (received, relay.client.relayed())
        else {
            return layer::Received::Consumed;
        };
        let way = Way {
            via: Via::Relay(relay.id),
            local,
            remote: peer,
        };
        match self.receive(now, &way, &bytes[range.clone()]) {
            layer::Received::Data { range: inner } => layer::Received::Data {
                range: range.start + inner.start..range.start + inner.end,
            },
            consumed => consumed,
        }
    }

    /// Time has passed for the relays.
    pub(super) fn expire_relays(&mut self, now: Instant) {
        let late =
            |relay: &Relay| matches!(relay.stage, Stage::Connecting(_, until) if until <= now);
        while let Some(at) = self.relays.list.iter().position(late) {
            let text = "the connection to the server takes too long".to_owned();
            self.drop_relay(at, Some((UNREACHABLE, text)));
        }
        for relay in &mut self.relays.list {
            if relay.stage == Stage::Running {
                relay.client.handle_timeout(now);
            }
        }
    }

    /// Follows what the clients tell. Called after everything that happens.
    pub(super) fn follow_relays(&mut self, now: Instant) {
        let ids: Vec<RelayId> = self.relays.list.iter().map(|relay| relay.id).collect();
        for id in ids {
            while let Some(at) = self.relays.position(id)
                && let Some(event) = self.relays.list[at].client.poll_event()
            {
                self.follow_relay(now, at, id, event);
            }
        }
    }

    fn follow_relay(&mut self, now: Instant, at: usize, id: RelayId, event: Event) {
        match event {
            Event::Allocated { mapped, .. } => {
                self.relay_state(at, ServerState::Answered);
                let relay = &self.relays.list[at];
                let shares_base = !relay.owns_link;
                let (base, server) = (relay.base, relay.client.server());
                let url = relay.account.url.clone();
                // The server has told where the base is seen from as well.
                if shares_base && self.policy != TransportPolicy::Relay {
                    self.add_reflexive(&base, server, Some(url), mapped);
                }
                if shares_base {
                    self.keep_mapping(now, base, server);
                }
                self.add_relayed(now, id);
                self.finish_gathering();
            }
            Event::Permitted { peer } => self.relay_permits(id, peer),
            Event::NotPermitted { peer, reason } => self.relay_refuses(now, id, peer, &reason),
            Event::Ended(Ending::Failed(failure)) => self.relay_failed(now, at, failure),
            Event::Ended(Ending::Closed) => self.drop_relay(at, None),
            // Where data goes now has another headroom: `update` tells.
            _ => {}
        }
    }

    /// A relay stands: its address becomes a candidate of the current generation.
    fn add_relayed(&mut self, now: Instant, id: RelayId) {
        let Some(relay) = self.relays.get(id) else {
            return;
        };
        let (Some(relayed), mapped) = (relay.client.relayed(), relay.client.mapped()) else {
            return;
        };
        let is_known = |local: &LocalCandidate| {
            // ice-005: one that equals a host candidate is discarded (RFC 8445 §5.1.1.2).
            local.via == Via::Relay(id) || (local.address == relayed && local.is_base())
        };
        let wanted = self.gathering.has_base(&relay.base) && !relay.released;
        if !wanted || self.current.locals.iter().any(is_known) {
            return;
        }
        let candidate_type = CandidateType::Relayed;
        let foundation = self.current.foundation_of(Source {
            candidate_type,
            base: relayed.ip(),
            server: relay.client.server().ip(),
            transport: relay.transport,
        });
        let best = preference(relay.transport);
        let preference = self.current.free_preference(candidate_type, best);
        let fragment = self.current.local.username_fragment.clone();
        let mut local = LocalCandidate::relayed(id, relayed, preference, foundation, &fragment);
        local.candidate.url = Some(relay.account.url.clone());
        local.candidate.related = mapped.map(|mapped| self.related(candidate_type, mapped));
        self.tell(&local);
        self.current.locals.push(local);
        self.pair_local(now, self.current.locals.len() - 1);
    }

    fn generations_mut(&mut self) -> impl Iterator<Item = &mut Generation> {
        std::iter::once(&mut self.current).chain(&mut self.previous)
    }

    /// ice-037: checks through the relay may go to the peer.
    fn relay_permits(&mut self, id: RelayId, peer: IpAddr) {
        for generation in self.generations_mut() {
            for pair in &mut generation.checklist.pairs {
                if pair.via == Via::Relay(id) && pair.destination.ip() == peer {
                    pair.ready = true;
                }
            }
        }
    }

    fn relay_refuses(&mut self, now: Instant, id: RelayId, peer: IpAddr, reason: &Failure) {
        let concerned = |way: &Way| way.via == Via::Relay(id) && way.remote.ip() == peer;
        let is_alive = self.generations_mut().any(|generation| {
            let mut pairs = generation.checklist.pairs.iter();
            pairs.any(|pair| concerned(&pair.way()) && (pair.is_pending() || pair.is_valid()))
        });
        if !is_alive {
            return;
        }
        // ice-007: what was not used may be yet, as long as its pair lives.
        if *reason == Failure::Unused && self.relays.permit(now, id, peer).is_some() {
            return;
        }
        let code = reason.code();
        self.fail_pairs_of(now, concerned, PairFailure::NotPermitted { code });
    }

    /// There is no allocation, or no longer.
    fn relay_failed(&mut self, now: Instant, at: usize, failure: Failure) {
        let relay = &self.relays.list[at];
        let id = relay.id;
        let stood = self.current.base_of(Via::Relay(id)).is_some();
        if !stood && !relay.released && self.try_relay_elsewhere(at, &failure) {
            return;
        }
        let code = failure.code().unwrap_or(UNREACHABLE);
        self.drop_relay(at, Some((code, failure.to_string())));
        self.fail_pairs_of(now, |way| way.via == Via::Relay(id), PairFailure::Closed);
        for generation in self.generations_mut() {
            generation.lose_base(Via::Relay(id));
        }
    }

    /// Does what the RFC advises after a failed attempt (RFC 8656 §7.4).
    fn try_relay_elsewhere(&mut self, at: usize, failure: &Failure) -> bool {
        let relay = &self.relays.list[at];
        let (server, visited) = match failure.advice() {
            // turn-008
            Advice::OtherLocalAddress if relay.attempts < MAX_ADDRESSES => {
                (relay.client.server(), Vec::new())
            }
            // turn-022
            Advice::Follow(server) if relay.visited.len() < MAX_REDIRECTS => {
                let mut visited = relay.visited.clone();
                visited.push(relay.client.server());
                (server, visited)
            }
            _ => return false,
        };
        let (account, transport) = (relay.account.clone(), relay.transport);
        let base = relay.base.local.ip();
        let domain = match failure {
            Failure::TryAlternate { domain, .. } => domain.clone(),
            _ => None,
        };
        self.close_link(at);
        let client = self.turn_client(&account, transport, server, visited.clone());
        let request = self.new_request_id();
        let relay = &mut self.relays.list[at];
        relay.client = client;
        relay.visited = visited;
        relay.attempts += 1;
        relay.server_name = domain.or(relay.server_name.take());
        if relay.owns_stream() {
            relay.stage = Stage::Queued;
        } else {
            relay.stage = Stage::Binding(request);
            let (local, ports) = (SocketAddr::new(base, 0), self.settings.ports);
            self.emit(IceEvent::Bind {
                request,
                local,
                ports,
            });
        }
        true
    }

    /// Forgets a relay, tells why if it was not our wish, and closes what was its alone.
    fn drop_relay(&mut self, at: usize, failure: Option<(u16, String)>) {
        self.close_link(at);
        let relay = self.relays.list.remove(at);
        if let Some((code, text)) = failure
            && !relay.released
        {
            let (server, local) = (Some(relay.account.server), Some(relay.base.local));
            self.server_failed(relay.account.url, server, local, code, text);
        }
        self.finish_gathering();
    }

    fn close_link(&mut self, at: usize) {
        let relay = &mut self.relays.list[at];
        if !relay.owns_link {
            return;
        }
        if let Some(link) = relay.link.take() {
            self.emit(IceEvent::CloseSocket {
                socket: link.socket,
            });
        }
    }

    /// A socket is gone, and with it the relays behind it.
    pub(super) fn lose_relays(&mut self, socket: SocketId) {
        for relay in &mut self.relays.list {
            if relay.link.is_some_and(|link| link.socket == socket) {
                relay.client.connection_closed();
                if relay.owns_link {
                    // The shell has closed it already.
                    relay.link = None;
                }
            }
        }
    }

    /// All allocations are given back, in one last burst, after which their connections close.
    pub(super) fn close_relays(&mut self, now: Instant) {
        self.release_relays(now, |_| false);
        let owned = self.relays.list.iter().filter(|relay| relay.owns_link);
        let links: Vec<Bound> = owned.filter_map(|relay| relay.link).collect();
        for link in links {
            self.emit(IceEvent::CloseSocket {
                socket: link.socket,
            });
        }
    }

    /// Gives back the allocations that nobody needs.
    pub(super) fn release_relays(&mut self, now: Instant, is_needed: impl Fn(RelayId) -> bool) {
        for relay in &mut self.relays.list {
            if !is_needed(relay.id) && !relay.released {
                relay.released = true;
                relay.client.close(now);
            }
        }
    }

    /// Binds a channel for the pair in use.
    pub(super) fn bind_channel(&mut self, now: Instant) {
        let route = self
            .current
            .selected
            .and_then(|id| self.current.checklist.get(id));
        if let Some(pair) = route
            && let Via::Relay(id) = pair.via
        {
            let peer = pair.destination;
            self.relays.bind_channel(now, id, peer);
        }
    }
}
