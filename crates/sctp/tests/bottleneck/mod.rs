//! Flows through one queue, in virtual time.

use crate::link::{config, start};
use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConnect, SctpEvent};
use muonrtc_sctp::{Association, CongestionControl, Factory};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A link that flows share. What goes back has the way for itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// One way.
    pub(crate) delay: Duration,
    /// Bytes per second.
    pub(crate) rate: u64,
    /// How long a packet may queue.
    pub(crate) queue: Duration,
}

/// Even ends send to odd ones.
pub(crate) struct Bottleneck {
    ends: Vec<Association>,
    /// What each end's `poll_timeout` gave last.
    timers: Vec<Option<Instant>>,
    now: Instant,
    link: Link,
    free_at: Instant,
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    count: u64,
    received: Vec<usize>,
}

impl Bottleneck {
    pub(crate) fn new(controls: &[CongestionControl], link: Link) -> Self {
        let now = Instant::now();
        let mut ends = Vec::new();
        for (flow, &control) in controls.iter().enumerate() {
            let mut factory = Factory::default();
            factory.congestion = control;
            for end in 0..2 {
                let label = u8::try_from(2 * flow + end + 1).unwrap();
                ends.push(factory.association(start(now, 1, label), config()));
            }
        }
        Self {
            timers: vec![None; ends.len()],
            ends,
            now,
            link,
            free_at: now,
            wire: BTreeMap::new(),
            count: 0,
            received: vec![0; controls.len()],
        }
    }

    /// Mbit/s of each flow.
    pub(crate) fn run(&mut self, time: Duration) -> Vec<f64> {
        for at in 0..self.ends.len() {
            let ports = SctpConnect::new(5000, 5000);
            self.ends[at].connect(self.now, ports).unwrap();
            self.turn(at);
        }
        let until = self.now + time;
        while self.now < until {
            let arrival = self.wire.keys().next().map(|key| key.0);
            let timers = self.timers.iter().flatten().copied();
            self.now = arrival
                .into_iter()
                .chain(timers)
                .min()
                .unwrap()
                .max(self.now);
            if arrival.is_some_and(|at| at <= self.now) {
                let (_, (to, packet)) = self.wire.pop_first().unwrap();
                self.ends[to].handle_input(self.now, &packet);
                self.turn(to);
            }
            for at in 0..self.ends.len() {
                if self.timers[at].is_some_and(|at| at <= self.now) {
                    self.ends[at].handle_timeout(self.now);
                    self.turn(at);
                }
            }
        }
        self.received
            .iter()
            .map(|&bytes| bytes as f64 * 8.0 / 1e6 / time.as_secs_f64())
            .collect()
    }

    /// One end takes what has come, has always more to send if it is a sender, and sends.
    fn turn(&mut self, at: usize) {
        let end = &mut self.ends[at];
        while let Some(message) = end.poll_message() {
            self.received[at / 2] += message.data.len();
            end.consume(self.now, message.stream, message.data.len());
        }
        while let Some(event) = end.poll_event() {
            assert!(!matches!(event, SctpEvent::Ended(_)), "{event:?}");
        }
        while at.is_multiple_of(2) && end.buffered_amount(0) < 64 * 1024 {
            let message = Outgoing::new(0, 53, Bytes::from_static(&[3; 16 * 1024]));
            end.send(self.now, message).unwrap();
        }
        let mut buf = [0; 2048];
        while let Some(len) = self.ends[at].poll_transmit(self.now, &mut buf) {
            self.carry(at, buf[..len].to_vec());
        }
        self.timers[at] = self.ends[at].poll_timeout();
    }

    fn carry(&mut self, from: usize, packet: Vec<u8>) {
        let mut leaves = self.now;
        if from.is_multiple_of(2) {
            let begins = self.free_at.max(self.now);
            if begins - self.now > self.link.queue {
                return;
            }
            let nanos = packet.len() as u64 * 1_000_000_000 / self.link.rate;
            leaves = begins + Duration::from_nanos(nanos);
            self.free_at = leaves;
        }
        self.count += 1;
        let key = (leaves + self.link.delay, self.count);
        self.wire.insert(key, (from ^ 1, packet));
    }
}
