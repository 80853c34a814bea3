use crate::transit::Transit;
use crate::{Link, Random};
use std::collections::BTreeMap;
use std::time::Instant;

/// One direction of a path at work: datagrams in at one instant, out at another.
///
/// A wire is a plain data structure: it reads no clock and draws only from its seed. Every datagram
/// draws the same number of values, so that changing one property of the [`Link`] leaves the fate
/// that the others decide unchanged.
///
/// ```
/// use muonrtc_testkit::{Clock, Link, Wire};
/// use std::time::Duration;
///
/// let clock = Clock::new();
/// let mut wire = Wire::new(Link::delayed(Duration::from_millis(20)), 1, b"any name");
/// wire.send(clock.now(), b"hello".to_vec());
/// let arrival = wire.next_arrival().unwrap();
/// assert_eq!(clock.offset(arrival), Duration::from_millis(20));
/// assert_eq!(wire.receive(arrival), Some((arrival, b"hello".to_vec())));
/// ```
#[derive(Debug)]
pub struct Wire {
    /// The properties; may be changed at any time for the datagrams to come.
    pub link: Link,
    transit: Transit,
    /// What is under way, by arrival and then by the order of sending.
    in_flight: BTreeMap<(Instant, u64), Vec<u8>>,
    sequence: u64,
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
            transit: Transit::new(Random::new(seed, label)),
            in_flight: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Puts a datagram in.
    pub fn send(&mut self, now: Instant, datagram: Vec<u8>) {
        let Some(arrival) = self.transit.admit(&self.link, now, datagram.len()) else {
            return;
        };
        if let Some(copy) = arrival.copy {
            self.deliver_at(copy, datagram.clone());
        }
        self.deliver_at(arrival.at, datagram);
    }

    /// Puts a datagram in that arrives at `arrival`, whatever the link is like.
    pub fn deliver_at(&mut self, arrival: Instant, datagram: Vec<u8>) {
        self.in_flight.insert((arrival, self.sequence), datagram);
        self.sequence += 1;
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
        self.transit.delivered(datagram.len());
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
        &self.transit.stats
    }
}
