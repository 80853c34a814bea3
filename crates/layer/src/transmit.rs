use crate::Protocol;
use std::net::SocketAddr;

/// Names one socket of the shell: a bound UDP socket, a TCP connection, or a wrapped transport.
///
/// The shell gives the numbers out when it answers [`IceEvent::Bind`](crate::IceEvent::Bind) or
/// [`IceEvent::ConnectTcp`](crate::IceEvent::ConnectTcp); they are not reused within a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// Where the first `len` bytes of the caller's buffer go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// The socket to send on.
    pub socket: SocketId,
    /// What that socket speaks: datagrams, or a stream, which the shell frames as it was asked for.
    pub protocol: Protocol,
    /// The local address of that socket, as candidates show it (a base).
    pub local: SocketAddr,
    /// The destination.
    pub remote: SocketAddr,
    /// The congestion notification bits to set; `None` leaves the kernel's default.
    pub ecn: Option<Ecn>,
    /// How many bytes of the buffer were written.
    pub len: usize,
    /// When set, the bytes are a run of datagrams of this size each (the last may be shorter), to
    /// be sent with segmentation offload where the system has it. When not, they are one datagram.
    pub segment_size: Option<usize>,
}

impl Transmit {
    /// One datagram of `len` bytes.
    #[must_use]
    pub fn new(socket: SocketId, local: SocketAddr, remote: SocketAddr, len: usize) -> Self {
        Self {
            socket,
            protocol: Protocol::Udp,
            local,
            remote,
            ecn: None,
            len,
            segment_size: None,
        }
    }
}

/// The two congestion notification bits of the IP header (RFC 3168 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ecn {
    /// ECT(1): L4S-capable (RFC 9331).
    Ect1 = 0b01,
    /// ECT(0): ECN-capable.
    Ect0 = 0b10,
    /// Congestion experienced.
    Ce = 0b11,
}
