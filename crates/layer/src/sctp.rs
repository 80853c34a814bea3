use crate::{End, Start};
use bytes::Bytes;
use std::fmt;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Makes SCTP associations. Settings that belong to SCTP live on the factory.
pub trait NewSctp: Send + Sync + fmt::Debug {
    /// A new association in the state [`SctpState::New`].
    fn new_sctp(&self, start: Start, config: SctpConfig) -> Box<dyn Sctp>;
}

/// What the connection tells a new association.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SctpConfig {
    /// The largest packet to make, in bytes: what the layers below leave of a datagram. The path
    /// may carry less, which the association finds out (RFC 8899) or is careful about.
    /// Default 1150.
    pub max_packet: usize,
    /// The largest message to receive, in bytes; a longer one is refused by an abort.
    pub max_message: usize,
    /// From how many bytes on a message that is not complete is handed out in fragments, so that it
    /// need not be held whole: with it, `max_message` may be larger than memory. Default `None`:
    /// whole messages only. A layer may not know it.
    pub partial_delivery: Option<usize>,
    /// Whether the layer below authenticates every packet, as DTLS does. Then the association may
    /// leave the checksum out (RFC 9653). Default `false`: over plain UDP it must not.
    pub authenticated: bool,
    /// Wakes the owner when the association has output that no call of the owner made.
    pub waker: Waker,
}

impl SctpConfig {
    /// Packets of 1150 bytes, messages of 256 KiB.
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        Self {
            max_packet: 1150,
            max_message: 256 * 1024,
            partial_delivery: None,
            authenticated: false,
            waker,
        }
    }
}

/// What is known once both descriptions are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SctpConnect {
    /// Our `a=sctp-port`, never 0.
    pub local_port: u16,
    /// The peer's, never 0.
    pub remote_port: u16,
    /// The INIT chunk of the peer's `a=sctp-init`, if it is one that
    /// [`accepts_init`](Sctp::accepts_init) and the peer was told our
    /// [`local_init`](Sctp::local_init): then the association is up at once
    /// (draft-hancke-tsvwg-snap §6). Default `None`.
    pub remote_init: Option<Bytes>,
}

impl SctpConnect {
    /// Both ports.
    #[must_use]
    pub fn new(local_port: u16, remote_port: u16) -> Self {
        Self {
            local_port,
            remote_port,
            remote_init: None,
        }
    }
}

/// One SCTP association over one secured path (RFC 9260, RFC 8261): a set of message streams in
/// each direction.
///
/// # Back-pressure
///
/// Outgoing: [`send`](Sctp::send) accepts until the send buffer's bound and then refuses with
/// [`SctpError::BufferFull`]; [`SctpEvent::BufferedAmountLow`] tells when there is room.
/// Incoming: what [`poll_message`](Sctp::poll_message) gave counts against the advertised window
/// until [`consume`](Sctp::consume) returns it. Control messages of the protocol are not counted.
///
/// # Messages larger than memory
///
/// A message may be sent in fragments: `first` and `last` mark its ends, and the fragments of one
/// message in one stream follow each other. Messages are received so where
/// [`SctpConfig::partial_delivery`] asks for it. One whose rest will not come, because the sender
/// gave it up, ends with an empty fragment that is [`aborted`](Message::aborted).
pub trait Sctp: Send {
    // --- input ---

    /// Takes one packet. Packets that come before [`connect`](Sctp::connect) are kept within a bound.
    fn handle_input(&mut self, now: Instant, packet: &[u8]);

    /// Time has come to the instant that [`poll_timeout`](Sctp::poll_timeout) gave.
    fn handle_timeout(&mut self, now: Instant);

    // --- verbs ---

    /// Starts the association. Both ends do (RFC 8841 §9.3).
    ///
    /// # Errors
    ///
    /// [`SctpError::State`] if it was started already, [`SctpError::Port`] for port 0,
    /// [`SctpError::Init`] for an INIT that is not accepted.
    fn connect(&mut self, now: Instant, connect: SctpConnect) -> Result<(), SctpError>;

    /// Queues a message, or a fragment of one. Allowed before the association is up.
    ///
    /// # Errors
    ///
    /// [`SctpError::State`] after a shutdown or the end, [`SctpError::BufferFull`] at the bound of
    /// the send buffer, [`SctpError::Stream`] for a stream beyond the negotiated number or one
    /// being reset, [`SctpError::Empty`] for a message without bytes (RFC 9260 §3.3.1).
    fn send(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError>;

    /// Returns `bytes` of the stream's received data to the window.
    fn consume(&mut self, now: Instant, stream: u16, bytes: usize);

    /// Resets our outgoing half of the streams (RFC 6525 §4.1), after what is queued was delivered.
    ///
    /// # Errors
    ///
    /// [`SctpError::Stream`] for a stream beyond the negotiated number,
    /// [`SctpError::State`] after the end.
    fn reset(&mut self, now: Instant, streams: &[u16]) -> Result<(), SctpError>;

    /// Sets the weight of a stream for the scheduler (RFC 8831 §6.4: 128, 256, 512, 1024). Default 256.
    fn set_priority(&mut self, stream: u16, priority: u16) {
        let _ = (stream, priority);
    }

    /// Sets below or at which amount [`SctpEvent::BufferedAmountLow`] is raised. Default 0.
    fn set_buffered_amount_low_threshold(&mut self, stream: u16, bytes: usize);

    /// Ends gracefully: what is queued is delivered first (RFC 9260 §9.2).
    fn shutdown(&mut self, now: Instant);

    /// Ends at once (RFC 9260 §9.1), telling the peer.
    fn abort(&mut self, now: Instant, reason: &str);

    /// The layers below take packets of this size from now on, see [`SctpConfig::max_packet`].
    ///
    /// Chunks that have a TSN already cannot be cut again (RFC 9260 §6.9). If such a chunk has to be
    /// sent once more and no packet of the new size takes it, it leaves in a larger packet, of which
    /// [`wants_fragmentation`](Self::wants_fragmentation) tells; see there. Everything else fits.
    fn set_max_packet(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// A lower layer measured the round trip.
    fn set_round_trip(&mut self, now: Instant, round_trip: Duration) {
        let _ = (now, round_trip);
    }

    /// The path is another one: congestion state starts anew (RFC 8831 §5).
    fn path_changed(&mut self, now: Instant) {
        let _ = now;
    }

    // --- output ---

    /// Writes the next packet into `buf` and returns its length; `None` when there is none.
    ///
    /// `buf` is to have room for the largest packet that was ever allowed, by
    /// [`SctpConfig::max_packet`] or [`set_max_packet`](Self::set_max_packet), also after a smaller
    /// one was: a chunk that was cut for the larger size and does not fit into `buf` waits, and the
    /// data behind it, until it does.
    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize>;

    /// Whether the packet that [`poll_transmit`](Self::poll_transmit) gave last is larger than the
    /// path is known to carry: it holds one chunk that was cut for a larger path, before
    /// [`set_max_packet`](Self::set_max_packet) allowed less or before the association found out
    /// that the path carries less than it did (RFC 8899 §4.3). It is at most as large as the largest
    /// packet that was ever allowed, and arrives only if the network may fragment it: over IPv4 it is
    /// to leave without "don't fragment", over IPv6 to be fragmented by the sender.
    ///
    /// All other packets should leave unfragmented, and probes for a larger path must (RFC 8899 §3).
    /// Default `false`: the layer makes no such packets.
    fn wants_fragmentation(&self) -> bool {
        false
    }

    /// When [`handle_timeout`](Sctp::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// The next event, in the order they happened.
    fn poll_event(&mut self) -> Option<SctpEvent>;

    /// The next received message or fragment.
    fn poll_message(&mut self) -> Option<Message>;

    // --- questions ---

    /// The state.
    fn state(&self) -> SctpState;

    /// Bytes accepted by [`send`](Sctp::send) on this stream and not yet handed to the network for
    /// the first time (webrtc-pc §6.2, `bufferedAmount`).
    fn buffered_amount(&self, stream: u16) -> usize;

    /// How many more bytes [`send`](Sctp::send) accepts now.
    fn send_capacity(&self) -> usize;

    /// The INIT chunk that this association would send, for the description (`a=sctp-init`,
    /// draft-hancke-tsvwg-snap §5.2); the same every time. `None` if the layer cannot take the
    /// peer's from there. Asking changes nothing.
    fn local_init(&self) -> Option<Bytes> {
        None
    }

    /// Whether to put [`local_init`](Self::local_init) into offers. Answers have it wherever the
    /// offer does.
    fn offers_init(&self) -> bool {
        false
    }

    /// Whether these bytes are an INIT chunk that [`connect`](Self::connect) takes. Asking changes
    /// nothing.
    fn accepts_init(&self, init: &[u8]) -> bool {
        let _ = init;
        false
    }

    /// How many streams may be used: incoming and outgoing, once connected.
    fn streams(&self) -> Option<(u16, u16)>;

    /// Counters and the state of the path.
    fn stats(&self) -> SctpStats;
}

/// A message, or a fragment of one, on its way out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The stream.
    pub stream: u16,
    /// The payload protocol identifier, opaque to SCTP.
    pub protocol: u32,
    /// Whether it may overtake and be overtaken. Taken from the first fragment.
    pub unordered: bool,
    /// When to give it up. Taken from the first fragment.
    pub reliability: Reliability,
    /// The first fragment of its message.
    pub first: bool,
    /// The last one.
    pub last: bool,
    /// The bytes.
    pub data: Bytes,
}

impl Outgoing {
    /// A whole message, ordered and reliable.
    #[must_use]
    pub fn new(stream: u16, protocol: u32, data: Bytes) -> Self {
        Self {
            stream,
            protocol,
            unordered: false,
            reliability: Reliability::Reliable,
            first: true,
            last: true,
            data,
        }
    }
}

/// When a message may be given up (RFC 3758, RFC 7496).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reliability {
    /// Never.
    #[default]
    Reliable,
    /// After this many retransmissions; 0: sent once (RFC 7496 §3.1).
    MaxRetransmits(u16),
    /// This long after it was queued (RFC 3758 §4.1).
    MaxLifetime(Duration),
}

/// A received message, or a fragment of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The stream.
    pub stream: u16,
    /// The payload protocol identifier.
    pub protocol: u32,
    /// Whether it was sent unordered.
    pub unordered: bool,
    /// The first fragment of its message.
    pub first: bool,
    /// The last one.
    pub last: bool,
    /// The rest of the message will not come: forget what there is of it. Only on a last fragment
    /// that is not the first.
    pub aborted: bool,
    /// The bytes.
    pub data: Bytes,
}

impl Message {
    /// A whole ordered message.
    #[must_use]
    pub fn new(stream: u16, protocol: u32, data: Bytes) -> Self {
        Self {
            stream,
            protocol,
            unordered: false,
            first: true,
            last: true,
            aborted: false,
            data,
        }
    }
}

/// Where an association stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SctpState {
    /// Not started.
    #[default]
    New,
    /// INIT and COOKIE are on their way.
    Connecting,
    /// Up.
    Connected,
    /// A graceful end is under way.
    ShuttingDown,
    /// Over.
    Closed,
}

/// What an association tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SctpEvent {
    /// The association is up.
    Connected {
        /// Streams we may receive on.
        incoming_streams: u16,
        /// Streams we may send on.
        outgoing_streams: u16,
    },
    /// The peer restarted the association (RFC 9260 §5.2.4 A): streams start anew.
    Restarted,
    /// The buffered amount of a stream has come down to its threshold.
    BufferedAmountLow {
        /// Which.
        stream: u16,
    },
    /// [`Sctp::send_capacity`] has grown again after a send was refused with [`SctpError::BufferFull`].
    Writable,
    /// The peer reset its outgoing half: no more messages come on these streams (RFC 6525 §5.2.2).
    IncomingReset {
        /// Which.
        streams: Vec<u16>,
    },
    /// Our reset was performed by the peer: these streams start anew.
    OutgoingReset {
        /// Which.
        streams: Vec<u16>,
    },
    /// The peer refused our reset.
    ResetFailed {
        /// Which.
        streams: Vec<u16>,
    },
    /// A message was given up for its [`Reliability`].
    Abandoned {
        /// The stream.
        stream: u16,
    },
    /// The association has ended; nothing comes after this.
    Ended(End),
}

/// What a caller of an association did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SctpError {
    /// Not in this state.
    State(SctpState),
    /// Ports are 1 to 65535.
    Port,
    /// Not an INIT chunk of a peer, or not one to go on with.
    Init,
    /// No such stream, or it is being reset.
    Stream(u16),
    /// The send buffer is full; wait for [`SctpEvent::Writable`].
    BufferFull,
    /// A message has at least one byte.
    Empty,
}

impl fmt::Display for SctpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "not possible in state {state:?}"),
            Self::Port => f.write_str("a port is 1 to 65535"),
            Self::Init => f.write_str("not an init chunk that can be accepted"),
            Self::Stream(stream) => write!(f, "stream {stream} cannot be used"),
            Self::BufferFull => f.write_str("the send buffer is full"),
            Self::Empty => f.write_str("a message has at least one byte"),
        }
    }
}

impl std::error::Error for SctpError {}

/// Counters of an association and the state of its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SctpStats {
    /// Packets handed out.
    pub packets_sent: u64,
    /// Packets taken.
    pub packets_received: u64,
    /// Packets dropped: checksum, tag, ports, or form.
    pub packets_dropped: u64,
    /// DATA chunks sent again.
    pub retransmissions: u64,
    /// DATA chunks received twice.
    pub duplicates: u64,
    /// Messages given up for their reliability.
    pub messages_abandoned: u64,
    /// Congestion window, bytes.
    pub congestion_window: usize,
    /// The peer's advertised window, bytes.
    pub receiver_window: usize,
    /// Bytes sent and not acknowledged.
    pub in_flight: usize,
    /// Smoothed round trip.
    pub smoothed_round_trip: Option<Duration>,
    /// The current largest packet, bytes.
    pub max_packet: usize,
}
