//! DESIGN section 5: the same seed, inputs and instants give the same bytes.

use crate::pair::{SessionPair, harsh};
use bytes::Bytes;
use peerconnection::{DataChannelInit, Payload, Stack};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Record, Side};

fn stack() -> Stack {
    let provider = testkit::crypto::provider();
    let mut stack = Stack::default();
    let mut ice = ice::Factory::default();
    ice.provider = provider;
    stack.ice = Arc::new(ice);
    stack.dtls = Arc::new(dtls::Factory::new(provider));
    stack
}

/// Every byte that a whole connection sends under loss, from the first check to the last message.
fn run(seed: u64) -> Record {
    let link = harsh(10, 0.1, 0.1);
    let mut pair = SessionPair::new([stack(), stack()], &link, seed);
    pair.record = Some(Record::default());
    let now = pair.now();
    let key = pair
        .a
        .session
        .create_data_channel(now, "a", DataChannelInit::default())
        .unwrap();
    pair.negotiate(Side::A);
    assert!(pair.run_until(Duration::from_secs(30), |pair| pair.a.has_opened()));
    let now = pair.now();
    let data = Bytes::from(vec![3; 50_000]);
    pair.a
        .session
        .send(now, key, Payload::Binary, &data)
        .unwrap();
    assert!(pair.run_until(Duration::from_secs(30), |pair| !pair.b.messages.is_empty()));
    pair.record.unwrap()
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    for seed in 1..=5 {
        let (one, other) = (run(seed), run(seed));
        assert!(one.datagrams().len() > 30);
        assert_eq!(one.difference(&other), None, "seed {seed}");
    }
    assert!(run(1).difference(&run(2)).is_some());
}
