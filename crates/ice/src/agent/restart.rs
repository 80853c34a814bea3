//! ICE restart (RFC 8445 §9, ice-053): a new generation is checked while data stays on the old path.

use super::Agent;
use crate::credentials;
use crate::generation::Generation;
use crate::outstanding::Purpose;
use crate::via::Via;
use layer::{CandidateType, Credentials, IceError, IceState, SocketId};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long the generation before still answers after the new one has a pair: packets sent the old
/// way arrive for a while (RFC 8445 §8.3.1).
const RETIREMENT: Duration = Duration::from_secs(3);

impl Agent {
    pub(super) fn begin_generation(
        &mut self,
        now: Instant,
        credentials: Credentials,
    ) -> Result<(), IceError> {
        if self.is_closed() {
            return Err(IceError::Closed);
        }
        if !credentials::well_formed(&credentials) || credentials == self.current.local {
            return Err(IceError::Credentials);
        }
        // What was being gathered ends without a word: it would be taken for the end of what is
        // gathered from now on (ice-063).
        self.gathering.restart();
        self.reflexive.stop();
        let lost = matches!(self.state, IceState::Disconnected | IceState::Failed);
        // The restart before this one has come to nothing either.
        let in_vain = self.restarting && self.route_generation().is_none();
        if lost || in_vain {
            self.doubt_relays(now);
        }
        let key = self.key(&credentials);
        let mut next = Generation::new(credentials, key);
        if self.current.remote_ahead {
            // The peer restarted first; what it has signalled since belongs to this generation.
            let signalled = self.current.remotes.iter().map(|it| &it.candidate);
            next.waiting = signalled
                .filter(|it| it.candidate_type != CandidateType::PeerReflexive)
                .chain(self.current.resolving.iter().map(|(_, it)| it))
                .cloned()
                .collect();
            next.remote_complete = self.current.remote_complete;
            let remote = self.current.remote.as_ref();
            let remote = remote.map(|remote| (remote.credentials.clone(), remote.lite));
            self.replace_generation(next);
            if let Some((credentials, lite)) = remote {
                self.take_remote_credentials(now, credentials, lite)?;
            }
        } else {
            self.replace_generation(next);
        }
        Ok(())
    }

    /// Puts the current generation behind, if data flows there, and begins the next.
    pub(super) fn replace_generation(&mut self, next: Generation) {
        // W3C webrtc-pc §5.6.4: a restart forgets that the agent had failed.
        self.restarting = !matches!(self.state, IceState::New);
        let mut old = std::mem::replace(&mut self.current, next);
        if old.route().is_some() {
            old.outstanding
                .retain(|request| matches!(request.purpose, Purpose::Consent | Purpose::Probe));
            old.waiting.clear();
            old.resolving.clear();
            self.previous = Some(old);
        }
        self.retire_at = None;
        self.moving_until = None;
        self.forget_nomination();
    }

    fn forget_nomination(&mut self) {
        self.nominating = None;
        self.nomination_queued = false;
        self.valid_since = None;
    }

    /// The new generation has a pair; the old one and idle sockets go after a while (ice-052).
    pub(super) fn retire_after_selection(&mut self, now: Instant) {
        self.restarting = false;
        let pause = match (&self.previous, self.settings.release_after) {
            (Some(_), release) => Some(release.unwrap_or(RETIREMENT).min(RETIREMENT)),
            (None, release) => release,
        };
        self.retire_at = pause.map(|pause| now + pause);
    }

    pub(super) fn retirement_at(&self) -> Option<Instant> {
        self.retire_at
    }

    pub(super) fn retire(&mut self, now: Instant) {
        if self.retire_at.is_none_or(|at| now < at) {
            return;
        }
        self.retire_at = None;
        self.previous = None;
        let selected = self.current.selected;
        let selected = selected.and_then(|id| self.current.checklist.get(id));
        let mut needed: BTreeSet<Via> = BTreeSet::new();
        match (selected, self.settings.release_after) {
            (Some(pair), Some(_)) => needed.extend([pair.via]),
            _ => {
                let bases = self.gathering.bases().iter();
                needed.extend(bases.map(|base| Via::Socket(base.socket)));
                needed.extend(self.current.locals.iter().map(|local| local.via));
            }
        }
        self.release_relays(now, |relay| needed.contains(&Via::Relay(relay)));
        let linked: BTreeSet<SocketId> = self.relays.links().map(|(socket, _)| socket).collect();
        self.release_sockets(|socket| {
            linked.contains(&socket) || needed.contains(&Via::Socket(socket))
        });
    }
}
