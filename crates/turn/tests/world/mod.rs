//! A client, a server and a peer in virtual time: client and server over a link, the peer right
//! beside the server.
#![allow(dead_code, reason = "every test uses another part of it")]

use muonrtc_turn::Transport;
use muonrtc_turn::client::{self, Client, Event, Received};
use muonrtc_turn::server::{
    self, AllocationId, FiveTuple, HEADROOM, Relay, Server, StaticCredentials, TAILROOM,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Clock, Link, Wire};

pub(crate) const REALM: &str = "example.org";
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const SERVER: &str = "198.51.100.1:3478";
pub(crate) const CLIENT: &str = "203.0.113.7:40000";
pub(crate) const PEER: &str = "192.0.2.9:5000";

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn provider() -> crypto::Provider {
    crypto::Provider::default()
}

pub(crate) fn client_config() -> client::Config {
    client::Config::new(provider(), USER, PASSWORD)
}

pub(crate) fn server_config() -> server::Config {
    let users = StaticCredentials::new(provider(), REALM).with(USER, PASSWORD);
    let relay = Relay::new(address(SERVER).ip());
    server::Config::new(provider(), REALM, Arc::new(users), relay)
}

/// Changes a message on its way.
pub(crate) type Tamper = Box<dyn FnMut(&mut Vec<u8>)>;

/// A datagram that the server sent to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtPeer {
    pub(crate) from: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    pub(crate) server: Server,
    pub(crate) five_tuple: FiveTuple,
    pub(crate) up: Wire,
    pub(crate) down: Wire,
    pub(crate) sockets: BTreeMap<AllocationId, SocketAddr>,
    pub(crate) at_peer: Vec<AtPeer>,
    pub(crate) at_client: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) events: Vec<Event>,
    pub(crate) server_events: Vec<server::Event>,
    /// How many sockets the owner of the server fails to make.
    pub(crate) bind_failures: usize,
    pub(crate) longest_request: usize,
    /// Sees and may change every message of the server.
    pub(crate) tamper: Option<Tamper>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(
            client_config(),
            server_config(),
            Link::delayed(Duration::from_millis(10)),
            1,
        )
    }

    pub(crate) fn with(
        client: client::Config,
        server: server::Config,
        link: Link,
        seed: u64,
    ) -> Self {
        let clock = Clock::new();
        let transport = client.transport;
        Self {
            client: Client::new(client, address(SERVER), [1; 32]),
            server: Server::new(clock.now(), clock.wall(), server, [2; 32]),
            five_tuple: FiveTuple::new(transport, address(SERVER), address(CLIENT)),
            up: Wire::new(link.clone(), seed, b"turn up "),
            down: Wire::new(link, seed, b"turn dwn"),
            clock,
            sockets: BTreeMap::new(),
            at_peer: Vec::new(),
            at_client: Vec::new(),
            events: Vec::new(),
            server_events: Vec::new(),
            bind_failures: 0,
            longest_request: 0,
            tamper: None,
        }
    }

    /// An allocated world.
    pub(crate) fn allocated() -> Self {
        let mut world = Self::new();
        world.allocate();
        world
    }

    pub(crate) fn allocate(&mut self) {
        self.client.allocate(self.now());
        assert!(
            self.run_until(Duration::from_secs(60), |world| world
                .client
                .relayed()
                .is_some()),
            "{:?}",
            self.events
        );
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) {
        self.client.permit(self.now(), peer.ip()).unwrap();
        assert!(self.run_until(Duration::from_secs(30), |world| {
            world.client.is_permitted(world.now(), peer.ip())
        }));
    }

    pub(crate) fn bind(&mut self, peer: SocketAddr) {
        self.client.bind_channel(self.now(), peer).unwrap();
        assert!(self.run_until(Duration::from_secs(30), |world| {
            world.events.contains(&Event::ChannelBound { peer })
        }));
    }

    /// The client sends to a peer; how many bytes it took on the way to the server.
    pub(crate) fn send(
        &mut self,
        peer: SocketAddr,
        bytes: &[u8],
    ) -> Result<usize, client::WrapError> {
        let room = self.client.room(self.now(), peer);
        let payload = room.headroom..room.headroom + bytes.len();
        let mut buf = vec![0xEE; payload.end + room.tailroom];
        buf[payload.clone()].copy_from_slice(bytes);
        let range = self.client.wrap(self.now(), peer, &mut buf, payload)?;
        let length = range.len();
        self.up.send(self.now(), buf[range].to_vec());
        Ok(length)
    }

    /// A peer sends to the relayed address.
    pub(crate) fn peer_send(&mut self, peer: SocketAddr, bytes: &[u8]) -> bool {
        let relayed = self
            .client
            .relayed()
            .or(self.sockets.values().next().copied());
        let socket = self.sockets.iter().find(|(_, it)| Some(**it) == relayed);
        let Some((&allocation, _)) = socket else {
            return false;
        };
        let payload = HEADROOM..HEADROOM + bytes.len();
        let mut buf = vec![0xEE; payload.end + TAILROOM];
        buf[payload.clone()].copy_from_slice(bytes);
        let now = self.now();
        let out = self
            .server
            .handle_peer_input(now, allocation, peer, &mut buf, payload);
        let Some((_, range)) = out else { return false };
        self.down.send(now, buf[range].to_vec());
        true
    }

    /// Polls both machines until they are quiet.
    pub(crate) fn settle(&mut self) {
        let now = self.now();
        let mut buf = [0; 1500];
        while let Some(transmit) = self.client.poll_transmit(now, &mut buf) {
            assert_eq!(transmit.remote, self.client.server());
            self.longest_request = self.longest_request.max(transmit.len);
            self.up.send(now, buf[..transmit.len].to_vec());
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        while let Some(transmit) = self.server.poll_transmit(now, &mut buf) {
            let mut bytes = buf[..transmit.len].to_vec();
            if let Some(tamper) = &mut self.tamper {
                tamper(&mut bytes);
            }
            self.down.send(now, bytes);
        }
        let mut answered = false;
        while let Some(event) = self.server.poll_event() {
            match event {
                server::Event::Bind {
                    allocation,
                    address,
                } => {
                    answered = true;
                    let success = self.bind_failures == 0;
                    self.bind_failures = self.bind_failures.saturating_sub(1);
                    if self.server.bound(now, allocation, success) {
                        self.sockets.insert(allocation, address);
                    }
                }
                server::Event::Released { allocation, .. } => {
                    self.sockets.remove(&allocation);
                }
                _ => {}
            }
            self.server_events.push(event);
        }
        if answered {
            self.settle();
        }
    }

    fn next(&self) -> Option<Instant> {
        let times = [
            self.client.poll_timeout(),
            self.server.poll_timeout(),
            self.up.next_arrival(),
            self.down.next_arrival(),
        ];
        times.into_iter().flatten().min()
    }

    /// Runs until the predicate holds; whether it did within this time.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> bool {
        let end = self.now() + limit;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 1_000_000, "the machines do not come to rest");
            self.settle();
            if done(self) {
                return true;
            }
            match self.next() {
                Some(next) if next <= end => self.clock.advance_to(next),
                _ => {
                    self.clock.advance_to(end);
                    return false;
                }
            }
            self.deliver();
        }
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn deliver(&mut self) {
        let now = self.now();
        while let Some((_, bytes)) = self.up.receive(now) {
            let received = self.server.handle_input(now, self.five_tuple, &bytes);
            if let server::Received::Relay {
                allocation,
                peer,
                range,
                ..
            } = received
            {
                let from = self.sockets[&allocation];
                let bytes = bytes[range].to_vec();
                self.at_peer.push(AtPeer { from, peer, bytes });
            }
        }
        while let Some((_, bytes)) = self.down.receive(now) {
            let server = self.client.server();
            if let Received::Data { peer, range } = self.client.handle_input(now, server, &bytes) {
                self.at_client.push((peer, bytes[range].to_vec()));
            }
        }
        self.client.handle_timeout(now);
        self.server.handle_timeout(now);
    }
}

pub(crate) fn stream(mut config: client::Config) -> client::Config {
    config.transport = Transport::Stream;
    config
}
