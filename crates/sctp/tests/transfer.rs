//! Messages from one end to the other.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpEvent};
use link::{Pair, Weather};
use std::time::Duration;

fn pattern(len: usize, salt: usize) -> Bytes {
    (0..len)
        .map(|at| ((at * 7 + at / 251 + salt) % 256) as u8)
        .collect()
}

#[test]
fn a_message_arrives_as_it_was() {
    let mut pair = Pair::connected(1);
    pair.send_text(0, 3, "hello");
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    let message = &pair.ends[1].messages[0];
    assert_eq!((message.stream, message.protocol), (3, 51));
    assert_eq!(&message.data[..], b"hello");
    assert!(message.first && message.last && !message.unordered);
}

// sctp-032
#[test]
fn messages_of_every_size_around_the_packet_size_arrive_whole_and_in_order() {
    let mut pair = Pair::connected(2);
    let sizes: Vec<usize> = (1..40)
        .chain(1090..1160)
        .chain([2240, 4000, 65_535, 65_536, 262_144])
        .collect();
    for (salt, &size) in sizes.iter().enumerate() {
        pair.send(0, Outgoing::new(0, 53, pattern(size, salt)));
    }
    let count = sizes.len();
    pair.run_until(|pair| pair.ends[1].messages.len() == count);
    for (salt, &size) in sizes.iter().enumerate() {
        assert_eq!(
            pair.ends[1].messages[salt].data,
            pattern(size, salt),
            "size {size}"
        );
    }
    pair.settle();
    assert_eq!(pair.ends[0].sctp.stats().retransmissions, 0);
    assert_eq!(pair.ends[0].sctp.buffered_amount(0), 0);
}

// sctp-022, sctp-026, sctp-027
#[test]
fn everything_arrives_over_a_bad_link_in_both_directions() {
    for seed in 1..=20 {
        let mut pair = Pair::new(seed);
        pair.weather = Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(15),
            loss: 20,
            duplication: 10,
            ..Weather::default()
        };
        pair.connect();
        for at in 0..2 {
            for number in 0..50 {
                let len = 1 + (number * 977) % 9000;
                let mut message = Outgoing::new((number % 3) as u16, 53, pattern(len, number));
                message.unordered = number % 5 == 4;
                pair.send(at, message);
            }
        }
        pair.run_until(|pair| pair.ends.iter().all(|end| end.messages.len() >= 50));
        for end in &pair.ends {
            assert_eq!(end.messages.len(), 50, "seed {seed}");
            for stream in 0..3 {
                let got: Vec<usize> = end
                    .messages
                    .iter()
                    .filter(|m| m.stream == stream && !m.unordered)
                    .map(|m| {
                        (0..50)
                            .find(|&n| m.data == pattern(1 + (n * 977) % 9000, n))
                            .unwrap()
                    })
                    .collect();
                assert!(got.is_sorted(), "seed {seed}: {got:?}");
            }
        }
    }
}

#[test]
fn the_low_event_comes_when_the_amount_falls_to_the_threshold() {
    let mut pair = Pair::connected(4);
    pair.ends[0]
        .sctp
        .set_buffered_amount_low_threshold(1, 10_000);
    pair.send(0, Outgoing::new(1, 53, pattern(200_000, 0)));
    assert!(pair.ends[0].sctp.buffered_amount(1) > 10_000);
    assert!(pair.ends[0].events.is_empty());
    pair.run_until(|pair| pair.ends[0].has(|e| *e == SctpEvent::BufferedAmountLow { stream: 1 }));
    assert!(pair.ends[0].sctp.buffered_amount(1) <= 10_000);
}
