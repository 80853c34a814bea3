//! What hosts do with sockets, and what they hear.

use super::network::label;
use super::packet::{Packet, Payload, Segment, SegmentKind};
use super::server::Shell;
use super::stream::{Stream, Told};
use super::{HostId, Network};
use crate::Random;
use layer::{Bound, SocketId};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Something that has reached a socket of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// The host.
    pub host: HostId,
    /// The socket of the host; for [`Arrival::Accepted`] the new one.
    pub socket: SocketId,
    /// The address of the socket.
    pub local: SocketAddr,
    /// Where it came from, as it was seen here.
    pub remote: SocketAddr,
    /// What it is.
    pub arrival: Arrival,
}

/// What reaches a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// A datagram.
    Datagram(Vec<u8>),
    /// The stream that [`Network::connect`] asked for is open.
    Connected,
    /// It does not come about: refused, or timed out.
    Failed(io::ErrorKind),
    /// A listener has a new stream, with a socket of its own.
    Accepted {
        /// The listener.
        listener: SocketId,
    },
    /// Bytes of a stream, never none.
    Bytes(Vec<u8>),
    /// The peer writes nothing more.
    Ended,
    /// The stream was torn down by the peer, or by silence.
    Reset,
}

impl Network {
    // --- verbs ---

    /// Binds a socket for datagrams: to `local`, or for port 0 to the first free one of `ports` or of
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
        let ip = self.own_address(host, local.ip())?;
        let host = &mut self.hosts[host.0];
        let port = host.udp_port(ip, local.port(), ports);
        let local = SocketAddr::new(ip, port.ok_or(io::ErrorKind::AddrInUse)?);
        let socket = host.new_socket();
        host.bound.insert(local, socket);
        Ok(Bound::new(socket, local))
    }

    /// Sends a datagram from a bound address of a host.
    pub fn send(
        &mut self,
        now: Instant,
        host: HostId,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
    ) {
        if !self.hosts[host.0].bound.contains_key(&from) {
            self.stats.not_bound += 1;
            return;
        }
        let packet = Packet {
            source: from,
            destination: to,
            payload: Payload::Datagram(bytes.to_vec()),
        };
        self.depart(now, host, packet);
    }

    /// Lets a host accept streams at an address, chosen as by [`bind`](Network::bind); each comes as
    /// [`Arrival::Accepted`].
    ///
    /// # Errors
    ///
    /// As [`bind`](Network::bind).
    pub fn listen(
        &mut self,
        host: HostId,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let ip = self.own_address(host, local.ip())?;
        let host = &mut self.hosts[host.0];
        let port = host.listener_port(ip, local.port(), ports);
        let local = SocketAddr::new(ip, port.ok_or(io::ErrorKind::AddrInUse)?);
        let socket = host.new_socket();
        host.listeners.insert(local, socket);
        Ok(Bound::new(socket, local))
    }

    /// Opens a stream; [`Arrival::Connected`] or [`Arrival::Failed`] follows. From a port that
    /// somebody listens on it is a simultaneous open when both ends do it (RFC 9293 §3.5).
    ///
    /// # Errors
    ///
    /// As [`bind`](Network::bind).
    pub fn connect(
        &mut self,
        now: Instant,
        host: HostId,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<Bound, io::ErrorKind> {
        let ip = self.own_address(host, local.ip())?;
        let random = self.stream_random();
        let owner = &mut self.hosts[host.0];
        let port = owner.stream_port(ip, local.port(), remote);
        let local = SocketAddr::new(ip, port.ok_or(io::ErrorKind::AddrInUse)?);
        let stream = Stream::connect(now, local, remote, random);
        let socket = self.add_stream(host, stream);
        self.flush(now, host, socket);
        Ok(Bound::new(socket, local))
    }

    /// How many bytes [`write`](Network::write) would take now.
    #[must_use]
    pub fn room(&self, host: HostId, socket: SocketId) -> usize {
        let stream = self.hosts[host.0].streams.get(&socket);
        stream.map_or(0, Stream::room)
    }

    /// Whether a stream takes bytes, now or once there is room: it is there, and was not ended by us
    /// or torn down.
    #[must_use]
    pub fn is_writable(&self, host: HostId, socket: SocketId) -> bool {
        let stream = self.hosts[host.0].streams.get(&socket);
        stream.is_some_and(Stream::is_writable)
    }

    /// Writes to a stream and returns how many of the bytes it took: up to 1 MiB wait at once. An
    /// unknown socket takes none.
    pub fn write(&mut self, now: Instant, host: HostId, socket: SocketId, bytes: &[u8]) -> usize {
        let stream = self.hosts[host.0].streams.get_mut(&socket);
        let taken = stream.map_or(0, |stream| stream.write(now, bytes));
        self.flush(now, host, socket);
        taken
    }

    /// Writes nothing more to a stream: what was written still arrives, then its end.
    pub fn shutdown(&mut self, now: Instant, host: HostId, socket: SocketId) {
        if let Some(stream) = self.hosts[host.0].streams.get_mut(&socket) {
            stream.finish(now);
        }
        self.flush(now, host, socket);
    }

    /// Tears a stream down.
    pub fn reset(&mut self, now: Instant, host: HostId, socket: SocketId) {
        if let Some(stream) = self.hosts[host.0].streams.get_mut(&socket) {
            stream.reset();
        }
        self.flush(now, host, socket);
    }

    /// Closes a socket of any kind; a stream as by [`shutdown`](Network::shutdown).
    pub fn close(&mut self, now: Instant, host: HostId, socket: SocketId) {
        let owner = &mut self.hosts[host.0];
        owner.bound.retain(|_, id| *id != socket);
        owner.listeners.retain(|_, id| *id != socket);
        self.shutdown(now, host, socket);
    }

    // --- output ---

    /// Takes out the next thing that has reached a host by `now`, in the order of arrival. Servers
    /// inside the network take theirs on the way.
    pub fn poll_deliver(&mut self, now: Instant) -> Option<Delivery> {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                if !self.hosts[delivery.host.0].is_server {
                    return Some(delivery);
                }
                let at = delivery.at;
                self.with_server(delivery.host, |server, shell| {
                    server.handle(at, shell, delivery);
                });
                continue;
            }
            let at = self.poll_timeout().filter(|at| *at <= now)?;
            self.advance(at);
        }
    }

    /// When something happens next: [`poll_deliver`](Network::poll_deliver) wants to be called then,
    /// and may have nothing to deliver.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let packets = self.queue.keys().next().map(|(at, _)| *at);
        let streams = self.hosts.iter().flat_map(|host| host.streams.values());
        let streams = streams.filter_map(Stream::poll_timeout);
        let servers = self.hosts.iter().filter_map(|host| host.server.as_ref());
        let servers = servers.filter_map(|server| server.poll_timeout());
        let ready = self.ready.front().map(|delivery| delivery.at);
        packets
            .into_iter()
            .chain(streams)
            .chain(servers)
            .chain(ready)
            .min()
    }

    /// Does the first thing that is due at `at`.
    fn advance(&mut self, at: Instant) {
        if self.queue.keys().next().is_some_and(|(due, _)| *due <= at) {
            if let Some((_, (place, packet))) = self.queue.pop_first() {
                self.arrive(at, place, packet);
            }
            return;
        }
        for index in 0..self.hosts.len() {
            let host = HostId(index);
            let due = |it: Option<Instant>| it.is_some_and(|due| due <= at);
            let streams = &mut self.hosts[index].streams;
            let stream = streams
                .iter_mut()
                .find(|(_, stream)| due(stream.poll_timeout()));
            if let Some((socket, stream)) = stream {
                let socket = *socket;
                stream.handle_timeout(at);
                self.flush(at, host, socket);
                return;
            }
            let server = self.hosts[index].server.as_ref();
            if due(server.and_then(|server| server.poll_timeout())) {
                self.with_server(host, |server, shell| server.handle_timeout(at, shell));
                return;
            }
        }
    }

    /// A packet has come to a host.
    pub(super) fn receive(&mut self, now: Instant, host: HostId, packet: Packet) {
        let (local, remote) = (packet.destination, packet.source);
        match packet.payload {
            Payload::Datagram(bytes) => match self.hosts[host.0].bound.get(&local) {
                Some(socket) => {
                    let path = (*socket, local, remote);
                    self.deliver(now, host, path, Arrival::Datagram(bytes));
                }
                None => self.stats.refused += 1,
            },
            Payload::Segment(segment) => self.receive_segment(now, host, (local, remote), segment),
        }
    }

    fn receive_segment(
        &mut self,
        now: Instant,
        host: HostId,
        path: (SocketAddr, SocketAddr),
        segment: Segment,
    ) {
        let owner = &mut self.hosts[host.0];
        if segment.kind == SegmentKind::Syn {
            owner.make_way(path);
        }
        if let Some(socket) = owner.paths.get(&path).copied() {
            if let Some(stream) = owner.streams.get_mut(&socket) {
                stream.handle_segment(now, segment);
            }
            self.flush(now, host, socket);
        } else if segment.kind == SegmentKind::Syn && owner.listeners.contains_key(&path.0) {
            let random = self.stream_random();
            let stream = Stream::accept(now, path.0, path.1, random);
            let socket = self.add_stream(host, stream);
            self.flush(now, host, socket);
        } else if segment.kind != SegmentKind::Reset {
            self.stats.refused += 1;
            // RFC 9293 §3.5.2: a segment for a stream that is not there is answered with a reset.
            let reset = Segment {
                kind: SegmentKind::Reset,
                ..Segment::default()
            };
            let packet = Packet {
                source: path.0,
                destination: path.1,
                payload: Payload::Segment(reset),
            };
            self.depart(now, host, packet);
        }
    }

    fn add_stream(&mut self, host: HostId, mut stream: Stream) -> SocketId {
        let host = &mut self.hosts[host.0];
        stream.reads = host.reads;
        let socket = host.new_socket();
        host.paths.insert((stream.local, stream.remote), socket);
        host.streams.insert(socket, stream);
        socket
    }

    /// Takes out what a stream has to send and to tell.
    fn flush(&mut self, now: Instant, host: HostId, socket: SocketId) {
        let Some(stream) = self.hosts[host.0].streams.get_mut(&socket) else {
            return;
        };
        let (local, remote) = (stream.local, stream.remote);
        let segments = std::mem::take(&mut stream.segments);
        let told = std::mem::take(&mut stream.told);
        for segment in segments {
            let packet = Packet {
                source: local,
                destination: remote,
                payload: Payload::Segment(segment),
            };
            self.depart(now, host, packet);
        }
        for told in told {
            let listener = self.hosts[host.0].listeners.get(&local).copied();
            let arrival = match told {
                Told::Connected => Arrival::Connected,
                Told::Accepted => match listener {
                    Some(listener) => Arrival::Accepted { listener },
                    None => {
                        // The listener was closed meanwhile: nobody can take it.
                        self.reset(now, host, socket);
                        return;
                    }
                },
                Told::Failed(why) => Arrival::Failed(why),
                Told::Read(bytes) => Arrival::Bytes(bytes),
                Told::Ended => Arrival::Ended,
                Told::Reset => Arrival::Reset,
            };
            self.deliver(now, host, (socket, local, remote), arrival);
        }
        self.hosts[host.0].sweep();
    }

    fn deliver(
        &mut self,
        at: Instant,
        host: HostId,
        (socket, local, remote): (SocketId, SocketAddr, SocketAddr),
        arrival: Arrival,
    ) {
        self.ready.push_back(Delivery {
            at,
            host,
            socket,
            local,
            remote,
            arrival,
        });
    }

    fn with_server(
        &mut self,
        host: HostId,
        work: impl FnOnce(&mut dyn super::Server, &mut Shell<'_>),
    ) {
        if let Some(mut server) = self.hosts[host.0].server.take() {
            let mut shell = Shell {
                network: self,
                host,
            };
            work(server.as_mut(), &mut shell);
            self.hosts[host.0].server = Some(server);
        }
    }

    fn own_address(&self, host: HostId, wanted: IpAddr) -> Result<IpAddr, io::ErrorKind> {
        let own = self.interfaces(host);
        let mut own = own.iter().map(|interface| interface.address);
        let fits = |address: &IpAddr| {
            *address == wanted || (wanted.is_unspecified() && wanted.is_ipv4() == address.is_ipv4())
        };
        own.find(fits).ok_or(io::ErrorKind::AddrNotAvailable)
    }

    fn stream_random(&mut self) -> Random {
        let index = usize::try_from(self.streams_made).unwrap_or(usize::MAX);
        self.streams_made += 1;
        Random::new(self.seed, &label(b"tcp ", index))
    }
}
