//! Messages in parts: none of them is held as a whole.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod pair;

use bytes::Bytes;
use muonrtc_datachannel::{
    ChannelEvent, ChannelInit, ChannelKey, ChannelState, Channels, Payload, ReceivedMessage,
    SendError,
};
use pair::{End, pair, settle};

const BINARY: u32 = 53;
const TEXT: u32 = 51;

/// Two ends with an open channel.
fn opened() -> (End, End, ChannelKey, ChannelKey) {
    let (mut a, mut b) = pair();
    let key = a.open(ChannelInit::new("large"));
    settle(&mut a, &mut b);
    let incoming = |event| match event {
        ChannelEvent::Incoming { key } => Some(key),
        _ => None,
    };
    let other = b.events().into_iter().find_map(incoming).unwrap();
    a.events();
    (a, b, key, other)
}

/// Everything that waits.
fn received(channels: &mut Channels) -> Vec<ReceivedMessage> {
    std::iter::from_fn(|| channels.poll_message()).collect()
}

fn part(end: &mut End, key: ChannelKey, ends: (bool, bool), len: usize) -> Result<(), SendError> {
    let data = Bytes::from(vec![1; len]);
    let sent = end
        .channels
        .send_part(key, Payload::Binary, ends.0, ends.1, data);
    sent.map(|outgoing| assert_eq!((outgoing.first, outgoing.last), ends))
}

// dc-003, F4.09
#[test]
fn parts_come_as_they_are_where_asked_for_and_whole_elsewhere() {
    let (_, mut b, _, key) = opened();
    for in_parts in [true, false] {
        b.channels.receive_in_parts(key, in_parts);
        for (first, last) in [(true, false), (false, false), (false, true), (true, true)] {
            let data = Bytes::from_static(b"abc");
            b.channels.handle_message(0, BINARY, first, last, data);
        }
        let messages = received(&mut b.channels);
        let shape: Vec<_> = messages
            .iter()
            .map(|m| (m.first, m.last, m.data.len(), m.wire_len))
            .collect();
        if in_parts {
            let parts = [(true, false), (false, false), (false, true), (true, true)];
            assert_eq!(shape, parts.map(|(first, last)| (first, last, 3, 3)));
        } else {
            assert_eq!(shape, [(true, true, 9, 9), (true, true, 3, 3)]);
        }
    }
    assert_eq!(b.channels.info(key).unwrap().stats.messages_received, 4);
}

// dc-002
#[test]
fn an_empty_message_and_a_text_come_in_one_part() {
    let (_, mut b, _, key) = opened();
    b.channels.receive_in_parts(key, true);
    b.channels
        .handle_message(0, 56, true, true, Bytes::from_static(&[0]));
    b.channels
        .handle_message(0, TEXT, true, true, Bytes::from_static(b"x"));
    let messages = received(&mut b.channels);
    assert_eq!(
        (messages[0].payload, messages[0].data.len()),
        (Payload::Text, 0)
    );
    assert_eq!((messages[0].wire_len, messages[1].wire_len), (1, 1));
}

#[test]
fn a_message_stays_what_it_began_as() {
    let (_, mut b, _, key) = opened();
    let data = || Bytes::from_static(b"ab");
    b.channels.handle_message(0, BINARY, true, false, data());
    b.channels.receive_in_parts(key, true);
    b.channels.handle_message(0, BINARY, false, true, data());
    assert_eq!(received(&mut b.channels)[0].data.len(), 4);
    b.channels.handle_message(0, BINARY, true, false, data());
    b.channels.receive_in_parts(key, false);
    b.channels.handle_message(0, BINARY, false, true, data());
    let messages = received(&mut b.channels);
    assert_eq!(messages.len(), 2);
    assert!(messages[1].last && !messages[1].first);
}

// dc-020, F4.09
#[test]
fn parts_may_be_more_than_the_longest_message_and_are_not_kept() {
    let (_, mut b, _, key) = opened();
    b.channels.receive_in_parts(key, true);
    let megabyte = Bytes::from(vec![0; 1 << 20]);
    for n in 0..100 {
        b.channels
            .handle_message(0, BINARY, n == 0, n == 99, megabyte.clone());
        let messages = received(&mut b.channels);
        assert_eq!(messages[0].wire_len, 1 << 20);
    }
    assert_eq!(b.channels.state(key), Some(ChannelState::Open));
}

#[test]
fn a_message_whose_rest_does_not_come_is_told_as_aborted_or_forgotten() {
    let (_, mut b, _, key) = opened();
    for in_parts in [true, false] {
        b.channels.receive_in_parts(key, in_parts);
        b.channels
            .handle_message(0, BINARY, true, false, Bytes::from_static(b"ab"));
        b.channels.handle_aborted(0);
        b.channels.handle_aborted(0);
        b.channels
            .handle_message(0, BINARY, true, true, Bytes::from_static(b"next"));
        let messages = received(&mut b.channels);
        let aborted: Vec<_> = messages.iter().map(|message| message.aborted).collect();
        if in_parts {
            assert_eq!(aborted, [false, true, false]);
        } else {
            assert_eq!(aborted, [false]);
        }
        assert_eq!(&messages.last().unwrap().data[..], b"next");
    }
    // What was gathered went back to the window.
    assert_eq!(b.channels.poll_consumed(), Some((0, 2)));
}

// dc-017
#[test]
fn parts_are_sent_in_their_turn() {
    let (mut a, _, key, _) = opened();
    a.channels.set_max_send_len(100);
    assert_eq!(
        part(&mut a, key, (false, true), 1),
        Err(SendError::OutOfTurn)
    );
    part(&mut a, key, (true, false), 60).unwrap();
    assert_eq!(
        part(&mut a, key, (true, true), 1),
        Err(SendError::OutOfTurn)
    );
    assert_eq!(
        part(&mut a, key, (false, false), 0),
        Err(SendError::EmptyPart)
    );
    let too_long = Err(SendError::TooLong { max: 100 });
    assert_eq!(part(&mut a, key, (false, false), 41), too_long);
    part(&mut a, key, (false, true), 40).unwrap();
    part(&mut a, key, (true, true), 0).unwrap();
    let stats = a.channels.info(key).unwrap().stats;
    assert_eq!((stats.messages_sent, stats.bytes_sent), (2, 100));
}

// dc-011
#[test]
fn a_message_under_way_is_finished_after_a_close() {
    let (mut a, _, key, _) = opened();
    part(&mut a, key, (true, false), 10).unwrap();
    a.channels.close(key);
    part(&mut a, key, (false, false), 10).unwrap();
    part(&mut a, key, (false, true), 10).unwrap();
    assert_eq!(part(&mut a, key, (true, true), 1), Err(SendError::NotOpen));
    assert_eq!(
        part(&mut a, key, (false, true), 1),
        Err(SendError::OutOfTurn)
    );
}
