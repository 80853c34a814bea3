//! Bad input: counted and dropped, never a panic, never growth.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Reliability, Sctp, SctpConnect, SctpState};
use link::{Dice, Pair, config, start};
use muonrtc_sctp::packet::{
    CauseCode, Chunk, Data, ForwardTsn, Header, InitAck, OperationError, Packet, Sack, WireChunk,
    Writer, checksum,
};
use muonrtc_sctp::{Association, Factory};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// Packets of real stacks and hand-made bad ones, where the folder is there.
fn captured() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let mut packets = Vec::new();
    for name in ["sctp/aiortc", "fuzz/libwebrtc/sctp-packet", "packets"] {
        let Ok(entries) = std::fs::read_dir(folder.join(name)) else {
            continue;
        };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let bytes = std::fs::read(&path).unwrap();
            if name != "packets" {
                packets.push(bytes);
                continue;
            }
            for line in String::from_utf8(bytes).unwrap().lines() {
                if !line.contains("\"kind\": \"sctp\"") && !line.contains("\"kind\":\"sctp\"") {
                    continue;
                }
                let hex = line.split("\"hex\"").nth(1).unwrap();
                packets.push(unhex(hex.split('"').nth(1).unwrap()));
            }
        }
    }
    if packets.is_empty() {
        println!("left out: no captured packets beside the repository");
    }
    packets
}

/// Offers interleaving, or not.
fn factory(interleaving: bool) -> Factory {
    let mut factory = Factory::default();
    factory.interleaving = interleaving;
    factory
}

/// One packet of every kind, from associations of our own.
fn own() -> Vec<Vec<u8>> {
    let mut packets = own_with(false);
    packets.extend(own_with(true));
    packets
}

fn own_with(interleaving: bool) -> Vec<Vec<u8>> {
    let mut pair = Pair::with(1, &factory(interleaving), &config());
    pair.record = true;
    pair.weather.loss = 20;
    pair.connect();
    for number in 0..10 {
        let mut message = Outgoing::new(number % 3, 53, Bytes::from(vec![1; 3000]));
        message.reliability = Reliability::MaxRetransmits(0);
        pair.send(0, message);
    }
    pair.settle();
    let now = pair.now;
    pair.ends[0].sctp.reset(now, &[1, 2]).unwrap();
    pair.collect(0);
    pair.run_for(Duration::from_secs(100));
    let now = pair.now;
    pair.ends[0].sctp.shutdown(now);
    pair.collect(0);
    pair.settle();
    pair.sent.into_iter().map(|sent| sent.2).collect()
}

/// Puts the right tag, ports and checksum on a packet, so that its chunks are looked at.
fn dress(packet: &mut [u8], tag: u32) {
    if packet.len() >= 12 {
        packet[..4].copy_from_slice(&[0x13, 0x88, 0x13, 0x88]);
        packet[4..8].copy_from_slice(&tag.to_be_bytes());
        let sum = checksum(packet);
        packet[8..12].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Takes all output; what comes must be a packet of ours, and it must end.
fn drain(sctp: &mut Association, now: Instant) {
    let mut buf = [0; 1500];
    let mut count = 0;
    while let Some(len) = sctp.poll_transmit(now, &mut buf) {
        let packet = Packet::parse(&buf[..len]).unwrap();
        assert!(packet.chunks().all(|chunk| chunk.is_ok()));
        count += 1;
        assert!(count < 1000, "output without end");
    }
    while sctp.poll_event().is_some() {}
    while let Some(message) = sctp.poll_message() {
        sctp.consume(now, message.stream, message.data.len());
    }
}

/// An association and the tag it expects.
struct Target {
    sctp: Association,
    tag: u32,
    now: Instant,
}

impl Target {
    /// In COOKIE-WAIT.
    fn waiting(seed: u64) -> Self {
        let now = Instant::now();
        let mut sctp = Factory::default().association(start(now, seed, 1), config());
        sctp.connect(now, SctpConnect::new(5000, 5000)).unwrap();
        let mut buf = [0; 1500];
        sctp.poll_transmit(now, &mut buf).unwrap();
        let tag = u32::from_be_bytes(buf[16..20].try_into().unwrap());
        Self { sctp, tag, now }
    }

    /// Up, with messages outstanding.
    fn up(seed: u64) -> Self {
        let mut pair = Pair::with(seed, &factory(seed % 2 == 1), &config());
        pair.record = true;
        pair.connect();
        pair.run_until(Pair::both_connected);
        let init = pair.sent.iter().find(|sent| sent.0 == 0).unwrap();
        let tag = u32::from_be_bytes(init.2[16..20].try_into().unwrap());
        pair.settle();
        let now = pair.now;
        let [end, _] = pair.ends;
        let mut target = Self {
            sctp: end.sctp,
            tag,
            now,
        };
        for stream in 0..5 {
            let message = Outgoing::new(stream, 53, Bytes::from(vec![3; 5000]));
            target.sctp.send(now, message).unwrap();
        }
        target.sctp.reset(now, &[9]).unwrap();
        drain(&mut target.sctp, now);
        target
    }

    fn feed(&mut self, packet: &[u8]) {
        self.now += Duration::from_millis(1);
        self.sctp.handle_input(self.now, packet);
        drain(&mut self.sctp, self.now);
        if self.sctp.poll_timeout().is_some_and(|at| at <= self.now) {
            self.sctp.handle_timeout(self.now);
            drain(&mut self.sctp, self.now);
        }
    }
}

#[test]
fn random_bytes_change_nothing() {
    let mut dice = Dice::new(7);
    let mut target = Target::up(1);
    for _ in 0..5000 {
        let len = (dice.roll() % 200) as usize;
        let bytes: Vec<u8> = (0..len).map(|_| dice.roll() as u8).collect();
        target.feed(&bytes);
    }
    assert_eq!(target.sctp.state(), SctpState::Connected);
    assert!(target.sctp.stats().packets_dropped >= 5000);
}

#[test]
fn mutated_packets_with_right_tag_and_checksum_never_panic() {
    let mut packets = own();
    packets.extend(captured());
    for seed in 1..=30 {
        let mut dice = Dice::new(seed);
        let mut target = if seed % 3 == 0 {
            Target::waiting(seed)
        } else {
            Target::up(seed)
        };
        for _ in 0..400 {
            let mut packet = packets[dice.roll() as usize % packets.len()].clone();
            for _ in 0..dice.roll() % 6 {
                if packet.is_empty() {
                    continue;
                }
                let at = dice.roll() as usize % packet.len();
                match dice.roll() % 4 {
                    0 => packet[at] = dice.roll() as u8,
                    1 => packet[at] ^= 1 << (dice.roll() % 8),
                    2 => packet.truncate(at.max(12)),
                    _ => packet.extend_from_within(at..),
                }
                packet.truncate(3000);
            }
            let init = packet.get(12) == Some(&1);
            dress(&mut packet, if init { 0 } else { target.tag });
            target.feed(&packet);
            if target.sctp.state() == SctpState::Closed {
                target = Target::up(seed + dice.roll() % 1000);
            }
        }
    }
}

fn packet(tag: u32, chunks: &[&dyn Fn(&mut Writer<'_>)]) -> Vec<u8> {
    let header = Header {
        source_port: 5000,
        destination_port: 5000,
        verification_tag: tag,
    };
    let mut buf = vec![0; 1500];
    let mut writer = Writer::new(&mut buf, header).unwrap();
    chunks.iter().for_each(|chunk| chunk(&mut writer));
    let len = writer.finish();
    buf.truncate(len);
    buf
}

fn one(tag: u32, chunk: &impl WireChunk) -> Vec<u8> {
    packet(
        tag,
        &[&|writer: &mut Writer<'_>| assert!(writer.push(chunk))],
    )
}

/// An association that is up, and what the peer's next TSN is: taken from the wire.
fn up_with_tsn() -> (Target, u32) {
    let mut pair = Pair::new(1);
    pair.record = true;
    pair.connect();
    pair.run_until(Pair::both_connected);
    let init = |from: usize| {
        pair.sent
            .iter()
            .find(|sent| sent.0 == from)
            .unwrap()
            .2
            .clone()
    };
    let tag = u32::from_be_bytes(init(0)[16..20].try_into().unwrap());
    let tsn = u32::from_be_bytes(init(1)[28..32].try_into().unwrap());
    pair.settle();
    let now = pair.now;
    let [end, _] = pair.ends;
    let target = Target {
        sctp: end.sctp,
        tag,
        now,
    };
    (target, tsn)
}

fn data(tsn: u32, payload: &[u8]) -> Data<'_> {
    Data {
        immediate: false,
        unordered: false,
        beginning: true,
        ending: true,
        tsn,
        stream: 0,
        ssn: 0,
        protocol: 51,
        payload,
    }
}

fn replies(target: &mut Target) -> Vec<Vec<u8>> {
    let mut buf = [0; 1500];
    let now = target.now;
    std::iter::from_fn(|| {
        target
            .sctp
            .poll_transmit(now, &mut buf)
            .map(|len| buf[..len].to_vec())
    })
    .collect()
}

// sctp-034
#[test]
fn data_without_bytes_ends_the_association() {
    let (mut target, tsn) = up_with_tsn();
    target
        .sctp
        .handle_input(target.now, &one(target.tag, &data(tsn, &[])));
    assert_eq!(target.sctp.state(), SctpState::Closed);
    assert_eq!(link::kinds(&replies(&mut target)[0]), [6]);
}

// sctp-034
#[test]
fn data_on_a_stream_that_does_not_exist_is_acknowledged_and_reported() {
    let (mut target, tsn) = up_with_tsn();
    let mut chunk = data(tsn, b"x");
    chunk.stream = 65_535;
    let mut fresh = data(tsn.wrapping_add(1), b"y");
    fresh.ending = true;
    target
        .sctp
        .handle_input(target.now, &one(target.tag, &chunk));
    target
        .sctp
        .handle_input(target.now, &one(target.tag, &fresh));
    let replies = replies(&mut target);
    let reply = Packet::parse(&replies[0]).unwrap();
    let chunks: Vec<Chunk<'_>> = reply.chunks().map(Result::unwrap).collect();
    let error = chunks
        .iter()
        .find(|chunk| chunk.kind == OperationError::KIND)
        .unwrap();
    let cause = OperationError::parse(*error)
        .causes()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(cause.code, CauseCode::INVALID_STREAM_IDENTIFIER);
    assert_eq!(cause.info, [0xff, 0xff, 0, 0]);
    let sack = chunks
        .iter()
        .find(|chunk| chunk.kind == Sack::KIND)
        .unwrap();
    assert_eq!(
        Sack::parse(*sack).unwrap().cumulative_tsn,
        tsn.wrapping_add(1)
    );
}

// sctp-026: RFC 9260 §12.4.
#[test]
fn a_sack_for_what_was_never_sent_ends_the_association() {
    for (cumulative, blocks) in [(1_u32, &[][..]), (0, &[0, 5, 0, 5][..])] {
        let mut target = Target::up(2);
        let first = {
            // Our own last TSN, from the retransmission that the lone target makes.
            target.now += Duration::from_secs(5);
            target.sctp.handle_timeout(target.now);
            let replies = replies(&mut target);
            let packet = Packet::parse(&replies[0]).unwrap();
            let chunk = packet
                .chunks()
                .map(Result::unwrap)
                .find(|chunk| chunk.kind == 0)
                .unwrap();
            Data::parse(chunk).unwrap().tsn
        };
        let sack = Sack {
            cumulative_tsn: first.wrapping_add(100 * cumulative).wrapping_add(30),
            a_rwnd: 100_000,
            gap_blocks: blocks,
            duplicates: &[],
        };
        target
            .sctp
            .handle_input(target.now, &one(target.tag, &sack));
        assert_eq!(target.sctp.state(), SctpState::Closed);
    }
}

// sctp-004
#[test]
fn unknown_chunks_act_on_their_high_bits() {
    struct Unknown(u8);
    impl WireChunk for Unknown {
        fn kind(&self) -> u8 {
            self.0
        }
        fn value_len(&self) -> usize {
            4
        }
        fn write_value<B: bytes::BufMut>(&self, out: &mut B) {
            out.put_u32(7);
        }
    }
    for (kind, skipped, reported) in [
        (0x3e, false, false),
        (0x7e, false, true),
        (0xbe, true, false),
        (0xfe, true, true),
    ] {
        let (mut target, tsn) = up_with_tsn();
        let both = packet(
            target.tag,
            &[
                &|writer: &mut Writer<'_>| assert!(writer.push(&Unknown(kind))),
                &|writer: &mut Writer<'_>| assert!(writer.push(&data(tsn, b"behind"))),
            ],
        );
        target.sctp.handle_input(target.now, &both);
        assert_eq!(target.sctp.poll_message().is_some(), skipped, "{kind:x}");
        let replies = replies(&mut target);
        let has_error = replies.iter().any(|reply| link::kinds(reply).contains(&9));
        assert_eq!(has_error, reported, "{kind:x}");
    }
}

// sctp-035
#[test]
fn a_peer_that_ignores_the_window_does_not_make_us_hold_more() {
    let (mut target, tsn) = up_with_tsn();
    // One byte is missing, and everything behind it comes, whatever we advertise.
    let payload = vec![9; 1100];
    let mut offset = 1_u32;
    while offset <= 20_000 {
        let mut chunk = data(tsn.wrapping_add(offset), &payload);
        chunk.ssn = offset as u16;
        target
            .sctp
            .handle_input(target.now, &one(target.tag, &chunk));
        replies(&mut target);
        offset += 1;
    }
    target
        .sctp
        .handle_input(target.now, &one(target.tag, &data(tsn, b"x")));
    let mut held = 0;
    while let Some(message) = target.sctp.poll_message() {
        held += message.data.len();
    }
    assert!(held < 1100 * 1024, "{held}");
    assert!(held > 1000 * 1024, "{held}");
}

#[test]
fn a_far_forward_tsn_and_a_far_tsn_are_taken_calmly() {
    let (mut target, tsn) = up_with_tsn();
    let far = ForwardTsn {
        new_cumulative_tsn: tsn.wrapping_add(0x7fff_0000),
        skipped: &[0, 1, 0x7f, 0xff, 0, 2, 0xff, 0xff],
    };
    target.feed(&one(target.tag, &far));
    target.feed(&one(target.tag, &data(tsn.wrapping_add(0x7fff_0001), b"x")));
    target.feed(&one(target.tag, &data(tsn.wrapping_add(0x1000), b"x")));
    assert_eq!(target.sctp.state(), SctpState::Connected);
}

#[test]
fn every_captured_packet_is_parsed_and_an_init_ack_of_a_browser_is_accepted() {
    let packets = captured();
    for bytes in &packets {
        let Ok(packet) = Packet::parse(bytes) else {
            continue;
        };
        for chunk in packet.chunks().map_while(Result::ok) {
            if chunk.kind == InitAck::KIND {
                assert!(InitAck::parse(chunk).unwrap().cookie().is_some());
            }
        }
        let mut target = Target::waiting(1);
        let mut copy = bytes.clone();
        dress(&mut copy, target.tag);
        target.feed(&copy);
        if bytes.get(12) == Some(&InitAck::KIND) {
            assert_eq!(target.sctp.streams(), Some((65_535, 65_535)));
        }
    }
}
