//! Sending and receiving (RFC 8831 §6.6, RFC 8832 §6).
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod pair;

use bytes::Bytes;
use muonrtc_datachannel::{
    ChannelError, ChannelEvent, ChannelInit, ChannelKey, Config, Parity, Payload, Reliability,
    SendError,
};
use pair::{End, Entry, pair, settle};
use std::time::Duration;

/// An end with one channel of its own on stream 0, acknowledged.
fn opened() -> (End, ChannelKey) {
    opened_with(Config::default())
}

fn opened_with(config: Config) -> (End, ChannelKey) {
    let mut end = End::new(config, Parity::Even);
    end.channels.transport_connected(1024, 1024);
    let key = end.open(ChannelInit::new("x"));
    end.outgoing();
    end.receive(0, 50, &[2][..]);
    end.poll();
    end.log.clear();
    (end, key)
}

fn closed(end: &mut End, key: ChannelKey, error: ChannelError) {
    assert_eq!(end.resets(), [0]);
    end.channels.outgoing_reset(&[0]);
    end.channels.incoming_reset(&[0]);
    let error = Some(error);
    assert_eq!(end.events(), [ChannelEvent::Closed { key, error }]);
    assert_eq!(end.consumed, end.arrived);
}

// dc-001, dc-002, dc-003
#[test]
fn messages_of_both_kinds_arrive_empty_ones_too() {
    let (mut a, mut b) = pair();
    let key = a.open(ChannelInit::new("x"));
    settle(&mut a, &mut b);
    let cases: [(Payload, &'static [u8], u32, usize); 4] = [
        (Payload::Text, b"text", 51, 4),
        (Payload::Binary, b"bytes", 53, 5),
        (Payload::Text, b"", 56, 1),
        (Payload::Binary, b"", 57, 1),
    ];
    for (payload, data, protocol, wire_len) in cases {
        let message = a
            .channels
            .send(key, payload, Bytes::from_static(data))
            .unwrap();
        assert_eq!(message.protocol, protocol);
        assert_eq!(message.data.len(), wire_len);
        b.receive(message.stream, message.protocol, message.data);
        assert_eq!(b.messages(), [(payload, Bytes::from_static(data))]);
    }
    assert_eq!(b.consumed, b.arrived);
    let sent = a.channels.info(key).unwrap().stats;
    assert_eq!((sent.messages_sent, sent.bytes_sent), (4, 9));
    let key = b.channels.channel_of(0).unwrap();
    let received = b.channels.info(key).unwrap().stats;
    assert_eq!(
        (received.messages_received, received.bytes_received),
        (4, 9)
    );
}

// dc-008
#[test]
fn an_unordered_channel_keeps_order_until_the_peer_is_heard() {
    for heard_by_data in [false, true] {
        let (mut a, mut b) = pair();
        let mut init = ChannelInit::new("x");
        init.ordered = false;
        init.max_packet_life_time = Some(250);
        let key = a.open(init);
        let early = a.channels.send(key, Payload::Text, "1".into()).unwrap();
        assert!(!early.unordered);
        assert_eq!(
            early.reliability,
            Reliability::MaxLifetime(Duration::from_millis(250))
        );
        if heard_by_data {
            a.receive(0, 51, "hello");
        } else {
            settle(&mut a, &mut b);
            // The side that was asked may give up order at once.
            let theirs = b.channels.channel_of(0).unwrap();
            let answer = b.channels.send(theirs, Payload::Text, "2".into());
            assert!(answer.unwrap().unordered);
        }
        let late = a.channels.send(key, Payload::Text, "3".into()).unwrap();
        assert!(late.unordered);
    }
}

// dc-017, dc-020
#[test]
fn only_an_open_channel_sends_and_only_what_the_peer_takes() {
    let mut end = End::new(Config::default(), Parity::Even);
    let key = end.open(ChannelInit::new("x"));
    let send = |end: &mut End, len: usize| {
        let data = Bytes::from(vec![0; len]);
        end.channels.send(key, Payload::Binary, data).map(drop)
    };
    assert_eq!(send(&mut end, 1), Err(SendError::NotOpen));
    end.channels.transport_connected(10, 10);
    assert_eq!(send(&mut end, 65536), Ok(()));
    assert_eq!(
        send(&mut end, 65537),
        Err(SendError::TooLong { max: 65536 })
    );
    end.channels.set_max_send_len(usize::MAX);
    assert_eq!(send(&mut end, 65537), Ok(()));
    end.channels.set_max_send_len(10);
    assert_eq!(send(&mut end, 11), Err(SendError::TooLong { max: 10 }));
    end.channels.close(key);
    assert_eq!(send(&mut end, 1), Err(SendError::NotOpen));
}

// dc-022
#[test]
fn a_channel_is_announced_before_its_first_message_and_closed_after_its_last() {
    let (mut a, mut b) = pair();
    let key = a.open(ChannelInit::new("x"));
    let message = a.channels.send(key, Payload::Text, "hi".into()).unwrap();
    let open = a.outgoing().remove(0);
    // Everything is there before anything is polled.
    b.channels
        .handle_message(open.stream, open.protocol, true, true, open.data);
    b.channels
        .handle_message(0, message.protocol, true, true, message.data);
    b.channels.incoming_reset(&[0]);
    b.channels.outgoing_reset(&[0]);
    assert_eq!(b.channels.poll_message(), None);
    b.poll();
    let key = b.channels.keys().next().unwrap();
    assert_eq!(
        b.log,
        [
            Entry::Event(ChannelEvent::Incoming { key }),
            Entry::Event(ChannelEvent::Opened { key }),
            Entry::Message(key, Payload::Text, "hi".into()),
            Entry::Event(ChannelEvent::Closing { key }),
            Entry::Event(ChannelEvent::Closed { key, error: None }),
        ]
    );
}

#[test]
fn fragments_are_put_together_and_hold_the_window_until_taken() {
    let (mut end, _) = opened();
    let before = end.consumed;
    end.receive_part(0, 53, true, false, vec![1; 1000]);
    end.receive_part(0, 53, false, false, vec![2; 1000]);
    assert_eq!(end.consumed, before);
    end.receive_part(0, 53, false, true, vec![3; 10]);
    let messages = end.messages();
    let expected = [vec![1; 1000], vec![2; 1000], vec![3; 10]].concat();
    assert_eq!(messages, [(Payload::Binary, expected.into())]);
    assert_eq!(end.consumed, before + 2010);
}

// dc-001, dfx-047
#[test]
fn the_deprecated_partial_protocols_are_put_together() {
    let (mut end, _) = opened();
    end.receive(0, 54, "one ");
    end.receive_part(0, 54, true, false, "two");
    end.receive_part(0, 54, false, true, " ");
    end.receive(0, 51, "three");
    end.receive(0, 52, vec![1]);
    end.receive(0, 53, vec![2]);
    assert_eq!(
        end.messages(),
        [
            (Payload::Text, "one two three".into()),
            (Payload::Binary, vec![1, 2].into()),
        ]
    );
    assert_eq!(end.consumed, end.arrived);
}

#[test]
fn a_message_whose_rest_was_given_up_leaves_nothing_behind() {
    let (mut end, _) = opened();
    end.receive_part(0, 53, true, false, vec![1; 100]);
    end.receive(0, 53, vec![2]);
    end.receive(0, 52, vec![3]);
    end.receive(0, 51, "text");
    // Its beginning was given up.
    end.receive_part(0, 53, false, true, vec![4]);
    assert_eq!(
        end.messages(),
        [
            (Payload::Binary, vec![2].into()),
            (Payload::Text, "text".into()),
        ]
    );
    assert_eq!(end.consumed, end.arrived);
}

// dc-010
#[test]
fn an_unknown_protocol_closes_the_channel() {
    for protocol in [0, 49, 55, 58, u32::MAX] {
        let (mut end, key) = opened();
        end.receive(0, protocol, "?");
        closed(&mut end, key, ChannelError::PayloadProtocol(protocol));
    }
}

// dc-010
#[test]
fn a_malformed_control_message_closes_the_channel() {
    for message in [&[][..], &[7], &[0, 2], &[3]] {
        let (mut end, key) = opened();
        end.receive(0, 50, message);
        closed(&mut end, key, ChannelError::Control);
    }
}

#[test]
fn a_message_longer_than_announced_closes_the_channel() {
    let mut config = Config::default();
    config.max_message_len = 1000;
    let (mut end, key) = opened_with(config.clone());
    end.receive(0, 53, vec![0; 1000]);
    assert_eq!(end.messages().len(), 1);
    end.receive(0, 53, vec![0; 1001]);
    closed(&mut end, key, ChannelError::MessageTooLong);

    let (mut end, key) = opened_with(config);
    end.receive_part(0, 53, true, false, vec![0; 600]);
    end.receive_part(0, 53, false, false, vec![0; 600]);
    // What follows of it has no head any more.
    end.receive_part(0, 53, false, true, vec![0; 600]);
    closed(&mut end, key, ChannelError::MessageTooLong);
}

#[test]
fn messages_under_way_on_many_streams_are_bounded_and_do_not_close_the_window() {
    let mut config = Config::default();
    config.max_message_len = 1000;
    config.max_partial_len = 5000;
    let mut end = End::new(config, Parity::Even);
    end.channels.transport_connected(100, 100);
    for _ in 0..10 {
        end.open(ChannelInit::new(""));
    }
    end.outgoing();
    for stream in 0..10 {
        end.receive_part(stream * 2, 53, true, false, vec![0; 900]);
    }
    assert!(
        end.arrived - end.consumed <= 1000,
        "no more than one message holds the window"
    );
    assert_eq!(end.resets(), [10, 12, 14, 16, 18]);
    // The others can still finish.
    for stream in 0..5 {
        end.receive_part(stream * 2, 53, false, true, vec![0; 1]);
    }
    assert_eq!(end.messages().len(), 5);
    assert_eq!(end.consumed, end.arrived);
}

// dc-014
#[test]
fn data_for_a_negotiated_channel_that_comes_early_waits_for_it() {
    let mut end = End::connected(Parity::Even);
    end.receive(5, 51, "one");
    end.receive(6, 51, "other");
    end.receive(5, 51, "two");
    assert_eq!(end.messages(), []);
    let mut init = ChannelInit::new("late");
    init.negotiated = Some(5);
    let key = end.open(init);
    end.poll();
    assert_eq!(
        end.log,
        [
            Entry::Event(ChannelEvent::Opened { key }),
            Entry::Message(key, Payload::Text, "one".into()),
            Entry::Message(key, Payload::Text, "two".into()),
        ]
    );
    // The other stream is reset before anybody takes it.
    end.channels.incoming_reset(&[6]);
    end.poll();
    assert_eq!(end.consumed, end.arrived);
    assert_eq!(end.channels.stats().messages_dropped, 1);
}

#[test]
fn early_data_is_bounded() {
    let mut end = End::connected(Parity::Even);
    for _ in 0..10_000 {
        end.receive(5, 51, "x");
    }
    assert!(end.arrived - end.consumed < 2000);
    assert!(end.channels.stats().messages_dropped > 8000);
}

#[test]
fn a_second_acknowledgement_changes_nothing() {
    let (mut end, key) = opened();
    end.receive(0, 50, &[2][..]);
    end.receive(3, 50, &[2][..]);
    assert_eq!(end.channels.stats().control_ignored, 2);
    assert_eq!(
        end.channels.state(key),
        Some(muonrtc_datachannel::ChannelState::Open)
    );
    assert_eq!(end.resets(), []);
}
