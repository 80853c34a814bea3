//! What is known of the path: how much it carries, how long it takes, and what of its loss is its
//! own.

use super::super::{Acked, float};
use crate::outstanding::Delivery;
use std::time::{Duration, Instant};

/// How long a least round trip counts (`MinRTTFilterLen`).
const MIN_ROUND_TRIP_AGE: Duration = Duration::from_secs(10);

/// Loss beyond what the path loses by itself that means too much is in flight (`LossThresh`).
const LOSS_THRESHOLD: f64 = 0.02;

/// How many times the path's own loss is not congestion: its share varies from round to round.
const OWN_LOSS_FACTOR: f64 = 2.0;

/// So many standard deviations beyond what a path is expected to lose are still chance. The number
/// of lost packets has the variance of its mean.
const CHANCE_DEVIATIONS: f64 = 2.0;

/// More than this is never taken for the path's own.
const MAX_OWN_LOSS: f64 = 0.12;

/// What one round adds to the estimate of the path's own loss.
const OWN_LOSS_GAIN: f64 = 0.125;

/// A round trip that is longer than the least by no more than this part of it, or this time, waited
/// in no queue.
const EMPTY_QUEUE_DIVISOR: u32 = 16;
const EMPTY_QUEUE: Duration = Duration::from_micros(250);

/// Below this round trip nothing is paced: timers are too coarse, and acknowledgements come as
/// often.
const MIN_PACED_ROUND_TRIP: Duration = Duration::from_millis(2);

/// For how many rounds a burst of acknowledgements is remembered, twice.
const AGGREGATION_ROUNDS: u64 = 5;

#[derive(Debug)]
pub(super) struct Model {
    /// The most that was delivered per second, in the probing cycle before and in this one.
    bandwidth: [f64; 2],
    least: Option<(Duration, Instant)>,
    round: Round,
    own_loss: Option<f64>,
    aggregation: Aggregation,
}

/// A round ends when something is acknowledged that was sent in it.
#[derive(Debug, Default)]
struct Round {
    /// How much will have been delivered by then.
    ends: u64,
    count: u64,
    /// Of this round, and then of the one before.
    now: Observed,
    last: Observed,
}

/// What was seen in a round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Observed {
    /// The highest rate of delivery.
    pub(super) bandwidth: f64,
    /// The most that was delivered in one round trip.
    pub(super) delivered: u64,
    round_trip: Option<Duration>,
}

/// How much more than the bandwidth explains is acknowledged at once.
#[derive(Debug, Default)]
struct Aggregation {
    since: Option<Instant>,
    acked: usize,
    most: [usize; 2],
    until_round: u64,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            bandwidth: [0.0; 2],
            least: None,
            round: Round::default(),
            own_loss: None,
            aggregation: Aggregation::default(),
        }
    }

    /// Takes what a SACK told; whether a round has begun with it.
    pub(super) fn update(&mut self, acked: &Acked, delivery: &Delivery) -> bool {
        if let Some(round_trip) = acked.round_trip {
            self.measure(acked.now, round_trip);
        }
        let began = self.round.update(delivery);
        if let Some(rate) = self.rate(delivery) {
            self.round.now.bandwidth = self.round.now.bandwidth.max(rate);
            if !delivery.limited || rate > self.bandwidth() {
                self.bandwidth[1] = self.bandwidth[1].max(rate);
            }
        }
        let observed = &mut self.round.now;
        observed.delivered = observed.delivered.max(delivery.bytes());
        observed.round_trip = [observed.round_trip, acked.round_trip]
            .into_iter()
            .flatten()
            .min();
        let window = acked.in_flight_before;
        self.aggregation
            .update(acked, self.bandwidth[0].max(self.bandwidth[1]), window);
        if began {
            self.aggregation.age(self.round.count);
        }
        began
    }

    fn measure(&mut self, now: Instant, round_trip: Duration) {
        let (least, since) = self.least.unwrap_or((round_trip, now));
        self.least = Some(if round_trip <= least || self.is_stale(now) {
            (round_trip, now)
        } else if round_trip <= least + least / 16 {
            // As good as seen again: no need to stop and look.
            (least, now)
        } else {
            (least, since)
        });
    }

    fn rate(&self, delivery: &Delivery) -> Option<f64> {
        let least = self.round_trip().unwrap_or_default();
        // Shorter than any round trip: acknowledgements that were held back.
        let real = !delivery.interval.is_zero() && delivery.interval >= least;
        real.then(|| float(delivery.bytes()) / delivery.interval.as_secs_f64())
    }

    /// What the path carries, bytes per second.
    pub(super) fn bandwidth(&self) -> f64 {
        self.bandwidth[0].max(self.bandwidth[1])
    }

    /// Another probing cycle: the one before the last is forgotten.
    pub(super) fn advance_cycle(&mut self) {
        if self.bandwidth[1] > 0.0 {
            self.bandwidth = [self.bandwidth[1], 0.0];
        }
    }

    /// How long the path takes without any queue.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.least.map(|least| least.0)
    }

    /// The least round trip was not seen for long.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.least
            .is_some_and(|(_, since)| now.saturating_duration_since(since) > MIN_ROUND_TRIP_AGE)
    }

    /// The next round trip is taken for the least one.
    pub(super) fn forget_round_trip_of(&mut self, now: Instant) {
        if let Some((least, since)) = &mut self.least
            && now.saturating_duration_since(*since) > MIN_ROUND_TRIP_AGE
        {
            *since = now;
            *least += *least / 4;
        }
    }

    pub(super) fn rounds(&self) -> u64 {
        self.round.count
    }

    /// What was seen in the round that has just ended.
    pub(super) fn last_round(&self) -> Observed {
        self.round.last
    }

    /// The bandwidth-delay product: what is in flight when the path is full and its queue empty.
    pub(super) fn product(&self) -> Option<f64> {
        let round_trip = self.round_trip()?;
        let bandwidth = self.bandwidth();
        (bandwidth > 0.0).then_some(bandwidth * round_trip.as_secs_f64())
    }

    /// The most that was acknowledged at once beyond what the bandwidth explains.
    pub(super) fn aggregated(&self) -> usize {
        self.aggregation.most[0].max(self.aggregation.most[1])
    }

    /// Whether more is lost than the path loses by itself. On a short path, whose rounds are as many
    /// as their packets are few, there must also be more lost than chance explains: one of few
    /// packets is a large part. On a longer one others may wait for us to give way.
    pub(super) fn is_congested(&self, delivery: &Delivery, segment: usize) -> bool {
        let own = self.own_loss.unwrap_or_default();
        let by_chance = own * told(delivery) / float(segment);
        let explained = 1.0 + by_chance + CHANCE_DEVIATIONS * by_chance.sqrt();
        loss(delivery) > LOSS_THRESHOLD + OWN_LOSS_FACTOR * own
            && (!self.is_short() || float(delivery.lost) > explained * float(segment))
    }

    /// Whether the round trip is too short to send by the clock.
    pub(super) fn is_short(&self) -> bool {
        self.round_trip()
            .is_none_or(|least| least < MIN_PACED_ROUND_TRIP)
    }

    /// A round has ended in which no more was sent than the path carries: what was lost of packets
    /// that waited in no queue, the path loses by itself.
    pub(super) fn learn_own_loss(&mut self, delivery: &Delivery) {
        let (Some(least), Some(round_trip)) = (self.round_trip(), self.round.last.round_trip)
        else {
            return;
        };
        if round_trip > least + (least / EMPTY_QUEUE_DIVISOR).max(EMPTY_QUEUE) {
            return;
        }
        let loss = loss(delivery).min(MAX_OWN_LOSS);
        let own = self.own_loss.get_or_insert(loss);
        *own += (loss - *own) * OWN_LOSS_GAIN;
    }
}

/// The part of what was in flight that was lost.
fn loss(delivery: &Delivery) -> f64 {
    float(delivery.lost) / told(delivery)
}

/// How many bytes the losses were among. In a round trip in which a full receiver holds the
/// acknowledgements back, little is delivered, and the share of that would tell nothing.
fn told(delivery: &Delivery) -> f64 {
    let told = float(delivery.lost + delivery.bytes());
    told.max(float(delivery.in_flight)).max(1.0)
}

impl Round {
    fn update(&mut self, delivery: &Delivery) -> bool {
        let began = delivery.total_before >= self.ends;
        if began {
            self.ends = delivery.total;
            self.count += 1;
            self.last = std::mem::take(&mut self.now);
        }
        began
    }
}

impl Aggregation {
    fn update(&mut self, acked: &Acked, bandwidth: f64, window: usize) {
        let since = *self.since.get_or_insert(acked.now);
        let elapsed = acked.now.saturating_duration_since(since).as_secs_f64();
        let expected = super::super::whole(bandwidth * elapsed);
        if self.acked <= expected {
            // The acknowledgements have not run ahead: a new interval begins.
            self.since = Some(acked.now);
            self.acked = 0;
        }
        let expected = if self.acked == 0 { 0 } else { expected };
        self.acked += acked.bytes;
        let extra = self.acked.saturating_sub(expected).min(window);
        self.most[1] = self.most[1].max(extra);
    }

    fn age(&mut self, round: u64) {
        if round >= self.until_round {
            self.until_round = round + AGGREGATION_ROUNDS;
            self.most = [self.most[1], 0];
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    const SEGMENT: usize = 1000;

    /// A round trip of so many packets, of which some were lost.
    fn delivery(packets: usize, lost: u64) -> Delivery {
        let in_flight = packets * SEGMENT;
        Delivery {
            total: in_flight as u64 - lost * SEGMENT as u64,
            total_before: 0,
            interval: Duration::from_millis(1),
            lost: lost * SEGMENT as u64,
            in_flight,
            limited: false,
        }
    }

    /// On a path of so many milliseconds that loses this part by itself.
    fn is_congested_after(round_trip: u64, own: f64, packets: usize, lost: u64) -> bool {
        let mut model = Model::new();
        model.own_loss = Some(own);
        model.measure(Instant::now(), Duration::from_millis(round_trip));
        model.is_congested(&delivery(packets, lost), SEGMENT)
    }

    fn is_congested(own: f64, packets: usize, lost: u64) -> bool {
        is_congested_after(1, own, packets, lost)
    }

    #[test]
    fn on_a_long_path_one_packet_of_few_is_congestion() {
        assert!(is_congested_after(20, 0.0, 10, 1));
        assert!(!is_congested_after(20, 0.0, 60, 1));
    }

    #[test]
    fn one_lost_packet_is_no_congestion_and_two_of_few_are() {
        assert!(!is_congested(0.0, 10, 1));
        assert!(is_congested(0.0, 10, 2));
        assert!(!is_congested(0.0, 1000, 20));
        assert!(is_congested(0.0, 1000, 21));
    }

    #[test]
    fn what_a_path_loses_by_itself_varies_with_few_packets() {
        // One of twenty is expected.
        assert!(!is_congested(0.05, 20, 4));
        assert!(is_congested(0.05, 20, 5));
        assert!(!is_congested(0.05, 1000, 120));
        assert!(is_congested(0.05, 1000, 121));
    }
}
