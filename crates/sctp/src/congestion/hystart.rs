//! When slow start ends before there is a loss (HyStart++, RFC 9406): when the round trip grows, the
//! window has filled the path.

use std::time::{Duration, Instant};

/// How much the round trip must grow, within these limits (RFC 9406 §4.3).
const MIN_THRESHOLD: Duration = Duration::from_millis(4);
const MAX_THRESHOLD: Duration = Duration::from_millis(16);
/// The divisor of the round trip that gives the threshold between them.
const THRESHOLD_DIVISOR: u32 = 8;
/// Samples of a round that make its least round trip worth something.
const SAMPLES: u32 = 8;
/// How much slower growth is in Conservative Slow Start.
const CSS_GROWTH_DIVISOR: usize = 4;
/// How many rounds it lasts.
const CSS_ROUNDS: u32 = 5;

/// The state of RFC 9406 §4.2. A round is a round trip: it ends when what was sent first in it is
/// acknowledged, that is, one round trip after its begin.
#[derive(Debug, Default)]
pub(super) struct HyStart {
    round_ends: Option<Instant>,
    last_least: Option<Duration>,
    least: Option<Duration>,
    samples: u32,
    conservative: Option<Conservative>,
}

/// Conservative Slow Start: the path may be full.
#[derive(Clone, Copy, Debug)]
struct Conservative {
    baseline: Duration,
    rounds: u32,
}

/// What slow start does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The window grows by the acknowledged bytes divided by this.
    Grow(usize),
    /// Slow start is over.
    Exit,
}

impl HyStart {
    /// Something was acknowledged in slow start.
    pub(super) fn acked(&mut self, now: Instant, round_trip: Option<Duration>) -> Verdict {
        if let Some(round_trip) = round_trip {
            self.sample(round_trip);
            if self.round_ends.is_none_or(|end| now >= end) && self.end_round(now, round_trip) {
                return Verdict::Exit;
            }
        }
        Verdict::Grow(if self.conservative.is_some() {
            CSS_GROWTH_DIVISOR
        } else {
            1
        })
    }

    fn sample(&mut self, round_trip: Duration) {
        let least = self.least.map_or(round_trip, |least| least.min(round_trip));
        self.least = Some(least);
        self.samples += 1;
        if self.samples < SAMPLES {
            return;
        }
        match self.conservative {
            // It shrank again: going over was a mistake.
            Some(conservative) if least < conservative.baseline => self.conservative = None,
            Some(_) => {}
            None => {
                if let Some(last) = self.last_least
                    && least
                        >= last + (last / THRESHOLD_DIVISOR).clamp(MIN_THRESHOLD, MAX_THRESHOLD)
                {
                    self.conservative = Some(Conservative {
                        baseline: least,
                        rounds: 0,
                    });
                }
            }
        }
    }

    /// Starts another round; whether there were enough of Conservative Slow Start.
    fn end_round(&mut self, now: Instant, round_trip: Duration) -> bool {
        self.last_least = self.least.take();
        self.samples = 0;
        self.round_ends = Some(now + round_trip);
        match &mut self.conservative {
            Some(conservative) => {
                conservative.rounds += 1;
                conservative.rounds >= CSS_ROUNDS
            }
            None => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A round of ten acknowledgements; what the last of them said.
    fn round(hystart: &mut HyStart, now: &mut Instant, round_trip: u64) -> Verdict {
        let mut verdict = Verdict::Grow(1);
        for _ in 0..10 {
            *now += ms(round_trip) / 10;
            verdict = hystart.acked(*now, Some(ms(round_trip)));
            if verdict == Verdict::Exit {
                break;
            }
        }
        verdict
    }

    #[test]
    fn a_steady_round_trip_keeps_slow_start_going() {
        let (mut hystart, mut now) = (HyStart::default(), Instant::now());
        for _ in 0..20 {
            assert_eq!(round(&mut hystart, &mut now, 50), Verdict::Grow(1));
        }
    }

    #[test]
    fn a_growing_round_trip_slows_it_and_ends_it_after_five_rounds() {
        let (mut hystart, mut now) = (HyStart::default(), Instant::now());
        for _ in 0..3 {
            round(&mut hystart, &mut now, 50);
        }
        let verdicts: Vec<_> = (0..12).map(|_| round(&mut hystart, &mut now, 60)).collect();
        assert!(verdicts.contains(&Verdict::Grow(4)), "{verdicts:?}");
        assert!(verdicts.contains(&Verdict::Exit), "{verdicts:?}");
    }

    #[test]
    fn a_round_trip_that_shrinks_again_resumes_slow_start() {
        let (mut hystart, mut now) = (HyStart::default(), Instant::now());
        for _ in 0..3 {
            round(&mut hystart, &mut now, 50);
        }
        while round(&mut hystart, &mut now, 60) != Verdict::Grow(4) {}
        round(&mut hystart, &mut now, 50);
        assert_eq!(round(&mut hystart, &mut now, 50), Verdict::Grow(1));
    }
}
