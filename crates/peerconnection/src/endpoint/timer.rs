//! When which connection wants to be called.

use super::member::Member;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A deadline this far away is no matter of milliseconds: consent, keepalives, heartbeats.
const FAR: Duration = Duration::from_secs(1);

/// Far deadlines fall together on multiples of this, so that one wake-up serves many connections.
const GRAIN: Duration = Duration::from_millis(20);

/// The timers of a shard. A deadline that has moved leaves its entry behind; the connection knows
/// which one counts.
#[derive(Debug)]
pub(super) struct Timers {
    entries: BinaryHeap<Entry>,
    start: Instant,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    member: Arc<Member>,
}

impl Timers {
    /// No entries yet; multiples are counted from `start`.
    pub(super) fn new(start: Instant) -> Self {
        Self {
            entries: BinaryHeap::new(),
            start,
        }
    }

    /// The instant at which a deadline is served: at most [`GRAIN`] later.
    pub(super) fn rounded(&self, now: Instant, deadline: Instant) -> Instant {
        if deadline.saturating_duration_since(now) < FAR {
            return deadline;
        }
        let since = deadline.saturating_duration_since(self.start);
        let over = since.as_nanos() % GRAIN.as_nanos();
        match u64::try_from(GRAIN.as_nanos() - over) {
            Ok(rest) if over > 0 => deadline + Duration::from_nanos(rest),
            _ => deadline,
        }
    }

    pub(super) fn push(&mut self, at: Instant, member: Arc<Member>) {
        self.entries.push(Entry { at, member });
    }

    /// The earliest entry.
    pub(super) fn next(&self) -> Option<Instant> {
        self.entries.peek().map(|entry| entry.at)
    }

    /// Takes the earliest entry, if its time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, Arc<Member>)> {
        let due = self.next().is_some_and(|at| at <= now);
        let entry = due.then(|| self.entries.pop()).flatten()?;
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
