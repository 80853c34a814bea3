//! How packets get from a candidate of ours to the peer, and back.

use layer::{Protocol, SocketId};
use std::net::SocketAddr;

/// Names an allocation on a TURN server for the life of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RelayId(pub(crate) u32);

/// What carries the packets of a pair on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Via {
    /// A UDP socket.
    Socket(SocketId),
    /// A TCP connection to the peer, or for a passive candidate the listener.
    Stream(SocketId),
    /// An allocation on a TURN server.
    Relay(RelayId),
    /// A TCP connection that does not exist yet.
    Unconnected,
}

impl Via {
    /// The socket a packet came in on.
    pub(crate) fn of(socket: SocketId, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::Stream(socket),
            _ => Self::Socket(socket),
        }
    }

    /// The socket of the shell, unless there is a server in between or nothing yet.
    pub(crate) fn socket(self) -> Option<SocketId> {
        match self {
            Self::Socket(socket) | Self::Stream(socket) => Some(socket),
            Self::Relay(_) | Self::Unconnected => None,
        }
    }
}

/// The way of one packet: through what, from which of our addresses, to which of the peer's, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) via: Via,
    /// A base of ours (RFC 8445 §3).
    pub(crate) local: SocketAddr,
    /// The peer's address as this end sees it.
    pub(crate) remote: SocketAddr,
}

impl Way {
    /// What tells one way from another: the base follows from what carries the packet.
    pub(crate) fn path(&self) -> Path {
        (self.via, self.remote)
    }
}

/// A way without its base.
pub(crate) type Path = (Via, SocketAddr);
