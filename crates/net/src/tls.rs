use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The client side of TLS (feature `tls`): which certificates it trusts, by rustls.
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
}

impl TlsClient {
    /// With a configuration of your own: other roots, client certificates, versions.
    #[must_use]
    pub fn new(config: Arc<ClientConfig>) -> Self {
        Self {
            connector: TlsConnector::from(config),
        }
    }

    /// Trusts these certificates, in DER, and what they have signed.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if one does not parse.
    pub fn trusting<'a>(roots: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Self> {
        let mut store = RootCertStore::empty();
        for root in roots {
            let root = CertificateDer::from_slice(root).into_owned();
            store
                .add(root)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self::new(Arc::new(config)))
    }

    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.connector.connect(name, stream).await
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}
