//! From an address to an allocation.

use super::carrier::Carrier;
use super::client::{Conn, Shared};
use super::{Datagrams, ServerAddress, now};
use crate::Transport;
use crate::client::{Advice, Client, Config, Ending, Failure};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// From how many local addresses a server is asked that says that it knows the last one
/// (RFC 8656 §7.4).
const MAX_LOCAL_ADDRESSES: u32 = 3;

/// Why there is no allocation.
#[derive(Debug)]
#[non_exhaustive]
pub enum AllocateError {
    /// The server cannot be reached; a source of [`Refusal`](crate::proxy::Refusal) if a proxy does
    /// not let us through.
    Io(io::Error),
    /// The server does not give one.
    Failed {
        /// Why.
        failure: Failure,
        /// What the server says about it, possibly nothing.
        phrase: String,
    },
}

impl fmt::Display for AllocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the server cannot be reached: {error}"),
            Self::Failed { failure, .. } => write!(f, "no allocation: {failure}"),
        }
    }
}

impl std::error::Error for AllocateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Failed { failure, .. } => Some(failure),
        }
    }
}

impl From<io::Error> for AllocateError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Conn {
    /// Connects to a server, asks it for an allocation, and starts a task on the current runtime that
    /// keeps it. Goes where the server sends us, within the bounds of [`Client`], and asks from another
    /// port if ours is taken. The transport in `config` is set from the address.
    ///
    /// Cancel safe: what was begun is given back by the task.
    ///
    /// # Errors
    ///
    /// [`AllocateError`] if there is no allocation.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O enabled.
    pub async fn allocate(server: &ServerAddress, config: Config) -> Result<Self, AllocateError> {
        let (mut server, mut config) = (server.clone(), config);
        config.transport = server.transport();
        let mut attempt = 1;
        loop {
            let conn = Self::attempt(&server, config.clone()).await?;
            let Some((ending, phrase)) = conn.allocated().await else {
                return Ok(conn);
            };
            let failure = match ending {
                Ending::Failed(failure) => failure,
                Ending::Closed => Failure::ConnectionLost,
            };
            match (failure.advice(), &failure) {
                (Advice::OtherLocalAddress, _) if attempt < MAX_LOCAL_ADDRESSES => attempt += 1,
                (Advice::Follow(other), Failure::TryAlternate { domain, .. }) => {
                    config.visited.push(server.address);
                    server = server.alternate(other, domain.as_deref());
                }
                _ => return Err(AllocateError::Failed { failure, phrase }),
            }
        }
    }

    /// Asks the server at the other end of a path that is already there for an allocation, and starts a
    /// task on the current runtime that keeps it: TURN over DTLS (RFC 7350), where the path is a DTLS
    /// session that has verified who the server is. `server` is its address. The transport in `config`
    /// is set to datagrams. The path is dropped with the allocation.
    ///
    /// Cancel safe: what was begun is given back by the task.
    ///
    /// # Errors
    ///
    /// [`AllocateError`] if there is no allocation. Where the failure advises another server or another
    /// local address ([`Failure::advice`]), it is for the caller to make another path.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time enabled.
    pub async fn allocate_over(
        path: impl Datagrams + 'static,
        server: SocketAddr,
        mut config: Config,
    ) -> Result<Self, AllocateError> {
        config.transport = Transport::Datagram;
        config.is_connected = true;
        let carrier = Carrier::path(Box::new(path));
        let conn = Self::ask(&ServerAddress::udp(server), config, carrier)?;
        match conn.allocated().await {
            None => Ok(conn),
            Some((Ending::Failed(failure), phrase)) => {
                Err(AllocateError::Failed { failure, phrase })
            }
            Some((Ending::Closed, phrase)) => Err(AllocateError::Failed {
                failure: Failure::ConnectionLost,
                phrase,
            }),
        }
    }

    async fn attempt(server: &ServerAddress, config: Config) -> io::Result<Self> {
        let carrier = match config.transport {
            Transport::Datagram => Carrier::datagram(bind(server.address).await?),
            Transport::Stream => {
                let dialled = timeout(config.timing.total(), server.dial()).await;
                Carrier::stream(dialled.map_err(|_| io::ErrorKind::TimedOut)??)
            }
        };
        Self::ask(server, config, carrier)
    }

    fn ask(server: &ServerAddress, config: Config, carrier: Carrier) -> io::Result<Self> {
        let mut seed = [0; 32];
        let random = config.provider.random.fill(&mut seed);
        random.map_err(io::Error::other)?;
        let patience = config.timing.total();
        let mut client = Client::new(config, server.address, seed);
        client.allocate(now());
        let shared = Shared::new(client, carrier);
        Ok(Self::start(shared, server.clone(), patience))
    }
}

/// A socket of the server's family, on any address and port.
async fn bind(server: SocketAddr) -> io::Result<Arc<UdpSocket>> {
    let any: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    // Until the runtime has heard of a socket once, it takes it for full.
    socket.writable().await?;
    Ok(Arc::new(socket))
}
