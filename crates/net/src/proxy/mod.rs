//! Proxies that make TCP connections for us: HTTP CONNECT (RFC 9110 §9.3.6) and SOCKS 5 (RFC 1928).

mod http;
mod socks;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};

/// A proxy for outgoing TCP connections. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Where it is.
    pub address: SocketAddr,
    /// Name and password, if it wants them.
    pub credentials: Option<(String, String)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// HTTP/1.1 CONNECT, with basic authentication.
    Http,
    /// SOCKS 5, with authentication by name and password (RFC 1929).
    Socks5,
}

impl Proxy {
    /// A proxy that asks for no password.
    #[must_use]
    pub fn new(kind: ProxyKind, address: SocketAddr) -> Self {
        Self {
            kind,
            address,
            credentials: None,
        }
    }

    /// The same with name and password.
    #[must_use]
    pub fn with_credentials(
        mut self,
        name: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.credentials = Some((name.into(), password.into()));
        self
    }

    /// The address to reach the proxy from: the wanted one, unless the proxy is on this host and
    /// would not be reached from it.
    pub(crate) fn local(&self, wanted: SocketAddr) -> SocketAddr {
        if self.address.ip().is_loopback() == wanted.ip().is_loopback() {
            return SocketAddr::new(wanted.ip(), 0);
        }
        match self.address {
            SocketAddr::V4(_) => SocketAddr::from(([0; 4], 0)),
            SocketAddr::V6(_) => SocketAddr::from(([0; 16], 0)),
        }
    }

    /// Asks for a connection to `remote` over `stream`, which is that connection afterwards.
    pub(crate) async fn tunnel<S>(&self, stream: &mut S, remote: SocketAddr) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let credentials = self.credentials.as_ref();
        let credentials = credentials.map(|(name, password)| (name.as_str(), password.as_str()));
        match self.kind {
            ProxyKind::Http => http::tunnel(stream, remote, credentials).await,
            ProxyKind::Socks5 => socks::tunnel(stream, remote, credentials).await,
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What a proxy answered instead of connecting; inside of an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// It wants a name and a password, or other ones.
    Unauthorized,
    /// An HTTP proxy answered with this status.
    Status(u16),
    /// A SOCKS proxy answered with this code (RFC 1928 §6).
    Reply(u8),
    /// It does not speak what it should.
    Malformed,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("the proxy wants other credentials"),
            Self::Status(status) => write!(f, "the proxy answered with status {status}"),
            Self::Reply(code) => write!(f, "the proxy answered with code {code}"),
            Self::Malformed => f.write_str("the proxy does not speak the protocol"),
        }
    }
}

impl std::error::Error for ProxyError {}

impl From<ProxyError> for io::Error {
    fn from(error: ProxyError) -> Self {
        let kind = match error {
            ProxyError::Unauthorized => io::ErrorKind::PermissionDenied,
            ProxyError::Malformed => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::ConnectionRefused,
        };
        Self::new(kind, error)
    }
}
