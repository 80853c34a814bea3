//! Two associations over a virtual link, in virtual time.

#![allow(dead_code, reason = "each test file uses its part")]

use layer::{Message, Outgoing, Sctp, SctpConfig, SctpConnect, SctpEvent, SctpState, Seed, Start};
use muonrtc_sctp::{Association, Factory};
use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

/// What the link does to packets, per direction.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// 0 to 100.
    pub(crate) loss: u64,
    /// 0 to 100.
    pub(crate) duplication: u64,
    /// Bytes per second.
    pub(crate) rate: Option<u64>,
    /// With a rate: the longest a packet may queue.
    pub(crate) queue: Duration,
    /// Larger packets are lost, unless they may be fragmented.
    pub(crate) mtu: usize,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0,
            duplication: 0,
            rate: None,
            queue: Duration::from_millis(100),
            mtu: usize::MAX,
        }
    }
}

/// A small generator of its own, so that the link does not depend on what the machines draw.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.roll() % 100 < chance
    }
}

/// One end and what it has told.
pub(crate) struct End {
    pub(crate) sctp: Association,
    pub(crate) events: Vec<SctpEvent>,
    pub(crate) messages: Vec<Message>,
    /// Give received bytes back at once.
    pub(crate) consume: bool,
    /// Take messages at all.
    pub(crate) take: bool,
}

impl End {
    pub(crate) fn connected(&self) -> bool {
        self.sctp.state() == SctpState::Connected
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages
            .iter()
            .map(|message| String::from_utf8_lossy(&message.data).into_owned())
            .collect()
    }

    pub(crate) fn has(&self, wanted: impl Fn(&SctpEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    pub(crate) fn ended(&self) -> Option<&layer::End> {
        self.events.iter().find_map(|event| match event {
            SctpEvent::Ended(end) => Some(end),
            _ => None,
        })
    }
}

pub(crate) type Filter = Box<dyn FnMut(usize, &[u8]) -> bool>;

/// Two ends, a link, a clock.
pub(crate) struct Pair {
    pub(crate) ends: [End; 2],
    pub(crate) now: Instant,
    pub(crate) began: Instant,
    pub(crate) weather: Weather,
    dice: Dice,
    /// Packets under way by arrival and a running number: to whom.
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    count: u64,
    free_at: [Instant; 2],
    /// Says which packets from an end get through.
    pub(crate) filter: Option<Filter>,
    /// Every packet that was sent: by whom, when, what.
    pub(crate) sent: Vec<(usize, Duration, Vec<u8>)>,
    pub(crate) record: bool,
    /// The network fragments packets that want it.
    pub(crate) fragmentation: bool,
    /// Packets that wanted it.
    pub(crate) fragmented: u64,
    buf: Vec<u8>,
}

pub(crate) fn start(now: Instant, seed: u64, label: u8) -> Start {
    let mut bytes = [label; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    Start::new(now, SystemTime::UNIX_EPOCH, Seed::new(bytes))
}

pub(crate) fn config() -> SctpConfig {
    SctpConfig::new(Waker::noop().clone())
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, &Factory::default(), &config())
    }

    pub(crate) fn with(seed: u64, factory: &Factory, config: &SctpConfig) -> Self {
        let now = Instant::now();
        let end = |label| End {
            sctp: factory.association(start(now, seed, label), config.clone()),
            events: Vec::new(),
            messages: Vec::new(),
            consume: true,
            take: true,
        };
        Self {
            ends: [end(1), end(2)],
            now,
            began: now,
            weather: Weather::default(),
            dice: Dice::new(seed),
            wire: BTreeMap::new(),
            count: 0,
            free_at: [now; 2],
            filter: None,
            sent: Vec::new(),
            record: false,
            fragmentation: true,
            fragmented: 0,
            buf: vec![0; 65_536],
        }
    }

    /// A pair that is up.
    pub(crate) fn connected(seed: u64) -> Self {
        let mut pair = Self::new(seed);
        pair.connect();
        pair.run_until(|pair| pair.both_connected());
        pair.settle();
        for end in &mut pair.ends {
            end.events.clear();
        }
        pair
    }

    pub(crate) fn connect(&mut self) {
        for at in 0..2 {
            self.ends[at]
                .sctp
                .connect(self.now, SctpConnect::new(5000, 5000))
                .unwrap();
            self.collect(at);
        }
    }

    pub(crate) fn both_connected(&self) -> bool {
        self.ends.iter().all(End::connected)
    }

    pub(crate) fn send(&mut self, from: usize, message: Outgoing) {
        self.ends[from].sctp.send(self.now, message).unwrap();
        self.collect(from);
    }

    pub(crate) fn send_text(&mut self, from: usize, stream: u16, text: &str) {
        self.send(
            from,
            Outgoing::new(stream, 51, bytes::Bytes::copy_from_slice(text.as_bytes())),
        );
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.began
    }

    /// Takes all output of one end.
    pub(crate) fn collect(&mut self, at: usize) {
        let mut buf = std::mem::take(&mut self.buf);
        while let Some(len) = self.ends[at].sctp.poll_transmit(self.now, &mut buf) {
            let fragments = self.ends[at].sctp.wants_fragmentation();
            self.carry(at, buf[..len].to_vec(), fragments);
        }
        let end = &mut self.ends[at];
        while let Some(event) = end.sctp.poll_event() {
            end.events.push(event);
        }
        let mut taken = false;
        while end.take
            && let Some(message) = end.sctp.poll_message()
        {
            if end.consume {
                end.sctp
                    .consume(self.now, message.stream, message.data.len());
                taken = true;
            }
            end.messages.push(message);
        }
        if taken {
            while let Some(len) = self.ends[at].sctp.poll_transmit(self.now, &mut buf) {
                let fragments = self.ends[at].sctp.wants_fragmentation();
                self.carry(at, buf[..len].to_vec(), fragments);
            }
        }
        self.buf = buf;
    }

    fn carry(&mut self, from: usize, packet: Vec<u8>, fragments: bool) {
        if self.record {
            self.sent.push((from, self.elapsed(), packet.clone()));
        }
        self.fragmented += u64::from(fragments);
        if let Some(filter) = &mut self.filter
            && !filter(from, &packet)
        {
            return;
        }
        let too_large = packet.len() > self.weather.mtu;
        if too_large && !(fragments && self.fragmentation) || self.dice.percent(self.weather.loss) {
            return;
        }
        let copies = 1 + u64::from(self.dice.percent(self.weather.duplication));
        let mut leaves = self.now;
        if let Some(rate) = self.weather.rate {
            let begins = self.free_at[from].max(self.now);
            if begins - self.now > self.weather.queue {
                return;
            }
            let nanos = packet.len() as u64 * 1_000_000_000 / rate;
            leaves = begins + Duration::from_nanos(nanos);
            self.free_at[from] = leaves;
        }
        for _ in 0..copies {
            let jitter = u64::try_from(self.weather.jitter.as_nanos()).unwrap();
            let jitter = Duration::from_nanos(self.dice.roll() % (jitter + 1));
            self.count += 1;
            let key = (leaves + self.weather.delay + jitter, self.count);
            self.wire.insert(key, (1 - from, packet.clone()));
        }
    }

    /// What is on the link does not arrive.
    pub(crate) fn lose_all_under_way(&mut self) {
        self.wire.clear();
    }

    /// Goes to the next thing that happens; `false` if nothing does before `until`.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        let arrival = self.wire.keys().next().map(|key| key.0);
        let timers = [0, 1].map(|at: usize| self.ends[at].sctp.poll_timeout());
        let next = timers.into_iter().chain([arrival]).flatten().min();
        let Some(next) = next.filter(|&next| next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        if arrival == Some(next) {
            let (_, (to, packet)) = self.wire.pop_first().unwrap();
            self.ends[to].sctp.handle_input(self.now, &packet);
            self.collect(to);
            return true;
        }
        for (at, timer) in timers.into_iter().enumerate() {
            if timer.is_some_and(|t| t <= self.now) {
                self.ends[at].sctp.handle_timeout(self.now);
                assert!(
                    self.ends[at]
                        .sctp
                        .poll_timeout()
                        .is_none_or(|t| t > self.now),
                    "a timer that does not move"
                );
                self.collect(at);
            }
        }
        true
    }

    /// Runs until the condition holds; at most an hour.
    pub(crate) fn run_until(&mut self, mut done: impl FnMut(&Self) -> bool) {
        let limit = self.now + Duration::from_secs(3600);
        while !done(self) {
            assert!(self.step(limit), "nothing happens any more, or for an hour");
        }
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    /// Until the link and the machines are quiet, heartbeats aside.
    pub(crate) fn settle(&mut self) {
        self.run_for(Duration::from_secs(5));
    }
}

/// The chunk types of a packet.
pub(crate) fn kinds(packet: &[u8]) -> Vec<u8> {
    muonrtc_sctp::packet::Packet::parse(packet)
        .unwrap()
        .chunks()
        .map(|chunk| chunk.unwrap().kind)
        .collect()
}
