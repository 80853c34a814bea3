//! Associations that are agreed on in the descriptions (draft-hancke-tsvwg-snap).

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConnect, SctpError, SctpEvent, SctpState};
use link::{Pair, config, kinds, start};
use muonrtc_sctp::Factory;
use muonrtc_sctp::packet::{Data, Init, ParameterType, encode, write_parameter};
use std::time::{Duration, Instant};

/// `AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA`, the sample of draft-hancke-tsvwg-snap §4.1.
const SAMPLE: [u8; 30] = [
    0x01, 0x00, 0x00, 0x1e, 0x89, 0x6c, 0xdd, 0x1d, 0x00, 0x50, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
    0xe0, 0x79, 0x65, 0x1d, 0xc0, 0x00, 0x00, 0x04, 0x80, 0x08, 0x00, 0x06, 0x82, 0xc0,
];

fn described(remote_init: Bytes) -> SctpConnect {
    let mut connect = SctpConnect::new(5000, 5000);
    connect.remote_init = Some(remote_init);
    connect
}

/// Starts an end with the other one's INIT.
fn connect(pair: &mut Pair, at: usize) {
    let init = pair.ends[1 - at].sctp.local_init().unwrap();
    assert!(pair.ends[at].sctp.accepts_init(&init));
    let now = pair.now;
    pair.ends[at].sctp.connect(now, described(init)).unwrap();
    pair.collect(at);
}

fn an_init(change: impl FnOnce(&mut Init<'_>)) -> Vec<u8> {
    let mut init = Init {
        initiate_tag: 7,
        a_rwnd: 1 << 20,
        outbound_streams: 65_535,
        inbound_streams: 65_535,
        initial_tsn: 9,
        parameters: &[],
    };
    change(&mut init);
    encode(&init)
}

// sctp-050
#[test]
fn both_ends_are_up_without_a_packet() {
    for interleaving in [false, true] {
        let mut factory = Factory::default();
        factory.interleaving = interleaving;
        let mut config = config();
        config.authenticated = true;
        let mut pair = Pair::with(1, &factory, &config);
        pair.record = true;
        for at in 0..2 {
            connect(&mut pair, at);
            assert_eq!(pair.ends[at].sctp.state(), SctpState::Connected);
            assert!(pair.ends[at].has(|event| matches!(event, SctpEvent::Connected { .. })));
            assert_eq!(pair.ends[at].sctp.streams(), Some((65_535, 65_535)));
        }
        assert_eq!(pair.sent.len(), 0);
        for at in 0..2 {
            pair.send_text(at, 3, "hello");
        }
        pair.run_for(pair.weather.delay);
        for at in 0..2 {
            assert_eq!(pair.ends[at].texts(), ["hello"], "half a round trip later");
        }
        // What the INITs offer is agreed on: no checksum, and the kind of data.
        let (_, _, packet) = &pair.sent[0];
        assert_eq!(packet[8..12], [0; 4]);
        let kind = if interleaving { 64 } else { Data::KIND };
        assert_eq!(packet[12], kind);
        let now = pair.now;
        pair.ends[0].sctp.reset(now, &[3]).unwrap();
        pair.collect(0);
        pair.run_for(Duration::from_secs(1));
        assert!(pair.ends[1].has(|event| matches!(event, SctpEvent::IncomingReset { .. })));
    }
}

// sctp-050
#[test]
fn asking_for_the_init_or_about_one_starts_nothing() {
    let now = Instant::now();
    let association = Factory::default().association(start(now, 1, 1), config());
    let init = association.local_init().unwrap();
    assert!(association.accepts_init(&SAMPLE));
    assert_eq!(association.local_init().unwrap(), init);
    assert_eq!(association.state(), SctpState::New);
    assert_eq!(association.poll_timeout(), None);
    // The INIT is the one that would be sent, as long as its length says.
    assert_eq!(
        usize::from(init[3]) + usize::from(init[2]) * 256,
        init.len()
    );
}

// sctp-050
#[test]
fn the_sample_of_the_draft_is_a_peer() {
    let now = Instant::now();
    let mut association = Factory::default().association(start(now, 1, 1), config());
    let connect = described(Bytes::from_static(&SAMPLE));
    association.connect(now, connect).unwrap();
    let message = Outgoing::new(0, 51, Bytes::from("hello"));
    association.send(now, message).unwrap();
    let mut buf = [0; 1500];
    let len = association.poll_transmit(now, &mut buf).unwrap();
    assert_eq!(buf[4..8], [0x89, 0x6c, 0xdd, 0x1d], "its tag");
    assert_eq!(kinds(&buf[..len]), [Data::KIND]);
    assert_eq!(association.stats().receiver_window, 0x0050_0000);
}

// sctp-050
#[test]
fn what_is_no_init_of_a_peer_is_refused() {
    let now = Instant::now();
    let mut association = Factory::default().association(start(now, 1, 1), config());
    let own = association.local_init().unwrap();
    let mut host_name = Vec::new();
    write_parameter(&mut host_name, ParameterType::HOST_NAME_ADDRESS, b"a.b");
    let mut refused = vec![
        own,
        Bytes::from([SAMPLE, SAMPLE].concat()),
        an_init(|init| init.initiate_tag = 0).into(),
        an_init(|init| init.a_rwnd = 1499).into(),
        an_init(|init| init.outbound_streams = 0).into(),
        an_init(|init| init.inbound_streams = 0).into(),
    ];
    let mut with_name = vec![1, 0, 0, 20 + host_name.len() as u8];
    with_name.extend_from_slice(&SAMPLE[4..20]);
    with_name.extend_from_slice(&host_name);
    refused.push(with_name.into());
    let mut other_kind = SAMPLE;
    other_kind[0] = 2;
    refused.push(Bytes::copy_from_slice(&other_kind));
    refused.extend((0..SAMPLE.len()).map(|len| Bytes::copy_from_slice(&SAMPLE[..len])));
    for init in refused {
        assert!(!association.accepts_init(&init), "{init:?}");
        let connect = association.connect(now, described(init));
        assert_eq!(connect, Err(SctpError::Init));
        assert_eq!(association.state(), SctpState::New);
    }
    assert!(association.accepts_init(&an_init(|_| ())));
}

// sctp-050
#[test]
fn what_the_peer_sends_before_we_start_is_kept() {
    let mut pair = Pair::new(1);
    connect(&mut pair, 0);
    pair.send_text(0, 1, "early");
    pair.run_for(Duration::from_millis(50));
    connect(&mut pair, 1);
    assert_eq!(pair.ends[1].texts(), ["early"]);
}

// sctp-050, sctp-014
#[test]
fn a_peer_that_did_not_mean_it_restarts_the_association() {
    let mut pair = Pair::new(1);
    let now = pair.now;
    // It copied the attribute of somebody, and opens with an INIT of its own.
    let copied = described(an_init(|_| ()).into());
    pair.ends[0].sctp.connect(now, copied).unwrap();
    pair.collect(0);
    let ports = SctpConnect::new(5000, 5000);
    pair.ends[1].sctp.connect(now, ports).unwrap();
    pair.collect(1);
    pair.run_until(Pair::both_connected);
    pair.settle();
    pair.send_text(0, 1, "to you");
    pair.send_text(1, 1, "and you");
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["to you"]);
    assert_eq!(pair.ends[0].texts(), ["and you"]);
}
