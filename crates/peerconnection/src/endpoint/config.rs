use net::Connector;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

/// What an [`Endpoint`](super::Endpoint) is made with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointConfig {
    /// The addresses to use. Default: none named, which takes all that this host has when the
    /// endpoint is bound, IPv6 link-local ones left out; connections offer those of them that their
    /// ICE factory lets through.
    pub addresses: Vec<IpAddr>,
    /// The UDP port of all connections, 0 for any free one; `None` for no UDP. Default: 0.
    pub udp_port: Option<u16>,
    /// The TCP port, 0 for any free one, for connections whose ICE factory offers passive
    /// candidates; `None` for no TCP. Default: `None`.
    pub tcp_port: Option<u16>,
    /// How many shards serve it; 0 for one for each processor. Where several sockets cannot share a
    /// port there is one. Default: 0.
    pub shards: usize,
    /// The most connections at the same time; one more is refused. Default: 65 536.
    pub max_connections: usize,
    /// How TCP connections to servers and peers are made. Default: directly.
    pub connector: Arc<Connector>,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            udp_port: Some(0),
            tcp_port: None,
            shards: 0,
            max_connections: 65_536,
            connector: Arc::default(),
        }
    }
}

impl EndpointConfig {
    /// How many shards there will be.
    pub(super) fn shard_count(&self) -> usize {
        if !net::can_share_ports() {
            return 1;
        }
        match self.shards {
            0 => available_parallelism().map_or(1, usize::from),
            shards => shards,
        }
    }
}
