//! Bad input to whole connections: refused or dropped and counted, and the connection goes on.

use crate::pair::SessionPair;
use bytes::Bytes;
use peerconnection::{
    DataChannelInit, Payload, PeerConnectionState, SessionDescription, SessionEvent, Stack,
};
use std::time::Duration;
use testkit::{Link, Packet, Random, Side, for_each_seed};

const LIMIT: Duration = Duration::from_secs(60);

fn stacks() -> [Stack; 2] {
    [Stack::default(), Stack::default()]
}

/// Changes the fingerprint in an answer; dtls-006, pc-053: the connection fails and no channel opens.
#[test]
fn a_wrong_fingerprint_fails_the_connection_before_any_data() {
    let mut pair = SessionPair::new(stacks(), &Link::delayed(Duration::from_millis(5)), 3);
    let now = pair.now();
    pair.a
        .session
        .create_data_channel(now, "a", DataChannelInit::default())
        .unwrap();
    let offer = pair.describe(Side::A);
    pair.hand(Side::B, &offer);
    let answer = pair.describe(Side::B);
    let forged: Vec<String> = answer
        .sdp()
        .lines()
        .map(|line| match line.strip_prefix("a=fingerprint:sha-256 ") {
            Some(value) => {
                let first = if value.starts_with("00") { "01" } else { "00" };
                format!("a=fingerprint:sha-256 {first}{}", &value[2..])
            }
            None => line.to_owned(),
        })
        .collect();
    let forged = SessionDescription::new(answer.kind(), forged.join("\r\n") + "\r\n");
    pair.hand(Side::A, &forged);
    assert!(pair.run_until(LIMIT, |pair| {
        pair.a.session.connection_state() == PeerConnectionState::Failed
    }));
    pair.run_for(Duration::from_secs(5));
    assert!(!pair.a.has_opened() && !pair.b.has_opened());
}

/// Random and altered packets, from strangers and from the peer's own address.
#[test]
fn garbage_harms_nobody() {
    for_each_seed(1..=10, |seed| {
        let mut pair = SessionPair::new(stacks(), &Link::delayed(Duration::from_millis(5)), 3);
        let now = pair.now();
        let key = pair
            .a
            .session
            .create_data_channel(now, "a", DataChannelInit::default())
            .unwrap();
        pair.negotiate(Side::A);
        let mut random: Random = seed.random(b"garbage ");
        let local = |pair: &mut SessionPair, side: Side| {
            let selected = pair.end(side).session.selected_candidate_pair()?;
            let address = |candidate: &peerconnection::IceCandidate| {
                Some(std::net::SocketAddr::new(
                    candidate.address()?.parse().ok()?,
                    candidate.port()?,
                ))
            };
            Some((address(&selected.local)?, address(&selected.remote)?))
        };
        assert!(pair.run_until(LIMIT, |pair| pair.a.has_opened() && pair.b.has_opened()));
        for _ in 0..500 {
            for side in [Side::A, Side::B] {
                let Some((ours, theirs)) = local(&mut pair, side) else {
                    continue;
                };
                let len = 1 + random.below(1400);
                let mut bytes = random.bytes(len);
                let firsts = [0, 1, 20, 22, 23, 25, 44, 63, 64, 128, 255];
                bytes[0] = firsts[random.below(firsts.len())];
                let packet = Packet::new(theirs, ours, bytes);
                let now = pair.now();
                pair.end(side).inject(now, layer::SocketId(0), &packet);
            }
            pair.settle();
        }
        let now = pair.now();
        pair.a
            .session
            .send(now, key, Payload::Text, &Bytes::from_static(b"still here"))
            .unwrap();
        assert!(pair.run_until(LIMIT, |pair| !pair.b.messages.is_empty()));
        let closed = |event: &SessionEvent| matches!(event, SessionEvent::ChannelClose(..));
        assert!(!pair.a.events.iter().any(closed) && !pair.b.events.iter().any(closed));
    });
}
