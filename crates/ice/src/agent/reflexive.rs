//! Server-reflexive candidates: each host candidate asks each STUN server where it is seen from
//! (RFC 8445 §5.1.1.2).

use super::Agent;
use crate::candidate::LocalCandidate;
use crate::message;
use crate::server::{Host, StunUrl};
use layer::{
    CandidateError, CandidateType, IceEvent, IceServer, Input, RequestId, SocketId, Transmit,
    TransportPolicy,
};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use stun::{Class, ErrorCode, Message, Step, Timing, Transaction, TransactionId, XorMappedAddress};

/// STUN servers that are asked; further ones are left out. Two are enough to be sure.
const MAX_SERVERS: usize = 8;

/// Addresses of one server that are asked, of each family.
const MAX_ADDRESSES: usize = 2;

/// How often a server is asked before it counts as unreachable. With the first wait of 500 ms and
/// the short last one that is after 9.5 s, as long as browsers try.
const MAX_REQUESTS: u32 = 5;

/// How many times the first wait the last answer is waited for.
const LAST_WAIT: u32 = 4;

/// No answer, or no address to ask (webrtc-pc §4.8.2).
const UNREACHABLE: u16 = 701;

/// The servers of an agent, and what they are being asked.
#[derive(Debug, Default)]
pub(super) struct Reflexive {
    servers: Vec<Server>,
    queries: Vec<Query>,
    repetitions: VecDeque<TransactionId>,
}

#[derive(Debug)]
struct Server {
    url: String,
    port: u16,
    addresses: Addresses,
}

#[derive(Debug)]
enum Addresses {
    /// Not asked for yet.
    Name(String),
    Resolving(RequestId),
    Known(Vec<IpAddr>),
}

/// One host candidate asks one address.
#[derive(Debug)]
struct Query {
    server: usize,
    address: SocketAddr,
    socket: SocketId,
    base: SocketAddr,
    /// `None` until its turn has come.
    transaction: Option<Transaction>,
}

impl Reflexive {
    pub(super) fn new(servers: &[IceServer]) -> Self {
        let urls = servers.iter().flat_map(|server| &server.urls);
        let parsed = urls.filter_map(|url| Some((url, StunUrl::parse(url)?)));
        let server = |(url, parsed): (&String, StunUrl)| Server {
            url: url.clone(),
            port: parsed.port,
            addresses: match parsed.host {
                Host::Address(address) => Addresses::Known(vec![address]),
                Host::Name(name) => Addresses::Name(name),
            },
        };
        Self {
            servers: parsed.map(server).take(MAX_SERVERS).collect(),
            ..Self::default()
        }
    }

    /// Whether gathering still waits for something.
    pub(super) fn is_busy(&self) -> bool {
        let resolving = |server: &Server| matches!(server.addresses, Addresses::Resolving(_));
        !self.queries.is_empty() || self.servers.iter().any(resolving)
    }

    /// Nothing is asked any more.
    pub(super) fn stop(&mut self) {
        self.queries.clear();
        self.repetitions.clear();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let transactions = self.queries.iter().filter_map(|query| query.transaction);
        transactions.map(|it| it.poll_timeout()).min()
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
    /// Resolves the names of the servers, where addresses seen by servers may be shown at all.
    pub(super) fn resolve_servers(&mut self) {
        if self.policy == TransportPolicy::Relay {
            return;
        }
        for at in 0..self.reflexive.servers.len() {
            let Addresses::Name(host) = &self.reflexive.servers[at].addresses else {
                continue;
            };
            let host = host.clone();
            let request = self.new_request_id();
            self.reflexive.servers[at].addresses = Addresses::Resolving(request);
            self.emit(IceEvent::Resolve { request, host });
        }
    }

    /// The answer to one of our names; whether it was one.
    pub(super) fn take_server_addresses(
        &mut self,
        request: RequestId,
        addresses: &[IpAddr],
    ) -> bool {
        let asked = |server: &Server| matches!(server.addresses, Addresses::Resolving(own) if own == request);
        let Some(at) = self.reflexive.servers.iter().position(asked) else {
            return false;
        };
        let of_family = |ipv4: bool| {
            let own = addresses.iter().filter(move |it| it.is_ipv4() == ipv4);
            own.take(MAX_ADDRESSES).copied()
        };
        let known: Vec<IpAddr> = of_family(false).chain(of_family(true)).collect();
        if known.is_empty() {
            let url = self.reflexive.servers[at].url.clone();
            let text = "the name of the server does not resolve".to_owned();
            self.emit(IceEvent::CandidateError(CandidateError::new(
                None,
                url,
                UNREACHABLE,
                text,
            )));
        }
        self.reflexive.servers[at].addresses = Addresses::Known(known);
        let bases: Vec<(SocketId, SocketAddr)> = self
            .current
            .locals
            .iter()
            .filter(|local| local.candidate.candidate_type == CandidateType::Host)
            .map(|local| (local.socket, local.base))
            .collect();
        for (socket, base) in bases {
            self.ask(at, socket, base);
        }
        self.finish_gathering();
        true
    }

    /// A new host candidate asks all servers whose addresses are known.
    pub(super) fn ask_servers(&mut self, socket: SocketId, base: SocketAddr) {
        if self.policy == TransportPolicy::Relay {
            return;
        }
        for at in 0..self.reflexive.servers.len() {
            self.ask(at, socket, base);
        }
    }

    fn ask(&mut self, server: usize, socket: SocketId, base: SocketAddr) {
        let known = &self.reflexive.servers[server];
        let Addresses::Known(addresses) = &known.addresses else {
            return;
        };
        let of_family = addresses
            .iter()
            .filter(|address| address.is_ipv4() == base.is_ipv4())
            .map(|address| Query {
                server,
                address: SocketAddr::new(*address, known.port),
                socket,
                base,
                transaction: None,
            });
        let queries: Vec<Query> = of_family.collect();
        self.reflexive.queries.extend(queries);
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
        let mut timing: Timing = self.check_timing();
        timing.max_requests = MAX_REQUESTS.min(timing.max_requests);
        timing.last_wait = LAST_WAIT;
        self.reflexive.queries[at].transaction = Some(Transaction::start(id, now, timing));
        self.write_query(at, id, buf)
    }

    fn write_query(&self, at: usize, id: TransactionId, buf: &mut [u8]) -> Option<Transmit> {
        let query = &self.reflexive.queries[at];
        let len = message::write_query(buf, id)?;
        Some(Transmit::new(query.socket, query.base, query.address, len))
    }

    /// When the next new query may go out.
    pub(super) fn query_at(&self) -> Option<Instant> {
        self.reflexive.has_unasked().then(|| self.pacer.ready_at())
    }

    /// What a server answers; whether the message was such an answer. It need not have a
    /// fingerprint: the transaction and where it comes from say whose it is.
    pub(super) fn take_query_answer(&mut self, input: &Input<'_>, message: &Message<'_>) -> bool {
        let Some(at) = self.reflexive.position(message.transaction_id()) else {
            return false;
        };
        let query = &self.reflexive.queries[at];
        if query.address != input.remote || query.socket != input.socket {
            return false;
        }
        let query = self.reflexive.queries.swap_remove(at);
        match (message.class(), message.attribute()) {
            (Class::Success, Ok(Some(XorMappedAddress(mapped)))) => {
                self.add_reflexive(&query, mapped);
            }
            (Class::Error, _) => {
                let code = message.attribute::<ErrorCode<'_>>().ok().flatten();
                let (code, text) = code.map_or((UNREACHABLE, String::new()), |error| {
                    (error.code, error.reason.to_owned())
                });
                self.refuse(&query, code, text);
            }
            _ => self.refuse(&query, UNREACHABLE, "the answer has no address".to_owned()),
        }
        self.finish_gathering();
        true
    }

    /// Queries whose time has come are repeated or given up.
    pub(super) fn expire_queries(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        let Reflexive {
            queries,
            repetitions,
            ..
        } = &mut self.reflexive;
        queries.retain_mut(|query| {
            let Some(transaction) = &mut query.transaction else {
                return true;
            };
            match transaction.handle_timeout(now) {
                Step::Wait => true,
                Step::Retransmit => {
                    repetitions.push_back(transaction.id());
                    true
                }
                Step::TimedOut => {
                    given_up.push((query.server, query.base));
                    false
                }
            }
        });
        if given_up.is_empty() {
            return;
        }
        for (server, base) in given_up {
            let url = self.reflexive.servers[server].url.clone();
            let text = "the server does not answer".to_owned();
            self.emit(IceEvent::CandidateError(CandidateError::new(
                Some(base),
                url,
                UNREACHABLE,
                text,
            )));
        }
        self.finish_gathering();
    }

    /// A socket is gone, and with it what was asked through it.
    pub(super) fn drop_queries(&mut self, socket: SocketId) {
        self.reflexive
            .queries
            .retain(|query| query.socket != socket);
        self.finish_gathering();
    }

    fn refuse(&mut self, query: &Query, code: u16, text: String) {
        let url = self.reflexive.servers[query.server].url.clone();
        let error = CandidateError::new(Some(query.base), url, code, text);
        self.emit(IceEvent::CandidateError(error));
    }

    /// ice-011: without a NAT in between the server sees the base, and there is nothing new.
    fn add_reflexive(&mut self, query: &Query, mapped: SocketAddr) {
        let Some(base) = self.current.base_of(query.socket) else {
            return;
        };
        let known = |local: &LocalCandidate| local.address == mapped && local.base == query.base;
        if self.current.locals.iter().any(known) {
            return;
        }
        let server = query.address.ip();
        let foundation = self.current.reflexive_foundation(query.base, server);
        let mut local =
            LocalCandidate::server_reflexive(&self.current.locals[base], mapped, foundation);
        local.candidate.url = Some(self.reflexive.servers[query.server].url.clone());
        if self.policy == TransportPolicy::NoHost {
            // The base is not shown where hosts are not.
            local.candidate.related = None;
        }
        self.emit(IceEvent::Candidate(local.candidate.clone()));
        self.current.locals.push(local);
    }
}
