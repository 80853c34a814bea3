//! One session: [`input`] takes datagrams apart, [`handshake`] brings the machine of its role on,
//! [`established`] serves what comes after, [`output`] says what leaves, [`transfer`] carries data,
//! [`ending`] ends it.

mod acknowledgement;
mod ending;
mod established;
mod handshake;
mod input;
mod output;
mod transfer;

use crate::alert::Alert;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::factory::Factory;
use crate::flight::reassembly::Reassembly;
use crate::flight::timer::Timer;
use crate::identity::Identity;
use crate::random::Random;
use crate::server::Server;
use crate::waiting::Waiting;
use acknowledgement::Acknowledgements;
use bytes::Bytes;
use chacha20::ChaCha12Rng;
use layer::{
    Dtls, DtlsConfig, DtlsError, DtlsEvent, DtlsRole, DtlsState, DtlsStats, ExportError,
    Fingerprint, Opened, SealError, Security, Start,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A DTLS session.
pub(crate) struct Session {
    endpoint: Endpoint,
    machine: Machine,
    role: Option<DtlsRole>,
    state: DtlsState,
    identity: Identity,
    /// Whether a record has come that only the peer could seal.
    is_authentic: bool,

    reassembly: Reassembly,
    acknowledgements: Acknowledgements,
    timer: Timer,
    /// When our flight went out again last because the peer repeated itself.
    repeated: Option<Instant>,
    /// Until when the handshake, or its last flight, is given time.
    deadline: Option<Instant>,
    handshake_timeout: Duration,
    /// Jitter of timers.
    generator: ChaCha12Rng,

    max_datagram: usize,
    renew_keys_after: u64,
    /// A KeyUpdate of ours is out.
    is_renewing: bool,
    /// What we have to say last, or, of 1.2, about a renegotiation.
    alert: Option<Alert>,

    /// Datagrams before the role, records before their keys.
    early: Waiting,
    /// Application data that could not be returned in place.
    held: Waiting,
    events: VecDeque<DtlsEvent>,
    stats: DtlsStats,
}

/// By phase of life.
#[derive(Debug)]
enum Machine {
    /// No role yet.
    Idle,
    Client(Box<Client>),
    Server(Box<Server>),
    /// The handshake is over.
    Established,
    /// The session is.
    Over,
}

/// A kept datagram is a record of 2^14 bytes at most, and in practice an MTU.
const EARLY_BYTES_PER_DATAGRAM: usize = 2048;
/// What every path carries: RFC 6347 §4.1.1.1 has smaller reports ignored.
const MIN_HANDSHAKE_DATAGRAM: usize = 256;
/// A handshake has nothing to win from more.
const MAX_HANDSHAKE_DATAGRAM: usize = 1500;

impl Session {
    pub(crate) fn new(factory: &Factory, start: Start, config: DtlsConfig) -> Self {
        let random = Random::new(&factory.provider, factory.generator(start, *b"dtlskeys"));
        let max_datagram = config.max_datagram;
        let endpoint = Endpoint::new(
            factory.provider,
            random,
            factory.versions(),
            factory.verify_address,
            config,
        );
        let early = factory.max_early_datagrams;
        Self {
            endpoint,
            machine: Machine::Idle,
            role: None,
            state: DtlsState::New,
            identity: Identity::default(),
            is_authentic: false,
            reassembly: Reassembly::default(),
            acknowledgements: Acknowledgements::default(),
            timer: Timer::new(factory.flight_interval),
            repeated: None,
            deadline: None,
            handshake_timeout: factory.handshake_timeout,
            generator: crate::factory::derive(start, *b"dtls    "),
            max_datagram,
            renew_keys_after: factory.renew_keys_after,
            is_renewing: false,
            alert: None,
            early: Waiting::new(early, early.saturating_mul(EARLY_BYTES_PER_DATAGRAM)),
            held: Waiting::new(usize::MAX, factory.max_held_bytes),
            events: VecDeque::new(),
            stats: DtlsStats::default(),
        }
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

    fn is_established(&self) -> bool {
        matches!(self.machine, Machine::Established)
    }
}

impl Dtls for Session {
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) -> Opened {
        self.stats.datagrams_received += 1;
        self.take(now, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.fire(now);
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
        self.max_datagram = bytes;
    }

    fn set_round_trip(&mut self, round_trip: Duration) {
        self.timer
            .set_interval(crate::factory::flight_interval(round_trip));
    }

    fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<usize> {
        let len = self.next_datagram(buf)?;
        self.stats.datagrams_sent += 1;
        Some(len)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.timer.at(),
            self.deadline,
            self.acknowledgements.timeout(),
        ];
        timers.into_iter().flatten().min()
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
        let is_over = matches!(self.machine, Machine::Established | Machine::Over);
        let is_known = is_over && self.endpoint.peer.is_proven;
        is_known.then(|| self.endpoint.security.clone())
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
        self.record_overhead()
    }

    fn stats(&self) -> DtlsStats {
        self.stats.clone()
    }
}
