//! The tail loss probe (RFC 8985 §7): when the last packets of a flight are lost, nothing after them
//! tells so. After two round trips of silence one more packet is sent, whose SACK does.

use super::{Sender, Upper, WindowProbe, output};
use crate::packet::Writer;
use crate::serial::Tsn;
use std::time::{Duration, Instant};

/// The least silence before a probe: shorter ones are timers and the scheduling of the other end.
const MIN_PATIENCE: Duration = Duration::from_millis(3);

/// How long a peer may keep the SACK for a lone packet (RFC 9260 §6.2; `WCDelAckT` of RFC 8985
/// §7.2), unless it was asked for it.
const MAX_SACK_DELAY: Duration = Duration::from_millis(200);

/// How often the silence before a probe is doubled at most. The timeout comes before.
const MAX_DOUBLINGS: u32 = 10;

#[derive(Debug, Default)]
pub(super) struct TailProbe {
    state: State,
    sent: Option<SentProbe>,
    /// How many went since something was acknowledged.
    unanswered: u32,
    /// The last chunk asked for a SACK at once.
    asked: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    /// Without news, a probe goes at this time.
    At(Instant),
    Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SentProbe {
    tsn: Tsn,
    at: Instant,
    /// It repeated a chunk that was not known to be lost.
    repeated: bool,
}

impl TailProbe {
    pub(super) fn stop(&mut self) {
        self.state = State::Idle;
        self.sent = None;
        self.unanswered = 0;
    }

    /// A probe goes at once.
    pub(super) fn ask(&mut self) {
        self.state = State::Due;
    }

    /// Something was acknowledged.
    pub(super) fn hear(&mut self) {
        self.unanswered = 0;
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if matches!(self.state, State::At(at) if at <= now) {
            self.state = State::Due;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::At(at) => Some(at),
            State::Idle | State::Due => None,
        }
    }

    /// One packet may go regardless of the congestion window (RFC 8985 §7.3).
    pub(super) fn is_due(&self) -> bool {
        self.state == State::Due
    }
}

impl Sender {
    /// RFC 8985 §7.2; but also during a recovery, whose last packets may be lost as well, and again
    /// after twice the time without an answer (as RFC 9002 §6.2.1 has it). Where every twentieth
    /// packet is lost both are common, and a timeout takes a thousand round trips of a local
    /// network.
    pub(super) fn schedule_tail_probe(&mut self, now: Instant) {
        if self.tail_probe.is_due() {
            return;
        }
        self.tail_probe.state = State::Idle;
        let quiet = self.expirations == 0
            && self.window_probe == WindowProbe::None
            && self.outstanding.in_flight() > 0;
        let Some(patience) = self.rto.round_trip_at_most().filter(|_| quiet) else {
            return;
        };
        let smoothed = self.rto.smoothed_round_trip().unwrap_or_default();
        let mut patience = patience.max(2 * smoothed).max(MIN_PATIENCE);
        if self.outstanding.is_single_packet() && !self.tail_probe.asked {
            patience += MAX_SACK_DELAY;
        }
        let at = now + patience * 2_u32.pow(self.tail_probe.unanswered.min(MAX_DOUBLINGS));
        if self.timer.is_none_or(|timer| at < timer) {
            self.tail_probe.state = State::At(at);
        }
    }

    /// New data was sent.
    pub(super) fn sent_tail(&mut self, now: Instant, tsn: Tsn, asked: bool) {
        self.tail_probe.asked = asked;
        if self.tail_probe.is_due() {
            self.sent_probe(now, tsn, false);
        } else {
            self.schedule_tail_probe(now);
        }
    }

    /// What was lost was sent again.
    pub(super) fn sent_again(&mut self, now: Instant, tsn: Tsn) {
        if self.tail_probe.is_due() {
            self.sent_probe(now, tsn, false);
        } else {
            self.schedule_tail_probe(now);
        }
    }

    /// If a probe is due and there was nothing new to send: a chunk again (RFC 8985 §7.3).
    pub(super) fn write_tail_probe(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        upper: &mut Upper<'_>,
    ) {
        if !self.tail_probe.is_due() {
            return;
        }
        self.tail_probe.state = State::Idle;
        let Some((tsn, len)) = self.outstanding.probe_chunk(now) else {
            return;
        };
        if self.wire_len(len) > packet.remaining() {
            return;
        }
        let interleaving = self.interleaving;
        let fragment = self.outstanding.retransmit(now, tsn);
        output::push_chunk(packet, fragment, tsn, true, interleaving);
        upper.stats.retransmissions += 1;
        self.last_sent = now;
        self.sent_probe(now, tsn, true);
    }

    fn sent_probe(&mut self, now: Instant, tsn: Tsn, repeated: bool) {
        self.tail_probe.sent = Some(SentProbe {
            tsn,
            at: now,
            repeated,
        });
        self.tail_probe.state = State::Idle;
        // RFC 8985 §7.3; those that follow do not put the timeout off any further.
        if self.tail_probe.unanswered == 0 {
            self.timer = Some(now + self.rto.timeout());
        }
        self.tail_probe.unanswered += 1;
        self.schedule_tail_probe(now);
    }

    /// A SACK came: if a probe that repeated a chunk has made good a loss, it hides it, and the
    /// congestion control must hear of it (RFC 8985 §7.4.2).
    pub(super) fn judge_tail_probe(
        &mut self,
        now: Instant,
        mut duplicates: impl Iterator<Item = u32>,
    ) {
        let Some(probe) = self.tail_probe.sent else {
            return;
        };
        if self.outstanding.first() <= probe.tsn {
            return;
        }
        self.tail_probe.sent = None;
        let least = self.outstanding.min_round_trip().unwrap_or_default();
        let of_original = now.saturating_duration_since(probe.at) < least
            || duplicates.any(|duplicate| duplicate == probe.tsn.wire());
        if probe.repeated && !of_original && self.recovery_exit.is_none() {
            self.congestion.lost();
            self.congestion.recovered();
        }
    }
}
