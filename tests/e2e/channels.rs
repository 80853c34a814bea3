//! Channels of every kind, over whole connections in virtual time.

use crate::pair::{SessionPair, harsh};
use bytes::Bytes;
use datachannel::ChannelKey;
use peerconnection::{
    DataChannelInit, DataChannelState, ErrorKind, LocalSessionDescription, Payload,
    PeerConnectionState, SdpType, SessionEvent, Stack,
};
use std::time::Duration;
use testkit::{Link, Side};

const LIMIT: Duration = Duration::from_secs(20);

fn pair(link: &Link) -> SessionPair {
    SessionPair::new([Stack::default(), Stack::default()], link, 7)
}

fn incoming(pair: &SessionPair) -> Vec<ChannelKey> {
    let of = |event: &SessionEvent| match event {
        SessionEvent::DataChannel(key) => Some(*key),
        _ => None,
    };
    pair.b.events.iter().filter_map(of).collect()
}

/// Opens a channel of this kind from A and waits until B has it.
fn open(pair: &mut SessionPair, init: DataChannelInit) -> (ChannelKey, ChannelKey) {
    let now = pair.now();
    let key = pair
        .a
        .session
        .create_data_channel(now, "kind", init)
        .unwrap();
    pair.negotiate(Side::A);
    assert!(pair.run_until(LIMIT, |pair| !incoming(pair).is_empty()));
    assert_eq!(pair.a.session.channel_state(key), DataChannelState::Open);
    (key, incoming(pair)[0])
}

/// dc-004, dc-005
#[test]
fn the_other_end_sees_what_a_channel_was_made_with() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
    let mut init = DataChannelInit::default();
    init.ordered = false;
    init.max_retransmits = Some(3);
    init.protocol = "proto".into();
    let (ours, theirs) = open(&mut pair, init);
    let (ours, theirs) = (
        pair.a.session.channel_info(ours),
        pair.b.session.channel_info(theirs),
    );
    assert_eq!(
        (theirs.label.as_str(), theirs.protocol.as_str()),
        ("kind", "proto")
    );
    assert_eq!((theirs.ordered, theirs.max_retransmits), (false, Some(3)));
    assert_eq!(theirs.max_packet_life_time, None);
    assert_eq!(theirs.id, ours.id);
}

/// dc-014
#[test]
fn a_negotiated_channel_needs_no_handshake_of_its_own() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
    let mut init = DataChannelInit::default();
    init.negotiated = true;
    init.id = Some(17);
    let now = pair.now();
    let a = pair
        .a
        .session
        .create_data_channel(now, "n", init.clone())
        .unwrap();
    let b = pair.b.session.create_data_channel(now, "n", init).unwrap();
    pair.negotiate(Side::A);
    assert!(pair.run_until(LIMIT, |pair| pair.a.has_opened() && pair.b.has_opened()));
    let now = pair.now();
    pair.a
        .session
        .send(now, a, Payload::Binary, &Bytes::from_static(b"x"))
        .unwrap();
    assert!(pair.run_until(LIMIT, |pair| !pair.b.messages.is_empty()));
    assert_eq!(pair.b.messages, [(b, Payload::Binary, b"x".to_vec())]);
    assert!(incoming(&pair).is_empty());
}

/// dc-002, dc-003
#[test]
fn messages_of_every_size_arrive_whole_and_in_order() {
    let mut pair = pair(&harsh(5, 0.1, 0.0));
    let (key, _) = open(&mut pair, DataChannelInit::default());
    let sizes = [0, 1, 2, 1000, 1171, 1172, 1173, 16_384, 65_535, 262_144];
    for (index, size) in sizes.into_iter().enumerate() {
        let payload = if index % 2 == 0 {
            Payload::Text
        } else {
            Payload::Binary
        };
        let data = Bytes::from(vec![b'a' + u8::try_from(index).unwrap(); size]);
        let now = pair.now();
        pair.a.session.send(now, key, payload, &data).unwrap();
    }
    assert!(pair.run_until(LIMIT, |pair| pair.b.messages.len() == sizes.len()));
    for (index, (_, payload, data)) in pair.b.messages.iter().enumerate() {
        assert_eq!(data.len(), sizes[index]);
        assert!(
            data.iter()
                .all(|byte| *byte == b'a' + u8::try_from(index).unwrap())
        );
        assert_eq!(*payload == Payload::Text, index % 2 == 0);
    }
}

/// dc-017, dc-020
#[test]
fn a_message_larger_than_the_peer_takes_is_refused() {
    let mut pair = pair(&Link::perfect());
    let (key, _) = open(&mut pair, DataChannelInit::default());
    let now = pair.now();
    let data = Bytes::from(vec![0; 262_145]);
    let error = pair
        .a
        .session
        .send(now, key, Payload::Binary, &data)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
}

/// dc-011: both ends see the close, and the stream can be used again.
#[test]
fn a_closed_channel_closes_at_both_ends_and_frees_its_stream() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
    let (key, theirs) = open(&mut pair, DataChannelInit::default());
    let stream = pair.a.session.channel_info(key).id;
    let now = pair.now();
    pair.a
        .session
        .send(now, key, Payload::Text, &Bytes::from_static(b"last"))
        .unwrap();
    pair.a.session.close_channel(now, key);
    let closed = |events: &[SessionEvent]| {
        events
            .iter()
            .any(|event| matches!(event, SessionEvent::ChannelClose(_, None)))
    };
    assert!(pair.run_until(LIMIT, |pair| closed(&pair.a.events)
        && closed(&pair.b.events)));
    assert_eq!(pair.b.messages, [(theirs, Payload::Text, b"last".to_vec())]);
    assert_eq!(
        pair.b.session.channel_state(theirs),
        DataChannelState::Closed
    );
    let now = pair.now();
    let next = pair
        .a
        .session
        .create_data_channel(now, "next", DataChannelInit::default());
    let next = next.unwrap();
    assert!(pair.run_until(LIMIT, |pair| incoming(pair).len() == 2));
    assert_eq!(pair.a.session.channel_info(next).id, stream);
}

/// pc-015, pc-023: a restart that was offered and taken back harms nothing, and is still wanted.
#[test]
fn a_restart_taken_back_leaves_the_connection_alive() {
    for collides in [false, true] {
        let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
        let (key, _) = open(&mut pair, DataChannelInit::default());
        pair.a.session.restart_ice();
        pair.describe(Side::A);
        if collides {
            let offer = pair.describe(Side::B);
            pair.hand(Side::A, &offer);
            let answer = pair.describe(Side::A);
            pair.hand(Side::B, &answer);
        } else {
            let rollback = LocalSessionDescription::of_kind(SdpType::Rollback);
            let now = pair.now();
            pair.a.session.set_local_description(now, rollback).unwrap();
        }
        pair.run_for(Duration::from_secs(60));
        let (now, data) = (pair.now(), Bytes::from_static(b"alive"));
        pair.a.session.send(now, key, Payload::Text, &data).unwrap();
        assert!(pair.run_until(LIMIT, |pair| !pair.b.messages.is_empty()));
        assert_eq!(
            pair.a.session.connection_state(),
            PeerConnectionState::Connected
        );
        // The answer to the offer that collided has carried the new credentials.
        assert_eq!(pair.a.session.is_negotiation_needed(), !collides);
        pair.negotiate(Side::A);
        pair.run_for(Duration::from_secs(60));
        assert_eq!(
            pair.b.session.connection_state(),
            PeerConnectionState::Connected
        );
        assert!(!pair.a.session.is_negotiation_needed(), "{collides}");
    }
}

/// dc-018: what the channel before it on its stream had is not the new channel's, nor the reverse.
#[test]
fn a_channel_on_a_used_stream_begins_anew() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
    let (old, _) = open(&mut pair, DataChannelInit::default());
    let session = &mut pair.a.session;
    session.set_buffered_amount_low_threshold(old, 1_000_000);
    let now = pair.now();
    pair.a.session.close_channel(now, old);
    assert!(pair.run_until(LIMIT, |pair| {
        pair.a.session.channel_state(old) == DataChannelState::Closed
    }));
    let (now, session) = (pair.now(), &mut pair.a.session);
    let new = session.create_data_channel(now, "new", DataChannelInit::default());
    let new = new.unwrap();
    assert!(pair.run_until(LIMIT, |pair| incoming(pair).len() == 2));
    let session = &mut pair.a.session;
    assert_eq!(session.channel_info(new).id, session.channel_info(old).id);
    pair.a.events.clear();
    let data = Bytes::from(vec![0; 200_000]);
    session.send(now, new, Payload::Binary, &data).unwrap();
    assert!(session.buffered_amount(new) > 0);
    assert_eq!(session.buffered_amount(old), 0);
    // The message leaves in more than one flight; the event tells of the last.
    assert!(pair.run_until(LIMIT, |pair| {
        let low = |event: &SessionEvent| matches!(event, SessionEvent::BufferedAmountLow(_));
        let told = pair.a.events.iter().any(low);
        assert_eq!(told, pair.a.session.buffered_amount(new) == 0);
        told
    }));
}

/// dc-012, sctp-020
#[test]
fn closing_the_connection_closes_its_channels_at_the_other_end() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
    let (_, theirs) = open(&mut pair, DataChannelInit::default());
    let now = pair.now();
    pair.a.session.close(now);
    assert!(pair.run_until(Duration::from_secs(1), |pair| {
        pair.b.session.channel_state(theirs) == DataChannelState::Closed
    }));
    // ice-060: the goodbye ends consent, so nobody waits for it to run out.
    assert_eq!(
        pair.b.session.connection_state(),
        PeerConnectionState::Failed
    );
}

/// pc-023, ice-053: data flows during a restart and after it.
#[test]
fn a_channel_survives_an_ice_restart() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(5)));
    let (key, _) = open(&mut pair, DataChannelInit::default());
    let before = pair.a.session.selected_candidate_pair();
    pair.a.session.restart_ice();
    for count in 0..50u32 {
        let (now, data) = (pair.now(), Bytes::from(count.to_be_bytes().to_vec()));
        pair.a
            .session
            .send(now, key, Payload::Binary, &data)
            .unwrap();
        if count == 10 {
            pair.negotiate(Side::A);
        }
        pair.run_for(Duration::from_millis(20));
    }
    assert!(pair.run_until(LIMIT, |pair| pair.b.messages.len() == 50));
    let numbers: Vec<u32> = pair
        .b
        .messages
        .iter()
        .map(|(_, _, data)| u32::from_be_bytes(data.as_slice().try_into().unwrap()))
        .collect();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    let after = pair.a.session.selected_candidate_pair();
    assert!(before.is_some() && after.is_some());
    assert_ne!(
        before.map(|p| p.local),
        after.map(|p| p.local),
        "the generation is a new one"
    );
}
