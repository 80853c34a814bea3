//! The sockets that a machine has on a host: what its driver does for it.

use super::frame::{self, Frames};
use super::{Arrival, Delivery, HostId, Network};
use layer::{Bound, Framing, Protocol, RequestId, SocketId, Transmit};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// The sockets of one machine on one host of a [`Network`]: makes them when the machine asks, frames
/// what it sends on streams, and turns what arrives into what it is to be told.
///
/// A machine here is anything that asks of its shell what `layer` says: an ICE agent, which
/// [`Drive`](super::Drive) runs in this way, or a whole session. A stream that is asked for as TLS
/// is a plain one: nobody looks into streams here, so that firewalls and NATs could not tell the
/// difference. So is a socket that is asked for as DTLS.
#[derive(Debug)]
pub struct Sockets {
    host: HostId,
    sockets: BTreeMap<SocketId, Socket>,
}

#[derive(Debug)]
enum Socket {
    Datagrams,
    Connecting(RequestId, Framing),
    Listening(RequestId),
    Stream(Frames),
}

/// What a machine is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrived {
    /// A datagram, or one packet of a stream without its frame: `handle_input`.
    Packet {
        /// The socket it came in on.
        socket: SocketId,
        /// What that speaks.
        protocol: Protocol,
        /// The address of the socket.
        local: SocketAddr,
        /// Where it came from.
        remote: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// A connection was made or not, or a listener has one: `tcp_connected`.
    Connected {
        /// What asked for it.
        request: RequestId,
        /// The socket, or why there is none.
        result: Result<Bound, io::ErrorKind>,
    },
    /// A stream is gone: `socket_closed`.
    Closed {
        /// Which.
        socket: SocketId,
    },
}

impl Sockets {
    /// None yet.
    #[must_use]
    pub fn new(host: HostId) -> Self {
        Self {
            host,
            sockets: BTreeMap::new(),
        }
    }

    /// The host they are on.
    #[must_use]
    pub fn host(&self) -> HostId {
        self.host
    }

    /// Answers `Bind`.
    ///
    /// # Errors
    ///
    /// As [`Network::bind`].
    pub fn bind(
        &mut self,
        network: &mut Network,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let bound = network.bind(self.host, local, ports)?;
        self.sockets.insert(bound.socket, Socket::Datagrams);
        Ok(bound)
    }

    /// Answers `ListenTcp`; each connection comes as [`Arrived::Connected`].
    ///
    /// # Errors
    ///
    /// As [`Network::listen`].
    pub fn listen(
        &mut self,
        network: &mut Network,
        request: RequestId,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let bound = network.listen(self.host, local, ports)?;
        self.sockets
            .insert(bound.socket, Socket::Listening(request));
        Ok(bound)
    }

    /// Answers `ConnectTcp`, now or with what [`take`](Sockets::take) returns later.
    ///
    /// # Errors
    ///
    /// As [`Network::connect`]: then it is the answer.
    pub fn connect(
        &mut self,
        network: &mut Network,
        now: Instant,
        request: RequestId,
        (local, remote): (SocketAddr, SocketAddr),
        framing: Framing,
    ) -> Result<(), io::ErrorKind> {
        let bound = network.connect(now, self.host, local, remote)?;
        let connecting = Socket::Connecting(request, framing);
        self.sockets.insert(bound.socket, connecting);
        Ok(())
    }

    /// Answers `CloseSocket`.
    pub fn close(&mut self, network: &mut Network, now: Instant, socket: SocketId) {
        self.sockets.remove(&socket);
        network.close(now, self.host, socket);
    }

    /// Sends what a machine put out: a datagram, a run of them, or a packet of a stream. One that
    /// does not fit the buffer of a stream is dropped whole, as a network would: packets never wait.
    pub fn transmit(&self, network: &mut Network, now: Instant, transmit: &Transmit, bytes: &[u8]) {
        let size = transmit.segment_size.unwrap_or(bytes.len()).max(1);
        for packet in bytes.chunks(size) {
            if transmit.protocol == Protocol::Tcp {
                self.write(network, now, transmit.socket, packet);
            } else {
                network.send(now, self.host, transmit.local, transmit.remote, packet);
            }
        }
    }

    fn write(&self, network: &mut Network, now: Instant, socket: SocketId, packet: &[u8]) {
        let Some(Socket::Stream(frames)) = self.sockets.get(&socket) else {
            return;
        };
        let framed = frame::framed(frames.framing(), packet);
        if framed.len() <= network.room(self.host, socket) {
            network.write(now, self.host, socket, &framed);
        }
    }

    /// Whether something was delivered to one of these.
    #[must_use]
    pub fn owns(&self, delivery: &Delivery) -> bool {
        let socket = match delivery.arrival {
            Arrival::Accepted { listener } => listener,
            _ => delivery.socket,
        };
        delivery.host == self.host && self.sockets.contains_key(&socket)
    }

    /// Takes what was delivered, and says what the machine is to be told.
    pub fn take(&mut self, network: &mut Network, delivery: Delivery) -> Vec<Arrived> {
        let Delivery {
            at,
            socket,
            local,
            remote,
            arrival,
            ..
        } = delivery;
        let packet = |protocol, bytes| Arrived::Packet {
            socket,
            protocol,
            local,
            remote,
            bytes,
        };
        let bound = Bound::new(socket, local);
        match (arrival, self.sockets.get_mut(&socket)) {
            (Arrival::Datagram(bytes), _) => vec![packet(Protocol::Udp, bytes)],
            (Arrival::Bytes(bytes), Some(Socket::Stream(frames))) => match frames.take(&bytes) {
                Ok(packets) => {
                    let packets = packets.into_iter();
                    packets.map(|it| packet(Protocol::Tcp, it)).collect()
                }
                Err(_) => self.lose(network, at, socket),
            },
            (Arrival::Connected, Some(state)) => {
                let Socket::Connecting(request, framing) = *state else {
                    return Vec::new();
                };
                *state = Socket::Stream(Frames::new(framing));
                let result = Ok(bound);
                vec![Arrived::Connected { request, result }]
            }
            (Arrival::Failed(why), Some(Socket::Connecting(request, _))) => {
                let (request, result) = (*request, Err(why));
                self.sockets.remove(&socket);
                vec![Arrived::Connected { request, result }]
            }
            (Arrival::Accepted { listener }, _) => self.accept(listener, bound),
            (Arrival::Ended | Arrival::Reset, Some(_)) => self.lose(network, at, socket),
            _ => Vec::new(),
        }
    }

    fn accept(&mut self, listener: SocketId, bound: Bound) -> Vec<Arrived> {
        let Some(Socket::Listening(request)) = self.sockets.get(&listener) else {
            return Vec::new();
        };
        let (request, result) = (*request, Ok(bound));
        // Only peers connect to listeners.
        let frames = Frames::new(Framing::Length);
        self.sockets.insert(bound.socket, Socket::Stream(frames));
        vec![Arrived::Connected { request, result }]
    }

    fn lose(&mut self, network: &mut Network, now: Instant, socket: SocketId) -> Vec<Arrived> {
        self.close(network, now, socket);
        vec![Arrived::Closed { socket }]
    }
}
