//! A TURN server inside the network.

use super::{Arrival, Delivery, Server, Shell};
use crate::WALL_BASE_SECS;
use crate::seed::layer_seed;
use ::turn::Transport;
use ::turn::server::{
    AllocationId, Config, Event, FiveTuple, HEADROOM, Received, Relay, StaticCredentials, Stats,
    TAILROOM,
};
use ::turn::{FrameError, Frames};
use layer::SocketId;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The port of STUN and TURN over UDP and TCP (RFC 8656 §3.1).
pub const TURN_PORT: u16 = 3478;

/// The port of TURN over TLS and DTLS (RFC 8656 §3.1).
pub const TURNS_PORT: u16 = 5349;

/// The port that strict firewalls leave open.
const HTTPS_PORT: u16 = 443;

/// The largest message to a client.
const MAX_MESSAGE: usize = 1500;

/// Relays (RFC 8656) and answers Binding requests: the machine of `muonrtc-turn` on a host.
///
/// It stands on UDP and on streams. TLS and DTLS are not spoken: in virtual time a stream is a
/// stream, and what is encrypted on it neither firewalls nor NATs could tell. A client that asks for
/// them is to be given a plain stream or socket to their port, as [`Sockets`](super::Sockets) does.
#[derive(Debug)]
pub struct TurnServer {
    /// Where it takes datagrams. Default: ports 3478, and 5349 for DTLS.
    pub udp: Vec<SocketAddr>,
    /// Where it accepts streams. Default: ports 3478 for TCP, and 5349 and 443 for TLS.
    pub streams: Vec<SocketAddr>,
    config: Config,
    /// There once it has been installed.
    machine: Option<::turn::Server>,
    relays: BTreeMap<AllocationId, (SocketId, SocketAddr)>,
    allocations: BTreeMap<SocketId, AllocationId>,
    accepted: BTreeMap<SocketId, Accepted>,
    clients: BTreeMap<FiveTuple, SocketId>,
}

/// The stream of a client.
#[derive(Debug)]
struct Accepted {
    five_tuple: FiveTuple,
    frames: Frames,
}

impl TurnServer {
    /// A server at an address of its host, with one user, that relays with the same address and to
    /// every peer but private ones.
    #[must_use]
    pub fn new(address: IpAddr, username: &str, password: &str) -> Self {
        let provider = crypto::Provider::default();
        let realm = "testkit.example";
        let users = StaticCredentials::new(provider, realm).with(username, password);
        let config = Config::new(provider, realm, Arc::new(users), Relay::new(address));
        Self::with_config(address, config)
    }

    /// A server at an address of its host with settings of your own.
    #[must_use]
    pub fn with_config(address: IpAddr, config: Config) -> Self {
        let at = |port| SocketAddr::new(address, port);
        Self {
            udp: [TURN_PORT, TURNS_PORT].map(at).to_vec(),
            streams: [TURN_PORT, TURNS_PORT, HTTPS_PORT].map(at).to_vec(),
            config,
            machine: None,
            relays: BTreeMap::new(),
            allocations: BTreeMap::new(),
            accepted: BTreeMap::new(),
            clients: BTreeMap::new(),
        }
    }

    /// Counters of the machine; `None` before it is installed.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.machine.as_ref().map(::turn::Server::stats)
    }

    fn handle_datagram(
        &mut self,
        now: Instant,
        shell: &mut Shell<'_>,
        delivery: &Delivery,
        bytes: &[u8],
    ) {
        if let Some(allocation) = self.allocations.get(&delivery.socket) {
            let allocation = *allocation;
            self.handle_peer(now, shell, (allocation, delivery.remote), bytes);
            return;
        }
        let five_tuple = FiveTuple::new(Transport::Datagram, delivery.local, delivery.remote);
        self.handle_message(now, shell, five_tuple, bytes);
    }

    /// From a peer to the socket of an allocation.
    fn handle_peer(
        &mut self,
        now: Instant,
        shell: &mut Shell<'_>,
        (allocation, peer): (AllocationId, SocketAddr),
        bytes: &[u8],
    ) {
        let Some(machine) = &mut self.machine else {
            return;
        };
        let payload = HEADROOM..HEADROOM + bytes.len();
        let mut buffer = vec![0; payload.end + TAILROOM];
        buffer[payload.clone()].copy_from_slice(bytes);
        let wrapped = machine.handle_peer_input(now, allocation, peer, &mut buffer, payload);
        if let Some((five_tuple, range)) = wrapped {
            self.send(now, shell, five_tuple, &buffer[range]);
        }
    }

    fn handle_message(
        &mut self,
        now: Instant,
        shell: &mut Shell<'_>,
        five_tuple: FiveTuple,
        message: &[u8],
    ) {
        let Some(machine) = &mut self.machine else {
            return;
        };
        let Received::Relay {
            allocation,
            peer,
            range,
            ..
        } = machine.handle_input(now, five_tuple, message)
        else {
            return;
        };
        if let Some((_, local)) = self.relays.get(&allocation) {
            shell.send(now, *local, peer, &message[range]);
        }
    }

    fn handle_stream(
        &mut self,
        now: Instant,
        shell: &mut Shell<'_>,
        socket: SocketId,
        bytes: &[u8],
    ) {
        // Taken out, so that messages can be handled while it is borrowed.
        let Some(mut accepted) = self.accepted.remove(&socket) else {
            return;
        };
        accepted.frames.push(bytes);
        let followed = loop {
            match accepted.frames.pop() {
                Ok(Some(message)) => {
                    self.handle_message(now, shell, accepted.five_tuple, message);
                }
                Ok(None) => break Ok(()),
                Err(FrameError) => break Err(FrameError),
            }
        };
        let five_tuple = accepted.five_tuple;
        self.accepted.insert(socket, accepted);
        if followed.is_err() {
            self.hang_up(socket, five_tuple);
            shell.network.reset(now, shell.host, socket);
        }
    }

    /// A client's stream is over (RFC 8656 §3.1: its allocation is, too).
    fn hang_up(&mut self, socket: SocketId, five_tuple: FiveTuple) {
        self.accepted.remove(&socket);
        self.clients.remove(&five_tuple);
        if let Some(machine) = &mut self.machine {
            machine.connection_closed(five_tuple);
        }
    }

    fn send(&self, now: Instant, shell: &mut Shell<'_>, five_tuple: FiveTuple, message: &[u8]) {
        match five_tuple.transport {
            Transport::Datagram => {
                shell.send(now, five_tuple.server, five_tuple.client, message);
            }
            Transport::Stream => {
                let Some(socket) = self.clients.get(&five_tuple) else {
                    return;
                };
                // Whole or not at all: the stream is to be followed on.
                if message.len() <= shell.network.room(shell.host, *socket) {
                    shell.network.write(now, shell.host, *socket, message);
                }
            }
        }
    }

    /// Takes out what the machine has to send and to tell.
    fn settle(&mut self, now: Instant, shell: &mut Shell<'_>) {
        let mut buffer = [0; MAX_MESSAGE];
        while let Some(machine) = &mut self.machine {
            if let Some(transmit) = machine.poll_transmit(now, &mut buffer) {
                self.send(now, shell, transmit.five_tuple, &buffer[..transmit.len]);
            } else if let Some(event) = machine.poll_event() {
                self.perform(now, shell, &event);
            } else {
                return;
            }
        }
    }

    fn perform(&mut self, now: Instant, shell: &mut Shell<'_>, event: &Event) {
        match event {
            Event::Bind {
                allocation,
                address,
            } => {
                let bound = shell.bind(*address);
                let wanted = self
                    .machine
                    .as_mut()
                    .is_some_and(|machine| machine.bound(now, *allocation, bound.is_ok()));
                match bound {
                    Ok(bound) if wanted => {
                        self.relays.insert(*allocation, (bound.socket, bound.local));
                        self.allocations.insert(bound.socket, *allocation);
                    }
                    Ok(bound) => shell.network.close(now, shell.host, bound.socket),
                    Err(_) => {}
                }
            }
            Event::Released { allocation, .. } => {
                if let Some((socket, _)) = self.relays.remove(allocation) {
                    self.allocations.remove(&socket);
                    shell.network.close(now, shell.host, socket);
                }
            }
            _ => {}
        }
    }
}

impl Server for TurnServer {
    fn start(&mut self, now: Instant, shell: &mut Shell<'_>) {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(WALL_BASE_SECS);
        let seed = layer_seed(
            shell.network.seed,
            &super::network::label(b"turn", shell.host.0),
        );
        let machine = ::turn::Server::new(now, wall, self.config.clone(), *seed.as_bytes());
        self.machine = Some(machine);
        for address in &self.udp {
            if let Err(error) = shell.bind(*address) {
                panic!("the TURN server cannot stand at {address}: {error}");
            }
        }
        for address in &self.streams {
            if let Err(error) = shell.network.listen(shell.host, *address, None) {
                panic!("the TURN server cannot listen at {address}: {error}");
            }
        }
    }

    fn handle(&mut self, now: Instant, shell: &mut Shell<'_>, delivery: Delivery) {
        let socket = delivery.socket;
        match &delivery.arrival {
            Arrival::Datagram(bytes) => self.handle_datagram(now, shell, &delivery, bytes),
            Arrival::Accepted { .. } => {
                let five_tuple = FiveTuple::new(Transport::Stream, delivery.local, delivery.remote);
                let frames = Frames::new();
                self.clients.insert(five_tuple, socket);
                self.accepted
                    .insert(socket, Accepted { five_tuple, frames });
            }
            Arrival::Bytes(bytes) => self.handle_stream(now, shell, socket, bytes),
            Arrival::Ended | Arrival::Reset => {
                let five_tuple = self.accepted.get(&socket).map(|it| it.five_tuple);
                if let Some(five_tuple) = five_tuple {
                    self.hang_up(socket, five_tuple);
                }
                shell.network.close(now, shell.host, socket);
            }
            _ => {}
        }
        self.settle(now, shell);
    }

    fn handle_timeout(&mut self, now: Instant, shell: &mut Shell<'_>) {
        if let Some(machine) = &mut self.machine {
            machine.handle_timeout(now);
        }
        self.settle(now, shell);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.as_ref()?.poll_timeout()
    }
}
