use crate::transport::Transport;
use crate::{Framing, PacketStream, Proxy};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Makes outgoing streams, directly or through a proxy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connector {
    /// What stands between this host and the world. Default: nothing.
    pub proxy: Option<Proxy>,
    /// What TLS and DTLS trust. Default: nothing, and servers over them are refused.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::TlsClient>,
    /// How long all of it may take. Default: 30 s, less than a transaction of STUN over a stream
    /// (RFC 8489 §6.2.2).
    pub timeout: Duration,
}

impl Default for Connector {
    fn default() -> Self {
        Self {
            proxy: None,
            #[cfg(feature = "tls")]
            tls: None,
            timeout: Duration::from_secs(30),
        }
    }
}

/// Where a stream leads, and what lies in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The address to connect from; an unspecified one leaves it to the system.
    pub local: SocketAddr,
    /// Where to.
    pub remote: SocketAddr,
    /// How packets lie in it.
    pub framing: Framing,
    /// The name of the server's certificate, for TLS.
    pub server_name: Option<String>,
}

impl Target {
    /// Plain TCP.
    #[must_use]
    pub fn new(local: SocketAddr, remote: SocketAddr, framing: Framing) -> Self {
        Self {
            local,
            remote,
            framing,
            server_name: None,
        }
    }
}

impl Connector {
    /// Connects. Cancel safe: what was begun is closed.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`]; [`io::ErrorKind::Unsupported`] where TLS is asked for and not
    /// configured; [`ProxyError`](crate::ProxyError) inside of an [`io::Error`] if the proxy refuses;
    /// what TLS or the system says.
    pub async fn connect(&self, target: Target) -> io::Result<PacketStream> {
        timeout(self.timeout, self.connect_in_time(target))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn connect_in_time(&self, target: Target) -> io::Result<PacketStream> {
        let stream = match &self.proxy {
            None => connect_tcp(target.local, target.remote).await?,
            Some(proxy) => {
                let local = proxy.local(target.local);
                let mut stream = connect_tcp(local, proxy.address).await?;
                proxy.tunnel(&mut stream, target.remote).await?;
                stream
            }
        };
        let local = stream.local_addr()?;
        let transport = match &target.server_name {
            None => Transport::Tcp(stream),
            Some(name) => self.secure(stream, name).await?,
        };
        let (framing, remote) = (target.framing, target.remote);
        Ok(PacketStream::new(transport, framing, local, remote))
    }

    /// Whether a server that shows these certificates, in DER and the leaf first, is the one of
    /// that name (or address) by what [`TlsClient`](crate::TlsClient) trusts: for a DTLS whose
    /// handshake, and with it the proof that the leaf is the server's, is made elsewhere. Returns
    /// the SHA-256 of the leaf, by which such a DTLS knows its peers (RFC 8122 §5).
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] where nothing says whom to trust,
    /// [`io::ErrorKind::InvalidInput`] for what is no name, [`io::ErrorKind::InvalidData`] with the
    /// reason for every other server.
    #[cfg(feature = "tls")]
    pub fn verify_server(&self, chain: &[&[u8]], name: &str) -> io::Result<[u8; 32]> {
        let verified = self.tls.as_ref().and_then(|tls| tls.verify(chain, name));
        verified.unwrap_or_else(|| Err(untrusted()))
    }

    /// Without the feature `tls` no server is trusted.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`].
    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self, reason = "with TLS it says whom to trust")]
    pub fn verify_server(&self, chain: &[&[u8]], name: &str) -> io::Result<[u8; 32]> {
        let _ = (chain, name);
        Err(untrusted())
    }

    #[cfg(feature = "tls")]
    async fn secure(&self, stream: TcpStream, name: &str) -> io::Result<Transport> {
        let tls = self.tls.as_ref().ok_or_else(untrusted)?;
        Ok(Transport::Tls(Box::new(tls.handshake(stream, name).await?)))
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_async, reason = "with TLS there is a handshake")]
    async fn secure(&self, _: TcpStream, _: &str) -> io::Result<Transport> {
        Err(untrusted())
    }
}

fn untrusted() -> io::Error {
    let reason = "nothing says which servers to trust";
    io::Error::new(io::ErrorKind::Unsupported, reason)
}

async fn connect_tcp(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if local.is_ipv4() == remote.is_ipv4() && !local.ip().is_unspecified() {
        socket.bind(local)?;
    }
    let stream = socket.connect(remote).await?;
    // Packets are small and urgent: they are not to wait for each other.
    stream.set_nodelay(true)?;
    Ok(stream)
}
