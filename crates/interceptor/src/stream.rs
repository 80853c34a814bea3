/// A stream that passes through the pipeline, as it was negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// Its synchronization source.
    pub ssrc: u32,
    /// Whether we send it or receive it.
    pub direction: Direction,
    /// Ticks of its timestamps in a second.
    pub clock_rate: u32,
    /// Where its retransmissions go or come from (RFC 4588).
    pub rtx: Option<Rtx>,
    /// The feedback that was negotiated (`a=rtcp-fb`, RFC 4585 §4.2).
    pub feedback: Feedback,
    /// The negotiated id of the transport-wide sequence number; `None` without one.
    pub transport_sequence_id: Option<u8>,
    /// The negotiated id of the absolute send time.
    pub absolute_send_time_id: Option<u8>,
    /// The negotiated id of the RtpStreamId (`rid`, RFC 8852 §4.1).
    pub rid_id: Option<u8>,
    /// The negotiated id of the RepairedRtpStreamId, which stands in its place on retransmissions
    /// (RFC 8852 §4.2).
    pub repaired_rid_id: Option<u8>,
}

impl Stream {
    /// A stream without repair and feedback.
    #[must_use]
    pub fn new(ssrc: u32, direction: Direction, clock_rate: u32) -> Self {
        Self {
            ssrc,
            direction,
            clock_rate,
            rtx: None,
            feedback: Feedback::default(),
            transport_sequence_id: None,
            absolute_send_time_id: None,
            rid_id: None,
            repaired_rid_id: None,
        }
    }
}

/// Which way a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To the peer.
    Outgoing,
    /// From the peer.
    Incoming,
}

/// The retransmission stream of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rtx {
    /// Its own synchronization source.
    pub ssrc: u32,
    /// Pairs of a media payload type and the payload type of its retransmissions (`apt`).
    pub payload_types: Vec<(u8, u8)>,
}

impl Rtx {
    /// A retransmission stream.
    #[must_use]
    pub fn new(ssrc: u32, payload_types: Vec<(u8, u8)>) -> Self {
        Self {
            ssrc,
            payload_types,
        }
    }

    /// The payload type of the retransmissions of a media payload type.
    pub(crate) fn wrapped(&self, media: u8) -> Option<u8> {
        let pair = self.payload_types.iter().find(|pair| pair.0 == media);
        pair.map(|pair| pair.1)
    }

    /// The media payload type of which this is the retransmission.
    pub(crate) fn unwrapped(&self, rtx: u8) -> Option<u8> {
        let pair = self.payload_types.iter().find(|pair| pair.1 == rtx);
        pair.map(|pair| pair.0)
    }
}

/// The kinds of feedback of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feedback {
    /// `nack`: packets are asked for again.
    pub nack: bool,
    /// `nack pli`: key frames are asked for.
    pub pli: bool,
    /// `ccm fir`: key frames are asked for by command.
    pub fir: bool,
    /// `goog-remb`: the receiver estimates the bandwidth.
    pub remb: bool,
    /// `transport-cc`: the receiver tells when each packet arrived.
    pub transport_cc: bool,
}
