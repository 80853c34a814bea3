//! Servers inside the network.

use super::{Arrival, Delivery, HostId, Network};
use layer::Bound;
use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;
use stun::{Builder, Class, Message, Method, XorMappedAddress};

/// Plays a host: everything that reaches one of the host's sockets goes to it, and it answers in the
/// same instant. [`StunServer`] and [`TurnServer`](super::TurnServer) are two; wrap a machine of
/// your own to have another one.
///
/// Install it with [`Network::serve`].
pub trait Server: Send + fmt::Debug {
    /// The server has been installed: time to bind sockets.
    fn start(&mut self, now: Instant, shell: &mut Shell<'_>);

    /// Something has reached a socket of the host.
    fn handle(&mut self, now: Instant, shell: &mut Shell<'_>, delivery: Delivery);

    /// Time has come to the instant of [`poll_timeout`](Server::poll_timeout).
    fn handle_timeout(&mut self, now: Instant, shell: &mut Shell<'_>) {
        let _ = (now, shell);
    }

    /// When it wants to be called again.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// What a server does to the network: all verbs of sockets, on its own host.
#[derive(Debug)]
pub struct Shell<'a> {
    /// The network it stands in.
    pub network: &'a mut Network,
    /// The host it plays.
    pub host: HostId,
}

impl Shell<'_> {
    /// Sends a datagram from a bound address of the host.
    pub fn send(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.network.send(now, self.host, from, to, bytes);
    }

    /// Binds a socket of the host.
    ///
    /// # Errors
    ///
    /// As [`Network::bind`].
    pub fn bind(&mut self, local: SocketAddr) -> Result<Bound, std::io::ErrorKind> {
        self.network.bind(self.host, local, None)
    }
}

/// Answers Binding requests (RFC 8489 §6.3.1) and nothing else: no authentication, no other method.
#[derive(Debug)]
pub struct StunServer {
    addresses: Vec<SocketAddr>,
    /// Requests that were answered.
    pub answered: u64,
}

impl StunServer {
    /// A server at these addresses of its host.
    #[must_use]
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        Self {
            addresses,
            answered: 0,
        }
    }
}

impl Server for StunServer {
    fn start(&mut self, _now: Instant, shell: &mut Shell<'_>) {
        for address in &self.addresses {
            if let Err(error) = shell.bind(*address) {
                panic!("the STUN server cannot stand at {address}: {error}");
            }
        }
    }

    fn handle(&mut self, now: Instant, shell: &mut Shell<'_>, delivery: Delivery) {
        let Arrival::Datagram(bytes) = &delivery.arrival else {
            return;
        };
        let Some(answer) = answer(bytes, delivery.remote) else {
            return;
        };
        self.answered += 1;
        shell.send(now, delivery.local, delivery.remote, &answer);
    }
}

/// The answer to a Binding request from `remote`; `None` for anything else.
fn answer(bytes: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    let request = Message::parse(bytes).ok()?;
    if (request.class(), request.method()) != (Class::Request, Method::BINDING) {
        return None;
    }
    let mut buffer = [0; 128];
    let id = request.transaction_id();
    let len = Builder::new(&mut buffer, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(remote))
        .fingerprint()
        .finish()
        .ok()?;
    Some(buffer[..len].to_vec())
}
