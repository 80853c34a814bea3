use super::local::Local;
use super::tcb::{Phase, Tcb};
use super::{Association, State};
use crate::outstanding::SackError;
use crate::packet::{Shutdown, ShutdownAck, ShutdownComplete, Writer};
use crate::rto::{Retry, Rto};
use layer::{Blame, End};
use std::time::Instant;

/// SHUTDOWN or SHUTDOWN ACK is sent until it is answered (RFC 9260 §9.2).
#[derive(Debug)]
pub(super) struct Closing {
    /// T2-shutdown.
    pub(super) retry: Retry,
    /// T5-shutdown-guard.
    guard: Instant,
}

impl Closing {
    fn new(now: Instant, local: &Local, rto: &Rto) -> Self {
        Self {
            retry: Retry::new(now, rto),
            // Five times RTO.Max (RFC 9260 §9.2).
            guard: now + 5 * local.settings.rto_max,
        }
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.retry.due().min(self.guard)
    }
}

impl Association {
    /// The owner wants to end gracefully.
    pub(super) fn want_shutdown(&mut self) {
        match &mut self.state {
            State::New(_) => self.end(End::new(Blame::Local, "shut down")),
            // What is queued goes first, for which the association has to be up.
            State::CookieWait(wait) if !self.local.queue.is_empty() => wait.shutdown = true,
            State::CookieWait(_) => self.end(End::new(Blame::Local, "shut down")),
            State::Open(tcb) => match &mut tcb.phase {
                Phase::CookieEchoed(echoed) => echoed.shutdown = true,
                Phase::Established => tcb.phase = Phase::ShutdownPending,
                // Already under way, whoever began (RFC 9260 §9.2).
                _ => {}
            },
            State::Closed => {}
        }
    }

    /// SHUTDOWN (RFC 9260 §9.2).
    pub(super) fn handle_shutdown(
        &mut self,
        now: Instant,
        shutdown: Shutdown,
    ) -> Result<(), SackError> {
        let State::Open(tcb) = &mut self.state else {
            return Ok(());
        };
        match tcb.phase {
            // Silently discarded while connecting.
            Phase::CookieEchoed(_) => return Ok(()),
            Phase::Established | Phase::ShutdownPending => tcb.phase = Phase::ShutdownReceived,
            // Both sides shut down at once: answered at once.
            Phase::ShutdownSent(_) => {
                let closing = Closing::new(now, &self.local, tcb.sender.rto());
                tcb.phase = Phase::ShutdownAckSent(closing);
            }
            Phase::ShutdownReceived => {}
            Phase::ShutdownAckSent(ref mut closing) => closing.retry.pending = true,
        }
        let cumulative = shutdown.cumulative_tsn;
        match tcb
            .sender
            .cumulative_ack(now, cumulative, &mut self.local.upper())
        {
            Err(SackError::NeverSent) => Err(SackError::NeverSent),
            Ok(_) | Err(SackError::Old) => Ok(()),
        }
    }

    /// SHUTDOWN ACK (RFC 9260 §9.2).
    pub(super) fn handle_shutdown_ack(&mut self) {
        if let State::Open(tcb) = &self.state {
            let tag = tcb.peer.tag;
            match tcb.phase {
                Phase::ShutdownSent(_) | Phase::ShutdownAckSent(_) => {
                    let complete = ShutdownComplete { reflected: false };
                    self.local.reply_alone(tag, &complete);
                    self.end(End::new(Blame::Local, "shut down"));
                }
                _ => self.local.stats.packets_dropped += 1,
            }
        }
    }

    /// SHUTDOWN COMPLETE (RFC 9260 §9.2, §8.5.1): only awaited in SHUTDOWN-ACK-SENT.
    pub(super) fn handle_shutdown_complete(&mut self) {
        if let State::Open(tcb) = &self.state
            && matches!(tcb.phase, Phase::ShutdownAckSent(_))
        {
            self.end(End::new(Blame::Peer, "shut down"));
        }
    }

    /// T2-shutdown and T5-shutdown-guard.
    pub(super) fn handle_shutdown_timeout(&mut self, now: Instant) {
        let State::Open(tcb) = &mut self.state else {
            return;
        };
        let (Phase::ShutdownSent(closing) | Phase::ShutdownAckSent(closing)) = &mut tcb.phase
        else {
            return;
        };
        if closing.guard <= now {
            let end = End::new(Blame::Timeout, "the shutdown was not answered");
            self.abort_with(end, crate::packet::CauseCode::USER_INITIATED_ABORT, &[]);
            return;
        }
        if closing.retry.expire(now, tcb.sender.rto()).is_some() && tcb.count_error(&self.local) {
            self.end(End::new(Blame::Timeout, "the shutdown was not answered"));
        }
    }
}

impl Tcb {
    /// Whether everything that was queued is delivered.
    fn is_drained(&self, local: &Local) -> bool {
        local.queue.is_empty() && self.sender.is_idle()
    }

    /// Goes on once everything is delivered (RFC 9260 §9.2).
    pub(super) fn continue_shutdown(&mut self, now: Instant, local: &Local) {
        match self.phase {
            Phase::ShutdownPending if self.is_drained(local) => {
                self.phase = Phase::ShutdownSent(Closing::new(now, local, self.sender.rto()));
            }
            Phase::ShutdownReceived if self.is_drained(local) => {
                self.phase = Phase::ShutdownAckSent(Closing::new(now, local, self.sender.rto()));
            }
            _ => {}
        }
    }

    /// Data came while SHUTDOWN is on its way: it is acknowledged with another SHUTDOWN, and T2
    /// starts anew, as the peer is alive and still sending (RFC 9260 §9.2).
    pub(super) fn shutdown_again(&mut self, now: Instant) {
        if let Phase::ShutdownSent(closing) = &mut self.phase {
            closing.retry.restart(now, self.sender.rto());
            closing.retry.pending = true;
            self.errors = 0;
        }
    }

    pub(super) fn write_shutdown(&mut self, packet: &mut Writer<'_>) {
        match &mut self.phase {
            Phase::ShutdownSent(closing) if closing.retry.pending => {
                closing.retry.pending = !packet.push(&Shutdown {
                    cumulative_tsn: self.receiver.cumulative().wire(),
                });
            }
            Phase::ShutdownAckSent(closing) if closing.retry.pending => {
                closing.retry.pending = !packet.push(&ShutdownAck);
            }
            _ => {}
        }
    }
}
