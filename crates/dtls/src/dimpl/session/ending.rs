use super::Session;
use crate::alert::Alert;
use crate::identity::Verdict;
use ::dimpl::{Error, SecurityError};
use layer::{Blame, DtlsEvent, DtlsState, End};
use std::borrow::Cow;

impl Session {
    /// Our owner's wish.
    pub(super) fn close_locally(&mut self) {
        if self.ended() {
            return;
        }
        self.say_goodbye(Alert::CLOSE_NOTIFY);
        self.end(DtlsState::Closed, End::new(Blame::Local, "closed"));
    }

    /// The peer said `close_notify`; we answer with our own (RFC 5246 §7.2.1).
    pub(super) fn closed_by_peer(&mut self) {
        self.say_goodbye(Alert::CLOSE_NOTIFY);
        let code = u16::from(Alert::CLOSE_NOTIFY.description);
        let end = End::new(Blame::Peer, "close_notify").with_code(code);
        self.end(DtlsState::Closed, end);
    }

    /// The server refused our ClientHello, in plaintext.
    pub(super) fn refused(&mut self, alert: Alert) {
        self.end(DtlsState::Failed, fatal(alert.description));
    }

    /// The core gave up; by its contract nothing more can be done with it.
    pub(super) fn fail(&mut self, error: &Error) {
        let end = match error {
            // A stranger who does not even finish the handshake.
            _ if self.identity.verdict(&self.factory.provider) == Verdict::Mismatch => End::new(
                Blame::Identity,
                "the certificate has none of the signalled fingerprints",
            ),
            Error::Timeout(_) => End::new(Blame::Timeout, "the handshake was not answered"),
            Error::SecurityError(SecurityError::FatalAlert { description }) => fatal(*description),
            other => End::new(Blame::Protocol, Cow::Owned(other.to_string())),
        };
        self.end(DtlsState::Failed, end);
    }

    /// Queues an alert, if there are keys for one. Alerts are not sent again (RFC 6347 §4.2.7).
    pub(super) fn say_goodbye(&mut self, alert: Alert) {
        let Some(mut core) = self.core.take() else {
            return;
        };
        if core.close(alert).is_err() {
            return;
        }
        while let Some(datagram) = core.next_packet() {
            self.transmit.push_back(datagram);
        }
    }

    pub(super) fn end(&mut self, state: DtlsState, end: End) {
        if self.ended() {
            return;
        }
        tracing::debug!(%end, "the session ended");
        self.core = None;
        self.timeout = None;
        self.keying = None;
        self.early.clear();
        self.held.clear();
        self.scratch = Vec::new();
        self.set_state(state);
        self.events.push_back(DtlsEvent::Ended(end));
    }
}

/// The peer's fatal alert: it ends the session and is not answered (RFC 6347 §4.2.7).
fn fatal(description: u8) -> End {
    End::new(Blame::Protocol, "the peer sent a fatal alert").with_code(u16::from(description))
}
