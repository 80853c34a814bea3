use crate::{Link, Random, WireStats};
use std::time::{Duration, Instant};

/// Decides when datagrams of one direction arrive, if at all. It holds no datagrams.
#[derive(Debug)]
pub(crate) struct Transit {
    random: Random,
    /// When the rate has taken everything off the queue.
    idle_at: Option<Instant>,
    /// The latest arrival of a datagram that was not held back.
    latest: Option<Instant>,
    pub(crate) stats: WireStats,
}

/// When a datagram arrives, and when its copy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) copy: Option<Instant>,
}

impl Transit {
    pub(crate) fn new(random: Random) -> Self {
        Self {
            random,
            idle_at: None,
            latest: None,
            stats: WireStats::default(),
        }
    }

    /// Puts a datagram of `len` bytes on the link; `None` if it does not arrive.
    pub(crate) fn admit(&mut self, link: &Link, now: Instant, len: usize) -> Option<Arrival> {
        self.stats.sent += 1;
        self.stats.sent_bytes += len as u64;
        // Always the same number of draws, so that one property does not change what another does.
        let lost = self.random.chance(link.loss);
        let reordered = self.random.chance(link.reorder);
        let duplicated = self.random.chance(link.duplicate);
        let jitter = self.random.duration(link.jitter);
        let copy_delay = self.random.duration(link.reorder_by);

        if link.mtu.is_some_and(|mtu| len > mtu) {
            self.stats.oversized += 1;
            return None;
        }
        if lost {
            self.stats.lost += 1;
            return None;
        }
        let Some(departure) = self.departure(link, now, len) else {
            self.stats.overflowed += 1;
            return None;
        };
        let mut at = departure + link.delay + jitter;
        if reordered {
            self.stats.reordered += 1;
            at += link.reorder_by;
        } else {
            at = self.latest.map_or(at, |latest| latest.max(at));
            self.latest = Some(at);
        }
        let copy = duplicated.then_some(at + copy_delay);
        self.stats.duplicated += u64::from(duplicated);
        Some(Arrival { at, copy })
    }

    /// Counts a datagram that was taken out.
    pub(crate) fn delivered(&mut self, len: usize) {
        self.stats.delivered += 1;
        self.stats.delivered_bytes += len as u64;
    }

    /// When the last bit of a datagram has left the queue, or `None` if the queue is full.
    fn departure(&mut self, link: &Link, now: Instant, len: usize) -> Option<Instant> {
        let Some(rate) = link.rate else {
            return Some(now);
        };
        let begin = self.idle_at.map_or(now, |idle_at| idle_at.max(now));
        let room = transmission_time(link.queue.saturating_sub(len), rate);
        if begin > now && begin - now > room {
            return None;
        }
        let departure = begin + transmission_time(len, rate);
        self.idle_at = Some(departure);
        Some(departure)
    }
}

/// How long `len` bytes take at `rate` bits per second; a rate of 0 takes a century.
fn transmission_time(len: usize, rate: u64) -> Duration {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let nanos = (len as u128 * 8 * 1_000_000_000).checked_div(u128::from(rate));
    nanos
        .and_then(|nanos| u64::try_from(nanos).ok())
        .map_or(CENTURY, |nanos| Duration::from_nanos(nanos).min(CENTURY))
}
