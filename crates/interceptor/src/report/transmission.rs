use super::reception::duration;
use crate::StreamStats;
use crate::start::ticks;
use rtp::Packet;
use rtp::rtcp::{NtpTimestamp, ReportBlock, SenderReport};
use std::time::{Duration, Instant};

/// What one stream has sent, and how the peer says it arrives.
#[derive(Clone, Debug)]
pub(super) struct Transmission {
    clock_rate: u32,
    packets: u32,
    octets: u32,
    /// The timestamp of the last frame, and when its first packet was sent.
    clock: Option<(u32, Instant)>,
    last_sent: Option<Instant>,
    /// The last block of the peer about this stream.
    remote: Option<ReportBlock>,
    round_trip: Option<Duration>,
    total_round_trip: Duration,
    round_trips: u64,
}

impl Transmission {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            packets: 0,
            octets: 0,
            clock: None,
            last_sent: None,
            remote: None,
            round_trip: None,
            total_round_trip: Duration::ZERO,
            round_trips: 0,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.last_sent.is_none()
    }

    pub(super) fn set_clock_rate(&mut self, clock_rate: u32) {
        if self.clock_rate != clock_rate {
            self.clock_rate = clock_rate;
            self.clock = None;
        }
    }

    pub(super) fn packet(&mut self, now: Instant, packet: &Packet) {
        self.packets = self.packets.wrapping_add(1);
        let [_, _, _, _, len @ ..] = (packet.payload.len() as u64).to_be_bytes();
        self.octets = self.octets.wrapping_add(u32::from_be_bytes(len));
        self.last_sent = Some(now);
        let timestamp = packet.header.timestamp;
        if self.clock.is_none_or(|(last, _)| last != timestamp) {
            self.clock = Some((timestamp, now));
        }
    }

    /// Whether it has sent within that time: only then it has an SR (RFC 3550 §6.4). With a clock
    /// that was set anew it has none before a packet has told the time of that clock.
    pub(super) fn is_active(&self, now: Instant, within: Duration) -> bool {
        self.clock.is_some()
            && self
                .last_sent
                .is_some_and(|last| now.saturating_duration_since(last) <= within)
    }

    /// The report of now, without blocks: the RTP timestamp is that of the same instant.
    pub(super) fn report(&self, now: Instant, ntp: NtpTimestamp, ssrc: u32) -> SenderReport {
        let rtp_timestamp = self.clock.map_or(0, |(timestamp, at)| {
            timestamp.wrapping_add(ticks(now.saturating_duration_since(at), self.clock_rate))
        });
        SenderReport {
            ssrc,
            ntp,
            rtp_timestamp,
            packet_count: self.packets,
            octet_count: self.octets,
            ..SenderReport::default()
        }
    }

    pub(super) fn remote_report(&mut self, block: ReportBlock, round_trip: Option<Duration>) {
        self.remote = Some(block);
        if let Some(round_trip) = round_trip {
            self.round_trip = Some(round_trip);
            self.total_round_trip += round_trip;
            self.round_trips += 1;
        }
    }

    pub(super) fn describe(&self, stats: &mut StreamStats) {
        if let Some(block) = &self.remote {
            stats.packets_lost = block.cumulative_lost.into();
            stats.fraction_lost = f64::from(block.fraction_lost) / 256.0;
            stats.jitter = duration(block.jitter, self.clock_rate);
        }
        stats.round_trip_time = self.round_trip;
        stats.total_round_trip_time = self.total_round_trip;
        stats.round_trip_time_measurements = self.round_trips;
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "an instant to count from; nothing waits for the clock"
)]
mod tests {
    use super::*;
    use rtp::Header;

    /// rtcp-007
    #[test]
    fn a_report_has_the_media_clock_of_its_own_instant() {
        let now = Instant::now();
        let mut transmission = Transmission::new(90_000);
        let header = Header {
            timestamp: u32::MAX - 89,
            ..Header::default()
        };
        let packet = Packet::new(header, vec![0; 100]);
        transmission.packet(now, &packet);
        transmission.packet(now + Duration::from_millis(5), &packet);
        let at = now + Duration::from_millis(10);
        let report = transmission.report(at, NtpTimestamp(1), 7);
        assert_eq!(report.rtp_timestamp, 810);
        assert_eq!((report.packet_count, report.octet_count), (2, 200));
    }

    #[test]
    fn with_another_clock_there_is_no_report_before_a_packet_of_it() {
        let now = Instant::now();
        let within = Duration::from_secs(2);
        let packet = Packet::new(Header::default(), vec![0; 100]);
        let mut transmission = Transmission::new(48_000);
        transmission.packet(now, &packet);
        transmission.set_clock_rate(48_000);
        assert!(transmission.is_active(now, within));
        transmission.set_clock_rate(8000);
        assert!(!transmission.is_active(now, within));
        transmission.packet(now, &packet);
        assert!(transmission.is_active(now, within));
        let later = now + Duration::from_secs(1);
        let report = transmission.report(later, NtpTimestamp(1), 7);
        assert_eq!((report.rtp_timestamp, report.packet_count), (8000, 2));
    }
}
