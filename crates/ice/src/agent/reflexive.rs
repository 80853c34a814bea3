//! Server-reflexive candidates: each base asks each STUN server where it is seen from
//! (RFC 8445 §5.1.1.2).

use super::Agent;
use super::server::UNREACHABLE;
use crate::candidate::{Base, LocalCandidate};
use crate::generation::Source;
use crate::message;
use crate::server::Transport;
use crate::via::{Path, Via};
use layer::{CandidateType, ServerState, SocketId, Transmit};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;
use stun::{Class, ErrorCode, Message, Step, Timing, Transaction, TransactionId, XorMappedAddress};

/// How often a server is asked before it counts as unreachable. With the first wait of 500 ms and
/// the short last one that is after 9.5 s, as long as browsers try.
pub(super) const MAX_REQUESTS: u32 = 5;

/// How many times the first wait the last answer is waited for.
pub(super) const LAST_WAIT: u32 = 4;

/// What STUN servers are being asked.
#[derive(Debug, Default)]
pub(super) struct Reflexive {
    queries: Vec<Query>,
    repetitions: VecDeque<TransactionId>,
    kept: Vec<Kept>,
}

/// A mapping that is kept alive until ICE has concluded (RFC 8445 §5.1.1.4, ice-007).
#[derive(Debug)]
struct Kept {
    address: SocketAddr,
    base: Base,
    /// When it is asked for again.
    at: Instant,
}

/// One base asks one address.
#[derive(Debug)]
struct Query {
    url: String,
    address: SocketAddr,
    base: Base,
    /// `None` until its turn has come.
    transaction: Option<Transaction>,
    /// It only keeps a mapping alive: nobody waits for its answer.
    is_keepalive: bool,
}

impl Reflexive {
    /// Whether gathering still waits for something.
    pub(super) fn is_busy(&self) -> bool {
        self.queries.iter().any(|query| !query.is_keepalive)
    }

    /// ICE has concluded: what is not in use may go.
    pub(super) fn conclude(&mut self) {
        self.kept.clear();
        self.queries.retain(|query| !query.is_keepalive);
    }

    /// Nothing is asked any more.
    pub(super) fn stop(&mut self) {
        self.queries.clear();
        self.repetitions.clear();
        self.kept.clear();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let transactions = self.queries.iter().filter_map(|query| query.transaction);
        let kept = self.kept.iter().map(|kept| kept.at);
        transactions.map(|it| it.poll_timeout()).chain(kept).min()
    }

    pub(super) fn has_unasked(&self) -> bool {
        self.queries.iter().any(|query| query.transaction.is_none())
    }

    fn position(&self, id: TransactionId) -> Option<usize> {
        self.queries
            .iter()
            .position(|query| query.transaction.is_some_and(|it| it.id() == id))
    }
}

impl Agent {
    pub(super) fn query(&mut self, server: usize, address: SocketAddr, base: Base) {
        let url = self.servers.list[server].url.clone();
        self.server_state(&url, address, base.local, ServerState::Waiting);
        self.reflexive.queries.push(Query {
            url,
            address,
            base,
            transaction: None,
            is_keepalive: false,
        });
    }

    /// A server has made a NAT on the way keep a mapping for a base: from now on we do.
    pub(super) fn keep_mapping(&mut self, now: Instant, base: Base, address: SocketAddr) {
        if self.current.selected.is_none() {
            let at = now + self.settings.keepalive_interval;
            self.reflexive.kept.push(Kept { address, base, at });
        }
    }

    /// "Additional Binding requests to the server" keep the bindings (RFC 8445 §5.1.1.4).
    fn ask_for_kept(&mut self, now: Instant) {
        let interval = self.settings.keepalive_interval;
        let Reflexive { kept, queries, .. } = &mut self.reflexive;
        for kept in kept.iter_mut().filter(|kept| kept.at <= now) {
            kept.at = now + interval;
            queries.push(Query {
                url: String::new(),
                address: kept.address,
                base: kept.base,
                transaction: None,
                is_keepalive: true,
            });
        }
    }

    /// Asks a server again, or for the first time; ice-004: one new transaction in each Ta.
    pub(super) fn send_query(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        while let Some(id) = self.reflexive.repetitions.pop_front() {
            if let Some(at) = self.reflexive.position(id) {
                return self.write_query(at, id, buf);
            }
        }
        let mut queries = self.reflexive.queries.iter();
        let at = queries.position(|query| query.transaction.is_none())?;
        if !self.pacer.is_ready(now) {
            return None;
        }
        self.pacer.started(now);
        let id = self.new_transaction_id();
        let transaction = Transaction::start(id, now, self.gathering_timing());
        let query = &mut self.reflexive.queries[at];
        query.transaction = Some(transaction);
        let (url, address, local) = (query.url.clone(), query.address, query.base.local);
        if !query.is_keepalive {
            self.server_state(&url, address, local, ServerState::Asking);
        }
        self.write_query(at, id, buf)
    }

    /// ice-030: RTO grows with the number of transactions that share the pace (RFC 8445 §14.3).
    pub(super) fn gathering_timing(&self) -> Timing {
        let mut timing: Timing = self.check_timing();
        timing.max_requests = MAX_REQUESTS.min(timing.max_requests);
        timing.last_wait = LAST_WAIT;
        timing
    }

    fn write_query(&self, at: usize, id: TransactionId, buf: &mut [u8]) -> Option<Transmit> {
        let Query { base, address, .. } = &self.reflexive.queries[at];
        let len = message::write_query(buf, id)?;
        Some(Transmit::new(base.socket, base.local, *address, len))
    }

    /// When the next new query may go out.
    pub(super) fn query_at(&self) -> Option<Instant> {
        self.reflexive.has_unasked().then(|| self.pacer.ready_at())
    }

    /// What a server answers; whether the message was such an answer. It need not have a
    /// fingerprint: the transaction and where it comes from say whose it is.
    pub(super) fn take_query_answer(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
    ) -> bool {
        let Some(at) = self.reflexive.position(message.transaction_id()) else {
            return false;
        };
        let query = &self.reflexive.queries[at];
        if (Via::Socket(query.base.socket), query.address) != path {
            return false;
        }
        let query = self.reflexive.queries.swap_remove(at);
        if query.is_keepalive {
            return true;
        }
        match (message.class(), message.attribute()) {
            (Class::Success, Ok(Some(XorMappedAddress(mapped)))) => {
                let (url, address) = (query.url, query.address);
                self.server_state(&url, address, query.base.local, ServerState::Answered);
                self.add_reflexive(&query.base, address, Some(url), mapped);
                self.keep_mapping(now, query.base, address);
            }
            (Class::Error, _) => {
                let code = message.attribute::<ErrorCode<'_>>().ok().flatten();
                let (code, text) = code.map_or((UNREACHABLE, String::new()), |error| {
                    (error.code, error.reason.to_owned())
                });
                self.refuse(query, code, text);
            }
            _ => self.refuse(query, UNREACHABLE, "the answer has no address".to_owned()),
        }
        self.finish_gathering();
        true
    }

    /// Queries whose time has come are repeated or given up.
    pub(super) fn expire_queries(&mut self, now: Instant) {
        self.ask_for_kept(now);
        let Reflexive {
            queries,
            repetitions,
            ..
        } = &mut self.reflexive;
        let mut given_up = Vec::new();
        for (at, query) in queries.iter_mut().enumerate() {
            let Some(transaction) = &mut query.transaction else {
                continue;
            };
            match transaction.handle_timeout(now) {
                Step::Wait => {}
                Step::Retransmit => repetitions.push_back(transaction.id()),
                Step::TimedOut => given_up.push(at),
            }
        }
        if given_up.is_empty() {
            return;
        }
        for at in given_up.into_iter().rev() {
            let query = self.reflexive.queries.remove(at);
            self.refuse(query, UNREACHABLE, "the server does not answer".to_owned());
        }
        self.finish_gathering();
    }

    /// A socket is gone, and with it what was asked through it.
    pub(super) fn drop_queries(&mut self, socket: SocketId) {
        let Reflexive { queries, kept, .. } = &mut self.reflexive;
        queries.retain(|query| query.base.socket != socket);
        kept.retain(|kept| kept.base.socket != socket);
        self.finish_gathering();
    }

    fn refuse(&mut self, query: Query, code: u16, text: String) {
        if query.is_keepalive {
            return;
        }
        let (address, local) = (Some(query.address), Some(query.base.local));
        self.server_failed(query.url, address, local, code, text);
    }

    /// A server sees a base at this address. ice-011: without a NAT in between that is the base
    /// itself, and there is nothing new.
    pub(super) fn add_reflexive(
        &mut self,
        base: &Base,
        server: SocketAddr,
        url: Option<String>,
        mapped: SocketAddr,
    ) {
        let Some(index) = self.current.base_of(Via::Socket(base.socket)) else {
            return;
        };
        let hides_hosts = self.settings.multicast_names;
        let is_same = |local: &LocalCandidate| {
            let is_hidden = hides_hosts && local.candidate.candidate_type == CandidateType::Host;
            let is_same = local.address == mapped || local.rewritten == Some(mapped);
            // A name says nothing to those who cannot resolve it: the address is worth saying.
            is_same && local.base == base.local && !is_hidden
        };
        let known = self.current.locals.iter().position(is_same);
        let learned = |at: &usize| {
            let local = &self.current.locals[*at].candidate;
            local.candidate_type == CandidateType::PeerReflexive
        };
        if known.is_some_and(|at| !learned(&at)) {
            return;
        }
        let candidate_type = CandidateType::ServerReflexive;
        let foundation = self.current.foundation_of(Source {
            candidate_type,
            base: base.local.ip(),
            server: server.ip(),
            transport: Transport::Udp,
        });
        let wanted = self.current.locals[index].local_preference;
        let preference = self.current.free_preference(candidate_type, wanted);
        let host = &self.current.locals[index];
        let mut local = LocalCandidate::server_reflexive(host, mapped, preference, foundation);
        local.candidate.url = url;
        local.candidate.related = Some(self.related(candidate_type, base.local));
        self.tell(&local);
        match known {
            // A peer has told us before the server did. Other peers, and relays that permit us, are
            // told all the same, and the pairs are now called what the peer calls them (ice-049).
            Some(at) => {
                self.current.locals[at] = local;
                if let Some(role) = self.role {
                    self.current.set_role(role);
                }
            }
            None => self.current.locals.push(local),
        }
    }
}
