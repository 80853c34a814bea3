//! The operating system, for Muon: batched UDP sockets, streams of packets, network interfaces and
//! names, on tokio.
//!
//! Bind a [`UdpSocket`], receive into a [`Batch`] that your thread owns and reuses, and send runs
//! of equal datagrams with one call. [`interfaces`] lists the addresses of this host, [`resolve`]
//! the addresses of a name. Segmentation offload, receive offload, congestion notification and
//! batched system calls are used where the system has them; elsewhere the same calls do the same,
//! one datagram at a time.
//!
//! A [`Connector`] makes a [`PacketStream`] over TCP or TLS, through a [`Proxy`] where there is one; a
//! [`PacketListener`] accepts them. [`resolve_local`] and [`publish_local`] are the two halves of
//! multicast DNS.
//!
//! Left out: everything that knows a protocol above. Nothing here looks into a packet.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod batch;
mod connect;
mod ecn;
mod frame;
mod interface;
mod listener;
mod mdns;
mod name;
mod proxy;
mod readiness;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod udp;

pub use batch::{Batch, Datagram, Datagrams};
pub use connect::{Connector, Target};
pub use ecn::Ecn;
pub use frame::Framing;
pub use interface::{Interface, interfaces};
pub use listener::PacketListener;
pub use mdns::{is_local_name, publish_local, resolve_local};
pub use name::resolve;
pub use proxy::{Proxy, ProxyError, ProxyKind};
pub use stream::{MAX_PACKET, MAX_WRITE_QUEUE, PacketStream, Packets, StreamBuffer};
#[cfg(feature = "tls")]
pub use tls::TlsClient;
pub use udp::{BUFFER_SIZE, BufferSizes, UdpSocket, can_share_ports, is_too_large};
