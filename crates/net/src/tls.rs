use ring::digest::{SHA256, digest};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

/// The client side of TLS (feature `tls`): which certificates it trusts, by rustls. What it trusts
/// serves DTLS too, whose handshake is made elsewhere
/// ([`Connector::verify_server`](crate::Connector::verify_server)).
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
    /// For DTLS: a configuration does not give its own away.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
}

impl TlsClient {
    /// With a configuration of your own: other roots, client certificates, versions. Servers over
    /// DTLS are trusted with [`with_verifier`](Self::with_verifier) alone.
    #[must_use]
    pub fn new(config: Arc<ClientConfig>) -> Self {
        Self {
            connector: TlsConnector::from(config),
            verifier: None,
        }
    }

    /// Trusts servers over DTLS whom this verifier does: mostly the one of the configuration.
    #[must_use]
    pub fn with_verifier(mut self, verifier: Arc<dyn ServerCertVerifier>) -> Self {
        self.verifier = Some(verifier);
        self
    }

    /// Trusts these certificates, in DER, and what they have signed, over TLS and DTLS.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if one does not parse.
    pub fn trusting<'a>(roots: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Self> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let mut store = RootCertStore::empty();
        for root in roots {
            let root = CertificateDer::from_slice(root).into_owned();
            store.add(root).map_err(invalid)?;
        }
        let store = Arc::new(store);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_root_certificates(Arc::clone(&store))
            .with_no_client_auth();
        let mut client = Self::new(Arc::new(config));
        // Of no roots rustls makes no verifier.
        if !store.is_empty() {
            let verifier = WebPkiServerVerifier::builder_with_provider(store, provider).build();
            client.verifier =
                Some(verifier.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?);
        }
        Ok(client)
    }

    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connected = self.connector.connect(server_name(name)?, stream).await;
        connected.map_err(|error| match rustls_error(&error) {
            Some(inner) => explained(inner, name),
            None => error,
        })
    }

    /// Whether a chain, the leaf first, is that of a server of this name, and the SHA-256 of its
    /// leaf; `None` if nothing says whom to trust.
    pub(crate) fn verify(&self, chain: &[&[u8]], name: &str) -> Option<io::Result<[u8; 32]>> {
        let verifier = self.verifier.as_ref()?;
        Some(verify(&**verifier, chain, name))
    }
}

fn verify(verifier: &dyn ServerCertVerifier, chain: &[&[u8]], name: &str) -> io::Result<[u8; 32]> {
    let (leaf, others) = chain.split_first().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the server shows no certificate",
        )
    })?;
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, leaf).as_ref());
    let leaf = CertificateDer::from_slice(leaf);
    let others: Vec<CertificateDer<'_>> = others
        .iter()
        .map(|der| CertificateDer::from_slice(der))
        .collect();
    let called = server_name(name)?;
    let now = UnixTime::now();
    verifier
        .verify_server_cert(&leaf, &others, &called, &[], now)
        .map_err(|error| explained(&error, name))?;
    Ok(fingerprint)
}

fn server_name(name: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What is wrong, for people who run a server or chose it.
fn explained(error: &rustls::Error, name: &str) -> io::Error {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return io::Error::new(io::ErrorKind::InvalidData, error.clone());
    };
    use CertificateError as E;
    let reason = match wrong {
        E::Expired | E::ExpiredContext { .. } => "the certificate has expired".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        E::UnknownIssuer => "the certificate is of an unknown issuer".to_owned(),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            format!("the certificate is not for {name}")
        }
        other => format!("the certificate is not valid: {other}"),
    };
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}
