use super::{Machine, Session};
use crate::alert::{Alert, Failure};
use crate::flight::reassembly::Reassembly;
use crate::identity::Verdict;
use layer::{Blame, DtlsEvent, DtlsState, End};

/// RFC 8122 §6.2.
pub(super) const STRANGER: &str = "the certificate has none of the signalled fingerprints";

impl Session {
    /// Our owner's wish.
    pub(super) fn close_locally(&mut self) {
        if self.ended() {
            return;
        }
        self.alert = Some(Alert::CLOSE_NOTIFY);
        self.end(DtlsState::Closed, End::new(Blame::Local, "closed"));
    }

    /// The peer said `close_notify`; we answer with our own (RFC 5246 §7.2.1).
    pub(super) fn closed_by_peer(&mut self) {
        self.alert = Some(Alert::CLOSE_NOTIFY);
        let code = u16::from(Alert::CLOSE_NOTIFY.description);
        let end = End::new(Blame::Peer, "close_notify").with_code(code);
        self.end(DtlsState::Closed, end);
    }

    /// The peer's fatal alert: it ends the session and is not answered (RFC 6347 §4.2.7).
    pub(super) fn refused(&mut self, alert: Alert) {
        let end = End::new(Blame::Protocol, "the peer sent a fatal alert");
        let code = u16::from(alert.description);
        self.end(DtlsState::Failed, end.with_code(code));
    }

    /// We cannot go on, and tell the peer why.
    pub(super) fn fail(&mut self, failure: Failure) {
        if self.ended() {
            return;
        }
        self.alert = Some(failure.alert);
        // A stranger who does not even finish the handshake is one all the same.
        let is_stranger = self.identity.verdict(&self.endpoint.provider) == Verdict::Mismatch;
        let end = if is_stranger {
            End::new(Blame::Identity, STRANGER)
        } else {
            End::new(Blame::Protocol, failure.reason)
        };
        let code = u16::from(failure.alert.description);
        self.end(DtlsState::Failed, end.with_code(code));
    }

    /// Ends the session. What stands in the last flight, and the alert, still leave once.
    pub(super) fn end(&mut self, state: DtlsState, end: End) {
        if self.ended() {
            return;
        }
        tracing::debug!(%end, "the session ended");
        self.machine = Machine::Over;
        self.endpoint.exporter = None;
        self.endpoint.traffic = None;
        self.reassembly = Reassembly::default();
        self.acknowledgements.clear();
        self.timer.stop();
        self.deadline = None;
        self.early.clear();
        self.held.clear();
        self.set_state(state);
        self.events.push_back(DtlsEvent::Ended(end));
    }
}
