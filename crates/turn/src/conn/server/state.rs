//! The machine, its sockets, and what waits to be written; locked for one packet or one batch at a
//! time.

use super::{ServerStats, Shared, now, relay};
use crate::Transport;
use crate::server::{AllocationId, Event, FiveTuple, HEADROOM, Received, Server, TAILROOM};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;
use stun::ConnectionId;
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::{AbortHandle, JoinSet};

/// How many datagrams are taken from a socket before others have their turn.
const MAX_BATCH: usize = 64;

/// What UDP carries.
const MAX_DATAGRAM: usize = 65_535;

pub(super) struct State {
    pub(super) server: Server,
    pub(super) listeners: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    pub(super) streams: BTreeMap<FiveTuple, Queue>,
    /// How many streams each client address has.
    per_address: BTreeMap<IpAddr, usize>,
    relays: BTreeMap<AllocationId, Relay>,
    /// Tasks that accept peers' connections (RFC 6062).
    pub(super) acceptors: BTreeMap<AllocationId, AbortHandle>,
    /// Connections with peers that nobody has taken over.
    pub(super) peers: BTreeMap<ConnectionId, TcpStream>,
    /// The clients' streams that carry those that were.
    bridges: BTreeMap<ConnectionId, FiveTuple>,
    pub(super) tasks: JoinSet<()>,
    pub(super) stats: ServerStats,
    scratch: Vec<u8>,
}

/// What waits for a client to read it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) out: Vec<u8>,
    /// Where the stream leads, once what is in `out` was written.
    pub(super) bridge: Option<TcpStream>,
    /// The stream's task.
    pub(super) waker: Option<Waker>,
    pub(super) task: Option<AbortHandle>,
}

struct Relay {
    socket: Arc<UdpSocket>,
    task: AbortHandle,
}

impl State {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            listeners: BTreeMap::new(),
            streams: BTreeMap::new(),
            per_address: BTreeMap::new(),
            relays: BTreeMap::new(),
            acceptors: BTreeMap::new(),
            peers: BTreeMap::new(),
            bridges: BTreeMap::new(),
            tasks: JoinSet::new(),
            stats: ServerStats::default(),
            scratch: vec![0; HEADROOM + MAX_DATAGRAM + TAILROOM],
        }
    }

    pub(super) fn streams_of(&self, client: IpAddr) -> usize {
        self.per_address.get(&client).copied().unwrap_or(0)
    }

    pub(super) fn open(&mut self, five_tuple: FiveTuple) {
        if self.streams.insert(five_tuple, Queue::default()).is_none() {
            *self.per_address.entry(five_tuple.client.ip()).or_default() += 1;
        }
    }

    /// The stream has ended, and the allocation with it.
    pub(super) fn close(&mut self, five_tuple: FiveTuple) {
        self.server.connection_closed(five_tuple);
        if self.streams.remove(&five_tuple).is_none() {
            return;
        }
        let client = five_tuple.client.ip();
        if let Some(count) = self.per_address.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&client);
            }
        }
    }

    /// Lets a client's stream lead to the peer, once what it has been told is written.
    fn bridge(&mut self, connection: ConnectionId, five_tuple: FiveTuple) {
        let (peer, queue) = (
            self.peers.remove(&connection),
            self.streams.get_mut(&five_tuple),
        );
        if let (Some(peer), Some(queue)) = (peer, queue) {
            self.bridges.insert(connection, five_tuple);
            queue.bridge = Some(peer);
            if let Some(waker) = queue.waker.take() {
                waker.wake();
            }
        }
    }

    /// Closes the connection with a peer, and the client's stream that carries it.
    fn unbridge(&mut self, connection: ConnectionId) {
        self.peers.remove(&connection);
        let five_tuple = self.bridges.remove(&connection);
        let queue = five_tuple.and_then(|five_tuple| self.streams.get(&five_tuple));
        if let Some(task) = queue.and_then(|queue| queue.task.as_ref()) {
            task.abort();
        }
    }

    /// Sends a message to a client.
    fn send(&mut self, five_tuple: FiveTuple, message: &[u8], max_stream_queue: usize) {
        let sent = match five_tuple.transport {
            Transport::Datagram => {
                let socket = self.listeners.get(&five_tuple.server);
                socket.is_some_and(|it| it.try_send_to(message, five_tuple.client).is_ok())
            }
            Transport::Stream => {
                let queue = self.streams.get_mut(&five_tuple);
                queue.is_some_and(|queue| queue.push(message, max_stream_queue))
            }
        };
        if !sent {
            self.stats.lost_to_clients += 1;
        }
    }
}

impl Queue {
    /// Whether there was room.
    fn push(&mut self, message: &[u8], max: usize) -> bool {
        if self.out.len() + message.len() > max {
            return false;
        }
        self.out.extend_from_slice(message);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        true
    }
}

impl Shared {
    /// Takes one message of a client.
    pub(super) fn handle_input(
        self: &Arc<Self>,
        state: &mut State,
        now: Instant,
        five_tuple: FiveTuple,
        message: &[u8],
    ) {
        let received = state.server.handle_input(now, five_tuple, message);
        if let Received::Relay {
            allocation,
            peer,
            range,
            ..
        } = received
        {
            let relay = state.relays.get(&allocation);
            let sent = relay.is_some_and(|it| it.socket.try_send_to(&message[range], peer).is_ok());
            if !sent {
                state.stats.lost_to_peers += 1;
            }
        } else {
            self.pump(state, now);
        }
    }

    /// Takes what has come from clients over UDP.
    pub(super) fn receive(self: &Arc<Self>, socket: &UdpSocket, local: SocketAddr) {
        let mut state = self.lock();
        let mut scratch = std::mem::take(&mut state.scratch);
        let now = now();
        for _ in 0..MAX_BATCH {
            match socket.try_recv_from(&mut scratch) {
                Ok((len, client)) => {
                    let five_tuple = FiveTuple::new(Transport::Datagram, local, client);
                    self.handle_input(&mut state, now, five_tuple, &scratch[..len]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What a router says about something that was sent.
                Err(_) => {}
            }
        }
        state.scratch = scratch;
    }

    /// Takes what has come from peers.
    pub(super) fn relay(self: &Arc<Self>, socket: &UdpSocket, allocation: AllocationId) {
        let mut state = self.lock();
        let mut scratch = std::mem::take(&mut state.scratch);
        let now = now();
        for _ in 0..MAX_BATCH {
            let area = &mut scratch[HEADROOM..HEADROOM + MAX_DATAGRAM];
            let (len, peer) = match socket.try_recv_from(area) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => continue,
            };
            let payload = HEADROOM..HEADROOM + len;
            let server = &mut state.server;
            let wrapped = server.handle_peer_input(now, allocation, peer, &mut scratch, payload);
            if let Some((five_tuple, range)) = wrapped {
                let max = self.limits.max_stream_queue;
                state.send(five_tuple, &scratch[range], max);
            }
        }
        state.scratch = scratch;
    }

    /// Sends the answers of the machine and does what it asks for.
    pub(super) fn pump(self: &Arc<Self>, state: &mut State, now: Instant) {
        let before = state.server.poll_timeout();
        let mut buf = [0; 1500];
        loop {
            while let Some(transmit) = state.server.poll_transmit(now, &mut buf) {
                let max = self.limits.max_stream_queue;
                state.send(transmit.five_tuple, &buf[..transmit.len], max);
            }
            match state.server.poll_event() {
                Some(Event::Bind {
                    allocation,
                    address,
                }) => self.bind(state, now, allocation, address),
                Some(Event::Listen {
                    allocation,
                    address,
                }) => self.listen(state, now, allocation, address),
                Some(Event::Connect {
                    connection,
                    from,
                    peer,
                    ..
                }) => self.connect(state, connection, from, peer),
                Some(Event::Bridge {
                    connection,
                    five_tuple,
                }) => state.bridge(connection, five_tuple),
                Some(Event::Close { connection }) => state.unbridge(connection),
                Some(Event::Released { allocation, .. }) => {
                    if let Some(acceptor) = state.acceptors.remove(&allocation) {
                        acceptor.abort();
                    }
                    if let Some(relay) = state.relays.remove(&allocation) {
                        relay.task.abort();
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        // What has ended leaves nothing behind.
        while state.tasks.try_join_next().is_some() {}
        if state.server.poll_timeout() != before {
            self.timer.notify_one();
        }
    }

    fn bind(
        self: &Arc<Self>,
        state: &mut State,
        now: Instant,
        allocation: AllocationId,
        address: SocketAddr,
    ) {
        let Ok(socket) = bind(address) else {
            state.server.bound(now, allocation, false);
            return;
        };
        if !state.server.bound(now, allocation, true) {
            return;
        }
        let socket = Arc::new(socket);
        let task = relay(Arc::clone(self), Arc::clone(&socket), allocation);
        let task = state.tasks.spawn(task);
        state.relays.insert(allocation, Relay { socket, task });
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}
