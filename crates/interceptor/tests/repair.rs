//! NACK and retransmission across a link that loses and reorders.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{Pair, VIDEO, VIDEO_RTX, seed, video_stream};
use muonrtc_interceptor::{Direction, Event};
use rtp::rtcp;
use std::time::Duration;

const SPACING: Duration = Duration::from_millis(4);

/// Sends 2000 packets and lets the repair come to its end. The first and the last one arrive: before
/// and behind them nothing would show a loss.
fn stream(pair: &mut Pair) {
    let loss = std::mem::take(&mut pair.weather.loss);
    pair.stream_video(65_000, 1, SPACING);
    pair.weather.loss = loss;
    pair.stream_video(65_001, 1998, SPACING);
    pair.weather.loss = 0;
    pair.stream_video(1463, 1, SPACING);
    pair.weather.loss = loss;
    pair.run(Duration::from_secs(3));
}

fn expected() -> Vec<u16> {
    let mut numbers: Vec<u16> = (0..2000)
        .map(|ahead: u16| 65_000_u16.wrapping_add(ahead))
        .collect();
    numbers.sort_unstable();
    numbers
}

fn assert_repaired(pair: &Pair) {
    assert_eq!(
        pair.ends[1].numbers(VIDEO),
        expected(),
        "every packet comes once"
    );
    for packet in &pair.ends[1].received {
        assert_eq!(
            packet.payload[..2],
            packet.header.sequence_number.to_be_bytes()
        );
        assert_eq!(packet.payload.len(), 1000);
        assert_eq!(
            (packet.header.ssrc, packet.header.payload_type),
            (VIDEO, link::VP8)
        );
    }
}

/// int-001, int-002, int-003, rtp-029; int-004: what RTX brings back comes once.
#[test]
fn all_packets_are_repaired_at_5_and_at_30_percent_loss() {
    for loss in [5, 30] {
        let mut pair = Pair::new(seed(1));
        pair.weather.loss = loss;
        pair.weather.rtcp_loss = 5;
        pair.bind(&video_stream());
        stream(&mut pair);
        assert_repaired(&pair);
        let repeated = pair.sent_on(0, VIDEO_RTX).len() as u64;
        // Each loss costs 1/(1 - loss) retransmissions, and some more for requests that crossed.
        let lost = 2000 * loss / 100;
        assert!(
            repeated < lost * 2,
            "{repeated} retransmissions of {lost} lost"
        );
        let stats = pair.ends[1]
            .pipeline
            .stats(Direction::Incoming, VIDEO)
            .unwrap();
        assert!(stats.packets_repaired > lost / 2);
        assert_eq!((stats.packets_abandoned, stats.packets_missing), (0, 0));
    }
}

/// int-002
#[test]
fn one_burst_of_loss_makes_one_nack_for_each_round_trip() {
    let mut pair = Pair::new(seed(2));
    pair.bind(&video_stream());
    pair.stream_video(0, 300, SPACING);
    pair.weather.loss = 100;
    pair.stream_video(300, 40, SPACING);
    pair.weather.loss = 0;
    pair.stream_video(340, 100, SPACING);
    let nacks = pair.ends[0].count(|packet| match packet {
        rtcp::Packet::Nack(nack) => Some(nack.clone()),
        _ => None,
    });
    assert_eq!(nacks, 1, "40 packets are asked for at once");
    assert_eq!(pair.sent_on(0, VIDEO_RTX).len(), 40);
}

#[test]
fn reordering_within_the_tolerance_asks_for_nothing() {
    let mut pair = Pair::new(seed(3));
    pair.weather.jitter = Duration::from_millis(5);
    pair.bind(&video_stream());
    pair.stream_video(0, 1000, Duration::from_millis(1));
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.ends[1].numbers(VIDEO).len(), 1000);
    assert_eq!(pair.sent_on(0, VIDEO_RTX).len(), 0);
}

#[test]
fn without_rtx_packets_are_sent_again_as_they_were() {
    let mut pair = Pair::new(seed(4));
    pair.weather.loss = 10;
    let mut stream_without = video_stream();
    stream_without.rtx = None;
    pair.bind(&stream_without);
    stream(&mut pair);
    assert_repaired(&pair);
    let stats = pair.ends[0]
        .pipeline
        .stats(Direction::Outgoing, VIDEO)
        .unwrap();
    assert!(stats.retransmitted_packets > 150);
    assert_eq!(stats.packets, 2000 + stats.retransmitted_packets);
}

/// int-002
#[test]
fn what_cannot_be_repaired_is_given_up_and_a_key_frame_asked_for() {
    let mut pair = Pair::new(seed(5));
    let mut blind = video_stream();
    blind.feedback.nack = true;
    pair.bind(&blind);
    pair.stream_video(0, 100, SPACING);
    // The sender has forgotten: its history was unbound with the stream.
    pair.weather.loss = 100;
    pair.stream_video(100, 2, SPACING);
    pair.ends[0]
        .pipeline
        .unbind(pair.now, Direction::Outgoing, VIDEO);
    pair.weather.loss = 0;
    pair.stream_video(102, 1000, SPACING);
    assert!(
        pair.ends[1]
            .events
            .contains(&Event::KeyframeNeeded { ssrc: VIDEO })
    );
    let plis = pair.ends[0].count(|packet| match packet {
        rtcp::Packet::PictureLossIndication(pli) => Some(*pli),
        _ => None,
    });
    assert_eq!(plis, 1);
    let nacks = pair.ends[0].count(|packet| match packet {
        rtcp::Packet::Nack(nack) => Some(nack.clone()),
        _ => None,
    });
    assert_eq!(nacks, 10, "ten tries and no more");
}
