mod peer;
mod shell;

pub use peer::IcePeer;

use super::{MAX_BURST, MAX_DATAGRAM, MAX_STALE_TIMEOUTS};
use crate::seed::layer_seed;
use crate::{Clock, Fate, Fault, Leaving, Link, Network, Packet, Record, Side};
use layer::{IceConfig, IceRole, Input, Interface, NewIce, Protocol, Received, Transmit};
use shell::Signal;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Two agents, each on its own host of one [`Network`], and a clock: runs in virtual time.
///
/// The driver plays the shell: it answers interface lists, binds and names at once, refuses TCP,
/// and carries candidates from one end to the other as they are found.
pub struct IcePair {
    /// One end.
    pub a: IcePeer,
    /// The other end.
    pub b: IcePeer,
    /// What lies between.
    pub network: Network,
    /// How long candidates take to the other end; `None` leaves them in the events for the test
    /// to carry. Default: none at all.
    pub signaling_delay: Option<Duration>,
    /// Decides about every packet before it reaches the network.
    pub fault: Option<Fault>,
    /// When set, takes down every packet that is sent.
    pub record: Option<Record>,
    clock: Clock,
    sent: [usize; 2],
    signals: BTreeMap<(Instant, u64), (Side, Signal)>,
    signal_sequence: u64,
    stale_timeouts: usize,
    buffer: Vec<u8>,
}

impl IcePair {
    /// Two new agents on hosts with these addresses, made by two factories (which may be the same),
    /// `configure`d alike.
    #[must_use]
    pub fn new(
        factories: [&dyn NewIce; 2],
        addresses: [&[IpAddr]; 2],
        link: &Link,
        seed: u64,
        configure: impl Fn(&mut IceConfig),
    ) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(link.clone(), seed);
        let mut peer = |factory: &dyn NewIce, addresses: &[IpAddr], label| {
            let mut config = IceConfig::new(Waker::noop().clone());
            configure(&mut config);
            IcePeer {
                machine: factory.new_ice(clock.start(layer_seed(seed, label)), config),
                events: Vec::new(),
                data: Vec::new(),
                host: network.add_host(interfaces(addresses)),
                wrapped: VecDeque::new(),
            }
        };
        let a = peer(factories[0], addresses[0], b"ice    a");
        let b = peer(factories[1], addresses[1], b"ice    b");
        Self {
            a,
            b,
            network,
            signaling_delay: Some(Duration::ZERO),
            fault: None,
            record: None,
            clock,
            sent: [0; 2],
            signals: BTreeMap::new(),
            signal_sequence: 0,
            stale_timeouts: 0,
            buffer: vec![0; MAX_DATAGRAM],
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

    /// One end.
    pub fn end(&mut self, side: Side) -> &mut IcePeer {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// How many packets an end has sent.
    #[must_use]
    pub fn datagrams_sent(&self, side: Side) -> usize {
        self.sent[side as usize]
    }

    /// Tells each end the other's current credentials.
    ///
    /// # Panics
    ///
    /// If an end refuses them.
    pub fn exchange_credentials(&mut self) {
        let now = self.now();
        let credentials = [
            self.a.machine.local_credentials().clone(),
            self.b.machine.local_credentials().clone(),
        ];
        let [of_a, of_b] = credentials;
        for (end, theirs) in [(&mut self.a, of_b), (&mut self.b, of_a)] {
            end.machine
                .set_remote_credentials(now, theirs, false)
                .unwrap_or_else(|error| panic!("credentials were refused: {error}"));
        }
    }

    /// Makes `a` controlling and `b` controlled, exchanges credentials and lets both gather,
    /// without running.
    ///
    /// # Panics
    ///
    /// If an end refuses the credentials.
    pub fn start(&mut self) {
        let now = self.now();
        self.a.machine.set_role(now, IceRole::Controlling);
        self.b.machine.set_role(now, IceRole::Controlled);
        self.exchange_credentials();
        self.a.machine.gather(now);
        self.b.machine.gather(now);
        self.settle();
    }

    /// Starts both ends and runs until both can send data; `false` if they cannot within `limit`.
    ///
    /// # Panics
    ///
    /// As [`start`](IcePair::start).
    #[must_use]
    pub fn connect(&mut self, limit: Duration) -> bool {
        self.start();
        self.run_until(limit, |pair| pair.a.connected() && pair.b.connected())
    }

    /// Runs until `done` answers `true`, which is then the result, or until `limit` of virtual time
    /// has passed. `done` is asked whenever everything is at rest, and may call verbs.
    ///
    /// # Panics
    ///
    /// If an end never stops sending, or keeps asking for a timeout that has passed.
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
    /// As [`run_until`](IcePair::run_until).
    pub fn run_for(&mut self, time: Duration) {
        let _ = self.run_until(time, |_| false);
    }

    /// Takes all output that is there now, without letting time pass or packets arrive.
    ///
    /// # Panics
    ///
    /// If an end never stops sending.
    pub fn settle(&mut self) {
        for _ in 0..MAX_BURST {
            let moved = self.poll(Side::A) | self.poll(Side::B);
            if !moved {
                return;
            }
        }
        panic!("the pair does not come to rest at {:?}", self.elapsed());
    }

    fn next_instant(&self) -> Option<Instant> {
        [
            self.network.next_arrival(),
            self.signals.keys().next().map(|(at, _)| *at),
            self.a.machine.poll_timeout(),
            self.b.machine.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Moves to `instant` and performs everything that is due then, polling after each.
    fn step(&mut self, instant: Instant) {
        if instant > self.now() {
            self.stale_timeouts = 0;
        }
        self.clock.advance_to(instant);
        self.settle();
        self.carry_signals();
        self.receive();
        self.fire(Side::A);
        self.fire(Side::B);
    }

    fn receive(&mut self) {
        let now = self.now();
        while let Some((host, socket, mut packet)) = self.network.receive(now) {
            let side = if host == self.a.host {
                Side::A
            } else {
                Side::B
            };
            let end = self.end(side);
            let input = Input::new(socket, packet.destination, packet.source, &mut packet.bytes);
            if let Received::Data { range } = end.machine.handle_input(now, input) {
                end.data.push(packet.bytes[range].to_vec());
            }
            self.settle();
        }
    }

    fn fire(&mut self, side: Side) {
        let now = self.now();
        let agent = &mut self.end(side).machine;
        if agent.poll_timeout().is_some_and(|timeout| timeout <= now) {
            agent.handle_timeout(now);
            self.stale_timeouts += 1;
            assert!(
                self.stale_timeouts <= MAX_STALE_TIMEOUTS,
                "{side:?} keeps asking for a timeout that has passed at {:?}",
                self.elapsed()
            );
            self.settle();
        }
    }

    /// Polls one end until it has no output; tells whether it had some.
    fn poll(&mut self, side: Side) -> bool {
        let now = self.now();
        let mut moved = false;
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            for _ in 0..MAX_BURST {
                let agent = &mut self.end(side).machine;
                let Some(transmit) = agent.poll_transmit(now, &mut buffer) else {
                    break;
                };
                moved = true;
                self.send(side, &transmit, &buffer[..transmit.len]);
            }
            self.buffer = buffer;
            while let Some((transmit, bytes)) = self.end(side).wrapped.pop_front() {
                moved = true;
                self.send(side, &transmit, &bytes);
            }
            let Some(event) = self.end(side).machine.poll_event() else {
                return moved;
            };
            moved = true;
            self.answer(side, &event);
            self.end(side).events.push(event);
        }
    }

    /// Puts a packet, or each of a run of them, on the network, unless a fault decides otherwise.
    fn send(&mut self, from: Side, transmit: &Transmit, bytes: &[u8]) {
        assert_eq!(
            transmit.protocol,
            Protocol::Udp,
            "this network has datagrams only"
        );
        let size = transmit.segment_size.unwrap_or(bytes.len()).max(1);
        for segment in bytes.chunks(size) {
            self.send_one(from, transmit, segment);
        }
    }

    fn send_one(&mut self, from: Side, transmit: &Transmit, bytes: &[u8]) {
        let (now, at) = (self.now(), self.elapsed());
        let index = self.sent[from as usize];
        self.sent[from as usize] += 1;
        if let Some(record) = &mut self.record {
            record.push(at, from, bytes);
        }
        let leaving = Leaving {
            from,
            index,
            at,
            path: Some((transmit.local, transmit.remote)),
            bytes,
        };
        let fate = self
            .fault
            .as_mut()
            .map_or(Fate::Pass, |fault| fault(leaving));
        let host = self.end(from).host;
        let packet = Packet::new(transmit.local, transmit.remote, bytes.to_vec());
        match fate {
            Fate::Pass => self.network.send(now, host, packet),
            Fate::Drop => {}
            Fate::Duplicate => {
                self.network.send(now, host, packet.clone());
                self.network.send(now, host, packet);
            }
            Fate::Delay(by) => {
                let arrival = now + self.network.link.delay + by;
                self.network.deliver_at(arrival, packet);
            }
            Fate::Replace(bytes) => {
                let packet = Packet { bytes, ..packet };
                self.network.send(now, host, packet);
            }
        }
    }
}

impl fmt::Debug for IcePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcePair")
            .field("a", &self.a)
            .field("b", &self.b)
            .field("elapsed", &self.clock.elapsed())
            .field("network", self.network.stats())
            .finish_non_exhaustive()
    }
}

/// One interface per address, named `if0`, `if1`, …
fn interfaces(addresses: &[IpAddr]) -> Vec<Interface> {
    addresses
        .iter()
        .enumerate()
        .map(|(index, address)| Interface::new(format!("if{index}"), *address))
        .collect()
}
