//! One session, by phase of life: [`handshake`], [`transfer`], [`ending`].

mod ending;
mod handshake;
mod transfer;

use crate::dimpl::core::{Configuration, Core};
use crate::dimpl::factory::Factory;
use crate::identity::Identity;
use crate::waiting::Waiting;
use bytes::Bytes;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use layer::{
    Dtls, DtlsConfig, DtlsError, DtlsEvent, DtlsRole, DtlsState, DtlsStats, ExportError,
    Fingerprint, Opened, SealError, Security, Start,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use transfer::Keying;

/// A DTLS session on dimpl.
pub(crate) struct Session {
    factory: Factory,
    config: DtlsConfig,
    start: Start,
    /// Checked with the session's first settings.
    configuration: Configuration,
    round_trip: Option<Duration>,

    state: DtlsState,
    role: Option<DtlsRole>,
    /// From the role to the end.
    core: Option<Core>,
    timeout: Option<Instant>,
    /// How often an undecided client has sent its ClientHello.
    hellos_sent: u64,
    /// When a timer fired last.
    fired: Option<Instant>,
    identity: Identity,
    /// Set when the handshake is over.
    security: Option<Security>,
    keying: Option<Keying>,

    /// Datagrams before the role or before their keys.
    early: Waiting,
    /// Application data that could not be returned in place.
    held: Waiting,
    transmit: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    events: VecDeque<DtlsEvent>,
    scratch: Vec<u8>,
    stats: DtlsStats,
}

/// A kept datagram is a record of 2^14 bytes at most, and in practice an MTU.
const EARLY_BYTES_PER_DATAGRAM: usize = 2048;
/// Buffers of sent datagrams, kept for the next ones.
const MAX_SPARE: usize = 8;

/// Of a deterministic provider alone: the seed of dimpl and the generator of keys.
fn randomness(factory: &Factory, start: Start) -> (Option<u64>, Option<ChaCha12Rng>) {
    let mut generator = factory.generator(start, *b"dtls    ");
    let seed = generator.as_mut().map(Rng::next_u64);
    (seed, generator)
}

impl Session {
    /// `None` if the provider fails its self-tests.
    pub(crate) fn new(factory: &Factory, start: Start, config: DtlsConfig) -> Option<Self> {
        let (seed, _) = randomness(factory, start);
        let settings = factory.settings(config.max_datagram, None);
        let configuration = factory.configuration(settings, seed)?;
        let early = factory.max_early_datagrams;
        Some(Self {
            early: Waiting::new(early, early.saturating_mul(EARLY_BYTES_PER_DATAGRAM)),
            held: Waiting::new(usize::MAX, factory.max_held_bytes),
            factory: factory.clone(),
            config,
            start,
            configuration,
            round_trip: None,
            state: DtlsState::New,
            role: None,
            core: None,
            timeout: None,
            hellos_sent: 0,
            fired: None,
            identity: Identity::default(),
            security: None,
            keying: None,
            transmit: VecDeque::new(),
            spare: Vec::new(),
            events: VecDeque::new(),
            scratch: Vec::new(),
            stats: DtlsStats::default(),
        })
    }

    fn set_state(&mut self, state: DtlsState) {
        if self.state != state {
            self.state = state;
            self.events.push_back(DtlsEvent::StateChange(state));
        }
    }

    fn ended(&self) -> bool {
        matches!(self.state, DtlsState::Closed | DtlsState::Failed)
    }
}

impl Dtls for Session {
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) -> Opened {
        self.stats.datagrams_received += 1;
        self.take(now, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        let Some(core) = &mut self.core else { return };
        self.fired = Some(now);
        let moved = core.handle_timeout(now);
        self.after(now, moved, None);
    }

    fn set_role(&mut self, now: Instant, role: DtlsRole) -> Result<(), DtlsError> {
        match self.role {
            Some(set) if set != role => Err(DtlsError::RoleIsSet(set)),
            Some(_) => Ok(()),
            None => {
                self.role = Some(role);
                if !self.ended() {
                    self.begin(now, role);
                }
                Ok(())
            }
        }
    }

    fn set_remote_fingerprints(&mut self, _now: Instant, fingerprints: &[Fingerprint]) {
        self.identity.add_fingerprints(fingerprints);
        self.settle();
    }

    fn seal_into(
        &mut self,
        now: Instant,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SealError> {
        self.seal(now, plaintext, out)
    }

    fn close(&mut self, _now: Instant) {
        self.close_locally();
    }

    fn set_max_datagram(&mut self, bytes: usize) {
        self.config.max_datagram = bytes;
    }

    fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
    }

    fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<usize> {
        let datagram = self.transmit.pop_front()?;
        let len = datagram.len();
        buf.get_mut(..len)?.copy_from_slice(&datagram);
        if self.spare.len() < MAX_SPARE {
            self.spare.push(datagram);
        }
        self.stats.datagrams_sent += 1;
        Some(len)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    fn poll_event(&mut self) -> Option<DtlsEvent> {
        self.events.pop_front()
    }

    fn poll_message(&mut self, buf: &mut [u8]) -> Option<usize> {
        self.next_held(buf)
    }

    fn state(&self) -> DtlsState {
        self.state
    }

    fn role(&self) -> Option<DtlsRole> {
        self.role
    }

    fn security(&self) -> Option<Security> {
        self.security.clone()
    }

    fn remote_certificates(&self) -> &[Bytes] {
        self.identity.certificates()
    }

    fn export(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        self.export_keying(label, context, out)
    }

    fn overhead(&self) -> usize {
        transfer::overhead(self.security.as_ref())
    }

    fn stats(&self) -> DtlsStats {
        self.stats.clone()
    }
}
