//! Generic NACK (RFC 4585 §6.2.1): asking for packets again, and answering.

mod generator;
mod history;
mod missing;
mod responder;

pub use self::generator::NackGenerator;
pub use self::responder::NackResponder;

use std::time::Duration;

/// The round trip, smoothed as RFC 6298 §2 does: one odd measurement must not make a storm.
#[derive(Clone, Copy, Debug, Default)]
struct RoundTrip(Option<Duration>);

impl RoundTrip {
    fn measured(&mut self, sample: Duration) {
        self.0 = Some(
            self.0
                .map_or(sample, |smoothed| (smoothed * 7 + sample) / 8),
        );
    }

    fn get(self) -> Duration {
        self.0.unwrap_or(DEFAULT_ROUND_TRIP)
    }
}

/// The round trip that is assumed before one is known: that of a path across a continent.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);
