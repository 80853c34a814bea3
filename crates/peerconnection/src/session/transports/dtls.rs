use super::{MAX_DATAGRAM, Transport};
use layer::DtlsState;
use std::time::Instant;

impl Transport {
    /// DTLS records: application data goes up to SCTP.
    pub(super) fn handle_dtls(&mut self, now: Instant, datagram: &mut [u8]) {
        let opened = self.dtls.handle_input(now, datagram);
        if let Some(packet) = opened.plaintext.and_then(|range| datagram.get(range)) {
            self.sctp.handle_input(now, packet);
        }
    }

    /// Application data that DTLS did not return in place: what was held, and all that a backend
    /// with tasks of its own receives.
    pub(crate) fn drain_held(&mut self, now: Instant) {
        let mut buf = [0; MAX_DATAGRAM];
        while let Some(len) = self.dtls.poll_message(&mut buf) {
            self.sctp.handle_input(now, &buf[..len]);
        }
    }

    /// Whether data may flow in both directions.
    pub(crate) fn is_secured(&self) -> bool {
        self.dtls.state() == DtlsState::Connected
    }
}
