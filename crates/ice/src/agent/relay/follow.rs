//! What becomes of allocations: candidates, permissions, data, and their end.

use super::super::Agent;
use super::super::server::UNREACHABLE;
use super::{Relay, Stage, preference};
use crate::candidate::LocalCandidate;
use crate::generation::{Generation, Source};
use crate::via::{RelayId, Via, Way};
use layer::{
    Bound, CandidateType, IceEvent, PairFailure, Received, ServerState, SocketId, TransportPolicy,
};
use std::net::IpAddr;
use std::time::Instant;
use turn::client::{Ending, Event, Failure};

impl Agent {
    /// A packet of a server, or what it relays: the peer's packet is taken as if it had come
    /// directly.
    pub(in crate::agent) fn receive_relayed(
        &mut self,
        now: Instant,
        at: usize,
        bytes: &[u8],
    ) -> Received {
        let relay = &mut self.relays.list[at];
        let server = relay.client.server();
        let received = relay.client.handle_input(now, server, bytes);
        let (turn::client::Received::Data { peer, range }, Some(local)) =
            (received, relay.client.relayed())
        else {
            return Received::Consumed;
        };
        let way = Way {
            via: Via::Relay(relay.id),
            local,
            remote: peer,
        };
        match self.receive(now, &way, &bytes[range.clone()]) {
            Received::Data { range: inner } => Received::Data {
                range: range.start + inner.start..range.start + inner.end,
            },
            consumed => consumed,
        }
    }

    /// Time has passed for the relays.
    pub(in crate::agent) fn expire_relays(&mut self, now: Instant) {
        let late =
            |relay: &Relay| matches!(relay.stage, Stage::Connecting(_, until) if until <= now);
        while let Some(at) = self.relays.list.iter().position(late) {
            let text = "the connection to the server takes too long".to_owned();
            self.drop_relay(at, Some((UNREACHABLE, text)));
        }
        for relay in &mut self.relays.list {
            if relay.stage == Stage::Running {
                relay.client.handle_timeout(now);
            }
        }
    }

    /// Follows what the clients tell. Called after everything that happens.
    pub(in crate::agent) fn follow_relays(&mut self, now: Instant) {
        let ids: Vec<RelayId> = self.relays.list.iter().map(|relay| relay.id).collect();
        for id in ids {
            while let Some(at) = self.relays.position(id)
                && let Some(event) = self.relays.list[at].client.poll_event()
            {
                self.follow_relay(now, at, id, event);
            }
        }
    }

    fn follow_relay(&mut self, now: Instant, at: usize, id: RelayId, event: Event) {
        match event {
            Event::Allocated { mapped, .. } => {
                self.relay_state(at, ServerState::Answered);
                let relay = &self.relays.list[at];
                let shares_base = !relay.owns_link;
                let (base, server) = (relay.base, relay.client.server());
                let url = relay.account.url.clone();
                // The server has told where the base is seen from as well.
                if shares_base && self.policy != TransportPolicy::Relay {
                    self.add_reflexive(&base, server, Some(url), mapped);
                }
                if shares_base {
                    self.keep_mapping(now, base, server);
                }
                self.add_relayed(now, id);
                self.finish_gathering();
            }
            Event::Permitted { peer } => self.relay_permits(id, peer),
            Event::NotPermitted { peer, reason } => self.relay_refuses(now, id, peer, &reason),
            Event::Ended(Ending::Failed(failure)) => self.relay_failed(now, at, failure),
            Event::Ended(Ending::Closed) => self.drop_relay(at, None),
            // Where data goes now has another headroom: `update` tells.
            _ => {}
        }
    }

    /// A relay stands: its address becomes a candidate of the current generation.
    pub(super) fn add_relayed(&mut self, now: Instant, id: RelayId) {
        let Some(relay) = self.relays.get(id) else {
            return;
        };
        let (Some(relayed), mapped) = (relay.client.relayed(), relay.client.mapped()) else {
            return;
        };
        let is_known = |local: &LocalCandidate| {
            // ice-005: one that equals a host candidate is discarded (RFC 8445 §5.1.1.2).
            local.via == Via::Relay(id) || (local.address == relayed && local.is_base())
        };
        let wanted = self.gathering.has_base(&relay.base) && !relay.released;
        if !wanted || self.current.locals.iter().any(is_known) {
            return;
        }
        let candidate_type = CandidateType::Relayed;
        let foundation = self.current.foundation_of(Source {
            candidate_type,
            base: relayed.ip(),
            server: relay.client.server().ip(),
            transport: relay.transport,
        });
        let best = preference(relay.transport);
        let preference = self.current.free_preference(candidate_type, best);
        let fragment = self.current.local.username_fragment.clone();
        let mut local = LocalCandidate::relayed(id, relayed, preference, foundation, &fragment);
        local.candidate.url = Some(relay.account.url.clone());
        local.candidate.related = mapped.map(|mapped| self.related(candidate_type, mapped));
        self.tell(&local);
        self.current.locals.push(local);
        self.pair_local(now, self.current.locals.len() - 1);
    }

    fn generations_mut(&mut self) -> impl Iterator<Item = &mut Generation> {
        std::iter::once(&mut self.current).chain(&mut self.previous)
    }

    /// ice-037: checks through the relay may go to the peer.
    fn relay_permits(&mut self, id: RelayId, peer: IpAddr) {
        for generation in self.generations_mut() {
            for pair in &mut generation.checklist.pairs {
                if pair.via == Via::Relay(id) && pair.destination.ip() == peer {
                    pair.ready = true;
                }
            }
        }
    }

    fn relay_refuses(&mut self, now: Instant, id: RelayId, peer: IpAddr, reason: &Failure) {
        let concerned = |way: &Way| way.via == Via::Relay(id) && way.remote.ip() == peer;
        let is_alive = self.generations_mut().any(|generation| {
            let mut pairs = generation.checklist.pairs.iter();
            pairs.any(|pair| concerned(&pair.way()) && (pair.is_pending() || pair.is_valid()))
        });
        if !is_alive {
            return;
        }
        // ice-007: what was not used may be yet, as long as its pair lives.
        if *reason == Failure::Unused && self.relays.permit(now, id, peer).is_some() {
            return;
        }
        let code = reason.code();
        self.fail_pairs_of(now, concerned, PairFailure::NotPermitted { code });
    }

    /// There is no allocation, or no longer.
    fn relay_failed(&mut self, now: Instant, at: usize, failure: Failure) {
        let relay = &self.relays.list[at];
        let id = relay.id;
        let stood = self.current.base_of(Via::Relay(id)).is_some();
        if !stood && !relay.released && self.try_relay_elsewhere(at, &failure) {
            return;
        }
        let code = failure.code().unwrap_or(UNREACHABLE);
        self.drop_relay(at, Some((code, failure.to_string())));
        self.fail_pairs_of(now, |way| way.via == Via::Relay(id), PairFailure::Closed);
        for generation in self.generations_mut() {
            generation.lose_base(Via::Relay(id));
        }
    }

    /// The path is dead, perhaps because our NAT has given us another address, under which the server
    /// does not know us: a restart asks for allocations anew. Where it does know us it says so, and
    /// is asked from another local address (turn-008).
    pub(in crate::agent) fn doubt_relays(&mut self, now: Instant) {
        while let Some(relay) = self.relays.list.first() {
            let id = relay.id;
            self.drop_relay(0, None);
            self.fail_pairs_of(now, |way| way.via == Via::Relay(id), PairFailure::Closed);
            for generation in self.generations_mut() {
                generation.lose_base(Via::Relay(id));
            }
        }
    }

    /// Forgets a relay, tells why if it was not our wish, and closes what was its alone.
    pub(super) fn drop_relay(&mut self, at: usize, failure: Option<(u16, String)>) {
        self.close_link(at);
        let relay = self.relays.list.remove(at);
        if let Some((code, text)) = failure
            && !relay.released
        {
            let (server, local) = (Some(relay.account.server), Some(relay.base.local));
            self.server_failed(relay.account.url, server, local, code, text);
        }
        self.finish_gathering();
    }

    pub(super) fn close_link(&mut self, at: usize) {
        let relay = &mut self.relays.list[at];
        if !relay.owns_link {
            return;
        }
        if let Some(link) = relay.link.take() {
            self.emit(IceEvent::CloseSocket {
                socket: link.socket,
            });
        }
    }

    /// A socket is gone, and with it the relays behind it.
    pub(in crate::agent) fn lose_relays(&mut self, socket: SocketId) {
        for relay in &mut self.relays.list {
            if relay.link.is_some_and(|link| link.socket == socket) {
                relay.client.connection_closed();
                if relay.owns_link {
                    // The shell has closed it already.
                    relay.link = None;
                }
            }
        }
    }

    /// All allocations are given back, in one last burst, after which their connections close.
    pub(in crate::agent) fn close_relays(&mut self, now: Instant) {
        self.release_relays(now, |_| false);
        let owned = self.relays.list.iter().filter(|relay| relay.owns_link);
        let links: Vec<Bound> = owned.filter_map(|relay| relay.link).collect();
        for link in links {
            self.emit(IceEvent::CloseSocket {
                socket: link.socket,
            });
        }
    }

    /// Gives back the allocations that nobody needs.
    pub(in crate::agent) fn release_relays(
        &mut self,
        now: Instant,
        is_needed: impl Fn(RelayId) -> bool,
    ) {
        for relay in &mut self.relays.list {
            if !is_needed(relay.id) && !relay.released {
                relay.released = true;
                relay.client.close(now);
            }
        }
    }

    /// Binds a channel for the pair in use.
    pub(in crate::agent) fn bind_channel(&mut self, now: Instant) {
        let route = self
            .current
            .selected
            .and_then(|id| self.current.checklist.get(id));
        if let Some(pair) = route
            && let Via::Relay(id) = pair.via
        {
            let peer = pair.destination;
            self.relays.bind_channel(now, id, peer);
        }
    }
}
