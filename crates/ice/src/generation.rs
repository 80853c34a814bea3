//! What an ICE restart replaces: credentials, candidates, pairs (RFC 8445 §9).

use crate::candidate::{self, LocalCandidate, RemoteCandidate};
use crate::checklist::{Checklist, Foundation};
use crate::outstanding::{Outstanding, Request};
use crate::pair::{self, Pair, PairId};
use crate::server::Transport;
use crate::via::{Path, Via};
use crypto::HmacKey;
use layer::{
    Candidate, CandidatePair, CandidateType, Credentials, IceRole, PairState, Protocol, RequestId,
};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// How many peer-reflexive candidates of ours are kept; a peer that reports a new mapping with every
/// answer gains nothing by it.
const MAX_PEER_REFLEXIVE_LOCALS: usize = 16;

/// How many early checks are remembered; later ones are answered all the same.
const MAX_EARLY_CHECKS: usize = 16;

/// One generation of an agent.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) local: Credentials,
    /// Verifies what the peer sends us, and protects our answers.
    pub(crate) local_key: Box<dyn HmacKey>,
    pub(crate) remote: Option<Remote>,
    pub(crate) locals: Vec<LocalCandidate>,
    pub(crate) remotes: Vec<RemoteCandidate>,
    pub(crate) checklist: Checklist,
    pub(crate) outstanding: Outstanding,
    /// The pair that a successful nomination has put in use.
    pub(crate) selected: Option<PairId>,
    /// Checks that were answered before they could be followed (RFC 8445 §7.3).
    pub(crate) early: Vec<PeerCheck>,
    /// Candidates that came before the credentials they belong to (dfx-034).
    pub(crate) waiting: Vec<Candidate>,
    /// Candidates whose name is being resolved.
    pub(crate) resolving: Vec<(RequestId, Candidate)>,
    /// No more candidates will be signalled (RFC 8838 §14).
    pub(crate) remote_complete: bool,
    /// The peer restarted first: its credentials are newer than ours.
    pub(crate) remote_ahead: bool,
    next_foundation: u32,
    /// The foundations of candidates that came from servers.
    foundations: Vec<(Source, String)>,
}

/// What candidates of one foundation have in common (RFC 8445 §5.1.1.3, ice-006).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) candidate_type: CandidateType,
    /// The address of the base.
    pub(crate) base: IpAddr,
    /// The server's address, as we reach it.
    pub(crate) server: IpAddr,
    /// How we reach it.
    pub(crate) transport: Transport,
}

/// The peer's side of the credentials.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) credentials: Credentials,
    /// Protects our checks, and verifies their answers.
    pub(crate) key: Box<dyn HmacKey>,
    /// `theirs:ours` (RFC 8445 §7.2.2).
    pub(crate) username: String,
    /// When patience ends (RFC 8863 §4); `None` once it has.
    pub(crate) pac_deadline: Option<Instant>,
    pub(crate) lite: bool,
}

/// An authenticated check of the peer. One that comes before the peer's credentials, or before the
/// candidate of its socket, is kept.
#[derive(Clone, Debug)]
pub(crate) struct PeerCheck {
    pub(crate) path: Path,
    /// The peer's user name fragment, as it claimed.
    pub(crate) fragment: String,
    pub(crate) priority: u32,
    pub(crate) use_candidate: bool,
    pub(crate) nomination: Option<u32>,
}

impl Generation {
    pub(crate) fn new(local: Credentials, local_key: Box<dyn HmacKey>) -> Self {
        Self {
            local,
            local_key,
            remote: None,
            locals: Vec::new(),
            remotes: Vec::new(),
            checklist: Checklist::default(),
            outstanding: Outstanding::default(),
            selected: None,
            early: Vec::new(),
            waiting: Vec::new(),
            resolving: Vec::new(),
            remote_complete: false,
            remote_ahead: false,
            next_foundation: 1,
            foundations: Vec::new(),
        }
    }

    /// The pair that data takes: the selected one, or the best valid one (RFC 8445 §12, ice-054).
    pub(crate) fn route(&self) -> Option<&Pair> {
        match self.selected {
            Some(id) => self.checklist.get(id).filter(|pair| pair.is_valid()),
            None => self.checklist.best_valid(),
        }
    }

    pub(crate) fn candidates(&self, pair: &Pair) -> CandidatePair {
        CandidatePair::new(
            self.locals[pair.mapped].candidate.clone(),
            self.remotes[pair.remote].candidate.clone(),
        )
    }

    /// A foundation that no candidate has yet; hosts differ in their base, peer-reflexive ones in
    /// everything (RFC 8445 §5.1.1.3, ice-006).
    pub(crate) fn new_foundation(&mut self) -> String {
        let number = self.next_foundation;
        self.next_foundation += 1;
        number.to_string()
    }

    /// The foundation of host candidates on an address: the same for every socket on it.
    pub(crate) fn host_foundation(&mut self, address: SocketAddr) -> String {
        let same = self
            .locals
            .iter()
            .find(|local| local.is_base() && local.base.ip() == address.ip());
        match same.map(|local| local.candidate.foundation.clone()) {
            Some(foundation) => foundation,
            None => self.new_foundation(),
        }
    }

    /// The foundation of TCP candidates on an address (RFC 6544 §4.1 adds nothing to RFC 8445).
    pub(crate) fn tcp_foundation(&mut self, address: SocketAddr) -> String {
        self.foundation_of(Source {
            candidate_type: CandidateType::Host,
            base: address.ip(),
            server: address.ip(),
            transport: Transport::Tcp,
        })
    }

    /// The foundation of what comes from a server.
    pub(crate) fn foundation_of(&mut self, source: Source) -> String {
        let known = self.foundations.iter().find(|(known, _)| *known == source);
        if let Some((_, foundation)) = known {
            return foundation.clone();
        }
        let foundation = self.new_foundation();
        self.foundations.push((source, foundation.clone()));
        foundation
    }

    /// The preference nearest below `wanted` that no candidate of the type has yet: priorities are
    /// unique (RFC 8445 §5.1.2, ice-008).
    pub(crate) fn free_preference(&self, candidate_type: CandidateType, wanted: u16) -> u16 {
        let priority = |preference| candidate::priority(candidate_type, preference);
        self.free(wanted, priority)
    }

    /// The same for host candidates over TCP.
    pub(crate) fn free_tcp_preference(&self, wanted: u16) -> u16 {
        self.free(wanted, |preference| {
            candidate::tcp_priority(CandidateType::Host, preference)
        })
    }

    fn free(&self, wanted: u16, priority: impl Fn(u16) -> u32) -> u16 {
        let locals = self.locals.iter().filter(|local| !local.gone);
        let taken: BTreeSet<u32> = locals.map(|local| local.candidate.priority).collect();
        let mut preferences = (0..=wanted).rev();
        let free = preferences.find(|preference| !taken.contains(&priority(*preference)));
        free.unwrap_or(0)
    }

    /// The candidate whose packets leave this way.
    pub(crate) fn base_of(&self, via: Via) -> Option<usize> {
        let mut locals = self.locals.iter();
        locals.position(|local| local.via == via && local.is_base())
    }

    /// What this carried is gone, and the candidates with it.
    pub(crate) fn lose_base(&mut self, via: Via) {
        for local in self.locals.iter_mut().filter(|local| local.via == via) {
            local.gone = true;
        }
    }

    /// Addresses are gone, and with them the candidates that would connect from there.
    pub(crate) fn lose_active(&mut self, is_gone: impl Fn(IpAddr) -> bool) {
        let active = self.locals.iter_mut();
        for local in active.filter(|local| local.via == Via::Unconnected) {
            local.gone |= is_gone(local.base.ip());
        }
    }

    pub(crate) fn remote_at(&self, address: SocketAddr, protocol: Protocol) -> Option<usize> {
        self.remotes
            .iter()
            .position(|remote| remote.address == address && remote.candidate.protocol == protocol)
    }

    /// Makes room for one more candidate of the peer: the oldest of which nothing but dead pairs has
    /// come is forgotten. A peer that roams for long leaves many behind. Whether there was one.
    pub(crate) fn make_room_for_remote(&mut self) -> bool {
        let is_over = |remote: &usize| {
            let pairs = self.checklist.pairs.iter();
            let mut own = pairs.filter(|pair| pair.remote == *remote).peekable();
            own.peek().is_some() && own.all(|pair| pair.is_dead() && Some(pair.id) != self.selected)
        };
        let Some(gone) = (0..self.remotes.len()).find(is_over) else {
            return false;
        };
        self.remotes.remove(gone);
        let mut pairs = self.checklist.pairs.iter();
        while let Some(at) = pairs.position(|pair| pair.remote == gone) {
            let pair = self.checklist.remove(at);
            self.outstanding.retain(|request| request.pair != pair.id);
            pairs = self.checklist.pairs.iter();
        }
        for pair in &mut self.checklist.pairs {
            pair.remote -= usize::from(pair.remote > gone);
        }
        true
    }

    /// Forgets the candidates of ours whose base is gone and of which no pair is left.
    pub(crate) fn forget_gone(&mut self) {
        let pairs = self.checklist.pairs.iter();
        let used: BTreeSet<usize> = pairs.flat_map(|pair| [pair.local, pair.mapped]).collect();
        let mut places = Vec::with_capacity(self.locals.len());
        let mut kept = Vec::with_capacity(self.locals.len());
        for (at, local) in self.locals.drain(..).enumerate() {
            places.push(kept.len());
            if !local.gone || used.contains(&at) {
                kept.push(local);
            }
        }
        self.locals = kept;
        for pair in &mut self.checklist.pairs {
            pair.local = places[pair.local];
            pair.mapped = places[pair.mapped];
        }
        let locals = &self.locals;
        self.foundations.retain(|(_, foundation)| {
            let mut locals = locals.iter();
            locals.any(|local| local.candidate.foundation == *foundation)
        });
    }

    /// How many candidates of the peer are kept in any form.
    pub(crate) fn remote_count(&self) -> usize {
        self.remotes.len() + self.waiting.len() + self.resolving.len()
    }

    /// The candidate that the peer saw a check of `base` come from, learned if it is new
    /// (RFC 8445 §7.2.5.3.1, ice-040).
    pub(crate) fn mapped(&mut self, base: usize, address: SocketAddr) -> usize {
        let protocol = self.locals[base].candidate.protocol;
        let known = self.locals.iter().position(|local| {
            let is_same = local.address == address || local.rewritten == Some(address);
            is_same && local.candidate.protocol == protocol
        });
        if let Some(index) = known {
            return index;
        }
        let reflexive = |local: &&LocalCandidate| {
            local.candidate.candidate_type == CandidateType::PeerReflexive
        };
        let learned = self.locals.iter().filter(reflexive).count();
        if learned >= MAX_PEER_REFLEXIVE_LOCALS {
            return base;
        }
        let foundation = self.new_foundation();
        let candidate = LocalCandidate::peer_reflexive(&self.locals[base], address, foundation);
        self.locals.push(candidate);
        self.locals.len() - 1
    }

    /// Adds a pair in the state that RFC 8838 §12 gives it. Returns whether it was added; pairs are
    /// never doubled.
    pub(crate) fn add_pair(&mut self, mut pair: Pair, proven: bool, max: usize) -> bool {
        let is_same = |other: &Pair| match pair.via {
            // Connections of their own make pairs of their own.
            Via::Unconnected => (other.local, other.remote) == (pair.local, pair.remote),
            _ => other.way().path() == pair.way().path(),
        };
        if self.checklist.pairs.iter().any(is_same) {
            return false;
        }
        let (locals, remotes) = (&self.locals, &self.remotes);
        pair.state = self.checklist.state_of_new(
            pair.priority,
            foundation(locals, remotes, &pair),
            |other| foundation(locals, remotes, other),
        );
        let (added, removed) = self.checklist.insert(pair, proven, max, self.selected);
        if let Some(check) = removed.and_then(|pair| pair.check) {
            self.outstanding.remove(check);
        }
        added
    }

    /// The foundation of a pair has proved good (RFC 8445 §7.2.5.3.3).
    pub(crate) fn unfreeze(&mut self, id: PairId) {
        let (locals, remotes) = (&self.locals, &self.remotes);
        let Some(pair) = self.checklist.get(id) else {
            return;
        };
        let good = foundation(locals, remotes, pair);
        self.checklist
            .unfreeze(good, |pair| foundation(locals, remotes, pair));
    }

    /// The pair to check next when nothing was triggered (RFC 8445 §6.1.4.2).
    pub(crate) fn next_ordinary(&mut self) -> Option<PairId> {
        let waiting = self.checklist.next_waiting();
        waiting.or_else(|| {
            let (locals, remotes) = (&self.locals, &self.remotes);
            let outstanding = &self.outstanding;
            self.checklist.thaw(
                |pair| foundation(locals, remotes, pair),
                |pair| {
                    pair.state == PairState::InProgress
                        && pair
                            .check
                            .is_some_and(|check| !outstanding.was_repeated(check))
                },
            )
        })
    }

    /// Whether an ordinary check could start if the pacer let it: as
    /// [`next_ordinary`](Generation::next_ordinary), changing nothing.
    pub(crate) fn has_ordinary(&self) -> bool {
        let mut ready = self.checklist.pairs.iter().filter(|pair| pair.ready);
        ready.any(|pair| {
            let waits = pair.state == PairState::Waiting && !self.checklist.is_triggered(pair.id);
            waits || (pair.state == PairState::Frozen && !self.is_held_back(pair))
        })
    }

    pub(crate) fn is_valid(&self, id: PairId) -> bool {
        self.checklist.get(id).is_some_and(Pair::is_valid)
    }

    /// Whether the pair still stands and falls with this request.
    pub(crate) fn is_check_of(&self, id: PairId, request: &Request) -> bool {
        let pair = self.checklist.get(id);
        pair.is_some_and(|pair| pair.check == Some(request.transaction.id()))
    }

    fn is_held_back(&self, pair: &Pair) -> bool {
        let mine = foundation(&self.locals, &self.remotes, pair);
        self.checklist.pairs.iter().any(|other| {
            other.state == PairState::InProgress
                && other
                    .check
                    .is_some_and(|check| !self.outstanding.was_repeated(check))
                && foundation(&self.locals, &self.remotes, other) == mine
        })
    }

    /// The role has changed, and with it all pair priorities (RFC 8445 §6.1.2.3, ice-038).
    pub(crate) fn set_role(&mut self, role: IceRole) {
        for pair in &mut self.checklist.pairs {
            let local = self.locals[pair.local].candidate.priority;
            let remote = self.remotes[pair.remote].candidate.priority;
            pair.priority = pair::priority(role, local, remote);
        }
    }

    /// A signalled candidate whose address a check already taught us: it takes over type,
    /// foundation and priority, and no new pair is made (RFC 8838 §11, ice-049).
    pub(crate) fn confirm_remote(&mut self, index: usize, candidate: Candidate, role: IceRole) {
        let remote = &mut self.remotes[index];
        if remote.candidate.candidate_type != CandidateType::PeerReflexive {
            return;
        }
        remote.candidate = candidate;
        self.set_role(role);
    }

    /// Remembers a check until it can be followed. A repetition changes nothing but a nomination.
    pub(crate) fn remember(&mut self, check: PeerCheck) {
        let has_room = self.early.len() < MAX_EARLY_CHECKS;
        let known = self.early.iter_mut().find(|known| known.path == check.path);
        match known {
            Some(known) => {
                known.use_candidate |= check.use_candidate;
                known.nomination = known.nomination.max(check.nomination);
                known.fragment = check.fragment;
            }
            None if has_room => self.early.push(check),
            None => {}
        }
    }

    /// Whether an authenticated check came this way, so that data may (dfx-072).
    pub(crate) fn is_early(&self, path: Path) -> bool {
        self.early.iter().any(|check| check.path == path)
    }
}

fn foundation<'a>(
    locals: &'a [LocalCandidate],
    remotes: &'a [RemoteCandidate],
    pair: &Pair,
) -> Foundation<'a> {
    (
        &locals[pair.local].candidate.foundation,
        &remotes[pair.remote].candidate.foundation,
        pair.destination.ip(),
    )
}
