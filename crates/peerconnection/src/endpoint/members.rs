//! The connections of an endpoint, and the user name fragments they claim.

use super::member::Member;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Members {
    all: BTreeMap<u64, Arc<Member>>,
    claims: HashMap<String, Arc<Member>>,
    last_id: u64,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Member>> {
        self.all.values().cloned().collect()
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn insert(&mut self, member: Arc<Member>) {
        self.all.insert(member.id, member);
    }

    /// Forgets a connection and its claims; whether it was known.
    pub(super) fn remove(&mut self, member: &Arc<Member>) -> bool {
        for fragment in member.take_claims() {
            self.release(&fragment, member);
        }
        self.all.remove(&member.id).is_some()
    }

    /// Gives a fragment to a connection; the first that claims it has it.
    pub(super) fn claim(&mut self, fragment: String, member: &Arc<Member>) {
        self.claims
            .entry(fragment)
            .or_insert_with(|| Arc::clone(member));
    }

    pub(super) fn release(&mut self, fragment: &str, member: &Arc<Member>) {
        let own = self.claims.get(fragment);
        if own.is_some_and(|own| Arc::ptr_eq(own, member)) {
            self.claims.remove(fragment);
        }
    }

    /// Whose checks name this fragment.
    pub(super) fn claimant(&self, fragment: &str) -> Option<Arc<Member>> {
        self.claims.get(fragment).cloned()
    }
}
