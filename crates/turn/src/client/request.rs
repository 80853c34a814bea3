//! Requests on their way (RFC 8489 §6.2).

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use stun::{Method, Step, Transaction, TransactionId};

/// How many requests may be under way to one server (RFC 8489 §6.2); the others wait.
const MAX_UNDER_WAY: usize = 10;

/// How many peers one CreatePermission names: with IPv6 addresses they take 192 bytes.
pub(super) const MAX_PEERS_PER_REQUEST: usize = 8;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Allocate,
    Refresh,
    /// A refresh with a lifetime of 0.
    Delete,
    Permit(Vec<IpAddr>),
    Bind {
        number: u16,
        peer: SocketAddr,
    },
    Connect(SocketAddr),
}

impl Purpose {
    pub(super) fn method(&self) -> Method {
        match self {
            Self::Allocate => Method::ALLOCATE,
            Self::Refresh | Self::Delete => Method::REFRESH,
            Self::Permit(_) => Method::CREATE_PERMISSION,
            Self::Bind { .. } => Method::CHANNEL_BIND,
            Self::Connect(_) => Method::CONNECT,
        }
    }
}

/// A request under way. Its bytes are kept because a repetition is bit-identical (stun-004) while the
/// nonce may have become another one.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) purpose: Purpose,
    pub(super) bytes: Vec<u8>,
    /// The realm it was signed for; `None` if it was not signed.
    pub(super) realm: Option<String>,
    /// How often it was asked anew because of a nonce or realm.
    pub(super) renewals: u32,
    /// An answer with wrong integrity has come.
    pub(super) violated: bool,
}

/// A request that waits to be written.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) purpose: Purpose,
    pub(super) renewals: u32,
}

/// All requests of a client. There is at most one per allocation, peer, channel and connection, so the bounds on
/// those bound this too.
#[derive(Debug, Default)]
pub(super) struct Requests {
    under_way: BTreeMap<TransactionId, Request>,
    wanted: VecDeque<Wanted>,
    transmits: VecDeque<TransactionId>,
}

impl Requests {
    pub(super) fn want(&mut self, purpose: Purpose) {
        self.wanted.push_back(Wanted {
            purpose,
            renewals: 0,
        });
    }

    /// Goes before all that wait: it has waited already.
    pub(super) fn want_again(&mut self, purpose: Purpose, renewals: u32) {
        self.wanted.push_front(Wanted { purpose, renewals });
    }

    /// Forgets what waits and what is under way.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next request to be written, unless ten are under way (stun-024).
    pub(super) fn next_wanted(&mut self) -> Option<Wanted> {
        if self.under_way.len() >= MAX_UNDER_WAY {
            return None;
        }
        self.wanted.pop_front()
    }

    pub(super) fn start(&mut self, request: Request) {
        let id = request.transaction.id();
        self.transmits.push_back(id);
        self.under_way.insert(id, request);
    }

    /// The bytes of the next request to be sent.
    pub(super) fn next_transmit(&mut self) -> Option<&[u8]> {
        loop {
            let id = self.transmits.pop_front()?;
            if self.under_way.contains_key(&id) {
                return self.under_way.get(&id).map(|request| &request.bytes[..]);
            }
        }
    }

    pub(super) fn get_mut(&mut self, id: TransactionId) -> Option<&mut Request> {
        self.under_way.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: TransactionId) -> Option<Request> {
        self.under_way.remove(&id)
    }

    /// Queues repetitions and takes out the next request that nobody answered.
    pub(super) fn next_expired(&mut self, now: Instant) -> Option<Request> {
        let mut expired = None;
        for (id, request) in &mut self.under_way {
            match request.transaction.handle_timeout(now) {
                Step::Wait => {}
                Step::Retransmit => self.transmits.push_back(*id),
                Step::TimedOut => {
                    expired = Some(*id);
                    break;
                }
            }
        }
        self.remove(expired?)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.under_way.values();
        requests
            .map(|request| request.transaction.poll_timeout())
            .min()
    }
}
