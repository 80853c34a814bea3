use super::RoundTrip;
use super::missing::{Arrival, Missing, WINDOW};
use crate::{Config, Direction, Event, Interest, Signal, Stage, Stream, StreamStats, Verdict};
use rtp::Packet;
use rtp::rtcp::{self, Nack};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// The least time between two requests for one packet: below it, the peer's own timing would make
/// us ask for what is under way.
const MIN_RETRY: Duration = Duration::from_millis(20);

/// The longest time between two requests for one packet, whatever the round trip is said to be.
const MAX_RETRY: Duration = Duration::from_secs(1);

/// The least time between two rounds of requests: what becomes due in between goes together, so
/// that steady loss makes no wake for each packet.
const ROUND: Duration = Duration::from_millis(5);

/// Pairs in one NACK: four bytes each, so that it leaves room for a report in its datagram.
const MAX_PAIRS: usize = 200;

/// NACKs that wait to be polled; what is beyond is asked for at the next retry.
const MAX_QUEUED: usize = 64;

/// Asks for the packets that incoming streams miss (int-001, int-002), for the streams with
/// `a=rtcp-fb:… nack`.
///
/// A packet is asked for [`nack_delay`](Config::nack_delay) after one behind it came, and again
/// after a little more than a round trip, [`nack_max_tries`](Config::nack_max_tries) times. When
/// one is given up, or when more than [`nack_max_missing`](Config::nack_max_missing) would be
/// missing, a key frame is needed. A packet that comes twice is dropped: an original that was late,
/// and its repetition.
#[derive(Debug)]
pub struct NackGenerator {
    reporter: u32,
    delay: Duration,
    max_tries: u32,
    max_missing: usize,
    round_trip: RoundTrip,
    streams: BTreeMap<u32, Receiver>,
    /// When the first of all missing packets wants to be asked for.
    next: Option<Instant>,
    queue: VecDeque<Nack>,
    /// Streams that need a key frame, of which the owner is not told yet.
    needy: BTreeSet<u32>,
}

#[derive(Debug)]
struct Receiver {
    missing: Missing,
    repaired: u64,
    abandoned: u64,
    duplicated: u64,
}

impl NackGenerator {
    /// Asks in the name of `reporter`.
    #[must_use]
    pub fn new(config: &Config, reporter: u32) -> Self {
        Self {
            reporter,
            delay: config.nack_delay,
            max_tries: config.nack_max_tries,
            max_missing: config
                .nack_max_missing
                .min(usize::try_from(WINDOW).unwrap_or(0)),
            round_trip: RoundTrip::default(),
            streams: BTreeMap::new(),
            next: None,
            queue: VecDeque::new(),
            needy: BTreeSet::new(),
        }
    }

    /// The time between two requests: the round trip and a quarter, for what varies in it.
    fn retry(&self) -> Duration {
        let round_trip = self.round_trip.get();
        (round_trip + round_trip / 4).clamp(MIN_RETRY, MAX_RETRY)
    }

    /// Asks for everything that is due.
    fn ask(&mut self, now: Instant) {
        let retry = self.retry();
        for (&ssrc, stream) in &mut self.streams {
            if self.queue.len() >= MAX_QUEUED {
                continue;
            }
            let (reporter, queue) = (self.reporter, &mut self.queue);
            let mut nack = Nack::new(reporter, ssrc, []);
            let abandoned = stream.missing.ask(now, retry, self.max_tries, |number| {
                nack.push(number);
                if nack.pairs.len() > MAX_PAIRS {
                    let mut full =
                        std::mem::replace(&mut nack, Nack::new(reporter, ssrc, [number]));
                    full.pairs.truncate(MAX_PAIRS);
                    queue.push_back(full);
                }
            });
            if !nack.pairs.is_empty() {
                queue.push_back(nack);
            }
            if abandoned > 0 {
                stream.abandoned += abandoned;
                self.needy.insert(ssrc);
            }
        }
        self.next = self
            .streams
            .values()
            .filter_map(|stream| stream.missing.next())
            .min()
            .map(|next| next.max(now + ROUND));
    }
}

impl Stage for NackGenerator {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Outgoing {
            return Interest::Nothing;
        }
        if stream.feedback.nack {
            self.streams.entry(stream.ssrc).or_insert_with(|| Receiver {
                missing: Missing::new(),
                repaired: 0,
                abandoned: 0,
                duplicated: 0,
            });
        } else {
            self.streams.remove(&stream.ssrc);
        }
        if stream.feedback.nack {
            Interest::Packets
        } else {
            Interest::Nothing
        }
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Incoming {
            self.streams.remove(&ssrc);
            self.needy.remove(&ssrc);
        }
    }

    fn handle_incoming(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let Some(stream) = self.streams.get_mut(&packet.header.ssrc) else {
            return Verdict::Pass;
        };
        let ask_at = now + self.delay;
        let before = stream.missing.len();
        let number = packet.header.sequence_number;
        match stream.missing.arrive(number, ask_at, self.max_missing) {
            Arrival::New if stream.missing.len() > before => {
                self.next = Some(self.next.map_or(ask_at, |next| next.min(ask_at)));
                if self.next.is_some_and(|next| next <= now) {
                    self.ask(now);
                }
            }
            Arrival::Late { asked } => stream.repaired += u64::from(asked),
            Arrival::Duplicate => {
                stream.duplicated += 1;
                return Verdict::Drop;
            }
            Arrival::Gap => {
                stream.abandoned += u64::try_from(before).unwrap_or(0);
                self.needy.insert(packet.header.ssrc);
            }
            Arrival::New | Arrival::Unknown => {}
        }
        Verdict::Pass
    }

    fn handle_signal(&mut self, _: Instant, signal: Signal) {
        if let Signal::RoundTrip(round_trip) = signal {
            self.round_trip.measured(round_trip);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.ask(now);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    fn poll_rtcp(&mut self, _: Instant) -> Option<rtcp::Packet> {
        self.queue.pop_front().map(rtcp::Packet::from)
    }

    fn poll_event(&mut self) -> Option<Event> {
        let ssrc = self.needy.pop_first()?;
        Some(Event::KeyframeNeeded { ssrc })
    }

    fn describe(&self, direction: Direction, ssrc: u32, stats: &mut StreamStats) {
        if let (Direction::Incoming, Some(stream)) = (direction, self.streams.get(&ssrc)) {
            stats.packets_missing = stream.missing.len();
            stats.packets_repaired = stream.repaired;
            stats.packets_abandoned = stream.abandoned;
            stats.packets_duplicated = stream.duplicated;
        }
    }
}
