//! What a byte costs two associations, by how much is in flight.
//!
//! Packets arrive at once, in one buffer; what they are answered with is held back until so many
//! bytes are in flight. So nothing but the association remembers what is in flight, and its memory
//! alone grows with it. The user sends the same message again and again, or others, which is to read
//! memory that was touched long ago, or writes each before it sends it, as users do.
//!
//! The second number, a depth in KiB, measures that alone, for a profiler.
//!
//! `cargo bench -p muonrtc-sctp --bench in_flight [-- MEGABYTES [DEPTH]]`

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConfig, SctpConnect, Seed, Start};
use muonrtc_sctp::{Association, CongestionControl, Factory};
use std::collections::VecDeque;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

/// What the path carries in a second: time passes as bytes do.
const NANOS_PER_BYTE: u64 = 1;

/// How many times the bytes in flight are sent before anything is measured: windows grow.
const WARM_UP: usize = 12;

/// What the user keeps queued.
const QUEUED: usize = 128 * 1024;

/// How often each is measured; the least counts.
const ROUNDS: usize = 7;

struct Path {
    ends: [Association; 2],
    now: Instant,
    /// Bytes that may be in flight.
    depth: usize,
    /// Bytes that have left and whose answers have not come.
    in_flight: usize,
    /// Answers, one after the other: what had left since the one before, and the length.
    held: VecDeque<(usize, usize)>,
    answers: VecDeque<u8>,
    /// What has left since the last answer.
    unanswered: usize,
    buf: Vec<u8>,
    received: usize,
}

impl Path {
    fn new(depth: usize, packet: usize) -> Self {
        let now = Instant::now();
        let mut factory = Factory::default();
        // Nothing else grows without end where nothing is lost.
        factory.congestion = CongestionControl::Reno;
        factory.send_buffer = 40 * 1024 * 1024;
        let end = |label| {
            let start = Start::new(now, SystemTime::UNIX_EPOCH, Seed::new([label; 32]));
            let mut config = SctpConfig::new(Waker::noop().clone());
            config.authenticated = true;
            config.max_packet = packet;
            factory.association(start, config)
        };
        let mut path = Self {
            ends: [end(1), end(2)],
            now,
            depth,
            in_flight: 0,
            held: VecDeque::new(),
            answers: VecDeque::new(),
            unanswered: 0,
            buf: vec![0; packet],
            received: 0,
        };
        for end in &mut path.ends {
            end.connect(now, SctpConnect::new(5000, 5000)).unwrap();
        }
        while path.forth() || path.back() {}
        path
    }

    /// Carries one packet to the receiver, and keeps its answers.
    fn forth(&mut self) -> bool {
        let [sender, receiver] = &mut self.ends;
        let Some(len) = sender.poll_transmit(self.now, &mut self.buf) else {
            return false;
        };
        self.now += Duration::from_nanos(NANOS_PER_BYTE * len as u64);
        self.in_flight += len;
        self.unanswered += len;
        receiver.handle_input(self.now, &self.buf[..len]);
        while let Some(message) = receiver.poll_message() {
            self.received += message.data.len();
            receiver.consume(self.now, message.stream, message.data.len());
        }
        while receiver.poll_event().is_some() {}
        while let Some(len) = self.ends[1].poll_transmit(self.now, &mut self.buf) {
            self.answers.extend(&self.buf[..len]);
            let answered = std::mem::take(&mut self.unanswered);
            self.held.push_back((answered, len));
        }
        true
    }

    /// Lets one answer come.
    fn back(&mut self) -> bool {
        let Some((answered, len)) = self.held.pop_front() else {
            return false;
        };
        self.in_flight -= answered;
        for (to, byte) in self.buf.iter_mut().zip(self.answers.drain(..len)) {
            *to = byte;
        }
        self.ends[0].handle_input(self.now, &self.buf[..len]);
        while self.ends[0].poll_event().is_some() {}
        true
    }

    fn time_passes(&mut self) {
        let timers = self.ends.iter().map(Association::poll_timeout);
        self.now = self.now.max(timers.flatten().min().unwrap());
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
    }

    fn transfer(&mut self, bytes: usize, user: &mut User) {
        let until = self.received + bytes;
        while self.received < until {
            while self.ends[0].buffered_amount(0) < QUEUED {
                let message = Outgoing::new(0, 53, user.message());
                self.ends[0].send(self.now, message).unwrap();
            }
            let is_full = self.in_flight >= self.depth;
            if (is_full || !self.forth()) && !self.back() {
                self.time_passes();
            }
        }
    }
}

/// What the sending user does with memory.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// Sends the same message again and again.
    Same,
    /// Sends messages that it has, each at another place.
    Other,
    /// Writes each before it sends it.
    Written,
}

struct User {
    habit: Habit,
    messages: VecDeque<Bytes>,
}

impl User {
    /// With as many messages of this length as are under way at once.
    fn new(habit: Habit, len: usize, depth: usize) -> Self {
        let count = match habit {
            Habit::Same => 1,
            Habit::Other | Habit::Written => (depth + 2 * QUEUED) / len + 2,
        };
        let message = || Bytes::from(vec![7; len]);
        Self {
            habit,
            messages: std::iter::repeat_with(message).take(count).collect(),
        }
    }

    fn message(&mut self) -> Bytes {
        let mut message = self.messages.pop_front().unwrap();
        if matches!(self.habit, Habit::Written) {
            let mut bytes = message.try_into_mut().expect("it was acknowledged");
            bytes.fill(7);
            message = bytes.freeze();
        }
        self.messages.push_back(message.clone());
        message
    }
}

/// What this thread has used, where the system tells; else the time of day.
fn processor_time() -> Duration {
    // The system counts when it schedules.
    std::thread::yield_now();
    let nanos = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(
        || SystemTime::UNIX_EPOCH.elapsed().unwrap(),
        Duration::from_nanos,
    )
}

#[inline(never)]
fn measured(path: &mut Path, bytes: usize, user: &mut User) -> f64 {
    let began = processor_time();
    path.transfer(bytes, user);
    (processor_time() - began).as_secs_f64() / bytes as f64 * 1e9
}

/// What the user's own writing costs, without any association.
fn writing(user: &mut User, bytes: usize) -> f64 {
    let began = processor_time();
    let mut written = 0;
    while written < bytes {
        written += user.message().len();
    }
    (processor_time() - began).as_secs_f64() / bytes as f64 * 1e9
}

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let bytes = numbers.next().unwrap_or(32) * 1_000_000;
    let only = numbers.next();
    let depths = [64, 256, 1024, 4096, 16 * 1024];
    let depths = depths
        .into_iter()
        .filter(|&depth| only.is_none_or(|only| only == depth));
    println!("CPU-s/GB of both ends + of the user, and what the association says is in flight");
    for (packet, len) in [
        (1150, 1024),
        (1150, 16 * 1024),
        (1150, 64 * 1024),
        (65_000, 1024),
        (65_000, 64 * 1024),
    ] {
        for habit in [Habit::Same, Habit::Other, Habit::Written] {
            let mut paths: Vec<_> = depths
                .clone()
                .map(|depth| {
                    let mut user = User::new(habit, len, depth * 1024);
                    let mut path = Path::new(depth * 1024, packet);
                    path.transfer(WARM_UP * depth * 1024, &mut user);
                    (path, user, [f64::INFINITY; 2])
                })
                .collect();
            // In turns, so that what else the machine does falls on all of them.
            for _ in 0..ROUNDS {
                for (path, user, [whole, own]) in &mut paths {
                    *whole = whole.min(measured(path, bytes, user));
                    // In flight is still what was in flight: only others may be written.
                    let mut user = User::new(habit, len, path.depth);
                    writing(&mut user, bytes / 4);
                    *own = own.min(writing(&mut user, bytes));
                }
            }
            print!("{len:5} in {packet:5} {:7}", format!("{habit:?}"));
            for (path, _, [whole, own]) in &paths {
                let in_flight = path.ends[0].stats().in_flight / 1024;
                print!(" {:6.3} + {own:.3} at {in_flight:5} KiB;", whole - own);
            }
            println!();
        }
    }
}
