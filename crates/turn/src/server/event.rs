use super::FiveTuple;
use std::net::SocketAddr;
use stun::ConnectionId;

/// Names an allocation, and the socket it relays with, for as long as the server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllocationId(pub u64);

/// What a [`Server`](super::Server) tells, and what it asks of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Asks for a UDP socket at exactly this address; answered by [`Server::bound`](super::Server::bound).
    Bind {
        /// For the answer, and the name of the socket from then on.
        allocation: AllocationId,
        /// The address.
        address: SocketAddr,
    },
    /// Asks for a TCP socket that listens at exactly this address, and from which connections can be
    /// opened besides; answered by [`Server::bound`](super::Server::bound). What it accepts is told
    /// by [`Server::peer_connected`](super::Server::peer_connected).
    Listen {
        /// For the answer, and the name of the socket from then on.
        allocation: AllocationId,
        /// The address.
        address: SocketAddr,
    },
    /// Asks for a TCP connection with a peer; answered by
    /// [`Server::connected`](super::Server::connected), within 30 s.
    Connect {
        /// For the answer, and the name of the connection from then on.
        connection: ConnectionId,
        /// Whose it is.
        allocation: AllocationId,
        /// The address to connect from, on which the allocation listens.
        from: SocketAddr,
        /// The address to connect to.
        peer: SocketAddr,
    },
    /// From here on, behind the answer that goes before, everything on this client's stream is for
    /// the peer and the other way round. When the peer closes,
    /// [`Server::peer_closed`](super::Server::peer_closed) is called, when the client does,
    /// [`Server::connection_closed`](super::Server::connection_closed).
    Bridge {
        /// The connection with the peer.
        connection: ConnectionId,
        /// The client's stream.
        five_tuple: FiveTuple,
    },
    /// The connection is over: the peer's stream is closed, and the client's that carries it, if any.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// A client has an allocation.
    Allocated {
        /// Its name.
        allocation: AllocationId,
        /// The client.
        five_tuple: FiveTuple,
        /// The user whose quota counts.
        user: String,
        /// The address that peers send to.
        relayed: SocketAddr,
    },
    /// The allocation is over, whether it was complete or not: its socket is closed.
    Released {
        /// Its name.
        allocation: AllocationId,
        /// Why.
        reason: Reason,
        /// What went over it.
        traffic: Traffic,
    },
}

/// Why an allocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The client gave it back.
    Deleted,
    /// The client did not refresh it.
    Expired,
    /// The client's connection was closed.
    Disconnected,
    /// There was no socket for it.
    NoSocket,
    /// The owner of the server ended it.
    Revoked,
}

/// What went over an allocation, payloads only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// From the client to peers.
    pub packets_to_peers: u64,
    /// Their bytes.
    pub bytes_to_peers: u64,
    /// From peers to the client.
    pub packets_to_client: u64,
    /// Their bytes.
    pub bytes_to_client: u64,
}
