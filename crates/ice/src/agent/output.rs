//! What is sent, in which order, and when the agent wants to be woken.

use super::Agent;
use super::input::Answer;
use super::relay::Relays;
use crate::generation::Generation;
use crate::message::{self, Check};
use crate::outstanding::{Purpose, Request};
use crate::pair::{Pair, PairId};
use crate::via::Via;
use layer::{IceState, PairFailure, Transmit};
use std::ops::Range;
use std::time::Instant;
use stun::Transaction;

impl Agent {
    /// The questions in the order of their urgency: what the peer waits for; what was lost; what
    /// concludes; what keeps the path; what the peer asked for; what servers are asked; what is our
    /// own curiosity.
    pub(super) fn next_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if self.is_closed() {
            // Allocations are given back.
            return self.relays.poll_transmit(now, buf);
        }
        self.start_relays(now);
        self.send_answer(now, buf)
            .or_else(|| self.send_repetition(now, buf))
            .or_else(|| self.send_nomination(now, buf))
            .or_else(|| self.send_consent_check(now, buf))
            .or_else(|| self.relays.poll_transmit(now, buf))
            .or_else(|| self.send_triggered_check(now, buf))
            .or_else(|| self.send_query(now, buf))
            .or_else(|| self.send_ordinary_check(now, buf))
            .or_else(|| self.send_keepalive(now, buf))
    }

    fn send_answer(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        loop {
            let answer = self.answers.pop_front()?;
            if let Some(transmit) = self.write_answer(now, &answer, buf) {
                return Some(transmit);
            }
        }
    }

    fn write_answer(&mut self, now: Instant, answer: &Answer, buf: &mut [u8]) -> Option<Transmit> {
        let generation = if answer.previous {
            self.previous.as_mut()?
        } else {
            &mut self.current
        };
        let (way, key) = (&answer.way, &*generation.local_key);
        let write = |buf: &mut [u8]| match answer.verdict.error() {
            None => message::write_success(buf, answer.transaction, way.remote, key),
            Some(code) => {
                let unknown = match &answer.verdict {
                    super::input::Verdict::Unknown(unknown) => Some(unknown),
                    _ => None,
                };
                let key = answer.verdict.is_protected().then_some(key);
                message::write_error(buf, answer.transaction, &code, unknown, key)
            }
        };
        let transmit = self.relays.send(now, way, buf, write)?;
        if let Some(pair) = generation.checklist.by_path(way.path()) {
            pair.sent_at = Some(now);
        }
        Some(transmit)
    }

    fn send_repetition(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let relays = &mut self.relays;
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            while let Some(request) = generation.outstanding.next_repetition() {
                let transmit = write_request(now, (generation, relays), &request, buf);
                if transmit.is_some() {
                    return transmit;
                }
            }
        }
        None
    }

    fn send_nomination(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let (pair, purpose) = self.next_nomination()?;
        self.pacer.started(now);
        self.send_check(now, pair, purpose, buf)
    }

    fn send_consent_check(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let (pair, purpose) = self.next_consent(now)?;
        let id = self.new_transaction_id();
        let transaction = match purpose {
            // ice-056, ice-057: sent once; an answer counts for as long as consent lasts without it.
            Purpose::Consent => Transaction::once(id, now, self.settings.consent_timeout),
            _ => Transaction::start(id, now, purpose.timing(self.check_timing())),
        };
        let request = Request {
            transaction,
            pair,
            purpose,
            role: self.role?,
            tiebreaker: self.tiebreaker,
            cancelled: false,
        };
        let (generation, relays) = self.route_parts()?;
        generation.outstanding.insert(request);
        write_request(now, (generation, relays), &request, buf)
    }

    fn send_triggered_check(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if !self.may_check() || !self.triggered_pacer.is_ready(now) {
            return None;
        }
        let pair = self.current.checklist.next_triggered(now)?;
        self.triggered_pacer.started(now);
        self.send_check(now, pair, Purpose::Check, buf)
    }

    fn send_ordinary_check(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if !self.checks_on() || !self.pacer.is_ready(now) {
            return None;
        }
        let pair = self.current.next_ordinary()?;
        self.pacer.started(now);
        self.send_check(now, pair, Purpose::Check, buf)
    }

    fn may_check(&self) -> bool {
        self.role.is_some()
            && self.current.remote.is_some()
            && self.state != IceState::Failed
            && !self.settings.lite
    }

    /// Whether checks go on that nobody asked for.
    fn checks_on(&self) -> bool {
        self.may_check() && !self.has_concluded()
    }

    fn send_check(
        &mut self,
        now: Instant,
        pair: PairId,
        purpose: Purpose,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        let unconnected = |pair: &Pair| pair.via == Via::Unconnected;
        if self.current.checklist.get(pair).is_some_and(unconnected) {
            self.open_connection(now, pair);
            return None;
        }
        let transaction = self.new_transaction(now, pair, purpose);
        let request = self.start_request(now, pair, purpose, transaction)?;
        write_request(now, (&mut self.current, &mut self.relays), &request, buf)
    }

    /// stun-023: on a stream nothing is sent twice (RFC 8489 §6.2.2).
    fn new_transaction(&mut self, now: Instant, pair: PairId, purpose: Purpose) -> Transaction {
        let id = self.new_transaction_id();
        let timing = purpose.timing(self.check_timing());
        let is_stream = |pair: &Pair| matches!(pair.via, Via::Stream(_));
        if self.current.checklist.get(pair).is_some_and(is_stream) {
            return Transaction::once(id, now, timing.total());
        }
        Transaction::start(id, now, timing)
    }

    fn send_keepalive(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if self.keepalive_at().is_none_or(|at| now < at) {
            return None;
        }
        let id = self.new_transaction_id();
        let (generation, relays) = self.route_parts()?;
        let pair = generation.route()?.id;
        let pair = generation.checklist.get_mut(pair)?;
        pair.sent_at = Some(now);
        let write = |buf: &mut [u8]| message::write_keepalive(buf, id);
        relays.send(now, &pair.way(), buf, write)
    }

    /// Puts a payload on the path in use (RFC 8445 §12.1). A direct path leaves it as it is.
    pub(super) fn put_on_route(
        &mut self,
        now: Instant,
        buf: &mut [u8],
        payload: Range<usize>,
        segment_size: Option<usize>,
    ) -> Option<(Range<usize>, Transmit)> {
        let pair = self.route_generation()?.route()?;
        let (id, way, route) = (pair.id, pair.way(), self.route_of(pair)?);
        let packet = segment_size.unwrap_or(payload.len());
        if packet == 0 || packet > route.max_probe || payload.end > buf.len() {
            return None;
        }
        let length = payload.len();
        let wrapped = match way.via {
            // Each datagram would want a frame of its own.
            Via::Relay(_) if segment_size.is_some() => return None,
            Via::Relay(relay) => self.relays.wrap(now, relay, way.remote, buf, payload)?,
            _ => {
                let (socket, local, remote) = (route.socket, route.local, route.remote);
                let mut transmit = Transmit::new(socket, local, remote, length);
                transmit.protocol = route.protocol;
                transmit.segment_size = segment_size;
                (payload, transmit)
            }
        };
        let (generation, _) = self.route_parts()?;
        let pair = generation.checklist.get_mut(id)?;
        pair.sent_at = Some(now);
        let packets = u64::try_from(length.div_ceil(packet)).unwrap_or_default();
        pair.counters.packets_sent += packets;
        pair.counters.bytes_sent += u64::try_from(length).unwrap_or_default();
        Some(wrapped)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let previous = self.previous.as_ref();
        [
            self.current.outstanding.poll_timeout(),
            previous.and_then(|it| it.outstanding.poll_timeout()),
            self.check_at(),
            self.query_at(),
            self.reflexive.poll_timeout(),
            self.relay_at(),
            self.relays.poll_timeout(),
            self.stream_timeout(),
            self.nomination_at(),
            self.consent_timeout(),
            self.consent_ends(),
            self.failure_at(),
            self.moving_until,
            self.retirement_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the next check may start.
    fn check_at(&self) -> Option<Instant> {
        if !self.may_check() {
            return None;
        }
        let ordinary = self.checks_on() && self.current.has_ordinary();
        let ordinary = ordinary.then(|| self.pacer.ready_at());
        let triggered = self.current.checklist.triggered_at();
        let triggered = triggered.map(|at| at.max(self.triggered_pacer.ready_at()));
        ordinary.into_iter().chain(triggered).min()
    }

    /// Time has passed: requests are repeated or given up, consent ends, generations retire.
    pub(super) fn expire(&mut self, now: Instant) {
        for request in self.current.outstanding.handle_timeout(now) {
            self.fail(now, &request, PairFailure::TimedOut);
        }
        if let Some(previous) = &mut self.previous {
            previous.outstanding.handle_timeout(now);
        }
        self.expire_queries(now);
        self.expire_relays(now);
        self.expire_streams(now);
        self.expire_consent(now);
        if let Some(remote) = &mut self.current.remote {
            remote.pac_deadline = remote.pac_deadline.filter(|deadline| now < *deadline);
        }
        self.moving_until = self.moving_until.filter(|until| now < *until);
        self.retire(now);
    }
}

/// Writes a request, for the first time or again.
fn write_request(
    now: Instant,
    (generation, relays): (&mut Generation, &mut Relays),
    request: &Request,
    buf: &mut [u8],
) -> Option<Transmit> {
    let remote = generation.remote.as_ref()?;
    let pair = generation.checklist.get_mut(request.pair)?;
    let check = Check {
        id: request.transaction.id(),
        username: &remote.username,
        priority: generation.locals[pair.local].check_priority(),
        role: request.role,
        tiebreaker: request.tiebreaker,
        use_candidate: request.purpose == Purpose::Nomination,
        nomination: pair.nomination,
        key: &*remote.key,
    };
    let transmit = relays.send(now, &pair.way(), buf, |buf| check.write(buf))?;
    pair.sent_at = Some(now);
    pair.counters.requests_sent += 1;
    Some(transmit)
}
