use crate::{Link, Random};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// One direction of a path at work: datagrams in at one instant, out at another.
///
/// A wire is a plain data structure: it reads no clock and draws only from its seed. Every datagram
/// draws the same number of values, so that changing one property of the [`Link`] leaves the fate
/// that the others decide unchanged.
#[derive(Debug)]
pub struct Wire {
    /// The properties; may be changed at any time for the datagrams to come.
    pub link: Link,
    random: Random,
    /// What is under way, by arrival and then by the order of sending.
    in_flight: BTreeMap<(Instant, u64), Vec<u8>>,
    sequence: u64,
    /// When the rate has taken everything off the queue.
    idle_at: Option<Instant>,
    /// The latest arrival of a datagram that was not held back.
    latest: Option<Instant>,
    stats: WireStats,
}

/// What became of the datagrams of a [`Wire`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireStats {
    /// Datagrams put in.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams taken out, copies included.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Dropped by [`Link::loss`].
    pub lost: u64,
    /// Dropped for [`Link::mtu`].
    pub oversized: u64,
    /// Dropped for [`Link::queue`].
    pub overflowed: u64,
    /// Held back by [`Link::reorder`].
    pub reordered: u64,
    /// Arrived twice for [`Link::duplicate`].
    pub duplicated: u64,
}

impl Wire {
    /// An empty wire; `label` tells apart the wires of one seed.
    #[must_use]
    pub fn new(link: Link, seed: u64, label: &[u8; 8]) -> Self {
        Self {
            link,
            random: Random::new(seed, label),
            in_flight: BTreeMap::new(),
            sequence: 0,
            idle_at: None,
            latest: None,
            stats: WireStats::default(),
        }
    }

    /// Puts a datagram in.
    pub fn send(&mut self, now: Instant, datagram: Vec<u8>) {
        self.stats.sent += 1;
        self.stats.sent_bytes += datagram.len() as u64;
        let lost = self.random.chance(self.link.loss);
        let reordered = self.random.chance(self.link.reorder);
        let duplicated = self.random.chance(self.link.duplicate);
        let jitter = self.random.duration(self.link.jitter);
        let copy_delay = self.random.duration(self.link.reorder_by);

        if self.link.mtu.is_some_and(|mtu| datagram.len() > mtu) {
            self.stats.oversized += 1;
            return;
        }
        if lost {
            self.stats.lost += 1;
            return;
        }
        let Some(departure) = self.departure(now, datagram.len()) else {
            self.stats.overflowed += 1;
            return;
        };
        let mut arrival = departure + self.link.delay + jitter;
        if reordered {
            self.stats.reordered += 1;
            arrival += self.link.reorder_by;
        } else {
            arrival = self.latest.map_or(arrival, |latest| latest.max(arrival));
            self.latest = Some(arrival);
        }
        if duplicated {
            self.stats.duplicated += 1;
            self.deliver_at(arrival + copy_delay, datagram.clone());
        }
        self.deliver_at(arrival, datagram);
    }

    /// Puts a datagram in that arrives at `arrival`, whatever the link is like.
    pub fn deliver_at(&mut self, arrival: Instant, datagram: Vec<u8>) {
        self.in_flight.insert((arrival, self.sequence), datagram);
        self.sequence += 1;
    }

    /// When the last bit of a datagram has left the queue, or `None` if the queue is full.
    fn departure(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(rate) = self.link.rate else {
            return Some(now);
        };
        let begin = self.idle_at.map_or(now, |idle_at| idle_at.max(now));
        if begin > now {
            let limit = transmission_time(self.link.queue.saturating_sub(len), rate);
            if begin - now > limit {
                return None;
            }
        }
        let departure = begin + transmission_time(len, rate);
        self.idle_at = Some(departure);
        Some(departure)
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.keys().next().map(|(arrival, _)| *arrival)
    }

    /// Takes out the next datagram that has arrived by `now`, with the instant of its arrival.
    pub fn receive(&mut self, now: Instant) -> Option<(Instant, Vec<u8>)> {
        let entry = self.in_flight.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let ((arrival, _), datagram) = entry.remove_entry();
        self.stats.delivered += 1;
        self.stats.delivered_bytes += datagram.len() as u64;
        Some((arrival, datagram))
    }

    /// How many datagrams are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Loses everything that is under way and returns how many datagrams that were.
    pub fn cut(&mut self) -> usize {
        let count = self.in_flight.len();
        self.in_flight.clear();
        count
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &WireStats {
        &self.stats
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
