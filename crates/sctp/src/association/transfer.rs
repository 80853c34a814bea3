use super::{Association, State};
use crate::association::tcb::{Phase, Tcb};
use crate::outstanding::SackError;
use crate::packet::{CauseCode, ForwardTsn, IForwardTsn, Sack};
use crate::reassembly::Violation;
use crate::receiver::Incoming;
use layer::{Outgoing, SctpError, SctpState};
use std::time::Instant;

impl Association {
    /// Queues a message of the owner.
    pub(super) fn enqueue(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError> {
        let streams = match &self.state {
            State::New(_) => u16::MAX,
            State::CookieWait(wait) if !wait.shutdown => u16::MAX,
            State::Open(tcb) if tcb.accepts_messages() => tcb.peer.outgoing,
            // After a shutdown nothing is taken (RFC 9260 §9.2).
            State::CookieWait(_) | State::Open(_) => {
                return Err(SctpError::State(SctpState::ShuttingDown));
            }
            State::Closed => return Err(SctpError::State(SctpState::Closed)),
        };
        if message.data.is_empty() {
            return Err(SctpError::Empty);
        }
        if message.stream >= streams {
            return Err(SctpError::Stream(message.stream));
        }
        let outstanding = self.outstanding();
        if !self
            .local
            .has_room(message.stream, message.data.len(), outstanding)
        {
            return Err(SctpError::BufferFull);
        }
        self.local.queue.push(now, message)
    }

    /// DATA (RFC 9260 §6.2) or I-DATA (RFC 8260 §2.2.3).
    pub(super) fn handle_data(&mut self, data: &Incoming<'_>) {
        let State::Open(tcb) = &mut self.state else {
            return;
        };
        if !tcb.accepts_data() {
            return;
        }
        if data.is_interleaved() != tcb.interleaving {
            // Only the kind that both have agreed on (RFC 8260 §2.2.3).
            let reason = "data of the kind that was not agreed on";
            self.violated(CauseCode::PROTOCOL_VIOLATION, reason.as_bytes(), reason);
            return;
        }
        if data.payload().is_empty() {
            let tsn = data.tsn().to_be_bytes();
            self.violated(CauseCode::NO_USER_DATA, &tsn, "a data chunk without data");
            return;
        }
        if data.stream() >= tcb.peer.incoming {
            // Acknowledged, reported, and thrown away (RFC 9260 §6.5).
            tcb.receiver.discard(data);
            let [high, low] = data.stream().to_be_bytes();
            let info = [high, low, 0, 0];
            self.local
                .report(CauseCode::INVALID_STREAM_IDENTIFIER, &info);
            return;
        }
        match tcb.receiver.data(data) {
            Ok(duplicate) => self.local.stats.duplicates += u64::from(duplicate),
            Err(Violation::TooLarge) => {
                let reason = "a message larger than announced";
                self.violated(CauseCode::PROTOCOL_VIOLATION, reason.as_bytes(), reason);
            }
            Err(Violation::Standstill) => {
                let reason = "messages that were begun fill the window";
                self.violated(CauseCode::OUT_OF_RESOURCE, &[], reason);
            }
            Err(Violation::Mixed) => {
                let reason = "fragments that do not belong together";
                self.violated(CauseCode::PROTOCOL_VIOLATION, reason.as_bytes(), reason);
            }
        }
    }

    /// SACK (RFC 9260 §6.2.1).
    pub(super) fn handle_sack(&mut self, now: Instant, sack: &Sack<'_>) {
        let State::Open(tcb) = &mut self.state else {
            return;
        };
        if !tcb.may_send_data() {
            return;
        }
        let answer = tcb.sender.sack(now, sack, &mut self.local.upper());
        tcb.look_for_black_hole(&mut self.local);
        self.after_sack(answer);
    }

    pub(super) fn after_sack(&mut self, answer: Result<bool, SackError>) {
        match answer {
            Ok(news) => {
                if let State::Open(tcb) = &mut self.state
                    && news
                {
                    tcb.errors = 0;
                }
            }
            // Out of order (RFC 9260 §6.2.1, D i).
            Err(SackError::Old) => {}
            // RFC 9260 §12.4.
            Err(SackError::NeverSent) => {
                let reason = "an acknowledgement of what was never sent";
                self.violated(CauseCode::PROTOCOL_VIOLATION, reason.as_bytes(), reason);
            }
        }
    }
}

impl Tcb {
    /// Whether the owner may still queue messages.
    fn accepts_messages(&self) -> bool {
        match &self.phase {
            Phase::CookieEchoed(echoed) => !echoed.shutdown,
            Phase::Established => true,
            _ => false,
        }
    }

    /// Whether DATA is taken. RFC 9260 §6 leaves COOKIE-ECHOED out: there DATA can only be ahead
    /// of the COOKIE ACK, and dropping it would cost a retransmission timeout.
    pub(super) fn accepts_data(&self) -> bool {
        !matches!(
            self.phase,
            Phase::ShutdownReceived | Phase::ShutdownAckSent(_)
        )
    }

    /// FORWARD TSN (RFC 3758 §3.6).
    pub(super) fn handle_forward_tsn(&mut self, forward: &ForwardTsn<'_>) {
        if self.accepts_data() {
            self.receiver.forward(forward);
        }
    }

    /// I-FORWARD-TSN (RFC 8260 §2.3.1).
    pub(super) fn handle_i_forward_tsn(&mut self, forward: &IForwardTsn<'_>) {
        if self.accepts_data() {
            self.receiver.forward_interleaved(forward);
        }
    }
}
