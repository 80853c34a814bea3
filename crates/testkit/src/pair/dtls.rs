use super::{Pair, Peer};
use crate::seed::layer_seed;
use crate::{Clock, Link, Wakes};
use layer::{
    Certificate, CertificateParams, Dtls, DtlsConfig, DtlsEvent, DtlsRole, DtlsState, NewDtls,
    SealError,
};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A DTLS session at one end of a [`Pair`], and what came out of it.
pub struct DtlsPeer {
    /// The session.
    pub machine: Box<dyn Dtls>,
    /// What it presents.
    pub certificate: Arc<dyn Certificate>,
    /// Every event so far; drain it as you like.
    pub events: Vec<DtlsEvent>,
    /// Every message of application data so far; drain it as you like.
    pub messages: Vec<Vec<u8>>,
    sealed: VecDeque<Vec<u8>>,
}

/// The largest message of application data: a whole record (RFC 8446 §5.1).
const MAX_PLAINTEXT: usize = 1 << 14;

impl DtlsPeer {
    /// Puts a session at one end.
    #[must_use]
    pub fn new(machine: Box<dyn Dtls>, certificate: Arc<dyn Certificate>) -> Self {
        Self {
            machine,
            certificate,
            events: Vec::new(),
            messages: Vec::new(),
            sealed: VecDeque::new(),
        }
    }

    /// Encrypts a message; the datagram leaves with the next poll.
    ///
    /// # Errors
    ///
    /// What [`Dtls::seal_into`] says.
    pub fn send(&mut self, now: Instant, plaintext: &[u8]) -> Result<(), SealError> {
        let mut out = vec![0; plaintext.len() + self.machine.overhead()];
        let len = self.machine.seal_into(now, plaintext, &mut out)?;
        out.truncate(len);
        // Otherwise a task makes the datagram.
        if len > 0 {
            self.sealed.push_back(out);
        }
        Ok(())
    }

    /// Tells this end that the other one presents `certificate`.
    pub fn expect(&mut self, now: Instant, certificate: &dyn Certificate) {
        let fingerprints = certificate.fingerprints();
        self.machine.set_remote_fingerprints(now, &fingerprints);
    }

    /// Whether it has told its end.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, DtlsEvent::Ended(_)))
    }
}

impl Peer for DtlsPeer {
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) {
        let opened = self.machine.handle_input(now, datagram);
        if let Some(range) = opened.plaintext {
            self.messages.push(datagram[range].to_vec());
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        if let Some(len) = self.machine.poll_transmit(now, buf) {
            return Some(len);
        }
        let datagram = self.sealed.pop_front()?;
        buf[..datagram.len()].copy_from_slice(&datagram);
        Some(datagram.len())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn collect(&mut self, _now: Instant) -> bool {
        let before = (self.events.len(), self.messages.len());
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
        }
        let mut buffer = vec![0; MAX_PLAINTEXT];
        while let Some(len) = self.machine.poll_message(&mut buffer) {
            self.messages.push(buffer[..len].to_vec());
        }
        before != (self.events.len(), self.messages.len())
    }
}

impl fmt::Debug for DtlsPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtlsPeer")
            .field("state", &self.machine.state())
            .field("role", &self.machine.role())
            .field("events", &self.events)
            .field("messages", &self.messages.len())
            .field("stats", &self.machine.stats())
            .finish_non_exhaustive()
    }
}

impl Pair<DtlsPeer> {
    /// Two new sessions with fresh certificates, `configure`d alike, made by two factories (which
    /// may be the same). Neither has a role or fingerprints yet.
    ///
    /// # Panics
    ///
    /// If a factory makes no certificate or refuses its own.
    #[must_use]
    pub fn dtls(
        factories: [&dyn NewDtls; 2],
        clock: Clock,
        link: &Link,
        seed: u64,
        configure: impl Fn(&mut DtlsConfig),
    ) -> Self {
        let wakes = Wakes::new();
        let peer = |factory: &dyn NewDtls, label| {
            let start = clock.start(layer_seed(seed, label));
            let params = CertificateParams::default();
            let certificate = factory
                .generate_certificate(start, &params)
                .unwrap_or_else(|error| panic!("no certificate: {error}"));
            let mut config = DtlsConfig::new(certificate.clone(), wakes.waker());
            configure(&mut config);
            let machine = factory
                .new_dtls(start, config)
                .unwrap_or_else(|error| panic!("no session: {error}"));
            DtlsPeer::new(machine, certificate)
        };
        let a = peer(factories[0], b"dtls   a");
        let b = peer(factories[1], b"dtls   b");
        let mut pair = Self::new(clock, seed, link, a, b);
        pair.wakes = wakes;
        pair
    }

    /// Tells both ends whom to expect.
    pub fn exchange_fingerprints(&mut self) {
        let now = self.now();
        let (a, b) = (self.a.certificate.clone(), self.b.certificate.clone());
        self.a.expect(now, &*b);
        self.b.expect(now, &*a);
    }

    /// Makes `a` the client and `b` the server, with fingerprints, without running.
    ///
    /// # Panics
    ///
    /// If an end refuses its role.
    pub fn start(&mut self) {
        let now = self.now();
        self.exchange_fingerprints();
        let roles = [
            self.b.machine.set_role(now, DtlsRole::Server),
            self.a.machine.set_role(now, DtlsRole::Client),
        ];
        for role in roles {
            role.unwrap_or_else(|error| panic!("set_role was refused: {error}"));
        }
        self.settle();
    }

    /// Whether both ends are connected.
    #[must_use]
    pub fn connected(&self) -> bool {
        let connected = |end: &DtlsPeer| end.machine.state() == DtlsState::Connected;
        connected(&self.a) && connected(&self.b)
    }

    /// Starts both ends and runs until both are connected; `false` if they are not within `limit`.
    ///
    /// # Panics
    ///
    /// If an end refuses its role.
    #[must_use]
    pub fn connect(&mut self, limit: Duration) -> bool {
        self.start();
        self.run_until(limit, |pair| pair.connected())
    }
}
