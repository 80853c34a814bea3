//! How large packets may be is found out (RFC 8899).

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpEvent};
use link::{Pair, config, kinds};
use muonrtc_sctp::Factory;
use muonrtc_sctp::packet::{Heartbeat, HeartbeatAck, Pad};
use std::time::Duration;

const BASE: usize = 1132;

/// A packet of so many whole chunks.
const fn of_chunks(chunks: usize) -> usize {
    12 + chunks * 1120
}

const LARGEST: usize = of_chunks(8);

/// A pair that is up, whose owners allow packets of `limit`.
fn pair(limit: usize) -> Pair {
    pair_of(&Factory::default(), limit)
}

/// A pair whose owners know that the path carries `limit`, so that chunks are as large.
fn trusting_pair(limit: usize) -> Pair {
    let mut factory = Factory::default();
    factory.base_packet = usize::MAX;
    pair_of(&factory, limit)
}

fn pair_of(factory: &Factory, limit: usize) -> Pair {
    let mut config = config();
    config.max_packet = limit;
    config.max_message = 4_000_000;
    let mut pair = Pair::with(1, factory, &config);
    pair.record = true;
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair
}

fn size(pair: &Pair) -> usize {
    pair.ends[0].sctp.stats().max_packet
}

/// Sends so many bytes and waits until they are there.
fn transfer(pair: &mut Pair, len: usize) {
    pair.send(0, Outgoing::new(0, 53, Bytes::from(vec![1; len])));
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    let message = pair.ends[1].messages.pop().unwrap();
    assert_eq!(message.data.len(), len);
}

/// The sizes of the packets of the first end that hold a PAD chunk.
fn probes(pair: &Pair) -> Vec<usize> {
    let ours = pair.sent.iter().filter(|(from, ..)| *from == 0);
    let probe = |packet: &&Vec<u8>| kinds(packet).contains(&Pad::KIND);
    ours.map(|(_, _, packet)| packet)
        .filter(probe)
        .map(Vec::len)
        .collect()
}

// sctp-048, sctp-017
#[test]
fn the_first_full_packet_is_followed_by_a_probe_of_the_largest_size() {
    let mut pair = pair(9000);
    pair.send_text(0, 0, "small messages need no large packets");
    pair.settle();
    assert_eq!((size(&pair), probes(&pair).len()), (BASE, 0));
    pair.sent.clear();
    pair.ends[1].messages.clear();
    transfer(&mut pair, 20_000);
    assert_eq!((size(&pair), probes(&pair)), (LARGEST, vec![LARGEST]));
    let mut large = pair.sent.iter().filter(|sent| sent.2.len() == LARGEST);
    let (_, _, probe) = large.next().unwrap();
    assert_eq!(kinds(probe), [Heartbeat::KIND, Pad::KIND]);
    let answers = pair.sent.iter().filter(|(from, ..)| *from == 1);
    let answer = answers
        .map(|sent| &sent.2)
        .find(|packet| kinds(packet).contains(&HeartbeatAck::KIND));
    assert!(answer.unwrap().len() < 100, "an answer is not padded");
    let before = pair
        .sent
        .iter()
        .take_while(|sent| sent.2.len() <= BASE)
        .count();
    assert_eq!(before, 1, "behind the first full packet");
    transfer(&mut pair, 200_000);
    let large = pair.sent.iter().filter(|sent| sent.2.len() == LARGEST);
    assert!(large.count() > 20);
}

// sctp-048
#[test]
fn a_path_that_carries_less_is_filled_as_far_as_it_goes() {
    for mtu in [1200, 2300, 5000, 8000] {
        let mut pair = pair(9000);
        pair.weather.mtu = mtu;
        transfer(&mut pair, 1_000_000);
        pair.run_for(Duration::from_secs(30));
        let found = size(&pair);
        assert_eq!(found, of_chunks((mtu - 12) / 1120), "{mtu}");
        // Each size that does not get through is tried three times (MAX_PROBES).
        let sizes = probes(&pair);
        let lost = sizes.iter().filter(|size| **size > mtu).count();
        assert_eq!(lost % 3, 0);
        assert!(sizes.len() < 20, "{sizes:?}");
        assert_eq!(
            pair.ends[0].sctp.stats().retransmissions,
            0,
            "only probes are lost"
        );
    }
}

// sctp-048
#[test]
fn loopback_is_filled_where_the_owner_allows_it() {
    let mut pair = pair(65_000);
    transfer(&mut pair, 4_000_000);
    assert_eq!(size(&pair), of_chunks(58));
    pair.weather.mtu = 65_000;
    transfer(&mut pair, 4_000_000);
}

// sctp-048
#[test]
fn probes_that_are_lost_are_repeated_and_not_taken_for_congestion() {
    let mut pair = pair(9000);
    let mut probes_left = 2;
    pair.filter = Some(Box::new(move |_, packet| {
        let is_probe = kinds(packet).contains(&Pad::KIND);
        probes_left -= i32::from(is_probe && probes_left > 0);
        !is_probe || probes_left == 0
    }));
    let before = pair.ends[0].sctp.stats().congestion_window;
    transfer(&mut pair, 100_000);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(size(&pair), LARGEST);
    assert!(pair.ends[0].sctp.stats().congestion_window >= before);
}

// sctp-048
#[test]
fn a_path_that_grows_is_noticed_after_ten_minutes() {
    let mut pair = pair(9000);
    pair.weather.mtu = 2500;
    transfer(&mut pair, 1_000_000);
    pair.run_for(Duration::from_secs(30));
    let found = size(&pair);
    assert_eq!(found, of_chunks(2));
    pair.weather.mtu = usize::MAX;
    pair.run_for(Duration::from_secs(500));
    transfer(&mut pair, 100_000);
    assert_eq!(size(&pair), found);
    pair.run_for(Duration::from_secs(150));
    transfer(&mut pair, 100_000);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(size(&pair), LARGEST);
}

// sctp-048
#[test]
fn a_black_hole_makes_packets_small_and_the_old_size_is_tried_again() {
    let mut pair = pair(9000);
    pair.fragmentation = false;
    transfer(&mut pair, 100_000);
    assert_eq!(size(&pair), LARGEST);
    pair.weather.mtu = 1200;
    let before = pair.now;
    transfer(&mut pair, 100_000);
    let took = pair.now - before;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(size(&pair), BASE);
    pair.weather.mtu = usize::MAX;
    pair.run_for(Duration::from_secs(10));
    transfer(&mut pair, 100_000);
    assert_eq!(size(&pair), LARGEST);
}

/// A packet of any size is lost while nothing gets through: that is no reason to take less later.
// sctp-048
#[test]
fn an_outage_does_not_make_packets_small_for_long() {
    let mut pair = pair(9000);
    transfer(&mut pair, 100_000);
    let mtu = pair.weather.mtu;
    pair.send(0, Outgoing::new(0, 53, Bytes::from(vec![1; 100_000])));
    pair.weather.mtu = 0;
    pair.run_for(Duration::from_secs(12));
    assert_eq!(size(&pair), BASE);
    pair.weather.mtu = mtu;
    pair.run_for(Duration::from_secs(8));
    assert_eq!(pair.ends[1].messages.len(), 1);
    assert_eq!(size(&pair), LARGEST);
}

// sctp-048
#[test]
fn heavy_loss_alone_does_not_make_packets_small_for_long() {
    let mut pair = pair(9000);
    pair.weather.loss = 30;
    for _ in 0..10 {
        transfer(&mut pair, 200_000);
    }
    pair.weather.loss = 0;
    transfer(&mut pair, 200_000);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(size(&pair), LARGEST);
}

// sctp-021, sctp-048
#[test]
fn another_path_is_measured_anew() {
    let mut pair = pair(9000);
    transfer(&mut pair, 100_000);
    assert_eq!(size(&pair), LARGEST);
    let now = pair.now;
    pair.ends[0].sctp.path_changed(now);
    assert_eq!(size(&pair), BASE);
    pair.weather.mtu = 2500;
    transfer(&mut pair, 1_000_000);
    pair.run_for(Duration::from_secs(30));
    assert_eq!(size(&pair), of_chunks(2));
    pair.ends[0].sctp.set_max_packet(1000);
    assert_eq!(size(&pair), 1000, "the owner's limit holds at once");
    pair.ends[0].sctp.set_max_packet(4000);
    transfer(&mut pair, 1_000_000);
    pair.run_for(Duration::from_secs(30));
    assert_eq!(size(&pair), of_chunks(2));
}

// sctp-048
#[test]
fn who_trusts_the_owner_does_not_probe() {
    let mut pair = trusting_pair(1432);
    assert_eq!(size(&pair), 1432);
    transfer(&mut pair, 100_000);
    assert_eq!(probes(&pair).len(), 0);
    let longest = pair.sent.iter().map(|sent| sent.2.len()).max();
    assert_eq!(longest, Some(1432), "one chunk fills a packet");
}

/// Has messages under way in packets as large as they get, all of which are lost with those of the
/// peer; then the path carries 1180.
fn shrunk_under_load(mut pair: Pair) -> Pair {
    transfer(&mut pair, 1_000_000);
    pair.sent.clear();
    pair.fragmented = 0;
    for stream in 0..4 {
        let message = Bytes::from(vec![stream; 2_000_000]);
        pair.send(0, Outgoing::new(stream.into(), 53, message));
    }
    pair.run_for(Duration::from_millis(45));
    assert!(pair.ends[0].sctp.stats().in_flight > 100_000);
    pair.lose_all_under_way();
    pair.weather.mtu = 1180;
    pair.sent.clear();
    pair
}

fn receive_all_four(pair: &mut Pair) {
    pair.run_until(|pair| pair.ends[1].messages.len() == 4);
    for message in &pair.ends[1].messages {
        let byte = u8::try_from(message.stream).unwrap();
        assert_eq!(message.data, vec![byte; 2_000_000]);
    }
}

// sctp-021, sctp-048
#[test]
fn chunks_that_were_cut_for_a_larger_path_arrive_over_a_smaller_one() {
    let mut pair = shrunk_under_load(trusting_pair(1472));
    let now = pair.now;
    pair.ends[0].sctp.path_changed(now);
    pair.ends[0].sctp.set_max_packet(1180);
    pair.collect(0);
    receive_all_four(&mut pair);
    let took = pair.now - now;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(pair.fragmented > 100);
    let packets = pair.sent.iter().map(|sent| &sent.2);
    let large: Vec<_> = packets.filter(|packet| packet.len() > 1180).collect();
    assert_eq!(large.len() as u64, pair.fragmented);
    for packet in large {
        assert_eq!(kinds(packet), [0], "alone");
        assert!(packet.len() <= 1472);
    }
}

// sctp-048
#[test]
fn a_black_hole_does_not_swallow_what_was_sent_in_large_packets() {
    let mut pair = shrunk_under_load(pair(9000));
    let began = pair.now;
    receive_all_four(&mut pair);
    let took = pair.now - began;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(pair.fragmented, 0);
    assert_eq!(size(&pair), BASE);
}

// sctp-021, sctp-048
#[test]
fn what_was_sent_in_large_packets_arrives_over_another_path() {
    let mut pair = shrunk_under_load(pair(9000));
    let now = pair.now;
    pair.ends[0].sctp.path_changed(now);
    pair.ends[0].sctp.set_max_packet(1400);
    pair.collect(0);
    receive_all_four(&mut pair);
    let took = pair.now - now;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(pair.fragmented, 0);
}

// sctp-048
#[test]
fn a_lost_tail_that_is_too_large_is_probed_for() {
    let mut pair = trusting_pair(1472);
    transfer(&mut pair, 1_000_000);
    pair.run_for(Duration::from_secs(1));
    pair.send(0, Outgoing::new(0, 53, Bytes::from(vec![0; 1400])));
    pair.lose_all_under_way();
    pair.weather.mtu = 1180;
    pair.ends[0].sctp.set_max_packet(1180);
    let before = pair.now;
    pair.run_until(|pair| pair.ends[1].messages.len() == 1);
    let took = pair.now - before;
    assert!(took < Duration::from_millis(400), "{took:?}");
    assert_eq!(pair.fragmented, 1);
}

#[test]
fn a_request_that_was_made_for_a_larger_path_arrives_over_a_smaller_one() {
    let mut pair = trusting_pair(1472);
    transfer(&mut pair, 1_000_000);
    let streams: Vec<u16> = (0..650).collect();
    for &stream in &streams {
        pair.send_text(0, stream, "x");
    }
    pair.run_for(Duration::from_secs(1));
    let now = pair.now;
    pair.ends[0].sctp.reset(now, &streams).unwrap();
    pair.collect(0);
    pair.lose_all_under_way();
    pair.weather.mtu = 1180;
    pair.ends[0].sctp.set_max_packet(1180);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.fragmented, 1);
    let reset = |event: &SctpEvent| matches!(event, SctpEvent::IncomingReset { .. });
    assert!(pair.ends[1].has(reset));
}

// sctp-048
#[test]
fn messages_that_leave_room_in_every_packet_make_packets_grow_too() {
    let mut pair = pair(LARGEST);
    let now = pair.now;
    for _ in 0..200 {
        let message = Outgoing::new(0, 53, Bytes::from(vec![1; 1024]));
        pair.ends[0].sctp.send(now, message).unwrap();
    }
    pair.collect(0);
    pair.run_until(|pair| pair.ends[1].messages.len() == 200);
    assert_eq!((size(&pair), probes(&pair)), (LARGEST, vec![LARGEST]));
}
