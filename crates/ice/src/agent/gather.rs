//! Gathering (RFC 8445 §5.1.1): interfaces are listed, their addresses bound, the sockets become host
//! candidates.

use super::Agent;
use super::server::Servers;
use crate::candidate::{Base, Direction, LocalCandidate};
use crate::interface;
use crate::via::{Via, Way};
use layer::{
    Bound, CandidateType, GatheringState, IceEvent, Interface, PairFailure, RequestId, SocketId,
    TransportPolicy,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Where gathering stands, and the sockets it has brought.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    stage: Stage,
    /// All sockets of the agent, those of the generation before included.
    sockets: Vec<Bound>,
    /// Those from which the current generation gathers.
    bases: Vec<Base>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    New,
    /// Waits for the interfaces.
    Listing(RequestId),
    /// Waits for sockets and listeners; what each is preferred with.
    Binding {
        sockets: BTreeMap<RequestId, (u16, IpAddr)>,
        listeners: BTreeMap<RequestId, Direction>,
    },
    Complete,
}

impl Gathering {
    pub(super) fn state(&self) -> GatheringState {
        match self.stage {
            Stage::New => GatheringState::New,
            Stage::Listing(_) | Stage::Binding { .. } => GatheringState::Gathering,
            Stage::Complete => GatheringState::Complete,
        }
    }

    /// Begins anew with the next generation; the sockets stay.
    pub(super) fn restart(&mut self) {
        self.stage = Stage::New;
        self.bases.clear();
    }

    pub(super) fn wait_for_listener(&mut self, request: RequestId, direction: Direction) {
        if let Stage::Binding { listeners, .. } = &mut self.stage {
            listeners.insert(request, direction);
        }
    }

    /// The listener that a request was for.
    pub(super) fn take_listener(&mut self, request: RequestId) -> Option<Direction> {
        match &mut self.stage {
            Stage::Binding { listeners, .. } => listeners.remove(&request),
            _ => None,
        }
    }

    /// The addresses that have a socket in this generation, or will have one.
    fn addresses(&self) -> Vec<IpAddr> {
        let bases = self.bases.iter().map(|base| base.local.ip());
        let waiting = match &self.stage {
            Stage::Binding { sockets, .. } => {
                sockets.values().map(|(_, address)| *address).collect()
            }
            _ => Vec::new(),
        };
        bases.chain(waiting).collect()
    }

    /// The sockets from which servers are asked.
    pub(super) fn bases(&self) -> &[Base] {
        &self.bases
    }

    pub(super) fn has_base(&self, base: &Base) -> bool {
        self.bases.iter().any(|own| own.socket == base.socket)
    }
}

impl Agent {
    /// Gathers for the candidate pool (ice-013): nobody is told yet.
    pub(super) fn start_gathering_ahead(&mut self) {
        if matches!(self.gathering.stage, Stage::New) {
            self.ahead = Some(Vec::new());
            self.start_gathering();
        }
    }

    /// What was gathered ahead is told now.
    pub(super) fn tell_pool(&mut self) {
        for event in self.ahead.take().into_iter().flatten() {
            self.emit(event);
        }
    }

    pub(super) fn start_gathering(&mut self) {
        if self.is_closed() || !matches!(self.gathering.stage, Stage::New) {
            return;
        }
        self.servers = Servers::new(&self.configured);
        self.policy = self.configured_policy;
        let request = self.new_request_id();
        self.gathering.stage = Stage::Listing(request);
        self.emit(IceEvent::GatheringStateChange(GatheringState::Gathering));
        self.emit(IceEvent::ListInterfaces { request });
        self.resolve_servers();
    }

    pub(super) fn take_interfaces(
        &mut self,
        now: Instant,
        request: RequestId,
        interfaces: &[Interface],
    ) {
        match self.gathering.stage {
            Stage::Listing(asked) if asked == request => {
                self.gathering.stage = Stage::Binding {
                    sockets: BTreeMap::new(),
                    listeners: BTreeMap::new(),
                };
            }
            // Unasked: without continual gathering addresses that come or go are not followed
            // within a generation, since nothing may come after its last candidate (ice-063).
            Stage::Binding { .. } if self.settings.continual_gathering => {
                self.lose_addresses(now, interfaces);
            }
            _ => return,
        }
        let is_there = |address: &IpAddr| interfaces.iter().any(|it| it.address == *address);
        self.names.retain(|address, _| is_there(address));
        // ice-012: where only relays may be shown and there are none, nothing is even bound.
        let relays_only = self.policy == TransportPolicy::Relay;
        let addresses = if relays_only && !self.servers.has_relays() {
            Vec::new()
        } else {
            interface::choose(interfaces, &self.settings)
        };
        let known = self.gathering.addresses();
        let mut preference = u16::MAX - u16::try_from(known.len()).unwrap_or(u16::MAX);
        for address in addresses {
            if known.contains(&address.ip()) {
                continue;
            }
            let socket = self.reusable(address.ip());
            match socket {
                Some(bound) => self.add_base(now, bound, preference),
                None => self.bind(address, preference),
            }
            preference = preference.saturating_sub(1);
        }
        self.finish_gathering();
    }

    /// Candidates whose base has gone away are of no use any more (RFC 8445 §5.1.1.4).
    fn lose_addresses(&mut self, now: Instant, interfaces: &[Interface]) {
        let is_gone = |address: IpAddr| !interfaces.iter().any(|it| it.address == address);
        let bases = self.gathering.bases.iter();
        let bases = bases.map(|base| (base.socket, base.local));
        let streams = self.streams.listening().chain(self.relays.links());
        let sockets: BTreeSet<SocketId> = bases
            .chain(streams)
            .filter(|(_, local)| is_gone(local.ip()))
            .map(|(socket, _)| socket)
            .collect();
        for socket in sockets {
            self.lose_socket(now, socket);
            self.emit(IceEvent::CloseSocket { socket });
        }
        self.current.lose_active(is_gone);
        let is_stream = |via: Via| matches!(via, Via::Stream(_) | Via::Unconnected);
        let is_dead = |way: &Way| is_stream(way.via) && is_gone(way.local.ip());
        self.fail_pairs_of(now, is_dead, PairFailure::Closed);
        self.current.forget_gone();
    }

    /// A socket of the generation before on the same address: it serves the new one as well, and
    /// nothing has to be bound.
    fn reusable(&self, address: IpAddr) -> Option<Bound> {
        let mut sockets = self.gathering.sockets.iter();
        sockets.find(|bound| bound.local.ip() == address).copied()
    }

    fn bind(&mut self, local: SocketAddr, preference: u16) {
        let request = self.new_request_id();
        if let Stage::Binding { sockets, .. } = &mut self.gathering.stage {
            sockets.insert(request, (preference, local.ip()));
        }
        self.emit(IceEvent::Bind {
            request,
            local,
            ports: self.settings.ports,
        });
    }

    pub(super) fn take_socket(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) {
        let preference = match &mut self.gathering.stage {
            Stage::Binding { sockets, .. } => sockets.remove(&request),
            _ => None,
        };
        match (preference, result) {
            (Some((preference, _)), Ok(bound)) if !self.is_closed() => {
                self.gathering.sockets.push(bound);
                self.add_base(now, bound, preference);
            }
            // The answer comes too late: nobody needs the socket any more.
            (_, Ok(bound)) => self.emit(IceEvent::CloseSocket {
                socket: bound.socket,
            }),
            (preference, Err(error)) => {
                tracing::debug!(?error, "an address could not be bound");
                // Where there is no UDP there may be TCP.
                if let Some((_, ip)) = preference.filter(|_| !self.is_closed()) {
                    self.add_tcp(now, ip);
                }
            }
        }
        self.finish_gathering();
    }

    fn add_base(&mut self, now: Instant, bound: Bound, preference: u16) {
        let base = Base {
            socket: bound.socket,
            local: bound.local,
            preference,
        };
        self.gathering.bases.push(base);
        // ice-012: never a host candidate where only relays may be used.
        if self.policy != TransportPolicy::Relay {
            self.add_host(now, &base);
        }
        self.add_tcp(now, base.local.ip());
        self.ask_servers(base);
    }

    fn add_host(&mut self, now: Instant, base: &Base) {
        let foundation = self.current.host_foundation(base.local);
        let fragment = self.current.local.username_fragment.clone();
        let host = CandidateType::Host;
        let preference = self.current.free_preference(host, base.preference);
        let mut local = LocalCandidate::host(base, preference, foundation, &fragment);
        self.disguise(&mut local);
        // ice-062: told first, paired from now on.
        self.tell(&local);
        self.current.locals.push(local);
        self.pair_local(now, self.current.locals.len() - 1);
        self.add_mapped(base);
    }

    pub(super) fn finish_gathering(&mut self) {
        let bound = matches!(
            &self.gathering.stage,
            Stage::Binding { sockets, listeners } if sockets.is_empty() && listeners.is_empty()
        );
        let busy = self.servers.is_resolving() || self.reflexive.is_busy() || self.relays.is_busy();
        // Continual gathering has no end.
        if bound && !busy && !self.settings.continual_gathering {
            self.gathering.stage = Stage::Complete;
            self.emit(IceEvent::GatheringStateChange(GatheringState::Complete));
        }
    }

    /// A socket is gone: nothing can be checked or sent through it any more.
    pub(super) fn lose_socket(&mut self, now: Instant, socket: SocketId) {
        let sockets = &mut self.gathering.sockets;
        if let Some(at) = sockets.iter().position(|bound| bound.socket == socket) {
            sockets.remove(at);
            self.await_address(now);
        }
        let is_gone = |way: &Way| way.via.socket() == Some(socket);
        self.fail_pairs_of(now, is_gone, PairFailure::Closed);
        self.gathering.bases.retain(|base| base.socket != socket);
        self.current.lose_base(Via::Socket(socket));
        self.lose_relays(socket);
        self.lose_stream(socket);
        self.drop_queries(socket);
    }

    /// Gives back the sockets that neither generation has a use for.
    pub(super) fn release_sockets(&mut self, is_needed: impl Fn(SocketId) -> bool) {
        let (kept, released): (Vec<Bound>, Vec<Bound>) = self
            .gathering
            .sockets
            .drain(..)
            .partition(|bound| is_needed(bound.socket));
        self.gathering.sockets = kept;
        for bound in released {
            self.emit(IceEvent::CloseSocket {
                socket: bound.socket,
            });
        }
    }
}
