mod dtls;
mod ice;
mod sctp;

pub use dtls::DtlsPeer;
pub use ice::{IcePair, IcePeer};
pub use sctp::SctpPeer;

use crate::{Clock, Fate, Fault, Leaving, Link, Record, Side, Wakes, Wire};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest datagram an end may make: what UDP carries.
const MAX_DATAGRAM: usize = 65_535;

/// How many datagrams an end may hand out without any input before the driver calls it a loop.
const MAX_BURST: usize = 1_000_000;

/// How often an end may ask for a timeout that has passed already before the driver calls it a loop.
const MAX_STALE_TIMEOUTS: usize = 1_000;

/// One end of a [`Pair`]: a machine, and what came out of it.
///
/// [`SctpPeer`] and [`DtlsPeer`] hold the machines of those layers; implement it for a stack of
/// layers, or for a machine of your own.
pub trait Peer {
    /// Takes one datagram.
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]);

    /// Time has come to the instant that [`poll_timeout`](Peer::poll_timeout) gave.
    fn handle_timeout(&mut self, now: Instant);

    /// Writes the next datagram into `buf` and returns its length.
    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize>;

    /// When [`handle_timeout`](Peer::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Collects events and then messages until there are none, and tells whether there were any.
    fn collect(&mut self, now: Instant) -> bool;
}

/// Runs the tasks of machines that have some, until none can go on, with their clock at the given
/// instant. Answers when to be called again at the latest, if nothing else happens before.
///
/// A machine of the layers usually has no tasks. One that stands on an async backend does; put here
/// what runs its executor (see [`Pair::tasks`]).
pub type Tasks = Box<dyn FnMut(Instant) -> Option<Instant>>;

/// Two ends, a wire in each direction, and a clock: runs in virtual time.
///
/// The ends are public: call verbs on them between runs, and look at what they collected. Their
/// output is polled in the order that `layer` asks for (datagrams, timeout, events, messages, until
/// there are none) after every single input.
pub struct Pair<P> {
    /// One end.
    pub a: P,
    /// The other end.
    pub b: P,
    /// The direction from `a` to `b`.
    pub a_to_b: Wire,
    /// The direction from `b` to `a`.
    pub b_to_a: Wire,
    /// Decides about every datagram before it reaches its wire.
    pub fault: Option<Fault>,
    /// When set, takes down every datagram that is sent.
    pub record: Option<Record>,
    /// Runs after every poll, for machines with tasks of their own.
    pub tasks: Option<Tasks>,
    /// Counts the wakes of both ends, if they were made with its waker.
    pub wakes: Arc<Wakes>,
    clock: Clock,
    sent: [usize; 2],
    /// When the tasks want to run again.
    tasks_at: Option<Instant>,
    unwoken_outputs: usize,
    stale_timeouts: usize,
    buffer: Vec<u8>,
}

impl<P: Peer> Pair<P> {
    /// Two ends with the same link in both directions.
    #[must_use]
    pub fn new(clock: Clock, seed: u64, link: &Link, a: P, b: P) -> Self {
        Self {
            a,
            b,
            a_to_b: Wire::new(link.clone(), seed, b"wire a>b"),
            b_to_a: Wire::new(link.clone(), seed, b"wire b>a"),
            fault: None,
            record: None,
            tasks: None,
            wakes: Wakes::new(),
            clock,
            sent: [0; 2],
            tasks_at: None,
            unwoken_outputs: 0,
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
    pub fn end(&mut self, side: Side) -> &mut P {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// How many datagrams an end has sent.
    #[must_use]
    pub fn datagrams_sent(&self, side: Side) -> usize {
        self.sent[side as usize]
    }

    /// How often [`tasks`](Pair::tasks) made output and woke nobody through [`wakes`](Pair::wakes):
    /// a driver that waits to be woken would not have seen it.
    #[must_use]
    pub fn unwoken_outputs(&self) -> usize {
        self.unwoken_outputs
    }

    /// Changes the links of both directions from now on.
    pub fn set_link(&mut self, link: &Link) {
        self.a_to_b.link = link.clone();
        self.b_to_a.link = link.clone();
    }

    /// Hands a datagram of the test's own making to one end at once.
    pub fn inject(&mut self, to: Side, datagram: &[u8]) {
        let now = self.now();
        let mut datagram = datagram.to_vec();
        self.end(to).handle_input(now, &mut datagram);
        self.settle();
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
    /// As [`run_until`](Pair::run_until).
    pub fn run_for(&mut self, time: Duration) {
        let _ = self.run_until(time, |_| false);
    }

    /// Takes all output that is there now, without letting time pass or datagrams arrive.
    ///
    /// # Panics
    ///
    /// If an end never stops sending.
    pub fn settle(&mut self) {
        for _ in 0..MAX_BURST {
            let mut moved = self.poll(Side::A);
            moved |= self.poll(Side::B);
            moved |= self.run_tasks();
            if !moved {
                return;
            }
        }
        panic!("the pair does not come to rest at {:?}", self.elapsed());
    }

    /// When something happens next: an arrival, a timeout, or a task that wants to run.
    fn next_instant(&self) -> Option<Instant> {
        [
            self.a_to_b.next_arrival(),
            self.b_to_a.next_arrival(),
            self.a.poll_timeout(),
            self.b.poll_timeout(),
            self.tasks_at,
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
        for side in [Side::A, Side::B] {
            self.receive(side);
            self.fire(side);
        }
    }

    /// Hands one end everything that has arrived for it.
    fn receive(&mut self, side: Side) {
        let now = self.now();
        loop {
            let wire = match side {
                Side::A => &mut self.b_to_a,
                Side::B => &mut self.a_to_b,
            };
            let Some((_, mut datagram)) = wire.receive(now) else {
                return;
            };
            self.end(side).handle_input(now, &mut datagram);
            self.settle();
        }
    }

    /// Fires the timer of one end if it is due.
    fn fire(&mut self, side: Side) {
        let now = self.now();
        let end = self.end(side);
        if end.poll_timeout().is_some_and(|timeout| timeout <= now) {
            end.handle_timeout(now);
            self.stale_timeouts += 1;
            assert!(
                self.stale_timeouts <= MAX_STALE_TIMEOUTS,
                "{side:?} keeps asking for a timeout that has passed at {:?}",
                self.elapsed()
            );
            self.settle();
        }
    }

    /// Runs the tasks and polls what they made; tells whether they made something.
    fn run_tasks(&mut self) -> bool {
        let now = self.now();
        let Some(tasks) = &mut self.tasks else {
            return false;
        };
        let wakes = self.wakes.count();
        self.tasks_at = tasks(now).filter(|instant| *instant > now);
        let made = self.poll(Side::A) | self.poll(Side::B);
        if made && self.wakes.count() == wakes {
            self.unwoken_outputs += 1;
        }
        made
    }

    /// Polls one end in the order of the layers until it has no output; tells whether it had some.
    fn poll(&mut self, side: Side) -> bool {
        let now = self.now();
        let mut moved = false;
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            for _ in 0..MAX_BURST {
                let Some(len) = self.end(side).poll_transmit(now, &mut buffer) else {
                    break;
                };
                moved = true;
                self.send(side, &buffer[..len]);
            }
            self.buffer = buffer;
            if !self.end(side).collect(now) {
                return moved;
            }
            moved = true;
        }
    }

    /// Puts a datagram on its wire, unless a fault decides otherwise.
    fn send(&mut self, from: Side, bytes: &[u8]) {
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
            path: None,
            bytes,
        };
        let fate = self
            .fault
            .as_mut()
            .map_or(Fate::Pass, |fault| fault(leaving));
        let wire = match from {
            Side::A => &mut self.a_to_b,
            Side::B => &mut self.b_to_a,
        };
        match fate {
            Fate::Pass => wire.send(now, bytes.to_vec()),
            Fate::Drop => {}
            Fate::Duplicate => {
                wire.send(now, bytes.to_vec());
                wire.send(now, bytes.to_vec());
            }
            Fate::Delay(by) => wire.deliver_at(now + wire.link.delay + by, bytes.to_vec()),
            Fate::Replace(other) => wire.send(now, other),
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for Pair<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("a", &self.a)
            .field("b", &self.b)
            .field("elapsed", &self.clock.elapsed())
            .finish_non_exhaustive()
    }
}
