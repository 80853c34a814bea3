//! The server (RFC 8656 §5 to §12, §21).

mod allocation;
mod authentication;
mod config;
mod connection;
mod credential;
mod event;
mod nonce;
mod policy;
mod relay;
mod request;
mod stats;

pub use config::{Config, Relay};
pub use credential::{Account, Credentials, Query, StaticCredentials, TurnRest};
pub use event::{AllocationId, Event, Reason, Traffic};
pub use policy::{AddressRange, PeerPolicy};
pub use relay::Received;
pub use stats::Stats;

use crate::Transport;
use allocation::{Allocation, Socket};
use authentication::Signer;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use connection::Connection;
use nonce::Nonces;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};
use stun::{
    AddressErrorCode, AddressFamily, Builder, Class, ConnectionId, ErrorCode, Lifetime, Method,
    SecurityFeatures, Software, TransactionId, XorMappedAddress, XorRelayedAddress,
};

/// The room before a datagram from a peer that
/// [`handle_peer_input`](Server::handle_peer_input) needs: a Data indication with an IPv6 address.
pub const HEADROOM: usize = 48;

/// The room behind one: the padding.
pub const TAILROOM: usize = 3;

/// How many ports are tried before a client is told that there are none.
const MAX_BIND_ATTEMPTS: u32 = 16;

/// How long the owner may take to make a socket.
const BIND_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer.
const MAX_ANSWER: usize = 1500;

/// Where a client is: what carries its messages, the server's address that it sends to, and its own
/// (RFC 8656 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct FiveTuple {
    /// What carries its messages.
    pub transport: Transport,
    /// The address that the server listens on.
    pub server: SocketAddr,
    /// The address that the client sends from.
    pub client: SocketAddr,
}

impl FiveTuple {
    /// All parts.
    #[must_use]
    pub fn new(transport: Transport, server: SocketAddr, client: SocketAddr) -> Self {
        Self {
            transport,
            server,
            client,
        }
    }

    /// The client's address as it is told: a socket for both families says of an IPv4 client that it
    /// has an IPv6 address.
    fn mapped(&self) -> SocketAddr {
        SocketAddr::new(self.client.ip().to_canonical(), self.client.port())
    }
}

/// A message to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// To whom, and from which of the server's addresses.
    pub five_tuple: FiveTuple,
    /// How many bytes of the lent buffer it takes.
    pub len: usize,
}

/// One allocation, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllocationStats<'a> {
    /// Its name.
    pub allocation: AllocationId,
    /// The client.
    pub five_tuple: FiveTuple,
    /// The user whose quota counts.
    pub user: &'a str,
    /// The address that peers send to, once there is one.
    pub relayed: Option<SocketAddr>,
    /// When it ends without a refresh.
    pub expires: Instant,
    /// What went over it.
    pub traffic: Traffic,
}

/// Relays for any number of clients.
///
/// | family | methods |
/// |---|---|
/// | input | [`handle_input`](Server::handle_input) from clients, [`handle_peer_input`](Server::handle_peer_input) from peers, [`handle_timeout`](Server::handle_timeout) |
/// | verbs | [`bound`](Server::bound), [`connected`](Server::connected), [`peer_connected`](Server::peer_connected), [`peer_closed`](Server::peer_closed), [`connection_closed`](Server::connection_closed), [`peer_unreachable`](Server::peer_unreachable), [`revoke`](Server::revoke) |
/// | output | [`poll_transmit`](Server::poll_transmit), [`poll_timeout`](Server::poll_timeout), [`poll_event`](Server::poll_event), in this order until empty after every input and verb |
/// | questions | [`stats`](Server::stats), [`allocation_of`](Server::allocation_of), [`allocations`](Server::allocations) |
///
/// Data is relayed in place: both inputs say where in the buffer the packet lies and where it goes.
#[derive(Debug)]
pub struct Server {
    config: Config,
    random: ChaCha12Rng,
    begin: (Instant, SystemTime),
    nonces: Nonces,
    allocations: BTreeMap<AllocationId, Allocation>,
    by_client: BTreeMap<FiveTuple, AllocationId>,
    /// When each allocation ends.
    timers: BTreeSet<(Instant, AllocationId)>,
    /// How many allocations each user has.
    users: BTreeMap<String, usize>,
    /// The addresses that are bound or asked for.
    sockets: BTreeSet<SocketAddr>,
    next_id: u64,
    /// Of allocations that relay TCP.
    connections: BTreeMap<ConnectionId, Connection>,
    /// The clients' streams that carry them.
    bridges: BTreeMap<FiveTuple, ConnectionId>,
    /// When those end that nobody has taken over.
    deadlines: BTreeSet<(Instant, ConnectionId)>,
    /// The second that is counted, and the challenges in it.
    challenges: (Instant, u32),
    answers: VecDeque<(FiveTuple, Vec<u8>)>,
    events: VecDeque<Event>,
    stats: Stats,
}

impl Server {
    /// A server. `wall` is the wall clock at `now`; `seed` makes nonces and ports: 32 bytes that
    /// nobody else knows.
    #[must_use]
    pub fn new(now: Instant, wall: SystemTime, config: Config, seed: [u8; 32]) -> Self {
        let mut random = ChaCha12Rng::from_seed(seed);
        random.set_stream(u64::from_be_bytes(*b"turn-srv"));
        let mut secret = [0; 32];
        random.fill_bytes(&mut secret);
        let features = SecurityFeatures::new(true, config.credentials.knows_hashes());
        let lifetime = config.nonce_lifetime;
        Self {
            nonces: Nonces::new(&config.provider, &secret, now, lifetime, features),
            config,
            random,
            begin: (now, wall),
            allocations: BTreeMap::new(),
            by_client: BTreeMap::new(),
            timers: BTreeSet::new(),
            users: BTreeMap::new(),
            sockets: BTreeSet::new(),
            next_id: 0,
            connections: BTreeMap::new(),
            bridges: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            challenges: (now, 0),
            answers: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    // --- verbs ---

    /// The answer to [`Event::Bind`] and [`Event::Listen`]: the socket is there, or not. Another port is tried a few times
    /// before the client is refused. Returns whether the socket is wanted; one that is not, because
    /// the allocation ended meanwhile, is closed by the owner.
    pub fn bound(&mut self, now: Instant, allocation: AllocationId, success: bool) -> bool {
        let Some(entry) = self.allocations.get_mut(&allocation) else {
            return false;
        };
        let Socket::Wanted {
            address, attempts, ..
        } = &entry.socket
        else {
            return false;
        };
        if success {
            self.complete(now, allocation);
            return true;
        }
        let (address, attempts) = (*address, *attempts);
        self.sockets.remove(&address);
        if attempts >= MAX_BIND_ATTEMPTS || !self.ask_for_socket(allocation) {
            self.stats.over_quota += 1;
            self.refuse_pending(allocation, ErrorCode::INSUFFICIENT_CAPACITY);
            self.release(allocation, Reason::NoSocket);
        }
        false
    }

    /// A client's stream was closed: its allocation ends (RFC 8656 §3.1), or the connection with a
    /// peer that it carries.
    pub fn connection_closed(&mut self, five_tuple: FiveTuple) {
        self.bridge_closed(five_tuple);
        if let Some(&allocation) = self.by_client.get(&five_tuple) {
            self.release(allocation, Reason::Disconnected);
        }
    }

    /// Ends an allocation, as when its user is thrown out.
    pub fn revoke(&mut self, allocation: AllocationId) {
        self.release(allocation, Reason::Revoked);
    }

    // --- input, beside relay.rs ---

    /// Ends what was not refreshed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire_connections(now);
        while let Some(&(expires, allocation)) = self.timers.first() {
            if now < expires {
                break;
            }
            let wanted = self.allocations.get(&allocation);
            let reason = match wanted.map(|it| &it.socket) {
                Some(Socket::Wanted { .. }) => Reason::NoSocket,
                _ => Reason::Expired,
            };
            self.release(allocation, reason);
        }
    }

    // --- output ---

    /// Writes the next answer into `buf` and says where it goes; `None` when there is none. `buf`
    /// holds at least 1500 bytes; what does not fit is lost, as on the way.
    pub fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        loop {
            let (five_tuple, bytes) = self.answers.pop_front()?;
            let Some(area) = buf.get_mut(..bytes.len()) else {
                self.stats.answers_dropped += 1;
                continue;
            };
            area.copy_from_slice(&bytes);
            let len = bytes.len();
            return Some(Transmit { five_tuple, len });
        }
    }

    /// When [`handle_timeout`](Server::handle_timeout) wants to be called; `None`: not before another
    /// input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let allocation = self.timers.first().map(|(expires, _)| *expires);
        let connection = self.deadlines.first().map(|(until, _)| *until);
        [allocation, connection].into_iter().flatten().min()
    }

    /// The next event, in the order they happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    // --- questions ---

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        stats.allocations = self.allocations.len();
        stats
    }

    /// The allocation of a client.
    #[must_use]
    pub fn allocation_of(&self, five_tuple: FiveTuple) -> Option<AllocationId> {
        self.by_client.get(&five_tuple).copied()
    }

    /// All allocations, oldest first.
    pub fn allocations(&self) -> impl Iterator<Item = AllocationStats<'_>> {
        let allocations = self.allocations.iter();
        allocations.map(|(&allocation, entry)| AllocationStats {
            allocation,
            five_tuple: entry.five_tuple,
            user: &entry.user,
            relayed: entry.socket.relayed(),
            expires: entry.expires,
            traffic: entry.traffic,
        })
    }

    // --- inside ---

    fn wall(&self, now: Instant) -> SystemTime {
        let (begin, wall) = self.begin;
        wall + now.saturating_duration_since(begin)
    }

    /// Whether clients may talk with a peer (turn-036). The server's own addresses are allowed with
    /// the ports it relays with, so that two of its clients reach each other, and with no other.
    fn allows(&self, peer: SocketAddr) -> bool {
        if let Some(listed) = self.config.peers.listed(peer.ip()) {
            return listed && peer.port() != 0;
        }
        if self.config.is_relay(peer.ip().to_canonical()) {
            let (first, last) = self.config.ports;
            return (first..=last).contains(&peer.port());
        }
        peer.port() != 0 && self.config.peers.allows(peer.ip())
    }

    /// The same for every port of an address.
    fn allows_address(&self, peer: IpAddr) -> bool {
        let policy = &self.config.peers;
        policy
            .listed(peer)
            .unwrap_or_else(|| self.config.is_relay(peer.to_canonical()) || policy.allows(peer))
    }

    /// Asks the owner for a socket at a random port (turn-030); `false` if none was found that is
    /// not in use.
    fn ask_for_socket(&mut self, allocation: AllocationId) -> bool {
        let Some(entry) = self.allocations.get_mut(&allocation) else {
            return false;
        };
        let Socket::Wanted {
            address,
            attempts,
            even,
            ..
        } = &mut entry.socket
        else {
            return false;
        };
        let (first, last) = self.config.ports;
        let span = u64::from(last.saturating_sub(first)) + 1;
        while *attempts < MAX_BIND_ATTEMPTS {
            *attempts += 1;
            let offset = u16::try_from(self.random.next_u64() % span).unwrap_or(0);
            let mut port = first.saturating_add(offset);
            if *even {
                port &= !1;
            }
            address.set_port(port);
            if port >= first && self.sockets.insert(*address) {
                let address = *address;
                self.events.push_back(if entry.relays_tcp {
                    Event::Listen {
                        allocation,
                        address,
                    }
                } else {
                    Event::Bind {
                        allocation,
                        address,
                    }
                });
                return true;
            }
        }
        // Not ours to give back when the allocation goes.
        address.set_port(0);
        false
    }

    /// The socket is there: the client gets its answer.
    fn complete(&mut self, now: Instant, allocation: AllocationId) {
        let Some(entry) = self.allocations.get_mut(&allocation) else {
            return;
        };
        let local = entry.socket.local();
        let relay = self.config.relay(entry.family);
        let public = relay.map_or(local.ip(), |relay| relay.advertise);
        let relayed = SocketAddr::new(public, local.port());
        let bound = Socket::Bound { local, relayed };
        let wanted = std::mem::replace(&mut entry.socket, bound);
        let Socket::Wanted {
            lifetime,
            refused_family,
            signer,
            ..
        } = wanted
        else {
            return;
        };
        let (five_tuple, user) = (entry.five_tuple, entry.user.clone());
        self.stats.allocated += 1;
        self.set_expiry(allocation, now + lifetime);
        self.answer_allocated(now, allocation, refused_family, &signer);
        self.events.push_back(Event::Allocated {
            allocation,
            five_tuple,
            user,
            relayed,
        });
    }

    /// The success of an Allocate request (turn-029).
    fn answer_allocated(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        refused_family: Option<AddressFamily>,
        signer: &Signer,
    ) {
        let Some(entry) = self.allocations.get(&allocation) else {
            return;
        };
        let Some(relayed) = entry.socket.relayed() else {
            return;
        };
        let left = entry.expires.saturating_duration_since(now);
        let (five_tuple, id) = (entry.five_tuple, entry.transaction);
        self.answer(
            five_tuple,
            Class::Success,
            Method::ALLOCATE,
            id,
            Some(signer),
            |builder| {
                builder.attribute(&XorRelayedAddress(relayed));
                builder.attribute(&XorMappedAddress(five_tuple.mapped()));
                builder.attribute(&Lifetime(seconds(left)));
                if let Some(family) = refused_family {
                    // turn-005
                    let error = ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED;
                    builder.attribute(&AddressErrorCode::new(family, error));
                }
            },
        );
    }

    /// An error for a client whose allocation waits for a socket.
    fn refuse_pending(&mut self, allocation: AllocationId, error: ErrorCode<'static>) {
        let Some(entry) = self.allocations.get_mut(&allocation) else {
            return;
        };
        // The allocation is released next; nobody looks at its socket again but for its address.
        let (five_tuple, id, local) = (entry.five_tuple, entry.transaction, entry.socket.local());
        let gone = Socket::Bound {
            local,
            relayed: local,
        };
        if let Socket::Wanted { signer, .. } = std::mem::replace(&mut entry.socket, gone) {
            let class = Class::Error;
            let method = Method::ALLOCATE;
            self.answer(five_tuple, class, method, id, Some(&signer), |builder| {
                builder.attribute(&error);
            });
        }
    }

    fn set_expiry(&mut self, allocation: AllocationId, expires: Instant) {
        if let Some(entry) = self.allocations.get_mut(&allocation) {
            self.timers.remove(&(entry.expires, allocation));
            entry.expires = expires;
            self.timers.insert((expires, allocation));
        }
    }

    fn release(&mut self, allocation: AllocationId, reason: Reason) {
        let Some(entry) = self.allocations.remove(&allocation) else {
            return;
        };
        self.close_connections(&entry.connections);
        self.timers.remove(&(entry.expires, allocation));
        self.by_client.remove(&entry.five_tuple);
        self.sockets.remove(&entry.socket.local());
        if let Some(count) = self.users.get_mut(&entry.user) {
            *count -= 1;
            if *count == 0 {
                self.users.remove(&entry.user);
            }
        }
        self.events.push_back(Event::Released {
            allocation,
            reason,
            traffic: entry.traffic,
        });
    }

    /// Queues a message to a client.
    fn answer(
        &mut self,
        five_tuple: FiveTuple,
        class: Class,
        method: Method,
        id: TransactionId,
        signer: Option<&Signer>,
        write: impl FnOnce(&mut Builder<'_>),
    ) {
        if self.answers.len() >= self.config.max_answers {
            self.stats.answers_dropped += 1;
            return;
        }
        let mut buf = [0; MAX_ANSWER];
        let mut builder = Builder::new(&mut buf, class, method, id);
        write(&mut builder);
        if let Some(software) = &self.config.software {
            builder.attribute(&Software(software));
        }
        if let Some(signer) = signer {
            signer.sign(&mut builder);
        }
        match builder.finish() {
            Ok(len) => self.answers.push_back((five_tuple, buf[..len].to_vec())),
            Err(_) => self.stats.answers_dropped += 1,
        }
    }
}

/// Whole seconds, as LIFETIME has them.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
