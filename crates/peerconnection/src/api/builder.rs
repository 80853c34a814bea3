use crate::api::connection::PeerConnection;
use crate::api::handle::Handle;
use crate::config::Configuration;
use crate::driver::Driver;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::session::{Session, Stack};
use crate::shared::{DriverWake, Shared, now};
use layer::{Seed, Start};
use net::Connector;
use std::sync::Arc;
use std::task::Waker;
use std::time::SystemTime;

/// Makes a [`PeerConnection`].
#[derive(Debug)]
pub struct Builder {
    configuration: Configuration,
    stack: Stack,
    connector: Arc<Connector>,
    endpoint: Option<Endpoint>,
}

impl Builder {
    fn new(configuration: Configuration, stack: Stack) -> Self {
        Self {
            configuration,
            stack,
            connector: Arc::default(),
            endpoint: None,
        }
    }

    fn behind(endpoint: Endpoint, configuration: Configuration, stack: Stack) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..Self::new(configuration, stack)
        }
    }

    /// How TCP connections to servers and peers are made: through a proxy, with which trust in TLS,
    /// which is that in DTLS to servers too. Default: directly, with trust in nobody. Behind an
    /// endpoint its own counts.
    #[must_use]
    pub fn connector(mut self, connector: Connector) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// Other layers than the default ones.
    #[must_use]
    pub fn stack(mut self, stack: Stack) -> Self {
        self.stack = stack;
        self
    }

    /// Makes the connection and starts its task on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAccess`] if a certificate has expired or a TURN server has no
    /// credentials, [`ErrorKind::Syntax`] if a server's URL does not parse,
    /// [`ErrorKind::Operation`] if the
    /// operating system gives no randomness, no certificate could be made, or the endpoint holds no
    /// more connections.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with IO and time enabled.
    pub fn build(self) -> Result<PeerConnection, Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| {
            Error::new(ErrorKind::Operation, "the system gives no randomness").with_source(error)
        })?;
        let start = Start::new(now(), wall_clock(), Seed::new(seed));
        let driver = Arc::new(DriverWake::default());
        let waker = Waker::from(driver.clone());
        let session = Session::new(start, self.configuration, self.stack, waker)?;
        let shared = Arc::new(Shared::new(session, driver));
        match &self.endpoint {
            Some(endpoint) => endpoint.adopt(&shared)?,
            None => spawn(Driver::new(shared.clone(), self.connector)),
        }
        Ok(PeerConnection {
            handle: Arc::new(Handle { shared }),
        })
    }
}

impl PeerConnection {
    /// A connection with the default layers; nothing happens before
    /// [`build`](Builder::build).
    #[cfg(feature = "ring")]
    #[must_use]
    pub fn builder(configuration: Configuration) -> Builder {
        Builder::new(configuration, Stack::default())
    }

    /// A connection with these layers.
    #[must_use]
    pub fn with_stack(configuration: Configuration, stack: Stack) -> Builder {
        Builder::new(configuration, stack)
    }
}

impl Endpoint {
    /// A connection with the default layers behind this endpoint.
    #[cfg(feature = "ring")]
    #[must_use]
    pub fn peer_connection(&self, configuration: Configuration) -> Builder {
        self.peer_connection_with_stack(configuration, Stack::default())
    }

    /// A connection with these layers behind this endpoint.
    #[must_use]
    pub fn peer_connection_with_stack(
        &self,
        configuration: Configuration,
        stack: Stack,
    ) -> Builder {
        Builder::behind(self.clone(), configuration, stack)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the wall clock enters once, here"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[allow(
    clippy::disallowed_methods,
    reason = "one connection, one task: this one"
)]
fn spawn(driver: Driver) {
    let span = tracing::debug_span!("connection");
    tokio::spawn(tracing::Instrument::instrument(driver, span));
}
