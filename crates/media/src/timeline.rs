use rtp::Sample;
use std::time::Duration;

/// Where the samples of a stream lie on the time axis of its file.
///
/// A sample that came over RTP lies where its timestamp says, across the wrap of the 32 bits; one
/// without a timestamp begins where the one before it ends. The first lies at zero.
#[derive(Debug)]
pub(crate) struct Timeline {
    clock_rate: u32,
    /// The last timestamp, and the ticks since the first one.
    last: Option<(u32, u64)>,
    /// Where the next sample begins if nothing else is said.
    next: Duration,
}

impl Timeline {
    pub(crate) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate: clock_rate.max(1),
            last: None,
            next: Duration::ZERO,
        }
    }

    /// When the sample begins, counted from the first.
    pub(crate) fn place(&mut self, sample: &Sample) -> Duration {
        let at = match sample.timestamp {
            Some(timestamp) => self.place_timestamp(timestamp),
            None => self.next,
        };
        self.next = at.saturating_add(sample.duration);
        at
    }

    /// Begins again after a jump: the sample lies at `at`, whatever its timestamp.
    pub(crate) fn restart(&mut self, at: Duration, sample: &Sample) {
        self.last = None;
        self.next = at;
        self.place(sample);
    }

    /// Says where a timestamp lies.
    pub(crate) fn anchor(&mut self, at: Duration, timestamp: u32) {
        self.last = Some((timestamp, to_ticks(at, self.clock_rate)));
    }

    fn place_timestamp(&mut self, timestamp: u32) -> Duration {
        let ticks = match self.last {
            None => to_ticks(self.next, self.clock_rate),
            Some((last, ticks)) => {
                // Half of the circle is ahead, half of it behind (RFC 3550 §5.1).
                let forward = timestamp.wrapping_sub(last).cast_signed();
                ticks.saturating_add_signed(forward.into())
            }
        };
        self.last = Some((timestamp, ticks));
        from_ticks(ticks, self.clock_rate)
    }
}

/// The time of a count of ticks, rounded down to a nanosecond.
pub(crate) fn from_ticks(ticks: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    let nanos = ticks % rate * 1_000_000_000 / rate;
    Duration::from_secs(ticks / rate) + Duration::from_nanos(nanos)
}

/// The nearest count of ticks.
pub(crate) fn to_ticks(time: Duration, rate: u32) -> u64 {
    let ticks = (time.as_nanos() * u128::from(rate) + 500_000_000) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(timestamp: u32) -> Sample {
        let mut sample = Sample::new(Vec::new(), Duration::from_millis(20));
        sample.timestamp = Some(timestamp);
        sample
    }

    #[test]
    fn samples_without_a_timestamp_follow_each_other() {
        let mut timeline = Timeline::new(48_000);
        let sample = Sample::new(Vec::new(), Duration::from_millis(20));
        assert_eq!(timeline.place(&sample), Duration::ZERO);
        assert_eq!(timeline.place(&sample), Duration::from_millis(20));
        assert_eq!(timeline.place(&sample), Duration::from_millis(40));
    }

    #[test]
    fn timestamps_count_across_the_wrap() {
        let mut timeline = Timeline::new(90_000);
        assert_eq!(timeline.place(&at(u32::MAX - 44_999)), Duration::ZERO);
        assert_eq!(timeline.place(&at(45_000)), Duration::from_secs(1));
        assert_eq!(timeline.place(&at(0)), Duration::from_millis(500));
        assert_eq!(timeline.place(&at(90_000)), Duration::from_millis(1500));
    }

    #[test]
    fn ticks_survive_the_way_through_time() {
        for rate in [1, 7, 30, 1000, 48_000, 90_000] {
            for ticks in [0, 1, 2, 29, 12_345, 90_001, u64::from(u32::MAX)] {
                assert_eq!(to_ticks(from_ticks(ticks, rate), rate), ticks, "{rate}");
            }
        }
    }
}
