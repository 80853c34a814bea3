//! Connections in virtual time: setting up, under loss, and ending.

use crate::calls::{near, numbered};
use crate::pair::{SessionPair, harsh};
use bytes::Bytes;
use layer::{SocketId, Transmit};
use peerconnection::{
    Configuration, DataChannelInit, IceConnectionState, IceServer, MediaKind, Payload,
    RtpTransceiverDirection, SessionEvent, Stack, StatsBody,
};
use std::net::IpAddr;
use std::time::Duration;
use testkit::{Link, Packet, Record, Side, for_each_seed};

/// Offers a channel, connects, sends a message and gets it back; whether it came within `limit`.
fn opens_and_echoes(pair: &mut SessionPair, limit: Duration) -> bool {
    let now = pair.now();
    let key = pair
        .a
        .session
        .create_data_channel(now, "echo", DataChannelInit::default())
        .unwrap();
    pair.negotiate(Side::A);
    if !pair.run_until(limit, |pair| pair.a.has_opened() && pair.b.has_opened()) {
        return false;
    }
    let (now, hello) = (pair.now(), Bytes::from_static(b"hello"));
    pair.a
        .session
        .send(now, key, Payload::Text, &hello)
        .unwrap();
    let rest = limit.saturating_sub(pair.elapsed());
    if !pair.run_until(rest, |pair| !pair.b.messages.is_empty()) {
        return false;
    }
    let (echo, payload, data) = pair.b.messages.remove(0);
    let now = pair.now();
    pair.b
        .session
        .send(now, echo, payload, &Bytes::from(data))
        .unwrap();
    let rest = limit.saturating_sub(pair.elapsed());
    pair.run_until(rest, |pair| !pair.a.messages.is_empty())
        && pair.a.messages == [(key, Payload::Text, b"hello".to_vec())]
}

fn stacks() -> [Stack; 2] {
    [Stack::default(), Stack::default()]
}

#[test]
fn a_channel_opens_and_echoes_without_waiting_for_a_timer() {
    let link = Link::delayed(Duration::from_millis(10));
    let mut pair = SessionPair::new(stacks(), &link, 1);
    assert!(opens_and_echoes(&mut pair, Duration::from_secs(5)));
    // Checks (1 round trip), DTLS 1.3 (2), SCTP (2), the echo itself (1), at 20 ms each.
    assert!(
        pair.elapsed() <= Duration::from_millis(160),
        "{:?}",
        pair.elapsed()
    );
}

#[test]
fn connections_open_under_heavy_loss() {
    let link = harsh(30, 0.2, 0.2);
    let mut failed = Vec::new();
    for_each_seed(1..=200, |seed| {
        let mut pair = SessionPair::new(stacks(), &link, seed.value());
        if !opens_and_echoes(&mut pair, Duration::from_secs(30)) {
            failed.push(seed.value());
        }
    });
    assert!(
        failed.len() <= 2,
        "these seeds did not open within 30 s: {failed:?}"
    );
}

/// pc-048: every state of the ICE transport is told and can be read, and so is the pair in use.
#[test]
fn the_ice_transport_tells_its_states_and_its_pair() {
    use IceConnectionState::{Checking, Completed, Connected, Disconnected, Failed};
    let hosts = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
    let mut pair = SessionPair::new(stacks(), &Link::delayed(Duration::from_millis(10)), 4);
    assert!(opens_and_echoes(&mut pair, Duration::from_secs(10)));
    pair.run_for(Duration::from_secs(2));
    let told = |pair: &SessionPair| -> Vec<IceConnectionState> {
        let events = pair.a.events.iter();
        let states = events.filter_map(|event| match event {
            SessionEvent::IceConnectionStateChange(state) => Some(*state),
            _ => None,
        });
        states.collect()
    };
    let read = |pair: &SessionPair| {
        let report = pair.a.session.stats(pair.now());
        let found = report.iter().find_map(|entry| match &entry.body {
            StatsBody::Transport(transport) => Some(format!("{:?}", transport.ice_state)),
            _ => None,
        });
        found.unwrap()
    };
    assert_eq!(told(&pair), [Checking, Connected, Completed]);
    assert_eq!(read(&pair), "Completed");
    let chosen = pair.a.events.iter().rev().find_map(|event| match event {
        SessionEvent::SelectedCandidatePairChange(pair) => Some((**pair).clone()),
        _ => None,
    });
    assert!(chosen.is_some());
    assert_eq!(chosen, pair.a.session.selected_candidate_pair());
    pair.network.block(hosts[0], hosts[1]);
    let state = |pair: &SessionPair| pair.a.session.ice_connection_state();
    assert!(pair.run_until(Duration::from_secs(30), |it| state(it) == Disconnected));
    assert_eq!(read(&pair), "Disconnected");
    pair.network.unblock(hosts[0], hosts[1]);
    assert!(pair.run_until(Duration::from_secs(30), |it| state(it) == Completed));
    pair.network.block(hosts[0], hosts[1]);
    assert!(pair.run_until(Duration::from_secs(90), |it| state(it) == Failed));
    let rest = told(&pair).split_off(3);
    assert!(rest.ends_with(&[Disconnected, Failed]), "{rest:?}");
}

/// pc-031: a server that answers with an error is told with its code, one that cannot be asked with
/// 701, and without an address where nothing went out.
#[test]
fn a_server_without_a_candidate_is_told_with_its_code() {
    const REFUSES: &str = "stun:192.0.2.77";
    const SILENT: &str = "stun:192.0.2.78";
    const NOWHERE: &str = "stun:nowhere.example";
    let urls = [REFUSES, SILENT, NOWHERE].map(str::to_owned);
    let mut configuration = Configuration::default();
    configuration.ice_servers = vec![IceServer::new(urls.to_vec())];
    let link = Link::delayed(Duration::from_millis(10));
    let mut pair = SessionPair::with_configuration(stacks(), &link, 5, &configuration);
    pair.record = Some(Record::default());
    let now = pair.now();
    let session = &mut pair.a.session;
    session
        .create_data_channel(now, "a", DataChannelInit::default())
        .unwrap();
    session
        .set_local_description(now, peerconnection::LocalSessionDescription::default())
        .unwrap();
    pair.run_for(Duration::from_millis(1));
    let local = pair.a.session.local_description().unwrap();
    let port = local.sdp().split("192.0.2.1 ").nth(1).unwrap();
    let port: u16 = port.split(' ').next().unwrap().parse().unwrap();
    // RFC 8489 §14.8: 400 to every request that has gone out so far; only one asks this server.
    let requests: Vec<Vec<u8>> = pair.record.as_ref().map_or_else(Vec::new, |record| {
        record.sent_by(Side::A).map(<[u8]>::to_vec).collect()
    });
    for request in requests {
        let mut answer = vec![0x01, 0x11, 0, 8];
        answer.extend(&request[4..20]);
        answer.extend([0, 9, 0, 4, 0, 0, 4, 0]);
        let from = "192.0.2.77:3478".parse().unwrap();
        let packet = Packet::new(from, ([192, 0, 2, 1], port).into(), answer);
        pair.a.inject(now, SocketId(0), &packet);
    }
    pair.run_for(Duration::from_secs(30));
    let mut told = Vec::new();
    for event in &pair.a.events {
        if let SessionEvent::IceCandidateError(error) = event {
            told.push((error.url.as_str(), error.code, error.address.is_some()));
        }
    }
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (REFUSES, 400, true),
            (SILENT, 701, true),
            (NOWHERE, 701, false)
        ]
    );
}

/// rtp-011: each side sends from where it receives.
#[test]
fn packets_go_back_to_where_packets_come_from() {
    let mut pair = near(6);
    let ours = pair.add(Side::A, MediaKind::Audio, RtpTransceiverDirection::SendRecv);
    let offer = pair.describe(Side::A);
    pair.hand(Side::B, &offer);
    let theirs = pair.b.session.transceivers()[0];
    let both = RtpTransceiverDirection::SendRecv;
    pair.b.session.set_direction(theirs, both).unwrap();
    let answer = pair.describe(Side::B);
    pair.hand(Side::A, &answer);
    pair.connect();
    let mut written = |side, key| -> Transmit {
        let (now, mut buffer) = (pair.now(), [0; 2048]);
        let session = &mut pair.end(side).session;
        let packet = numbered(111, 1, 20);
        session
            .write_rtp(now, key, 0, &packet, &mut buffer)
            .unwrap()
    };
    let (there, back) = (written(Side::A, ours), written(Side::B, theirs));
    assert_eq!((there.local, there.remote), (back.remote, back.local));
}
