use crate::Transport;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use stun::{AddressFamily, RequestedTransport, Timing};

/// The settings of a [`Client`](super::Client). `Debug` does not show the password.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where hashes and HMACs come from.
    pub provider: crypto::Provider,
    /// The user name, at most 508 bytes, prepared as RFC 8265 says (plain ASCII is).
    pub username: String,
    /// The password, prepared likewise.
    pub password: String,
    /// What carries messages to the server. Default [`Transport::Datagram`].
    pub transport: Transport,
    /// What carries them leads to this server and no other: a DTLS session over
    /// [`Transport::Datagram`], and every stream whatever this says. Where the server sends the
    /// client elsewhere, that is a failure then ([`Failure::TryAlternate`](super::Failure)), since
    /// another connection is needed. Default `false`.
    pub is_connected: bool,
    /// What the relay speaks with peers. Default [`RequestedTransport::UDP`]. With
    /// [`RequestedTransport::TCP`] (RFC 6062, over [`Transport::Stream`] only) peers are reached by
    /// [`connect`](super::Client::connect) instead of channels and datagrams.
    pub requested_transport: RequestedTransport,
    /// The family of the relayed address. Default `None`: not asked for, which gives IPv4
    /// (RFC 8656 §7.1).
    pub family: Option<AddressFamily>,
    /// The lifetime to ask for, in whole seconds. Default `None`: the server's own, mostly 10 min.
    pub lifetime: Option<Duration>,
    /// Ask that relayed datagrams are not fragmented (RFC 8656 §14). Default `false`. A server that
    /// does not know how is asked again without it.
    pub dont_fragment: bool,
    /// What SOFTWARE says in requests. Default `None`: nothing.
    pub software: Option<String>,
    /// How requests over [`Transport::Datagram`] are repeated. Default: RFC 8489 §6.2.1, up to
    /// 39.5 s. A path with a longer round trip is waited for longer, once it has been measured. Over
    /// a stream its total is how long an answer is waited for.
    pub timing: Timing,
    /// The most peer addresses with a permission. Default 100, as many as an ICE agent has remote
    /// candidates. [`permit`](super::Client::permit) refuses more.
    pub max_permissions: usize,
    /// The most channels, those included that rest before their number may be used again. Default
    /// 100; at most 4096 numbers exist.
    pub max_channels: usize,
    /// The most peers that are being connected to at once (RFC 6062). Default 16.
    /// [`connect`](super::Client::connect) refuses more.
    pub max_connects: usize,
    /// Servers that have sent the client elsewhere already: an ALTERNATE-SERVER among them is a loop
    /// (RFC 8489 §10). Default none; filled by who follows
    /// [`Failure::TryAlternate`](super::Failure::TryAlternate).
    pub visited: Vec<SocketAddr>,
}

impl Config {
    /// Default settings for these credentials.
    #[must_use]
    pub fn new(
        provider: crypto::Provider,
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            provider,
            username: username.into(),
            password: password.into(),
            transport: Transport::Datagram,
            is_connected: false,
            requested_transport: RequestedTransport::UDP,
            family: None,
            lifetime: None,
            dont_fragment: false,
            software: None,
            timing: Timing::default(),
            max_permissions: 100,
            max_channels: 100,
            max_connects: 16,
            visited: Vec::new(),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("username", &self.username)
            .field("transport", &self.transport)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}
