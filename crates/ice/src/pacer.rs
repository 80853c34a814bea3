//! How fast checks may follow each other (RFC 8445 §14.2).

use std::time::{Duration, Instant};

/// No agent starts checks more often than this on average (RFC 8445 §14.2, ice-029).
pub(crate) const MIN_INTERVAL: Duration = Duration::from_millis(5);

/// Lets one check pass per interval, and a few at once after a pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacer {
    interval: Duration,
    /// How far ahead of its schedule a check may start.
    slack: Duration,
    /// When the next check would start if all were spaced evenly.
    schedule: Instant,
}

impl Pacer {
    pub(crate) fn new(now: Instant, interval: Duration, burst: u32) -> Self {
        let interval = interval.max(MIN_INTERVAL);
        Self {
            interval,
            slack: interval.saturating_mul(burst.saturating_sub(1)),
            schedule: now,
        }
    }

    /// Other checks count from now on: one per this interval, and as many at once as before.
    pub(crate) fn set_interval(&mut self, interval: Duration, burst: u32) {
        let now = self.schedule;
        *self = Self::new(now, interval, burst);
    }

    /// The time between two checks.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether a check may start.
    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        self.schedule <= now + self.slack
    }

    /// When a check may start; an instant in the past means now.
    pub(crate) fn ready_at(&self) -> Instant {
        self.schedule
            .checked_sub(self.slack)
            .unwrap_or(self.schedule)
    }

    /// A check has started. Checks that answer an event start regardless of the schedule, and the
    /// next ordinary one waits for longer.
    pub(crate) fn started(&mut self, now: Instant) {
        let limit = now + self.slack + self.interval;
        self.schedule = (self.schedule.max(now) + self.interval).min(limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some instant to start from"
    )]
    fn now() -> Instant {
        Instant::now()
    }

    // ice-028, ice-029
    #[test]
    fn a_burst_goes_at_once_and_the_rest_one_per_interval() {
        let start = now();
        let mut pacer = Pacer::new(start, Duration::from_millis(50), 3);
        let mut times = Vec::new();
        let mut now = start;
        while times.len() < 6 {
            if pacer.is_ready(now) {
                pacer.started(now);
                times.push((now - start).as_millis());
            } else {
                now = pacer.ready_at();
            }
        }
        assert_eq!(times, [0, 0, 0, 50, 100, 150]);
    }

    // ice-029
    #[test]
    fn another_interval_counts_from_the_next_check_on() {
        let start = now();
        let mut pacer = Pacer::new(start, Duration::from_millis(50), 1);
        pacer.started(start);
        pacer.set_interval(Duration::from_millis(200), 1);
        assert_eq!(pacer.ready_at(), start + Duration::from_millis(50));
        pacer.started(pacer.ready_at());
        assert_eq!(pacer.ready_at(), start + Duration::from_millis(250));
    }

    // ice-029
    #[test]
    fn the_interval_is_never_below_five_milliseconds() {
        let pacer = Pacer::new(now(), Duration::ZERO, 1);
        assert_eq!(pacer.interval(), Duration::from_millis(5));
    }
}
