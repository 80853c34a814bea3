//! How an allocation comes about: the wish, its turn, a connection where one is needed, and another try.

use super::super::Agent;
use super::super::server::UNREACHABLE;
use super::{Account, CONNECT_TIMEOUT, MAX_ADDRESSES, MAX_REDIRECTS, MAX_RELAYS, Relay, Stage};
use crate::candidate::Base;
use crate::server::Transport;
use crate::via::RelayId;
use chacha20::rand_core::Rng;
use layer::{Bound, Framing, IceEvent, RequestId, ServerState, TransportPolicy};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;
use turn::client::{Advice, Config, Failure};
use turn::{Client, Timing};

impl Agent {
    /// A base wants a relay on a server.
    pub(in crate::agent) fn relay(&mut self, server: usize, address: SocketAddr, base: Base) {
        let known = &self.servers.list[server];
        let Some(url) = &known.parsed else {
            return;
        };
        let account = Account {
            url: known.url.clone(),
            username: known.username.clone(),
            credential: known.credential.clone(),
            server: address,
        };
        let transport = url.transport;
        let server_name = transport.is_secure().then(|| url.host.name());
        let same = |relay: &Relay| {
            let same_base = relay.base.socket == base.socket;
            same_base && relay.account == account && !relay.released
        };
        // A restart takes over what stands, and asks anew where the base is seen from.
        if let Some(relay) = self.relays.list.iter().find(|relay| same(relay)) {
            let (id, shares_base) = (relay.id, !relay.owns_link);
            if shares_base && self.policy != TransportPolicy::Relay {
                self.query(server, address, base);
            }
            return self.add_relayed(self.relays.clock, id);
        }
        if self.relays.list.len() >= MAX_RELAYS {
            return;
        }
        let is_connected = transport.is_connected();
        let rival = self.relays.sharing(&base, address);
        let rival = rival.filter(|_| !is_connected);
        // Two URLs of one server.
        if rival.is_some_and(|rival| !rival.released && rival.account.is_user_of(&account)) {
            return;
        }
        // turn-002: another user of the same server wants another address of ours (RFC 8656 §5).
        let wants_socket = rival.is_some();
        self.server_state(&account.url, address, base.local, ServerState::Waiting);
        let id = RelayId(self.relays.next);
        self.relays.next += 1;
        let client = self.turn_client(&account, transport, address, Vec::new());
        let shares_base = !is_connected && !wants_socket;
        self.relays.list.push(Relay {
            id,
            account,
            transport,
            server_name,
            base,
            stage: Stage::Queued,
            link: shares_base.then(|| Bound::new(base.socket, base.local)),
            owns_link: !shares_base,
            client,
            attempts: 1,
            visited: Vec::new(),
            released: false,
        });
        if wants_socket {
            self.bind_relay(self.relays.list.len() - 1);
            if self.policy != TransportPolicy::Relay {
                // The answer from there tells nothing of where the base is seen from.
                self.query(server, address, base);
            }
        }
    }

    /// A relay gets a socket of its own.
    fn bind_relay(&mut self, at: usize) {
        let request = self.new_request_id();
        let relay = &mut self.relays.list[at];
        relay.stage = Stage::Binding(request);
        let local = SocketAddr::new(relay.base.local.ip(), 0);
        let ports = self.settings.ports;
        self.emit(IceEvent::Bind {
            request,
            local,
            ports,
        });
    }

    fn turn_client(
        &mut self,
        account: &Account,
        transport: Transport,
        server: SocketAddr,
        visited: Vec<SocketAddr>,
    ) -> Client {
        let (username, credential) = (&*account.username, &*account.credential);
        let mut config = Config::new(self.settings.provider, username, credential);
        config.transport = if transport.is_stream() {
            turn::Transport::Stream
        } else {
            turn::Transport::Datagram
        };
        config.is_connected = transport.is_connected();
        let timing: Timing = self.gathering_timing();
        config.timing = timing;
        config.visited = visited;
        config.max_permissions = self.settings.max_remote_candidates;
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Client::new(config, server, seed)
    }

    /// Relays whose turn it is are asked for; ice-004: one new transaction in each Ta.
    pub(in crate::agent) fn start_relays(&mut self, now: Instant) {
        while self.pacer.is_ready(now) {
            let mut relays = self.relays.list.iter();
            let Some(at) = relays.position(|relay| relay.stage == Stage::Queued) else {
                return;
            };
            self.pacer.started(now);
            if self.relays.list[at].link.is_some() {
                self.start_client(now, at);
            } else {
                self.connect_relay(now, at);
            }
        }
    }

    /// When the next relay may be asked for.
    pub(in crate::agent) fn relay_at(&self) -> Option<Instant> {
        self.relays.has_queued().then(|| self.pacer.ready_at())
    }

    fn start_client(&mut self, now: Instant, at: usize) {
        let relay = &mut self.relays.list[at];
        relay.stage = Stage::Running;
        relay.client.allocate(now);
        self.relay_state(at, ServerState::Asking);
    }

    fn connect_relay(&mut self, now: Instant, at: usize) {
        let request = self.new_request_id();
        let relay = &mut self.relays.list[at];
        relay.stage = Stage::Connecting(request, now + CONNECT_TIMEOUT);
        let local = SocketAddr::new(relay.base.local.ip(), 0);
        let (remote, server_name) = (relay.client.server(), relay.server_name.clone());
        let ports = self.settings.ports;
        let event = match (relay.transport, server_name) {
            // RFC 8656 §3.1: the messages of TURN lie in DTLS as in UDP.
            (Transport::Dtls, server_name) => IceEvent::ConnectDtls {
                request,
                local,
                ports,
                remote,
                server_name: server_name.unwrap_or_default(),
            },
            (_, server_name) => IceEvent::ConnectTcp {
                request,
                local,
                remote,
                framing: Framing::Stun,
                server_name,
            },
        };
        self.emit(event);
        self.relay_state(at, ServerState::Connecting);
    }

    pub(super) fn relay_state(&mut self, at: usize, state: ServerState) {
        let relay = &self.relays.list[at];
        let (url, local) = (relay.account.url.clone(), relay.base.local);
        let server = relay.account.server;
        self.server_state(&url, server, local, state);
    }

    /// The answer to a connection that a relay asked for; whether it was one.
    pub(in crate::agent) fn take_relay_connection(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, &dyn fmt::Display>,
    ) -> bool {
        let asked =
            |relay: &Relay| matches!(relay.stage, Stage::Connecting(own, _) if own == request);
        let Some(at) = self.relays.list.iter().position(asked) else {
            return false;
        };
        match result {
            Ok(bound) => {
                self.relays.list[at].link = Some(bound);
                self.start_client(now, at);
            }
            Err(error) => {
                let text = format!("the server cannot be connected to: {error}");
                self.drop_relay(at, Some((UNREACHABLE, text)));
            }
        }
        true
    }

    /// The answer to a socket that a relay asked for; whether it was one.
    pub(in crate::agent) fn take_relay_socket(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) -> bool {
        let asked = |relay: &Relay| relay.stage == Stage::Binding(request);
        let Some(at) = self.relays.list.iter().position(asked) else {
            return false;
        };
        match result {
            Ok(bound) => {
                let relay = &mut self.relays.list[at];
                relay.link = Some(bound);
                relay.owns_link = true;
                self.start_client(now, at);
            }
            Err(error) => {
                let text = format!("no other local address can be bound: {error}");
                self.drop_relay(
                    at,
                    Some((
                        Failure::AllocationMismatch.code().unwrap_or(UNREACHABLE),
                        text,
                    )),
                );
            }
        }
        true
    }

    /// Does what the RFC advises after a failed attempt (RFC 8656 §7.4).
    pub(super) fn try_relay_elsewhere(&mut self, at: usize, failure: &Failure) -> bool {
        let relay = &self.relays.list[at];
        let (server, visited) = match failure.advice() {
            // turn-008
            Advice::OtherLocalAddress if relay.attempts < MAX_ADDRESSES => {
                (relay.client.server(), Vec::new())
            }
            // turn-022
            Advice::Follow(server) if relay.visited.len() < MAX_REDIRECTS => {
                let mut visited = relay.visited.clone();
                visited.push(relay.client.server());
                (server, visited)
            }
            _ => return false,
        };
        let (account, transport) = (relay.account.clone(), relay.transport);
        let domain = match failure {
            Failure::TryAlternate { domain, .. } => domain.clone(),
            _ => None,
        };
        self.close_link(at);
        let client = self.turn_client(&account, transport, server, visited.clone());
        let relay = &mut self.relays.list[at];
        relay.client = client;
        relay.visited = visited;
        relay.attempts += 1;
        relay.server_name = domain.or(relay.server_name.take());
        let shared = relay.base;
        if relay.transport.is_connected() {
            relay.stage = Stage::Queued;
            return true;
        }
        self.bind_relay(at);
        // The answer from there tells nothing of where the base is seen from.
        let url = &account.url;
        let known = self.servers.list.iter().position(|it| it.url == *url);
        if let Some(known) = known.filter(|_| self.policy != TransportPolicy::Relay) {
            self.query(known, server, shared);
        }
        true
    }
}
