//! One direction of the path.

use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the path does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One way.
    pub delay: Duration,
    /// The probability that a datagram is lost, from 0 to 1.
    pub loss: f64,
    /// What fits through in each direction, counting the payload of UDP; 0 for no bottleneck.
    pub bytes_per_second: f64,
    /// Bytes that wait before the bottleneck; the rest is dropped.
    pub queue: usize,
    /// The largest payload of UDP that passes, in bytes, 1472 on an Ethernet; loopback alone takes 65507.
    pub largest: usize,
}

/// Datagrams on their way, oldest first.
pub(crate) struct Lane {
    limits: Limits,
    rng: ChaCha12Rng,
    /// When the bottleneck is free again.
    free: Option<Instant>,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    /// Empty buffers for the next ones.
    spare: Vec<Vec<u8>>,
}

impl Lane {
    pub(crate) fn new(limits: Limits, rng: ChaCha12Rng) -> Self {
        Self {
            limits,
            rng,
            free: None,
            under_way: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// A datagram comes in. It may be too large, be lost, or find the queue full.
    pub(crate) fn enter(&mut self, now: Instant, bytes: &[u8]) {
        if bytes.len() > self.limits.largest {
            return;
        }
        if f64::from(self.rng.next_u32()) < self.limits.loss * f64::from(u32::MAX) {
            return;
        }
        let mut leaves = now;
        if self.limits.bytes_per_second > 0.0 {
            let begins = self.free.map_or(now, |free| free.max(now));
            let waiting = (begins - now).as_secs_f64() * self.limits.bytes_per_second;
            if waiting + bytes.len() as f64 > self.limits.queue as f64 {
                return;
            }
            let takes = bytes.len() as f64 / self.limits.bytes_per_second;
            leaves = begins + Duration::from_secs_f64(takes);
            self.free = Some(leaves);
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(bytes);
        self.under_way
            .push_back((leaves + self.limits.delay, buffer));
    }

    /// When the next datagram arrives at the end.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.under_way.front().map(|(due, _)| *due)
    }

    /// How many have arrived, of the first `most`.
    pub(crate) fn ready(&self, now: Instant, most: usize) -> usize {
        let arrived = self.under_way.iter().take(most);
        arrived.take_while(|(due, _)| *due <= now).count()
    }

    /// The first `count`.
    pub(crate) fn front(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        self.under_way
            .iter()
            .take(count)
            .map(|(_, bytes)| bytes.as_slice())
    }

    /// The first `count` are gone.
    pub(crate) fn left(&mut self, count: usize) {
        for (_, mut buffer) in self.under_way.drain(..count) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}
