//! The client (RFC 8656 §5 to §12).

mod authentication;
mod config;
mod connection;
mod data;
mod error;
mod event;
mod failure;
mod message;
mod peer;
mod request;
mod response;
mod stats;

pub use config::Config;
pub use connection::{DataConnection, DataState};
pub use data::{Received, Room};
pub use error::{PeerError, WrapError};
pub use event::{Ending, Event};
pub use failure::{Advice, Failure};
pub use stats::Stats;

use crate::Transport;
use authentication::Challenge;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use peer::{Due, MARGIN, Peers};
use request::{MAX_PEERS_PER_REQUEST, Purpose, Request, Requests, Wanted};
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use stun::{ConnectionId, RequestedTransport, RoundTrip, Timing, Transaction, TransactionId};

/// How long a closing client waits for the server: three requests, 500 ms apart and more.
const CLOSE_TIMING: (u32, u32) = (3, 4);

/// One allocation on one server.
///
/// | family | methods |
/// |---|---|
/// | input | [`handle_input`](Client::handle_input), [`handle_timeout`](Client::handle_timeout) |
/// | verbs | [`allocate`](Client::allocate), [`permit`](Client::permit), [`bind_channel`](Client::bind_channel), [`connect`](Client::connect), [`data_connection`](Client::data_connection), [`forget`](Client::forget), [`connection_closed`](Client::connection_closed), [`close`](Client::close), and [`wrap`](Client::wrap) for data |
/// | output | [`poll_transmit`](Client::poll_transmit), [`poll_timeout`](Client::poll_timeout), [`poll_event`](Client::poll_event), in this order until empty after every input and verb |
/// | questions | [`state`](Client::state), [`relayed`](Client::relayed), [`mapped`](Client::mapped), [`server`](Client::server), [`room`](Client::room), [`is_permitted`](Client::is_permitted), [`reason_phrase`](Client::reason_phrase), [`stats`](Client::stats) |
///
/// The client is fed whole messages: datagrams as they come, and a stream (TCP, TLS) cut by
/// [`Frames`](crate::Frames). What it gives to be sent goes out as it is, on a stream too: STUN and
/// ChannelData tell their own length there, and have no length before them as RFC 4571 would put it
/// (RFC 8489 §6.2.2).
///
/// Permissions and channels are kept alive as long as data goes over them; after five minutes without
/// any they end by themselves and an event says so.
#[derive(Debug)]
pub struct Client {
    config: Config,
    random: ChaCha12Rng,
    server: SocketAddr,
    visited: Vec<SocketAddr>,
    challenge: Option<Challenge>,
    dont_fragment: bool,
    phase: Phase,
    requests: Requests,
    peers: Peers,
    /// Peers that are being connected to.
    connecting: BTreeSet<SocketAddr>,
    round_trip: RoundTrip,
    /// The reason phrase of the last error.
    phrase: String,
    events: VecDeque<Event>,
    stats: Stats,
}

#[derive(Debug)]
enum Phase {
    New,
    Allocating,
    Allocated(Allocation),
    /// Waits for the server to confirm, until then at most.
    Closing {
        until: Instant,
        ending: Ending,
    },
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Allocation {
    relayed: SocketAddr,
    mapped: SocketAddr,
    expires: Instant,
    /// When to ask for more; `None` while it is asked for.
    refresh: Option<Instant>,
}

/// How far a [`Client`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// [`allocate`](Client::allocate) was not called.
    New,
    /// Asking the server.
    Allocating,
    /// Data can flow to permitted peers.
    Allocated,
    /// Giving the allocation back.
    Closing,
    /// Over.
    Ended,
}

/// A message to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// The server's address.
    pub remote: SocketAddr,
    /// How many bytes of the lent buffer it takes.
    pub len: usize,
}

impl Client {
    /// A client of the server at that address. `seed` makes its transaction ids: 32 bytes that
    /// nobody else knows, other ones for every client.
    #[must_use]
    pub fn new(config: Config, server: SocketAddr, seed: [u8; 32]) -> Self {
        let mut random = ChaCha12Rng::from_seed(seed);
        random.set_stream(u64::from_be_bytes(*b"turn-cli"));
        Self {
            random,
            server,
            visited: config.visited.clone(),
            challenge: None,
            dont_fragment: config.dont_fragment,
            phase: Phase::New,
            requests: Requests::default(),
            peers: Peers::default(),
            connecting: BTreeSet::new(),
            round_trip: RoundTrip::default(),
            phrase: String::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            config,
        }
    }

    // --- verbs ---

    /// Asks for an allocation. Does nothing if that was done before. One that relays TCP over
    /// [`Transport::Datagram`] fails at once with [`Failure::UnsupportedTransportProtocol`]
    /// (RFC 6062 §4.1).
    pub fn allocate(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::New) {
            return;
        }
        if self.relays_connections() && self.config.transport == Transport::Datagram {
            self.end(Ending::Failed(Failure::UnsupportedTransportProtocol));
        } else {
            self.phase = Phase::Allocating;
            self.requests.want(Purpose::Allocate);
            self.write_requests(now);
        }
    }

    /// Lets a peer send to the relayed address, from any port, and us to it. Told by
    /// [`Event::Permitted`]; nothing happens if it was asked for before.
    ///
    /// # Errors
    ///
    /// [`PeerError`] without an allocation, for another address family, and for one peer too many.
    pub fn permit(&mut self, now: Instant, peer: IpAddr) -> Result<(), PeerError> {
        self.check_family(peer)?;
        if !self.peers.knows(peer) && self.peers.permissions() >= self.config.max_permissions {
            return Err(PeerError::TooMany);
        }
        if self.peers.permit(now, peer) {
            self.requests.want(Purpose::Permit(vec![peer]));
            self.write_requests(now);
        }
        Ok(())
    }

    /// Binds a channel, so that data for the peer takes four bytes more instead of 36 or 48. It
    /// permits the peer too. Told by [`Event::ChannelBound`]; nothing happens if it was asked for
    /// before. ICE binds channels when it has concluded (RFC 8445 §12.1).
    ///
    /// # Errors
    ///
    /// [`PeerError`] without an allocation, for another address family, and for one peer too many.
    pub fn bind_channel(&mut self, now: Instant, peer: SocketAddr) -> Result<(), PeerError> {
        self.check_family(peer.ip())?;
        if self.relays_connections() {
            return Err(PeerError::Transport);
        }
        let is_new = !self.peers.knows(peer.ip());
        if is_new && self.peers.permissions() >= self.config.max_permissions {
            return Err(PeerError::TooMany);
        }
        let max_channels = self.config.max_channels;
        let number = self.peers.bind(now, peer, max_channels);
        if let Some(number) = number.map_err(|()| PeerError::TooMany)? {
            self.requests.want(Purpose::Bind { number, peer });
            self.write_requests(now);
        }
        Ok(())
    }

    /// Asks the relay to connect with a peer (RFC 6062 §4.3), on an allocation that relays TCP. Told
    /// by [`Event::Connected`] or [`Event::NotConnected`]; nothing happens while it is asked for.
    /// Needs no permission, and gives none.
    ///
    /// # Errors
    ///
    /// [`PeerError`] without an allocation, on one that relays UDP, for another address family, and
    /// for one peer too many.
    pub fn connect(&mut self, now: Instant, peer: SocketAddr) -> Result<(), PeerError> {
        self.check_family(peer.ip())?;
        if !self.relays_connections() {
            return Err(PeerError::Transport);
        }
        if self.connecting.contains(&peer) {
            return Ok(());
        }
        if self.connecting.len() >= self.config.max_connects {
            return Err(PeerError::TooMany);
        }
        self.connecting.insert(peer);
        self.requests.want(Purpose::Connect(peer));
        self.write_requests(now);
        Ok(())
    }

    /// The beginning of a further stream to [`server`](Client::server), which then carries what goes
    /// between us and the peer of this connection (RFC 6062 §4.3, §4.4). `None` without an
    /// allocation that relays TCP.
    pub fn data_connection(
        &mut self,
        now: Instant,
        connection: ConnectionId,
    ) -> Option<DataConnection> {
        let challenge = self.challenge.clone();
        if self.allocation().is_none() || !self.relays_connections() {
            return None;
        }
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let begun = DataConnection::begin(now, &self.config, challenge, connection, seed);
        Some(begun)
    }

    /// Lets permission and channels of a peer end: the server drops them when their time is over, and
    /// what comes from the peer until then is dropped here.
    pub fn forget(&mut self, now: Instant, peer: IpAddr) {
        self.peers.forget(peer);
        for channel in self.peers.channels_of(peer) {
            self.peers.unbind(now, channel);
        }
    }

    /// The stream to the server was closed by it or by the network.
    pub fn connection_closed(&mut self) {
        match self.phase {
            Phase::Ended => {}
            Phase::Closing { .. } => self.closed(),
            _ => self.end(Ending::Failed(Failure::ConnectionLost)),
        }
    }

    /// Gives the allocation back. Ends with [`Ending::Closed`] when the server has confirmed, within
    /// a few seconds in any case.
    pub fn close(&mut self, now: Instant) {
        match self.phase {
            Phase::Closing { .. } | Phase::Ended => {}
            Phase::New => self.end(Ending::Closed),
            Phase::Allocating => {
                // The answer may still come, and is then given back.
                self.begin_closing(now, Ending::Closed);
            }
            Phase::Allocated(_) => {
                self.begin_closing(now, Ending::Closed);
                self.delete(now);
            }
        }
    }

    // --- input, beside data.rs ---

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(request) = self.requests.next_expired(now) {
            let failure = if request.violated {
                // stun-035
                Failure::IntegrityViolated
            } else {
                Failure::TimedOut
            };
            self.failed(now, request.purpose, failure);
        }
        match &mut self.phase {
            Phase::Closing { until, .. } if *until <= now => self.closed(),
            Phase::Allocated(allocation) if allocation.expires <= now => {
                self.end(Ending::Failed(Failure::TimedOut));
            }
            Phase::Allocated(allocation) => {
                if allocation.refresh.is_some_and(|refresh| refresh <= now) {
                    allocation.refresh = None;
                    self.requests.want(Purpose::Refresh);
                }
                self.refresh_peers(now);
            }
            _ => {}
        }
        self.write_requests(now);
    }

    // --- output ---

    /// Writes the next message into `buf` and says where it goes; `None` when there is none. `buf`
    /// holds at least 1500 bytes; what does not fit is lost, as on the way.
    pub fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        loop {
            let bytes = self.requests.next_transmit()?;
            let Some(area) = buf.get_mut(..bytes.len()) else {
                continue;
            };
            area.copy_from_slice(bytes);
            self.stats.requests_sent += 1;
            return Some(Transmit {
                remote: self.server,
                len: bytes.len(),
            });
        }
    }

    /// When [`handle_timeout`](Client::handle_timeout) wants to be called; `None`: not before another
    /// input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let (phase, peers) = match &self.phase {
            Phase::Closing { until, .. } => (Some(*until), None),
            Phase::Allocated(allocation) => {
                let expires = allocation.expires;
                let next = allocation.refresh.map_or(expires, |next| next.min(expires));
                (Some(next), self.peers.poll_timeout())
            }
            _ => (None, None),
        };
        let times = [self.requests.poll_timeout(), phase, peers];
        times.into_iter().flatten().min()
    }

    /// The next event, in the order they happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    // --- questions ---

    /// How far the client has come.
    #[must_use]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::New => State::New,
            Phase::Allocating => State::Allocating,
            Phase::Allocated(_) => State::Allocated,
            Phase::Closing { .. } => State::Closing,
            Phase::Ended => State::Ended,
        }
    }

    /// The server, possibly another one than in the beginning ([`Event::Redirected`]).
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// The address that peers send to, while there is an allocation.
    #[must_use]
    pub fn relayed(&self) -> Option<SocketAddr> {
        self.allocation().map(|allocation| allocation.relayed)
    }

    /// Our address as the server sees it, while there is an allocation.
    #[must_use]
    pub fn mapped(&self) -> Option<SocketAddr> {
        self.allocation().map(|allocation| allocation.mapped)
    }

    /// Whether data for the peer would be let through.
    #[must_use]
    pub fn is_permitted(&self, now: Instant, peer: IpAddr) -> bool {
        self.peers.is_permitted(now, peer)
    }

    /// The reason phrase that the server gave with its last error, for people; empty before the first.
    #[must_use]
    pub fn reason_phrase(&self) -> &str {
        &self.phrase
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    // --- inside ---

    fn allocation(&self) -> Option<&Allocation> {
        match &self.phase {
            Phase::Allocated(allocation) => Some(allocation),
            _ => None,
        }
    }

    fn relays_connections(&self) -> bool {
        self.config.requested_transport == RequestedTransport::TCP
    }

    fn check_family(&self, peer: IpAddr) -> Result<(), PeerError> {
        let allocation = self.allocation().ok_or(PeerError::NotAllocated)?;
        if allocation.relayed.is_ipv4() == peer.is_ipv4() {
            Ok(())
        } else {
            Err(PeerError::Family)
        }
    }

    fn end(&mut self, ending: Ending) {
        self.phase = Phase::Ended;
        self.requests.clear();
        self.peers = Peers::default();
        self.connecting.clear();
        self.events.push_back(Event::Ended(ending));
    }

    fn begin_closing(&mut self, now: Instant, ending: Ending) {
        let until = now + self.close_timing().total();
        self.phase = Phase::Closing { until, ending };
    }

    /// The allocation is given back, or the server does not say.
    fn closed(&mut self) {
        if let Phase::Closing { ending, .. } = &self.phase {
            let ending = ending.clone();
            self.end(ending);
        }
    }

    fn delete(&mut self, now: Instant) {
        self.requests.clear();
        self.peers = Peers::default();
        self.connecting.clear();
        self.requests.want(Purpose::Delete);
        self.write_requests(now);
    }

    fn close_timing(&self) -> Timing {
        let mut timing = self.config.timing;
        let (requests, last_wait) = CLOSE_TIMING;
        timing.max_requests = requests.min(timing.max_requests);
        timing.last_wait = last_wait.min(timing.last_wait);
        timing
    }

    /// Asks for what ends soon and is still used.
    fn refresh_peers(&mut self, now: Instant) {
        let mut permits = Vec::new();
        while let Some(due) = self.peers.next_due(now) {
            match due {
                Due::Permit(peer) => permits.push(peer),
                Due::Lapsed(peer) => self.events.push_back(Event::NotPermitted {
                    peer,
                    reason: Failure::Unused,
                }),
                Due::Bind { number, peer } => self.requests.want(Purpose::Bind { number, peer }),
                Due::Unbound(peer) => self.events.push_back(Event::ChannelUnbound {
                    peer,
                    reason: Failure::Unused,
                }),
            }
        }
        for peers in permits.chunks(MAX_PEERS_PER_REQUEST) {
            self.requests.want(Purpose::Permit(peers.to_vec()));
        }
    }

    /// Writes what waits, as far as requests may be under way.
    fn write_requests(&mut self, now: Instant) {
        while let Some(Wanted { purpose, renewals }) = self.requests.next_wanted() {
            let id = self.transaction_id();
            let Some(bytes) = self.write(id, &purpose) else {
                self.failed(now, purpose, Failure::TooLarge);
                continue;
            };
            let realm = self.challenge.as_ref().map(|it| it.realm().to_owned());
            self.requests.start(Request {
                transaction: self.transaction(id, now, &purpose),
                purpose,
                bytes,
                realm,
                renewals,
                violated: false,
            });
        }
    }

    fn transaction(&self, id: TransactionId, now: Instant, purpose: &Purpose) -> Transaction {
        let mut timing = match purpose {
            Purpose::Delete => self.close_timing(),
            _ => self.config.timing,
        };
        // stun-022
        let measured = self.round_trip.timeout(now).unwrap_or_default();
        timing.retransmission_timeout = timing.retransmission_timeout.max(measured);
        match self.config.transport {
            Transport::Datagram => Transaction::start(id, now, timing),
            // stun-023
            Transport::Stream => Transaction::once(id, now, timing.total()),
        }
    }

    fn transaction_id(&mut self) -> TransactionId {
        let mut id = [0; 12];
        self.random.fill_bytes(&mut id);
        TransactionId(id)
    }
}

/// When to refresh what lasts this long: a minute before its end, or at three quarters of a short
/// lifetime.
fn refresh_after(lifetime: Duration) -> Duration {
    lifetime - MARGIN.min(lifetime / 4)
}
