//! What travels: datagrams and the segments of streams.

use layer::Protocol;
use std::net::SocketAddr;

/// How much longer the header of a TCP segment is than that of a datagram (RFC 9293 §3.1), so that
/// one MTU fits both.
const LONGER_HEADER: usize = 12;

/// A packet with the addresses it bears at this point of its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Payload,
}

#[derive(Clone, Debug)]
pub(super) enum Payload {
    Datagram(Vec<u8>),
    Segment(Segment),
}

/// What a stream puts on the network. Sequence numbers count the bytes of the stream from 0; the
/// end takes one after the last byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) kind: SegmentKind,
    pub(super) sequence: u64,
    /// The next byte expected from the other side.
    pub(super) acknowledged: u64,
    pub(super) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SegmentKind {
    /// Opens a stream.
    Syn,
    /// Accepts one.
    SynAck,
    /// Bytes, an acknowledgement, or both.
    #[default]
    Data,
    /// No more bytes come.
    Fin,
    /// The stream is no more, or never was.
    Reset,
}

impl Packet {
    pub(super) fn protocol(&self) -> Protocol {
        match self.payload {
            Payload::Datagram(_) => Protocol::Udp,
            Payload::Segment(_) => Protocol::Tcp,
        }
    }

    /// The length that counts for links.
    pub(super) fn len(&self) -> usize {
        match &self.payload {
            Payload::Datagram(bytes) => bytes.len(),
            Payload::Segment(segment) => segment.bytes.len() + LONGER_HEADER,
        }
    }
}
