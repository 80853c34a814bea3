//! A peer that has the keys and means harm: what it costs us is bounded, and counted.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConnect, SctpState};
use link::{config, kinds, start};
use muonrtc_sctp::packet::{
    CookieAck, CookieEcho, Data, Header, Init, InitAck, Packet, Sack, WireChunk, Writer,
};
use muonrtc_sctp::{Association, Factory};
use std::time::{Duration, Instant};

/// An association of ours that is up, and what an attacker knows of it.
struct Victim {
    sctp: Association,
    now: Instant,
    tag: u32,
    /// Our first TSN.
    tsn: u32,
    cookie: Vec<u8>,
}

/// The first TSN of the attacker.
const FIRST: u32 = 1000;

fn init() -> Init<'static> {
    Init {
        initiate_tag: 77,
        a_rwnd: 4_000_000,
        outbound_streams: u16::MAX,
        inbound_streams: u16::MAX,
        initial_tsn: FIRST,
        parameters: &[],
    }
}

fn packet(tag: u32, chunk: &impl WireChunk) -> Vec<u8> {
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

impl Victim {
    fn new() -> Self {
        let now = Instant::now();
        let sctp = Factory::default().association(start(now, 1, 1), config());
        let mut victim = Self {
            sctp,
            now,
            tag: 0,
            tsn: 0,
            cookie: Vec::new(),
        };
        let ports = SctpConnect::new(5000, 5000);
        victim.sctp.connect(now, ports).unwrap();
        victim.replies();
        victim.feed(&packet(0, &init()));
        let reply = victim.replies().remove(0);
        let reply = Packet::parse(&reply).unwrap();
        let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
        victim.tag = ack.fields.initiate_tag;
        victim.tsn = ack.fields.initial_tsn;
        victim.cookie = ack.cookie().unwrap().to_vec();
        victim.echo();
        victim.replies();
        assert_eq!(victim.sctp.state(), SctpState::Connected);
        while victim.sctp.poll_event().is_some() {}
        victim
    }

    fn feed(&mut self, packet: &[u8]) {
        self.sctp.handle_input(self.now, packet);
    }

    fn chunk(&mut self, chunk: &impl WireChunk) {
        let packet = packet(self.tag, chunk);
        self.feed(&packet);
    }

    fn echo(&mut self) {
        let cookie = self.cookie.clone();
        self.chunk(&CookieEcho { cookie: &cookie });
    }

    fn data(&mut self, tsn: u32, stream: u16, ssn: u16, payload: &[u8]) {
        self.chunk(&Data {
            immediate: false,
            unordered: false,
            beginning: true,
            ending: true,
            tsn,
            stream,
            ssn,
            protocol: 53,
            payload,
        });
    }

    fn sack(&mut self, cumulative_tsn: u32, a_rwnd: u32, gap_blocks: &[u8]) {
        self.chunk(&Sack {
            cumulative_tsn,
            a_rwnd,
            gap_blocks,
            duplicates: &[],
        });
    }

    fn replies(&mut self) -> Vec<Vec<u8>> {
        let mut buf = [0; 1500];
        let now = self.now;
        std::iter::from_fn(|| {
            let len = self.sctp.poll_transmit(now, &mut buf)?;
            Some(buf[..len].to_vec())
        })
        .collect()
    }

    /// How many TSNs we have used, as far as what is sent now tells.
    fn sent(&mut self) -> u32 {
        let tsns = self.replies().into_iter().flat_map(|reply| {
            let packet = Packet::parse(&reply).unwrap();
            let data = packet.chunks().map(Result::unwrap);
            data.filter(|chunk| chunk.kind == Data::KIND)
                .map(|chunk| Data::parse(chunk).unwrap().tsn)
                .collect::<Vec<_>>()
        });
        let first = self.tsn;
        tsns.map(|tsn| tsn.wrapping_sub(first) + 1)
            .max()
            .unwrap_or(0)
    }

    fn fill_send_buffer(&mut self) {
        let message = Bytes::from(vec![1; 64 * 1024]);
        while self
            .sctp
            .send(self.now, Outgoing::new(0, 53, message.clone()))
            .is_ok()
        {}
    }

    /// Goes on by a time, with every timer.
    fn pass(&mut self, time: Duration) -> usize {
        let until = self.now + time;
        let mut sent = 0;
        while let Some(at) = self.sctp.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.sctp.handle_timeout(self.now);
            sent += self.replies().len();
        }
        self.now = until;
        sent
    }
}

#[test]
fn a_flood_of_gap_blocks_neither_stops_nor_hurries_us() {
    let mut victim = Victim::new();
    victim.fill_send_buffer();
    let mut outstanding = victim.sent();
    for round in 0..2000_u32 {
        victim.now += Duration::from_millis(1);
        // Every other TSN, now the even and now the odd ones, as far as was sent.
        let blocks: Vec<u8> = (0..250_u16)
            .map(|block| 2 + 2 * block + (round % 2) as u16)
            .filter(|&at| u32::from(at) <= outstanding)
            .flat_map(|at| [at.to_be_bytes(), at.to_be_bytes()].concat())
            .collect();
        victim.sack(victim.tsn.wrapping_sub(1), 4_000_000, &blocks);
        outstanding = outstanding.max(victim.sent());
    }
    assert_eq!(victim.sctp.state(), SctpState::Connected);
    let stats = victim.sctp.stats();
    assert!(
        stats.in_flight <= stats.congestion_window + 2000,
        "{stats:?}"
    );
}

#[test]
fn a_flood_of_gaps_in_what_comes_is_taken_up_to_a_bound() {
    let mut victim = Victim::new();
    for at in 0..50_000_u32 {
        victim.data(FIRST + 1 + 2 * at, 0, 1, b"x");
        for reply in victim.replies() {
            assert!(reply.len() <= 1150);
        }
    }
    // What was taken fills up to one run; what was not would have to come again.
    for at in 0..10_000_u32 {
        victim.data(FIRST + 2 * at, 0, 0, b"y");
    }
    let reply = victim.replies().pop().unwrap();
    let reply = Packet::parse(&reply).unwrap();
    let sack = Sack::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    assert_eq!(sack.cumulative_tsn, FIRST + 2 * 2048);
}

#[test]
fn a_window_that_stays_closed_is_probed_slowly_and_without_end() {
    let mut victim = Victim::new();
    victim.sack(victim.tsn.wrapping_sub(1), 0, &[]);
    victim.fill_send_buffer();
    assert!(victim.replies().is_empty());
    let sent = victim.pass(Duration::from_secs(600));
    assert!((10..2000).contains(&sent), "{sent}");
    assert_eq!(victim.sctp.state(), SctpState::Connected);
}

#[test]
fn a_window_of_a_few_bytes_is_not_filled_crumb_by_crumb() {
    let mut victim = Victim::new();
    victim.sack(victim.tsn.wrapping_sub(1), 100, &[]);
    victim.fill_send_buffer();
    let sent = victim.replies().len() + victim.pass(Duration::from_secs(60));
    assert!(sent < 300, "{sent}");
}

#[test]
fn a_window_that_shrinks_below_what_is_in_flight_stops_us_and_no_more() {
    let mut victim = Victim::new();
    victim.fill_send_buffer();
    assert!(!victim.replies().is_empty());
    victim.now += Duration::from_millis(10);
    victim.sack(victim.tsn, 0, &[]);
    assert!(victim.replies().is_empty());
    victim.now += Duration::from_millis(10);
    victim.sack(victim.tsn.wrapping_add(3), 1_000_000, &[]);
    victim.pass(Duration::from_millis(100));
    assert_eq!(victim.sctp.state(), SctpState::Connected);
    assert!(victim.sctp.stats().in_flight > 0);
}

#[test]
fn a_message_on_every_stream_that_waits_for_another_is_held_up_to_a_bound() {
    let mut victim = Victim::new();
    for at in 0..140_000_u32 {
        // Number 5 of its stream: nothing before it ever comes.
        victim.data(
            FIRST + at,
            at as u16 % 65_000,
            5 + (at / 65_000) as u16,
            b"x",
        );
        victim.replies();
        assert!(victim.sctp.poll_message().is_none());
    }
    let reply = {
        victim.data(FIRST + 140_000, 0, 9, b"x");
        victim.replies().pop().unwrap()
    };
    let reply = Packet::parse(&reply).unwrap();
    let sack = Sack::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    assert_eq!(sack.cumulative_tsn, FIRST + 65_535);
    assert_eq!(victim.sctp.state(), SctpState::Connected);
}

// sctp-014 (D)
#[test]
fn a_cookie_that_is_replayed_changes_nothing() {
    let mut victim = Victim::new();
    victim.data(FIRST, 0, 0, b"first");
    victim.replies();
    for _ in 0..5000 {
        victim.echo();
    }
    let replies = victim.replies();
    let acks: usize = replies
        .iter()
        .map(|reply| {
            kinds(reply)
                .iter()
                .filter(|kind| **kind == CookieAck::KIND)
                .count()
        })
        .sum();
    assert_eq!(acks, 1);
    assert!(victim.sctp.poll_event().is_none());
    // Where the stream was it still is.
    victim.data(FIRST + 1, 0, 1, b"second");
    let texts: Vec<_> = std::iter::from_fn(|| victim.sctp.poll_message())
        .map(|message| message.data)
        .collect();
    assert_eq!(texts, ["first", "second"]);
}

#[test]
fn an_init_gets_one_answer_of_its_own_size_and_a_cookie() {
    let mut victim = Victim::new();
    let packet = packet(0, &init());
    for _ in 0..10 {
        victim.feed(&packet);
        let replies = victim.replies();
        assert_eq!(replies.len(), 1);
        assert!(
            replies[0].len() <= packet.len() + 128,
            "{}",
            replies[0].len()
        );
    }
    // Answers that nobody fetches do not pile up.
    for _ in 0..10_000 {
        victim.feed(&packet);
    }
    assert!(victim.replies().len() <= 32);
    assert_eq!(victim.sctp.state(), SctpState::Connected);
}

// sctp-017, sctp-048
#[test]
fn who_does_not_announce_padding_gets_no_large_packets() {
    let mut victim = Victim::new();
    victim.sctp.set_max_packet(9000);
    let message = Outgoing::new(0, 53, Bytes::from(vec![1; 100_000]));
    victim.sctp.send(victim.now, message).unwrap();
    let (mut packets, mut buf) = (0, vec![0; 9000]);
    for _ in 0..100 {
        let acknowledged = victim.tsn.wrapping_add(packets).wrapping_sub(1);
        victim.sack(acknowledged, 4_000_000, &[]);
        while let Some(len) = victim.sctp.poll_transmit(victim.now, &mut buf) {
            assert!(len <= 1132, "{len}");
            packets += 1;
        }
        victim.now += Duration::from_millis(50);
        victim.sctp.handle_timeout(victim.now);
    }
    assert_eq!(packets, 100_000_u32.div_ceil(1104));
}
