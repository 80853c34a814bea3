//! What a path of less than a millisecond carries between machines that do not wake at once.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConnect, SctpEvent};
use link::{Dice, config, start};
use muonrtc_sctp::{Association, Factory};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One way.
const DELAY: Duration = Duration::from_micros(100);

/// How long a machine takes at most to notice a packet or a timer.
const NAP: Duration = Duration::from_micros(200);

/// What a packet costs the machine that sends or receives it.
const WORK: Duration = Duration::from_micros(5);

/// How long a packet waits at most in a switch.
const QUEUE: Duration = Duration::from_millis(1);

/// What the application of the sender keeps in the queue, in bytes.
const BUFFERED: usize = 256 * 1024;

/// Before this the flow is not watched.
const WARM: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
struct Path {
    /// Packets of a thousand that are lost by chance, in either direction.
    loss: u64,
    /// What a switch passes on, in bytes per second.
    rate: Option<u64>,
}

/// An end, and the machine that it runs on.
struct Machine {
    sctp: Association,
    /// Arrival times and packets.
    inbox: VecDeque<(Instant, Vec<u8>)>,
    /// When it looks for something to do.
    wakes_at: Option<Instant>,
    busy_until: Instant,
    /// When the way from here is free again.
    free_at: Instant,
    received: usize,
}

impl Machine {
    fn new(now: Instant, seed: u64, label: u8) -> Self {
        let mut sctp = Factory::default().association(start(now, seed, label), config());
        sctp.connect(now, SctpConnect::new(5000, 5000)).unwrap();
        Self {
            sctp,
            inbox: VecDeque::new(),
            wakes_at: Some(now),
            busy_until: now,
            free_at: now,
            received: 0,
        }
    }

    /// Takes what has come, and what is due. What it sends comes back with the time of its arrival.
    fn work(
        &mut self,
        now: Instant,
        sends: bool,
        path: Path,
        dice: &mut Dice,
    ) -> Vec<(Instant, Vec<u8>)> {
        let mut clock = now.max(self.busy_until);
        while self.inbox.front().is_some_and(|(at, _)| *at <= clock) {
            let (_, packet) = self.inbox.pop_front().unwrap();
            self.sctp.handle_input(clock, &packet);
            clock += WORK;
        }
        if self.sctp.poll_timeout().is_some_and(|due| due <= clock) {
            self.sctp.handle_timeout(clock);
        }
        while let Some(message) = self.sctp.poll_message() {
            self.received += message.data.len();
            let (stream, len) = (message.stream, message.data.len());
            self.sctp.consume(clock, stream, len);
        }
        while let Some(event) = self.sctp.poll_event() {
            assert!(!matches!(event, SctpEvent::Ended(_)), "{event:?}");
        }
        let mut sent = Vec::new();
        let mut buf = [0; 2048];
        loop {
            while sends && self.sctp.buffered_amount(0) < BUFFERED {
                let message = Outgoing::new(0, 53, Bytes::from_static(&[3; 16 * 1024]));
                if self.sctp.send(clock, message).is_err() {
                    break;
                }
            }
            let Some(len) = self.sctp.poll_transmit(clock, &mut buf) else {
                break;
            };
            clock += WORK;
            if let Some(arrives) = self.carry(clock, len, path, dice) {
                sent.push((arrives, buf[..len].to_vec()));
            }
        }
        self.busy_until = clock;
        let arrival = self.inbox.front().map(|(at, _)| *at);
        let next = self.sctp.poll_timeout().into_iter().chain(arrival).min();
        self.wakes_at = next.map(|next| next.max(clock) + nap(dice));
        sent
    }

    /// When a packet arrives, if it does.
    fn carry(&mut self, now: Instant, len: usize, path: Path, dice: &mut Dice) -> Option<Instant> {
        if dice.roll() % 1000 < path.loss {
            return None;
        }
        let Some(rate) = path.rate else {
            return Some(now + DELAY);
        };
        let begins = self.free_at.max(now);
        if begins - now > QUEUE {
            return None;
        }
        self.free_at = begins + Duration::from_nanos(len as u64 * 1_000_000_000 / rate);
        Some(self.free_at + DELAY)
    }
}

fn nap(dice: &mut Dice) -> Duration {
    Duration::from_nanos(dice.roll() % (NAP.as_nanos() as u64))
}

/// MB/s during a second.
fn carried(path: Path, seed: u64) -> f64 {
    let began = Instant::now();
    let mut dice = Dice::new(seed);
    let mut machines = [1, 2].map(|label| Machine::new(began, seed, label));
    let mut before = None;
    loop {
        let wakes = |at: usize| machines[at].wakes_at.map(|time| (time, at));
        let (now, at) = [0, 1].into_iter().filter_map(wakes).min().unwrap();
        let received = machines[1].received;
        if now >= began + WARM {
            before.get_or_insert(received);
        }
        if now >= began + WARM + Duration::from_secs(1) {
            return (received - before.unwrap_or_default()) as f64 / 1e6;
        }
        let sent = machines[at].work(now, at == 0, path, &mut dice);
        let other = &mut machines[1 - at];
        if let Some((arrives, _)) = sent.first() {
            let wakes = *arrives + nap(&mut dice);
            other.wakes_at = Some(other.wakes_at.map_or(wakes, |at| at.min(wakes)));
        }
        other.inbox.extend(sent);
    }
}

/// That this many MB/s get through whatever the seed.
fn assert_carries(path: Path, least: f64) {
    for seed in 1..=3 {
        let carried = carried(path, seed);
        println!("{path:?}, seed {seed}: {carried:.1} MB/s");
        assert!(carried > least, "{path:?}, seed {seed}: {carried:.1} MB/s");
    }
}

#[test]
fn a_local_network_that_loses_packets_by_chance_is_not_taken_for_a_full_one() {
    // The machines themselves could do 200.
    for (loss, least) in [(0, 150.0), (1, 100.0), (10, 70.0), (50, 20.0)] {
        assert_carries(Path { loss, rate: None }, least);
    }
}

#[test]
fn a_switch_with_a_short_queue_is_kept_busy() {
    let rate = Some(125_000_000);
    for (loss, least) in [(0, 90.0), (10, 45.0), (50, 20.0)] {
        assert_carries(Path { loss, rate }, least);
    }
}
