use crate::certificate::OwnCertificate;
use crate::session::Session;
use crate::signature;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::SeedableRng;
use crypto::Provider;
use layer::{
    Certificate, CertificateError, CertificateParams, Dtls, DtlsConfig, DtlsError, DtlsVersion,
    NewDtls, Start,
};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Makes DTLS sessions and certificates. The fields are the settings of all of them.
///
/// ```
/// let mut factory = muonrtc_dtls::Factory::default();
/// factory.min_version = layer::DtlsVersion::V1_3;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// The primitives. Of the groups for key agreement P-256 should be one, which every peer has
    /// (RFC 8827 §6.5). Default: [`Provider::default`].
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
    /// early costs one flight. What [`Dtls::set_round_trip`] says counts instead for the flights
    /// that follow, between 50 and 400 ms.
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
    /// As a server, ask for a cookie before anything else (RFC 6347 §4.2.1, RFC 9147 §5.1), which
    /// costs a round trip and proves that the client is where it says. Default: no, since ICE has
    /// proved that.
    pub verify_address: bool,
    /// After how many records a session of 1.3 renews the key it sends with (RFC 9147 §8). What
    /// is more than half of what the cipher may protect (RFC 8446 §5.5) counts as that: 2^23
    /// records for AES-GCM. Default: as many as that. 1.2 cannot renew its keys.
    pub renew_keys_after: u64,
}

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
            verify_address: false,
            renew_keys_after: u64::MAX,
        }
    }

    /// What to speak; the newest version at least.
    pub(crate) fn versions(&self) -> RangeInclusive<DtlsVersion> {
        self.min_version.min(self.max_version)..=self.max_version
    }

    /// The generator of one session or certificate under a deterministic provider; `None` in
    /// production, where the provider's own source serves.
    pub(crate) fn generator(&self, start: Start, label: [u8; 8]) -> Option<ChaCha12Rng> {
        self.provider.deterministic.then(|| derive(start, label))
    }
}

/// The generator of that label (see [`layer::Seed`]).
pub(crate) fn derive(start: Start, label: [u8; 8]) -> ChaCha12Rng {
    let mut generator = ChaCha12Rng::from_seed(*start.seed.as_bytes());
    generator.set_stream(u64::from_be_bytes(label));
    generator
}

/// One and a half round trips, within bounds.
pub(crate) fn flight_interval(round_trip: Duration) -> Duration {
    (round_trip * 3 / 2).clamp(MIN_FLIGHT_INTERVAL, MAX_FLIGHT_INTERVAL)
}

impl NewDtls for Factory {
    fn generate_certificate(
        &self,
        start: Start,
        params: &CertificateParams,
    ) -> Result<Arc<dyn Certificate>, CertificateError> {
        let random =
            crate::random::Random::new(&self.provider, self.generator(start, *b"dtlscert"));
        let certificate = OwnCertificate::generate(&self.provider, &random, start.wall, params)?;
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
        if signature::of_key(algorithm).is_none() {
            return Err(DtlsError::Certificate(CertificateError::Unsupported(
                algorithm,
            )));
        }
        if self.provider.agreements.is_empty() {
            return Err(DtlsError::Crypto);
        }
        Ok(Box::new(Session::new(self, start, config)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flight_timer_follows_the_round_trip_within_bounds() {
        for (round_trip, interval) in [(1, 50), (33, 50), (60, 90), (150, 225), (5000, 400)] {
            let round_trip = Duration::from_millis(round_trip);
            let interval = Duration::from_millis(interval);
            assert_eq!(flight_interval(round_trip), interval, "{round_trip:?}");
        }
    }
}
