//! A second backend: the DTLS of the webrtc-rs project (package `dtls`, 1.2 only), behind the same
//! trait.
//!
//! It proves the seam, and helps where a peer only gets on with that implementation. It stands on
//! tokio: a session is a connection in memory and a task on the factory's runtime, which wakes the
//! owner through the waker in [`layer::DtlsConfig`]. So
//!
//! - [`seal_into`](layer::Dtls::seal_into) hands the plaintext to the task and returns 0: the datagram
//!   comes out of [`poll_transmit`](layer::Dtls::poll_transmit) after a wake,
//! - received data comes out of [`poll_message`](layer::Dtls::poll_message),
//! - what it drops is not counted, and a fatal alert of the peer looks like its `close_notify`,
//! - there is no ALPN,
//! - certificates must have a private key on P-256 that leaves its signer.

mod pipe;
mod plaintext;
mod session;
mod task;

use crate::certificate::OwnCertificate;
use crypto::Provider;
use layer::{
    Certificate, CertificateError, CertificateParams, Dtls, DtlsConfig, DtlsError, KeyAlgorithm,
    NewDtls, Start,
};
use session::Session;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Makes sessions of that implementation. The fields are the settings of all of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// Where the tasks run.
    pub runtime: Handle,
    /// Makes and reads certificates; the implementation has its own primitives for the rest.
    pub provider: Provider,
    /// When a flight is sent again, every time. Default: 150 ms, as in [`crate::Factory`].
    pub flight_interval: Duration,
    /// The time for the whole handshake, from the role on at a client and from the first datagram
    /// on at a server. Default: 30 s.
    pub handshake_timeout: Duration,
    /// How many datagrams are kept that come before the role. Default: 32.
    pub max_early_datagrams: usize,
    /// How many datagrams or messages wait in each direction for the task or the owner; more are
    /// dropped and counted as overflowed. Default: 256.
    pub max_queued: usize,
}

impl Factory {
    /// The defaults.
    #[must_use]
    pub fn new(runtime: Handle, provider: Provider) -> Self {
        Self {
            runtime,
            provider,
            flight_interval: Duration::from_millis(150),
            handshake_timeout: Duration::from_secs(30),
            max_early_datagrams: 32,
            max_queued: 256,
        }
    }
}

impl NewDtls for Factory {
    fn generate_certificate(
        &self,
        start: Start,
        params: &CertificateParams,
    ) -> Result<Arc<dyn Certificate>, CertificateError> {
        if params.key_algorithm != KeyAlgorithm::EcdsaP256 {
            return Err(CertificateError::Unsupported(params.key_algorithm));
        }
        let random = self.provider.random;
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

    fn new_dtls(&self, _start: Start, config: DtlsConfig) -> Result<Box<dyn Dtls>, DtlsError> {
        let identity = task::identity(&*config.certificate).map_err(DtlsError::Certificate)?;
        Ok(Box::new(Session::new(self, config, identity)))
    }
}
