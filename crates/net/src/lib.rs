//! The operating system, for Muon: batched UDP sockets, network interfaces and names, on tokio.
//!
//! Bind a [`UdpSocket`], receive into a [`Batch`] that your thread owns and reuses, and send runs
//! of equal datagrams with one call. [`interfaces`] lists the addresses of this host, [`resolve`]
//! the addresses of a name. Segmentation offload, receive offload, congestion notification and
//! batched system calls are used where the system has them; elsewhere the same calls do the same,
//! one datagram at a time.
//!
//! Left out: TCP, TLS and multicast DNS, and everything that knows a protocol. Nothing here parses
//! a byte of what it carries.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod batch;
mod ecn;
mod interface;
mod name;
mod readiness;
mod udp;

pub use batch::{Batch, Datagram, Datagrams};
pub use ecn::Ecn;
pub use interface::{Interface, interfaces};
pub use name::resolve;
pub use udp::{BUFFER_SIZE, BufferSizes, UdpSocket, is_too_large};
