use super::{Credentials, PeerPolicy};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use stun::AddressFamily;

/// The settings of a [`Server`](super::Server).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where hashes and HMACs come from.
    pub provider: crypto::Provider,
    /// The domain of the credentials, best the provider's domain name (RFC 8489 §9.2.4).
    pub realm: String,
    /// Who may use the server.
    pub credentials: Arc<dyn Credentials>,
    /// The addresses to relay with; the first one of each family counts.
    pub relays: Vec<Relay>,
    /// The ports to relay with, first and last. Default 49152 to 65535 (RFC 8656 §7.2).
    pub ports: (u16, u16),
    /// With which peers clients may talk.
    pub peers: PeerPolicy,
    /// What SOFTWARE says in answers. Default `None`: nothing, which tells an attacker the least.
    pub software: Option<String>,
    /// The lifetime of an allocation whose client asks for none or less. Default 10 min
    /// (RFC 8656 §3.2).
    pub default_lifetime: Duration,
    /// The longest lifetime. Default 1 h (RFC 8656 §7.2).
    pub max_lifetime: Duration,
    /// How long a nonce is valid. Default 1 h, the most RFC 8656 §5 allows.
    pub nonce_lifetime: Duration,
    /// The most allocations. Default 10 000; further ones are refused with 508.
    pub max_allocations: usize,
    /// The most allocations of one user. Default 100; further ones are refused with 486.
    pub max_allocations_per_user: usize,
    /// The most peer addresses that one allocation permits. Default 256; further ones are refused
    /// with 508.
    pub max_permissions: usize,
    /// The most channels of one allocation. Default 256; further ones are refused with 508.
    pub max_channels: usize,
    /// Bind channel numbers up to 0x7FFE, as clients of RFC 5766 choose them. Default `false`: those
    /// beyond 0x4FFF are refused with 400 (RFC 8656 §12.2).
    pub old_channel_numbers: bool,
    /// How many answers without authentication, challenges above all, go out per second. Default
    /// 10 000: a flood of requests with forged sources is not reflected to the owners of the sources
    /// beyond that.
    pub max_challenges_per_second: u32,
    /// How many answers may wait to be polled. Default 1024; further ones are dropped, as on the way.
    pub max_answers: usize,
    /// Relay TCP too, for clients over streams that ask for it (RFC 6062). Default `false`: they are
    /// refused with 442. A relay of TCP reaches every service that peers offer.
    pub tcp: bool,
    /// The most connections with peers of one allocation that relays TCP. Default 64; further ones
    /// are refused with 508, or closed.
    pub max_connections: usize,
    /// The owner's sockets can set DF (RFC 8656 §14). Default `false`: requests with DONT-FRAGMENT
    /// are refused with 420.
    pub dont_fragment: bool,
    /// Answer Binding requests, which need no credentials. Default `true`: a TURN server is a STUN
    /// server too.
    pub binding: bool,
}

/// An address that the server relays with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relay {
    /// The address to bind sockets to.
    pub bind: IpAddr,
    /// The address that clients are told; another one behind a one-to-one NAT.
    pub advertise: IpAddr,
}

impl Relay {
    /// A server that peers reach under the address it has.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self::behind_nat(address, address)
    }

    /// A server that peers reach under `advertise`, from where everything comes to `bind`.
    #[must_use]
    pub fn behind_nat(bind: IpAddr, advertise: IpAddr) -> Self {
        Self { bind, advertise }
    }
}

impl Config {
    /// Default settings for a realm, its users, and one address to relay with.
    #[must_use]
    pub fn new(
        provider: crypto::Provider,
        realm: impl Into<String>,
        credentials: Arc<dyn Credentials>,
        relay: Relay,
    ) -> Self {
        Self {
            provider,
            realm: realm.into(),
            credentials,
            relays: vec![relay],
            ports: (49_152, 65_535),
            peers: PeerPolicy::default(),
            software: None,
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(3600),
            max_allocations: 10_000,
            max_allocations_per_user: 100,
            max_permissions: 256,
            max_channels: 256,
            old_channel_numbers: false,
            max_challenges_per_second: 10_000,
            max_answers: 1024,
            tcp: false,
            max_connections: 64,
            dont_fragment: false,
            binding: true,
        }
    }

    pub(super) fn relay(&self, family: AddressFamily) -> Option<Relay> {
        let mut relays = self.relays.iter();
        relays
            .find(|relay| AddressFamily::of(relay.bind) == family)
            .copied()
    }

    /// Whether the address is one the server itself relays with.
    pub(super) fn is_relay(&self, address: IpAddr) -> bool {
        let mut relays = self.relays.iter();
        relays.any(|relay| relay.bind == address || relay.advertise == address)
    }
}
