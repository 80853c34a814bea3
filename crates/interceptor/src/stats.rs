use std::time::{Duration, Instant};

/// Counters of one stream. Names are close to webrtc-stats; what belongs to a retransmission stream
/// is counted with its media.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StreamStats {
    /// Packets on the wire, retransmissions included (`packetsSent`, `packetsReceived`).
    pub packets: u64,
    /// Bytes of payload in them (`bytesSent`, `bytesReceived`).
    pub bytes: u64,
    /// Bytes of headers, with extensions (`headerBytesSent`, `headerBytesReceived`).
    pub header_bytes: u64,
    /// Those of `packets` that repeat one (`retransmittedPacketsSent`,
    /// `retransmittedPacketsReceived`). Without RFC 4588 a receiver cannot tell.
    pub retransmitted_packets: u64,
    /// Those of `bytes` that repeat one (`retransmittedBytesSent`, `retransmittedBytesReceived`).
    pub retransmitted_bytes: u64,
    /// When the last packet passed (`lastPacketReceivedTimestamp`).
    pub last_packet: Option<Instant>,

    /// Packets that did not arrive, as RFC 3550 A.3 counts: repaired ones do arrive without RFC
    /// 4588, and with it they do not. For an outgoing stream this is what the peer reports.
    pub packets_lost: i64,
    /// The interarrival jitter; for an outgoing stream as the peer reports it.
    pub jitter: Duration,
    /// The part lost between the last two reports, 0 to 1 (`fractionLost`); for an outgoing stream
    /// as the peer reports it.
    pub fraction_lost: f64,
    /// The last round trip measured with this stream (`roundTripTime`).
    pub round_trip_time: Option<Duration>,
    /// All of them together (`totalRoundTripTime`).
    pub total_round_trip_time: Duration,
    /// How many they were (`roundTripTimeMeasurements`).
    pub round_trip_time_measurements: u64,

    /// NACK packets that were sent for an incoming, or came for an outgoing stream.
    pub nack_count: u64,
    /// PLI packets, likewise.
    pub pli_count: u64,
    /// FIR entries, likewise.
    pub fir_count: u64,

    /// Packets of an incoming stream that are missing and still asked for.
    pub packets_missing: usize,
    /// Packets of an incoming stream that came after they were asked for.
    pub packets_repaired: u64,
    /// Packets of an incoming stream that were given up.
    pub packets_abandoned: u64,
    /// Packets of an incoming stream that came twice, and were dropped.
    pub packets_duplicated: u64,
}

/// Counters of a pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineStats {
    /// Outgoing packets that a stage dropped.
    pub dropped_outgoing: u64,
    /// Incoming packets that a stage dropped.
    pub dropped_incoming: u64,
    /// RTCP packets that were read.
    pub rtcp_received: u64,
    /// RTCP packets that could not be read.
    pub rtcp_malformed: u64,
    /// RTCP packets that were sent.
    pub rtcp_sent: u64,
    /// RTCP packets that do not fit a compound, even alone.
    pub rtcp_oversized: u64,
    /// Events that nobody polled in time.
    pub events_lost: u64,
}

/// What became of a packet that carried a transport-wide sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketResult {
    /// Its stream.
    pub ssrc: u32,
    /// Its number, unwrapped, the first packet of the pipeline being 0.
    pub transport_sequence_number: u64,
    /// Its length: header and payload, in bytes.
    pub len: usize,
    /// When it was sent.
    pub sent: Instant,
    /// When the peer received it, on a clock of the peer that began at an unknown time; `None` when
    /// it was not received so far. A packet reported missing may be reported received later.
    pub received: Option<Duration>,
    /// When the report arrived.
    pub reported: Instant,
}
