//! How fast the path delivers: every packet remembers how much had been delivered when it left, and
//! its acknowledgement tells how much has been since (delivery rate estimation,
//! draft-ietf-ccwg-bbr §4.1).

use std::time::{Duration, Instant};

/// Counts what was delivered and lost. All sizes are bytes of chunks.
#[derive(Debug)]
pub(super) struct Meter {
    delivered: u64,
    lost: u64,
    /// When something was delivered last, or when sending began after nothing was in flight.
    delivered_at: Instant,
    /// When the packet left that the last sample was of.
    first_sent_at: Instant,
    /// Until this much is delivered, samples tell how much there was to send, not what the path
    /// carries.
    limited_until: Option<u64>,
}

/// What a packet remembers of the moment at which it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    delivered: u64,
    lost: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    sent_at: Instant,
    in_flight: usize,
    limited: bool,
}

/// What the acknowledgement of a packet tells of the round trip that it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    /// Everything that was delivered so far.
    pub(crate) total: u64,
    /// Everything that had been delivered when the packet left.
    pub(crate) total_before: u64,
    /// How long it took to deliver the difference.
    pub(crate) interval: Duration,
    /// What was lost meanwhile.
    pub(crate) lost: u64,
    /// How much was in flight when the packet left, with it.
    pub(crate) in_flight: usize,
    /// There was not enough to send to fill the path.
    pub(crate) limited: bool,
}

impl Delivery {
    /// Bytes delivered in the interval.
    pub(crate) fn bytes(&self) -> u64 {
        self.total - self.total_before
    }
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            delivered: 0,
            lost: 0,
            delivered_at: now,
            first_sent_at: now,
            limited_until: None,
        }
    }

    /// A packet leaves; `in_flight` is what was in flight before it.
    pub(super) fn departs(&mut self, now: Instant, in_flight: usize, len: usize) -> Snapshot {
        if in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        Snapshot {
            delivered: self.delivered,
            lost: self.lost,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            sent_at: now,
            in_flight: in_flight + len,
            limited: self.limited_until.is_some(),
        }
    }

    pub(super) fn delivers(&mut self, now: Instant, len: usize) {
        self.delivered += len as u64;
        self.delivered_at = now;
        if self
            .limited_until
            .is_some_and(|until| self.delivered > until)
        {
            self.limited_until = None;
        }
    }

    pub(super) fn loses(&mut self, len: usize) {
        self.lost += len as u64;
    }

    /// There is nothing more to send although more would fit into the path.
    pub(super) fn limit(&mut self, in_flight: usize) {
        self.limited_until = Some(self.delivered + in_flight as u64);
    }

    /// `newest` is what the packet remembers that left last of those that have just arrived.
    pub(super) fn sample(&mut self, now: Instant, newest: Snapshot) -> Delivery {
        let sending = newest
            .sent_at
            .saturating_duration_since(newest.first_sent_at);
        let arriving = now.saturating_duration_since(newest.delivered_at);
        self.first_sent_at = newest.sent_at;
        Delivery {
            total: self.delivered,
            total_before: newest.delivered,
            // Acknowledgements that were held back and come at once do not make the path faster.
            interval: sending.max(arriving),
            lost: self.lost.saturating_sub(newest.lost),
            in_flight: newest.in_flight,
            limited: newest.limited,
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_steady_flow_gives_its_rate() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        // 1000 bytes each 10 ms, acknowledged 50 ms later.
        let mut flying = VecDeque::new();
        for n in 0..20 {
            let now = start + ms(10 * n);
            if n >= 5 {
                meter.delivers(now, 1000);
                let delivery = meter.sample(now, flying.pop_front().unwrap());
                if n >= 10 {
                    assert_eq!((delivery.bytes(), delivery.interval), (5000, ms(50)));
                }
            }
            flying.push_back(meter.departs(now, 1000 * flying.len(), 1000));
        }
    }

    #[test]
    fn what_was_sent_slowly_was_not_delivered_fast() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        meter.departs(start, 0, 1000);
        let last = meter.departs(start + ms(90), 1000, 1000);
        // Both acknowledgements come together.
        let now = start + ms(100);
        meter.delivers(now, 2000);
        let delivery = meter.sample(now, last);
        assert_eq!(delivery.interval, ms(100));
        assert_eq!(delivery.bytes(), 2000);
    }

    #[test]
    fn a_lack_of_data_marks_the_packets_until_it_is_delivered() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let before = meter.departs(start, 0, 1000);
        meter.limit(1000);
        let after = meter.departs(start, 1000, 1000);
        meter.delivers(start + ms(10), 2000);
        assert!(!meter.sample(start + ms(10), before).limited);
        assert!(meter.sample(start + ms(10), after).limited);
        assert!(!meter.departs(start + ms(10), 1, 1000).limited);
    }

    #[test]
    fn losses_of_the_round_trip_are_counted() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        meter.loses(500);
        let sent = meter.departs(start, 0, 1000);
        meter.loses(700);
        meter.delivers(start + ms(10), 1000);
        assert_eq!(meter.sample(start + ms(10), sent).lost, 700);
    }
}
