//! Who has asked: responses name nobody but their request, and a STUN server answers all connections
//! from one address.

use super::member::Member;
use crate::driver::peek::TransactionId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long a response may take: all of a transaction of RFC 8489 §6.2.1 with its default timing.
const LIFETIME: Duration = Duration::from_secs(40);

/// Transactions of all connections together, those of the last 40 s; the oldest makes room. A
/// connection that stands asks every 5 s (RFC 7675 §5.1), so this is enough for 130 000 of them, or
/// for 1300 at a time that are being checked at the pace of 20 a second.
const MAX_TRANSACTIONS: usize = 1 << 20;

/// The requests that are on their way.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    asked: HashMap<TransactionId, Weak<Member>>,
    ages: VecDeque<(Instant, TransactionId)>,
}

impl Transactions {
    /// A request has been sent, perhaps not for the first time.
    pub(super) fn asked(&mut self, now: Instant, id: TransactionId, member: &Arc<Member>) {
        while let Some((asked, oldest)) = self.ages.front() {
            let late = now.saturating_duration_since(*asked) > LIFETIME;
            if !late && self.ages.len() < MAX_TRANSACTIONS {
                break;
            }
            self.asked.remove(oldest);
            self.ages.pop_front();
        }
        if self.asked.insert(id, Arc::downgrade(member)).is_none() {
            self.ages.push_back((now, id));
        }
    }

    /// A response has come; who asked. The first response may be a forger's, which counts as none
    /// (RFC 8489 §9.1.4), so the next one finds its way as well.
    pub(super) fn asker(&self, id: &TransactionId) -> Option<Arc<Member>> {
        self.asked.get(id)?.upgrade()
    }
}
