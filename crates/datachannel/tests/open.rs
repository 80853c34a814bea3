//! Opening channels (RFC 8832 §6, webrtc-pc §6.1.2).
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod pair;

use muonrtc_datachannel::{
    ChannelError, ChannelEvent, ChannelInit, ChannelState, ChannelType, Config, ControlMessage,
    OpenError, Parity,
};
use pair::{End, pair, settle};

fn negotiated(stream: u16) -> ChannelInit {
    let mut init = ChannelInit::new("agreed");
    init.negotiated = Some(stream);
    init
}

fn open_message(label: &str) -> Vec<u8> {
    let mut message = vec![3, 0, 1, 0, 0, 0, 0, 0, 0, label.len() as u8, 0, 0];
    message.extend(label.as_bytes());
    message
}

// dc-004, dc-007, dc-019
#[test]
fn a_channel_is_open_at_once_and_the_peer_learns_all_of_it() {
    let (mut a, mut b) = pair();
    let mut init = ChannelInit::new("chat");
    init.protocol = "json".into();
    init.ordered = false;
    init.max_retransmits = Some(7);
    init.priority = 512;
    let key = a.open(init.clone());
    assert_eq!(a.events(), [ChannelEvent::Opened { key }]);

    settle(&mut a, &mut b);
    let events = b.events();
    let [
        ChannelEvent::Incoming { key },
        ChannelEvent::Opened { key: opened },
    ] = events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(key, opened);
    let info = b.channels.info(key).unwrap();
    assert_eq!(info.init, init);
    assert_eq!(info.id, Some(0));
    assert!(info.is_incoming);
    assert_eq!(info.state, ChannelState::Open);
}

// dc-007
#[test]
fn control_messages_are_ordered_and_reliable_on_the_channels_own_stream() {
    let (mut a, mut b) = pair();
    let mut init = ChannelInit::new("lossy");
    init.ordered = false;
    init.max_packet_life_time = Some(100);
    a.open(init);
    let open = a.outgoing().remove(0);
    assert!(!open.unordered);
    assert_eq!(open.reliability, muonrtc_datachannel::Reliability::Reliable);
    let Ok(ControlMessage::Open(message)) = ControlMessage::decode(&open.data) else {
        panic!("{open:?}");
    };
    assert_eq!(message.channel_type, ChannelType::MaxLifetime(100));

    b.receive(open.stream, open.protocol, open.data);
    let ack = b.outgoing().remove(0);
    assert_eq!((ack.stream, ack.protocol), (open.stream, 50));
    assert_eq!(&ack.data[..], [2]);
}

// dc-006
#[test]
fn the_client_takes_even_streams_and_the_server_odd_ones() {
    let (mut a, mut b) = pair();
    for expected in [0, 2, 4] {
        let key = a.open(ChannelInit::new(""));
        assert_eq!(a.channels.stream(key), Some(expected));
    }
    for expected in [1, 3, 5] {
        let key = b.open(ChannelInit::new(""));
        assert_eq!(b.channels.stream(key), Some(expected));
    }
}

// dc-016
#[test]
fn channels_wait_for_role_and_transport_and_then_open_in_their_order() {
    for role_first in [true, false] {
        let mut end = End::new(Config::default(), Parity::Odd);
        if !role_first {
            end.channels = muonrtc_datachannel::Channels::new(Config::default());
        }
        let first = end.open(ChannelInit::new("first"));
        let agreed = end.open(negotiated(1));
        let second = end.open(ChannelInit::new("second"));
        assert_eq!(end.channels.state(first), Some(ChannelState::Connecting));
        assert_eq!(end.channels.stream(first), None);
        assert_eq!(end.events(), []);

        end.channels.transport_connected(16, 16);
        if !role_first {
            assert_eq!(end.channels.stream(first), None);
            assert_eq!(end.channels.state(agreed), Some(ChannelState::Open));
            end.channels.set_parity(Parity::Odd);
        }
        assert_eq!(end.channels.stream(first), Some(3));
        assert_eq!(end.channels.stream(second), Some(5));
        assert_eq!(end.events().len(), 3);
        assert_eq!(end.outgoing().len(), 2);
    }
}

// dc-014
#[test]
fn a_negotiated_channel_says_nothing() {
    let (mut a, mut b) = pair();
    let key = a.open(negotiated(7));
    assert_eq!(a.outgoing(), []);
    assert_eq!(a.events(), [ChannelEvent::Opened { key }]);
    b.open(negotiated(7));
    settle(&mut a, &mut b);
    assert_eq!(a.channels.stats().messages_dropped, 0);
}

// dc-015
#[test]
fn what_the_caller_may_not_ask_for_is_refused() {
    let mut end = End::connected(Parity::Even);
    let open = |end: &mut End, change: &dyn Fn(&mut ChannelInit)| {
        let mut init = ChannelInit::new("x");
        change(&mut init);
        end.channels.open(init)
    };
    let long = "x".repeat(65536);
    assert_eq!(
        open(&mut end, &|init| init.label = long.clone()),
        Err(OpenError::LabelTooLong)
    );
    assert_eq!(
        open(&mut end, &|init| init.protocol = long.clone()),
        Err(OpenError::ProtocolTooLong)
    );
    assert_eq!(
        open(&mut end, &|init| {
            init.max_retransmits = Some(0);
            init.max_packet_life_time = Some(0);
        }),
        Err(OpenError::TwoLimits)
    );
    for stream in [1024, 65535] {
        assert_eq!(
            end.channels.open(negotiated(stream)),
            Err(OpenError::StreamOutOfRange(stream))
        );
    }
    end.open(negotiated(4));
    assert_eq!(
        end.channels.open(negotiated(4)),
        Err(OpenError::StreamInUse(4))
    );
    end.channels.transport_closed(None);
    assert_eq!(
        end.channels.open(ChannelInit::new("late")),
        Err(OpenError::Closed)
    );
}

// dc-006: 65535 is refused before the number of streams is known, too.
#[test]
fn stream_65535_is_never_a_channels() {
    let mut end = End::new(Config::default(), Parity::Odd);
    assert_eq!(
        end.channels.open(negotiated(65535)),
        Err(OpenError::StreamOutOfRange(65535))
    );
    end.channels.transport_connected(65535, 65535);
    end.receive(65535, 50, open_message("edge"));
    assert_eq!(end.events(), []);
    assert_eq!(end.resets(), []);
}

#[test]
fn a_label_of_full_length_arrives() {
    let (mut a, mut b) = pair();
    let label = "é".repeat(32767) + "x";
    a.open(ChannelInit::new(label.clone()));
    settle(&mut a, &mut b);
    let ChannelEvent::Incoming { key } = b.events()[0] else {
        panic!();
    };
    assert_eq!(b.channels.info(key).unwrap().init.label, label);
}

// dc-021
#[test]
fn the_smaller_number_of_streams_bounds_the_channels() {
    let mut end = End::new(Config::default(), Parity::Even);
    end.channels.transport_connected(4, 10);
    assert_eq!(end.channels.max_channels(), Some(4));
    end.open(ChannelInit::new("0"));
    end.open(ChannelInit::new("2"));
    assert_eq!(
        end.channels.open(ChannelInit::new("4")),
        Err(OpenError::NoStream)
    );
}

#[test]
fn a_channel_that_waited_for_a_stream_in_vain_closes_with_an_error() {
    let mut end = End::new(Config::default(), Parity::Odd);
    let waiting: Vec<_> = (0..3).map(|_| end.open(ChannelInit::new(""))).collect();
    let agreed = end.open(negotiated(9));
    end.channels.transport_connected(4, 4);
    let error = Some(ChannelError::NoStream);
    let events = end.events();
    assert!(events.contains(&ChannelEvent::Closed {
        key: waiting[2],
        error
    }));
    assert!(events.contains(&ChannelEvent::Closed { key: agreed, error }));
    assert_eq!(end.channels.stats().channels_opened, 2);
    assert_eq!(end.channels.stats().channels_closed, 0);
}

// dc-009
#[test]
fn an_open_on_our_half_of_the_streams_is_reset_without_acknowledgement() {
    let mut end = End::connected(Parity::Even);
    end.receive(2, 50, open_message("wrong"));
    assert_eq!(end.events(), []);
    assert_eq!(end.outgoing(), []);
    assert_eq!(end.resets(), [2]);
    assert_eq!(end.channels.stats().opens_refused, 1);
    // The stream is nobody's until both halves are reset.
    assert_eq!(
        end.channels.open(negotiated(2)),
        Err(OpenError::StreamInUse(2))
    );
    end.channels.outgoing_reset(&[2]);
    end.channels.incoming_reset(&[2]);
    end.open(negotiated(2));
}

// dc-009
#[test]
fn an_open_on_a_stream_in_use_closes_the_channel() {
    let (mut a, mut b) = pair();
    let key = b.open(ChannelInit::new("ours"));
    settle(&mut a, &mut b);
    b.events();
    b.receive(1, 50, open_message("again"));
    assert_eq!(b.outgoing(), []);
    assert_eq!(b.resets(), [1]);
    b.channels.outgoing_reset(&[1]);
    b.channels.incoming_reset(&[1]);
    let error = Some(ChannelError::StreamInUse);
    assert_eq!(b.events(), [ChannelEvent::Closed { key, error }]);
}

// dc-009
#[test]
fn a_malformed_open_is_reset_and_one_beyond_the_streams_ignored() {
    let mut end = End::connected(Parity::Even);
    end.receive(1, 50, vec![3, 0, 0]);
    end.receive(3, 50, vec![9]);
    let mut unknown_type = open_message("x");
    unknown_type[1] = 0x7F;
    end.receive(5, 50, unknown_type);
    end.receive(2001, 50, open_message("far"));
    assert_eq!(end.events(), []);
    assert_eq!(end.outgoing(), []);
    assert_eq!(end.resets(), [1, 3, 5]);
    assert_eq!(end.channels.stats().opens_refused, 4);
}

#[test]
fn the_peer_opens_only_so_many_channels() {
    let mut config = Config::default();
    config.max_peer_channels = 2;
    config.max_peer_text_len = 10;
    let mut end = End::new(config, Parity::Even);
    end.channels.transport_connected(100, 100);
    end.receive(1, 50, open_message("1234"));
    end.receive(3, 50, open_message("1234567"));
    end.receive(5, 50, open_message("123456"));
    end.receive(7, 50, open_message(""));
    assert_eq!(end.resets(), [3, 7]);
    assert_eq!(end.channels.keys().count(), 2);

    // One that is closed and forgotten makes room.
    let key = end.channels.channel_of(1).unwrap();
    end.channels.close(key);
    end.channels.forget(key);
    assert!(
        end.channels.info(key).is_some(),
        "only a closed one is forgotten"
    );
    end.channels.outgoing_reset(&[1]);
    end.channels.incoming_reset(&[1]);
    end.channels.forget(key);
    assert_eq!(end.channels.info(key), None);
    end.receive(9, 50, open_message(""));
    assert_eq!(end.channels.keys().count(), 2);
}

#[test]
fn limits_beyond_sixteen_bits_are_clamped() {
    let mut end = End::connected(Parity::Even);
    let mut message = open_message("x");
    message[1] = 0x02;
    message[4..8].copy_from_slice(&100_000_u32.to_be_bytes());
    end.receive(1, 50, message);
    let key = end.channels.channel_of(1).unwrap();
    let init = end.channels.info(key).unwrap().init;
    assert_eq!(init.max_packet_life_time, Some(65535));
}

#[test]
fn opening_ten_thousand_channels_is_linear_work() {
    let mut end = End::new(Config::default(), Parity::Even);
    end.channels.transport_connected(65535, 65535);
    for expected in 0..10_000 {
        let key = end.open(ChannelInit::new(""));
        assert_eq!(end.channels.stream(key), Some(expected * 2));
    }
}
