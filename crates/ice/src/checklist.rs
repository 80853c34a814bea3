//! The pairs of a generation, in which order they are checked, and which are held back
//! (RFC 8445 §6.1.2 to §6.1.4).

use crate::pair::{Pair, PairId};
use crate::via::Path;
use layer::PairState;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

/// Two pairs have the same foundation when both candidates have (RFC 8445 §3). The peer's address
/// counts as well: there are servers that give one foundation to all their candidates, and a dead
/// address must not hold back another.
pub(crate) type Foundation<'a> = (&'a str, &'a str, IpAddr);

/// The checklist and its triggered-check queue.
#[derive(Debug, Default)]
pub(crate) struct Checklist {
    pub(crate) pairs: Vec<Pair>,
    /// Pairs to check before all others, each not before its instant (RFC 8445 §6.1.4.1).
    /// No pair stands in it twice, so it is as bounded as the checklist.
    triggered: VecDeque<(PairId, Instant)>,
}

impl Checklist {
    pub(crate) fn get(&self, id: PairId) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: PairId) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.id == id)
    }

    /// The pair whose packets go this way.
    pub(crate) fn by_path(&mut self, path: Path) -> Option<&mut Pair> {
        let mut pairs = self.pairs.iter_mut();
        pairs.find(|pair| (pair.via, pair.destination) == path)
    }

    /// Whether a check on this path has been authenticated.
    pub(crate) fn is_authenticated(&self, path: Path) -> bool {
        let mut pairs = self.pairs.iter();
        pairs.any(|pair| (pair.via, pair.destination) == path && pair.authenticated)
    }

    /// The valid pair of the highest priority.
    pub(crate) fn best_valid(&self) -> Option<&Pair> {
        let valid = self.pairs.iter().filter(|pair| pair.is_valid());
        valid.max_by_key(|pair| pair.priority)
    }

    /// How many pairs are waiting or in progress, for the formula of RFC 8445 §14.3.
    pub(crate) fn active(&self) -> u32 {
        let active = self
            .pairs
            .iter()
            .filter(|pair| matches!(pair.state, PairState::Waiting | PairState::InProgress));
        u32::try_from(active.count()).unwrap_or(u32::MAX)
    }

    /// Adds a pair if there is room or room can be made: dead pairs go first, but for the `selected`
    /// one, then one of lower priority that nothing has come of (RFC 8838 §10, ice-026). A pair that
    /// is `proven`, since the peer's check came on it, displaces any that are not. Returns whether it
    /// was added, and the pair that had to go.
    pub(crate) fn insert(
        &mut self,
        pair: Pair,
        proven: bool,
        max: usize,
        selected: Option<PairId>,
    ) -> (bool, Option<Pair>) {
        let mut removed = None;
        if self.pairs.len() >= max {
            let below = if proven { u64::MAX } else { pair.priority };
            let Some(victim) = self.victim(below, proven, selected) else {
                return (false, None);
            };
            removed = Some(self.remove(victim));
        }
        self.pairs.push(pair);
        (true, removed)
    }

    fn victim(&self, below: u64, proven: bool, selected: Option<PairId>) -> Option<usize> {
        let lowest = |wanted: &dyn Fn(&Pair) -> bool| {
            let candidates = self.pairs.iter().enumerate();
            candidates
                .filter(|(_, pair)| wanted(pair))
                .min_by_key(|(_, pair)| pair.priority)
                .map(|(index, _)| index)
        };
        lowest(&|pair| pair.is_dead() && Some(pair.id) != selected).or_else(|| {
            lowest(&|pair| {
                pair.priority < below
                    && !pair.authenticated
                    && match pair.state {
                        PairState::Frozen | PairState::Waiting => true,
                        PairState::InProgress => proven,
                        _ => false,
                    }
            })
        })
    }

    pub(crate) fn remove(&mut self, index: usize) -> Pair {
        let pair = self.pairs.remove(index);
        self.untrigger(pair.id);
        pair
    }

    /// Ends checking, once a pair is selected: what was not begun is removed (RFC 8445 §8.1.2,
    /// ice-051).
    pub(crate) fn conclude(&mut self) {
        self.triggered.clear();
        self.pairs.retain(|pair| {
            pair.authenticated || !matches!(pair.state, PairState::Frozen | PairState::Waiting)
        });
    }

    /// Puts a pair into the triggered-check queue, unless it stands there already.
    pub(crate) fn trigger(&mut self, id: PairId, not_before: Instant) {
        if !self.is_triggered(id) {
            self.triggered.push_back((id, not_before));
        }
    }

    pub(crate) fn untrigger(&mut self, id: PairId) {
        self.triggered.retain(|(queued, _)| *queued != id);
    }

    /// The first triggered pair whose time has come; it leaves the queue.
    pub(crate) fn next_triggered(&mut self, now: Instant) -> Option<PairId> {
        let due = |(id, at): &(PairId, Instant)| *at <= now && self.is_ready(*id);
        let index = self.triggered.iter().position(due)?;
        self.triggered.remove(index).map(|(id, _)| id)
    }

    /// When the next triggered check is due.
    pub(crate) fn triggered_at(&self) -> Option<Instant> {
        let ready = self.triggered.iter().filter(|(id, _)| self.is_ready(*id));
        ready.map(|(_, at)| *at).min()
    }

    fn is_ready(&self, id: PairId) -> bool {
        self.get(id).is_some_and(|pair| pair.ready)
    }

    pub(crate) fn is_triggered(&self, id: PairId) -> bool {
        self.triggered.iter().any(|(queued, _)| *queued == id)
    }

    /// The waiting pair of the highest priority; those that were triggered have a time of their own.
    pub(crate) fn next_waiting(&self) -> Option<PairId> {
        let waiting = self
            .pairs
            .iter()
            .filter(|pair| pair.ready && pair.state == PairState::Waiting)
            .filter(|pair| !self.is_triggered(pair.id));
        waiting.max_by_key(|pair| pair.priority).map(|pair| pair.id)
    }

    /// The state of a pair that is about to be added (RFC 8838 §12, ice-027): it waits if it is the
    /// best of its foundation or one of them has succeeded, and is frozen otherwise.
    pub(crate) fn state_of_new<'a>(
        &self,
        priority: u64,
        foundation: Foundation<'a>,
        foundation_of: impl Fn(&Pair) -> Foundation<'a>,
    ) -> PairState {
        let mut same = self
            .pairs
            .iter()
            .filter(|pair| foundation_of(pair) == foundation)
            .peekable();
        if same.peek().is_none() {
            return PairState::Waiting;
        }
        let mut is_best = true;
        for pair in same {
            if pair.state == PairState::Succeeded {
                return PairState::Waiting;
            }
            is_best &= priority > pair.priority;
        }
        if is_best {
            PairState::Waiting
        } else {
            PairState::Frozen
        }
    }

    /// A check succeeded: its foundation holds nothing back any more (RFC 8445 §7.2.5.3.3, ice-042).
    pub(crate) fn unfreeze<'a>(
        &mut self,
        foundation: Foundation<'a>,
        foundation_of: impl Fn(&Pair) -> Foundation<'a>,
    ) {
        for pair in &mut self.pairs {
            if pair.state == PairState::Frozen && foundation_of(pair) == foundation {
                pair.state = PairState::Waiting;
            }
        }
    }

    /// Nothing waits: lets the best frozen pair go whose foundation keeps no check busy
    /// (RFC 8445 §6.1.4.2). `is_busy` says of a pair whether its check still deserves the wait; one
    /// that had to be repeated does not, so that a dead address holds nothing back for long.
    pub(crate) fn thaw<'a>(
        &mut self,
        foundation_of: impl Fn(&Pair) -> Foundation<'a>,
        is_busy: impl Fn(&Pair) -> bool,
    ) -> Option<PairId> {
        let frozen = self.pairs.iter().filter(|pair| {
            pair.ready
                && pair.state == PairState::Frozen
                && !self
                    .pairs
                    .iter()
                    .any(|other| is_busy(other) && foundation_of(other) == foundation_of(pair))
        });
        let id = frozen.max_by_key(|pair| pair.priority)?.id;
        if let Some(pair) = self.get_mut(id) {
            pair.state = PairState::Waiting;
        }
        Some(id)
    }
}
