//! The way to a server.

use super::Io;
use crate::Transport;
use crate::proxy::{Login, Protocol, State, Target, Tunnel};
use std::io;
use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// A server, and how it is reached.
#[derive(Clone, Debug)]
pub struct ServerAddress {
    pub(super) address: SocketAddr,
    name: Option<String>,
    carrier: Carrier,
    proxy: Option<ProxyAddress>,
}

#[derive(Clone, Debug)]
enum Carrier {
    Udp,
    Tcp,
    #[cfg(feature = "tls")]
    Tls {
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
    },
}

/// A proxy in front of a server that is reached by TCP or TLS.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProxyAddress {
    /// Where the proxy is.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// Who we are to it. Default `None`.
    pub login: Option<Login>,
}

impl ProxyAddress {
    /// A proxy that does not ask who we are.
    #[must_use]
    pub fn new(address: SocketAddr, protocol: Protocol) -> Self {
        Self {
            address,
            protocol,
            login: None,
        }
    }
}

impl ServerAddress {
    /// Over UDP, mostly port 3478.
    #[must_use]
    pub fn udp(address: SocketAddr) -> Self {
        Self::with(address, Carrier::Udp)
    }

    /// Over TCP, mostly port 3478.
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        Self::with(address, Carrier::Tcp)
    }

    /// Over TLS on TCP, mostly port 5349 or 443. The server's certificate must be one of `name` that
    /// `config` trusts; nothing is sent before that is known (RFC 8489 §6.2.3).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(address: SocketAddr, name: ServerName<'static>, config: Arc<ClientConfig>) -> Self {
        Self::with(address, Carrier::Tls { name, config })
    }

    fn with(address: SocketAddr, carrier: Carrier) -> Self {
        Self {
            address,
            name: None,
            carrier,
            proxy: None,
        }
    }

    /// The same server through a proxy. Without effect over UDP.
    #[must_use]
    pub fn through(mut self, proxy: ProxyAddress) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Gives the proxy this name, and the port of the address, in place of the address.
    #[must_use]
    pub fn by_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::Udp => Transport::Datagram,
            _ => Transport::Stream,
        }
    }

    /// The server that this one sends us to (RFC 8489 §10): over the same transport, and with the
    /// name it gives, if any.
    pub(super) fn alternate(&self, address: SocketAddr, domain: Option<&str>) -> Self {
        let mut other = self.clone();
        other.address = address;
        other.name = domain.map(str::to_owned);
        #[cfg(feature = "tls")]
        if let Carrier::Tls { name, .. } = &mut other.carrier
            && let Some(Ok(domain)) = domain.map(|it| ServerName::try_from(it.to_owned()))
        {
            *name = domain;
        }
        other
    }

    /// Opens the stream to the server.
    pub(super) async fn dial(&self) -> io::Result<Box<dyn Io>> {
        let first = self.proxy.as_ref().map_or(self.address, |it| it.address);
        let mut stream = TcpStream::connect(first).await?;
        stream.set_nodelay(true)?;
        if let Some(proxy) = &self.proxy {
            self.tunnel(proxy, &mut stream).await?;
        }
        match &self.carrier {
            #[cfg(feature = "tls")]
            Carrier::Tls { name, config } => {
                let connector = TlsConnector::from(Arc::clone(config));
                Ok(Box::new(connector.connect(name.clone(), stream).await?))
            }
            _ => Ok(Box::new(stream)),
        }
    }

    async fn tunnel(&self, proxy: &ProxyAddress, stream: &mut TcpStream) -> io::Result<()> {
        let target = match &self.name {
            Some(name) => Target::Name(name.clone(), self.address.port()),
            None => Target::Address(self.address),
        };
        let mut tunnel = Tunnel::new(proxy.protocol, &target, proxy.login.as_ref());
        loop {
            match tunnel.state() {
                State::Open => break,
                State::Refused(refusal) => return Err(io::Error::other(refusal)),
                State::Asking => {}
            }
            if let Some(words) = tunnel.poll_transmit() {
                stream.write_all(&words).await?;
            }
            let mut chunk = [0; 1024];
            match stream.read(&mut chunk).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => tunnel.handle_input(&chunk[..len]),
            }
        }
        // A TURN server and a TLS server wait for the client to speak first.
        if tunnel.into_rest().is_empty() {
            Ok(())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}
