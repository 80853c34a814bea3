//! TCP candidates (RFC 6544): listeners, connections that we open, connections that we accept.

use super::Agent;
use crate::candidate::{Direction, LocalCandidate};
use crate::pair::{Pair, PairId};
use crate::via::Via;
use layer::{
    Bound, Framing, IceEvent, PairFailure, PairState, RequestId, SocketId, TcpType, TransportPolicy,
};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Accepted connections of an agent; for a further one the oldest that has not said a word is closed,
/// or else itself.
const MAX_ACCEPTED: usize = 16;

/// How long an accepted connection may be open without an authenticated check.
const STRANGER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection to a peer may take: as long as a check over UDP.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(39_500);

/// Connections that are being opened to one address (RFC 6544 §12).
const MAX_CONNECTING: usize = 5;

/// The port that active candidates show, since nobody can connect to them (RFC 6544 §4.5, ice-073).
const DISCARD: u16 = 9;

/// The streams of an agent; they outlive generations.
#[derive(Debug, Default)]
pub(super) struct Streams {
    listeners: Vec<Listener>,
    connections: BTreeMap<SocketId, Connection>,
}

#[derive(Clone, Copy, Debug)]
struct Listener {
    request: RequestId,
    bound: Bound,
    direction: Direction,
}

#[derive(Clone, Copy, Debug)]
enum Connection {
    /// We opened it for a pair.
    Opened,
    /// Came in on a listener; closed at that instant unless a check has been authenticated.
    Accepted { listener: SocketId, until: Instant },
}

impl Streams {
    /// What a candidate of ours goes by whose packets come this way: of an accepted connection the
    /// listener.
    pub(super) fn origin(&self, via: Via) -> Via {
        let Via::Stream(socket) = via else {
            return via;
        };
        match self.connections.get(&socket) {
            Some(Connection::Accepted { listener, .. }) => Via::Stream(*listener),
            _ => via,
        }
    }

    /// Where connections are accepted.
    pub(super) fn listening(&self) -> impl Iterator<Item = (SocketId, SocketAddr)> + '_ {
        let bound = self.listeners.iter().map(|listener| listener.bound);
        bound.map(|bound| (bound.socket, bound.local))
    }

    fn accepted(&self) -> usize {
        let connections = self.connections.values();
        let accepted = connections.filter(|it| matches!(it, Connection::Accepted { .. }));
        accepted.count()
    }

    /// A listener of the generation before on the same address.
    fn reusable(&self, ip: IpAddr, direction: Direction) -> Option<Listener> {
        let mut listeners = self.listeners.iter();
        listeners
            .find(|it| it.bound.local.ip() == ip && it.direction == direction)
            .copied()
    }
}

impl Agent {
    /// The TCP candidates of an address (RFC 6544 §4.1, §5.1).
    pub(super) fn add_tcp(&mut self, now: Instant, ip: IpAddr) {
        if self.policy == TransportPolicy::Relay {
            return;
        }
        if self.settings.tcp_active && !self.settings.lite {
            let address = SocketAddr::new(ip, DISCARD);
            self.add_tcp_host(now, Via::Unconnected, address, Direction::Active);
        }
        let directions = [
            (self.settings.tcp_passive, Direction::Passive),
            (
                self.settings.tcp_simultaneous_open,
                Direction::SimultaneousOpen,
            ),
        ];
        for (wanted, direction) in directions {
            if !wanted {
                continue;
            }
            match self.streams.reusable(ip, direction) {
                Some(listener) => self.add_listener(now, &listener),
                None => self.listen(ip, direction),
            }
        }
    }

    fn listen(&mut self, ip: IpAddr, direction: Direction) {
        let request = self.new_request_id();
        self.gathering.wait_for_listener(request, direction);
        self.emit(IceEvent::ListenTcp {
            request,
            local: SocketAddr::new(ip, 0),
            ports: self.settings.tcp_ports,
        });
    }

    /// The answer to a listener that was asked for; whether it was one.
    pub(super) fn take_listener(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) -> bool {
        let Some(direction) = self.gathering.take_listener(request) else {
            return false;
        };
        match result {
            // The answer comes too late.
            Ok(bound) if self.is_closed() => self.emit(IceEvent::CloseSocket {
                socket: bound.socket,
            }),
            Ok(bound) => {
                let listener = Listener {
                    request,
                    bound,
                    direction,
                };
                self.streams.listeners.push(listener);
                self.add_listener(now, &listener);
            }
            Err(error) => tracing::debug!(?error, "an address could not be listened on"),
        }
        self.finish_gathering();
        true
    }

    fn add_listener(&mut self, now: Instant, listener: &Listener) {
        let Bound { socket, local, .. } = listener.bound;
        self.add_tcp_host(now, Via::Stream(socket), local, listener.direction);
    }

    fn add_tcp_host(&mut self, now: Instant, via: Via, address: SocketAddr, direction: Direction) {
        let foundation = self.current.tcp_foundation(address);
        let best = direction.preference();
        let preference = self.current.free_tcp_preference(best);
        let fragment = self.current.local.username_fragment.clone();
        let mut local =
            LocalCandidate::tcp_host(via, address, direction, preference, foundation, &fragment);
        if direction != Direction::Active || self.settings.signal_tcp_active {
            self.disguise(&mut local);
            self.tell(&local);
        }
        self.current.locals.push(local);
        self.pair_local(now, self.current.locals.len() - 1);
    }

    /// Opens the connection that the first check of a pair wants (RFC 6544 §7.1).
    pub(super) fn open_connection(&mut self, now: Instant, id: PairId) {
        let request = self.new_request_id();
        let Some(pair) = self.current.checklist.get(id) else {
            return;
        };
        let local = &self.current.locals[pair.local];
        let port = match local.candidate.tcp_type {
            Some(TcpType::SimultaneousOpen) => local.address.port(),
            _ => 0,
        };
        let (local, remote) = (local.base.ip(), pair.destination);
        let to_same =
            |pair: &&Pair| pair.connecting.is_some() && pair.destination.ip() == remote.ip();
        let connecting = self.current.checklist.pairs.iter().filter(to_same).count();
        let Some(pair) = self.current.checklist.get_mut(id) else {
            return;
        };
        if connecting >= MAX_CONNECTING {
            pair.fail(PairFailure::Connect(io::ErrorKind::ResourceBusy));
            return;
        }
        pair.state = PairState::InProgress;
        pair.connecting = Some((request, now + CONNECT_TIMEOUT));
        self.current.checklist.untrigger(id);
        self.emit(IceEvent::ConnectTcp {
            request,
            local: SocketAddr::new(local, port),
            remote,
            framing: Framing::Length,
            server_name: None,
        });
    }

    /// A connection to or from a peer is there, or cannot be made.
    pub(super) fn take_connection(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) {
        let waits = |pair: &&mut Pair| pair.connecting.is_some_and(|(own, _)| own == request);
        let pair = self.current.checklist.pairs.iter_mut().find(waits);
        match (pair, result) {
            (Some(pair), Ok(bound)) => {
                let id = pair.id;
                pair.connecting = None;
                pair.via = Via::Stream(bound.socket);
                pair.base = bound.local;
                pair.state = PairState::Waiting;
                self.current.checklist.trigger(id, now);
                self.streams
                    .connections
                    .insert(bound.socket, Connection::Opened);
            }
            (Some(pair), Err(error)) => {
                let id = pair.id;
                pair.fail(PairFailure::Connect(error));
                self.current.checklist.untrigger(id);
                self.consider_nomination(now);
            }
            (None, Ok(bound)) => self.accept_connection(now, request, bound.socket),
            (None, Err(_)) => {}
        }
    }

    fn accept_connection(&mut self, now: Instant, request: RequestId, socket: SocketId) {
        let mut listeners = self.streams.listeners.iter();
        let listener = listeners.find(|listener| listener.request == request);
        let listener = listener.map(|listener| listener.bound.socket);
        let Some(listener) = listener.filter(|_| !self.is_closed()) else {
            // Nobody waits for it any more.
            return self.emit(IceEvent::CloseSocket { socket });
        };
        if !self.make_room_for_stranger() {
            self.stats.refused_streams += 1;
            return self.emit(IceEvent::CloseSocket { socket });
        }
        let accepted = Connection::Accepted {
            listener,
            until: now + STRANGER_TIMEOUT,
        };
        self.streams.connections.insert(socket, accepted);
    }

    /// Where all places are taken, the stranger who has been silent for longest makes room: a peer
    /// that means it has sent its check by then. Whether there is a place.
    fn make_room_for_stranger(&mut self) -> bool {
        if self.streams.accepted() < MAX_ACCEPTED {
            return true;
        }
        let connections = self.streams.connections.iter();
        let strangers = connections.filter_map(|(socket, connection)| match connection {
            Connection::Accepted { until, .. } if !self.is_stream_used(*socket) => {
                Some((*until, *socket))
            }
            _ => None,
        });
        let Some((_, oldest)) = strangers.min() else {
            return false;
        };
        self.streams.connections.remove(&oldest);
        self.stats.refused_streams += 1;
        self.emit(IceEvent::CloseSocket { socket: oldest });
        true
    }

    /// A socket of a stream is gone.
    pub(super) fn lose_stream(&mut self, socket: SocketId) {
        self.streams.connections.remove(&socket);
        let listeners = &mut self.streams.listeners;
        listeners.retain(|listener| listener.bound.socket != socket);
        self.current.lose_base(Via::Stream(socket));
    }

    /// Time has passed: connections that take too long, and strangers who say nothing, are given up.
    pub(super) fn expire_streams(&mut self, now: Instant) {
        let late = |pair: &Pair| pair.connecting.is_some_and(|(_, until)| until <= now);
        for pair in &mut self.current.checklist.pairs {
            if late(pair) {
                pair.connecting = None;
                pair.fail(PairFailure::TimedOut);
            }
        }
        self.close_unused_streams(now);
    }

    /// Closes the connections that no living pair uses.
    pub(super) fn close_unused_streams(&mut self, now: Instant) {
        if self.streams.connections.is_empty() {
            return;
        }
        let is_over = |connection: &Connection| match connection {
            Connection::Opened => true,
            Connection::Accepted { until, .. } => *until <= now,
        };
        let connections = self.streams.connections.iter();
        let closed: Vec<SocketId> = connections
            .filter(|(socket, connection)| is_over(connection) && !self.is_stream_used(**socket))
            .map(|(socket, _)| *socket)
            .collect();
        for socket in closed {
            self.streams.connections.remove(&socket);
            self.emit(IceEvent::CloseSocket { socket });
        }
    }

    /// Whether a living pair of either generation goes through a connection.
    fn is_stream_used(&self, socket: SocketId) -> bool {
        let mut generations = std::iter::once(&self.current).chain(&self.previous);
        generations.any(|generation| {
            let mut pairs = generation.checklist.pairs.iter();
            pairs.any(|pair| pair.via == Via::Stream(socket) && pair.state != PairState::Failed)
        })
    }

    /// When the next connection is given up.
    pub(super) fn stream_timeout(&self) -> Option<Instant> {
        let pairs = self.current.checklist.pairs.iter();
        let connecting = pairs.filter_map(|pair| pair.connecting.map(|(_, until)| until));
        let connections = self.streams.connections.iter();
        let strangers = connections.filter_map(|(socket, connection)| match connection {
            Connection::Accepted { until, .. } if !self.is_stream_used(*socket) => Some(*until),
            _ => None,
        });
        connecting.chain(strangers).min()
    }

    /// All of them end with the agent.
    pub(super) fn close_streams(&mut self) {
        let streams = std::mem::take(&mut self.streams);
        let listeners = streams
            .listeners
            .iter()
            .map(|listener| listener.bound.socket);
        for socket in listeners.chain(streams.connections.into_keys()) {
            self.emit(IceEvent::CloseSocket { socket });
        }
    }

    /// A check of the peer came on a connection that it opened, while we were opening one for the
    /// same pair (simultaneous open): the one that is there serves.
    pub(super) fn adopt_connection(
        &mut self,
        via: Via,
        local: usize,
        remote: usize,
    ) -> Option<PairId> {
        let mut pairs = self.current.checklist.pairs.iter_mut();
        let pair = pairs.find(|pair| {
            pair.via == Via::Unconnected && (pair.local, pair.remote) == (local, remote)
        })?;
        pair.via = via;
        pair.connecting = None;
        pair.state = PairState::Waiting;
        Some(pair.id)
    }
}
