//! What the peer signals: credentials and candidates (RFC 8445 §5.3, RFC 8838 §11).

use super::Agent;
use crate::candidate::{COMPONENT, RemoteCandidate, is_multicast_name};
use crate::credentials;
use crate::generation::{Generation, Remote};
use crate::pair::{Pair, PairId, can_check, can_pair};
use crate::via::Via;
use layer::{
    Candidate, CandidateAddress, Credentials, IceError, IceEvent, IceRole, Protocol, RequestId,
    TransportPolicy,
};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

impl Agent {
    pub(super) fn assign_role(&mut self, now: Instant, role: IceRole) {
        // ice-022: saying it again does not undo what a conflict has settled.
        if self.assigned_role == Some(role) {
            return;
        }
        self.assigned_role = Some(role);
        self.take_role(role);
        self.follow_early_checks(now);
        self.pair_all(now);
    }

    /// The role is another one than the owner gave.
    pub(super) fn change_role(&mut self, role: IceRole) {
        if self.take_role(role) {
            self.emit(IceEvent::RoleChange(role));
        }
    }

    fn take_role(&mut self, role: IceRole) -> bool {
        if self.role.replace(role) == Some(role) {
            return false;
        }
        self.current.set_role(role);
        self.nominating = None;
        self.nomination_queued = false;
        true
    }

    pub(super) fn take_remote_credentials(
        &mut self,
        now: Instant,
        credentials: Credentials,
        lite: bool,
    ) -> Result<(), IceError> {
        if self.is_closed() {
            return Err(IceError::Closed);
        }
        if !credentials::well_formed(&credentials) {
            return Err(IceError::Credentials);
        }
        match &self.current.remote {
            Some(remote) if remote.credentials == credentials => return Ok(()),
            Some(_) => self.follow_remote_restart(),
            None => {}
        }
        // ice-021: a full agent controls a lite one, whoever began (RFC 8445 §6.1.1).
        match (lite, self.settings.lite) {
            (true, false) => self.change_role(IceRole::Controlling),
            // ice-061
            (false, true) => self.change_role(IceRole::Controlled),
            _ => {}
        }
        self.current.remote = Some(Remote {
            key: self.key(&credentials),
            username: format!(
                "{}:{}",
                credentials.username_fragment, self.current.local.username_fragment
            ),
            pac_deadline: Some(now + self.settings.pac_timeout),
            credentials,
            lite,
        });
        // dfx-034: what came early is judged now.
        let complete = std::mem::take(&mut self.current.remote_complete);
        for candidate in std::mem::take(&mut self.current.waiting) {
            if self.take_remote_candidate(now, candidate).is_err() {
                self.stats.candidates_dropped += 1;
            }
        }
        self.current.remote_complete = complete;
        self.follow_early_checks(now);
        Ok(())
    }

    pub(super) fn peer_is_lite(&self) -> bool {
        self.current.remote.as_ref().is_some_and(|it| it.lite)
    }

    /// The peer restarted and we have not yet: a new generation under our old credentials.
    fn follow_remote_restart(&mut self) {
        let local = self.current.local.clone();
        let mut next = Generation::new(local.clone(), self.key(&local));
        next.remote_ahead = true;
        for local in self.current.locals.iter().filter(|local| local.is_base()) {
            next.locals.push(local.clone());
        }
        self.replace_generation(next);
    }

    pub(super) fn take_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), IceError> {
        if self.is_closed() {
            return Err(IceError::Closed);
        }
        if let (Some(fragment), Some(remote)) = (&candidate.username_fragment, &self.current.remote)
            && *fragment != remote.credentials.username_fragment
        {
            return Err(IceError::UnknownGeneration);
        }
        // ice-063: nothing comes after the end (RFC 8838 §14). ice-017, dfx-033: what cannot be used
        // is left out alone.
        let is_wanted = |filter: &crate::RemoteFilter| filter.keeps(&candidate);
        if self.current.remote_complete
            || !is_usable(&candidate)
            || !self.settings.remote_filter.as_ref().is_none_or(is_wanted)
        {
            self.stats.candidates_dropped += 1;
            return Ok(());
        }
        if let Some(address) = candidate.socket_addr()
            && let Some(index) = self.current.remote_at(address, candidate.protocol)
        {
            let role = self.role.unwrap_or(IceRole::Controlled);
            self.current.confirm_remote(index, candidate, role);
            return Ok(());
        }
        if self.current.remote_count() >= self.settings.max_remote_candidates
            && !self.current.make_room_for_remote()
        {
            self.stats.candidates_dropped += 1;
            return Err(IceError::TooManyCandidates);
        }
        if self.current.remote.is_none() {
            self.current.waiting.push(candidate);
            return Ok(());
        }
        match candidate.address.clone() {
            CandidateAddress::Socket(address) => self.add_remote(now, candidate, address),
            CandidateAddress::Name { host, .. } => self.resolve(candidate, host),
            _ => self.stats.candidates_dropped += 1,
        }
        Ok(())
    }

    fn resolve(&mut self, candidate: Candidate, host: String) {
        // ice-067: a relayed session tells no name server whom it talks to.
        if self.policy == TransportPolicy::Relay {
            self.stats.candidates_dropped += 1;
            return;
        }
        let request = self.new_request_id();
        self.current.resolving.push((request, candidate));
        self.emit(IceEvent::Resolve { request, host });
    }

    pub(super) fn take_addresses(&mut self, now: Instant, request: RequestId, found: &[IpAddr]) {
        let resolving = &mut self.current.resolving;
        let Some(index) = resolving.iter().position(|(asked, _)| *asked == request) else {
            return;
        };
        let (_, candidate) = resolving.remove(index);
        let CandidateAddress::Name { host, port } = &candidate.address else {
            return;
        };
        // ice-071: a multicast name with several addresses is nobody's (mDNS draft §3.2).
        let is_ambiguous = is_multicast_name(host) && found.len() > 1;
        let address = found.first().map(|ip| SocketAddr::new(*ip, *port));
        match address {
            Some(address) if !is_ambiguous && is_reachable(address) => {
                match self.current.remote_at(address, candidate.protocol) {
                    Some(known) => {
                        let role = self.role.unwrap_or(IceRole::Controlled);
                        self.current.confirm_remote(known, candidate, role);
                    }
                    None => self.add_remote(now, candidate, address),
                }
            }
            _ => self.stats.candidates_dropped += 1,
        }
    }

    fn add_remote(&mut self, now: Instant, candidate: Candidate, address: SocketAddr) {
        self.current
            .remotes
            .push(RemoteCandidate { candidate, address });
        self.pair_remote(now, self.current.remotes.len() - 1);
    }

    /// Pairs a candidate of ours with all of the peer's (RFC 8838 §10).
    pub(super) fn pair_local(&mut self, now: Instant, local: usize) {
        for remote in 0..self.current.remotes.len() {
            self.pair(now, local, remote);
        }
        self.follow_early_checks(now);
    }

    /// Pairs a candidate of the peer with all of ours (RFC 8838 §11).
    fn pair_remote(&mut self, now: Instant, remote: usize) {
        for local in 0..self.current.locals.len() {
            self.pair(now, local, remote);
        }
    }

    fn pair_all(&mut self, now: Instant) {
        for remote in 0..self.current.remotes.len() {
            self.pair_remote(now, remote);
        }
    }

    fn pair(&mut self, now: Instant, local: usize, remote: usize) {
        // ice-051: once a pair is selected, only the peer's checks make new ones (RFC 8445 §8.1.2).
        // ice-061: a lite agent checks nothing.
        let checks = !self.has_concluded() && (!self.settings.lite || self.peer_is_lite());
        if !checks || !self.current.locals[local].is_base() {
            return;
        }
        self.make_pair(now, (local, remote), None);
    }

    /// Makes a pair; `None` if it cannot be, or there is no room. `via` says what a check of the peer
    /// came on, if one did.
    pub(super) fn make_pair(
        &mut self,
        now: Instant,
        (local, remote): (usize, usize),
        via: Option<Via>,
    ) -> Option<PairId> {
        let role = self.role?;
        let (ours, theirs) = (&self.current.locals[local], &self.current.remotes[remote]);
        if !can_pair(ours, theirs) || (via.is_none() && !can_check(ours, theirs)) {
            return None;
        }
        let ready = match ours.via {
            // ice-071: the relay would learn what the name hides (mDNS draft §3.3.2).
            Via::Relay(_) if theirs.is_hidden() => return None,
            // ice-037
            Via::Relay(relay) => self.relays.permit(now, relay, theirs.address.ip())?,
            _ => true,
        };
        let id = PairId(self.next_pair);
        let max = self.settings.max_pairs;
        let mut pair = Pair::new(id, (local, ours), (remote, theirs), role);
        pair.ready = ready;
        pair.via = via.unwrap_or(pair.via);
        let added = self.current.add_pair(pair, via.is_some(), max);
        self.next_pair += u32::from(added);
        added.then_some(id)
    }
}

/// Whether a candidate could be of use: our component, a transport we know, a port, an address to
/// send to.
fn is_usable(candidate: &Candidate) -> bool {
    let address = match candidate.address {
        CandidateAddress::Socket(address) => is_reachable(address),
        CandidateAddress::Name { port, .. } => port != 0,
        _ => false,
    };
    let transport = match candidate.protocol {
        Protocol::Udp => true,
        // ice-073
        Protocol::Tcp => candidate.tcp_type.is_some(),
        _ => false,
    };
    address && candidate.component == COMPONENT && transport
}

fn is_reachable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast
}
