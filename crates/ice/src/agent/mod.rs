//! The agent: its state, and the trait it stands behind. What it does is in the modules.

mod checks;
mod consent;
mod disclosure;
mod gather;
mod input;
mod nominate;
mod output;
mod reflexive;
mod relay;
mod remote;
mod restart;
mod server;
mod state;
mod stream;

use crate::generation::Generation;
use crate::pacer::{MIN_INTERVAL, Pacer};
use crate::pair::{Pair, PairId};
use crate::via::{Path, Via, Way};
use crate::{Factory, credentials};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use consent::Consent;
use gather::Gathering;
use input::Answer;
use layer::{
    Bound, Candidate, CandidatePair, CandidateType, Credentials, GatheringState, Ice, IceConfig,
    IceError, IceEvent, IceRole, IceServer, IceState, IceStats, Input, Interface, Protocol,
    Received, RequestId, Route, SocketId, Start, TcpType, Transmit, TransportPolicy,
};
use reflexive::Reflexive;
use relay::Relays;
use server::Servers;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};
use stream::Streams;
use stun::TransactionId;

/// The label of the agent's random generator ([`layer::Seed`]).
const RNG_STREAM: [u8; 8] = *b"ice     ";

/// The most time between two checks that a peer is followed in. With more there would be next to no
/// checks before patience ends (RFC 8863 §4).
const MAX_REMOTE_INTERVAL: Duration = Duration::from_secs(1);

/// How many events wait for an owner that does not poll; further ones are lost.
const MAX_EVENTS: usize = 1024;

/// A full ICE agent for one component (RFC 8445).
///
/// It is driven as [`layer::Ice`] says. Everything it learns of the network is bounded: pairs,
/// candidates, answers, early checks; see [`Factory`] and the counters in [`layer::IceStats`].
#[derive(Debug)]
pub struct Agent {
    settings: Factory,
    /// What the current generation gathers by.
    policy: TransportPolicy,
    /// What the next one gathers by and from.
    configured_policy: TransportPolicy,
    configured: Vec<IceServer>,
    rng: ChaCha12Rng,
    state: IceState,
    role: Option<IceRole>,
    /// The role the owner gave, before conflicts.
    assigned_role: Option<IceRole>,
    /// Breaks role conflicts (RFC 8445 §7.3.1.1, ice-034).
    tiebreaker: u64,
    /// The generation that is being checked, or was last.
    current: Generation,
    /// The one before, as long as its path is in use.
    previous: Option<Generation>,
    /// When the generation before and the sockets that nobody needs are given up.
    retire_at: Option<Instant>,
    gathering: Gathering,
    servers: Servers,
    reflexive: Reflexive,
    relays: Relays,
    streams: Streams,
    /// Spaces the checks we begin.
    pacer: Pacer,
    /// Spaces those that answer the peer's, so that a peer with forged addresses cannot make us
    /// flood others (RFC 8445 §19.5.1), and dead pairs of our own do not delay them.
    triggered_pacer: Pacer,
    answers: VecDeque<Answer>,
    /// How many more unauthenticated requests are answered.
    refusals: input::Refusals,
    /// The pair that is nominated next, or whose nomination is under way.
    nominating: Option<PairId>,
    nomination_queued: bool,
    /// The latest number that we gave a nomination.
    nominations: u32,
    /// When the first pair of this generation became valid.
    valid_since: Option<Instant>,
    /// Consent and liveness of the path in use.
    consent: Option<Consent>,
    /// What `route` last told the owner.
    announced: Option<(Path, usize)>,
    /// A restart has begun and nothing of it works yet.
    restarting: bool,
    /// The address of the path in use is gone, and until then another one may come.
    moving_until: Option<Instant>,
    /// What was gathered for the pool and is not told yet.
    ahead: Option<Vec<IceEvent>>,
    /// The multicast names of our addresses.
    names: BTreeMap<IpAddr, String>,
    events: VecDeque<IceEvent>,
    stats: IceStats,
    next_pair: u32,
    next_request: u64,
}

impl Agent {
    /// A new agent in the state [`IceState::New`], with credentials of its own.
    #[must_use]
    pub fn new(settings: Factory, start: Start, config: IceConfig) -> Self {
        let mut rng = ChaCha12Rng::from_seed(*start.seed.as_bytes());
        rng.set_stream(u64::from_be_bytes(RNG_STREAM));
        let local = credentials::generate(&mut rng);
        let key = settings.provider.hmac_sha1.key(local.password.as_bytes());
        let pacer = Pacer::new(start.now, settings.check_interval, settings.check_burst);
        Self {
            policy: config.policy,
            configured_policy: config.policy,
            configured: config.servers,
            state: IceState::New,
            role: None,
            assigned_role: None,
            tiebreaker: rng.next_u64(),
            current: Generation::new(local, key),
            previous: None,
            retire_at: None,
            gathering: Gathering::default(),
            servers: Servers::default(),
            reflexive: Reflexive::default(),
            relays: Relays::new(start.now),
            streams: Streams::default(),
            pacer,
            triggered_pacer: pacer,
            answers: VecDeque::new(),
            refusals: input::Refusals::new(start.now),
            nominating: None,
            nomination_queued: false,
            nominations: 0,
            valid_since: None,
            consent: None,
            announced: None,
            restarting: false,
            moving_until: None,
            ahead: None,
            names: BTreeMap::new(),
            events: VecDeque::new(),
            stats: IceStats::default(),
            next_pair: 0,
            next_request: 0,
            settings,
            rng,
        }
    }

    fn is_closed(&self) -> bool {
        self.state == IceState::Closed
    }

    fn emit(&mut self, event: IceEvent) {
        let is_found = matches!(
            event,
            IceEvent::Candidate(_)
                | IceEvent::CandidateError(_)
                | IceEvent::GatheringStateChange(_)
        );
        match &mut self.ahead {
            Some(pool) if is_found && pool.len() < MAX_EVENTS => pool.push(event),
            Some(_) if is_found => {}
            _ if self.events.len() < MAX_EVENTS => self.events.push_back(event),
            _ => {}
        }
    }

    fn new_request_id(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    /// stun-004: 96 bits that nobody can guess.
    fn new_transaction_id(&mut self) -> TransactionId {
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        TransactionId(id)
    }

    fn key(&self, credentials: &Credentials) -> Box<dyn crypto::HmacKey> {
        let password = credentials.password.as_bytes();
        self.settings.provider.hmac_sha1.key(password)
    }

    /// Where the data of a pair goes, and the room it wants.
    fn route_of(&self, pair: &Pair) -> Option<Route> {
        let (base, destination) = (pair.base, pair.destination);
        let (mtu, largest) = (self.settings.mtu, self.settings.largest_mtu);
        let (socket, protocol) = match pair.via {
            Via::Relay(relay) => return self.relays.route(relay, destination, mtu, largest),
            Via::Socket(socket) => (socket, Protocol::Udp),
            Via::Stream(socket) => (socket, Protocol::Tcp),
            Via::Unconnected => return None,
        };
        let payload = relay::max_payload(destination, protocol, mtu);
        let mut route = Route::new(socket, protocol, base, destination, payload);
        route.max_probe = relay::max_payload(destination, protocol, mtu.max(largest));
        Some(route)
    }

    /// The generation whose path is in use: the current one as soon as it has a path.
    fn route_generation(&self) -> Option<&Generation> {
        if self.current.route().is_some() {
            return Some(&self.current);
        }
        self.previous
            .as_ref()
            .filter(|generation| generation.route().is_some())
    }

    /// That generation, and the relays that its path may go through.
    fn route_parts(&mut self) -> Option<(&mut Generation, &mut Relays)> {
        let generation = if self.current.route().is_some() {
            Some(&mut self.current)
        } else {
            self.previous.as_mut().filter(|it| it.route().is_some())
        };
        Some((generation?, &mut self.relays))
    }
}

impl Ice for Agent {
    fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Received {
        self.relays.touch(now);
        let via = Via::of(input.socket, input.protocol);
        let way = Way {
            via,
            local: input.local,
            remote: input.remote,
        };
        let received = self.take_packet(now, &way, input.bytes);
        if received == Received::Consumed || self.is_disconnected() {
            self.update(now);
        }
        received
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.relays.touch(now);
        if !self.is_closed() {
            self.expire(now);
            self.update(now);
        }
    }

    fn interfaces_listed(&mut self, now: Instant, request: RequestId, interfaces: &[Interface]) {
        self.take_interfaces(now, request, interfaces);
        self.update(now);
    }

    fn bound(&mut self, now: Instant, request: RequestId, result: Result<Bound, io::ErrorKind>) {
        let connected = result.as_ref().copied().map_err(displayed);
        if !self.take_relay_connection(now, request, connected)
            && !self.take_relay_socket(now, request, result)
            && !self.take_listener(now, request, result)
        {
            self.take_socket(now, request, result);
        }
        self.update(now);
    }

    fn tcp_connected(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) {
        let connected = result.as_ref().copied().map_err(displayed);
        if !self.take_relay_connection(now, request, connected) {
            self.take_connection(now, request, result);
        }
        self.update(now);
    }

    fn connect_failed(&mut self, now: Instant, request: RequestId, error: &io::Error) {
        if !self.take_relay_connection(now, request, Err(error)) {
            self.take_connection(now, request, Err(error.kind()));
        }
        self.update(now);
    }

    fn socket_closed(&mut self, now: Instant, socket: SocketId) {
        self.lose_socket(now, socket);
        self.update(now);
    }

    fn resolved(&mut self, now: Instant, request: RequestId, addresses: &[IpAddr]) {
        if !self.take_server_addresses(request, addresses) {
            self.take_addresses(now, request, addresses);
        }
        self.update(now);
    }

    fn gather(&mut self, now: Instant) {
        self.tell_pool();
        self.start_gathering();
        self.update(now);
    }

    fn gather_ahead(&mut self, _now: Instant) {
        self.start_gathering_ahead();
    }

    fn set_role(&mut self, now: Instant, role: IceRole) {
        self.assign_role(now, role);
        self.update(now);
    }

    fn set_remote_credentials(
        &mut self,
        now: Instant,
        credentials: Credentials,
        lite: bool,
    ) -> Result<(), IceError> {
        self.take_remote_credentials(now, credentials, lite)?;
        self.update(now);
        Ok(())
    }

    fn set_remote_check_interval(&mut self, interval: Duration) {
        // ice-029: the larger proposal (RFC 8445 §14.2).
        let interval = interval.min(MAX_REMOTE_INTERVAL);
        let interval = interval.max(self.settings.check_interval);
        let burst = self.settings.check_burst;
        self.pacer.set_interval(interval, burst);
        self.triggered_pacer.set_interval(interval, burst);
    }

    fn add_remote_candidate(&mut self, now: Instant, candidate: Candidate) -> Result<(), IceError> {
        self.take_remote_candidate(now, candidate)?;
        self.update(now);
        Ok(())
    }

    fn end_of_remote_candidates(&mut self, now: Instant) {
        self.current.remote_complete = true;
        self.update(now);
    }

    fn restart(&mut self, now: Instant, credentials: Credentials) -> Result<(), IceError> {
        self.begin_generation(now, credentials)?;
        self.update(now);
        Ok(())
    }

    fn reconfigure(&mut self, servers: Vec<IceServer>, policy: TransportPolicy) {
        self.configured = servers;
        self.configured_policy = policy;
        if self.gathering.state() == GatheringState::New {
            self.policy = policy;
        }
    }

    fn revoke_consent(&mut self, now: Instant) {
        self.end_consent(now);
        self.update(now);
    }

    fn close(&mut self, now: Instant) {
        self.shut(now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.relays.touch(now);
        self.next_transmit(now, buf)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next_timeout()
    }

    fn poll_event(&mut self) -> Option<IceEvent> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            // They come in bursts, and agents are idle most of their lives.
            self.events = VecDeque::new();
        }
        event
    }

    fn wrap(
        &mut self,
        now: Instant,
        buf: &mut [u8],
        payload: Range<usize>,
        segment_size: Option<usize>,
    ) -> Option<(Range<usize>, Transmit)> {
        self.relays.touch(now);
        self.put_on_route(now, buf, payload, segment_size)
    }

    fn state(&self) -> IceState {
        self.state
    }

    fn gathering_state(&self) -> GatheringState {
        match self.ahead {
            Some(_) => GatheringState::New,
            None => self.gathering.state(),
        }
    }

    fn check_interval(&self) -> Duration {
        self.settings.check_interval.max(MIN_INTERVAL)
    }

    fn is_lite(&self) -> bool {
        self.settings.lite
    }

    fn renominates(&self) -> bool {
        self.settings.renomination
    }

    fn role(&self) -> Option<IceRole> {
        self.role
    }

    fn local_credentials(&self) -> &Credentials {
        &self.current.local
    }

    fn remote_credentials(&self) -> Option<&Credentials> {
        let remote = self.current.remote.as_ref()?;
        Some(&remote.credentials)
    }

    fn local_candidates(&self) -> Vec<Candidate> {
        // Peer-reflexive ones the peer knows already; hosts are shown where the policy lets them.
        let shows_hosts = self.policy == TransportPolicy::All;
        let shows_active = shows_hosts && self.settings.signal_tcp_active;
        if self.ahead.is_some() {
            return Vec::new();
        }
        let signalled =
            self.current
                .locals
                .iter()
                .filter(|local| match local.candidate.candidate_type {
                    _ if local.gone => false,
                    _ if local.candidate.tcp_type == Some(TcpType::Active) => shows_active,
                    CandidateType::Host => shows_hosts,
                    CandidateType::PeerReflexive => false,
                    _ => true,
                });
        signalled.map(|local| local.candidate.clone()).collect()
    }

    fn remote_candidates(&self) -> Vec<Candidate> {
        let remotes = self.current.remotes.iter();
        remotes.map(|remote| remote.candidate.clone()).collect()
    }

    fn route(&self) -> Option<Route> {
        self.route_of(self.route_generation()?.route()?)
    }

    fn selected_pair(&self) -> Option<CandidatePair> {
        let generation = match (&self.current.selected, &self.previous) {
            (None, Some(previous)) => previous,
            _ => &self.current,
        };
        let pair = generation.checklist.get(generation.selected?)?;
        Some(generation.candidates(pair))
    }

    fn stats(&self) -> IceStats {
        self.collect_stats()
    }

    fn validates(&self, socket: SocketId, remote: SocketAddr) -> bool {
        if self.relays.position_of(socket, remote).is_some() {
            return true;
        }
        let generations = std::iter::once(&self.current).chain(&self.previous);
        let paths = [(Via::Socket(socket), remote), (Via::Stream(socket), remote)];
        generations.into_iter().any(|generation| {
            let known =
                |path| generation.checklist.is_authenticated(path) || generation.is_early(path);
            paths.into_iter().any(known)
        })
    }

    fn claims(&self) -> Vec<String> {
        let generations = std::iter::once(&self.current).chain(&self.previous);
        let mut claims: Vec<String> = generations
            .map(|generation| generation.local.username_fragment.clone())
            .collect();
        claims.dedup();
        claims
    }
}

fn displayed(error: &io::ErrorKind) -> &dyn fmt::Display {
    error
}
