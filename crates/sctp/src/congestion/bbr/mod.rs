//! Congestion control by a model of the path, in the manner of BBR (draft-ietf-ccwg-bbr, version 3):
//! packets leave at the rate at which the path was seen to deliver, and a little more than that
//! product of rate and round trip is in flight. From time to time it sends more for a moment, to
//! see whether the path has become faster, and less, to see how long it is without a queue.
//!
//! It differs from the draft where a lossy radio link is taken for a full queue. The draft takes
//! more than 2 % of loss for congestion. Here it is 2 % beyond what is lost when no packet waits in
//! a queue, see [`Model::learn_own_loss`].

mod model;

use super::{Acked, Controller, float, whole};
use crate::outstanding::Delivery;
use model::Model;
use std::time::{Duration, Instant};

/// The least window, in packets: fewer do not get a SACK each round trip (`MinPipeCwnd`).
const MIN_PACKETS: usize = 4;

/// How much faster than the bandwidth is sent while it is not known (`StartupPacingGain`, 4 ln 2).
const STARTUP_GAIN: f64 = 2.77;

/// How fast the queue that startup has made is drained (`DrainPacingGain`).
const DRAIN_GAIN: f64 = 0.5;

/// What is sent in the phases of a probing cycle, in parts of the bandwidth.
const DOWN_GAIN: f64 = 0.9;
const UP_GAIN: f64 = 1.25;

/// What may be in flight, in bandwidth-delay products, and more than that when probing.
const WINDOW_GAIN: f64 = 2.0;
const UP_WINDOW_GAIN: f64 = 2.25;

/// A little less than the bandwidth, so that queues empty in the end (`PacingMarginPercent`).
const PACING_MARGIN: f64 = 0.99;

/// What remains of a bound that turned out too high (`Beta`).
const BETA: f64 = 0.7;

/// The part of the longest safe flight that is left free for others (`Headroom`).
const HEADROOM: f64 = 0.15;

/// Startup ends after this many rounds without this growth.
const FULL_ROUNDS: u32 = 3;
const FULL_GROWTH: f64 = 1.25;

/// So many packets lost in a round are not chance (`StartupFullLossCnt`).
const FULL_LOSSES: usize = 6;

/// The time between probes for bandwidth (`BBRPickProbeWait`), and the bound on it in rounds, which
/// lets Reno have its share (`BBRIsRenoCoexistenceProbeTime`).
const PROBE_WAIT: Duration = Duration::from_secs(2);
const MAX_PROBE_ROUNDS: f64 = 63.0;

/// How long little is in flight to see the least round trip (`ProbeRTTDuration`), and how little
/// (`ProbeRTTCwndGain`).
const ROUND_TRIP_PROBE: Duration = Duration::from_millis(200);
const ROUND_TRIP_PROBE_GAIN: f64 = 0.5;

/// The most that one burst adds to what must be in flight (`send_quantum`).
const MAX_QUANTUM: usize = 64 * 1024;

/// A controller in the manner of BBR.
#[derive(Debug)]
pub(crate) struct Bbr {
    segment: usize,
    initial: usize,
    window: usize,
    /// Bytes per second; `None` before the first round trip.
    rate: Option<f64>,
    model: Model,
    phase: Phase,
    pipe: Pipe,
    /// The largest flight that was safe, once one was not.
    longest: Option<f64>,
    /// What the losses since the last probe leave.
    short_term: Option<ShortTerm>,
    cycle: Cycle,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Doubles each round trip to find the bandwidth.
    Startup,
    Drain,
    /// Sends less, so that the queue of the last probe empties.
    Down,
    /// Sends what the path carries.
    Cruise,
    /// Fills the path before it sends more, so that a loss means what it says.
    Refill {
        round: u64,
    },
    /// Sends more, to see whether more gets through.
    Up(Up),
    /// Sends little, to see the least round trip.
    RoundTrip {
        until: Instant,
        round: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Up {
    since: Instant,
    round: u64,
    /// The bandwidth at the start of the round, and rounds in which it did not grow.
    bandwidth: f64,
    flat: u32,
    /// How many segments a window of acknowledgements adds to the longest flight.
    growth: f64,
}

/// Whether the path was ever full.
#[derive(Debug, Default)]
struct Pipe {
    bandwidth: f64,
    flat: u32,
    full: bool,
}

#[derive(Clone, Copy, Debug)]
struct ShortTerm {
    bandwidth: f64,
    in_flight: f64,
}

/// When the probing cycle began, and how long it lasts.
#[derive(Debug)]
struct Cycle {
    began: Option<Instant>,
    round: u64,
    wait: Duration,
    dice: u64,
}

impl Cycle {
    fn begin(&mut self, now: Instant, round: u64) {
        // Flows that began together must not probe together.
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.began = Some(now);
        self.round = round;
        self.wait = PROBE_WAIT + Duration::from_millis((self.dice >> 33) % 1000);
    }
}

impl Bbr {
    pub(crate) fn new(initial_packets: usize, segment: usize, seed: u64) -> Self {
        let initial = initial_packets.max(1) * segment;
        Self {
            segment,
            initial,
            window: initial,
            rate: None,
            model: Model::new(),
            phase: Phase::Startup,
            pipe: Pipe::default(),
            longest: None,
            short_term: None,
            cycle: Cycle {
                began: None,
                round: 0,
                wait: PROBE_WAIT,
                dice: seed,
            },
        }
    }

    /// What to send, bytes per second: what the path carries, or less after losses.
    fn bandwidth(&self) -> f64 {
        let bandwidth = self.model.bandwidth();
        self.short_term
            .map_or(bandwidth, |short| bandwidth.min(short.bandwidth))
    }

    fn product(&self) -> f64 {
        self.model.product().unwrap_or_else(|| float(self.initial))
    }

    // --- phases ---

    fn update_phase(&mut self, acked: &Acked, delivery: &Delivery, round_began: bool) {
        match self.phase {
            Phase::Startup => {
                if round_began {
                    self.look_for_full_pipe(delivery);
                }
                if self.pipe.full {
                    self.phase = Phase::Drain;
                }
            }
            Phase::Drain => {
                if float(acked.in_flight) <= self.product() {
                    self.begin_cycle(acked.now);
                }
            }
            Phase::Down => {
                if self.time_to_probe(acked.now) {
                    self.refill();
                } else if float(acked.in_flight) <= self.product().min(self.with_headroom()) {
                    self.phase = Phase::Cruise;
                }
            }
            Phase::Cruise => {
                if self.time_to_probe(acked.now) {
                    self.refill();
                }
            }
            Phase::Refill { round } => {
                if round_began && self.model.rounds() > round {
                    self.phase = Phase::Up(Up {
                        since: acked.now,
                        round: self.model.rounds(),
                        bandwidth: self.model.bandwidth(),
                        flat: 0,
                        growth: 1.0,
                    });
                }
            }
            Phase::Up(up) => self.probe_up(acked, delivery, up, round_began),
            Phase::RoundTrip { until, round } => {
                if acked.now >= until && self.model.rounds() > round {
                    self.leave_round_trip_probe(acked.now);
                }
            }
        }
    }

    /// `BBRCheckStartupDone`: the bandwidth has stopped growing. Where packets get lost one round
    /// without growth is enough.
    fn look_for_full_pipe(&mut self, delivery: &Delivery) {
        let bandwidth = self.model.bandwidth();
        if bandwidth >= self.pipe.bandwidth * FULL_GROWTH {
            self.pipe.bandwidth = bandwidth;
            self.pipe.flat = 0;
            return;
        }
        let enough = delivery.lost >= (FULL_LOSSES * self.segment) as u64;
        let congested = enough && self.model.is_congested(delivery, self.segment);
        if delivery.limited && !congested {
            return;
        }
        self.pipe.flat += 1;
        self.pipe.full = congested || self.pipe.flat >= FULL_ROUNDS;
        if congested {
            let delivered = float(self.model.last_round().delivered);
            self.longest = Some(self.product().max(delivered));
        }
    }

    fn begin_cycle(&mut self, now: Instant) {
        self.cycle.begin(now, self.model.rounds());
        self.phase = Phase::Down;
    }

    fn time_to_probe(&self, now: Instant) -> bool {
        let rounds = self.model.rounds() - self.cycle.round;
        let packets = self.product() / float(self.segment);
        self.cycle
            .began
            .is_none_or(|began| now >= began + self.cycle.wait)
            || float(rounds) >= packets.min(MAX_PROBE_ROUNDS)
    }

    fn refill(&mut self) {
        self.short_term = None;
        self.phase = Phase::Refill {
            round: self.model.rounds(),
        };
    }

    fn probe_up(&mut self, acked: &Acked, delivery: &Delivery, mut up: Up, round_began: bool) {
        if self.model.is_congested(delivery, self.segment) && !delivery.limited {
            let least = self.product().min(float(self.window)) * BETA;
            self.longest = Some(float(delivery.in_flight).max(least));
            return self.end_probe(acked.now);
        }
        self.lengthen(acked, delivery, &mut up);
        if round_began {
            let bandwidth = self.model.bandwidth();
            up.flat = if bandwidth > up.bandwidth * 1.1 {
                0
            } else {
                up.flat + 1
            };
            up.bandwidth = bandwidth;
            up.growth = (up.growth * 2.0).min(float(self.window) / float(self.segment));
        }
        let least = self.model.round_trip().unwrap_or_default();
        let full = float(acked.in_flight_before) >= UP_GAIN * self.product();
        if acked.now >= up.since + least && full || up.flat >= FULL_ROUNDS {
            return self.end_probe(acked.now);
        }
        self.phase = Phase::Up(up);
    }

    /// The longest flight was safe: a longer one may be (`BBRProbeInflightHiUpward`).
    fn lengthen(&mut self, acked: &Acked, delivery: &Delivery, up: &mut Up) {
        let Some(longest) = &mut self.longest else {
            return;
        };
        *longest = longest.max(float(delivery.in_flight));
        if float(acked.in_flight_before + self.segment) >= *longest {
            let windows = float(acked.bytes) / float(self.window);
            *longest += windows * up.growth * float(self.segment);
        }
    }

    fn end_probe(&mut self, now: Instant) {
        self.model.advance_cycle();
        self.begin_cycle(now);
    }

    fn look_for_round_trip_probe(&mut self, now: Instant) {
        let probing = matches!(self.phase, Phase::RoundTrip { .. });
        if probing || !self.pipe.full || !self.model.is_stale(now) {
            return;
        }
        self.phase = Phase::RoundTrip {
            until: now + ROUND_TRIP_PROBE,
            round: self.model.rounds(),
        };
    }

    fn leave_round_trip_probe(&mut self, now: Instant) {
        self.window = self.window.max(whole(self.product()));
        self.cycle.begin(now, self.model.rounds());
        self.phase = Phase::Cruise;
    }

    /// A round with too much loss outside of a probe (`BBRAdaptLowerBoundsFromCongestion`).
    fn bound(&mut self, delivery: &Delivery) {
        if matches!(self.phase, Phase::Up(_)) {
            return;
        }
        let congested = self.model.is_congested(delivery, self.segment);
        self.model.learn_own_loss(delivery);
        if !congested || matches!(self.phase, Phase::Startup | Phase::Refill { .. }) {
            return;
        }
        let last = self.model.last_round();
        let short = self.short_term.unwrap_or(ShortTerm {
            bandwidth: self.model.bandwidth(),
            in_flight: float(self.window),
        });
        self.short_term = Some(ShortTerm {
            bandwidth: last.bandwidth.max(BETA * short.bandwidth),
            in_flight: float(last.delivered).max(BETA * short.in_flight),
        });
    }

    // --- what comes of it ---

    fn set_rate(&mut self, acked: &Acked) {
        let gain = match self.phase {
            Phase::Startup => STARTUP_GAIN,
            Phase::Drain => DRAIN_GAIN,
            Phase::Down => DOWN_GAIN,
            Phase::Up(_) => UP_GAIN,
            Phase::Cruise | Phase::Refill { .. } | Phase::RoundTrip { .. } => 1.0,
        };
        let rate = gain * PACING_MARGIN * self.bandwidth();
        if self.pipe.full {
            self.rate = Some(rate);
            return;
        }
        // Before the bandwidth is known, what little there was to send must not slow us down.
        let first = acked
            .round_trip
            .map(|round_trip| STARTUP_GAIN * float(self.initial) / round_trip.as_secs_f64());
        let least = self.rate.or(first).unwrap_or(rate);
        self.rate = Some(rate.max(least));
    }

    fn set_window(&mut self, acked: &Acked) {
        let target = self.target();
        let grown = self.window + acked.bytes;
        self.window = if self.pipe.full {
            grown.min(target)
        } else if self.window < target || self.model.rounds() < 2 {
            grown
        } else {
            self.window
        };
        let bound = match self.phase {
            Phase::RoundTrip { .. } => Some(ROUND_TRIP_PROBE_GAIN * self.product()),
            Phase::Cruise | Phase::Down => Some(self.with_headroom()),
            _ => self.longest,
        };
        let short = self.short_term.map(|short| short.in_flight);
        for bound in [bound, short].into_iter().flatten() {
            self.window = self.window.min(whole(bound));
        }
        self.window = self.window.max(MIN_PACKETS * self.segment);
    }

    /// What should be in flight: some products, and what bursts on either way need.
    fn target(&self) -> usize {
        let gain = if matches!(self.phase, Phase::Up(_)) {
            UP_WINDOW_GAIN
        } else {
            WINDOW_GAIN
        };
        let burst = whole(self.bandwidth() / 1000.0)
            .min(MAX_QUANTUM)
            .max(2 * self.segment);
        whole(gain * self.product()) + self.model.aggregated() + 3 * burst
    }

    fn with_headroom(&self) -> f64 {
        self.longest.map_or(f64::INFINITY, |longest| {
            let free = (HEADROOM * longest).max(float(self.segment));
            // The path is full at one product: below that the room would be for nobody.
            (longest - free).max(longest.min(self.product()))
        })
    }
}

impl Controller for Bbr {
    fn acked(&mut self, acked: Acked) {
        let Some(delivery) = acked.delivery else {
            return;
        };
        let round_began = self.model.update(&acked, &delivery);
        if round_began {
            self.bound(&delivery);
        }
        self.update_phase(&acked, &delivery, round_began);
        self.look_for_round_trip_probe(acked.now);
        self.set_rate(&acked);
        self.set_window(&acked);
    }

    /// Losses come with the deliveries.
    fn lost(&mut self) {}

    fn recovered(&mut self) {}

    fn timed_out(&mut self) {
        // The window comes back with the first acknowledgements.
        self.window = self.segment;
    }

    fn idle(&mut self, now: Instant, _: u32) {
        // Packets are paced, so a window that was not used makes no burst; and no queue of ours
        // hides the round trip.
        self.model.forget_round_trip_of(now);
    }

    fn set_segment(&mut self, bytes: usize) {
        self.initial = self.initial / self.segment * bytes;
        self.segment = bytes;
        self.window = self.window.max(bytes);
    }

    /// The model tells a loss from a full path. On one that loses packets by chance there is hardly
    /// a moment without a recovery.
    fn conserves_packets(&self) -> bool {
        false
    }

    fn window(&self) -> usize {
        self.window
    }

    fn pacing_rate(&self) -> Option<f64> {
        self.rate.filter(|_| !self.model.is_short())
    }
}
