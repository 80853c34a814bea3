//! The agent's state as the W3C names it, and what is told of it.

use super::Agent;
use crate::checklist::Checklist;
use crate::outstanding::Outstanding;
use layer::{End, IceEvent, IceState, IceStats};
use std::time::Instant;

impl Agent {
    /// Called after everything that happens: tells what has changed.
    pub(super) fn update(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.relays.touch(now);
        self.follow_relays(now);
        self.consider_nomination(now);
        self.select_between_lites(now);
        let route = self.route_generation().and_then(|it| it.route());
        let pair = route.map(|pair| pair.id);
        if pair != self.consent.map(|consent| consent.pair) {
            self.watch(now, pair);
        }
        if self.current.route().is_some() {
            self.moving_until = None;
        }
        self.judge_silence(now);
        self.close_unused_streams(now);
        self.change_state(self.next_state());
        self.update_route();
    }

    /// Tells that `route` answers differently from before.
    pub(super) fn update_route(&mut self) {
        let pair = self.route_generation().and_then(|it| it.route());
        let route = pair.and_then(|pair| Some((pair.way().path(), self.route_of(pair)?.headroom)));
        if route != self.announced {
            self.announced = route;
            self.emit(IceEvent::RouteChange);
        }
    }

    fn change_state(&mut self, state: IceState) {
        if state == self.state {
            return;
        }
        // A selected pair is a valid one: nobody misses `Connected`.
        if state == IceState::Completed && matches!(self.state, IceState::New | IceState::Checking)
        {
            self.change_state(IceState::Connected);
        }
        if state == IceState::Failed {
            self.current.outstanding = Outstanding::default();
        }
        tracing::debug!(from = ?self.state, to = ?state, "ICE state");
        self.state = state;
        self.emit(IceEvent::StateChange(state));
    }

    fn next_state(&self) -> IceState {
        if self.state == IceState::Failed && !self.restarting {
            return IceState::Failed;
        }
        // A selected pair without consent is not replaced by another: only a restart helps
        // (RFC 7675 §5.1).
        if self.current.selected.is_some() && self.current.route().is_none() {
            return if self.may_move() {
                IceState::Disconnected
            } else {
                IceState::Failed
            };
        }
        if self.route_generation().is_none() {
            return self.state_without_path();
        }
        let is_old = self.current.route().is_none();
        match (is_old, self.is_disconnected()) {
            // W3C webrtc-pc §5.6.4: a restart leads from `disconnected` to `checking`, and from
            // `completed` to `connected`, until the new generation works.
            (true, true) => IceState::Checking,
            (false, true) => IceState::Disconnected,
            _ if self.current.selected.is_some() => IceState::Completed,
            _ => IceState::Connected,
        }
    }

    fn state_without_path(&self) -> IceState {
        let Some(remote) = &self.current.remote else {
            return if self.restarting {
                IceState::Checking
            } else {
                IceState::New
            };
        };
        let pairs = &self.current.checklist.pairs;
        let is_over = self.settings.lite || !pairs.iter().any(|pair| pair.is_pending());
        // ice-031: patience, whatever the pairs have come to (RFC 8863 §4). dfx-031: an end of
        // candidates that never comes is not waited for.
        if is_over && remote.pac_deadline.is_none() {
            return IceState::Failed;
        }
        if pairs.is_empty() && self.state == IceState::New {
            return IceState::New;
        }
        IceState::Checking
    }

    /// When patience ends, if nothing works yet.
    pub(super) fn failure_at(&self) -> Option<Instant> {
        let remote = self.current.remote.as_ref()?;
        let waits = self.route_generation().is_none() && self.state != IceState::Failed;
        remote.pac_deadline.filter(|_| waits)
    }

    /// The owner closes the agent.
    pub(super) fn shut(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        // What can be asked of an agent that is closed.
        self.stats = self.collect_stats();
        self.state = IceState::Closed;
        self.answers.clear();
        self.consent = None;
        self.previous = None;
        self.current.selected = None;
        self.current.checklist = Checklist::default();
        self.current.outstanding = Outstanding::default();
        self.reflexive.stop();
        self.close_relays(now);
        self.close_streams();
        self.release_sockets(|_| false);
        self.emit(IceEvent::StateChange(IceState::Closed));
        self.emit(IceEvent::Ended(End::new(
            layer::Blame::Local,
            "the agent was closed",
        )));
    }

    pub(super) fn collect_stats(&self) -> IceStats {
        let mut stats = self.stats.clone();
        if self.is_closed() {
            return stats;
        }
        let mut pairs: Vec<_> = std::iter::once(&self.current)
            .chain(&self.previous)
            .flat_map(|generation| {
                let pairs = generation.checklist.pairs.iter();
                pairs.map(move |pair| (pair.priority, pair.stats(generation.candidates(pair))))
            })
            .collect();
        pairs.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        stats.pairs = pairs.into_iter().map(|(_, pair)| pair).collect();
        let locals = self.current.locals.iter();
        stats.local_candidates = locals.map(|local| local.candidate.clone()).collect();
        let remotes = self.current.remotes.iter();
        stats.remote_candidates = remotes.map(|remote| remote.candidate.clone()).collect();
        stats.servers = self.servers.stats();
        stats
    }
}
