//! TURN, client and server, sans-IO (RFC 8656, with the long-term credentials of RFC 8489 §9.2).
//!
//! A [`Client`] holds one allocation on one server: it authenticates, allocates, keeps allocation,
//! permissions and channels alive, and puts ChannelData or a Send indication around a payload in
//! place. A [`Server`] is the other end for any number of clients: it answers requests, asks its
//! owner for sockets to relay with, and says of every packet where it goes. Neither has a socket or a
//! clock: bytes and time go in through calls, bytes and events come out of polls, in the order
//! transmit, timeout, event. [`Frames`] cuts a TCP or TLS stream into what both take.
//!
//! The features `tokio` (on by default) and `tls` add `conn`: both machines with sockets, as a client
//! that is used like a UDP socket and a server that is started on listening sockets. [`proxy`] is the
//! talk with an HTTP or SOCKS5 proxy in front of a server.
//!
//! This crate leaves out: DTLS (the client's front takes a session of the caller's), finding a server
//! (DNS, RFC 8155), third-party authorization (RFC 7635), mobility (RFC 8016), dual allocations and
//! port reservations, which the server refuses as the RFC says, and the copying of DSCP and ECN between
//! the two sides (RFC 8656 §14).

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod base64;
mod channel_data;
pub mod client;
#[cfg(feature = "tokio")]
pub mod conn;
mod frame;
pub mod proxy;
pub mod server;

pub use client::Client;
pub use frame::{FrameError, Frames, frame_len};
pub use server::Server;
pub use stun::{AddressFamily, ConnectionId, Icmp, RequestedTransport, Timing};

/// What carries messages between client and server (RFC 8656 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP or DTLS: requests are repeated, ChannelData is not padded.
    #[default]
    Datagram,
    /// TCP or TLS: requests are sent once, ChannelData is padded to four bytes.
    Stream,
}
