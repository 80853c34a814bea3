//! Hosts and their sockets.

use super::server::Server;
use super::stream::{Reads, Stream};
use layer::SocketId;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// The ports a socket gets that does not ask for one (RFC 6335 §6).
const DYNAMIC_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Names one host of a [`Network`](super::Network).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) usize);

#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    /// Datagram sockets.
    pub(super) bound: BTreeMap<SocketAddr, SocketId>,
    pub(super) listeners: BTreeMap<SocketAddr, SocketId>,
    pub(super) streams: BTreeMap<SocketId, Stream>,
    /// Streams by local and remote address.
    pub(super) paths: BTreeMap<(SocketAddr, SocketAddr), SocketId>,
    pub(super) reads: Reads,
    /// Plays the host; taken out while it works.
    pub(super) server: Option<Box<dyn Server>>,
    pub(super) is_server: bool,
    next_socket: u32,
    next_port: u16,
}

impl Host {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            bound: BTreeMap::new(),
            listeners: BTreeMap::new(),
            streams: BTreeMap::new(),
            paths: BTreeMap::new(),
            reads: Reads::default(),
            server: None,
            is_server: false,
            next_socket: 0,
            next_port: *DYNAMIC_PORTS.start(),
        }
    }

    pub(super) fn new_socket(&mut self) -> SocketId {
        let socket = SocketId(self.next_socket);
        self.next_socket += 1;
        socket
    }

    /// A port for datagrams.
    pub(super) fn udp_port(
        &mut self,
        ip: IpAddr,
        wanted: u16,
        ports: Option<(u16, u16)>,
    ) -> Option<u16> {
        let bound = &self.bound;
        let free = |port: u16| !bound.contains_key(&SocketAddr::new(ip, port));
        free_port(&mut self.next_port, wanted, ports, free)
    }

    /// A port for a listener.
    pub(super) fn listener_port(
        &mut self,
        ip: IpAddr,
        wanted: u16,
        ports: Option<(u16, u16)>,
    ) -> Option<u16> {
        let listeners = &self.listeners;
        let free = |port: u16| !listeners.contains_key(&SocketAddr::new(ip, port));
        free_port(&mut self.next_port, wanted, ports, free)
    }

    /// A port to connect from. One that listens, or has a stream to somewhere else, will do, as with
    /// `SO_REUSEADDR`: RFC 6544 §4.1 wants it for simultaneous opens.
    pub(super) fn stream_port(&mut self, ip: IpAddr, wanted: u16, to: SocketAddr) -> Option<u16> {
        let (paths, listeners) = (&self.paths, &self.listeners);
        let free = |port: u16| {
            let local = SocketAddr::new(ip, port);
            !paths.contains_key(&(local, to)) && (wanted != 0 || !listeners.contains_key(&local))
        };
        free_port(&mut self.next_port, wanted, None, free)
    }

    /// Forgets a stream on this path that only waits for late segments.
    pub(super) fn make_way(&mut self, path: (SocketAddr, SocketAddr)) {
        let Some(socket) = self.paths.get(&path) else {
            return;
        };
        if self.streams.get(socket).is_some_and(Stream::is_waiting) {
            self.streams.remove(socket);
            self.paths.remove(&path);
        }
    }

    /// Forgets streams that are over.
    pub(super) fn sweep(&mut self) {
        let paths = &mut self.paths;
        self.streams.retain(|_, stream| {
            let over = stream.is_over();
            if over {
                paths.remove(&(stream.local, stream.remote));
            }
            !over
        });
    }
}

fn free_port(
    next: &mut u16,
    wanted: u16,
    ports: Option<(u16, u16)>,
    free: impl Fn(u16) -> bool,
) -> Option<u16> {
    match (wanted, ports) {
        (0, Some((low, high))) => (low..=high).find(|port| free(*port)),
        (0, None) => {
            let begin = *next;
            let mut all = (begin..=*DYNAMIC_PORTS.end()).chain(*DYNAMIC_PORTS.start()..begin);
            let port = all.find(|port| free(*port))?;
            *next = port.checked_add(1).unwrap_or(*DYNAMIC_PORTS.start());
            Some(port)
        }
        (port, _) => free(port).then_some(port),
    }
}
