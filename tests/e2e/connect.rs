//! Connections in virtual time: setting up, under loss, and ending.

use crate::pair::{SessionPair, harsh};
use bytes::Bytes;
use peerconnection::{DataChannelInit, Payload, Stack};
use std::time::Duration;
use testkit::{Link, Side, for_each_seed};

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
