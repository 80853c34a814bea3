use super::hystart::{HyStart, Verdict};
use super::{Acked, Controller, float, whole};
use std::time::{Duration, Instant};

/// How fast the cubic function grows, packets per cubic second: `C` in RFC 9438 §5.
const C: f64 = 0.4;

/// What remains of the window after a loss: beta_cubic in RFC 9438 §4.6.
const BETA: f64 = 0.7;

/// By how many packets per window Reno would grow so as to be as fast as it is with a factor of one
/// half: alpha_cubic in RFC 9438 §4.3.
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// The least window outside of a timeout, in packets (RFC 9260 §7.2.3).
const MIN_PACKETS: usize = 4;

/// How many packets one SACK may add in slow start while nothing paces them (RFC 9406 §4.2, `L`).
const SLOW_START_LIMIT: usize = 8;

/// CUBIC (RFC 9438) with HyStart++ (RFC 9406).
#[derive(Debug)]
pub(crate) struct Cubic {
    segment: usize,
    initial: usize,
    window: usize,
    threshold: usize,
    hystart: Option<HyStart>,
    in_recovery: bool,
    /// The window before the last reduction, in packets; less if it did not reach the one before
    /// (fast convergence, RFC 9438 §4.7).
    w_max: f64,
    epoch: Option<Epoch>,
    /// Grown fractions of a byte.
    fraction: f64,
}

/// Congestion avoidance since the last reduction.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    began: Instant,
    /// The time the function takes to come back to its plateau, in seconds.
    k: f64,
    plateau: f64,
    /// The window that Reno would have, in packets (RFC 9438 §4.3).
    w_est: f64,
    /// The window at the reduction that Reno would come back to.
    w_prior: f64,
}

impl Cubic {
    pub(crate) fn new(initial_packets: usize, segment: usize) -> Self {
        let initial = initial_packets.max(1) * segment;
        Self {
            segment,
            initial,
            window: initial,
            threshold: usize::MAX,
            hystart: Some(HyStart::default()),
            in_recovery: false,
            w_max: 0.0,
            epoch: None,
            fraction: 0.0,
        }
    }

    fn packets(&self) -> f64 {
        float(self.window) / float(self.segment)
    }

    /// RFC 9438 §4.6 and §4.7.
    fn reduce(&mut self) {
        let packets = self.packets();
        self.w_max = if packets < self.w_max {
            packets * (1.0 + BETA) / 2.0
        } else {
            packets
        };
        let reduced = whole(float(self.window) * BETA);
        self.threshold = reduced.max(MIN_PACKETS * self.segment);
        self.epoch = None;
        // HyStart++ is for the first slow start only (RFC 9406 §4.3).
        self.hystart = None;
    }

    fn slow_start(&mut self, acked: &Acked) {
        let mut divisor = 1;
        if let Some(hystart) = &mut self.hystart {
            match hystart.acked(acked.now, acked.round_trip) {
                Verdict::Grow(by) => divisor = by,
                Verdict::Exit => {
                    self.threshold = self.window;
                    self.hystart = None;
                    return;
                }
            }
        }
        let limit = SLOW_START_LIMIT * self.segment;
        self.window += (acked.bytes / divisor).min(limit);
    }

    /// RFC 9438 §4.2 to §4.5.
    fn avoid_congestion(&mut self, acked: &Acked) {
        let packets = self.packets();
        let epoch = *self.epoch.get_or_insert_with(|| {
            let plateau = self.w_max.max(packets);
            Epoch {
                began: acked.now,
                k: ((plateau - packets) / C).cbrt(),
                plateau,
                w_est: packets,
                w_prior: plateau,
            }
        });
        let round_trip = acked.smoothed.unwrap_or(Duration::ZERO).as_secs_f64();
        let elapsed = acked
            .now
            .saturating_duration_since(epoch.began)
            .as_secs_f64();
        let w_cubic = |t: f64| C * (t - epoch.k).powi(3) + epoch.plateau;
        let acked_packets = float(acked.bytes) / float(self.segment);
        let alpha = if epoch.w_est < epoch.w_prior {
            ALPHA
        } else {
            1.0
        };
        let w_est = epoch.w_est + alpha * acked_packets / packets;
        self.epoch = Some(Epoch { w_est, ..epoch });
        let grown = if w_cubic(elapsed) < w_est {
            // Where Reno is faster, as fast as Reno.
            (w_est - packets).max(0.0)
        } else {
            let target = w_cubic(elapsed + round_trip).clamp(packets, 1.5 * packets);
            (target - packets) / packets * acked_packets
        };
        let bytes = grown * float(self.segment) + self.fraction;
        self.window += whole(bytes);
        self.fraction = bytes.fract();
    }
}

impl Controller for Cubic {
    fn acked(&mut self, acked: Acked) {
        if self.in_recovery {
            return;
        }
        if acked.in_flight_before + self.segment <= self.window {
            // A window that is not used does not grow, and the time does not count (RFC 9438 §5.8).
            self.epoch = None;
            return;
        }
        if self.window < self.threshold {
            self.slow_start(&acked);
        } else {
            self.avoid_congestion(&acked);
        }
    }

    fn lost(&mut self) {
        self.reduce();
        self.window = self.threshold;
        self.in_recovery = true;
    }

    fn recovered(&mut self) {
        self.in_recovery = false;
    }

    fn timed_out(&mut self) {
        self.reduce();
        self.window = self.segment;
        self.in_recovery = false;
    }

    fn idle(&mut self, _: Instant, timeouts: u32) {
        self.epoch = None;
        if self.window > self.initial {
            self.threshold = self.threshold.max(self.window);
            self.window = (self.window >> timeouts.min(31)).max(self.initial);
        }
    }

    fn set_segment(&mut self, bytes: usize) {
        self.w_max *= float(self.segment) / float(bytes);
        self.initial = self.initial / self.segment * bytes;
        self.segment = bytes;
        self.window = self.window.max(bytes);
        self.epoch = None;
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
    const ROUND_TRIP: Duration = Duration::from_millis(100);

    /// A round trip in which the whole window is acknowledged.
    fn round(cubic: &mut Cubic, now: &mut Instant) {
        *now += ROUND_TRIP;
        let mut left = cubic.window();
        while left > 0 {
            let bytes = left.min(2 * SEGMENT);
            left -= bytes;
            cubic.acked(Acked {
                now: *now,
                bytes,
                in_flight_before: cubic.window(),
                in_flight: cubic.window() - bytes,
                advanced: true,
                round_trip: Some(ROUND_TRIP),
                smoothed: Some(ROUND_TRIP),
                delivery: None,
            });
        }
    }

    #[test]
    fn slow_start_doubles_the_window_each_round_trip() {
        let (mut cubic, mut now) = (Cubic::new(10, SEGMENT), Instant::now());
        for _ in 0..4 {
            round(&mut cubic, &mut now);
        }
        assert_eq!(cubic.window(), 160_000);
    }

    #[test]
    fn after_a_loss_the_window_comes_back_to_its_plateau_when_the_function_says() {
        let (mut cubic, mut now) = (Cubic::new(10, SEGMENT), Instant::now());
        for _ in 0..7 {
            round(&mut cubic, &mut now);
        }
        let before = cubic.window();
        assert_eq!(before, 1_280_000);
        cubic.lost();
        cubic.recovered();
        assert_eq!(cubic.window(), 896_000);
        // K = cbrt(1280 * 0.3 / 0.4) = 9.9 s (RFC 9438 §4.2).
        for _ in 0..50 {
            round(&mut cubic, &mut now);
        }
        assert!(cubic.window() > 1_200_000, "concave: fast at first");
        assert!(cubic.window() < before);
        for _ in 0..50 {
            round(&mut cubic, &mut now);
        }
        let back = cubic.window();
        assert!(back.abs_diff(before) < 15_000, "{back}");
        for _ in 0..100 {
            round(&mut cubic, &mut now);
        }
        assert!(
            cubic.window() > 1_600_000,
            "convex beyond it: {}",
            cubic.window()
        );
    }

    #[test]
    fn a_small_window_grows_as_fast_as_reno() {
        let (mut cubic, mut now) = (Cubic::new(20, SEGMENT), Instant::now());
        cubic.lost();
        cubic.recovered();
        assert_eq!(cubic.window(), 14_000);
        for _ in 0..40 {
            round(&mut cubic, &mut now);
        }
        // Reno from 10 would stand at 50 by now; 6 packets at 0.53, then one per round trip.
        assert!(cubic.window() > 35_000, "{}", cubic.window());
    }

    #[test]
    fn a_timeout_leaves_one_packet() {
        let mut cubic = Cubic::new(20, SEGMENT);
        cubic.timed_out();
        assert_eq!(cubic.window(), SEGMENT);
        cubic.lost();
        assert_eq!(cubic.window(), MIN_PACKETS * SEGMENT);
    }
}
