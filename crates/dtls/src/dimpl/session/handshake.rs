use super::transfer::Keying;
use super::{Session, randomness};
use crate::alert::Alert;
use crate::dimpl::core::{self, Core};
use crate::dimpl::lead::{self, Lead};
use crate::identity::Verdict;
use ::dimpl::Output;
use layer::{Blame, DtlsRole, DtlsState, DtlsVersion, End, Opened, Security};
use std::time::Instant;

/// A datagram of a handshake that is larger is dropped: flights are made for a path's MTU, and what
/// is reassembled must fit [`CERTIFICATE_SCRATCH`].
const MAX_HANDSHAKE_INPUT: usize = 2048;
/// dimpl insists on a buffer for the largest certificate that it may have put together.
const CERTIFICATE_SCRATCH: usize = 256 * 1024;
/// Afterwards, a datagram; it grows for larger records.
const RECORD_SCRATCH: usize = 2048;

/// What to do with a datagram before the handshake is over.
enum Triage {
    Pass,
    Keep,
    Drop,
    /// The server refuses, in plaintext.
    Refused(Alert),
}

impl Session {
    /// The role is known: the core begins, and what came early is handled.
    pub(super) fn begin(&mut self, now: Instant, role: DtlsRole) {
        let settings = self
            .factory
            .settings(self.config.max_datagram, self.round_trip);
        let (seed, _) = randomness(&self.factory, self.start);
        if let Some(newer) = self.factory.configuration(settings, seed) {
            self.configuration = newer;
        }
        self.core = Some(self.new_core(now, role));
        self.scratch = vec![0; CERTIFICATE_SCRATCH];
        self.set_state(DtlsState::Connecting);
        if let Some(core) = &mut self.core {
            let begun = core.handle_timeout(now);
            self.after(now, begun, None);
        }
        self.replay(now);
    }

    fn new_core(&self, now: Instant, role: DtlsRole) -> Core {
        let (_, generator) = randomness(&self.factory, self.start);
        Core::new(
            &self.configuration,
            self.factory.provider,
            self.config.certificate.clone(),
            generator,
            role,
            now,
        )
    }

    /// Takes a datagram, new or kept.
    pub(super) fn take(&mut self, now: Instant, datagram: &mut [u8]) -> Opened {
        if self.security.is_none() && !self.ended() {
            match self.triage(datagram) {
                Triage::Pass => {}
                Triage::Keep => {
                    if !self.early.push(datagram) {
                        self.stats.overflowed += 1;
                    }
                    return Opened::default();
                }
                Triage::Drop => {
                    self.stats.dropped += 1;
                    return Opened::default();
                }
                Triage::Refused(alert) => {
                    self.refused(alert);
                    return Opened::default();
                }
            }
        }
        let Some(core) = &mut self.core else {
            self.stats.dropped += 1;
            return Opened::default();
        };
        let undecided = core.version().is_none() || self.security.is_none();
        let authentic = core.opened();
        let taken = core.handle_packet(now, datagram);
        if self.security.is_some() && core.opened() == authentic {
            self.stats.dropped += 1;
        }
        let opened = self.after(now, taken, Some(datagram));
        let decided = self.security.is_some()
            || self
                .core
                .as_ref()
                .is_some_and(|core| core.version().is_some());
        if undecided && decided {
            self.replay(now);
        }
        opened
    }

    /// dimpl ends with an error on much of what can arrive before its time: an undecided client on
    /// anything but a server's first answer, any end on too much early application data. It must
    /// not see that.
    fn triage(&self, datagram: &[u8]) -> Triage {
        let lead = Lead::of(datagram);
        if lead == Lead::Foreign || datagram.len() > MAX_HANDSHAKE_INPUT {
            return Triage::Drop;
        }
        let Some(core) = &self.core else {
            return Triage::Keep;
        };
        let undecided = core.version().is_none();
        match (lead, self.role) {
            (Lead::ApplicationData, _) => Triage::Keep,
            (Lead::ServerAnswer, Some(DtlsRole::Client)) if undecided => Triage::Pass,
            (Lead::FatalAlert(alert), Some(DtlsRole::Client)) if undecided => {
                Triage::Refused(alert)
            }
            (_, Some(DtlsRole::Client)) if undecided => Triage::Keep,
            (Lead::ClientHello, _) => Triage::Pass,
            _ if undecided => Triage::Drop,
            _ => Triage::Pass,
        }
    }

    /// Handles again what was kept; what still has to wait is kept again.
    fn replay(&mut self, now: Instant) {
        for _ in 0..self.early.len() {
            let Some(mut datagram) = self.early.pop() else {
                return;
            };
            let opened = self.take(now, &mut datagram);
            if let Some(range) = opened.plaintext {
                self.hold(&datagram[range]);
            }
        }
    }

    /// After anything that moved the core: collects all it has to say.
    ///
    /// The first application data goes into `datagram`, if there is one and we are connected.
    pub(super) fn after(
        &mut self,
        now: Instant,
        moved: Result<(), ::dimpl::Error>,
        datagram: Option<&mut [u8]>,
    ) -> Opened {
        match moved {
            Ok(()) => {
                let opened = self.drain(now, datagram);
                self.settle();
                opened
            }
            Err(::dimpl::Error::TooManyClientHelloFragments) => {
                // Nothing is decided yet: a server that met with pieces that never made a whole
                // begins anew, within the same bound.
                self.core = Some(self.new_core(now, DtlsRole::Server));
                self.stats.dropped += 1;
                Opened::default()
            }
            Err(error) => {
                // An undecided instance may have lost its inside; a decided one may have an alert.
                let decided = |core: &Core| core.version().is_some();
                if self.core.as_ref().is_some_and(decided) {
                    self.drain(now, None);
                }
                self.fail(&error);
                Opened::default()
            }
        }
    }

    fn drain(&mut self, now: Instant, mut datagram: Option<&mut [u8]>) -> Opened {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut opened = Opened::default();
        let mut peer_closed = false;
        while let Some(core) = &mut self.core {
            match core.poll_output(&mut scratch) {
                Output::Packet(packet) => {
                    let mut copy = self.spare.pop().unwrap_or_default();
                    copy.clear();
                    copy.extend_from_slice(packet);
                    let undecided = core.version().is_none();
                    self.renumber(undecided, &mut copy);
                    self.transmit.push_back(copy);
                }
                Output::BufferTooSmall { needed } => scratch.resize(needed, 0),
                Output::PeerCert(leaf) => self.identity.set_certificate(leaf),
                // Nobody who listed no profile asked for keys, though dimpl negotiates one.
                Output::KeyingMaterial(..) if self.config.srtp_profiles.is_empty() => {}
                Output::KeyingMaterial(block, profile) => {
                    self.keying = Keying::new(&block, profile);
                }
                Output::Connected => self.handshake_over(),
                Output::ApplicationData(data) => {
                    let connected = self.state == DtlsState::Connected;
                    match datagram.take() {
                        Some(place) if connected && place.len() >= data.len() => {
                            place[..data.len()].copy_from_slice(data);
                            opened = Opened::in_place(0..data.len());
                        }
                        _ => self.hold(data),
                    }
                }
                Output::CloseNotify => peer_closed = true,
                Output::Timeout(timeout) => {
                    self.timeout = core::timer(now, timeout).map(|at| self.spaced(at));
                    break;
                }
                _ => {}
            }
        }
        if self.security.is_some() && scratch.len() == CERTIFICATE_SCRATCH {
            scratch = vec![0; RECORD_SCRATCH];
        }
        self.scratch = scratch;
        if peer_closed {
            self.closed_by_peer();
        }
        opened
    }

    /// RFC 6347 §4.2.4, RFC 9147 §4.2.1: a message that is sent again is in a new record. An
    /// undecided dimpl sends its ClientHello again under the same number, and a server that checks
    /// for replays (Pion's, for one) drops it. Later records go on behind.
    fn renumber(&mut self, undecided: bool, datagram: &mut [u8]) {
        let offset = if undecided {
            self.hellos_sent += 1;
            self.hellos_sent - 1
        } else {
            self.hellos_sent.saturating_sub(1)
        };
        if offset > 0 {
            lead::renumber(datagram, offset);
        }
    }

    /// dimpl acknowledges a gap in a flight at once, and again at once for as long as it is there.
    /// One firing follows another by a share of the flight timer at least.
    fn spaced(&self, timeout: Instant) -> Instant {
        let spacing = self.factory.flight_interval / 4;
        let earliest = self.fired.map_or(timeout, |fired| fired + spacing);
        timeout.max(earliest)
    }

    fn handshake_over(&mut self) {
        let Some(core) = &self.core else { return };
        let negotiated = core.negotiated();
        let mut security = Security::new(core.version().unwrap_or(DtlsVersion::V1_2));
        security.cipher_suite = negotiated.cipher_suite;
        security.group = negotiated.group;
        security.signature_scheme = negotiated.signature_scheme;
        self.security = Some(security);
    }

    /// Connects once the handshake is over and the peer is who it said.
    pub(super) fn settle(&mut self) {
        let Some(security) = &mut self.security else {
            return;
        };
        // dimpl tells the keys after the connection.
        security.srtp_profile = self.keying.as_ref().map(Keying::profile);
        if self.state != DtlsState::Connecting {
            return;
        }
        match self.identity.verdict(&self.factory.provider) {
            // RFC 8842 §5.2: until the fingerprint is known, nothing is delivered.
            Verdict::Open => {}
            Verdict::Match => self.set_state(DtlsState::Connected),
            // RFC 8122 §6.2: bad_certificate. It goes out under the keys of the finished handshake.
            Verdict::Mismatch => {
                let end = End::new(
                    Blame::Identity,
                    "the certificate has none of the signalled fingerprints",
                );
                let code = u16::from(Alert::BAD_CERTIFICATE.description);
                self.say_goodbye(Alert::BAD_CERTIFICATE);
                self.end(DtlsState::Failed, end.with_code(code));
            }
        }
    }
}
