use std::time::Duration;

/// The settings of a pipeline and of the stages it begins with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The canonical name in every SDES, cut at 255 bytes (RFC 3550 §6.5.1). One for each
    /// connection, random, of at least 96 bits (RFC 8834 §4.9). Default: 16 random characters.
    pub cname: Option<String>,
    /// The SSRC in the name of which we report and give feedback. Default: a random one. The SSRC
    /// of an outgoing stream may be given: its sender reports then carry the report blocks too.
    pub reporter_ssrc: Option<u32>,
    /// Whether feedback may go without report and SDES (`a=rtcp-rsize`, RFC 5506). Default `false`:
    /// it has to be negotiated. Browsers always do.
    pub reduced_size: bool,
    /// The largest compound, in bytes, before SRTCP. Default 1200, as browsers.
    pub max_compound: usize,
    /// How many streams are followed, both directions together; a retransmission stream counts
    /// with its media. Default 1024. [`bind`](crate::Pipeline::bind) refuses more.
    pub max_streams: usize,

    /// How often reports go on average while there is video (a clock of 90 kHz). Default 1 s, as
    /// browsers; RFC 3550 §6.2 lets sessions of some hundred kbit/s do so.
    pub video_report_interval: Duration,
    /// How often reports go on average without video. Default 5 s (RFC 3550 §6.2).
    pub audio_report_interval: Duration,
    /// Whether to measure the round trip as a receiver that sends nothing (RRTR, RFC 3611 §4.4).
    /// Default `false`: it has to be negotiated (`a=rtcp-fb:… rrtr`). Requests of the peer are
    /// always answered.
    pub receiver_reference_time: bool,

    /// How long a packet may be late before it is asked for. Default 5 ms: it covers the reordering
    /// of links with several queues, and puts the losses of a burst into one NACK. Zero asks at
    /// once.
    pub nack_delay: Duration,
    /// How often a packet is asked for. Default 10, as browsers.
    pub nack_max_tries: u32,
    /// How many packets of one stream can be missing. Default 1000, as browsers; at most
    /// 2048. Beyond it all are given up and a key frame is needed.
    pub nack_max_missing: usize,
    /// How many sent packets of one stream are kept for retransmission, at most; rounded up to a
    /// power of two. Default 1024. The room grows only as far as `history_time` needs it.
    pub history_packets: usize,
    /// How long a sent packet is kept for retransmission (`rtx-time`, RFC 4588 §8.1). Default 2 s:
    /// ten requests at a round trip of 200 ms.
    pub history_time: Duration,

    /// The least time between two requests for a key frame of one incoming stream. Default 500 ms:
    /// a decoder that waits asks again, and the answer is large (RFC 5104 §4.3.1.2).
    pub keyframe_interval: Duration,
    /// The least time between two events
    /// [`KeyframeRequested`](crate::Event::KeyframeRequested) of one outgoing stream. Default
    /// 300 ms: however many requests come, an encoder need not obey faster (RFC 8834 §5.1).
    pub keyframe_request_interval: Duration,

    /// How often arrival times are told (transport-wide feedback). Default 100 ms, within the 50 to
    /// 250 ms of browsers.
    pub transport_feedback_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cname: None,
            reporter_ssrc: None,
            reduced_size: false,
            max_compound: 1200,
            max_streams: 1024,
            video_report_interval: Duration::from_secs(1),
            audio_report_interval: Duration::from_secs(5),
            receiver_reference_time: false,
            nack_delay: Duration::from_millis(5),
            nack_max_tries: 10,
            nack_max_missing: 1000,
            history_packets: 1024,
            history_time: Duration::from_secs(2),
            keyframe_interval: Duration::from_millis(500),
            keyframe_request_interval: Duration::from_millis(300),
            transport_feedback_interval: Duration::from_millis(100),
        }
    }
}
