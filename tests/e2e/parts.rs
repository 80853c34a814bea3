//! Messages larger than memory, and shares of channels.

use crate::pair::SessionPair;
use bytes::Bytes;
use datachannel::ChannelKey;
use peerconnection::{
    Configuration, DataChannelInit, DataChannelState, Payload, PriorityType, Stack,
};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::{Link, Side};

const MINUTE: Duration = Duration::from_secs(60);

fn link() -> Link {
    Link::delayed(Duration::from_millis(5))
}

/// A pair that takes messages of this size, with channels of these priorities open.
fn pair(link: &Link, max: usize, priorities: &[PriorityType]) -> (SessionPair, Vec<ChannelKey>) {
    let mut configuration = Configuration::default();
    configuration.max_message_size = max;
    let stacks = [Stack::default(), Stack::default()];
    let mut pair = SessionPair::with_configuration(stacks, link, 1, &configuration);
    let now = pair.now();
    let mut keys = Vec::new();
    for &priority in priorities {
        let mut init = DataChannelInit::default();
        init.priority = priority;
        keys.push(pair.a.session.create_data_channel(now, "c", init).unwrap());
    }
    pair.negotiate(Side::A);
    let all_open = |pair: &mut SessionPair| {
        let mut channels = keys.iter().map(|key| pair.a.session.channel_state(*key));
        channels.all(|state| state == DataChannelState::Open) && pair.b.has_opened()
    };
    assert!(pair.run_until(MINUTE, all_open));
    (pair, keys)
}

/// Sends parts as there is room, until all are sent or `done`.
fn send_parts(pair: &mut SessionPair, key: ChannelKey, part: usize, count: usize) {
    let mut sent = 0;
    while sent < count {
        let data = Bytes::from(vec![u8::try_from(sent % 251).unwrap(); part]);
        let now = pair.now();
        let last = sent + 1 == count;
        let session = &mut pair.a.session;
        if session
            .send_part(now, key, Payload::Binary, last, &data)
            .is_ok()
        {
            sent += 1;
        } else {
            pair.run_for(Duration::from_millis(5));
        }
    }
}

// dc-003, dc-020, sctp-035, F4.09
#[test]
fn a_message_larger_than_every_buffer_is_sent_and_received_in_parts() {
    let (mut pair, keys) = pair(&link(), usize::MAX, &[PriorityType::Low]);
    let offer = pair.a.session.local_description().unwrap();
    assert!(offer.sdp().contains("a=max-message-size:0\r\n"));
    // The keys of both ends count alike.
    assert!(pair.b.session.receive_in_parts(keys[0], true));
    let (part, count) = (256 * 1024, 80);
    send_parts(&mut pair, keys[0], part, count);
    let whole = |pair: &mut SessionPair| {
        let came: usize = pair.b.messages.iter().map(|message| message.2.len()).sum();
        came == part * count
    };
    assert!(pair.run_until(MINUTE, whole));
    assert!(pair.b.messages.len() > 10);
    let bytes = pair.b.messages.iter().flat_map(|message| &message.2);
    let wrong = bytes
        .enumerate()
        .find(|(at, byte)| usize::from(**byte) != at / part % 251);
    assert_eq!(wrong, None);
    let layers = pair.b.session.layers().unwrap();
    assert_eq!(layers.sctp.state(), layer::SctpState::Connected);
}

// dc-020
#[test]
fn a_channel_that_takes_whole_messages_is_closed_by_a_longer_one_and_others_are_not() {
    let priorities = [PriorityType::Low; 2];
    let (mut pair, keys) = pair(&link(), usize::MAX, &priorities);
    send_parts(&mut pair, keys[0], 100_000, 4);
    let closed =
        |pair: &mut SessionPair| pair.a.session.channel_state(keys[0]) == DataChannelState::Closed;
    assert!(pair.run_until(MINUTE, closed));
    let now = pair.now();
    let data = Bytes::from_static(b"still here");
    let sent = pair.a.session.send(now, keys[1], Payload::Binary, &data);
    sent.unwrap();
    assert!(pair.run_until(MINUTE, |pair| pair.b.messages.len() == 1));
}

// dc-013, sctp-045
#[test]
fn channels_share_by_their_priorities() {
    let priorities = [
        PriorityType::VeryLow,
        PriorityType::Medium,
        PriorityType::High,
    ];
    let (mut pair, keys) = pair(&link(), 262_144, &priorities);
    for (key, priority) in keys.iter().zip(priorities) {
        assert_eq!(pair.a.session.channel_info(*key).priority, priority);
        assert_eq!(pair.b.session.channel_info(*key).priority, priority);
    }
    let data = Bytes::from(vec![0; 1000]);
    for _ in 0..800 {
        for key in &keys {
            let now = pair.now();
            let sent = pair.a.session.send(now, *key, Payload::Binary, &data);
            sent.unwrap();
        }
    }
    let shares = |pair: &SessionPair| {
        let mut shares = BTreeMap::new();
        for message in &pair.b.messages {
            *shares.entry(message.0).or_insert(0) += 1;
        }
        keys.iter()
            .map(|key| shares.get(key).copied().unwrap_or(0))
            .collect::<Vec<i32>>()
    };
    assert!(pair.run_until(MINUTE, |pair| shares(pair)[2] >= 790));
    let [low, medium, high] = shares(&pair)[..] else {
        panic!("three channels");
    };
    // 128 : 512 : 1024.
    assert!((medium - high / 2).abs() < 60, "{low} {medium} {high}");
    assert!((low - high / 8).abs() < 60, "{low} {medium} {high}");
}
