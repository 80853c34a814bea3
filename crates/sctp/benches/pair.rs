//! What two associations cost back to back in memory, without encryption and sockets.
//!
//! The packets on the path lie in memory too, and long paths cost more for that reason: they write
//! and read each byte once more than the network would have them. `in_flight` leaves that out.
//!
//! `cargo bench -p muonrtc-sctp [-- MEGABYTES]`

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConfig, SctpConnect, SctpEvent, Seed, Start};
use muonrtc_sctp::{Association, CongestionControl, Factory};
use std::collections::VecDeque;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

/// A path without loss that delivers after a delay, in virtual time.
struct Path {
    ends: [Association; 2],
    now: Instant,
    delay: Duration,
    /// Packets on their way to each end, and empty buffers to put packets into.
    wires: [VecDeque<(Instant, Vec<u8>)>; 2],
    spare: Vec<Vec<u8>>,
    received: usize,
}

impl Path {
    fn new(delay: Duration, control: CongestionControl) -> Self {
        let now = Instant::now();
        let mut factory = Factory::default();
        factory.congestion = control;
        let end = |label| {
            let start = Start::new(now, SystemTime::UNIX_EPOCH, Seed::new([label; 32]));
            factory.association(start, SctpConfig::new(Waker::noop().clone()))
        };
        let mut path = Self {
            ends: [end(1), end(2)],
            now,
            delay,
            wires: [VecDeque::new(), VecDeque::new()],
            spare: Vec::new(),
            received: 0,
        };
        for at in 0..2 {
            let ports = SctpConnect::new(5000, 5000);
            path.ends[at].connect(now, ports).unwrap();
            path.turn(at);
        }
        path
    }

    fn turn(&mut self, at: usize) {
        let end = &mut self.ends[at];
        while let Some(message) = end.poll_message() {
            self.received += message.data.len();
            end.consume(self.now, message.stream, message.data.len());
        }
        while let Some(event) = end.poll_event() {
            assert!(!matches!(event, SctpEvent::Ended(_)), "{event:?}");
        }
        loop {
            let mut buf = self.spare.pop().unwrap_or_else(|| vec![0; 1200]);
            buf.resize(1200, 0);
            let Some(len) = self.ends[at].poll_transmit(self.now, &mut buf) else {
                self.spare.push(buf);
                return;
            };
            buf.truncate(len);
            self.wires[1 - at].push_back((self.now + self.delay, buf));
        }
    }

    fn arrived(&mut self, at: usize) -> Option<Vec<u8>> {
        let wire = &mut self.wires[at];
        let due = wire.front().is_some_and(|(at, _)| *at <= self.now);
        due.then(|| wire.pop_front())?.map(|(_, packet)| packet)
    }

    fn step(&mut self) {
        let arrivals = self.wires.iter().map(|wire| wire.front().map(|at| at.0));
        let timers = self.ends.iter().map(Association::poll_timeout);
        let next = arrivals.chain(timers).flatten().min().unwrap();
        self.now = self.now.max(next);
        for at in 0..2 {
            while let Some(packet) = self.arrived(at) {
                self.ends[at].handle_input(self.now, &packet);
                self.spare.push(packet);
            }
            if self.ends[at].poll_timeout().is_some_and(|t| t <= self.now) {
                self.ends[at].handle_timeout(self.now);
            }
            self.turn(at);
        }
    }

    fn transfer(&mut self, message: &Bytes, bytes: usize) {
        let until = self.received + bytes;
        while self.received < until {
            while self.ends[0].buffered_amount(0) < 512 * 1024 {
                let message = Outgoing::new(0, 53, message.clone());
                if self.ends[0].send(self.now, message).is_err() {
                    break;
                }
            }
            self.turn(0);
            self.step();
        }
    }
}

/// What this thread has used, where the system tells; else the time of day.
fn processor_time() -> Duration {
    let nanos = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(
        || SystemTime::UNIX_EPOCH.elapsed().unwrap(),
        Duration::from_nanos,
    )
}

fn main() {
    let megabytes = std::env::args().find_map(|argument| argument.parse().ok());
    let bytes = megabytes.unwrap_or(64) * 1_000_000;
    println!("message  one way   in flight   CPU-s/GB, both ends");
    for control in [CongestionControl::Bbr, CongestionControl::Reno] {
        for len in [1024, 16 * 1024, 64 * 1024] {
            for micros in [100, 2_000, 20_000] {
                let message = Bytes::from(vec![7; len]);
                let mut path = Path::new(Duration::from_micros(micros), control);
                path.transfer(&message, bytes / 4);
                let began = processor_time();
                path.transfer(&message, bytes);
                let took = (processor_time() - began).as_secs_f64();
                let stats = path.ends[0].stats();
                println!(
                    "{len:7} {micros:6} µs {:8} KiB {:10.3} {control:?}, {} again",
                    stats.in_flight / 1024,
                    took / bytes as f64 * 1e9,
                    stats.retransmissions,
                );
            }
        }
    }
}
