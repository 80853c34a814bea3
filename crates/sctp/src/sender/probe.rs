//! The tail loss probe (RFC 8985 §7): when the last packets of a flight are lost, nothing after them
//! tells so. After two round trips of silence one more packet is sent, whose SACK does.

use super::{Sender, Upper, WindowProbe, output};
use crate::packet::Writer;
use crate::serial::Tsn;
use std::time::{Duration, Instant};

/// The least silence before a probe: shorter ones are the scheduling of the other end.
const MIN_PATIENCE: Duration = Duration::from_millis(10);

/// How long a peer may keep the SACK for a lone packet (RFC 9260 §6.2; `WCDelAckT` of RFC 8985
/// §7.2), unless it was asked for it.
const MAX_SACK_DELAY: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct TailProbe {
    state: State,
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
    Sent(SentProbe),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SentProbe {
    tsn: Tsn,
    at: Instant,
    /// It repeated a chunk that had been sent.
    repeated: bool,
}

impl TailProbe {
    pub(super) fn stop(&mut self) {
        self.state = State::Idle;
    }

    /// A probe goes at once.
    pub(super) fn ask(&mut self) {
        self.state = State::Due;
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if matches!(self.state, State::At(at) if at <= now) {
            self.state = State::Due;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::At(at) => Some(at),
            State::Idle | State::Due | State::Sent(_) => None,
        }
    }

    /// One packet may go regardless of the congestion window (RFC 8985 §7.3).
    pub(super) fn is_due(&self) -> bool {
        self.state == State::Due
    }
}

impl Sender {
    /// RFC 8985 §7.2.
    pub(super) fn schedule_tail_probe(&mut self, now: Instant) {
        if matches!(self.tail_probe.state, State::Sent(_) | State::Due) {
            return;
        }
        self.tail_probe.state = State::Idle;
        let quiet = self.recovery_exit.is_none()
            && self.expirations == 0
            && self.window_probe == WindowProbe::None
            && self.outstanding.in_flight() > 0
            && !self.outstanding.has_lost()
            && !self.outstanding.has_gaps();
        let Some(smoothed) = self.rto.smoothed_round_trip().filter(|_| quiet) else {
            return;
        };
        let mut patience = (2 * smoothed).max(MIN_PATIENCE);
        if self.outstanding.is_single_packet() && !self.tail_probe.asked {
            patience += MAX_SACK_DELAY;
        }
        let at = now + patience;
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

    /// If a probe is due and there was nothing new to send: the last chunk again (RFC 8985 §7.3).
    pub(super) fn write_tail_probe(
        &mut self,
        now: Instant,
        packet: &mut Writer<'_>,
        upper: &mut Upper<'_>,
    ) {
        if !self.tail_probe.is_due() {
            return;
        }
        self.tail_probe.stop();
        let Some((tsn, len)) = self.outstanding.last_in_flight(now) else {
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
        self.tail_probe.state = State::Sent(SentProbe {
            tsn,
            at: now,
            repeated,
        });
        self.timer = Some(now + self.rto.timeout());
    }

    /// A SACK came: if a probe that repeated a chunk has made good a loss, it hides it, and the
    /// congestion control must hear of it (RFC 8985 §7.4.2).
    pub(super) fn judge_tail_probe(
        &mut self,
        now: Instant,
        mut duplicates: impl Iterator<Item = u32>,
    ) {
        let State::Sent(probe) = self.tail_probe.state else {
            return;
        };
        if self.outstanding.first() <= probe.tsn {
            return;
        }
        self.tail_probe.stop();
        let least = self.outstanding.min_round_trip().unwrap_or_default();
        let of_original = now.saturating_duration_since(probe.at) < least
            || duplicates.any(|duplicate| duplicate == probe.tsn.wire());
        if probe.repeated && !of_original && self.recovery_exit.is_none() {
            self.congestion.lost();
            self.congestion.recovered();
        }
    }
}
