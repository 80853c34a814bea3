use crate::{Direction, Event, Interest, Signal, Stage, Stream};
use rtp::rtcp::{self, ReceiverEstimatedMaxBitrate};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often a rate is told while it stands or grows.
const INTERVAL: Duration = Duration::from_secs(1);

/// A fall below this part of what was told last is told at once, in percent.
const FALL: u64 = 97;

/// Streams that one packet can name.
const MAX_SSRCS: usize = 255;

/// REMB both ways (int-023): what we can receive, for incoming streams with
/// `a=rtcp-fb:… goog-remb`, and what the peer says it can.
#[derive(Debug)]
pub struct MaximumBitrate {
    reporter: u32,
    streams: BTreeSet<u32>,
    bitrate: Option<u64>,
    /// What was told last.
    told: Option<u64>,
    due: Option<Instant>,
    ready: bool,
    /// What the peer has said since the owner asked last.
    heard: Option<u64>,
}

impl MaximumBitrate {
    /// Tells in the name of `reporter`.
    #[must_use]
    pub fn new(reporter: u32) -> Self {
        Self {
            reporter,
            streams: BTreeSet::new(),
            bitrate: None,
            told: None,
            due: None,
            ready: false,
            heard: None,
        }
    }

    fn set(&mut self, now: Instant, bitrate: Option<u64>) {
        self.bitrate = bitrate;
        let Some(bitrate) = bitrate else {
            (self.told, self.due, self.ready) = (None, None, false);
            return;
        };
        let told = self.told.unwrap_or(u64::MAX);
        if u128::from(bitrate) * 100 < u128::from(told) * u128::from(FALL) {
            self.ready = true;
        }
        self.due.get_or_insert(now + INTERVAL);
    }
}

impl Stage for MaximumBitrate {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Incoming {
            if stream.feedback.remb {
                self.streams.insert(stream.ssrc);
            } else {
                self.streams.remove(&stream.ssrc);
            }
        }
        Interest::Nothing
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Incoming {
            self.streams.remove(&ssrc);
        }
    }

    fn handle_incoming_rtcp(&mut self, _: Instant, packet: &rtcp::Packet) {
        if let rtcp::Packet::ReceiverEstimatedMaxBitrate(remb) = packet {
            self.heard = Some(remb.bitrate);
        }
    }

    fn handle_signal(&mut self, now: Instant, signal: Signal) {
        if let Signal::MaximumBitrate(bitrate) = signal {
            self.set(now, bitrate);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = Some(now + INTERVAL);
            self.ready = true;
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn poll_rtcp(&mut self, now: Instant) -> Option<rtcp::Packet> {
        let bitrate = self.bitrate.filter(|_| std::mem::take(&mut self.ready))?;
        if self.streams.is_empty() {
            return None;
        }
        self.told = Some(bitrate);
        self.due = Some(now + INTERVAL);
        Some(
            ReceiverEstimatedMaxBitrate {
                sender_ssrc: self.reporter,
                bitrate,
                ssrcs: self.streams.iter().copied().take(MAX_SSRCS).collect(),
            }
            .into(),
        )
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.heard.take().map(Event::MaximumBitrate)
    }
}
