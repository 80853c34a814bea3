use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use std::time::{Duration, Instant};

/// The retransmission timer of a flight (RFC 6347 §4.2.4.1, RFC 9147 §5.8.2).
#[derive(Debug)]
pub(crate) struct Timer {
    /// The first wait; each further one is twice as long.
    interval: Duration,
    /// How often it has fired for this flight.
    fired: u32,
    at: Option<Instant>,
}

/// RFC 6347 §4.2.4.1: no wait is longer.
const MAX_INTERVAL: Duration = Duration::from_secs(60);

impl Timer {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            fired: 0,
            at: None,
        }
    }

    /// The first wait of the flights to come.
    pub(crate) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// How often it has fired for this flight.
    pub(crate) fn fired(&self) -> u32 {
        self.fired
    }

    /// A new flight.
    pub(crate) fn start(&mut self, now: Instant, random: &mut ChaCha12Rng) {
        self.fired = 0;
        self.arm(now, random);
    }

    /// The flight is answered.
    pub(crate) fn stop(&mut self) {
        self.at = None;
    }

    /// Whether the time has come; if so, it waits twice as long for the next.
    pub(crate) fn fires(&mut self, now: Instant, random: &mut ChaCha12Rng) -> bool {
        let due = self.at.is_some_and(|at| at <= now);
        if due {
            self.fired = self.fired.saturating_add(1);
            self.arm(now, random);
        }
        due
    }

    /// Up to a quarter more or less, so that both ends do not keep meeting.
    fn arm(&mut self, now: Instant, random: &mut ChaCha12Rng) {
        let doubled = 1_u32.checked_shl(self.fired).unwrap_or(u32::MAX);
        let wait = self.interval.saturating_mul(doubled).min(MAX_INTERVAL);
        let share = 750 + random.next_u32() % 500;
        self.at = Some(now + wait / 1000 * share);
    }
}
