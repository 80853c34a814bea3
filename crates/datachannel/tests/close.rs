//! Closing channels (RFC 8831 §6.7, webrtc-pc §6.2.4).
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
    ChannelError, ChannelEvent, ChannelInit, ChannelState, Config, OpenError, Parity, Payload,
};
use pair::{End, Entry, carry, pair, settle};

// dc-011
#[test]
fn a_close_resets_both_halves_and_then_both_ends_are_closed() {
    let (mut a, mut b) = pair();
    let ours = a.open(ChannelInit::new("x"));
    settle(&mut a, &mut b);
    let theirs = b.channels.channel_of(0).unwrap();
    a.events();
    b.events();

    a.channels.close(ours);
    a.channels.close(ours);
    assert_eq!(a.channels.state(ours), Some(ChannelState::Closing));
    assert_eq!(a.events(), [], "the closer needs no closing event");
    carry(&mut a, &mut b);
    assert_eq!(b.events(), [ChannelEvent::Closing { key: theirs }]);
    assert_eq!(a.events(), [], "one half is not enough");
    settle(&mut a, &mut b);
    for (end, key) in [(&mut a, ours), (&mut b, theirs)] {
        assert_eq!(end.events(), [ChannelEvent::Closed { key, error: None }]);
        assert_eq!(end.channels.state(key), Some(ChannelState::Closed));
        assert_eq!(end.channels.stats().channels_closed, 1);
    }
}

// dc-011
#[test]
fn both_ends_may_close_at_once() {
    let (mut a, mut b) = pair();
    let ours = a.open(ChannelInit::new("x"));
    settle(&mut a, &mut b);
    let theirs = b.channels.channel_of(0).unwrap();
    a.events();
    b.events();
    a.channels.close(ours);
    b.channels.close(theirs);
    settle(&mut a, &mut b);
    assert_eq!(
        a.events(),
        [ChannelEvent::Closed {
            key: ours,
            error: None
        }]
    );
    assert_eq!(
        b.events(),
        [ChannelEvent::Closed {
            key: theirs,
            error: None
        }]
    );
}

// dc-011, dfx-052
#[test]
fn a_stream_is_used_again_only_after_both_resets() {
    let mut end = End::connected(Parity::Even);
    let first = end.open(ChannelInit::new("first"));
    end.channels.close(first);
    let next = |end: &mut End| {
        let key = end.open(ChannelInit::new(""));
        end.channels.stream(key)
    };
    assert_eq!(next(&mut end), Some(2));
    end.channels.outgoing_reset(&[0]);
    assert_eq!(next(&mut end), Some(4));
    end.channels.incoming_reset(&[0]);
    assert_eq!(next(&mut end), Some(0));
    assert_eq!(next(&mut end), Some(6));
}

#[test]
fn what_follows_on_a_stream_whose_reset_the_peer_has_already_seen_is_kept() {
    let mut end = End::connected(Parity::Even);
    let open = vec![3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    end.receive(1, 50, open.clone());
    let first = end.channels.channel_of(1).unwrap();
    end.channels.close(first);
    end.channels.incoming_reset(&[1]);
    end.events();
    // The peer has performed our reset; its answer is still on the way.
    end.receive(1, 50, open);
    end.receive(1, 51, "again");
    assert_eq!(end.events(), []);
    end.channels.outgoing_reset(&[1]);
    end.poll();
    let second = end.channels.channel_of(1).unwrap();
    assert_ne!(first, second);
    assert_eq!(
        end.log,
        [
            Entry::Event(ChannelEvent::Closed {
                key: first,
                error: None
            }),
            Entry::Event(ChannelEvent::Incoming { key: second }),
            Entry::Event(ChannelEvent::Opened { key: second }),
            Entry::Message(second, Payload::Text, "again".into()),
        ]
    );
    assert_eq!(end.consumed, end.arrived);
}

// webrtc-pc §6.2: a channel that is not open discards what arrives.
#[test]
fn messages_that_arrive_after_our_close_are_dropped() {
    let mut end = End::connected(Parity::Even);
    let key = end.open(ChannelInit::new("x"));
    end.receive_part(0, 53, true, false, vec![0; 10]);
    end.channels.close(key);
    end.receive_part(0, 53, false, true, vec![0; 10]);
    end.receive(0, 51, "late");
    assert_eq!(end.messages(), []);
    assert_eq!(end.consumed, end.arrived);
    assert_eq!(end.channels.stats().messages_dropped, 2);
}

#[test]
fn a_channel_that_never_opened_closes_at_once() {
    let mut end = End::new(Config::default(), Parity::Even);
    let mut init = ChannelInit::new("agreed");
    init.negotiated = Some(3);
    for key in [end.open(ChannelInit::new("x")), end.open(init.clone())] {
        end.channels.close(key);
        assert_eq!(end.events(), [ChannelEvent::Closed { key, error: None }]);
    }
    end.channels.transport_connected(8, 8);
    assert_eq!(end.outgoing(), []);
    end.open(init);
}

// dc-012
#[test]
fn the_end_of_the_transport_closes_every_channel() {
    for error in [None, Some(ChannelError::Transport)] {
        let (mut a, mut b) = pair();
        let open = a.open(ChannelInit::new("open"));
        let closing = a.open(ChannelInit::new("closing"));
        settle(&mut a, &mut b);
        a.channels.close(closing);
        a.events();
        a.channels.transport_closed(error);
        assert_eq!(
            a.events(),
            [
                ChannelEvent::Closed { key: open, error },
                ChannelEvent::Closed {
                    key: closing,
                    error
                },
            ]
        );
        assert_eq!(a.resets(), []);
        assert_eq!(
            a.channels.open(ChannelInit::new("late")),
            Err(OpenError::Closed)
        );
        a.channels.transport_closed(error);
        assert_eq!(a.events(), []);
    }
}

#[test]
fn a_transport_that_was_restarted_serves_new_channels() {
    let mut end = End::connected(Parity::Even);
    let old = end.open(ChannelInit::new("old"));
    end.outgoing();
    end.channels.transport_closed(Some(ChannelError::Transport));
    end.channels.transport_connected(8, 8);
    let new = end.open(ChannelInit::new("new"));
    assert_eq!(end.channels.state(old), Some(ChannelState::Closed));
    assert_eq!(end.channels.stream(new), Some(0));
    assert_eq!(end.outgoing().len(), 1);
}

#[test]
fn a_refused_reset_closes_the_channel_and_retires_the_stream() {
    let mut end = End::connected(Parity::Even);
    let key = end.open(ChannelInit::new("x"));
    end.events();
    end.channels.close(key);
    end.channels.reset_failed(&[0]);
    assert_eq!(end.events(), [ChannelEvent::Closed { key, error: None }]);
    end.channels.incoming_reset(&[0]);
    let next = end.open(ChannelInit::new("y"));
    assert_eq!(end.channels.stream(next), Some(2));
}

#[test]
fn a_reset_of_a_stream_we_do_not_know_is_answered() {
    let (mut a, mut b) = pair();
    let mut init = ChannelInit::new("only theirs");
    init.negotiated = Some(9);
    let key = b.open(init);
    b.events();
    b.channels.close(key);
    settle(&mut a, &mut b);
    assert_eq!(b.events(), [ChannelEvent::Closed { key, error: None }]);
    assert_eq!(a.events(), []);
    assert_eq!((a.resets(), b.resets()), (vec![], vec![]));
}
