use crate::flight::ack::{Ack, MAX_RECORDS};
use crate::record::RecordNumber;
use std::time::{Duration, Instant};

/// Which records of the peer's flight have come, and when we say so (RFC 9147 §7.1).
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    received: Vec<RecordNumber>,
    at: Option<Instant>,
    is_due: bool,
}

impl Acknowledgements {
    /// A record of the peer's flight came.
    pub(super) fn note(&mut self, number: RecordNumber) {
        if self.received.len() < MAX_RECORDS && !self.received.contains(&number) {
            self.received.push(number);
        }
    }

    /// The flight has come in part: if the rest does not follow soon, we say what has.
    pub(super) fn later(&mut self, now: Instant, wait: Duration) {
        if self.at.is_none() {
            self.at = Some(now + wait);
        }
    }

    /// Nothing else would tell the peer: we say it now.
    pub(super) fn at_once(&mut self) {
        self.is_due = true;
        self.at = None;
    }

    /// Our own flight tells it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.at
    }

    pub(super) fn fire(&mut self, now: Instant) {
        if self.at.is_some_and(|at| at <= now) {
            self.at_once();
        }
    }

    /// What to say, if it is time.
    pub(super) fn take(&mut self) -> Option<Ack> {
        let is_due = std::mem::take(&mut self.is_due);
        is_due.then(|| Ack(self.received.clone()))
    }

    /// What was said need not be said again.
    pub(super) fn forget(&mut self) {
        self.received = Vec::new();
    }
}
