//! Two agents and the network between them, in virtual time: hosts with addresses, a delay, loss,
//! dead addresses, address translation, and signalling as fast or as slow as a test wants it.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod script;

use layer::{
    Bound, Candidate, Ice, IceConfig, IceEvent, IceRole, IceState, Input, Interface, NewIce,
    Received, RequestId, Seed, SocketId, Start,
};
use muonrtc_ice::Factory;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

/// The two ends: `A` controls unless a test says otherwise.
pub const A: usize = 0;
pub const B: usize = 1;

/// A datagram on its way.
struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// One end.
pub struct Peer {
    pub agent: Box<dyn Ice>,
    pub addresses: Vec<IpAddr>,
    sockets: BTreeMap<SocketAddr, SocketId>,
    next: u32,
    /// Everything the agent told, with the time since the start.
    pub events: Vec<(Duration, IceEvent)>,
    /// Data that was let through.
    pub received: Vec<(SocketAddr, Vec<u8>)>,
    /// Names that were asked for and not answered.
    pub unresolved: Vec<(RequestId, String)>,
    /// Private addresses and what the world sees of them.
    pub translation: BTreeMap<SocketAddr, SocketAddr>,
    /// Whether candidates are signalled as soon as they are told.
    pub trickles: bool,
    /// Candidates that were told and not signalled.
    pub held: Vec<Candidate>,
    /// Datagrams sent, first byte and length.
    pub sent: Vec<(Duration, SocketAddr, Vec<u8>)>,
}

pub struct Network {
    pub start: Instant,
    pub now: Instant,
    pub peers: [Peer; 2],
    in_flight: BTreeMap<(Instant, u64), Datagram>,
    order: u64,
    random: u64,
    pub seed: u64,
    pub delay: Duration,
    pub jitter: Duration,
    /// Of 100 datagrams, how many are lost.
    pub loss: u64,
    /// Of 100 datagrams, how many arrive twice.
    pub duplicate: u64,
    /// Addresses that nothing reaches and nothing leaves.
    pub dead: BTreeSet<IpAddr>,
    pub cut: bool,
    /// Datagrams that reached no socket: what a scripted peer hears.
    pub stray: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
}

impl Network {
    /// Two ends with one address each and default settings.
    pub fn new(seed: u64) -> Self {
        Self::with(
            seed,
            [Factory::default(), Factory::default()],
            [&["10.0.0.1"], &["10.0.0.2"]],
        )
    }

    pub fn with(seed: u64, factories: [Factory; 2], addresses: [&[&str]; 2]) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "virtual time needs some instant to begin with"
        )]
        let start = Instant::now();
        let [a, b] = factories;
        let peer = |factory: &Factory, label: u8, addresses: &[&str]| {
            let mut bytes = [label; 32];
            bytes[..8].copy_from_slice(&seed.to_be_bytes());
            let start = Start::new(start, SystemTime::UNIX_EPOCH, Seed::new(bytes));
            Peer {
                agent: factory.new_ice(start, IceConfig::new(Waker::noop().clone())),
                addresses: addresses.iter().map(|it| it.parse().unwrap()).collect(),
                sockets: BTreeMap::new(),
                next: 1,
                events: Vec::new(),
                received: Vec::new(),
                unresolved: Vec::new(),
                translation: BTreeMap::new(),
                trickles: true,
                held: Vec::new(),
                sent: Vec::new(),
            }
        };
        Self {
            start,
            now: start,
            peers: [peer(&a, 1, addresses[A]), peer(&b, 2, addresses[B])],
            in_flight: BTreeMap::new(),
            order: 0,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            seed,
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0,
            duplicate: 0,
            dead: BTreeSet::new(),
            cut: false,
            stray: Vec::new(),
        }
    }

    pub fn agent(&mut self, peer: usize) -> &mut dyn Ice {
        &mut *self.peers[peer].agent
    }

    /// Gives the roles and starts gathering.
    pub fn gather(&mut self) {
        let now = self.now;
        for (peer, role) in [(A, IceRole::Controlling), (B, IceRole::Controlled)] {
            self.agent(peer).set_role(now, role);
            self.agent(peer).gather(now);
            self.settle();
        }
    }

    /// Tells `to` the credentials of the other end.
    pub fn introduce(&mut self, to: usize) {
        let credentials = self.peers[1 - to].agent.local_credentials().clone();
        let now = self.now;
        self.agent(to)
            .set_remote_credentials(now, credentials, false)
            .unwrap();
        self.settle();
    }

    /// Signals what was held back.
    pub fn signal_held(&mut self, from: usize) {
        let now = self.now;
        for candidate in std::mem::take(&mut self.peers[from].held) {
            let _ = self.agent(1 - from).add_remote_candidate(now, candidate);
        }
        self.settle();
    }

    /// Everything at once, as fast as it goes.
    pub fn connect(&mut self) {
        self.gather();
        self.introduce(A);
        self.introduce(B);
    }

    fn roll(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % 100
    }

    /// Lets both ends say all they have to say at this instant.
    pub fn settle(&mut self) {
        for _ in 0..1000 {
            let mut busy = false;
            for peer in [A, B] {
                busy |= self.poll_transmits(peer);
                busy |= self.poll_events(peer);
            }
            if !busy {
                return;
            }
        }
        panic!("seed {}: the agents do not come to rest", self.seed);
    }

    fn poll_transmits(&mut self, peer: usize) -> bool {
        let mut buf = [0; 1500];
        let mut busy = false;
        let now = self.now;
        while let Some(transmit) = self.peers[peer].agent.poll_transmit(now, &mut buf) {
            busy = true;
            let bytes = buf[..transmit.len].to_vec();
            self.carry(peer, transmit.local, transmit.remote, bytes);
        }
        busy
    }

    /// Puts a datagram on the wire.
    fn carry(&mut self, peer: usize, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let since = self.now - self.start;
        self.peers[peer].sent.push((since, to, bytes.clone()));
        let dead = self.dead.contains(&from.ip()) || self.dead.contains(&to.ip());
        let lost = self.roll() < self.loss;
        if dead || lost || self.cut {
            return;
        }
        let from = *self.peers[peer].translation.get(&from).unwrap_or(&from);
        let copies = 1 + u64::from(self.roll() < self.duplicate);
        for _ in 0..copies {
            let jitter = self
                .jitter
                .mul_f64(f64::from(u32::try_from(self.roll()).unwrap()) / 100.0);
            self.inject(from, to, bytes.clone(), self.delay + jitter);
        }
    }

    /// A datagram from anywhere, to arrive after `delay`.
    pub fn inject(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>, delay: Duration) {
        self.order += 1;
        let key = (self.now + delay, self.order);
        self.in_flight.insert(key, Datagram { from, to, bytes });
    }

    fn poll_events(&mut self, peer: usize) -> bool {
        let mut busy = false;
        while let Some(event) = self.peers[peer].agent.poll_event() {
            busy = true;
            let since = self.now - self.start;
            self.peers[peer].events.push((since, event.clone()));
            self.serve(peer, event);
        }
        busy
    }

    /// Does what the shell does.
    fn serve(&mut self, index: usize, event: IceEvent) {
        let now = self.now;
        let peer = &mut self.peers[index];
        match event {
            IceEvent::ListInterfaces { request } => {
                let interfaces: Vec<Interface> = peer
                    .addresses
                    .iter()
                    .map(|address| Interface::new("eth0", *address))
                    .collect();
                peer.agent.interfaces_listed(now, request, &interfaces);
            }
            IceEvent::Bind { request, local, .. } => {
                let id = SocketId(peer.next);
                peer.next += 1;
                let port = 1000 * u16::try_from(index + 1).unwrap() + u16::try_from(id.0).unwrap();
                let local = SocketAddr::new(local.ip(), port);
                peer.sockets.insert(local, id);
                peer.agent.bound(now, request, Ok(Bound::new(id, local)));
            }
            IceEvent::CloseSocket { socket } => peer.sockets.retain(|_, id| *id != socket),
            IceEvent::Resolve { request, host } => peer.unresolved.push((request, host)),
            IceEvent::Candidate(candidate) if peer.trickles => {
                let _ = self.peers[1 - index]
                    .agent
                    .add_remote_candidate(now, candidate);
            }
            IceEvent::Candidate(candidate) => peer.held.push(candidate),
            _ => {}
        }
    }

    /// Goes on to the next instant at which anything happens, not beyond `until`.
    fn step(&mut self, until: Instant) -> bool {
        let timers = self
            .peers
            .iter()
            .filter_map(|peer| peer.agent.poll_timeout());
        let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
        let Some(next) = timers.chain(arrival).min().filter(|next| *next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self.in_flight.first_entry()
            && entry.key().0 <= self.now
        {
            let datagram = entry.remove();
            self.deliver(datagram);
            self.settle();
        }
        let now = self.now;
        for peer in &mut self.peers {
            if peer.agent.poll_timeout().is_some_and(|at| at <= now) {
                peer.agent.handle_timeout(now);
            }
        }
        self.settle();
        true
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        let now = self.now;
        let mut taken = false;
        for peer in &mut self.peers {
            let inside = peer
                .translation
                .iter()
                .find(|(_, public)| **public == datagram.to)
                .map(|(private, _)| *private);
            let to = inside.unwrap_or(datagram.to);
            let Some(socket) = peer.sockets.get(&to) else {
                continue;
            };
            taken = true;
            let input = Input::new(*socket, to, datagram.from, &mut datagram.bytes);
            if let Received::Data { range } = peer.agent.handle_input(now, input) {
                peer.received
                    .push((datagram.from, datagram.bytes[range].to_vec()));
            }
        }
        if !taken {
            self.stray
                .push((datagram.from, datagram.to, datagram.bytes));
        }
    }

    /// Lets `duration` pass.
    pub fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut steps = 0_u32;
        while self.step(until) {
            steps += 1;
            assert!(steps < 200_000, "seed {}: time stands still", self.seed);
        }
    }

    /// Lets time pass until `done`, at most `limit`; returns how long it took.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> Option<Duration> {
        let (begin, until) = (self.now, self.now + limit);
        let mut steps = 0_u32;
        while !done(self) {
            if !self.step(until) {
                return done(self).then(|| self.now - begin);
            }
            steps += 1;
            assert!(steps < 200_000, "seed {}: time stands still", self.seed);
        }
        Some(self.now - begin)
    }

    pub fn state(&self, peer: usize) -> IceState {
        self.peers[peer].agent.state()
    }

    pub fn both(&self, state: IceState) -> bool {
        self.state(A) == state && self.state(B) == state
    }

    /// Sends data on the path in use; whether there was one.
    pub fn send(&mut self, from: usize, data: &[u8]) -> bool {
        let now = self.now;
        let mut buf = [0; 1500];
        buf[..data.len()].copy_from_slice(data);
        let agent = &mut self.peers[from].agent;
        let Some((range, transmit)) = agent.wrap(now, &mut buf, 0..data.len(), None) else {
            return false;
        };
        let bytes = buf[range].to_vec();
        self.carry(from, transmit.local, transmit.remote, bytes);
        true
    }

    /// The addresses of the path in use, from this end's view.
    pub fn path(&self, peer: usize) -> Option<(SocketAddr, SocketAddr)> {
        let route = self.peers[peer].agent.route()?;
        Some((route.local, route.remote))
    }

    /// Whether data sent by each end arrives at the other.
    pub fn data_flows(&mut self) -> bool {
        let before = [A, B].map(|peer| self.peers[peer].received.len());
        let sent = [A, B].map(|peer| self.send(peer, b"\x80data"));
        self.run(self.delay + self.jitter + Duration::from_millis(1));
        sent == [true, true]
            && [A, B]
                .into_iter()
                .all(|peer| self.peers[peer].received.len() > before[peer])
    }

    /// The states an end went through.
    pub fn states(&self, peer: usize) -> Vec<IceState> {
        let events = self.peers[peer].events.iter();
        events
            .filter_map(|(_, event)| match event {
                IceEvent::StateChange(state) => Some(*state),
                _ => None,
            })
            .collect()
    }
}
