use crate::{Config, Direction, Interest, PipelineStart, Stage, Stream, Verdict};
use rtp::rtcp::{self, TransportFeedback};
use rtp::{Packet, SequenceUnwrapper};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Arrivals that wait to be told. At half of it they are told before the interval is over; beyond
/// it the oldest make room.
const MAX_PENDING: usize = 4096;

/// Arrivals in one feedback: with the longest deltas and a chunk each for themselves and the gap
/// before them, still less than 1200 bytes.
const MAX_RECEIVED: usize = 160;

/// The longest gap that one feedback tells about, what one run can say (§3.1.3). Behind a longer
/// one the next feedback begins.
const MAX_GAP: u64 = 0x1FFF;

/// So many packets in a row that are too old come from a sender that has begun to count anew.
const RESTART: u32 = 64;

/// Tells the peer when its packets arrived, for incoming streams with a transport-wide sequence
/// number and `a=rtcp-fb:… transport-cc`.
///
/// Nothing is sent, and no timer runs, while nothing arrives.
#[derive(Debug)]
pub struct TransportArrivals {
    reporter: u32,
    interval: Duration,
    /// The zero of arrival times.
    epoch: Instant,
    /// The id of the extension, by SSRC, and the SSRC of the media.
    streams: BTreeMap<u32, (u8, u32)>,
    unwrapper: SequenceUnwrapper,
    /// What has arrived and is not told yet, in order of its number.
    pending: VecDeque<(u64, Instant)>,
    /// Packets in a row that were too old.
    stale: u32,
    /// The first number that was never told about.
    unreported: u64,
    media_ssrc: u32,
    feedback_count: u8,
    due: Option<Instant>,
    /// The interval is over: all that is pending goes.
    ready: bool,
}

impl TransportArrivals {
    /// Tells in the name of `reporter`.
    #[must_use]
    pub fn new(start: &PipelineStart, config: &Config, reporter: u32) -> Self {
        Self {
            reporter,
            interval: config.transport_feedback_interval,
            epoch: start.now,
            streams: BTreeMap::new(),
            unwrapper: SequenceUnwrapper::default(),
            pending: VecDeque::new(),
            stale: 0,
            unreported: 0,
            media_ssrc: 0,
            feedback_count: 0,
            due: None,
            ready: false,
        }
    }

    fn arrived(&mut self, now: Instant, sequence_number: u16) {
        let number = self.unwrapper.unwrap(sequence_number);
        if number + MAX_GAP < self.unreported {
            self.stale += 1;
            if self.stale == RESTART {
                self.restart();
            }
            return;
        }
        self.stale = 0;
        match self.pending.back() {
            Some(&(last, _)) if number <= last => {
                if let Err(at) = self
                    .pending
                    .binary_search_by_key(&number, |pending| pending.0)
                {
                    self.pending.insert(at, (number, now));
                }
            }
            _ => self.pending.push_back((number, now)),
        }
        if self.pending.len() > MAX_PENDING {
            self.pending.pop_front();
        }
        if self.pending.len() >= MAX_PENDING / 2 {
            self.ready = true;
        }
        self.due.get_or_insert(now + self.interval);
    }

    /// The sender has begun to count anew.
    fn restart(&mut self) {
        self.unwrapper = SequenceUnwrapper::default();
        self.pending.clear();
        (self.unreported, self.stale) = (0, 0);
    }

    /// Where the next feedback begins: at the first packet that was never told about, so that its
    /// loss is seen, or before it at one that came late (int-018).
    fn base(&self, first: u64) -> u64 {
        if self.unreported > 0 && first > self.unreported && first - self.unreported <= MAX_GAP {
            self.unreported
        } else {
            first
        }
    }

    fn feedback(&mut self) -> Option<TransportFeedback> {
        let &(first, arrival) = self.pending.front()?;
        let base = self.base(first);
        let mut feedback = TransportFeedback::new(
            self.reporter,
            self.media_ssrc,
            self.feedback_count,
            low(base),
            arrival.saturating_duration_since(self.epoch),
        );
        let mut last = base;
        while let Some(&(number, arrival)) = self.pending.front() {
            let arrival = arrival.saturating_duration_since(self.epoch);
            let full = feedback.received.len() >= MAX_RECEIVED;
            let far = number - last > MAX_GAP || number - base >= u64::from(u16::MAX);
            if full || far || !feedback.push(low(number), arrival) {
                break;
            }
            last = number;
            self.pending.pop_front();
        }
        self.feedback_count = self.feedback_count.wrapping_add(1);
        self.unreported = self.unreported.max(last + 1);
        Some(feedback)
    }
}

impl Stage for TransportArrivals {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Outgoing {
            return Interest::Nothing;
        }
        self.unbind(Direction::Incoming, stream.ssrc);
        let id = stream
            .transport_sequence_id
            .filter(|_| stream.feedback.transport_cc);
        if let Some(id) = id {
            let rtx = stream.rtx.as_ref().map(|rtx| rtx.ssrc);
            for ssrc in [Some(stream.ssrc), rtx].into_iter().flatten() {
                self.streams.insert(ssrc, (id, stream.ssrc));
            }
        }
        if id.is_some() {
            Interest::Packets
        } else {
            Interest::Nothing
        }
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Incoming {
            self.streams.retain(|_, (_, media)| *media != ssrc);
        }
    }

    fn handle_incoming(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        if let Some(&(id, media_ssrc)) = self.streams.get(&packet.header.ssrc)
            && let Some(&[high, low]) = packet.header.extensions.get(id)
        {
            self.media_ssrc = media_ssrc;
            self.arrived(now, u16::from_be_bytes([high, low]));
        }
        Verdict::Pass
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.ready = true;
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due.filter(|_| !self.ready)
    }

    fn poll_rtcp(&mut self, _: Instant) -> Option<rtcp::Packet> {
        if !self.ready {
            return None;
        }
        let feedback = self.feedback();
        if feedback.is_none() {
            (self.ready, self.due) = (false, None);
        }
        feedback.map(rtcp::Packet::from)
    }
}

fn low(number: u64) -> u16 {
    let [.., high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "an instant to count from; nothing waits for the clock"
)]
mod tests {
    use super::*;

    fn arrivals(now: Instant) -> TransportArrivals {
        let start = PipelineStart::new(now, std::time::SystemTime::UNIX_EPOCH, [0; 32]);
        TransportArrivals::new(&start, &Config::default(), 1)
    }

    fn feedback(arrivals: &mut TransportArrivals, now: Instant) -> Vec<TransportFeedback> {
        arrivals.handle_timeout(now + Duration::from_millis(100));
        let polled = std::iter::from_fn(|| arrivals.poll_rtcp(now));
        polled
            .filter_map(|packet| match packet {
                rtcp::Packet::TransportFeedback(feedback) => Some(feedback),
                _ => None,
            })
            .collect()
    }

    fn numbers(feedback: &TransportFeedback) -> Vec<u16> {
        feedback
            .received
            .iter()
            .map(|received| received.sequence_number)
            .collect()
    }

    /// int-015
    #[test]
    fn feedback_tells_about_losses_at_its_beginning_too() {
        let now = Instant::now();
        let mut arrivals = arrivals(now);
        for number in [65_534, 65_535, 1] {
            arrivals.arrived(now, number);
        }
        let first = feedback(&mut arrivals, now).remove(0);
        assert_eq!(
            (first.base_sequence_number, first.status_count),
            (65_534, 4)
        );
        assert_eq!(numbers(&first), [65_534, 65_535, 1]);
        arrivals.arrived(now, 4);
        let second = feedback(&mut arrivals, now).remove(0);
        assert_eq!((second.base_sequence_number, second.status_count), (2, 3));
        assert_eq!(second.feedback_count, 1);
    }

    /// int-018
    #[test]
    fn a_packet_that_came_late_is_told_without_those_told_before() {
        let now = Instant::now();
        let mut arrivals = arrivals(now);
        for number in [10, 12, 13] {
            arrivals.arrived(now, number);
        }
        feedback(&mut arrivals, now);
        arrivals.arrived(now, 11);
        let late = feedback(&mut arrivals, now).remove(0);
        assert_eq!((late.base_sequence_number, numbers(&late)), (11, vec![11]));
    }

    #[test]
    fn many_arrivals_are_cut_into_packets_and_an_outage_is_skipped() {
        let now = Instant::now();
        let mut arrivals = arrivals(now);
        for number in (0..400).chain(20_000..20_010) {
            arrivals.arrived(now, number);
        }
        let all = feedback(&mut arrivals, now);
        assert_eq!(all.iter().map(|f| f.received.len()).sum::<usize>(), 410);
        assert_eq!(all.last().unwrap().base_sequence_number, 20_000);
        assert_eq!(arrivals.poll_timeout(), None);
    }

    #[test]
    fn a_sender_that_counts_anew_is_followed() {
        let now = Instant::now();
        let mut arrivals = arrivals(now);
        for number in 30_000..30_010 {
            arrivals.arrived(now, number);
        }
        feedback(&mut arrivals, now);
        for number in 5..105 {
            arrivals.arrived(now, number);
        }
        let anew = feedback(&mut arrivals, now).remove(0);
        assert_eq!(anew.base_sequence_number, 5 + 64);
    }

    #[test]
    fn what_nobody_polls_is_bounded() {
        let now = Instant::now();
        let mut arrivals = arrivals(now);
        for number in 0..u32::from(u16::MAX) * 3 {
            arrivals.arrived(now, low(number.into()));
        }
        assert_eq!(arrivals.pending.len(), MAX_PENDING);
    }
}
