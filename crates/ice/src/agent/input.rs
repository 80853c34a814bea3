//! What arrives: requests are answered (RFC 8445 §7.3), responses matched (RFC 8445 §7.2.5), data
//! let through from where an authenticated check came.

use super::Agent;
use crate::generation::{Generation, PeerCheck};
use crate::message::{Nomination, UNDERSTOOD};
use crate::via::{Path, Via, Way};
use layer::{IceRole, Received, TransportPolicy};
use std::time::{Duration, Instant};
use stun::{
    AttributeType, Class, ErrorCode, IceControlled, IceControlling, Message, Method, Priority,
    TransactionId, UnknownAttributes, UseCandidate, Username,
};

/// How many answers wait to be sent; requests beyond it go unanswered, as if lost.
pub(super) const MAX_ANSWERS: usize = 64;

/// How many unauthenticated requests are refused in words per second; a flood of them gets silence.
const MAX_REFUSALS_PER_SECOND: u32 = 16;

/// An answer that waits to be sent.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) transaction: TransactionId,
    pub(super) way: Way,
    pub(super) verdict: Verdict,
    /// Whether the password of the generation before protects it.
    pub(super) previous: bool,
}

/// What the answer says.
#[derive(Debug)]
pub(super) enum Verdict {
    Success,
    BadRequest,
    Unauthenticated,
    Malformed,
    Unknown(UnknownAttributes),
    RoleConflict,
}

/// A budget of answers for strangers.
#[derive(Debug)]
pub(super) struct Refusals {
    since: Instant,
    left: u32,
}

impl Refusals {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            left: MAX_REFUSALS_PER_SECOND,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

impl Agent {
    /// A packet as it came in: of a server, or of the peer.
    pub(super) fn take_packet(&mut self, now: Instant, way: &Way, bytes: &[u8]) -> Received {
        if self.is_closed() {
            return Received::Consumed;
        }
        if let Some(socket) = way.via.socket()
            && let Some(at) = self.relays.position_of(socket, way.remote)
        {
            // A STUN server may stand at the same address.
            let answered = Message::parse(bytes)
                .is_ok_and(|message| self.take_query_answer(now, way.path(), &message));
            if answered {
                return Received::Consumed;
            }
            return self.receive_relayed(now, at, bytes);
        }
        if self.policy == TransportPolicy::Relay && !self.is_base(way.via) {
            // ice-012: an answer would show the address of this host.
            self.stats.unvalidated_data += 1;
            return Received::Consumed;
        }
        self.receive(now, way, bytes)
    }

    /// Whether checks that come this way can be followed: it belongs to a pair or to a candidate of
    /// the current generation.
    pub(super) fn is_ours(&mut self, path: Path) -> bool {
        let base = self.streams.origin(path.0);
        self.current.checklist.by_path(path).is_some() || self.current.base_of(base).is_some()
    }

    /// Whether a candidate of either generation sends this way.
    fn is_base(&self, via: Via) -> bool {
        let via = self.streams.origin(via);
        let mut generations = std::iter::once(&self.current).chain(&self.previous);
        generations.any(|generation| generation.base_of(via).is_some())
    }

    /// A packet of the peer, unwrapped.
    pub(super) fn receive(&mut self, now: Instant, way: &Way, bytes: &[u8]) -> Received {
        if !Message::is_stun(bytes) {
            return self.receive_data(now, way, bytes);
        }
        let parsed = Message::parse(bytes);
        if let Ok(message) = &parsed
            && matches!(message.class(), Class::Success | Class::Error)
            && self.take_query_answer(now, way.path(), message)
        {
            return Received::Consumed;
        }
        let message = match parsed {
            // ice-035: whatever checks connectivity has a fingerprint (RFC 8445 §7.3).
            Ok(message) if message.fingerprint() == Some(true) => message,
            _ => {
                self.stats.malformed += 1;
                return Received::Consumed;
            }
        };
        match message.class() {
            // dfx-029: other methods were never agreed on, GOOG-PING among them.
            _ if message.method() != Method::BINDING => self.stats.unmatched += 1,
            Class::Request => self.receive_request(now, way, &message),
            Class::Success | Class::Error => self.receive_response(now, way, &message),
            // A keepalive has done its work on the way (RFC 8445 §11).
            Class::Indication => {}
        }
        Received::Consumed
    }

    /// ice-054, dfx-072: data is received on every pair, and from nobody who has not passed a check.
    fn receive_data(&mut self, now: Instant, way: &Way, bytes: &[u8]) -> Received {
        let path = way.path();
        let data = Received::Data {
            range: 0..bytes.len(),
        };
        let mut known = false;
        // Both generations may use the same path; each hears what comes on it.
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            if let Some(pair) = generation.checklist.by_path(path)
                && pair.authenticated
            {
                pair.heard_at = Some(now);
                pair.data_at = Some(now);
                pair.counters.packets_received += 1;
                pair.counters.bytes_received += u64::try_from(bytes.len()).unwrap_or_default();
                known = true;
            }
            known = known || generation.is_early(path);
        }
        if known {
            return data;
        }
        self.stats.unvalidated_data += 1;
        Received::Consumed
    }

    fn receive_request(&mut self, now: Instant, way: &Way, message: &Message<'_>) {
        let (verdict, previous) = match self.authenticate(message) {
            Ok((fragment, previous)) => {
                let verdict = self.judge(now, way, message, fragment, previous);
                (verdict, previous)
            }
            Err(verdict) => {
                self.stats.unauthenticated += 1;
                if !self.refusals.take(now) {
                    self.stats.unanswered += 1;
                    return;
                }
                (verdict, false)
            }
        };
        if self.answers.len() >= MAX_ANSWERS {
            self.stats.unanswered += 1;
            return;
        }
        // stun-017: the answer goes back the way the request came.
        self.answers.push_back(Answer {
            transaction: message.transaction_id(),
            way: *way,
            verdict,
            previous,
        });
    }

    /// Whose password protects the request (RFC 8489 §9.1.3, RFC 8445 §7.3, ice-044, stun-033).
    /// Returns the peer's user name fragment and whether the generation before is meant.
    fn authenticate<'m>(&self, message: &Message<'m>) -> Result<(&'m str, bool), Verdict> {
        let Ok(Some(Username(username))) = message.attribute() else {
            return Err(Verdict::BadRequest);
        };
        let mut attributes = message.attributes();
        if !attributes.any(|raw| raw.kind == AttributeType::MESSAGE_INTEGRITY) {
            return Err(Verdict::BadRequest);
        }
        let (ours, theirs) = username.split_once(':').ok_or(Verdict::Unauthenticated)?;
        let verifies = |generation: &Generation| {
            generation.local.username_fragment == ours
                && message.integrity(&*generation.local_key) == Some(true)
        };
        // With the same fragment of ours in both generations, the peer's tells them apart.
        let means_previous = |generation: &Generation| {
            let remote = generation.remote.as_ref();
            generation.local != self.current.local
                || remote.is_some_and(|it| it.credentials.username_fragment == theirs)
        };
        if let Some(previous) = &self.previous
            && means_previous(previous)
            && verifies(previous)
        {
            return Ok((theirs, true));
        }
        if verifies(&self.current) {
            return Ok((theirs, false));
        }
        Err(Verdict::Unauthenticated)
    }

    fn judge(
        &mut self,
        now: Instant,
        way: &Way,
        message: &Message<'_>,
        fragment: &str,
        previous: bool,
    ) -> Verdict {
        if let Some(unknown) = understood(message) {
            return Verdict::Unknown(unknown);
        }
        let Ok(Some(Priority(priority))) = message.attribute() else {
            return Verdict::Malformed;
        };
        // dfx-028: libwebrtc sends one or the other.
        let nomination = message.attribute::<Nomination>().ok().flatten();
        let nomination = nomination.map(|Nomination(number)| number);
        let use_candidate =
            matches!(message.attribute(), Ok(Some(UseCandidate))) || nomination.is_some();
        if self.repair_role(message) == Repair::TheyYield {
            return Verdict::RoleConflict;
        }
        let check = PeerCheck {
            path: way.path(),
            fragment: fragment.to_owned(),
            priority,
            use_candidate,
            nomination,
        };
        self.accept(now, check, previous);
        Verdict::Success
    }

    /// Both agents believe in the same role (RFC 8445 §7.3.1.1, ice-045).
    fn repair_role(&mut self, message: &Message<'_>) -> Repair {
        // A lite agent has the role that its peer leaves it (RFC 8445 §6.1.1).
        if self.settings.lite {
            return Repair::None;
        }
        let ours = self.tiebreaker;
        let (conflict, we_win, other) = match self.role {
            Some(IceRole::Controlling) => match message.attribute() {
                Ok(Some(IceControlling(theirs))) => (true, ours >= theirs, IceRole::Controlled),
                _ => (false, false, IceRole::Controlled),
            },
            Some(IceRole::Controlled) => match message.attribute() {
                // Here the larger number takes the other role.
                Ok(Some(IceControlled(theirs))) => (true, ours < theirs, IceRole::Controlling),
                _ => (false, false, IceRole::Controlling),
            },
            None => return Repair::None,
        };
        if !conflict {
            return Repair::None;
        }
        self.stats.role_conflicts += 1;
        if we_win {
            return Repair::TheyYield;
        }
        self.change_role(other);
        Repair::WeYielded
    }

    fn accept(&mut self, now: Instant, check: PeerCheck, previous: bool) {
        let path = check.path;
        if previous {
            // The generation before learns nothing new; its paths stay alive.
            let generation = self.previous.as_mut();
            let pair = generation.and_then(|generation| generation.checklist.by_path(path));
            if let Some(pair) = pair {
                pair.heard_at = Some(now);
                pair.counters.requests_received += 1;
                pair.counters.responses_sent += 1;
                if self.settings.lite {
                    let renewed = now + self.settings.consent_timeout;
                    pair.consent_until = pair.consent_until.map(|_| renewed);
                }
            }
            return;
        }
        let can_follow = self.role.is_some() && self.current.remote.is_some() && self.is_ours(path);
        if can_follow {
            self.follow_check(now, &check);
        } else {
            self.current.remember(check);
        }
    }

    fn receive_response(&mut self, now: Instant, way: &Way, message: &Message<'_>) {
        let id = message.transaction_id();
        let previous = self
            .previous
            .as_ref()
            .is_some_and(|generation| generation.outstanding.get(id).is_some());
        let generation = if previous {
            self.previous.as_ref()
        } else {
            Some(&self.current)
        };
        let Some((generation, request)) =
            generation.and_then(|generation| Some((generation, *generation.outstanding.get(id)?)))
        else {
            self.stats.unmatched += 1;
            return;
        };
        // stun-026, stun-035: what is not authenticated never arrived, and repetition goes on
        // (RFC 8489 §9.1.4).
        let authentic = generation
            .remote
            .as_ref()
            .is_some_and(|remote| message.integrity(&*remote.key) == Some(true));
        if !authentic {
            self.stats.unauthenticated += 1;
            return;
        }
        self.take_response(now, way.path(), message, &request, previous);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repair {
    /// No conflict.
    None,
    /// We took the other role.
    WeYielded,
    /// The peer has to.
    TheyYield,
}

/// stun-014: what must be understood and is not.
pub(super) fn understood(message: &Message<'_>) -> Option<UnknownAttributes> {
    message.unknown_attributes(UNDERSTOOD)
}

impl Verdict {
    /// The error code to send; `None` for a success.
    pub(super) fn error(&self) -> Option<ErrorCode<'static>> {
        match self {
            Self::Success => None,
            Self::BadRequest | Self::Malformed => Some(ErrorCode::BAD_REQUEST),
            Self::Unauthenticated => Some(ErrorCode::UNAUTHENTICATED),
            Self::Unknown(_) => Some(ErrorCode::UNKNOWN_ATTRIBUTE),
            Self::RoleConflict => Some(ErrorCode::ROLE_CONFLICT),
        }
    }

    /// Whether the request was authenticated, so that the answer is protected.
    pub(super) fn is_protected(&self) -> bool {
        !matches!(self, Self::BadRequest | Self::Unauthenticated)
    }
}
