//! Whose packets come on which path: only those that a check has validated.

use crate::endpoint::member::Member;
use layer::SocketId;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Our socket, and the peer's address.
pub(super) type Path = (SocketId, SocketAddr);

/// After how much silence a path may go to another connection: three consent checks (RFC 7675 §5.1).
/// Before, a peer that has the credentials of one connection cannot take the path of another by
/// checks from a forged address.
const TAKEOVER_SILENCE: Duration = Duration::from_secs(15);

/// Paths of one connection; the oldest makes room.
const MAX_PATHS: usize = 32;

/// The paths of a shard.
#[derive(Debug, Default)]
pub(super) struct Paths {
    owners: HashMap<Path, Owner>,
    by_member: BTreeMap<u64, Vec<Path>>,
}

#[derive(Debug)]
struct Owner {
    member: Arc<Member>,
    heard: Instant,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// It is the connection's now.
    Yes,
    /// Another connection has it, and is in use of it.
    Contested,
}

impl Paths {
    /// Whose packet it is.
    pub(super) fn owner(&mut self, now: Instant, path: Path) -> Option<Arc<Member>> {
        let owner = self.owners.get_mut(&path)?;
        owner.heard = now;
        Some(Arc::clone(&owner.member))
    }

    /// Whether the path is known to be this connection's.
    pub(super) fn is_of(&mut self, now: Instant, path: Path, member: &Arc<Member>) -> bool {
        match self.owners.get_mut(&path) {
            Some(owner) if Arc::ptr_eq(&owner.member, member) => {
                owner.heard = now;
                true
            }
            _ => false,
        }
    }

    /// A check of this connection has validated the path.
    pub(super) fn claim(&mut self, now: Instant, path: Path, member: &Arc<Member>) -> Claimed {
        if let Some(owner) = self.owners.get(&path) {
            if now.saturating_duration_since(owner.heard) < TAKEOVER_SILENCE {
                return Claimed::Contested;
            }
            let before = owner.member.id;
            self.release(before, path);
        }
        let paths = self.by_member.entry(member.id).or_default();
        if paths.len() >= MAX_PATHS {
            let oldest = paths.remove(0);
            self.owners.remove(&oldest);
        }
        paths.push(path);
        let member = Arc::clone(member);
        self.owners.insert(path, Owner { member, heard: now });
        Claimed::Yes
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, id: u64) {
        for path in self.by_member.remove(&id).unwrap_or_default() {
            self.owners.remove(&path);
        }
    }

    fn release(&mut self, id: u64, path: Path) {
        if let Some(paths) = self.by_member.get_mut(&id) {
            paths.retain(|own| *own != path);
        }
    }
}
