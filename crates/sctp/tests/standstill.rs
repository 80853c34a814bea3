//! Many large messages at a time, where messages interleave: what is incomplete must not fill the
//! window of the receiver so that nothing can be completed.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConfig, SctpConnect, SctpEvent, SctpState};
use link::{Dice, Pair, config, start};
use muonrtc_sctp::packet::{
    CookieEcho, Header, IData, Init, InitAck, Packet, Sack, WireChunk, Writer,
};
use muonrtc_sctp::{Association, Factory, Scheduler};
use std::time::{Duration, Instant};

fn factory() -> Factory {
    let mut factory = Factory::default();
    factory.interleaving = true;
    factory
}

fn pair(seed: u64, factory: &Factory) -> Pair {
    let mut pair = Pair::with(seed, factory, &config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.settle();
    pair
}

fn on(stream: u16, len: usize) -> Outgoing {
    Outgoing::new(stream, 53, Bytes::from(vec![stream as u8; len]))
}

fn all_arrive(pair: &mut Pair, streams: u16, len: usize) {
    for stream in 0..streams {
        pair.ends[0].sctp.send(pair.now, on(stream, len)).unwrap();
    }
    pair.collect(0);
    let mut left = streams;
    let limit = pair.now + Duration::from_secs(600);
    while left > 0 {
        assert!(pair.step(limit), "{left} of {streams} stand still");
        for message in pair.ends[1].messages.drain(..) {
            assert_eq!(message.data, vec![message.stream as u8; len]);
            left -= 1;
        }
    }
}

// sctp-035, sctp-045
#[test]
fn more_large_messages_at_a_time_than_the_window_begins_with() {
    let mut pair = pair(1, &factory());
    all_arrive(&mut pair, 16, 250_000);
}

#[test]
fn more_large_messages_at_a_time_than_the_window_may_grow_to_hold() {
    let mut factory = factory();
    factory.receive_window = 1 << 20;
    let mut pair = pair(1, &factory);
    all_arrive(&mut pair, 40, 250_000);
}

#[test]
fn messages_that_are_streamed_at_a_time_beside_short_ones() {
    let mut factory = factory();
    factory.receive_window = 1 << 20;
    factory.send_buffer = 2 << 20;
    let mut pair = pair(1, &factory);
    let (streams, len, step) = (12, 240_000, 20_000);
    let mut sent = vec![0; streams];
    let mut left = streams;
    let limit = pair.now + Duration::from_secs(600);
    while left > 0 {
        for (stream, sent) in sent.iter_mut().enumerate() {
            let mut part = on(stream as u16, step);
            part.first = *sent == 0;
            part.last = *sent + step == len;
            if *sent < len && pair.ends[0].sctp.send(pair.now, part).is_ok() {
                *sent += step;
            }
        }
        pair.collect(0);
        assert!(pair.step(limit), "{left} stand still");
        for message in pair.ends[1].messages.drain(..) {
            assert_eq!(message.data.len(), len);
            left -= 1;
        }
    }
}

// sctp-045
#[test]
fn a_short_message_passes_long_ones_also_where_the_window_is_scarce() {
    let mut factory = factory();
    factory.receive_window = 1 << 20;
    let mut pair = pair(1, &factory);
    pair.weather.rate = Some(1_000_000);
    for stream in 0..40 {
        let message = on(stream, 250_000);
        pair.ends[0].sctp.send(pair.now, message).unwrap();
    }
    pair.run_for(Duration::from_secs(3));
    assert!(pair.ends[1].messages.len() < 30);
    pair.send(0, on(99, 3000));
    pair.run_for(Duration::from_millis(500));
    assert!(pair.ends[1].messages.iter().any(|m| m.stream == 99));
}

const FIRST: u32 = 1000;

/// A peer whose scheduler gives every stream its turn, whatever the window.
struct RoundRobin {
    ours: Association,
    now: Instant,
    tag: u32,
    /// How far each stream's message has left, and how long it is.
    at: Vec<usize>,
    len: usize,
    turn: usize,
    tsn: u32,
    window: u32,
    delivered: Vec<usize>,
    largest: usize,
}

fn write(tag: u32, chunk: &impl WireChunk) -> Vec<u8> {
    let header = Header {
        source_port: 5000,
        destination_port: 5000,
        verification_tag: tag,
    };
    let mut buf = vec![0; 1500];
    let mut writer = Writer::new(&mut buf, header).unwrap();
    assert!(writer.push(chunk));
    let len = writer.finish();
    buf.truncate(len);
    buf
}

impl RoundRobin {
    fn new(factory: &Factory, config: &SctpConfig, streams: usize, len: usize) -> Self {
        let now = Instant::now();
        let mut peer = Self {
            ours: factory.association(start(now, 1, 1), config.clone()),
            now,
            tag: 0,
            at: vec![0; streams],
            len,
            turn: 0,
            tsn: FIRST,
            window: 0,
            delivered: vec![0; streams],
            largest: 0,
        };
        let ports = SctpConnect::new(5000, 5000);
        peer.ours.connect(now, ports).unwrap();
        peer.replies();
        // Supported Extensions (RFC 5061 §4.2.7): I-DATA and I-FORWARD-TSN.
        let init = Init {
            initiate_tag: 77,
            a_rwnd: 4_000_000,
            outbound_streams: u16::MAX,
            inbound_streams: u16::MAX,
            initial_tsn: FIRST,
            parameters: &[0x80, 0x08, 0, 6, 64, 194, 0, 0],
        };
        peer.ours.handle_input(now, &write(0, &init));
        let replies = peer.replies();
        let reply = Packet::parse(&replies[0]).unwrap();
        let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
        peer.tag = ack.fields.initiate_tag;
        peer.window = ack.fields.a_rwnd;
        let cookie = ack.cookie().unwrap();
        let echo = write(peer.tag, &CookieEcho { cookie });
        peer.ours.handle_input(now, &echo);
        peer.replies();
        assert_eq!(peer.ours.state(), SctpState::Connected);
        peer
    }

    fn replies(&mut self) -> Vec<Vec<u8>> {
        let mut replies = Vec::new();
        let mut buf = [0; 1500];
        while let Some(len) = self.ours.poll_transmit(self.now, &mut buf) {
            replies.push(buf[..len].to_vec());
        }
        replies
    }

    /// Sends the next fragment of the stream whose turn it is, again and again if it is refused.
    fn step(&mut self) {
        let (from, to) = (
            self.at[self.turn],
            (self.at[self.turn] + 1000).min(self.len),
        );
        let payload = vec![7; to - from];
        let data = IData {
            immediate: true,
            unordered: false,
            beginning: from == 0,
            ending: to == self.len,
            tsn: self.tsn,
            stream: self.turn as u16,
            mid: 0,
            protocol: 53,
            fsn: (from / 1000) as u32,
            payload: &payload,
        };
        let closed = self.window < 1000;
        self.now += Duration::from_millis(if closed { 1000 } else { 1 });
        let packet = write(self.tag, &data);
        self.ours.handle_input(self.now, &packet);
        while let Some(message) = self.ours.poll_message() {
            self.delivered[usize::from(message.stream)] += message.data.len();
            self.largest = self.largest.max(message.data.len());
            self.ours
                .consume(self.now, message.stream, message.data.len());
        }
        for reply in self.replies() {
            for chunk in Packet::parse(&reply).unwrap().chunks().map(Result::unwrap) {
                if chunk.kind == Sack::KIND {
                    let sack = Sack::parse(chunk).unwrap();
                    self.window = sack.a_rwnd;
                    if sack.cumulative_tsn == self.tsn {
                        self.tsn += 1;
                        self.at[self.turn] = to;
                        self.next_turn();
                    }
                }
            }
        }
    }

    fn next_turn(&mut self) {
        for _ in 0..self.at.len() {
            self.turn = (self.turn + 1) % self.at.len();
            if self.at[self.turn] < self.len {
                return;
            }
        }
    }

    fn is_done(&self) -> bool {
        self.delivered.iter().all(|&bytes| bytes == self.len)
    }
}

// sctp-035
#[test]
fn the_window_grows_for_messages_of_a_peer_that_interleaves_them_all() {
    let mut peer = RoundRobin::new(&factory(), &config(), 32, 250_000);
    for _ in 0..32 * 260 {
        peer.step();
    }
    assert!(peer.is_done());
}

// sctp-035, F4.09
#[test]
fn who_takes_messages_in_parts_gets_small_ones_before_the_window_is_full() {
    let mut factory = factory();
    factory.receive_window = 1 << 20;
    let mut config = config();
    config.max_message = usize::MAX;
    config.partial_delivery = Some(256 * 1024);
    let mut peer = RoundRobin::new(&factory, &config, 40, 250_000);
    for _ in 0..40 * 260 {
        peer.step();
    }
    assert!(peer.is_done());
    assert!(peer.largest < 100_000);
}

#[test]
fn a_peer_that_begins_more_than_can_be_held_is_told_so() {
    let mut factory = factory();
    factory.receive_window = 1 << 20;
    let mut peer = RoundRobin::new(&factory, &config(), 40, 250_000);
    let began = peer.now;
    while peer.ours.state() == SctpState::Connected {
        peer.step();
        assert!(peer.now < began + Duration::from_secs(60));
    }
    let end = std::iter::from_fn(|| peer.ours.poll_event()).find_map(|event| match event {
        SctpEvent::Ended(end) => Some(end),
        _ => None,
    });
    assert_eq!(end.unwrap().code, Some(4), "out of resource");
}

/// Messages of all lengths up to what the window holds, on many streams, over a bad link.
fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut factory = factory();
    factory.receive_window = 1 << 20;
    factory.send_buffer = 64 << 20;
    factory.scheduler = [
        Scheduler::RoundRobin,
        Scheduler::WeightedFair,
        Scheduler::Priority,
    ][dice.roll() as usize % 3];
    let mut config = config();
    config.max_message = 1_000_000;
    let mut pair = Pair::with(seed, &factory, &config);
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.weather.loss = [0, 1, 5][dice.roll() as usize % 3];
    pair.weather.jitter = Duration::from_millis(dice.roll() % 20);
    let mut left = 0;
    for stream in 0..40 {
        let weight = [128, 256, 512, 1024][dice.roll() as usize % 4];
        pair.ends[0].sctp.set_priority(stream, weight);
        for _ in 0..2 {
            let most = [3000, 100_000, 1_000_000][dice.roll() as usize % 3];
            let mut message = on(stream, 1 + dice.roll() as usize % most);
            message.unordered = dice.percent(30);
            pair.ends[0].sctp.send(pair.now, message).unwrap();
            left += 1;
        }
    }
    pair.collect(0);
    let limit = pair.now + Duration::from_secs(600);
    while left > 0 {
        assert!(pair.step(limit), "{left} stand still");
        for end in &pair.ends {
            assert_eq!(end.ended(), None);
        }
        left -= pair.ends[1].messages.drain(..).count();
    }
}

// sctp-045
#[test]
fn whatever_the_lengths_all_messages_come_through_a_window_that_holds_one() {
    for seed in 1..=6 {
        println!("seed {seed}");
        run(seed);
    }
}
