use super::Failure;
use std::net::{IpAddr, SocketAddr};
use stun::{ConnectionId, Icmp};

/// What a [`Client`](super::Client) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The allocation stands.
    Allocated {
        /// The address on the server that peers send to.
        relayed: SocketAddr,
        /// Our address as the server sees it: a server-reflexive candidate.
        mapped: SocketAddr,
    },
    /// The server sends us to another one; the client asks there, over the same socket.
    Redirected {
        /// The server from now on.
        server: SocketAddr,
    },
    /// The peer may send to the relayed address, and we to the peer.
    Permitted {
        /// The peer's address; every port of it is permitted.
        peer: IpAddr,
    },
    /// The peer is not permitted, or no longer.
    NotPermitted {
        /// The peer's address.
        peer: IpAddr,
        /// Why.
        reason: Failure,
    },
    /// Data for the peer takes four bytes more than its payload from now on.
    ChannelBound {
        /// The peer.
        peer: SocketAddr,
    },
    /// The peer has no channel, or no longer; data still goes as Send indications.
    ChannelUnbound {
        /// The peer.
        peer: SocketAddr,
        /// Why.
        reason: Failure,
    },
    /// A datagram to the peer did not arrive (RFC 8656 §11.6).
    Unreachable {
        /// The peer.
        peer: SocketAddr,
        /// What a router told.
        icmp: Icmp,
    },
    /// The relay is connected with a peer that [`connect`](super::Client::connect) asked for
    /// (RFC 6062 §4.3); [`data_connection`](super::Client::data_connection) takes it over, within
    /// 30 s.
    Connected {
        /// The peer.
        peer: SocketAddr,
        /// The connection.
        connection: ConnectionId,
    },
    /// The relay is not connected with the peer.
    NotConnected {
        /// The peer.
        peer: SocketAddr,
        /// Why.
        reason: Failure,
    },
    /// A permitted peer has connected to the relayed address (RFC 6062 §4.4);
    /// [`data_connection`](super::Client::data_connection) accepts it, within 30 s.
    ConnectionAttempt {
        /// The peer.
        peer: SocketAddr,
        /// The connection.
        connection: ConnectionId,
    },
    /// The allocation is over; nothing comes after this.
    Ended(Ending),
}

/// How an allocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// [`close`](super::Client::close) was called.
    Closed,
    /// There is none, or none any more.
    Failed(Failure),
}
