use crate::StreamStats;
use crate::start::ticks;
use rtp::Header;
use rtp::rtcp::{NtpTimestamp, ReportBlock};
use std::time::{Duration, Instant};

/// A gap in sequence numbers of this size is still one (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3000;

/// A packet that is late by so many is still late, not from a restarted sender (RFC 3550 A.1).
const MAX_MISORDER: u16 = 100;

/// A change of the transit time beyond this is a sender that set its clock anew, and not jitter.
const MAX_TRANSIT_CHANGE: Duration = Duration::from_secs(10);

/// How one stream is received: sequence numbers (RFC 3550 A.1), loss (A.3), jitter (A.8).
///
/// There is no probation: a stream that is bound is one that was signalled or that has passed SRTP.
#[derive(Clone, Debug)]
pub(super) struct Reception {
    clock_rate: u32,
    /// The zero of arrival times.
    epoch: Instant,
    sequence: Option<Sequence>,
    received: u64,
    expected_prior: u64,
    received_prior: u64,
    fraction_lost: u8,
    /// The relative transit time of the last packet, in ticks.
    transit: Option<u32>,
    /// 16 times the jitter, in ticks.
    jitter_scaled: u32,
    last_sender_report: Option<(u32, Instant)>,
}

#[derive(Clone, Copy, Debug)]
struct Sequence {
    base: u64,
    /// The highest number with its cycles.
    highest: u64,
    /// What would confirm that the sender began anew.
    restart: Option<u16>,
}

impl Sequence {
    fn begin(sequence_number: u16) -> Self {
        Self {
            base: sequence_number.into(),
            highest: sequence_number.into(),
            restart: None,
        }
    }
}

impl Reception {
    pub(super) fn new(now: Instant, clock_rate: u32) -> Self {
        Self {
            clock_rate,
            epoch: now,
            sequence: None,
            received: 0,
            expected_prior: 0,
            received_prior: 0,
            fraction_lost: 0,
            transit: None,
            jitter_scaled: 0,
            last_sender_report: None,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.sequence.is_none()
    }

    pub(super) fn set_clock_rate(&mut self, clock_rate: u32) {
        if self.clock_rate != clock_rate {
            // RFC 7160 §4.3: transit times of two clocks cannot be compared.
            self.clock_rate = clock_rate;
            self.transit = None;
        }
    }

    pub(super) fn packet(&mut self, now: Instant, header: &Header) {
        if self.follow(header.sequence_number) {
            self.received += 1;
            self.measure_jitter(now, header.timestamp);
        }
    }

    /// `update_seq` of RFC 3550 A.1; whether the packet counts.
    fn follow(&mut self, sequence_number: u16) -> bool {
        let Some(sequence) = &mut self.sequence else {
            self.sequence = Some(Sequence::begin(sequence_number));
            return true;
        };
        let [.., high, low] = sequence.highest.to_be_bytes();
        let ahead = sequence_number.wrapping_sub(u16::from_be_bytes([high, low]));
        if ahead < MAX_DROPOUT {
            sequence.highest += u64::from(ahead);
            sequence.restart = None;
        } else if ahead <= u16::MAX - MAX_MISORDER {
            if sequence.restart != Some(sequence_number) {
                sequence.restart = Some(sequence_number.wrapping_add(1));
                return false;
            }
            // Two in a row: the sender has begun anew.
            self.sequence = Some(Sequence::begin(sequence_number));
            (self.received, self.received_prior, self.expected_prior) = (0, 0, 0);
            self.transit = None;
        }
        true
    }

    /// RFC 3550 A.8, in the order of arrival.
    fn measure_jitter(&mut self, now: Instant, timestamp: u32) {
        let arrival = ticks(now.saturating_duration_since(self.epoch), self.clock_rate);
        let transit = arrival.wrapping_sub(timestamp);
        let Some(last) = self.transit.replace(transit) else {
            return;
        };
        let change = transit.wrapping_sub(last);
        let change = change.min(change.wrapping_neg());
        if change <= ticks(MAX_TRANSIT_CHANGE, self.clock_rate) {
            self.jitter_scaled = self.jitter_scaled + change - ((self.jitter_scaled + 8) >> 4);
        }
    }

    pub(super) fn sender_report(&mut self, now: Instant, ntp: NtpTimestamp) {
        self.last_sender_report = Some((ntp.middle(), now));
    }

    /// Whether there is something new to report (RFC 3550 §6.4: sources heard since the last one).
    pub(super) fn is_heard(&self) -> bool {
        self.received != self.received_prior
    }

    /// The block for a report that is sent now; it ends the interval of the fraction lost.
    pub(super) fn report(&mut self, now: Instant, ssrc: u32) -> ReportBlock {
        let expected = self.expected();
        let expected_interval = expected.saturating_sub(self.expected_prior);
        let received_interval = self.received.saturating_sub(self.received_prior);
        (self.expected_prior, self.received_prior) = (expected, self.received);
        // A.3: duplicates can make it negative, which counts as none.
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = (lost_interval << 8).checked_div(expected_interval);
        self.fraction_lost = u8::try_from(fraction.unwrap_or(0)).unwrap_or(u8::MAX);
        let [_, _, _, _, highest @ ..] = self.highest().to_be_bytes();
        let mut block = ReportBlock {
            ssrc,
            fraction_lost: self.fraction_lost,
            cumulative_lost: self.cumulative_lost(),
            highest_sequence_number: u32::from_be_bytes(highest),
            jitter: self.jitter_scaled >> 4,
            ..ReportBlock::default()
        };
        if let Some((middle, arrived)) = self.last_sender_report {
            block.last_sender_report = middle;
            block.set_delay(now.saturating_duration_since(arrived));
        }
        block
    }

    pub(super) fn describe(&self, stats: &mut StreamStats) {
        stats.packets_lost = self.lost();
        stats.fraction_lost = f64::from(self.fraction_lost) / 256.0;
        stats.jitter = duration(self.jitter_scaled >> 4, self.clock_rate);
    }

    fn highest(&self) -> u64 {
        self.sequence.map_or(0, |sequence| sequence.highest)
    }

    fn expected(&self) -> u64 {
        self.sequence
            .map_or(0, |sequence| sequence.highest - sequence.base + 1)
    }

    fn lost(&self) -> i64 {
        i64::try_from(self.expected()).unwrap_or(i64::MAX)
            - i64::try_from(self.received).unwrap_or(i64::MAX)
    }

    /// What 24 bits with a sign can say (RFC 3550 §6.4.1).
    fn cumulative_lost(&self) -> i32 {
        let lost = self.lost().clamp(-0x80_0000, 0x7F_FFFF);
        i32::try_from(lost).unwrap_or(0)
    }
}

/// The duration of ticks of an RTP clock.
pub(super) fn duration(ticks: u32, clock_rate: u32) -> Duration {
    let nanos = u64::from(ticks) * 1_000_000_000;
    Duration::from_nanos(nanos.checked_div(clock_rate.into()).unwrap_or(0))
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "an instant to count from; nothing waits for the clock"
)]
mod tests {
    use super::*;

    fn header(sequence_number: u16, timestamp: u32) -> Header {
        Header {
            sequence_number,
            timestamp,
            ..Header::default()
        }
    }

    fn received(numbers: impl IntoIterator<Item = u16>) -> Reception {
        let now = Instant::now();
        let mut reception = Reception::new(now, 90_000);
        for number in numbers {
            reception.packet(now, &header(number, 0));
        }
        reception
    }

    /// rtcp-008
    #[test]
    fn a_block_counts_loss_in_its_interval_and_in_all() {
        let now = Instant::now();
        let mut reception = received([65_534, 65_535, 2, 3]);
        let block = reception.report(now, 7);
        assert_eq!(block.highest_sequence_number, 65_536 + 3);
        assert_eq!((block.cumulative_lost, block.fraction_lost), (2, 85));
        reception.packet(now, &header(4, 0));
        let block = reception.report(now, 7);
        assert_eq!((block.cumulative_lost, block.fraction_lost), (2, 0));
    }

    #[test]
    fn duplicates_make_the_loss_negative_and_the_fraction_zero() {
        let block = received([1, 1, 2, 2]).report(Instant::now(), 7);
        assert_eq!((block.cumulative_lost, block.fraction_lost), (-2, 0));
    }

    /// rtp-005
    #[test]
    fn a_jump_counts_once_a_second_packet_confirms_it() {
        let now = Instant::now();
        let mut reception = received([1, 2, 20_000, 3]);
        assert_eq!(reception.report(now, 7).highest_sequence_number, 3);
        reception.packet(now, &header(20_001, 0));
        reception.packet(now, &header(20_002, 0));
        let block = reception.report(now, 7);
        assert_eq!(
            (block.highest_sequence_number, block.cumulative_lost),
            (20_002, 0)
        );
    }

    /// rtcp-009
    #[test]
    fn jitter_grows_by_a_sixteenth_of_each_change_of_transit() {
        let now = Instant::now();
        let mut reception = Reception::new(now, 8000);
        for (at, timestamp) in [(0, 0), (20, 160), (60, 320), (80, 480)] {
            let at = now + Duration::from_millis(at);
            reception.packet(
                at,
                &header(u16::try_from(timestamp / 160).unwrap(), timestamp),
            );
        }
        // One change of 160 ticks: 160/16 = 10, then decay by a sixteenth.
        assert_eq!(reception.report(now, 7).jitter, 9);
    }

    #[test]
    fn a_clock_that_is_set_anew_is_not_jitter() {
        let now = Instant::now();
        let mut reception = Reception::new(now, 8000);
        reception.packet(now, &header(0, 0));
        reception.packet(now, &header(1, 1 << 31));
        assert_eq!(reception.report(now, 7).jitter, 0);
    }

    #[test]
    fn the_delay_counts_from_the_sender_report() {
        let now = Instant::now();
        let mut reception = received([1]);
        reception.sender_report(now, NtpTimestamp(0x1122_3344_5566_7788));
        let block = reception.report(now + Duration::from_millis(250), 7);
        assert_eq!(block.last_sender_report, 0x3344_5566);
        assert_eq!(block.delay_since_last_sender_report, 1 << 14);
    }
}
