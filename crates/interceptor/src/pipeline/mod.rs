mod compound;
mod output;
mod route;

use self::compound::Compound;
use self::route::{Awake, Route, Routes, StageSet};
use crate::{
    AbsoluteSendTime, Config, Direction, Error, Event, Keyframes, MaximumBitrate, NackGenerator,
    NackResponder, PipelineStart, PipelineStats, Place, Reports, Retransmissions, Signal, Stage,
    Statistics, Stream, StreamStats, TransportArrivals, TransportSends, Verdict,
};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use rtp::{Packet, rtcp};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The RTP machine of one connection, sans-IO: stages in a row between the application and SRTP.
///
/// | family | methods |
/// |---|---|
/// | input | [`handle_outgoing`](Self::handle_outgoing), [`handle_incoming`](Self::handle_incoming), [`handle_incoming_rtcp`](Self::handle_incoming_rtcp), [`handle_timeout`](Self::handle_timeout) |
/// | verbs | [`add`](Self::add), [`bind`](Self::bind), [`unbind`](Self::unbind), [`send_rtcp`](Self::send_rtcp), [`request_keyframe`](Self::request_keyframe), [`set_maximum_bitrate`](Self::set_maximum_bitrate), [`set_round_trip`](Self::set_round_trip), [`set_reduced_size`](Self::set_reduced_size) |
/// | output | [`poll_transmit`](Self::poll_transmit), [`poll_receive`](Self::poll_receive), [`poll_rtcp`](Self::poll_rtcp), [`poll_timeout`](Self::poll_timeout), [`poll_event`](Self::poll_event), [`poll_packet_result`](Self::poll_packet_result) |
/// | questions | [`stats`](Self::stats), [`pipeline_stats`](Self::pipeline_stats) |
///
/// Output is polled until empty after every input and verb. A packet meets only the stages that
/// want its stream; packets of streams that are not bound pass untouched.
#[derive(Debug)]
pub struct Pipeline {
    stages: Vec<(Place, Box<dyn Stage>)>,
    streams: BTreeMap<(Direction, u32), Stream>,
    routes: Routes,
    awake: Awake,
    compound: Compound,
    events: VecDeque<Event>,
    max_streams: usize,
    /// The last instant that was given.
    now: Instant,
    stats: PipelineStats,
}

impl Pipeline {
    /// How many stages a pipeline can have, its own included.
    pub const MAX_STAGES: usize = 64;

    /// RTCP packets that can wait for [`poll_rtcp`](Self::poll_rtcp). While so many do, stages are
    /// not asked for more and [`send_rtcp`](Self::send_rtcp) refuses.
    pub const MAX_QUEUED_RTCP: usize = 256;

    /// Events that can wait for [`poll_event`](Self::poll_event). The oldest make room and are
    /// counted.
    pub const MAX_QUEUED_EVENTS: usize = 256;

    /// A pipeline with all stages of this crate: reports, NACK and retransmission, key frames,
    /// REMB, transport-wide feedback, statistics. Which of them do something is decided for each
    /// stream by what it was bound with.
    #[must_use]
    pub fn new(start: PipelineStart, config: Config) -> Self {
        let mut pipeline = Self::empty(start, &config);
        let reporter = pipeline.compound.reporter;
        let stages: [(Place, Box<dyn Stage>); 10] = [
            // Incoming packets meet the last one first: retransmissions are unwrapped before the
            // generator of NACKs sees them.
            (
                Place::Repair,
                Box::new(NackGenerator::new(&config, reporter)),
            ),
            (Place::Repair, Box::new(Retransmissions::new())),
            (Place::Repair, Box::new(NackResponder::new(&config))),
            (Place::Feedback, Box::new(AbsoluteSendTime::new(&start))),
            (Place::Feedback, Box::new(TransportSends::new())),
            (
                Place::Feedback,
                Box::new(TransportArrivals::new(&start, &config, reporter)),
            ),
            (Place::Feedback, Box::new(Keyframes::new(&config, reporter))),
            (Place::Feedback, Box::new(MaximumBitrate::new(reporter))),
            (
                Place::Feedback,
                Box::new(Reports::new(&start, &config, reporter)),
            ),
            (Place::Feedback, Box::new(Statistics::new())),
        ];
        pipeline.stages.extend(stages);
        pipeline
    }

    /// A pipeline without stages. It puts compounds together, and nothing else.
    #[must_use]
    pub fn empty(start: PipelineStart, config: &Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(start.seed);
        rng.set_stream(u64::from_be_bytes(*b"pipeline"));
        let random_ssrc = rng.next_u32();
        let reporter = config.reporter_ssrc.unwrap_or(random_ssrc);
        let cname = match &config.cname {
            Some(cname) => cname.clone(),
            None => random_cname(&mut rng),
        };
        Self {
            stages: Vec::new(),
            streams: BTreeMap::new(),
            routes: Routes::default(),
            awake: Awake::default(),
            compound: Compound::new(reporter, cname, config.reduced_size, config.max_compound),
            events: VecDeque::new(),
            max_streams: config.max_streams,
            now: start.now,
            stats: PipelineStats::default(),
        }
    }

    /// The SSRC in the name of which reports and feedback go.
    #[must_use]
    pub fn reporter_ssrc(&self) -> u32 {
        self.compound.reporter
    }

    /// Adds a stage behind those that stand at its place already. It is told about the streams that
    /// are bound.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyStages`] if there are [`MAX_STAGES`](Self::MAX_STAGES).
    pub fn add(&mut self, now: Instant, place: Place, stage: Box<dyn Stage>) -> Result<(), Error> {
        if self.stages.len() >= Self::MAX_STAGES {
            return Err(Error::TooManyStages);
        }
        let at = self.stages.partition_point(|(other, _)| *other <= place);
        self.stages.insert(at, (place, stage));
        self.routes.insert_stage(at);
        self.awake.insert_stage(at);
        for stream in self.streams.values() {
            let interest = self.stages[at].1.bind(now, stream);
            self.routes.add_stage(stream, at, interest);
        }
        self.touch(now, StageSet::one(at));
        Ok(())
    }

    /// Begins to follow a stream, or takes its new parameters; counters go on.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyStreams`] if [`max_streams`](Config::max_streams) are followed already,
    /// [`Error::SsrcInUse`] if its SSRC or that of its retransmissions belongs to another stream of
    /// the same direction.
    pub fn bind(&mut self, now: Instant, stream: Stream) -> Result<(), Error> {
        let key = (stream.direction, stream.ssrc);
        if self.streams.len() >= self.max_streams && !self.streams.contains_key(&key) {
            return Err(Error::TooManyStreams);
        }
        if self.routes.conflict(&stream) {
            return Err(Error::SsrcInUse);
        }
        if stream.direction == Direction::Outgoing {
            self.compound.keep(stream.ssrc);
        }
        let mut route = Route::new(stream.ssrc);
        for (at, (_, stage)) in self.stages.iter_mut().enumerate() {
            route.add(at, stage.bind(now, &stream));
        }
        let before = self.streams.insert(key, stream.clone());
        self.routes.replace(before.as_ref(), &stream, route);
        self.touch_all(now);
        Ok(())
    }

    /// Ends a stream, and its retransmission stream. The peer is told with a BYE if we have sent
    /// it.
    pub fn unbind(&mut self, now: Instant, direction: Direction, ssrc: u32) {
        let Some(stream) = self.streams.remove(&(direction, ssrc)) else {
            return;
        };
        self.routes.remove(&stream);
        for (_, stage) in &mut self.stages {
            stage.unbind(direction, ssrc);
        }
        self.touch_all(now);
    }

    /// A packet of the application on its way to SRTP. After [`Verdict::Pass`] the caller protects
    /// and sends it.
    pub fn handle_outgoing(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let route = self.routes.get(Direction::Outgoing, packet.header.ssrc);
        self.pass_outgoing(now, packet, route)
    }

    /// A packet from SRTP on its way to the application. Retransmissions are unwrapped where they
    /// are: afterwards the packet has SSRC, payload type and sequence number of the original.
    pub fn handle_incoming(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let route = self.routes.get(Direction::Incoming, packet.header.ssrc);
        self.pass_incoming(now, packet, route)
    }

    /// A datagram of RTCP from SRTCP. `observe` sees every packet in it that can be read, after the
    /// stages. What cannot be read is counted and passed over.
    pub fn handle_incoming_rtcp(
        &mut self,
        now: Instant,
        datagram: &[u8],
        mut observe: impl FnMut(&rtcp::Packet),
    ) {
        for packet in rtcp::packets(datagram) {
            let Ok(packet) = packet else {
                self.stats.rtcp_malformed += 1;
                continue;
            };
            self.stats.rtcp_received += 1;
            for (_, stage) in self.stages.iter_mut().rev() {
                stage.handle_incoming_rtcp(now, &packet);
            }
            observe(&packet);
        }
        self.touch_all(now);
    }

    /// Time has come to what [`poll_timeout`](Self::poll_timeout) gave.
    pub fn handle_timeout(&mut self, now: Instant) {
        for at in 0..self.stages.len() {
            let stage = &mut self.stages[at].1;
            if stage.poll_timeout().is_some_and(|due| due <= now) {
                stage.handle_timeout(now);
                self.touch(now, StageSet::one(at));
            }
        }
    }

    /// Sends an RTCP packet of the application, with the next datagram and all that it needs.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyPackets`] if [`MAX_QUEUED_RTCP`](Self::MAX_QUEUED_RTCP) wait.
    pub fn send_rtcp(&mut self, now: Instant, mut packet: rtcp::Packet) -> Result<(), Error> {
        if self.compound.len() >= Self::MAX_QUEUED_RTCP {
            return Err(Error::TooManyPackets);
        }
        for (_, stage) in &mut self.stages {
            stage.handle_outgoing_rtcp(now, &mut packet);
        }
        self.compound.push(packet);
        self.touch_all(now);
        Ok(())
    }

    /// Asks the sender of an incoming stream for a key frame: with PLI, or FIR if only that was
    /// negotiated, and not at all without either. There is at most one request in
    /// [`keyframe_interval`](Config::keyframe_interval); what is asked within it goes, once, at its
    /// end. Ask again while the frame does not come.
    pub fn request_keyframe(&mut self, now: Instant, ssrc: u32) {
        self.signal(now, Signal::KeyframeNeeded { ssrc });
    }

    /// Tells the peer how many bits per second we can receive (REMB), for the streams where that
    /// was negotiated; `None` stops it.
    pub fn set_maximum_bitrate(&mut self, now: Instant, bits_per_second: Option<u64>) {
        self.signal(now, Signal::MaximumBitrate(bits_per_second));
    }

    /// Whether feedback may go without report and SDES from now on, as
    /// [`Config::reduced_size`]: for a pipeline that began before the answer came.
    pub fn set_reduced_size(&mut self, reduced_size: bool) {
        self.compound.reduced_size = reduced_size;
    }

    /// A round trip that was measured elsewhere (ICE): NACKs are paced by it until reports give
    /// their own.
    pub fn set_round_trip(&mut self, now: Instant, round_trip: Duration) {
        self.signal(now, Signal::RoundTrip(round_trip));
    }

    /// The counters of a bound stream.
    #[must_use]
    pub fn stats(&self, direction: Direction, ssrc: u32) -> Option<StreamStats> {
        self.streams.get(&(direction, ssrc))?;
        let mut stats = StreamStats::default();
        for (_, stage) in &self.stages {
            stage.describe(direction, ssrc, &mut stats);
        }
        Some(stats)
    }

    /// The counters of the pipeline.
    #[must_use]
    pub fn pipeline_stats(&self) -> PipelineStats {
        self.stats
    }
}

/// 96 random bits in 16 characters (RFC 7022 §5).
fn random_cname(rng: &mut ChaCha12Rng) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    let character = |byte: u8| char::from(ALPHABET[usize::from(byte % 64)]);
    bytes.into_iter().map(character).collect()
}
