use std::time::{Duration, Instant};

/// How long a measurement says something about the path (RFC 8489 §6.2.1).
const STALE: Duration = Duration::from_secs(600);

/// The round trip to one server, measured (RFC 8489 §6.2.1, RFC 6298 §2): how long the next request
/// should wait for its answer.
///
/// Only what [`Transaction::round_trip`](crate::Transaction::round_trip) gives is measured, so Karn's
/// rule is kept. The times are exact and not rounded up to a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrip(Option<Estimate>);

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
    at: Instant,
}

impl RoundTrip {
    /// A request was answered after this time.
    pub fn measured(&mut self, now: Instant, round_trip: Duration) {
        let (smoothed, variation) = match self.fresh(now) {
            // RFC 6298 §2.2
            None => (round_trip, round_trip / 2),
            // RFC 6298 §2.3
            Some(last) => {
                let error = last.smoothed.abs_diff(round_trip);
                let variation = (last.variation * 3 + error) / 4;
                ((last.smoothed * 7 + round_trip) / 8, variation)
            }
        };
        self.0 = Some(Estimate {
            smoothed,
            variation,
            at: now,
        });
    }

    /// RTO; `None` before the first measurement and when the last one is older than 10 minutes.
    #[must_use]
    pub fn timeout(&self, now: Instant) -> Option<Duration> {
        let estimate = self.fresh(now)?;
        Some(estimate.smoothed + estimate.variation * 4)
    }

    fn fresh(&self, now: Instant) -> Option<Estimate> {
        self.0
            .filter(|estimate| now.saturating_duration_since(estimate.at) < STALE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-022
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some instant to start from"
    )]
    #[test]
    fn the_timeout_follows_what_was_measured_and_is_forgotten_after_ten_minutes() {
        let now = Instant::now();
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.timeout(now), None);
        round_trip.measured(now, Duration::from_millis(800));
        assert_eq!(round_trip.timeout(now), Some(Duration::from_millis(2400)));
        for _ in 0..50 {
            round_trip.measured(now, Duration::from_millis(800));
        }
        let settled = round_trip.timeout(now).unwrap();
        assert!((800..=802).contains(&settled.as_millis()), "{settled:?}");
        round_trip.measured(now, Duration::from_millis(1600));
        assert!(round_trip.timeout(now).unwrap() > Duration::from_millis(1600));
        assert_eq!(round_trip.timeout(now + STALE), None);
    }
}
