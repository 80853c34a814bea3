//! Whose turn it is (RFC 8260 §3).

use crate::Scheduler;
use std::collections::{BTreeMap, BTreeSet};

/// The weight of a stream nobody has set one for (RFC 8831 §6.4, "normal" of RFC 8835 §4.1).
const NORMAL_WEIGHT: u16 = 256;

/// What a byte costs a stream of weight 1: enough to be divided by any weight.
const SCALE: u64 = 1 << 16;

/// Streams that have something to send, in the order in which they may.
///
/// Every stream has a clock that goes on when it sends, the slower the more weight it has; the
/// stream whose clock is behind all others is next. A stream that had nothing to send for a while
/// begins at the clock of the one that was served last, so that it cannot make up for it.
#[derive(Debug)]
pub(super) struct Turns {
    scheduler: Scheduler,
    waiting: BTreeSet<Turn>,
    /// Where the clock of each stream stands.
    clocks: BTreeMap<u16, u64>,
    weights: BTreeMap<u16, u16>,
    /// The clock of the stream that was served last.
    now: u64,
    /// Counts turns: who waits for longest is first among equals.
    count: u64,
}

/// The least is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    /// Strict priority: 0 is the highest.
    rank: u16,
    clock: u64,
    order: u64,
    stream: u16,
}

impl Turns {
    pub(super) fn new(scheduler: Scheduler) -> Self {
        Self {
            scheduler,
            waiting: BTreeSet::new(),
            clocks: BTreeMap::new(),
            weights: BTreeMap::new(),
            now: 0,
            count: 0,
        }
    }

    pub(super) fn set_weight(&mut self, stream: u16, weight: u16) {
        self.weights.insert(stream, weight.max(1));
    }

    fn weight(&self, stream: u16) -> u16 {
        self.weights.get(&stream).copied().unwrap_or(NORMAL_WEIGHT)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whose turn it is.
    pub(super) fn next(&self) -> Option<u16> {
        self.waiting.first().map(|turn| turn.stream)
    }

    /// A stream has something to send.
    pub(super) fn join(&mut self, stream: u16) {
        let clock = self.clocks.get(&stream).copied().unwrap_or(0);
        let rank = match self.scheduler {
            Scheduler::Priority => u16::MAX - self.weight(stream),
            Scheduler::RoundRobin | Scheduler::WeightedFair => 0,
        };
        self.count += 1;
        self.waiting.insert(Turn {
            rank,
            clock: clock.max(self.now),
            order: self.count,
            stream,
        });
    }

    /// Takes the turn of the stream that is next.
    pub(super) fn begin(&mut self) {
        if let Some(turn) = self.waiting.pop_first() {
            self.now = turn.clock;
            self.clocks.insert(turn.stream, turn.clock);
        }
    }

    /// The stream whose turn it is, or was, has sent this much.
    pub(super) fn spend(&mut self, stream: u16, bytes: usize) {
        let cost = match self.scheduler {
            Scheduler::WeightedFair => {
                let bytes = u64::try_from(bytes).unwrap_or(u64::MAX >> 17);
                bytes * SCALE / u64::from(self.weight(stream))
            }
            // Whoever waits for longest is next: the clocks stand still.
            Scheduler::RoundRobin | Scheduler::Priority => 0,
        };
        *self.clocks.entry(stream).or_insert(self.now) += cost;
    }

    /// A stream has nothing to send any more.
    pub(super) fn leave(&mut self, stream: u16) {
        if self.next() == Some(stream) {
            self.waiting.pop_first();
        } else {
            self.waiting.retain(|turn| turn.stream != stream);
        }
    }

    /// Streams from `count` on do not exist.
    pub(super) fn limit(&mut self, count: u16) {
        self.waiting.retain(|turn| turn.stream < count);
        self.clocks.split_off(&count);
        self.weights.split_off(&count);
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.clocks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of three streams of weights 128, 256 and 1024 sends 1000 bytes.
    fn shares(scheduler: Scheduler) -> [u32; 3] {
        let mut turns = Turns::new(scheduler);
        let mut shares = [0; 3];
        for (stream, weight) in [(0, 128), (1, 256), (2, 1024)] {
            turns.set_weight(stream, weight);
            turns.join(stream);
        }
        for _ in 0..1100 {
            let stream = turns.next().unwrap();
            turns.begin();
            turns.spend(stream, 1000);
            shares[usize::from(stream)] += 1;
            turns.join(stream);
        }
        shares
    }

    // sctp-045
    #[test]
    fn weights_divide_what_there_is() {
        let [low, normal, high] = shares(Scheduler::WeightedFair);
        assert!(low.abs_diff(100) <= 1, "{low}");
        assert!(normal.abs_diff(200) <= 1, "{normal}");
        assert!(high.abs_diff(800) <= 1, "{high}");
    }

    #[test]
    fn turns_go_round_without_regard_to_weights() {
        assert_eq!(shares(Scheduler::RoundRobin), [367, 367, 366]);
    }

    #[test]
    fn the_highest_priority_has_all() {
        assert_eq!(shares(Scheduler::Priority), [0, 0, 1100]);
    }

    #[test]
    fn silence_saves_nothing() {
        let mut turns = Turns::new(Scheduler::WeightedFair);
        turns.join(0);
        for _ in 0..100 {
            turns.begin();
            turns.spend(0, 1000);
            turns.join(0);
        }
        turns.join(1);
        let mut shares = [0; 2];
        for _ in 0..10 {
            let stream = turns.next().unwrap();
            turns.begin();
            turns.spend(stream, 1000);
            shares[usize::from(stream)] += 1;
            turns.join(stream);
        }
        assert_eq!(shares, [5, 5]);
    }
}
