use super::FiveTuple;
use std::net::SocketAddr;

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
