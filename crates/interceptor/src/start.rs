use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// What a pipeline is born with: the time and its randomness.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct PipelineStart {
    /// The instant of creation. Every later `now` is at or after it.
    pub now: Instant,
    /// The wall clock at `now`, for sender reports. A later wall time follows the monotonic clock.
    pub wall: SystemTime,
    /// 32 unguessable bytes. The times of reports and the SSRC that reports come from them.
    pub seed: [u8; 32],
}

impl PipelineStart {
    /// All three parts.
    #[must_use]
    pub fn new(now: Instant, wall: SystemTime, seed: [u8; 32]) -> Self {
        Self { now, wall, seed }
    }
}

impl fmt::Debug for PipelineStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineStart")
            .field("now", &self.now)
            .field("wall", &self.wall)
            .finish_non_exhaustive()
    }
}

/// The wall clock, which follows the monotonic one from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock {
    start: Instant,
    wall: rtp::rtcp::NtpTimestamp,
}

impl WallClock {
    pub(crate) fn new(start: &PipelineStart) -> Self {
        Self {
            start: start.now,
            wall: rtp::rtcp::NtpTimestamp::from_system_time(start.wall),
        }
    }

    pub(crate) fn at(&self, now: Instant) -> rtp::rtcp::NtpTimestamp {
        self.wall + now.saturating_duration_since(self.start)
    }
}

/// How far an RTP clock goes on in a time, wrapping.
pub(crate) fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    let whole = duration.as_secs().wrapping_mul(clock_rate.into());
    let part = u64::from(duration.subsec_nanos()) * u64::from(clock_rate) / 1_000_000_000;
    let [_, _, _, _, low @ ..] = whole.wrapping_add(part).to_be_bytes();
    u32::from_be_bytes(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rtp_clock_wraps_and_keeps_its_fractions() {
        assert_eq!(ticks(Duration::from_millis(1500), 90_000), 135_000);
        assert_eq!(ticks(Duration::from_micros(125), 8_000), 1);
        let day = Duration::from_secs(86_400);
        assert_eq!(u64::from(ticks(day, 90_000)), 86_400 * 90_000 % (1 << 32));
    }
}
