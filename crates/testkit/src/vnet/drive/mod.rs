//! A driver that runs ICE agents on the hosts of a network, in virtual time.

mod shell;

use super::{Arrived, Delivery, HostId, Network, Sockets};
use crate::Clock;
use crate::seed::layer_seed;
use layer::{
    Candidate, Ice, IceConfig, IceEvent, IceRole, IceState, Input, NewIce, Received, RequestId,
    Transmit,
};
use std::collections::BTreeMap;
use std::fmt;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Packets and events that one agent may put out in one instant before it counts as broken.
const MAX_BURST: usize = 100_000;

/// Timeouts in one instant before an agent counts as broken: it asks for one that has passed.
const MAX_STALE_TIMEOUTS: usize = 1000;

/// The largest packet that an agent makes, with room to spare.
const MAX_PACKET: usize = 2048;

/// Names one agent of a [`Drive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(usize);

/// Any number of ICE agents on the hosts of a [`Network`], a clock, and the signalling between them.
///
/// The driver plays the shell: it answers interface lists, binds, names and TCP connections out of
/// the network, frames the packets of streams, and carries candidates between agents that were
/// [introduced](Drive::introduce). TLS is left out, as [`Sockets`] says.
pub struct Drive {
    /// What lies between.
    pub network: Network,
    /// How long candidates take from one agent to the other. Default: none at all.
    pub signaling_delay: Duration,
    clock: Clock,
    agents: Vec<Participant>,
    signals: BTreeMap<(Instant, u64), (AgentId, Signal)>,
    signal_sequence: u64,
    stale_timeouts: usize,
}

/// One agent on its host, and what came out of it.
pub struct Participant {
    /// The agent.
    pub machine: Box<dyn Ice>,
    /// Every event so far, requests to the shell included; drain it as you like.
    pub events: Vec<IceEvent>,
    /// Data for the layers above; drain it as you like.
    pub data: Vec<Vec<u8>>,
    partner: Option<AgentId>,
    listing: Option<RequestId>,
    sockets: Sockets,
}

/// What one agent tells another outside the network.
#[derive(Debug)]
enum Signal {
    Candidate(Candidate),
    /// Of the generation with this user name fragment.
    EndOfCandidates(String),
}

impl Drive {
    /// No agents yet; time begins.
    #[must_use]
    pub fn new(network: Network) -> Self {
        Self::starting(Clock::new(), network)
    }

    /// No agents yet, on a clock that already stands in front of the network.
    #[must_use]
    pub fn starting(clock: Clock, network: Network) -> Self {
        Self {
            network,
            signaling_delay: Duration::ZERO,
            clock,
            agents: Vec::new(),
            signals: BTreeMap::new(),
            signal_sequence: 0,
            stale_timeouts: 0,
        }
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Puts a new agent on a host. `configure` sets its servers and policy.
    pub fn add_agent(
        &mut self,
        host: HostId,
        factory: &dyn NewIce,
        configure: impl FnOnce(&mut IceConfig),
    ) -> AgentId {
        let mut config = IceConfig::new(Waker::noop().clone());
        configure(&mut config);
        let label = super::network::label(b"ice ", self.agents.len());
        let start = self.clock.start(layer_seed(self.network.seed, &label));
        self.agents.push(Participant {
            machine: factory.new_ice(start, config),
            events: Vec::new(),
            data: Vec::new(),
            partner: None,
            listing: None,
            sockets: Sockets::new(host),
        });
        AgentId(self.agents.len() - 1)
    }

    /// One agent.
    pub fn agent(&mut self, agent: AgentId) -> &mut Participant {
        &mut self.agents[agent.0]
    }

    /// Makes two agents partners: the first controls, each is told the other's credentials, both
    /// gather, and candidates are carried between them from now on.
    ///
    /// # Panics
    ///
    /// If one refuses the credentials of the other.
    pub fn introduce(&mut self, controlling: AgentId, controlled: AgentId) {
        let now = self.now();
        let ends = [
            (controlling, controlled, IceRole::Controlling),
            (controlled, controlling, IceRole::Controlled),
        ];
        for (own, other, role) in ends {
            let theirs = self.agents[other.0].machine.local_credentials().clone();
            let end = &mut self.agents[own.0];
            end.partner = Some(other);
            end.machine.set_role(now, role);
            let set = end.machine.set_remote_credentials(now, theirs, false);
            set.unwrap_or_else(|error| panic!("credentials were refused: {error}"));
        }
        for (own, ..) in ends {
            self.agents[own.0].machine.gather(now);
        }
        self.settle();
    }

    /// Introduces two agents and runs until both can send data; `false` if they cannot within
    /// `limit`.
    ///
    /// # Panics
    ///
    /// As [`introduce`](Drive::introduce) and [`run_until`](Drive::run_until).
    #[must_use]
    pub fn connect(&mut self, one: AgentId, other: AgentId, limit: Duration) -> bool {
        self.introduce(one, other);
        self.run_until(limit, |drive| {
            drive.agents[one.0].connected() && drive.agents[other.0].connected()
        })
    }

    /// Tells an agent the interfaces that its host has now, unasked.
    pub fn interfaces_changed(&mut self, agent: AgentId) {
        let now = self.now();
        let end = &mut self.agents[agent.0];
        if let Some(request) = end.listing {
            let interfaces = self.network.interfaces(end.host());
            end.machine.interfaces_listed(now, request, &interfaces);
        }
        self.settle();
    }

    /// Sends data on the route that an agent has now; `false` if it has none.
    pub fn send(&mut self, agent: AgentId, payload: &[u8]) -> bool {
        let now = self.now();
        let machine = &mut self.agents[agent.0].machine;
        let Some(route) = machine.route() else {
            return false;
        };
        let end = route.headroom + payload.len();
        let mut buffer = vec![0; end + route.tailroom];
        buffer[route.headroom..end].copy_from_slice(payload);
        let Some((range, transmit)) = machine.wrap(now, &mut buffer, route.headroom..end, None)
        else {
            return false;
        };
        self.transmit(agent, &transmit, &buffer[range]);
        true
    }

    /// Runs until `done` answers `true`, which is then the result, or until `limit` of virtual time
    /// has passed. `done` is asked whenever everything is at rest, and may call verbs.
    ///
    /// # Panics
    ///
    /// If an agent never stops sending, or keeps asking for a timeout that has passed.
    #[must_use]
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let deadline = self.now() + limit;
        self.settle();
        loop {
            if done(self) {
                return true;
            }
            self.settle();
            match self.next_instant() {
                Some(next) if next <= deadline => self.step(next),
                _ => break,
            }
        }
        self.clock.advance_to(deadline);
        self.settle();
        done(self)
    }

    /// Runs for this much virtual time.
    ///
    /// # Panics
    ///
    /// As [`run_until`](Drive::run_until).
    pub fn run_for(&mut self, time: Duration) {
        let _ = self.run_until(time, |_| false);
    }

    fn next_instant(&self) -> Option<Instant> {
        let agents = self.agents.iter();
        agents
            .filter_map(|end| end.machine.poll_timeout())
            .chain(self.network.poll_timeout())
            .chain(self.signals.keys().next().map(|(at, _)| *at))
            .min()
    }

    /// Moves to `instant` and performs everything that is due then.
    fn step(&mut self, instant: Instant) {
        if instant > self.now() {
            self.stale_timeouts = 0;
        }
        self.clock.advance_to(instant);
        self.carry_signals();
        while let Some(delivery) = self.network.poll_deliver(self.clock.now()) {
            self.deliver(delivery);
            self.settle();
        }
        for index in 0..self.agents.len() {
            self.fire(index);
        }
    }

    fn fire(&mut self, index: usize) {
        let now = self.now();
        let machine = &mut self.agents[index].machine;
        if machine.poll_timeout().is_some_and(|timeout| timeout <= now) {
            machine.handle_timeout(now);
            self.stale_timeouts += 1;
            assert!(
                self.stale_timeouts <= MAX_STALE_TIMEOUTS,
                "an agent keeps asking for a timeout that has passed at {:?}",
                self.elapsed()
            );
            self.settle();
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let mut agents = self.agents.iter_mut();
        let Some(end) = agents.find(|end| end.sockets.owns(&delivery)) else {
            return;
        };
        let now = self.clock.now();
        for arrived in end.sockets.take(&mut self.network, delivery) {
            end.tell(now, arrived);
        }
    }

    /// Takes all output that is there now.
    fn settle(&mut self) {
        for _ in 0..MAX_BURST {
            let mut moved = false;
            for index in 0..self.agents.len() {
                moved |= self.poll(AgentId(index));
            }
            if !moved {
                return;
            }
        }
        panic!("the agents do not come to rest at {:?}", self.elapsed());
    }

    /// Takes the output of one agent; whether there was any.
    fn poll(&mut self, agent: AgentId) -> bool {
        let now = self.now();
        let mut buffer = [0; MAX_PACKET];
        let mut moved = false;
        while let Some(transmit) = self.agents[agent.0].machine.poll_transmit(now, &mut buffer) {
            moved = true;
            self.transmit(agent, &transmit, &buffer[..transmit.len]);
        }
        while let Some(event) = self.agents[agent.0].machine.poll_event() {
            moved = true;
            self.answer(agent, &event);
            self.agents[agent.0].events.push(event);
        }
        moved
    }

    fn transmit(&mut self, agent: AgentId, transmit: &Transmit, bytes: &[u8]) {
        let now = self.now();
        let sockets = &self.agents[agent.0].sockets;
        sockets.transmit(&mut self.network, now, transmit, bytes);
    }
}

impl Participant {
    fn tell(&mut self, now: Instant, arrived: Arrived) {
        match arrived {
            Arrived::Packet {
                socket,
                protocol,
                local,
                remote,
                mut bytes,
            } => {
                let mut input = Input::new(socket, local, remote, &mut bytes);
                input.protocol = protocol;
                if let Received::Data { range } = self.machine.handle_input(now, input) {
                    self.data.push(bytes[range].to_vec());
                }
            }
            Arrived::Connected { request, result } => {
                self.machine.tcp_connected(now, request, result);
            }
            Arrived::Closed { socket } => self.machine.socket_closed(now, socket),
        }
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> HostId {
        self.sockets.host()
    }

    /// Whether data can flow: connected or completed.
    #[must_use]
    pub fn connected(&self) -> bool {
        matches!(
            self.machine.state(),
            IceState::Connected | IceState::Completed
        )
    }
}

impl fmt::Debug for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participant")
            .field("state", &self.machine.state())
            .field("role", &self.machine.role())
            .field("events", &self.events)
            .field("stats", &self.machine.stats())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("elapsed", &self.elapsed())
            .field("agents", &self.agents)
            .field("network", self.network.stats())
            .finish_non_exhaustive()
    }
}
