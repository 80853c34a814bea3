//! Gathering (RFC 8445 §5.1.1): interfaces are listed, their addresses bound, the sockets become host
//! candidates.

use super::Agent;
use crate::candidate::LocalCandidate;
use crate::interface;
use layer::{Bound, GatheringState, IceEvent, Interface, RequestId, SocketId, TransportPolicy};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Where gathering stands, and the sockets it has brought.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    stage: Stage,
    /// All sockets of the agent, those of the generation before included.
    sockets: Vec<Bound>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    New,
    /// Waits for the interfaces.
    Listing(RequestId),
    /// Waits for sockets; what each is preferred with.
    Binding(BTreeMap<RequestId, u16>),
    Complete,
}

impl Gathering {
    pub(super) fn state(&self) -> GatheringState {
        match self.stage {
            Stage::New => GatheringState::New,
            Stage::Listing(_) | Stage::Binding(_) => GatheringState::Gathering,
            Stage::Complete => GatheringState::Complete,
        }
    }

    /// Begins anew with the next generation; the sockets stay.
    pub(super) fn restart(&mut self) {
        self.stage = Stage::New;
    }
}

impl Agent {
    pub(super) fn start_gathering(&mut self) {
        if self.is_closed() || !matches!(self.gathering.stage, Stage::New) {
            return;
        }
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
        // Addresses that come or go later are not followed within a generation.
        if !matches!(self.gathering.stage, Stage::Listing(asked) if asked == request) {
            return;
        }
        self.gathering.stage = Stage::Binding(BTreeMap::new());
        // ice-012: host candidates are not even gathered where they may not be shown.
        let addresses = match self.policy {
            TransportPolicy::Relay => Vec::new(),
            _ => interface::choose(interfaces, &self.settings),
        };
        let mut preference = u16::MAX;
        for address in addresses {
            let socket = self.reusable(address.ip());
            match socket {
                Some(bound) => self.add_host(now, bound, preference),
                None => self.bind(address, preference),
            }
            preference -= 1;
        }
        self.finish_gathering();
    }

    /// A socket of the generation before on the same address: it serves the new one as well, and
    /// nothing has to be bound.
    fn reusable(&self, address: IpAddr) -> Option<Bound> {
        let mut sockets = self.gathering.sockets.iter();
        sockets.find(|bound| bound.local.ip() == address).copied()
    }

    fn bind(&mut self, local: SocketAddr, preference: u16) {
        let request = self.new_request_id();
        if let Stage::Binding(requests) = &mut self.gathering.stage {
            requests.insert(request, preference);
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
            Stage::Binding(requests) => requests.remove(&request),
            _ => None,
        };
        match (preference, result) {
            (Some(preference), Ok(bound)) if !self.is_closed() => {
                self.gathering.sockets.push(bound);
                self.add_host(now, bound, preference);
            }
            // The answer comes too late: nobody needs the socket any more.
            (_, Ok(bound)) => self.emit(IceEvent::CloseSocket {
                socket: bound.socket,
            }),
            (_, Err(error)) => tracing::debug!(?error, "an address could not be bound"),
        }
        self.finish_gathering();
    }

    fn add_host(&mut self, now: Instant, bound: Bound, preference: u16) {
        let foundation = self.current.host_foundation(bound.local);
        let fragment = self.current.local.username_fragment.clone();
        let local =
            LocalCandidate::host(bound.socket, bound.local, preference, foundation, &fragment);
        // ice-062: told first, paired from now on.
        if self.policy == TransportPolicy::All {
            self.emit(IceEvent::Candidate(local.candidate.clone()));
        }
        self.current.locals.push(local);
        self.pair_local(now, self.current.locals.len() - 1);
        self.ask_servers(bound.socket, bound.local);
    }

    pub(super) fn finish_gathering(&mut self) {
        let bound =
            matches!(&self.gathering.stage, Stage::Binding(requests) if requests.is_empty());
        if bound && !self.reflexive.is_busy() {
            self.gathering.stage = Stage::Complete;
            self.emit(IceEvent::GatheringStateChange(GatheringState::Complete));
        }
    }

    /// A socket is gone: nothing can be checked or sent through it any more.
    pub(super) fn lose_socket(&mut self, now: Instant, socket: SocketId) {
        self.gathering
            .sockets
            .retain(|bound| bound.socket != socket);
        self.fail_pairs_of(now, socket);
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
