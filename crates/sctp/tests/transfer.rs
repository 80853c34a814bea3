//! Messages from one end to the other.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Blame, Outgoing, Sctp, SctpError, SctpEvent};
use link::{Pair, Weather, kinds};
use muonrtc_sctp::Factory;
use muonrtc_sctp::packet::{Data, Packet};
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

fn data_chunks(packet: &[u8]) -> Vec<(u32, bool)> {
    Packet::parse(packet)
        .unwrap()
        .chunks()
        .map(Result::unwrap)
        .filter(|chunk| chunk.kind == Data::KIND)
        .map(|chunk| Data::parse(chunk).unwrap())
        .map(|data| (data.tsn, data.immediate))
        .collect()
}

// sctp-027
#[test]
fn a_lost_packet_is_sent_again_after_three_reports_without_a_timeout() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    let mut count = 0;
    pair.filter = Some(Box::new(move |from, packet| {
        count += usize::from(from == 0 && !data_chunks(packet).is_empty());
        !(from == 0 && count == 2 && !data_chunks(packet).is_empty())
    }));
    let sent = pair.now;
    pair.send(0, Outgoing::new(0, 53, pattern(11_000, 0)));
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    assert!(
        pair.now - sent < Duration::from_millis(60),
        "{:?}",
        pair.now - sent
    );
    assert_eq!(pair.ends[0].sctp.stats().retransmissions, 1);
}

// sctp-028, sctp-029
#[test]
fn the_window_starts_with_ten_packets_and_falls_to_one_at_a_timeout() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    pair.weather.loss = 100;
    pair.send(0, Outgoing::new(0, 53, pattern(200_000, 0)));
    assert_eq!(pair.sent.len(), 10);
    pair.run_for(Duration::from_millis(600));
    assert_eq!(pair.sent.len(), 11);
    assert!(pair.ends[0].sctp.stats().congestion_window < 1150);
}

// sctp-023, sctp-026: a driver that takes a batch before it answers must not hide the misses.
#[test]
fn a_batch_with_a_loss_is_reported_often_enough_for_a_fast_retransmit() {
    let mut pair = Pair::connected(4);
    let mut buf = [0; 2048];
    for _ in 0..2 {
        let now = pair.now;
        let message = Outgoing::new(0, 53, pattern(40_000, 1));
        pair.ends[0].sctp.send(now, message).unwrap();
        let mut packets = Vec::new();
        while let Some(len) = pair.ends[0].sctp.poll_transmit(now, &mut buf) {
            packets.push(buf[..len].to_vec());
        }
        assert!(packets.len() >= 8, "{} packets", packets.len());
        // The batch without its first packet, then the answers, then what they bring about.
        for packet in &packets[1..] {
            pair.ends[1].sctp.handle_input(now, packet);
        }
        let mut reports = 0;
        while let Some(len) = pair.ends[1].sctp.poll_transmit(now, &mut buf) {
            reports += 1;
            pair.ends[0].sctp.handle_input(now, &buf[..len]);
        }
        assert_eq!(reports, 4);
        let before = pair.ends[0].sctp.stats().retransmissions;
        assert!(pair.ends[0].sctp.poll_transmit(now, &mut buf).is_some());
        assert!(pair.ends[0].sctp.stats().retransmissions > before);
        pair.ends[1].sctp.handle_input(now, &packets[0]);
        pair.settle();
    }
}

#[test]
fn a_fast_link_is_filled_and_a_slow_one_is_shared_by_loss() {
    for (rate, loss) in [(12_500_000, 0), (1_250_000, 0)] {
        let mut pair = Pair::connected(1);
        pair.weather = Weather {
            delay: Duration::from_millis(10),
            rate: Some(rate),
            queue: Duration::from_millis(60),
            loss,
            ..Weather::default()
        };
        let began = pair.now;
        let total = 8 * 1024 * 1024;
        for _ in 0..128 {
            pair.send(0, Outgoing::new(0, 53, Bytes::from(vec![5; total / 128])));
        }
        pair.run_until(|pair| pair.ends[1].messages.len() == 128);
        let share = total as f64 / (pair.now - began).as_secs_f64() / rate as f64;
        assert!(
            share > 0.75,
            "{share} of {rate}: {:?}",
            pair.ends[0].sctp.stats()
        );
    }
}

// sctp-023, sctp-024
#[test]
fn sacks_come_at_once_for_the_first_data_and_on_request_else_every_second_packet_or_in_time() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    // The first DATA, and one that asks by its I bit: a lone message does.
    pair.send_text(0, 0, "one");
    pair.send_text(0, 0, "two");
    assert!(pair.sent.iter().all(|sent| data_chunks(&sent.2)[0].1));
    pair.settle();
    let sacks = |pair: &Pair| {
        pair.sent
            .iter()
            .filter(|s| s.0 == 1 && kinds(&s.2)[0] == 3)
            .count()
    };
    assert_eq!(sacks(&pair), 2);
    pair.sent.clear();
    pair.send(0, Outgoing::new(0, 53, pattern(1100 * 9, 0)));
    pair.settle();
    let data = pair.sent.iter().filter(|sent| sent.0 == 0).count();
    assert_eq!(data, 9);
    assert_eq!(sacks(&pair), 5, "four pairs and the last, which asked");
}

// sctp-030, sctp-035
#[test]
fn a_reader_that_stops_closes_the_window_and_loses_nothing_when_it_goes_on() {
    let mut factory = Factory::default();
    factory.receive_window = 300_000;
    let mut pair = Pair::with(1, &factory, &link::config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.settle();
    pair.ends[1].consume = false;
    for salt in 0..30 {
        pair.send(0, Outgoing::new(0, 53, pattern(20_000, salt)));
    }
    pair.run_for(Duration::from_secs(60));
    let taken: usize = pair.ends[1].messages.iter().map(|m| m.data.len()).sum();
    assert!((250_000..=303_000).contains(&taken), "{taken}");
    let before = pair.ends[0].sctp.stats();
    assert!(before.receiver_window < 1200);
    assert!(
        before.congestion_window > 10_000,
        "a full reader is no congestion"
    );
    // It reads on.
    let resumed = pair.now;
    pair.ends[1].consume = true;
    pair.ends[1].sctp.consume(resumed, 0, taken);
    pair.collect(1);
    pair.run_until(|pair| pair.ends[1].messages.len() == 30);
    assert!(pair.now - resumed < Duration::from_secs(2));
    for (salt, message) in pair.ends[1].messages.iter().enumerate() {
        assert_eq!(message.data, pattern(20_000, salt));
    }
}

// sctp-030
#[test]
fn a_lost_window_update_is_made_up_for_by_a_probe() {
    let mut factory = Factory::default();
    factory.receive_window = 262_144;
    let mut pair = Pair::with(1, &factory, &link::config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.settle();
    pair.ends[1].consume = false;
    for salt in 0..20 {
        pair.send(0, Outgoing::new(0, 53, pattern(20_000, salt)));
    }
    pair.run_for(Duration::from_secs(30));
    let taken: usize = pair.ends[1].messages.iter().map(|m| m.data.len()).sum();
    pair.ends[1].consume = true;
    let now = pair.now;
    pair.ends[1].sctp.consume(now, 0, taken);
    let mut buf = [0; 2000];
    assert!(
        pair.ends[1].sctp.poll_transmit(now, &mut buf).is_some(),
        "the update, which is lost"
    );
    pair.run_until(|pair| pair.ends[1].messages.len() == 20);
    assert!(pair.now - now < Duration::from_secs(10));
}

#[test]
fn a_full_send_buffer_refuses_and_tells_when_there_is_room() {
    let mut factory = Factory::default();
    factory.send_buffer = 100_000;
    let mut pair = Pair::with(1, &factory, &link::config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    let message = || Outgoing::new(0, 53, pattern(30_000, 0));
    let now = pair.now;
    let mut accepted = 0;
    while pair.ends[0].sctp.send(now, message()).is_ok() {
        accepted += 1;
    }
    assert_eq!(accepted, 3);
    assert_eq!(
        pair.ends[0].sctp.send(now, message()),
        Err(SctpError::BufferFull)
    );
    assert!(pair.ends[0].sctp.send_capacity() < 30_000);
    pair.collect(0);
    pair.run_until(|pair| pair.ends[0].has(|event| *event == SctpEvent::Writable));
    pair.send(0, message());
    pair.run_until(|pair| pair.ends[1].messages.len() == 4);
}

#[test]
fn streams_take_turns_message_by_message() {
    let mut pair = Pair::connected(1);
    for _ in 0..4 {
        pair.send(0, Outgoing::new(1, 53, pattern(100_000, 0)));
    }
    pair.send_text(0, 2, "small");
    pair.run_until(|pair| pair.ends[1].messages.iter().any(|m| m.stream == 2));
    assert!(
        pair.ends[1].messages.len() <= 3,
        "{}",
        pair.ends[1].messages.len()
    );
}

#[test]
fn a_message_may_be_sent_in_fragments() {
    let mut pair = Pair::connected(1);
    let whole = pattern(50_000, 9);
    let piece = |at: usize, first: bool, last: bool| {
        let mut piece = Outgoing::new(1, 53, whole.slice(at..at + 10_000));
        (piece.first, piece.last) = (first, last);
        piece
    };
    pair.send(0, piece(0, true, false));
    pair.send_text(0, 2, "not blocked");
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["not blocked"]);
    let now = pair.now;
    let new = Outgoing::new(1, 53, Bytes::from_static(b"in between"));
    assert_eq!(pair.ends[0].sctp.send(now, new), Err(SctpError::Stream(1)));
    for at in [10_000, 20_000, 30_000] {
        pair.send(0, piece(at, false, false));
    }
    pair.send(0, piece(40_000, false, true));
    pair.settle();
    assert_eq!(pair.ends[1].messages[1].data, whole);
}

#[test]
fn a_message_larger_than_the_send_buffer_goes_through_in_fragments() {
    let mut factory = Factory::default();
    factory.send_buffer = 64 * 1024;
    let mut config = link::config();
    config.max_message = 1024 * 1024;
    let mut pair = Pair::with(1, &factory, &config);
    pair.connect();
    pair.run_until(Pair::both_connected);
    let whole = pattern(600_000, 3);
    let mut at = 0;
    while at < whole.len() {
        let mut piece = Outgoing::new(1, 53, whole.slice(at..at + 10_000));
        piece.first = at == 0;
        piece.last = at + 10_000 == whole.len();
        let now = pair.now;
        match pair.ends[0].sctp.send(now, piece) {
            Ok(()) => at += 10_000,
            Err(SctpError::BufferFull) => {
                pair.ends[0].events.clear();
                pair.run_until(|pair| pair.ends[0].has(|event| *event == SctpEvent::Writable));
            }
            Err(error) => panic!("{error}"),
        }
        pair.collect(0);
    }
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    assert_eq!(pair.ends[1].messages[0].data, whole);
}

#[test]
fn a_message_beyond_the_largest_ends_the_association() {
    let mut pair = Pair::connected(1);
    pair.send(0, Outgoing::new(1, 53, pattern(262_145, 0)));
    pair.run_until(|pair| pair.ends.iter().all(|end| end.ended().is_some()));
    assert_eq!(pair.ends[1].ended().unwrap().blame, Blame::Protocol);
    assert_eq!(pair.ends[0].ended().unwrap().blame, Blame::Peer);
}

// sctp-021
#[test]
fn packets_follow_the_size_of_the_path() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    pair.ends[0].sctp.set_max_packet(4000);
    pair.send(0, Outgoing::new(0, 53, pattern(20_000, 0)));
    let largest = |pair: &Pair| pair.sent.iter().map(|sent| sent.2.len()).max().unwrap();
    assert_eq!(largest(&pair), 12 + 3 * 1120);
    pair.ends[0].sctp.set_max_packet(600);
    pair.settle();
    pair.sent.clear();
    pair.send(0, Outgoing::new(0, 53, pattern(20_000, 0)));
    pair.settle();
    assert_eq!(largest(&pair), 600);
    assert_eq!(pair.ends[1].messages.len(), 2);
}

#[test]
fn small_messages_share_a_packet() {
    let mut pair = Pair::connected(1);
    let now = pair.now;
    for _ in 0..20 {
        let message = Outgoing::new(0, 53, Bytes::from_static(b"0123456789"));
        pair.ends[0].sctp.send(now, message).unwrap();
    }
    pair.record = true;
    pair.collect(0);
    assert_eq!(pair.sent.len(), 1);
    pair.settle();
    assert_eq!(pair.ends[1].messages.len(), 20);
}

#[test]
fn an_empty_message_is_refused() {
    let mut pair = Pair::connected(1);
    let now = pair.now;
    let empty = Outgoing::new(0, 57, Bytes::new());
    assert_eq!(pair.ends[0].sctp.send(now, empty), Err(SctpError::Empty));
}

// sctp-022: Karn, RFC 9260 §6.3.1 C5 and §6.3.3.
#[test]
fn a_path_that_becomes_slower_than_the_timer_is_noticed() {
    let mut pair = Pair::connected(1);
    for _ in 0..20 {
        pair.send_text(0, 0, "measure");
        pair.run_for(Duration::from_secs(1));
    }
    pair.weather.delay = Duration::from_millis(600);
    for _ in 0..10 {
        pair.send_text(0, 0, "slow");
        pair.run_for(Duration::from_secs(5));
    }
    let before = pair.ends[0].sctp.stats().retransmissions;
    for _ in 0..10 {
        pair.send_text(0, 0, "slow");
        pair.run_for(Duration::from_secs(5));
    }
    assert_eq!(pair.ends[0].sctp.stats().retransmissions, before);
    assert_eq!(pair.ends[1].messages.len(), 40);
}

#[test]
fn beginnings_of_messages_that_fill_the_buffer_do_not_block_each_other() {
    let mut factory = Factory::default();
    factory.send_buffer = 100_000;
    let mut pair = Pair::with(1, &factory, &link::config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    let piece = |stream: u16, first: bool, last: bool| {
        let mut piece = Outgoing::new(stream, 53, pattern(10_000, 0));
        (piece.first, piece.last) = (first, last);
        piece
    };
    let mut begun = [0; 6];
    for round in 0..200 {
        let stream = round % 6;
        let (first, last) = (begun[stream] == 0, begun[stream] == 4);
        let now = pair.now;
        let sent = pair.ends[0]
            .sctp
            .send(now, piece(stream as u16, first, last));
        pair.collect(0);
        match sent {
            Ok(()) => begun[stream] = (begun[stream] + 1) % 5,
            Err(error) => assert_eq!(error, SctpError::BufferFull),
        }
        pair.run_for(Duration::from_millis(50));
    }
    let whole = pair.ends[1].messages.len();
    assert!(whole >= 20, "{whole}");
    assert!(pair.ends[1].messages.iter().all(|m| m.data.len() == 50_000));
}

#[test]
fn a_message_that_has_begun_may_be_finished_before_a_reset() {
    let mut pair = Pair::connected(1);
    let mut piece = Outgoing::new(1, 53, pattern(10, 0));
    piece.last = false;
    pair.send(0, piece.clone());
    let now = pair.now;
    pair.ends[0].sctp.reset(now, &[1]).unwrap();
    (piece.first, piece.last) = (false, true);
    pair.send(0, piece);
    let reset = |event: &SctpEvent| matches!(event, SctpEvent::IncomingReset { .. });
    pair.run_until(|pair| pair.ends[1].has(reset));
    assert_eq!(pair.ends[1].messages[0].data.len(), 20);
}

// sctp-036
#[test]
fn a_small_message_does_not_wait_for_others_or_for_acknowledgements() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    for n in 0..5 {
        pair.send_text(0, 0, "x");
        assert_eq!(pair.sent.len(), n + 1, "it left at once, alone");
        pair.run_for(Duration::from_millis(1));
    }
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["x"; 5]);
}
