use super::core::{Configuration, Settings};
use super::session::Session;
use crate::certificate::OwnCertificate;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use crypto::{Provider, SecureRandom};
use layer::{
    Certificate, CertificateError, CertificateParams, Dtls, DtlsConfig, DtlsError, DtlsVersion,
    KeyAlgorithm, NewDtls, Start,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Makes DTLS sessions and certificates. The fields are the settings of all of them.
///
/// ```
/// let mut factory = muonrtc_dtls::dimpl::Factory::default();
/// factory.min_version = layer::DtlsVersion::V1_3;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// The primitives; P-256 at least is needed for key agreement (RFC 8827 §6.5), and P-384 is only
    /// used beside X25519. Default: [`Provider::default`].
    pub provider: Provider,
    /// The oldest version to speak. Default: 1.2, which RFC 8827 §6.5 obliges to.
    pub min_version: DtlsVersion,
    /// The newest version to speak. Default: 1.3, which browsers prefer. With both, a client
    /// offers both in one ClientHello and a server takes what it is offered, 1.3 if it can.
    pub max_version: DtlsVersion,
    /// When a flight is sent again for the first time; each further time waits twice as long, and
    /// every wait differs by up to a quarter.
    ///
    /// Default: 150 ms. RFC 9147 §5.8.2 allows 1.5 round trips where the round trip is known and
    /// has 400 ms for real-time uses; 150 ms fits the 100 ms of a path across an ocean, and being
    /// early costs one flight. What [`Dtls::set_round_trip`] says before the role is set counts
    /// instead, between 50 and 400 ms.
    pub flight_interval: Duration,
    /// The time for the whole handshake, from the first datagram of the client on. Default: 30 s,
    /// longer than ICE needs to notice a dead path.
    pub handshake_timeout: Duration,
    /// How many datagrams are kept that come before the role or before their keys; more are
    /// dropped and counted as overflowed, and the peer sends them again. Default: 32, some flights.
    pub max_early_datagrams: usize,
    /// How many bytes of application data are held until the peer's fingerprint matches; more are
    /// dropped and counted as overflowed. Default: 64 KiB.
    pub max_held_bytes: usize,
    configurations: Arc<Configurations>,
}

/// Checked settings. To check them runs all self-tests of the provider, so it is done once.
#[derive(Debug, Default)]
struct Configurations(Mutex<Vec<(Settings, Configuration)>>);

/// What every path carries: RFC 6347 §4.1.1.1 has smaller reports ignored.
const MIN_HANDSHAKE_DATAGRAM: usize = 256;
/// A handshake has nothing to win from more, and dimpl fills a ClientHello up to it.
const MAX_HANDSHAKE_DATAGRAM: usize = 1500;
/// More than a process has: the settings differ by MTU and round trip.
const MAX_CONFIGURATIONS: usize = 32;
/// A flight timer never starts with less: it would race the computation of the answer.
const MIN_FLIGHT_INTERVAL: Duration = Duration::from_millis(50);
/// RFC 9147 §5.8.2 for real-time uses.
const MAX_FLIGHT_INTERVAL: Duration = Duration::from_millis(400);

#[cfg(feature = "ring")]
impl Default for Factory {
    fn default() -> Self {
        Self::new(Provider::default())
    }
}

impl Factory {
    /// The defaults with other primitives.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            min_version: DtlsVersion::V1_2,
            max_version: DtlsVersion::V1_3,
            flight_interval: Duration::from_millis(150),
            handshake_timeout: Duration::from_secs(30),
            max_early_datagrams: 32,
            max_held_bytes: 64 * 1024,
            configurations: Arc::default(),
        }
    }

    /// The settings of a core for a path.
    pub(crate) fn settings(&self, max_datagram: usize, round_trip: Option<Duration>) -> Settings {
        let mut versions = vec![DtlsVersion::V1_2, DtlsVersion::V1_3];
        versions.retain(|version| (self.min_version..=self.max_version).contains(version));
        if versions.is_empty() {
            versions.push(self.max_version);
        }
        Settings {
            versions,
            max_datagram: max_datagram.clamp(MIN_HANDSHAKE_DATAGRAM, MAX_HANDSHAKE_DATAGRAM),
            flight_interval: round_trip.map_or(self.flight_interval, flight_interval),
            handshake_timeout: self.handshake_timeout,
        }
    }

    /// Checks settings, or finds them checked. A seed makes the result unlike any other.
    pub(crate) fn configuration(
        &self,
        settings: Settings,
        seed: Option<u64>,
    ) -> Option<Configuration> {
        let check = |settings: &Settings| match Configuration::new(self.provider, settings, seed) {
            Ok(configuration) => Some(configuration),
            Err(error) => {
                tracing::error!(%error, "the crypto provider or the settings cannot be used");
                None
            }
        };
        if seed.is_some() {
            return check(&settings);
        }
        let Configurations(checked) = &*self.configurations;
        let mut checked = checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = checked.iter().find(|(known, _)| *known == settings) {
            return Some(found.clone());
        }
        let configuration = check(&settings)?;
        if checked.len() == MAX_CONFIGURATIONS {
            checked.remove(0);
        }
        checked.push((settings, configuration.clone()));
        Some(configuration)
    }

    /// The generator of one session or certificate under a deterministic provider; `None` in
    /// production, where the provider's own source serves.
    pub(crate) fn generator(&self, start: Start, label: [u8; 8]) -> Option<ChaCha12Rng> {
        self.provider.deterministic.then(|| {
            let mut generator = ChaCha12Rng::from_seed(*start.seed.as_bytes());
            generator.set_stream(u64::from_be_bytes(label));
            generator
        })
    }
}

/// One and a half round trips, in steps, so that few settings exist.
fn flight_interval(round_trip: Duration) -> Duration {
    let mut interval = MIN_FLIGHT_INTERVAL;
    while interval < round_trip * 3 / 2 && interval < MAX_FLIGHT_INTERVAL {
        interval += MIN_FLIGHT_INTERVAL;
    }
    interval
}

impl NewDtls for Factory {
    fn generate_certificate(
        &self,
        start: Start,
        params: &CertificateParams,
    ) -> Result<Arc<dyn Certificate>, CertificateError> {
        let generator = self.generator(start, *b"dtlscert").map(Seeded::new);
        let random = match &generator {
            Some(seeded) => seeded,
            None => self.provider.random,
        };
        let certificate = OwnCertificate::generate(&self.provider, random, start.wall, params)?;
        Ok(Arc::new(certificate))
    }

    fn import_certificate(
        &self,
        der: &[u8],
        private_key: &[u8],
    ) -> Result<Arc<dyn Certificate>, CertificateError> {
        let certificate = OwnCertificate::import(&self.provider, der, private_key)?;
        Ok(Arc::new(certificate))
    }

    fn new_dtls(&self, start: Start, config: DtlsConfig) -> Result<Box<dyn Dtls>, DtlsError> {
        let algorithm = config.certificate.key_algorithm();
        match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => {}
            other => {
                return Err(DtlsError::Certificate(CertificateError::Unsupported(other)));
            }
        }
        let session = Session::new(self, start, config).ok_or(DtlsError::Crypto)?;
        Ok(Box::new(session))
    }
}

/// A generator behind the trait that takes `&self`.
#[derive(Debug)]
struct Seeded(Mutex<ChaCha12Rng>);

impl Seeded {
    fn new(generator: ChaCha12Rng) -> Self {
        Self(Mutex::new(generator))
    }
}

impl SecureRandom for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), crypto::Error> {
        let mut generator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generator.fill_bytes(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flight_timer_follows_the_round_trip_within_bounds() {
        for (round_trip, interval) in [(1, 50), (33, 50), (60, 100), (150, 250), (5000, 400)] {
            let round_trip = Duration::from_millis(round_trip);
            let interval = Duration::from_millis(interval);
            assert_eq!(flight_interval(round_trip), interval, "{round_trip:?}");
        }
    }
}
