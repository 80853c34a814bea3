//! `dimpl` as the handshake and record core, and the adapters under it.
//!
//! dimpl takes its cryptography as `&'static` trait objects. Ours are empty: they find the session
//! they work for, with its provider, its signer and its random source, in a [`Context`] that is
//! entered around every call into dimpl. So nothing is leaked, any number of providers can live
//! side by side, private keys stay behind [`layer::Certificate::sign`], and what dimpl does not
//! tell (cipher suite, group, signature scheme) is seen as it passes.

mod agreement;
mod context;
mod digest;
mod signature;
mod suite;

use context::Context;
pub(crate) use context::Negotiated;

use crate::alert::Alert;
use crate::dimpl::lead;
use ::dimpl::crypto::CryptoProvider;
use ::dimpl::{DtlsCertificate, Output, ProtocolVersion};
use layer::{Certificate, DtlsRole, DtlsVersion};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a core is set up; cores of equal settings share one checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The versions, oldest first; never empty.
    pub(crate) versions: Vec<DtlsVersion>,
    /// The largest datagram of the handshake.
    pub(crate) max_datagram: usize,
    /// The first retransmission timer.
    pub(crate) flight_interval: Duration,
    /// The time for all flights together.
    pub(crate) handshake_timeout: Duration,
}

/// Settings that dimpl has checked.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    config: Arc<::dimpl::Config>,
    version: Version,
}

#[derive(Clone, Copy, Debug)]
enum Version {
    Only1_2,
    Only1_3,
    Both,
}

/// dimpl counts retransmissions by number; this many, doubling, outlast any handshake timeout.
const FLIGHT_RETRIES: usize = 24;
/// Datagrams that dimpl keeps while a handshake message is incomplete or out of order.
const MAX_QUEUED_INPUT: usize = 64;
/// Datagrams of one flight.
const MAX_QUEUED_OUTPUT: usize = 64;
/// The largest record, with what protection adds (RFC 6347 §4.1).
const MAX_RECORD: usize = (1 << 14) + 2048;
/// dimpl answers "in ten years" when no timer runs.
const IDLE: Duration = Duration::from_secs(365 * 24 * 3600);

impl Configuration {
    /// Checks the settings, which runs the self-tests of the provider.
    ///
    /// `seed` makes everything but keys and signatures repeat itself; those repeat themselves if
    /// the provider does.
    pub(crate) fn new(
        provider: crypto::Provider,
        settings: &Settings,
        seed: Option<u64>,
    ) -> Result<Self, ::dimpl::Error> {
        let mut builder = ::dimpl::Config::builder()
            .mtu(settings.max_datagram)
            .max_queue_rx(MAX_QUEUED_INPUT)
            .max_queue_tx(MAX_QUEUED_OUTPUT)
            // ICE has validated the path: no cookie round trip (RFC 9147 §5.1).
            .use_server_cookie(false)
            // RFC 8122 §6.2: both ends present certificates.
            .require_client_certificate(true)
            .flight_start_rto(settings.flight_interval)
            .flight_retries(FLIGHT_RETRIES)
            .handshake_timeout(settings.handshake_timeout)
            .kx_groups(&agreement::preferred(&provider))
            .with_crypto_provider(adapter(&provider));
        let version = match settings.versions.as_slice() {
            [DtlsVersion::V1_2] => {
                builder = builder.dtls13_cipher_suites(&[]);
                Version::Only1_2
            }
            [DtlsVersion::V1_3] => {
                builder = builder.dtls12_cipher_suites(&[]);
                Version::Only1_3
            }
            _ => Version::Both,
        };
        if let Some(seed) = seed {
            builder = builder.dangerously_set_rng_seed(seed);
        }
        let mut context = Some(Box::new(Context::new(provider, None, None)));
        let config = context::enter(&mut context, || builder.build())?;
        Ok(Self {
            config: Arc::new(config),
            version,
        })
    }
}

/// The provider that dimpl sees.
fn adapter(provider: &crypto::Provider) -> CryptoProvider {
    CryptoProvider {
        kx_groups: agreement::groups(provider),
        signature_verification: &signature::Verifier,
        key_provider: &signature::Keys,
        secure_random: &context::Random,
        hash_provider: &digest::Hashes,
        hmac_provider: &digest::Hmacs,
        cipher_suites: suite::V1_2,
        dtls13_cipher_suites: suite::V1_3,
    }
}

/// One dimpl session.
pub(crate) struct Core {
    dtls: ::dimpl::Dtls,
    context: Option<Box<Context>>,
}

impl Core {
    /// A session in its role. `random` serves a deterministic provider alone.
    pub(crate) fn new(
        configuration: &Configuration,
        provider: crypto::Provider,
        certificate: Arc<dyn Certificate>,
        random: Option<chacha20::ChaCha12Rng>,
        role: DtlsRole,
        now: Instant,
    ) -> Self {
        let config = configuration.config.clone();
        let identity = DtlsCertificate {
            certificate: certificate.der().to_vec(),
            // The key stays where it is: `signature::Keys` finds its signer in the context.
            private_key: Vec::new(),
        };
        let mut context = Some(Box::new(Context::new(provider, Some(certificate), random)));
        let dtls = context::enter(&mut context, || {
            let mut dtls = match configuration.version {
                Version::Only1_2 => ::dimpl::Dtls::new_12(config, identity, now),
                Version::Only1_3 => ::dimpl::Dtls::new_13(config, identity, now),
                Version::Both => ::dimpl::Dtls::new_auto(config, identity, now),
            };
            // A new instance is a server. This is the only call and the only direction: back from
            // an undecided client to a server would panic.
            if role == DtlsRole::Client {
                dtls.set_active(true);
            }
            dtls
        });
        Self { dtls, context }
    }

    /// Takes one datagram, record by record: dimpl judges a datagram by its first record, and with a
    /// repeated one throws the new ones behind it away.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        datagram: &[u8],
    ) -> Result<(), ::dimpl::Error> {
        let Self { dtls, context } = self;
        context::enter(context, || {
            dtls.handle_timeout(now)?;
            lead::records(datagram).try_for_each(|record| dtls.handle_packet(record))
        })
    }

    /// Moves the clock.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), ::dimpl::Error> {
        let Self { dtls, context } = self;
        context::enter(context, || dtls.handle_timeout(now))
    }

    /// The next output. `buf` must hold any peer certificate: dimpl insists.
    pub(crate) fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> Output<'a> {
        let Self { dtls, context } = self;
        context::enter(context, || dtls.poll_output(buf))
    }

    /// Encrypts; the record is the next packet to be polled.
    pub(crate) fn send(&mut self, plaintext: &[u8]) -> Result<(), ::dimpl::Error> {
        let Self { dtls, context } = self;
        context::enter(context, || dtls.send_application_data(plaintext)).map(drop)
    }

    /// Ends the session with an alert, if keys for one exist.
    pub(crate) fn close(&mut self, alert: Alert) -> Result<(), ::dimpl::Error> {
        let Self { dtls, context } = self;
        if let Some(context) = context {
            context.alert = alert;
        }
        context::enter(context, || dtls.close())
    }

    /// The next datagram alone, when all else has lost its meaning.
    pub(crate) fn next_packet(&mut self) -> Option<Vec<u8>> {
        let mut buf = vec![0; MAX_RECORD];
        loop {
            match self.poll_output(&mut buf) {
                Output::Packet(packet) => return Some(packet.to_vec()),
                Output::Timeout(_) | Output::BufferTooSmall { .. } => return None,
                _ => {}
            }
        }
    }

    /// The version, once it is decided.
    pub(crate) fn version(&self) -> Option<DtlsVersion> {
        match self.dtls.protocol_version()? {
            ProtocolVersion::DTLS1_2 => Some(DtlsVersion::V1_2),
            ProtocolVersion::DTLS1_3 => Some(DtlsVersion::V1_3),
            _ => None,
        }
    }

    /// How many records were authentic so far. dimpl does not tell what it drops.
    pub(crate) fn opened(&self) -> u64 {
        self.context.as_ref().map_or(0, |context| context.opened)
    }

    /// What passed through the adapters.
    pub(crate) fn negotiated(&self) -> Negotiated {
        self.context
            .as_ref()
            .map(|context| context.negotiated)
            .unwrap_or_default()
    }
}

/// `None` for dimpl's way of saying that no timer runs.
pub(crate) fn timer(now: Instant, timeout: Instant) -> Option<Instant> {
    (timeout < now + IDLE).then_some(timeout)
}
