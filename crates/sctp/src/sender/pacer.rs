//! Spreads packets over time when the congestion control gives a rate.

use std::time::{Duration, Instant};

/// How far ahead of the rate a burst may be. Timers of common runtimes tick in milliseconds, and
/// runs of datagrams cost less than single ones.
const AHEAD: Duration = Duration::from_millis(1);

/// How much lateness of timers is made up for.
const BEHIND: Duration = Duration::from_millis(2);

/// The largest burst, ahead and behind: it must fit into a receiver's socket buffer beside what is
/// there.
const MAX_BURST: usize = 128 * 1024;

#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// Bytes per second; `None` sends as the window allows.
    rate: Option<f64>,
    /// When what was sent so far would have left at the rate.
    next: Option<Instant>,
    /// Something waits only for its time.
    blocked: Option<Instant>,
}

impl Pacer {
    pub(super) fn set_rate(&mut self, rate: Option<f64>) {
        self.rate = rate;
        if rate.is_none() {
            self.next = None;
            self.blocked = None;
        }
    }

    pub(super) fn is_pacing(&self) -> bool {
        self.rate.is_some()
    }

    /// Whether a packet may leave.
    pub(super) fn may_send(&self, now: Instant) -> bool {
        match (self.rate, self.next) {
            (Some(rate), Some(next)) => next <= now + ahead(rate),
            _ => true,
        }
    }

    /// A packet has left.
    pub(super) fn sent(&mut self, now: Instant, bytes: usize) {
        let Some(rate) = self.rate else {
            return;
        };
        let earliest = now.checked_sub(behind(rate)).unwrap_or(now);
        let next = self.next.map_or(earliest, |next| next.max(earliest));
        self.next = Some(next + time_of(bytes, rate));
        self.blocked = None;
    }

    /// Something would leave but for its time: it will once the burst before it is paid for.
    pub(super) fn block(&mut self) {
        self.blocked = self.next;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.blocked.take_if(|at| *at <= now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.blocked
    }
}

fn ahead(rate: f64) -> Duration {
    AHEAD.min(time_of(MAX_BURST / 4, rate))
}

fn behind(rate: f64) -> Duration {
    BEHIND.min(time_of(MAX_BURST / 4 * 3, rate))
}

#[expect(clippy::cast_precision_loss, reason = "packets and bursts are small")]
fn time_of(bytes: usize, rate: f64) -> Duration {
    Duration::try_from_secs_f64(bytes as f64 / rate.max(1.0)).unwrap_or(Duration::MAX / 4)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    /// Bytes sent in a second by a driver whose timers are `late`.
    fn sent_in_a_second(rate: f64, late: Duration) -> usize {
        let start = Instant::now();
        let mut now = start;
        let mut pacer = Pacer::default();
        pacer.set_rate(Some(rate));
        let mut sent = 0;
        while now < start + Duration::from_secs(1) {
            pacer.handle_timeout(now);
            let mut burst = 0;
            while pacer.may_send(now) {
                pacer.sent(now, 1000);
                burst += 1000;
            }
            assert!(burst <= MAX_BURST + 2000 || late > BEHIND, "{burst}");
            sent += burst;
            pacer.block();
            now = pacer.poll_timeout().unwrap().max(now) + late;
        }
        sent
    }

    #[test]
    fn the_rate_is_kept_whatever_it_is() {
        for rate in [10_000, 1_000_000, 50_000_000] {
            let sent = sent_in_a_second(f64::from(rate), Duration::ZERO);
            let wanted = usize::try_from(rate).unwrap();
            assert!(
                sent.abs_diff(wanted) < wanted / 50 + 3000,
                "{sent} of {rate}"
            );
        }
    }

    #[test]
    fn a_late_timer_costs_nothing() {
        let sent = sent_in_a_second(10_000_000.0, Duration::from_micros(1500));
        assert!(sent > 9_800_000, "{sent}");
    }

    #[test]
    fn a_pause_does_not_earn_a_burst() {
        let mut now = Instant::now();
        let mut pacer = Pacer::default();
        pacer.set_rate(Some(1_000_000.0));
        pacer.sent(now, 1000);
        now += Duration::from_secs(10);
        let mut burst = 0;
        while pacer.may_send(now) {
            pacer.sent(now, 1000);
            burst += 1000;
        }
        assert!(burst <= 4000, "{burst}");
    }
}
