//! The STUN and TURN servers: their addresses, and what asking them has come to.

use super::Agent;
use crate::candidate::Base;
use crate::server::{Host, ServerUrl, Service, Transport};
use layer::{
    CandidateError, IceEvent, IceServer, RequestId, ServerState, ServerStats, TransportPolicy,
};
use std::net::{IpAddr, SocketAddr};

/// URLs that are asked; further ones are left out.
const MAX_SERVERS: usize = 16;

/// Addresses of one server that are asked, of each family.
const MAX_ADDRESSES: usize = 2;

/// What is kept of asking servers; the oldest goes first.
const MAX_RECORDS: usize = 256;

/// The server cannot be reached (webrtc-pc §4.8.3).
pub(super) const UNREACHABLE: u16 = 701;

/// The servers of one generation.
#[derive(Debug, Default)]
pub(super) struct Servers {
    pub(super) list: Vec<Server>,
    records: Vec<ServerStats>,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: String,
    pub(super) username: String,
    pub(super) credential: String,
    /// `None` if the URL does not parse.
    pub(super) parsed: Option<ServerUrl>,
    addresses: Addresses,
}

#[derive(Debug)]
enum Addresses {
    /// Not asked for yet.
    Unknown,
    Resolving(RequestId),
    Known(Vec<IpAddr>),
}

impl Servers {
    pub(super) fn new(servers: &[IceServer]) -> Self {
        let urls = servers
            .iter()
            .flat_map(|server| server.urls.iter().map(move |url| (server, url)));
        let server = |(server, url): (&IceServer, &String)| Server {
            url: url.clone(),
            username: server.username.clone(),
            credential: server.credential.clone(),
            parsed: ServerUrl::parse(url),
            addresses: Addresses::Unknown,
        };
        Self {
            list: urls.map(server).take(MAX_SERVERS).collect(),
            records: Vec::new(),
        }
    }

    /// Whether any of them relays.
    pub(super) fn has_relays(&self) -> bool {
        let urls = self.list.iter().filter_map(|server| server.parsed.as_ref());
        urls.map(|url| url.service).any(|it| it == Service::Turn)
    }

    /// Whether a name is being resolved.
    pub(super) fn is_resolving(&self) -> bool {
        let resolving = |server: &Server| matches!(server.addresses, Addresses::Resolving(_));
        self.list.iter().any(resolving)
    }

    /// What asking the servers has come to, those included that were not asked yet.
    pub(super) fn stats(&self) -> Vec<ServerStats> {
        let unasked = self
            .list
            .iter()
            .filter(|server| !self.records.iter().any(|record| record.url == server.url));
        let unasked = unasked.map(|server| {
            let mut stats = ServerStats::new(server.url.clone());
            if matches!(server.addresses, Addresses::Resolving(_)) {
                stats.state = ServerState::Resolving;
            }
            stats
        });
        self.records.iter().cloned().chain(unasked).collect()
    }

    /// Keeps what asking a server from a local address has come to.
    pub(super) fn record(&mut self, record: ServerStats) {
        let same = |known: &&mut ServerStats| {
            known.url == record.url
                && known.address == record.address
                && known.local == record.local
        };
        if let Some(known) = self.records.iter_mut().find(same) {
            *known = record;
            return;
        }
        if self.records.len() >= MAX_RECORDS {
            self.records.remove(0);
        }
        self.records.push(record);
    }

    /// The known addresses that can be reached from an address of ours.
    fn reachable(&self, at: usize, base: SocketAddr) -> Vec<SocketAddr> {
        let (Addresses::Known(addresses), Some(url)) =
            (&self.list[at].addresses, &self.list[at].parsed)
        else {
            return Vec::new();
        };
        let of_family = addresses
            .iter()
            .filter(|address| address.is_ipv4() == base.is_ipv4());
        of_family
            .map(|address| SocketAddr::new(*address, url.port))
            .collect()
    }
}

impl Agent {
    /// Resolves the names of the servers that are of use.
    pub(super) fn resolve_servers(&mut self) {
        for at in 0..self.servers.list.len() {
            if !self.is_of_use(at) {
                continue;
            }
            let Some(url) = &self.servers.list[at].parsed else {
                continue;
            };
            self.servers.list[at].addresses = match url.host.clone() {
                Host::Address(address) => Addresses::Known(vec![address]),
                Host::Name(host) => {
                    let request = self.new_request_id();
                    self.emit(IceEvent::Resolve { request, host });
                    Addresses::Resolving(request)
                }
            };
        }
    }

    /// Whether a server can give a candidate that the policy lets through. One that never can is
    /// told as an error.
    fn is_of_use(&mut self, at: usize) -> bool {
        // ice-061
        if self.settings.lite {
            return false;
        }
        let Server { url, parsed, .. } = &self.servers.list[at];
        let why = match parsed {
            None => "the url does not name a stun or turn server",
            // The mapping of a connection to a server says nothing about one to a peer.
            Some(it) if it.service == Service::Stun && it.transport != Transport::Udp => {
                "a stun server is of use over udp only"
            }
            // ice-012
            Some(it) if it.service == Service::Stun => {
                return self.policy != TransportPolicy::Relay;
            }
            Some(_) => return true,
        };
        let url = url.clone();
        self.server_failed(url, None, None, UNREACHABLE, why.to_owned());
        false
    }

    /// The answer to one of our names; whether it was one.
    pub(super) fn take_server_addresses(
        &mut self,
        request: RequestId,
        addresses: &[IpAddr],
    ) -> bool {
        let asked = |server: &Server| matches!(server.addresses, Addresses::Resolving(own) if own == request);
        let Some(at) = self.servers.list.iter().position(asked) else {
            return false;
        };
        let of_family = |ipv4: bool| {
            let own = addresses.iter().filter(move |it| it.is_ipv4() == ipv4);
            own.take(MAX_ADDRESSES).copied()
        };
        let known: Vec<IpAddr> = of_family(false).chain(of_family(true)).collect();
        if known.is_empty() {
            let url = self.servers.list[at].url.clone();
            let text = "the name of the server does not resolve".to_owned();
            self.server_failed(url, None, None, UNREACHABLE, text);
        }
        self.servers.list[at].addresses = Addresses::Known(known);
        for base in self.gathering.bases().to_vec() {
            self.ask(at, base);
        }
        self.finish_gathering();
        true
    }

    /// A new base asks all servers whose addresses are known.
    pub(super) fn ask_servers(&mut self, base: Base) {
        for at in 0..self.servers.list.len() {
            self.ask(at, base);
        }
    }

    fn ask(&mut self, at: usize, base: Base) {
        for address in self.servers.reachable(at, base.local) {
            let service = self.servers.list[at].parsed.as_ref().map(|it| it.service);
            match service {
                Some(Service::Stun) => self.query(at, address, base),
                Some(Service::Turn) => self.relay(at, address, base),
                None => {}
            }
        }
    }

    /// A server gives no candidate: told once, and kept for the statistics.
    pub(super) fn server_failed(
        &mut self,
        url: String,
        address: Option<SocketAddr>,
        local: Option<SocketAddr>,
        code: u16,
        text: String,
    ) {
        // ice-012: where hosts are not shown, their addresses are not either.
        let shown = local.filter(|_| self.shows_hosts());
        let error = CandidateError::new(shown, url.clone(), code, text);
        let mut record = ServerStats::new(url);
        record.address = address;
        record.local = local;
        record.state = ServerState::Failed;
        record.failure = Some(error.clone());
        self.servers.record(record);
        self.emit(IceEvent::CandidateError(error));
    }

    /// A server is at work, or has answered.
    pub(super) fn server_state(
        &mut self,
        url: &str,
        address: SocketAddr,
        local: SocketAddr,
        state: ServerState,
    ) {
        let mut record = ServerStats::new(url.to_owned());
        record.address = Some(address);
        record.local = Some(local);
        record.state = state;
        self.servers.record(record);
    }
}
