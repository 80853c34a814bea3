//! When which connection wants to be called.

use super::member::Member;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

/// The timers of a shard. A deadline that has moved leaves its entry behind; the connection knows
/// which one counts.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Entry>);

#[derive(Debug)]
struct Entry {
    at: Instant,
    member: Arc<Member>,
}

impl Timers {
    pub(super) fn push(&mut self, at: Instant, member: Arc<Member>) {
        self.0.push(Entry { at, member });
    }

    /// The earliest entry.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|entry| entry.at)
    }

    /// Takes the earliest entry, if its time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, Arc<Member>)> {
        let due = self.next().is_some_and(|at| at <= now);
        let entry = due.then(|| self.0.pop()).flatten()?;
        Some((entry.at, entry.member))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest: the earliest, and of two the older connection.
        let key = |entry: &Self| (entry.at, entry.member.id);
        key(other).cmp(&key(self))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}
