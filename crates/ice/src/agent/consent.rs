//! Consent (RFC 7675), liveness and keepalives (RFC 8445 §11) of the path in use.

use super::Agent;
use crate::outstanding::Purpose;
use crate::pair::PairId;
use chacha20::rand_core::Rng;
use layer::PairFailure;
use std::time::{Duration, Instant};

/// Two consent checks are never closer than 0.8 of this: 4 s (RFC 7675 §5.1).
const MIN_CONSENT_INTERVAL: Duration = Duration::from_secs(5);

/// A lite agent cannot ask a silent peer; between two consent checks of the peer lie up to 6 s.
const LITE_SILENCE: Duration = Duration::from_secs(8);

/// What is due on the path in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consent {
    pub(super) pair: PairId,
    /// When the next consent check goes out.
    pub(super) check_at: Instant,
    /// The path has been silent for too long.
    pub(super) disconnected: bool,
    /// What the peer was last heard at when the path was probed.
    probed: Option<Instant>,
}

impl Agent {
    /// Another path is in use: its consent is kept from now on.
    pub(super) fn watch(&mut self, now: Instant, pair: Option<PairId>) {
        self.consent = pair.map(|pair| Consent {
            pair,
            check_at: now + self.consent_pause(),
            disconnected: false,
            probed: None,
        });
    }

    /// ice-055: 5 s ± 20 %, never the same twice (RFC 7675 §5.1).
    fn consent_pause(&mut self) -> Duration {
        let interval = self.settings.consent_interval.max(MIN_CONSENT_INTERVAL);
        let share = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        interval.mul_f64(0.8 + 0.4 * share)
    }

    /// The request that the path in use wants now.
    pub(super) fn next_consent(&mut self, now: Instant) -> Option<(PairId, Purpose)> {
        let consent = self.consent?;
        // ice-061: a lite agent asks nobody.
        if self.settings.lite {
            return None;
        }
        if consent.check_at <= now {
            let check_at = now + self.consent_pause();
            self.consent = Some(Consent {
                check_at,
                ..consent
            });
            return Some((consent.pair, Purpose::Consent));
        }
        if self.probe_at().is_some_and(|at| at <= now) {
            let heard = self.heard_at();
            self.consent = Some(Consent {
                probed: heard,
                ..consent
            });
            return Some((consent.pair, Purpose::Probe));
        }
        None
    }

    /// When the peer was last heard on the path in use.
    fn heard_at(&self) -> Option<Instant> {
        self.route_generation()?.route()?.heard_at
    }

    /// Half-way to being disconnected, a silent path is asked; once per silence.
    fn probe_at(&self) -> Option<Instant> {
        let consent = self.consent?;
        let heard = self.heard_at()?;
        if consent.probed == Some(heard) || consent.disconnected || self.settings.lite {
            return None;
        }
        Some(heard + self.settings.disconnected_timeout / 2)
    }

    fn silent_at(&self) -> Option<Instant> {
        let consent = self.consent?;
        let heard = self.heard_at()?;
        (!consent.disconnected && !self.is_blind()).then(|| heard + self.patience_with_silence())
    }

    fn patience_with_silence(&self) -> Duration {
        let timeout = self.settings.disconnected_timeout;
        if self.settings.lite {
            timeout.max(LITE_SILENCE)
        } else {
            timeout
        }
    }

    /// Two lite agents hear nothing of each other but data.
    fn is_blind(&self) -> bool {
        self.settings.lite && self.peer_is_lite()
    }

    /// Whether the path in use is silent or not, at `now`.
    pub(super) fn judge_silence(&mut self, now: Instant) {
        let Some(heard) = self.heard_at() else {
            return;
        };
        let silence = now.saturating_duration_since(heard);
        let silent = silence >= self.patience_with_silence() && !self.is_blind();
        if let Some(consent) = &mut self.consent {
            consent.disconnected = silent;
        }
    }

    pub(super) fn is_disconnected(&self) -> bool {
        self.consent.is_some_and(|consent| consent.disconnected)
    }

    /// The next instant at which the path in use wants something.
    pub(super) fn consent_timeout(&self) -> Option<Instant> {
        let consent = self.consent?;
        let check_at = (!self.settings.lite).then_some(consent.check_at);
        [
            check_at,
            self.probe_at(),
            self.silent_at(),
            self.keepalive_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// ice-059: when a path on which we send nothing wants a keepalive (RFC 8445 §11).
    pub(super) fn keepalive_at(&self) -> Option<Instant> {
        let pair = self.route_generation()?.route()?;
        Some(pair.sent_at? + self.settings.keepalive_interval)
    }

    /// ice-056: consent that nobody renewed has ended, and the pair with it (RFC 7675 §5.1).
    pub(super) fn expire_consent(&mut self, now: Instant) {
        let mut ended = Vec::new();
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            for pair in &mut generation.checklist.pairs {
                if pair.consent_until.is_some_and(|until| until <= now) {
                    pair.consent_until = None;
                    pair.failure = Some(PairFailure::ConsentLost);
                    ended.push(pair.id);
                }
            }
            generation.outstanding.retain(|request| {
                request.purpose == Purpose::Check || !ended.contains(&request.pair)
            });
        }
        for id in ended {
            self.nomination_failed(id);
        }
    }

    /// ice-060: the peer took its consent back (RFC 7675 §5.2).
    pub(super) fn end_consent(&mut self, now: Instant) {
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            for pair in &mut generation.checklist.pairs {
                pair.consent_until = pair.consent_until.map(|_| now);
            }
        }
        self.expire_consent(now);
    }

    /// When the first consent ends.
    pub(super) fn consent_ends(&self) -> Option<Instant> {
        let generations = std::iter::once(&self.current).chain(&self.previous);
        generations
            .flat_map(|generation| &generation.checklist.pairs)
            .filter_map(|pair| pair.consent_until)
            .min()
    }
}
