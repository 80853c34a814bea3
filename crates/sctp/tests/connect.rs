//! How an association comes up.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Blame, Outgoing, Sctp, SctpConnect, SctpError, SctpEvent, SctpState};
use link::{Pair, Weather, config, kinds, start};
use muonrtc_sctp::Factory;
use muonrtc_sctp::packet::{
    Abort, CauseCode, CookieAck, CookieEcho, Header, Init, InitAck, OperationError, Packet,
    WireChunk, Writer,
};
use std::time::Duration;

fn packet(tag: u32, chunk: &impl WireChunk) -> Vec<u8> {
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

fn init() -> Init<'static> {
    Init {
        initiate_tag: 77,
        a_rwnd: 100_000,
        outbound_streams: 10,
        inbound_streams: 20,
        initial_tsn: 1000,
        parameters: &[],
    }
}

/// What one association without a peer of its own answers.
fn answers(sctp: &mut impl Sctp, now: std::time::Instant) -> Vec<Vec<u8>> {
    let mut buf = [0; 2048];
    std::iter::from_fn(|| {
        sctp.poll_transmit(now, &mut buf)
            .map(|len| buf[..len].to_vec())
    })
    .collect()
}

fn lone() -> (muonrtc_sctp::Association, std::time::Instant) {
    let now = std::time::Instant::now();
    let mut sctp = Factory::default().association(start(now, 9, 1), config());
    sctp.connect(now, SctpConnect::new(5000, 5000)).unwrap();
    assert_eq!(answers(&mut sctp, now).len(), 1);
    (sctp, now)
}

// sctp-010, sctp-012, dfx-051
#[test]
fn both_ends_start_at_once_and_connect_in_two_round_trips() {
    let mut pair = Pair::new(1);
    pair.connect();
    pair.run_until(Pair::both_connected);
    assert!(
        pair.elapsed() <= Duration::from_millis(40),
        "{:?}",
        pair.elapsed()
    );
    for end in &pair.ends {
        assert_eq!(
            end.events,
            [SctpEvent::Connected {
                incoming_streams: 65_535,
                outgoing_streams: 65_535
            }]
        );
        assert_eq!(end.sctp.streams(), Some((65_535, 65_535)));
    }
}

// sctp-005, sctp-009, sctp-017
#[test]
fn the_first_packet_is_a_lone_init_that_announces_what_we_have() {
    let mut pair = Pair::new(1);
    pair.record = true;
    pair.connect();
    let (_, _, bytes) = &pair.sent[0];
    let packet = Packet::parse(bytes).unwrap();
    assert_eq!(packet.header.verification_tag, 0);
    let chunks: Vec<_> = packet.chunks().map(Result::unwrap).collect();
    assert_eq!(chunks.len(), 1);
    let init = Init::parse(chunks[0]).unwrap();
    assert_ne!(init.initiate_tag, 0);
    assert!(init.a_rwnd >= 1500);
    assert_eq!(
        (init.outbound_streams, init.inbound_streams),
        (65_535, 65_535)
    );
    let parameters: Vec<_> = init.parameters().map(Result::unwrap).collect();
    assert_eq!(parameters[0].kind, 0xc000);
    assert_eq!(
        (parameters[1].kind, parameters[1].value),
        (0x8008, &[0x82, 0xc0, 0x84][..])
    );
}

#[test]
fn packets_that_come_before_connect_are_kept() {
    let mut pair = Pair::new(1);
    let now = pair.now;
    pair.ends[0]
        .sctp
        .connect(now, SctpConnect::new(5000, 5000))
        .unwrap();
    pair.collect(0);
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.ends[1].sctp.state(), SctpState::New);
    let late = pair.now;
    pair.ends[1]
        .sctp
        .connect(late, SctpConnect::new(5000, 5000))
        .unwrap();
    pair.collect(1);
    pair.run_until(Pair::both_connected);
    assert!(
        pair.now - late < Duration::from_millis(50),
        "no timer was needed"
    );
}

#[test]
fn no_more_than_a_few_packets_are_kept_before_connect() {
    let now = std::time::Instant::now();
    let mut sctp = Factory::default().association(start(now, 1, 1), config());
    for _ in 0..100 {
        sctp.handle_input(now, &packet(0, &init()));
    }
    assert_eq!(sctp.stats().packets_dropped, 84);
}

#[test]
fn messages_sent_before_connect_arrive() {
    let mut pair = Pair::new(1);
    pair.send_text(0, 0, "early");
    pair.connect();
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    assert_eq!(pair.ends[1].texts(), ["early"]);
    assert!(
        pair.ends[1].connected(),
        "the event comes before the message"
    );
}

// sctp-008
#[test]
fn a_cookie_echo_is_first_in_its_packet_and_carries_data() {
    let mut pair = Pair::new(1);
    pair.record = true;
    pair.send_text(0, 0, "early");
    pair.connect();
    pair.run_until(Pair::both_connected);
    let echo = pair
        .sent
        .iter()
        .find(|sent| sent.0 == 0 && kinds(&sent.2).contains(&CookieEcho::KIND));
    assert_eq!(kinds(&echo.unwrap().2), [CookieEcho::KIND, 0]);
}

// sctp-016, sctp-022
#[test]
fn init_is_repeated_after_half_a_second_with_doubling_up_to_the_cap() {
    let mut pair = Pair::new(1);
    pair.record = true;
    pair.weather.loss = 100;
    pair.ends[0]
        .sctp
        .connect(pair.now, SctpConnect::new(5000, 5000))
        .unwrap();
    pair.collect(0);
    pair.run_for(Duration::from_secs(11));
    let at: Vec<u128> = pair.sent.iter().map(|sent| sent.1.as_millis()).collect();
    assert_eq!(at, [0, 500, 1500, 3500, 6500, 9500]);
}

// sctp-016
#[test]
fn a_limit_on_retransmissions_ends_the_attempt() {
    let mut factory = Factory::default();
    factory.max_init_retransmits = Some(3);
    let mut pair = Pair::with(1, &factory, &config());
    pair.weather.loss = 100;
    pair.connect();
    pair.run_until(|pair| pair.ends[0].ended().is_some());
    assert_eq!(pair.ends[0].ended().unwrap().blame, Blame::Timeout);
    assert_eq!(pair.ends[0].sctp.state(), SctpState::Closed);
}

// sctp-012, sctp-016: retransmission limits lifted.
#[test]
fn at_eighty_percent_loss_every_seed_opens_and_delivers() {
    for seed in 1..=200 {
        let mut pair = Pair::new(seed);
        pair.weather = Weather {
            loss: 80,
            jitter: Duration::from_millis(5),
            ..Weather::default()
        };
        pair.connect();
        pair.run_until(Pair::both_connected);
        pair.send_text(0, 1, "through");
        pair.send_text(1, 2, "and back");
        pair.run_until(|pair| pair.ends.iter().all(|end| !end.messages.is_empty()));
        assert_eq!(pair.ends[1].texts(), ["through"], "seed {seed}");
        assert_eq!(pair.ends[0].texts(), ["and back"], "seed {seed}");
    }
}

#[test]
fn connect_is_possible_once_and_not_on_port_zero() {
    let mut pair = Pair::new(1);
    let now = pair.now;
    let sctp = &mut pair.ends[0].sctp;
    assert_eq!(
        sctp.connect(now, SctpConnect::new(0, 1)),
        Err(SctpError::Port)
    );
    sctp.connect(now, SctpConnect::new(1, 1)).unwrap();
    assert_eq!(
        sctp.connect(now, SctpConnect::new(1, 1)),
        Err(SctpError::State(SctpState::Connecting))
    );
}

// sctp-012
#[test]
fn init_ack_in_cookie_wait_carries_the_parameters_of_our_init() {
    let now = std::time::Instant::now();
    let mut sctp = Factory::default().association(start(now, 9, 1), config());
    sctp.connect(now, SctpConnect::new(5000, 5000)).unwrap();
    let sent = answers(&mut sctp, now);
    let our_init = Packet::parse(&sent[0]).unwrap();
    let our_init = Init::parse(our_init.chunks().next().unwrap().unwrap()).unwrap();
    sctp.handle_input(now, &packet(0, &init()));
    let reply = answers(&mut sctp, now);
    let reply = Packet::parse(&reply[0]).unwrap();
    assert_eq!(reply.header.verification_tag, 77);
    let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    assert_eq!(ack.fields.initiate_tag, our_init.initiate_tag);
    assert_eq!(ack.fields.initial_tsn, our_init.initial_tsn);
    assert_eq!(sctp.state(), SctpState::Connecting);
}

/// Brings a lone association up as the receiver of an INIT; returns its tag.
fn bring_up(sctp: &mut impl Sctp, now: std::time::Instant) -> (u32, Vec<u8>) {
    sctp.handle_input(now, &packet(0, &init()));
    let reply = answers(sctp, now);
    let reply = Packet::parse(&reply[0]).unwrap();
    let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    let tag = ack.fields.initiate_tag;
    let cookie = ack.cookie().unwrap().to_vec();
    sctp.handle_input(now, &packet(tag, &CookieEcho { cookie: &cookie }));
    (tag, cookie)
}

// sctp-010, sctp-014 (B)
#[test]
fn a_peer_that_is_first_is_accepted_with_its_own_number_of_streams() {
    let (mut sctp, now) = lone();
    bring_up(&mut sctp, now);
    assert_eq!(sctp.state(), SctpState::Connected);
    assert_eq!(sctp.streams(), Some((10, 20)));
    let reply = answers(&mut sctp, now);
    assert_eq!(kinds(&reply[0]), [CookieAck::KIND]);
    let on = |stream| Outgoing::new(stream, 51, Bytes::from_static(b"x"));
    assert_eq!(sctp.send(now, on(20)), Err(SctpError::Stream(20)));
    sctp.send(now, on(19)).unwrap();
}

// sctp-014 (D)
#[test]
fn a_cookie_that_comes_twice_is_acknowledged_twice() {
    let (mut sctp, now) = lone();
    let (tag, cookie) = bring_up(&mut sctp, now);
    answers(&mut sctp, now);
    sctp.handle_input(now, &packet(tag, &CookieEcho { cookie: &cookie }));
    assert_eq!(kinds(&answers(&mut sctp, now)[0]), [CookieAck::KIND]);
}

// sctp-013
#[test]
fn a_changed_cookie_is_silently_discarded() {
    let (mut sctp, now) = lone();
    sctp.handle_input(now, &packet(0, &init()));
    let reply = answers(&mut sctp, now);
    let reply = Packet::parse(&reply[0]).unwrap();
    let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    let mut cookie = ack.cookie().unwrap().to_vec();
    cookie[9] ^= 1;
    sctp.handle_input(
        now,
        &packet(ack.fields.initiate_tag, &CookieEcho { cookie: &cookie }),
    );
    assert_eq!(sctp.state(), SctpState::Connecting);
    assert!(answers(&mut sctp, now).is_empty());
}

// sctp-013, sctp-015
#[test]
fn a_cookie_older_than_a_minute_is_reported_stale() {
    let (mut sctp, now) = lone();
    sctp.handle_input(now, &packet(0, &init()));
    let reply = answers(&mut sctp, now);
    let reply = Packet::parse(&reply[0]).unwrap();
    let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    let cookie = ack.cookie().unwrap();
    let later = now + Duration::from_secs(61);
    sctp.handle_input(
        later,
        &packet(ack.fields.initiate_tag, &CookieEcho { cookie }),
    );
    assert_eq!(sctp.state(), SctpState::Connecting);
    let reply = answers(&mut sctp, later);
    let stale = Packet::parse(&reply[0]).unwrap();
    assert_eq!(stale.header.verification_tag, 77);
    let error = OperationError::parse(stale.chunks().next().unwrap().unwrap());
    assert_eq!(
        error.causes().next().unwrap().unwrap().code,
        CauseCode::STALE_COOKIE
    );
}

// sctp-015
#[test]
fn a_stale_cookie_is_fetched_anew_and_the_data_with_it_arrives_once() {
    let mut factory = Factory::default();
    factory.cookie_lifetime = Duration::from_secs(2);
    let mut pair = Pair::with(3, &factory, &config());
    pair.send_text(0, 0, "once");
    // Only one end starts, and its COOKIE ECHO is lost until the cookie is stale.
    let from = pair.now;
    pair.filter = Some(Box::new(|_, packet| {
        !kinds(packet).contains(&CookieEcho::KIND)
    }));
    pair.connect();
    pair.run_for(Duration::from_secs(10));
    assert!(!pair.both_connected());
    pair.filter = None;
    pair.run_until(Pair::both_connected);
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["once"]);
    assert!(pair.now > from);
}

// sctp-014 (A)
#[test]
fn a_peer_that_restarts_is_noticed_and_streams_start_anew() {
    let mut pair = Pair::connected(1);
    pair.send_text(0, 0, "before");
    pair.settle();
    // End 1 is made anew, with other randomness and no memory.
    let now = pair.now;
    pair.ends[1].sctp = Factory::default().association(start(now, 99, 7), config());
    pair.ends[1].messages.clear();
    pair.ends[1]
        .sctp
        .connect(now, SctpConnect::new(5000, 5000))
        .unwrap();
    pair.collect(1);
    pair.run_until(Pair::both_connected);
    pair.settle();
    assert!(pair.ends[0].has(|event| *event == SctpEvent::Restarted));
    pair.send_text(0, 0, "after");
    pair.send_text(1, 0, "me too");
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["after"]);
    assert_eq!(pair.ends[0].texts(), ["me too"]);
}

// sctp-011
#[test]
fn a_host_name_address_is_answered_with_an_abort() {
    let (mut sctp, now) = lone();
    let parameters = [0, 11, 0, 8, b'a', b'.', b'b', 0];
    let init = Init {
        parameters: &parameters,
        ..init()
    };
    sctp.handle_input(now, &packet(0, &init));
    let reply = answers(&mut sctp, now);
    let reply = Packet::parse(&reply[0]).unwrap();
    assert_eq!(reply.header.verification_tag, 77);
    assert_eq!(reply.chunks().next().unwrap().unwrap().kind, Abort::KIND);
    assert_eq!(sctp.state(), SctpState::Connecting);
}

// sctp-009
#[test]
fn an_init_with_values_that_may_not_be_is_refused() {
    let cases = [
        Init {
            a_rwnd: 1499,
            ..init()
        },
        Init {
            outbound_streams: 0,
            ..init()
        },
        Init {
            inbound_streams: 0,
            ..init()
        },
    ];
    for case in cases {
        let (mut sctp, now) = lone();
        sctp.handle_input(now, &packet(0, &case));
        let reply = answers(&mut sctp, now);
        assert_eq!(kinds(&reply[0]), [Abort::KIND], "{case:?}");
    }
    let (mut sctp, now) = lone();
    sctp.handle_input(
        now,
        &packet(
            0,
            &Init {
                initiate_tag: 0,
                ..init()
            },
        ),
    );
    assert!(answers(&mut sctp, now).is_empty());
}

// sctp-004
#[test]
fn unknown_parameters_are_reported_or_skipped_as_their_bits_ask() {
    let (mut sctp, now) = lone();
    // Skip and report, then skip silently, then Forward-TSN-Supported, which must still count.
    let parameters = [
        0xff, 0xf0, 0, 6, 1, 2, 0, 0, 0xbf, 0xf0, 0, 4, 0xc0, 0, 0, 4,
    ];
    let init = Init {
        parameters: &parameters,
        ..init()
    };
    sctp.handle_input(now, &packet(0, &init));
    let reply = answers(&mut sctp, now);
    let reply = Packet::parse(&reply[0]).unwrap();
    let ack = InitAck::parse(reply.chunks().next().unwrap().unwrap()).unwrap();
    let reported: Vec<_> = ack
        .parameters()
        .map(Result::unwrap)
        .filter(|parameter| parameter.kind == 8)
        .map(|parameter| parameter.value.to_vec())
        .collect();
    assert_eq!(reported, [[0xff, 0xf0, 0, 6, 1, 2]]);
}

// sctp-005, sctp-006
#[test]
fn an_init_with_a_tag_and_packets_with_a_wrong_tag_are_dropped() {
    let (mut sctp, now) = lone();
    sctp.handle_input(now, &packet(5, &init()));
    assert!(answers(&mut sctp, now).is_empty());
    let (tag, _) = bring_up(&mut sctp, now);
    answers(&mut sctp, now);
    let dropped = sctp.stats().packets_dropped;
    let abort = |reflected| Abort {
        reflected,
        causes: &[],
    };
    sctp.handle_input(now, &packet(tag ^ 1, &abort(false)));
    sctp.handle_input(now, &packet(tag, &abort(true)));
    assert_eq!(sctp.state(), SctpState::Connected);
    assert_eq!(sctp.stats().packets_dropped, dropped + 2);
    // With the T bit it is the peer's own tag that counts (RFC 9260 §8.5.1).
    sctp.handle_input(now, &packet(77, &abort(true)));
    assert_eq!(sctp.state(), SctpState::Closed);
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = || {
        let mut pair = Pair::new(5);
        pair.record = true;
        pair.weather.loss = 20;
        pair.connect();
        pair.send(0, Outgoing::new(0, 53, Bytes::from(vec![7; 20_000])));
        pair.run_until(|pair| !pair.ends[1].messages.is_empty());
        pair.run_for(Duration::from_secs(120));
        pair.sent
    };
    assert_eq!(run(), run());
}
