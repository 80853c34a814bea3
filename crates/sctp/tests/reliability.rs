//! Messages that may be given up (RFC 3758, RFC 7496).

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Reliability, Sctp, SctpEvent};
use link::{Pair, kinds};
use muonrtc_sctp::packet::{Data, ForwardTsn, Packet};
use std::time::Duration;

fn message(stream: u16, text: &str, reliability: Reliability) -> Outgoing {
    let mut message = Outgoing::new(stream, 51, Bytes::copy_from_slice(text.as_bytes()));
    message.reliability = reliability;
    message
}

fn drop_data(pair: &mut Pair, mut which: impl FnMut(&Data<'_>) -> bool + 'static) {
    pair.filter = Some(Box::new(move |_, packet| {
        !Packet::parse(packet)
            .unwrap()
            .chunks()
            .map(Result::unwrap)
            .filter(|chunk| chunk.kind == Data::KIND)
            .any(|chunk| which(&Data::parse(chunk).unwrap()))
    }));
}

fn abandoned(pair: &Pair) -> usize {
    let lost = |event: &&SctpEvent| matches!(event, SctpEvent::Abandoned { .. });
    pair.ends[0].events.iter().filter(lost).count()
}

// sctp-037, sctp-038, sctp-039
#[test]
fn a_message_with_no_retransmissions_is_sent_once_and_the_next_ones_arrive() {
    let mut pair = Pair::connected(1);
    let mut seen = 0;
    drop_data(&mut pair, move |data| {
        seen += u32::from(data.payload == b"lost");
        data.payload == b"lost" && {
            assert_eq!(seen, 1);
            true
        }
    });
    pair.send(0, message(1, "lost", Reliability::MaxRetransmits(0)));
    pair.run_for(Duration::from_millis(1));
    pair.send(0, message(1, "kept", Reliability::MaxRetransmits(0)));
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    assert_eq!(pair.ends[1].texts(), ["kept"]);
    pair.settle();
    assert_eq!(abandoned(&pair), 1);
    assert_eq!(pair.ends[0].sctp.stats().messages_abandoned, 1);
    assert_eq!(pair.ends[0].sctp.stats().in_flight, 0);
}

// sctp-039
#[test]
fn a_message_with_two_retransmissions_is_sent_three_times() {
    let mut pair = Pair::connected(1);
    let sent = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = sent.clone();
    drop_data(&mut pair, move |_| {
        count.set(count.get() + 1);
        true
    });
    pair.send(0, message(1, "lost", Reliability::MaxRetransmits(2)));
    pair.run_for(Duration::from_secs(30));
    assert_eq!(sent.get(), 3);
    assert_eq!(abandoned(&pair), 1);
}

// sctp-039
#[test]
fn a_message_past_its_lifetime_is_not_sent_again() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    pair.weather.loss = 100;
    pair.send(
        0,
        message(
            1,
            "old",
            Reliability::MaxLifetime(Duration::from_millis(100)),
        ),
    );
    pair.run_for(Duration::from_secs(10));
    assert_eq!(abandoned(&pair), 1);
    let data = pair
        .sent
        .iter()
        .filter(|sent| kinds(&sent.2).contains(&Data::KIND))
        .count();
    assert_eq!(data, 1);
    pair.weather.loss = 0;
    pair.send(
        0,
        message(1, "new", Reliability::MaxLifetime(Duration::from_secs(10))),
    );
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["new"]);
}

// sctp-039
#[test]
fn a_message_that_expires_in_the_queue_gets_no_tsn() {
    let mut pair = Pair::connected(1);
    pair.weather.rate = Some(10_000);
    let bulk = Outgoing::new(0, 53, Bytes::from(vec![1; 100_000]));
    pair.send(0, bulk);
    pair.send(
        0,
        message(
            1,
            "too late",
            Reliability::MaxLifetime(Duration::from_millis(50)),
        ),
    );
    pair.run_until(|pair| pair.ends[1].messages.len() == 1);
    pair.settle();
    assert_eq!(pair.ends[1].messages.len(), 1);
    assert_eq!(abandoned(&pair), 1);
    assert_eq!(pair.ends[0].sctp.buffered_amount(1), 0);
}

// sctp-037: RFC 3758 §3.5, A3.
#[test]
fn all_fragments_of_a_message_are_given_up_together_sent_or_not() {
    for lost_fragment in [0, 3, 9, 11] {
        let mut pair = Pair::connected(1);
        let mut at = 0;
        drop_data(&mut pair, move |data| {
            let drop = data.stream == 1 && at == lost_fragment;
            at += i32::from(data.stream == 1);
            drop
        });
        let large = "x".repeat(60_000);
        pair.send(0, message(1, &large, Reliability::MaxRetransmits(0)));
        pair.send(0, message(2, "reliable", Reliability::Reliable));
        pair.send(0, message(1, "next", Reliability::MaxRetransmits(0)));
        pair.settle();
        let mut texts = pair.ends[1].texts();
        texts.sort();
        assert_eq!(texts, ["next", "reliable"], "fragment {lost_fragment}");
        assert_eq!(abandoned(&pair), 1);
        assert!(pair.ends[1].ended().is_none());
        assert_eq!(pair.ends[0].sctp.buffered_amount(1), 0);
        assert_eq!(pair.ends[0].sctp.send_capacity(), 16 * 1024 * 1024 - 64);
    }
}

// sctp-037, sctp-038
#[test]
fn on_a_bad_link_reliable_streams_stay_whole_beside_unreliable_ones() {
    for seed in 1..=40 {
        let mut pair = Pair::connected(seed);
        pair.weather.loss = 25;
        pair.weather.jitter = Duration::from_millis(10);
        let mut reliable = Vec::new();
        for number in 0..60 {
            let text = format!("{number:03} {}", "y".repeat(number * 61 % 4000));
            let (stream, reliability) = match number % 4 {
                0 => (0, Reliability::Reliable),
                1 => (1, Reliability::MaxRetransmits(0)),
                2 => (2, Reliability::MaxRetransmits(1)),
                _ => (3, Reliability::MaxLifetime(Duration::from_millis(60))),
            };
            let mut outgoing = message(stream, &text, reliability);
            outgoing.unordered = number % 8 == 1;
            pair.send(0, outgoing);
            if stream == 0 {
                reliable.push(text);
            }
            pair.run_for(Duration::from_millis(3));
        }
        pair.run_for(Duration::from_secs(60));
        let got = |stream: u16| -> Vec<String> {
            let of_stream = |m: &&layer::Message| m.stream == stream;
            let text = |m: &layer::Message| String::from_utf8(m.data.to_vec()).unwrap();
            pair.ends[1]
                .messages
                .iter()
                .filter(of_stream)
                .map(text)
                .collect()
        };
        assert_eq!(got(0), reliable, "seed {seed}");
        assert!(got(2).is_sorted() && got(3).is_sorted(), "seed {seed}");
        let stats = pair.ends[0].sctp.stats();
        let given_up = usize::try_from(stats.messages_abandoned).unwrap();
        let arrived = pair.ends[1].messages.len();
        // One that arrived may have been given up all the same, as its SACK was lost.
        assert!(
            arrived + given_up >= 60,
            "seed {seed}: {arrived} + {given_up}"
        );
        assert_eq!(stats.in_flight, 0, "seed {seed}");
        assert!(given_up > 0 && given_up < 45, "seed {seed}: {given_up}");
    }
}

// sctp-037
#[test]
fn a_lost_forward_tsn_is_sent_again() {
    let mut pair = Pair::connected(1);
    let mut lost = 0;
    pair.filter = Some(Box::new(move |_, packet| {
        let kinds = kinds(packet);
        let first = lost < 3 && (kinds.contains(&Data::KIND) || kinds.contains(&ForwardTsn::KIND));
        lost += i32::from(first);
        !first
    }));
    pair.send(0, message(1, "gone", Reliability::MaxRetransmits(0)));
    pair.run_for(Duration::from_secs(20));
    pair.filter = None;
    pair.send(0, message(1, "here", Reliability::Reliable));
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["here"]);
}

// sctp-037: RFC 3758 §3.5, C4.
#[test]
fn a_forward_tsn_over_more_streams_than_fit_goes_in_parts_and_a_path_without_delay_is_no_loop() {
    let mut pair = Pair::connected(1);
    pair.weather.delay = Duration::ZERO;
    for _ in 0..20 {
        pair.send_text(0, 0, "measures nothing");
        pair.settle();
    }
    let before = pair.ends[1].messages.len();
    drop_data(&mut pair, |data| data.payload == b"x");
    for stream in 0..1000 {
        let mut message = Outgoing::new(stream, 51, Bytes::from_static(b"x"));
        message.reliability = Reliability::MaxRetransmits(0);
        pair.send(0, message);
    }
    pair.run_for(Duration::from_secs(60));
    pair.filter = None;
    for stream in 0..1000 {
        pair.send_text(0, stream, "after");
    }
    pair.settle();
    assert_eq!(pair.ends[1].messages.len(), before + 1000);
    assert_eq!(abandoned(&pair), 1000);
    assert!(pair.ends[0].sctp.stats().packets_sent < 5000);
}
