use super::local::Local;
use super::tcb::{Phase, Tcb};
use crate::packet::{Heartbeat, HeartbeatAck, ParameterType, Writer, write_parameter};
use crate::rto::Rto;
use std::time::{Duration, Instant};

/// Asks for the peer when the path is silent (RFC 9260 §8.3).
#[derive(Debug, Default)]
pub(super) struct HeartbeatTimer {
    /// When the path will have been silent for long enough; `None` if heartbeats are off.
    due: Option<Instant>,
    asked: Asked,
    /// Heartbeats in a row that were not answered.
    unanswered: u32,
}

/// The heartbeat that is under way.
#[derive(Clone, Copy, Debug, Default)]
enum Asked {
    #[default]
    Nothing,
    /// To be sent with the next packet.
    Pending,
    /// Sent, with this number; unanswered after `until`.
    Waiting {
        nonce: u64,
        at: Instant,
        until: Instant,
    },
}

impl HeartbeatTimer {
    /// Waits for a whole interval of silence from now on: one RTO more than the interval, give or
    /// take half an RTO, so that associations that began together do not ask together.
    pub(super) fn restart(&mut self, now: Instant, local: &mut Local, rto: &Rto) {
        self.due = local.settings.heartbeat_interval.map(|interval| {
            let timeout = rto.backed_off(self.unanswered);
            now + interval + timeout / 2 + local.random_part(timeout)
        });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.asked {
            Asked::Nothing => self.due,
            Asked::Pending => None,
            Asked::Waiting { until, .. } => Some(until),
        }
    }

    /// The answer to our heartbeat: gives the round trip.
    fn answered(&mut self, now: Instant, info: &[u8]) -> Option<Duration> {
        let Asked::Waiting { nonce, at, .. } = self.asked else {
            return None;
        };
        if info != nonce.to_be_bytes() {
            return None;
        }
        self.asked = Asked::Nothing;
        self.unanswered = 0;
        Some(now.saturating_duration_since(at))
    }
}

impl Tcb {
    /// A HEARTBEAT is answered at once and unchanged (RFC 9260 §8.3).
    pub(super) fn handle_heartbeat(local: &mut Local, heartbeat: &Heartbeat<'_>) {
        local.reply(&HeartbeatAck {
            info: heartbeat.info,
        });
    }

    pub(super) fn handle_heartbeat_ack(
        &mut self,
        now: Instant,
        local: &mut Local,
        ack: &HeartbeatAck<'_>,
    ) {
        if let Some(info) = ack.first_info() {
            self.handle_probe_answer(now, local, info);
        }
        let answered = |info| self.heartbeat.answered(now, info);
        if let Some(round_trip) = ack.first_info().and_then(answered) {
            self.sender.rto_mut().measure(round_trip);
            self.errors = 0;
            self.heartbeat.restart(now, local, self.sender.rto());
        }
    }

    /// Whether there were too many timeouts.
    pub(super) fn handle_heartbeat_timeout(&mut self, now: Instant, local: &mut Local) -> bool {
        match self.heartbeat.asked {
            Asked::Nothing if self.heartbeat.due.is_some_and(|due| due <= now) => {
                self.ask_or_wait(now, local);
                false
            }
            Asked::Waiting { until, .. } if until <= now => {
                self.heartbeat.asked = Asked::Nothing;
                self.heartbeat.unanswered += 1;
                self.heartbeat.restart(now, local, self.sender.rto());
                self.count_error(local)
            }
            Asked::Nothing | Asked::Pending | Asked::Waiting { .. } => false,
        }
    }

    /// A path on which data went less than an interval ago is not idle.
    fn ask_or_wait(&mut self, now: Instant, local: &mut Local) {
        let silent = now.saturating_duration_since(self.sender.last_sent());
        if local
            .settings
            .heartbeat_interval
            .is_some_and(|interval| silent < interval)
        {
            let last_sent = self.sender.last_sent();
            self.heartbeat.restart(last_sent, local, self.sender.rto());
        } else if matches!(self.phase, Phase::Established) {
            self.heartbeat.asked = Asked::Pending;
        } else {
            self.heartbeat.restart(now, local, self.sender.rto());
        }
    }

    pub(super) fn write_heartbeat(
        &mut self,
        now: Instant,
        local: &mut Local,
        packet: &mut Writer<'_>,
    ) {
        if !matches!(self.heartbeat.asked, Asked::Pending) {
            return;
        }
        // A number nobody can guess; when it left is remembered here.
        let nonce = local.random_u64();
        let mut info = Vec::with_capacity(12);
        write_parameter(
            &mut info,
            ParameterType::HEARTBEAT_INFO,
            &nonce.to_be_bytes(),
        );
        if packet.push(&Heartbeat { info: &info }) {
            let until = now + self.sender.rto().backed_off(self.heartbeat.unanswered);
            self.heartbeat.asked = Asked::Waiting {
                nonce,
                at: now,
                until,
            };
        }
    }
}
