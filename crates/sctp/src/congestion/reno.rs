use super::{Acked, Controller};
use std::time::Instant;

/// How many packets one SACK may add in slow start: `L` in RFC 9260 §7.2.1, which says 1 or more.
/// A receiver that takes packets in batches acknowledges a batch with one SACK; with 1 the window
/// would hardly grow there.
const SLOW_START_LIMIT: usize = 8;

/// The least slow start threshold and the least window outside of a timeout, in packets
/// (RFC 9260 §7.2.3).
const MIN_PACKETS: usize = 4;

/// Slow start, congestion avoidance and their reaction to loss (RFC 9260 §7.2).
#[derive(Debug)]
pub(crate) struct Reno {
    segment: usize,
    initial: usize,
    window: usize,
    threshold: usize,
    partial_bytes_acked: usize,
    in_recovery: bool,
}

impl Reno {
    pub(crate) fn new(initial_packets: usize, segment: usize) -> Self {
        let initial = initial_packets.max(1) * segment;
        Self {
            segment,
            initial,
            window: initial,
            // Arbitrarily high (RFC 9260 §7.2.1).
            threshold: usize::MAX,
            partial_bytes_acked: 0,
            in_recovery: false,
        }
    }

    fn halve(&mut self) {
        self.threshold = (self.window / 2).max(MIN_PACKETS * self.segment);
        self.partial_bytes_acked = 0;
    }

    /// RFC 9260 §7.2.1.
    fn slow_start(&mut self, acked: Acked) {
        if acked.advanced && acked.in_flight_before + self.segment > self.window {
            self.window += acked.bytes.min(SLOW_START_LIMIT * self.segment);
        }
    }

    /// RFC 9260 §7.2.2.
    fn avoid_congestion(&mut self, acked: Acked) {
        self.partial_bytes_acked += acked.bytes;
        if self.partial_bytes_acked >= self.window {
            self.partial_bytes_acked -= self.window;
            if acked.in_flight_before + self.segment > self.window {
                self.window += self.segment;
            }
        }
        if acked.in_flight == 0 {
            self.partial_bytes_acked = 0;
        }
        // What a window that is not used collects must not be spent in a burst later.
        self.partial_bytes_acked = self.partial_bytes_acked.min(self.window);
    }
}

impl Controller for Reno {
    fn acked(&mut self, acked: Acked) {
        if self.in_recovery {
            return;
        }
        if self.window <= self.threshold {
            self.slow_start(acked);
        } else {
            self.avoid_congestion(acked);
        }
    }

    fn lost(&mut self) {
        self.halve();
        self.window = self.threshold;
        self.in_recovery = true;
    }

    fn recovered(&mut self) {
        self.in_recovery = false;
    }

    fn timed_out(&mut self) {
        self.halve();
        self.window = self.segment;
        self.in_recovery = false;
    }

    fn idle(&mut self, _: Instant, timeouts: u32) {
        // RFC 9260 §7.2.1 goes down to four packets; ours is the initial window, as RFC 5681 §4.1
        // has it for TCP.
        if self.window > self.initial {
            self.threshold = self.window;
            self.window = (self.window >> timeouts.min(31)).max(self.initial);
        }
    }

    fn set_segment(&mut self, bytes: usize) {
        self.initial = self.initial / self.segment * bytes;
        self.segment = bytes;
        self.window = self.window.max(bytes);
    }

    fn window(&self) -> usize {
        self.window
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    const SEGMENT: usize = 1000;

    fn full(reno: &Reno, bytes: usize) -> Acked {
        Acked {
            now: Instant::now(),
            bytes,
            in_flight_before: reno.window(),
            in_flight: reno.window().saturating_sub(bytes),
            advanced: true,
            round_trip: None,
            smoothed: None,
            delivery: None,
        }
    }

    // sctp-028
    #[test]
    fn slow_start_grows_by_what_is_acknowledged_while_the_window_is_full() {
        let mut reno = Reno::new(10, SEGMENT);
        reno.acked(full(&reno, 2000));
        assert_eq!(reno.window(), 12_000);
        reno.acked(Acked {
            in_flight_before: 3000,
            in_flight: 1000,
            ..full(&reno, 2000)
        });
        assert_eq!(reno.window(), 12_000);
        reno.acked(full(&reno, 12_000));
        assert_eq!(reno.window(), 20_000);
    }

    // sctp-028
    #[test]
    fn a_loss_halves_and_congestion_avoidance_adds_a_packet_per_window() {
        let mut reno = Reno::new(20, SEGMENT);
        reno.lost();
        assert_eq!(reno.window(), 10_000);
        reno.acked(full(&reno, 10_000));
        assert_eq!(reno.window(), 10_000, "no growth in recovery");
        reno.recovered();
        // At the threshold it is slow start once more.
        reno.acked(full(&reno, 1000));
        assert_eq!(reno.window(), 11_000);
        for _ in 0..10 {
            reno.acked(full(&reno, 1000));
            assert_eq!(reno.window(), 11_000);
        }
        reno.acked(full(&reno, 1000));
        assert_eq!(reno.window(), 12_000);
    }

    // sctp-028
    #[test]
    fn a_timeout_leaves_one_packet() {
        let mut reno = Reno::new(20, SEGMENT);
        reno.timed_out();
        assert_eq!(reno.window(), SEGMENT);
        reno.lost();
        assert_eq!(reno.window(), MIN_PACKETS * SEGMENT);
    }

    #[test]
    fn an_idle_path_decays_to_the_initial_window() {
        let mut reno = Reno::new(10, SEGMENT);
        for _ in 0..10 {
            reno.acked(full(&reno, 8000));
        }
        assert_eq!(reno.window(), 90_000);
        reno.idle(Instant::now(), 1);
        assert_eq!(reno.window(), 45_000);
        reno.idle(Instant::now(), 40);
        assert_eq!(reno.window(), 10_000);
        reno.idle(Instant::now(), 1);
        assert_eq!(reno.window(), 10_000);
        reno.acked(full(&reno, 8000));
        assert_eq!(
            reno.window(),
            18_000,
            "what was reached before is reached again quickly"
        );
    }
}
