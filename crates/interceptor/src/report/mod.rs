//! Sender and receiver reports (RFC 3550 §6.3, §6.4), the round trip, goodbyes.

mod interval;
mod reception;
mod reference_time;
mod round;
mod transmission;

use self::reception::Reception;
use self::reference_time::ReferenceTime;
use self::round::Round;
use self::transmission::Transmission;
use crate::start::WallClock;
use crate::{
    Config, Direction, Event, Interest, PipelineStart, Stage, Stream, StreamStats, Verdict,
};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::SeedableRng;
use rtp::rtcp::{self, Goodbye, ReportBlock, SenderReport};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How soon a report follows the first packet of a stream: RFC 3550 §6.2 allows no delay at all
/// between two participants. Streams that begin together share it.
const FIRST_REPORT: Duration = Duration::from_millis(100);

/// The clock rate of all video (RFC 3551 §5).
const VIDEO_CLOCK_RATE: u32 = 90_000;

/// A longer round trip is a report that contradicts ours, and ignored.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(60);

/// Streams whose goodbye has not been sent yet; of more the peer hears nothing.
const MAX_GOODBYES: usize = 64;

/// Events that wait to be polled; the oldest make room.
const MAX_EVENTS: usize = 64;

/// Reports for all streams, those of retransmissions included (RFC 8834 §8, RFC 8108 §5.1).
///
/// Each outgoing stream that has sent in the last two intervals gets a sender report; the blocks
/// about incoming streams stand in the name of the pipeline's reporter (the idea of RFC 8861).
#[derive(Debug)]
pub struct Reports {
    wall: WallClock,
    reporter: u32,
    rng: ChaCha12Rng,
    video_interval: Duration,
    audio_interval: Duration,
    /// The streams with their clock rates and retransmission streams.
    bound: BTreeMap<(Direction, u32), Bound>,
    outgoing: BTreeMap<u32, Transmission>,
    incoming: BTreeMap<u32, Reception>,
    reference_time: ReferenceTime,
    next: Option<Instant>,
    round: Option<Round>,
    goodbyes: VecDeque<u32>,
    events: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    clock_rate: u32,
    rtx: Option<u32>,
}

impl Reports {
    /// Reports in the name of `reporter`.
    #[must_use]
    pub fn new(start: &PipelineStart, config: &Config, reporter: u32) -> Self {
        let mut rng = ChaCha12Rng::from_seed(start.seed);
        rng.set_stream(u64::from_be_bytes(*b"reports "));
        Self {
            wall: WallClock::new(start),
            reporter,
            rng,
            video_interval: config.video_report_interval,
            audio_interval: config.audio_report_interval,
            bound: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            reference_time: ReferenceTime::new(config.receiver_reference_time),
            next: None,
            round: None,
            goodbyes: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The interval between reports on average.
    fn average_interval(&self) -> Duration {
        let video = |bound: &Bound| bound.clock_rate == VIDEO_CLOCK_RATE;
        if self.bound.values().any(video) {
            self.video_interval
        } else {
            self.audio_interval
        }
    }

    fn bring_forward(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn push_event(&mut self, event: Event) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn handle_block(&mut self, now: Instant, block: &ReportBlock) {
        let Some(transmission) = self.outgoing.get_mut(&block.ssrc) else {
            return;
        };
        // rtcp-010
        let round_trip = block.round_trip(self.wall.at(now));
        let round_trip = round_trip.filter(|time| *time <= MAX_ROUND_TRIP);
        transmission.remote_report(*block, round_trip);
        if let Some(round_trip) = round_trip {
            self.push_event(Event::RoundTrip(round_trip));
        }
    }

    fn handle_sender_report(&mut self, now: Instant, report: &SenderReport) {
        if let Some(reception) = self.incoming.get_mut(&report.ssrc) {
            reception.sender_report(now, report.ntp);
        }
        for block in &report.reports {
            self.handle_block(now, block);
        }
    }

    fn handle_goodbye(&mut self, goodbye: &Goodbye) {
        for &ssrc in &goodbye.ssrcs {
            if self.bound.contains_key(&(Direction::Incoming, ssrc)) {
                self.push_event(Event::Goodbye { ssrc });
            }
        }
    }

    fn follow(&mut self, now: Instant, direction: Direction, ssrc: u32, clock_rate: u32) {
        match direction {
            Direction::Outgoing => self
                .outgoing
                .entry(ssrc)
                .or_insert_with(|| Transmission::new(clock_rate))
                .set_clock_rate(clock_rate),
            Direction::Incoming => self
                .incoming
                .entry(ssrc)
                .or_insert_with(|| Reception::new(now, clock_rate))
                .set_clock_rate(clock_rate),
        }
    }

    fn forget(&mut self, direction: Direction, ssrc: u32) {
        match direction {
            Direction::Incoming => {
                self.incoming.remove(&ssrc);
            }
            Direction::Outgoing => {
                // RFC 3550 §6.3.7: who has sent nothing says no goodbye.
                let gone = self.outgoing.remove(&ssrc);
                let has_sent = gone.is_some_and(|transmission| !transmission.is_new());
                if has_sent && self.goodbyes.len() < MAX_GOODBYES {
                    self.goodbyes.push_back(ssrc);
                }
            }
        }
    }
}

impl Stage for Reports {
    fn bind(&mut self, now: Instant, stream: &Stream) -> Interest {
        let bound = Bound {
            clock_rate: stream.clock_rate,
            rtx: stream.rtx.as_ref().map(|rtx| rtx.ssrc),
        };
        let key = (stream.direction, stream.ssrc);
        let before = self.bound.insert(key, bound).and_then(|bound| bound.rtx);
        if let Some(old) = before.filter(|_| before != bound.rtx) {
            self.forget(stream.direction, old);
        }
        for ssrc in [Some(stream.ssrc), bound.rtx].into_iter().flatten() {
            if stream.direction == Direction::Outgoing {
                self.goodbyes.retain(|gone| *gone != ssrc);
            }
            self.follow(now, stream.direction, ssrc, stream.clock_rate);
        }
        Interest::Quiet
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        let Some(bound) = self.bound.remove(&(direction, ssrc)) else {
            return;
        };
        for ssrc in [Some(ssrc), bound.rtx].into_iter().flatten() {
            self.forget(direction, ssrc);
        }
        if self.bound.is_empty() {
            self.next = None;
        }
    }

    fn handle_outgoing(&mut self, now: Instant, packet: &mut rtp::Packet) -> Verdict {
        if let Some(transmission) = self.outgoing.get_mut(&packet.header.ssrc) {
            let first = transmission.is_new();
            transmission.packet(now, packet);
            if first {
                self.bring_forward(now + FIRST_REPORT);
            }
        }
        Verdict::Pass
    }

    fn handle_incoming(&mut self, now: Instant, packet: &mut rtp::Packet) -> Verdict {
        if let Some(reception) = self.incoming.get_mut(&packet.header.ssrc) {
            let first = reception.is_new();
            reception.packet(now, &packet.header);
            if first {
                self.bring_forward(now + FIRST_REPORT);
            }
        }
        Verdict::Pass
    }

    fn handle_incoming_rtcp(&mut self, now: Instant, packet: &rtcp::Packet) {
        match packet {
            rtcp::Packet::SenderReport(report) => self.handle_sender_report(now, report),
            rtcp::Packet::ReceiverReport(report) => {
                for block in &report.reports {
                    self.handle_block(now, block);
                }
            }
            rtcp::Packet::Goodbye(goodbye) => self.handle_goodbye(goodbye),
            rtcp::Packet::ExtendedReport(report) => {
                let ntp = self.wall.at(now);
                let measured = self.reference_time.handle(now, ntp, self.reporter, report);
                if let Some(round_trip) = measured.filter(|time| *time <= MAX_ROUND_TRIP) {
                    self.push_event(Event::RoundTrip(round_trip));
                }
            }
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        let average = self.average_interval();
        self.next = Some(now + interval::draw(&mut self.rng, average));
        // A round that could not be sent in a whole interval is not sent twice.
        self.round.get_or_insert_default();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    fn poll_rtcp(&mut self, now: Instant) -> Option<rtcp::Packet> {
        if let Some(ssrc) = self.goodbyes.pop_front() {
            return Some(Goodbye::new(ssrc).into());
        }
        let mut round = self.round.take()?;
        let packet = self.next_report(now, &mut round)?;
        self.round = Some(round);
        Some(packet)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn describe(&self, direction: Direction, ssrc: u32, stats: &mut StreamStats) {
        match direction {
            Direction::Outgoing => {
                if let Some(transmission) = self.outgoing.get(&ssrc) {
                    transmission.describe(stats);
                }
            }
            Direction::Incoming => {
                if let Some(reception) = self.incoming.get(&ssrc) {
                    reception.describe(stats);
                }
            }
        }
    }
}
