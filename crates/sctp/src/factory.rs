use crate::Association;
use layer::{NewSctp, Sctp, SctpConfig, Start};
use std::time::Duration;

/// Makes associations: the default [`layer::NewSctp`], with the settings that belong to SCTP.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// The retransmission timeout before the first round trip is measured, and the first wait for
    /// INIT ACK and COOKIE ACK. Default 500 ms: RFC 9260 §16 says 1 s, but here ICE and DTLS have
    /// just crossed the path in less, and browsers use 500 ms.
    pub rto_initial: Duration,
    /// The least retransmission timeout. Default 220 ms: RFC 9260 §16 says 1 s; what matters is
    /// that it exceeds the 200 ms by which a peer may delay a SACK (§6.2).
    pub rto_min: Duration,
    /// The largest retransmission timeout that is computed from measurements. Default 60 s
    /// (RFC 9260 §16).
    pub rto_max: Duration,
    /// Where the doubling of an expired timer stops, unless the measured timeout itself is larger.
    /// Default 3 s, as in browsers: a path that comes back is found within that time.
    pub backoff_max: Duration,
    /// How often INIT and COOKIE ECHO are sent again before the association is given up; `None`
    /// for ever. Default `None`: under ICE, consent to send decides whether the peer is there
    /// (RFC 7675). Used alone, 8 is the value of RFC 9260 §16.
    pub max_init_retransmits: Option<u32>,
    /// How many timeouts in a row end the association; `None` for no limit. Default `None`, for
    /// the same reason. Used alone, 10 is the value of RFC 9260 §16.
    pub max_retransmits: Option<u32>,
    /// How long a State Cookie is good. Default 60 s (RFC 9260 §16).
    pub cookie_lifetime: Duration,
    /// How long a SACK may wait for a second packet or for data to travel with. Default 20 ms:
    /// RFC 9260 §6.2 allows 200 ms; a peer that measures its round trip on a lone message should
    /// not measure our patience. At most 500 ms, larger values are cut (§6.2).
    pub sack_delay: Duration,
    /// How long the path is silent before a HEARTBEAT asks for the peer; `None` for never.
    /// Default 30 s (RFC 9260 §16).
    pub heartbeat_interval: Option<Duration>,
    /// Bytes of received data that are held, whole or in pieces, until
    /// [`consume`](layer::Sctp::consume) returns them. Beyond it the peer has to wait. Memory is
    /// used only as data arrives. An association begins with 1 MiB and grows to this as its owner
    /// keeps up with what comes. Default 24 MiB: 1 Gbit/s at 100 ms takes 12 MiB, and as much comes
    /// while a lost packet is repaired. It is raised to the largest message where that is larger,
    /// as a message is held until it is complete, unless it is
    /// [handed out before](layer::SctpConfig::partial_delivery).
    pub receive_window: usize,
    /// Bytes of data that are queued or sent and not yet acknowledged, with a small charge for
    /// each message. Beyond it [`send`](layer::Sctp::send) refuses. Default 16 MiB, what browsers
    /// take before `send` fails; 1 Gbit/s at 100 ms has 12 MiB in flight.
    pub send_buffer: usize,
    /// The congestion window of a new path, in packets. Default 10 (RFC 6928, and browsers; RFC
    /// 9260 §7.2.1 says about 4).
    pub initial_window: usize,
    /// How many packets may leave at once beyond those whose acknowledgement has just made room
    /// (`Max.Burst`, RFC 9260 §6.1). Default 16: RFC 9260 §16 says 4, from the time of 64 KiB
    /// router queues; the initial window is a burst of 10 already.
    pub max_burst: usize,
    /// The congestion control. Default [`Bbr`](CongestionControl::Bbr); RFC 9260 §7 describes Reno,
    /// which gives a lossy path up: at 50 ms and 1 % of loss it carries 0.3 MB/s of any bandwidth.
    pub congestion: CongestionControl,
    /// Which stream sends next. Default [`WeightedFair`](Scheduler::WeightedFair) (RFC 8831 §6.4).
    pub scheduler: Scheduler,
    /// Whether to offer message interleaving (RFC 8260), so that a large message on one stream does
    /// not hold the others up. It is used if the peer offers it too. Default `false`, as in
    /// browsers: each chunk is four bytes longer. Where the peer's window is scarce, long messages are
    /// finished one after the other, so that it need not hold all of them.
    pub interleaving: bool,
    /// Packets up to this size, in bytes, are sent at once; larger ones, up to what the owner
    /// [allows](layer::Sctp::set_max_packet), after a probe of that size was answered (RFC 8899).
    /// They hold several chunks, none of which is larger than this allows, so that it can go on alone
    /// when the path becomes another one. Default 1132, which with DTLS 1.2, UDP and IPv4 is 1200
    /// (RFC 8261 §4). `usize::MAX` trusts the owner and never probes.
    pub base_packet: usize,
    /// Whether to offer that both descriptions carry the INIT chunks (draft-hancke-tsvwg-snap), so
    /// that the association is up as soon as DTLS is. Where the peer offers it, it is accepted in
    /// any case. Default `false`: peers that copy attributes they do not know are in use.
    pub offer_init: bool,
}

/// The stream schedulers of RFC 8260 §3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheduler {
    /// Streams share the bandwidth by their weights, see
    /// [`set_priority`](layer::Sctp::set_priority) (RFC 8260 §3.6).
    #[default]
    WeightedFair,
    /// Streams take turns, whatever their weights and the sizes of their messages (§3.2).
    RoundRobin,
    /// Streams with a lower weight wait until those with a higher one have nothing to send; among
    /// equals they take turns (§3.4).
    Priority,
}

/// The congestion controls that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CongestionControl {
    /// A model of the path in the manner of BBR (draft-ietf-ccwg-bbr): it measures the bandwidth and
    /// the least round trip, paces packets, and takes for congestion only loss beyond what the path
    /// loses by itself. On a path that loses packets at random it keeps its rate, and it leaves
    /// Reno and CUBIC their share of a link.
    #[default]
    Bbr,
    /// CUBIC (RFC 9438) with HyStart++ (RFC 9406): on long fast paths the window comes back in
    /// seconds after a loss, and slow start ends before it fills the queue. On short or slow paths
    /// it is as fast as Reno.
    Cubic,
    /// Slow start and congestion avoidance of RFC 9260 §7.2.
    Reno,
}

impl Default for Factory {
    fn default() -> Self {
        Self {
            rto_initial: Duration::from_millis(500),
            rto_min: Duration::from_millis(220),
            rto_max: Duration::from_secs(60),
            backoff_max: Duration::from_secs(3),
            max_init_retransmits: None,
            max_retransmits: None,
            cookie_lifetime: Duration::from_secs(60),
            sack_delay: Duration::from_millis(20),
            heartbeat_interval: Some(Duration::from_secs(30)),
            receive_window: 24 * 1024 * 1024,
            send_buffer: 16 * 1024 * 1024,
            initial_window: 10,
            max_burst: 16,
            congestion: CongestionControl::Bbr,
            scheduler: Scheduler::WeightedFair,
            interleaving: false,
            base_packet: 1132,
            offer_init: false,
        }
    }
}

impl Factory {
    /// A new association with these settings, not behind the trait.
    #[must_use]
    pub fn association(&self, start: Start, config: SctpConfig) -> Association {
        Association::new(self.clone(), start, &config)
    }
}

impl NewSctp for Factory {
    fn new_sctp(&self, start: Start, config: SctpConfig) -> Box<dyn Sctp> {
        Box::new(self.association(start, config))
    }
}
