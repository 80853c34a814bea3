use layer::{Seed, Start};
use std::time::{Duration, Instant, SystemTime};

/// The wall clock at which virtual time begins, in seconds since 1970: 2026-01-01 00:00:00 UTC,
/// whenever the test runs.
pub const WALL_BASE_SECS: u64 = 1_767_225_600;

/// A clock that moves only when it is told to.
///
/// `std::time::Instant` has no zero, so the clock begins at the instant of its creation and counts
/// from there. What is recorded in a test is [`elapsed`](Clock::elapsed), never the instant, so that
/// two runs can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Instant,
    now: Instant,
}

impl Clock {
    /// A clock at zero.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where virtual time is anchored: only differences to it are used"
    )]
    pub fn new() -> Self {
        Self::starting_at(Instant::now())
    }

    /// A clock whose zero is `base`, for machines that live beside another virtual clock (the paused
    /// clock of a tokio runtime).
    #[must_use]
    pub fn starting_at(base: Instant) -> Self {
        Self { base, now: base }
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The time since zero.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - self.base
    }

    /// The time since zero at `instant`; nothing if it lies before zero.
    #[must_use]
    pub fn offset(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.base)
    }

    /// Moves to `instant`. An instant in the past leaves the clock where it is: time never goes back.
    pub fn advance_to(&mut self, instant: Instant) {
        self.now = self.now.max(instant);
    }

    /// Moves on by `duration`.
    pub fn advance(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// The wall clock now: [`WALL_BASE_SECS`] and the time since zero.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(WALL_BASE_SECS) + self.elapsed()
    }

    /// What a machine that is born now gets.
    #[must_use]
    pub fn start(&self, seed: Seed) -> Start {
        Start::new(self.now, self.wall(), seed)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back() {
        let mut clock = Clock::new();
        let zero = clock.now();
        clock.advance(Duration::from_secs(5));
        clock.advance_to(zero);
        assert_eq!(clock.elapsed(), Duration::from_secs(5));
        assert_eq!(clock.wall(), clock.start(Seed::new([0; 32])).wall);
    }
}
