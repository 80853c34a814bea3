//! The retransmission timeout (RFC 9260 §6.3) and timers that double it.

use crate::Factory;
use std::time::{Duration, Instant};

/// The granularity of the clock, `G` in RFC 9260 §6.3.1.
const GRANULARITY: Duration = Duration::from_millis(1);

/// SRTT, RTTVAR and RTO of the path.
#[derive(Clone, Debug)]
pub(crate) struct Rto {
    smoothed: Option<(Duration, Duration)>,
    timeout: Duration,
    min: Duration,
    max: Duration,
    backoff_max: Duration,
}

impl Rto {
    pub(crate) fn new(settings: &Factory) -> Self {
        Self {
            smoothed: None,
            timeout: settings.rto_initial,
            min: settings.rto_min,
            max: settings.rto_max.max(settings.rto_min),
            backoff_max: settings.backoff_max,
        }
    }

    /// Takes a measurement (RFC 9260 §6.3.1, rules C2 and C3).
    pub(crate) fn measure(&mut self, round_trip: Duration) {
        let (srtt, rttvar) = match self.smoothed {
            None => (round_trip, round_trip / 2),
            Some((srtt, rttvar)) => (
                srtt * 7 / 8 + round_trip / 8,
                rttvar * 3 / 4 + srtt.abs_diff(round_trip) / 4,
            ),
        };
        self.smoothed = Some((srtt, rttvar));
        self.timeout = (srtt + (4 * rttvar).max(GRANULARITY)).clamp(self.min, self.max);
    }

    /// Takes a measurement that includes waiting for timers if it is wrong, so that it must not
    /// count for more than the longest wait.
    pub(crate) fn measure_late(&mut self, round_trip: Duration) {
        self.measure(round_trip.min(self.backoff_max));
    }

    /// A lower layer's measurement counts only while there is none of our own.
    pub(crate) fn hint(&mut self, round_trip: Duration) {
        if self.smoothed.is_none() {
            self.measure(round_trip);
            self.smoothed = None;
        }
    }

    /// The timeout without any backoff.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The timeout after `expirations` in a row: doubled each time (RFC 9260 §6.3.3, rule E2).
    pub(crate) fn backed_off(&self, expirations: u32) -> Duration {
        let doubled = self.timeout * 2_u32.saturating_pow(expirations.min(16));
        doubled.min(self.backoff_max.max(self.timeout))
    }

    /// What few round trips exceed: the timeout without its floor.
    pub(crate) fn round_trip_at_most(&self) -> Option<Duration> {
        self.smoothed.map(|(srtt, rttvar)| srtt + 4 * rttvar)
    }

    pub(crate) fn smoothed_round_trip(&self) -> Option<Duration> {
        self.smoothed.map(|(srtt, _)| srtt)
    }
}

/// Something that is sent again, at doubling intervals, until it is answered.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    due: Instant,
    expirations: u32,
    /// Whether it is to be sent at the next opportunity.
    pub(crate) pending: bool,
}

impl Retry {
    /// To be sent now, and again after the timeout.
    pub(crate) fn new(now: Instant, rto: &Rto) -> Self {
        Self {
            due: now + rto.timeout(),
            expirations: 0,
            pending: true,
        }
    }

    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// If the time has come: counts an expiration and asks for another sending. Returns how many
    /// there were.
    pub(crate) fn expire(&mut self, now: Instant, rto: &Rto) -> Option<u32> {
        if now < self.due {
            return None;
        }
        self.expirations += 1;
        self.due = now + rto.backed_off(self.expirations);
        self.pending = true;
        Some(self.expirations)
    }

    /// Starts the waiting anew, without sending.
    pub(crate) fn restart(&mut self, now: Instant, rto: &Rto) {
        self.expirations = 0;
        self.due = now + rto.timeout();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rto() -> Rto {
        Rto::new(&Factory::default())
    }

    // sctp-022
    #[test]
    fn the_first_measurement_sets_both_estimates() {
        let mut rto = rto();
        assert_eq!(rto.timeout(), Duration::from_millis(500));
        rto.measure(Duration::from_millis(200));
        assert_eq!(rto.smoothed_round_trip(), Some(Duration::from_millis(200)));
        assert_eq!(rto.timeout(), Duration::from_millis(600));
    }

    // sctp-022
    #[test]
    fn steady_measurements_bring_the_timeout_to_its_floor() {
        let mut rto = rto();
        for _ in 0..100 {
            rto.measure(Duration::from_millis(10));
        }
        assert_eq!(rto.timeout(), Duration::from_millis(220));
    }

    // sctp-022, dfx-048
    #[test]
    fn expirations_double_the_timeout_up_to_the_cap() {
        let rto = rto();
        assert_eq!(rto.backed_off(1), Duration::from_secs(1));
        assert_eq!(rto.backed_off(2), Duration::from_secs(2));
        assert_eq!(rto.backed_off(3), Duration::from_secs(3));
        assert_eq!(rto.backed_off(u32::MAX), Duration::from_secs(3));
    }

    #[test]
    fn a_hint_yields_to_a_measurement() {
        let mut rto = rto();
        rto.hint(Duration::from_millis(100));
        assert_eq!(rto.timeout(), Duration::from_millis(300));
        assert_eq!(rto.smoothed_round_trip(), None);
        rto.measure(Duration::from_millis(400));
        rto.hint(Duration::from_millis(1));
        assert_eq!(rto.smoothed_round_trip(), Some(Duration::from_millis(400)));
    }
}
