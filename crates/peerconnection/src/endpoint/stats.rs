use std::sync::atomic::{AtomicU64, Ordering};

/// What an [`Endpoint`](super::Endpoint) holds, and what it has dropped since it was bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointStats {
    /// Connections that are not closed.
    pub connections: usize,
    /// STUN requests for a user name fragment that is nobody's, or without any.
    pub unknown_fragments: u64,
    /// STUN responses that nobody has asked for.
    pub unknown_transactions: u64,
    /// Other packets on a path that no check has validated.
    pub unknown_paths: u64,
    /// Paths that a check has validated while another connection was in use of them. They stayed
    /// with that one.
    pub contested_paths: u64,
    /// TCP streams that were accepted and then closed because too many others waited to say whom
    /// they want.
    pub refused_streams: u64,
    /// TCP streams that left, wanted nobody, or took too long to say.
    pub lost_streams: u64,
}

/// The same, counted by all shards.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) unknown_fragments: Counter,
    pub(super) unknown_transactions: Counter,
    pub(super) unknown_paths: Counter,
    pub(super) contested_paths: Counter,
    pub(super) refused_streams: Counter,
    pub(super) lost_streams: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn read(&self, connections: usize) -> EndpointStats {
        EndpointStats {
            connections,
            unknown_fragments: self.unknown_fragments.read(),
            unknown_transactions: self.unknown_transactions.read(),
            unknown_paths: self.unknown_paths.read(),
            contested_paths: self.contested_paths.read(),
            refused_streams: self.refused_streams.read(),
            lost_streams: self.lost_streams.read(),
        }
    }
}
