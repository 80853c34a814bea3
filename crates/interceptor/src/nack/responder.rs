use super::RoundTrip;
use super::history::History;
use crate::rtx::Wrapper;
use crate::{Config, Direction, Interest, Signal, Stage, Stream, Verdict};
use rtp::Packet;
use rtp::rtcp::{self, Nack};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Retransmissions that wait to be polled. What is asked for beyond them is asked for again.
const MAX_QUEUED: usize = 512;

/// The least time between two retransmissions of one packet: a peer cannot have us send faster by
/// a round trip that it makes up.
const MIN_SPACING: Duration = Duration::from_millis(10);

/// The longest time that a packet has to wait for its next retransmission, whatever the round trip
/// is said to be.
const MAX_SPACING: Duration = Duration::from_millis(500);

/// Sends packets again that the peer asks for (int-003), from a history of each outgoing stream
/// with `a=rtcp-fb:… nack`: on the retransmission stream where one was negotiated (RFC 4588), else
/// as they were.
///
/// A packet is sent again at most once in a round trip. Retransmissions are not kept: they are
/// never the original of another (RFC 4588 §6.3).
#[derive(Debug)]
pub struct NackResponder {
    max_packets: usize,
    max_age: Duration,
    round_trip: RoundTrip,
    streams: BTreeMap<u32, Sender>,
    queue: VecDeque<Packet>,
}

#[derive(Debug)]
struct Sender {
    history: History,
    wrapper: Option<Wrapper>,
}

impl NackResponder {
    /// Keeps packets as the settings say.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            max_packets: config.history_packets,
            max_age: config.history_time,
            round_trip: RoundTrip::default(),
            streams: BTreeMap::new(),
            queue: VecDeque::new(),
        }
    }

    fn answer(&mut self, now: Instant, nack: &Nack) {
        let Some(stream) = self.streams.get_mut(&nack.media_ssrc) else {
            return;
        };
        // The request and its repetition cross the path at most a round trip apart.
        let spacing = self.round_trip.get().clamp(MIN_SPACING, MAX_SPACING);
        for number in nack.sequence_numbers() {
            if self.queue.len() >= MAX_QUEUED {
                return;
            }
            if let Some(packet) = stream.history.take(now, number, spacing) {
                let wrapper = stream.wrapper.as_mut();
                let wrapped = wrapper.and_then(|wrapper| wrapper.wrap(&packet));
                self.queue.push_back(wrapped.unwrap_or(packet));
            }
        }
    }
}

impl Stage for NackResponder {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Incoming {
            return Interest::Nothing;
        }
        if !stream.feedback.nack {
            self.streams.remove(&stream.ssrc);
            return Interest::Nothing;
        }
        let sender = self.streams.entry(stream.ssrc).or_insert_with(|| Sender {
            history: History::new(self.max_packets, self.max_age),
            wrapper: None,
        });
        sender.wrapper = Wrapper::for_stream(stream, sender.wrapper.take());
        Interest::Quiet
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Outgoing && self.streams.remove(&ssrc).is_some() {
            self.queue.retain(|packet| packet.header.ssrc != ssrc);
        }
    }

    fn handle_outgoing(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        if let Some(stream) = self.streams.get_mut(&packet.header.ssrc) {
            stream.history.push(now, packet);
        }
        Verdict::Pass
    }

    fn handle_incoming_rtcp(&mut self, now: Instant, packet: &rtcp::Packet) {
        if let rtcp::Packet::Nack(nack) = packet {
            self.answer(now, nack);
        }
    }

    fn handle_signal(&mut self, _: Instant, signal: Signal) {
        if let Signal::RoundTrip(round_trip) = signal {
            self.round_trip.measured(round_trip);
        }
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Packet> {
        self.queue.pop_front()
    }
}
