//! Messages that interleave (RFC 8260), and who sends first.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Blame, Outgoing, Reliability, Sctp};
use link::{End, Pair, Weather, config, kinds, start};
use muonrtc_sctp::packet::{Data, Header, IData, IForwardTsn, Init, Packet, WireChunk, Writer};
use muonrtc_sctp::{Factory, Scheduler};
use std::time::Duration;

fn factory(interleaving: bool) -> Factory {
    let mut factory = Factory::default();
    factory.interleaving = interleaving;
    factory
}

/// A pair of which each end offers interleaving, or not; up, with a narrow link.
fn pair(offers: [bool; 2], seed: u64) -> Pair {
    let mut pair = Pair::new(seed);
    for (at, offer) in offers.into_iter().enumerate() {
        let label = u8::try_from(at + 1).unwrap();
        pair.ends[at] = End {
            sctp: factory(offer).association(start(pair.now, seed, label), config()),
            events: Vec::new(),
            messages: Vec::new(),
            consume: true,
            take: true,
        };
    }
    pair.record = true;
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.settle();
    pair.weather.rate = Some(1_000_000);
    pair
}

fn on(stream: u16, len: usize) -> Outgoing {
    Outgoing::new(stream, 53, Bytes::from(vec![stream as u8; len]))
}

/// Kinds of chunks that an end has sent.
fn sent_kinds(pair: &Pair, from: usize) -> Vec<u8> {
    let packets = pair.sent.iter().filter(|sent| sent.0 == from);
    packets.flat_map(|sent| kinds(&sent.2)).collect()
}

// sctp-043, sctp-046
#[test]
fn data_interleaves_if_both_offer_it_and_only_then() {
    for (offers, interleaved) in [
        ([true, true], true),
        ([true, false], false),
        ([false, true], false),
    ] {
        let mut pair = pair(offers, 1);
        pair.send(0, on(0, 5000));
        pair.send(1, on(1, 5000));
        pair.settle();
        assert_eq!(pair.ends[0].messages.len(), 1);
        assert_eq!(pair.ends[1].messages.len(), 1);
        for from in 0..2 {
            let kinds = sent_kinds(&pair, from);
            assert_eq!(kinds.contains(&IData::KIND), interleaved, "{offers:?}");
            assert_eq!(kinds.contains(&Data::KIND), !interleaved, "{offers:?}");
        }
    }
}

// sctp-045
#[test]
fn a_short_message_does_not_wait_for_a_long_one_on_another_stream() {
    for (interleaving, first) in [(true, 1), (false, 0)] {
        let mut pair = pair([interleaving; 2], 1);
        pair.send(0, on(0, 250_000));
        pair.send(0, on(1, 100));
        pair.settle();
        let streams: Vec<_> = pair.ends[1].messages.iter().map(|m| m.stream).collect();
        assert_eq!(streams, [first, 1 - first]);
    }
}

// sctp-032, sctp-033, sctp-043
#[test]
fn on_a_bad_link_everything_reliable_arrives_in_order_beside_what_is_given_up() {
    for seed in 1..=10 {
        let mut pair = pair([true, true], seed);
        pair.weather = Weather {
            loss: 10,
            duplication: 3,
            jitter: Duration::from_millis(10),
            ..pair.weather
        };
        for number in 0..40_u16 {
            let mut message = Outgoing::new(number % 4, 53, Bytes::from(vec![number as u8; 9000]));
            message.unordered = number % 4 == 3;
            if number % 4 >= 2 {
                message.reliability = Reliability::MaxRetransmits(0);
            }
            pair.send(0, message);
        }
        pair.run_for(Duration::from_secs(60));
        for stream in 0..4 {
            let of_stream = pair.ends[1].messages.iter().filter(|m| m.stream == stream);
            let numbers: Vec<u8> = of_stream
                .inspect(|m| {
                    assert!(m.data.len() == 9000 && m.data.iter().all(|b| *b == m.data[0]))
                })
                .map(|m| m.data[0])
                .collect();
            match stream {
                0 | 1 => assert_eq!(numbers.len(), 10, "seed {seed}"),
                _ => assert!(numbers.len() < 10, "seed {seed}: nothing was given up"),
            }
            assert!(stream == 3 || numbers.is_sorted(), "seed {seed}");
        }
        assert_eq!(pair.ends[0].sctp.stats().in_flight, 0, "seed {seed}");
        assert!(sent_kinds(&pair, 0).contains(&IForwardTsn::KIND));
    }
}

// sctp-042
#[test]
fn after_a_reset_message_identifiers_start_at_zero() {
    let mut pair = pair([true, true], 1);
    for _ in 0..3 {
        pair.send(0, on(5, 10));
    }
    pair.settle();
    let now = pair.now;
    pair.ends[0].sctp.reset(now, &[5]).unwrap();
    pair.collect(0);
    pair.settle();
    pair.sent.clear();
    pair.send(0, on(5, 10));
    pair.settle();
    assert_eq!(pair.ends[1].messages.len(), 4);
    let packet = Packet::parse(&pair.sent[0].2).unwrap();
    let data = packet
        .chunks()
        .map(Result::unwrap)
        .find(|c| c.kind == IData::KIND);
    assert_eq!(IData::parse(data.unwrap()).unwrap().mid, 0);
}

fn one(tag: u32, chunk: &impl WireChunk) -> Vec<u8> {
    let header = Header {
        source_port: 5000,
        destination_port: 5000,
        verification_tag: tag,
    };
    let mut buf = vec![0; 1150];
    let mut writer = Writer::new(&mut buf, header).unwrap();
    assert!(writer.push(chunk));
    let len = writer.finish();
    buf.truncate(len);
    buf
}

// sctp-043
#[test]
fn the_kind_that_was_not_agreed_on_ends_the_association() {
    for interleaving in [true, false] {
        let mut pair = pair([interleaving; 2], 1);
        let init = |from| {
            let sent = pair.sent.iter().find(|sent| sent.0 == from).unwrap();
            let packet = Packet::parse(&sent.2).unwrap();
            Init::parse(packet.chunks().next().unwrap().unwrap())
                .map(|i| (i.initiate_tag, i.initial_tsn))
        };
        let ((tag, _), (_, tsn)) = (init(0).unwrap(), init(1).unwrap());
        let wrong = if interleaving {
            one(
                tag,
                &Data {
                    immediate: false,
                    unordered: false,
                    beginning: true,
                    ending: true,
                    tsn,
                    stream: 0,
                    ssn: 0,
                    protocol: 53,
                    payload: b"x",
                },
            )
        } else {
            one(
                tag,
                &IData {
                    immediate: false,
                    unordered: false,
                    beginning: true,
                    ending: true,
                    tsn,
                    stream: 0,
                    mid: 0,
                    protocol: 53,
                    fsn: 0,
                    payload: b"x",
                },
            )
        };
        let now = pair.now;
        pair.ends[0].sctp.handle_input(now, &wrong);
        pair.collect(0);
        assert_eq!(pair.ends[0].ended().unwrap().blame, Blame::Protocol);
    }
}

/// What of each of three streams of weights 128, 256 and 1024 has arrived when the first is whole.
fn shares(scheduler: Scheduler) -> [usize; 3] {
    let mut pair = Pair::new(1);
    let mut settings = factory(true);
    settings.scheduler = scheduler;
    for at in 0..2 {
        let label = u8::try_from(at + 1).unwrap();
        pair.ends[at].sctp = settings.association(start(pair.now, 1, label), config());
    }
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.weather.rate = Some(1_000_000);
    for (stream, weight) in [(0, 128), (1, 256), (2, 1024)] {
        pair.ends[0].sctp.set_priority(stream, weight);
        for _ in 0..250 {
            let now = pair.now;
            pair.ends[0].sctp.send(now, on(stream, 4000)).unwrap();
        }
    }
    pair.collect(0);
    let whole = |pair: &Pair, stream| {
        pair.ends[1]
            .messages
            .iter()
            .filter(|m| m.stream == stream)
            .count()
    };
    pair.run_until(|pair| (0..3).any(|stream| whole(pair, stream) == 250));
    [0, 1, 2].map(|stream| whole(&pair, stream))
}

// sctp-045
#[test]
fn streams_share_a_link_as_the_scheduler_says() {
    let [low, normal, high] = shares(Scheduler::WeightedFair);
    assert_eq!(high, 250);
    assert!((25..40).contains(&low), "{low}");
    assert!((55..70).contains(&normal), "{normal}");
    let fair = shares(Scheduler::RoundRobin);
    assert!(fair.iter().all(|count| *count > 240), "{fair:?}");
    let [low, normal, high] = shares(Scheduler::Priority);
    assert!(low + normal < 8 && high == 250, "{low} {normal} {high}");
}
