//! Transport-wide feedback across a link.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{AUDIO, Pair, VIDEO, VIDEO_RTX, seed, video, video_stream};
use muonrtc_interceptor::{Direction, PacketResult, Stream};
use rtp::{Header, Packet, rtcp};
use std::collections::BTreeMap;
use std::time::Duration;

const ID: u8 = 3;

fn with_feedback(mut stream: Stream) -> Stream {
    stream.transport_sequence_id = Some(ID);
    stream.feedback.transport_cc = true;
    stream
}

fn feedbacks(pair: &Pair) -> usize {
    pair.ends[0].count(|packet| match packet {
        rtcp::Packet::TransportFeedback(feedback) => Some(feedback.clone()),
        _ => None,
    })
}

/// The last that was said about each packet.
fn last_results(pair: &Pair) -> BTreeMap<u64, PacketResult> {
    let results = pair.ends[0].results.iter();
    results
        .map(|result| (result.transport_sequence_number, *result))
        .collect()
}

/// int-014, int-015, int-020, int-021
#[test]
fn a_sender_learns_what_became_of_each_packet() {
    let mut pair = Pair::new(seed(31));
    pair.weather.loss = 5;
    pair.weather.jitter = Duration::from_millis(20);
    pair.bind(&with_feedback(video_stream()));
    pair.bind(&with_feedback(Stream::new(
        AUDIO,
        Direction::Outgoing,
        48_000,
    )));
    let mut sent_times = Vec::new();
    for number in 0..1000 {
        sent_times.push(pair.now);
        let header = Header {
            ssrc: AUDIO,
            sequence_number: number,
            ..Header::default()
        };
        pair.send(0, Packet::new(header, vec![0; 80]));
        pair.send(0, video(number));
        pair.run(Duration::from_millis(5));
    }
    pair.run(Duration::from_secs(1));

    // One counter for all streams, the retransmissions included.
    let packets: Vec<&Packet> = [AUDIO, VIDEO, VIDEO_RTX]
        .into_iter()
        .flat_map(|ssrc| pair.sent_on(0, ssrc))
        .collect();
    let mut numbers: Vec<u16> = packets
        .iter()
        .map(|packet| {
            u16::from_be_bytes(
                packet
                    .header
                    .extensions
                    .get(ID)
                    .unwrap()
                    .try_into()
                    .unwrap(),
            )
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..numbers.len() as u16).collect::<Vec<_>>());
    assert!(packets.len() > 2030, "with retransmissions");

    let results = last_results(&pair);
    assert!(
        results.len() + 10 > packets.len(),
        "all but the last ones are told about"
    );
    let lost = results
        .values()
        .filter(|result| result.received.is_none())
        .count();
    assert!(
        (60..150).contains(&lost),
        "{lost} lost of {}",
        results.len()
    );
    // The two clocks differ by a constant: what varies is the jitter of the link, plus 250 µs.
    let first = &results[&0];
    for result in results.values().filter(|result| result.received.is_some()) {
        let way = result.received.unwrap() + Duration::from_secs(1000);
        let way = way - (result.sent - first.sent) - first.received.unwrap();
        assert!(
            way.abs_diff(Duration::from_secs(1000)) < Duration::from_millis(21),
            "{way:?}"
        );
    }
    let seconds = pair.elapsed().as_secs() as usize;
    assert!(
        (seconds * 8..seconds * 11).contains(&feedbacks(&pair)),
        "ten in a second"
    );
}

#[test]
fn nothing_is_told_and_nothing_wakes_while_nothing_arrives() {
    let mut pair = Pair::new(seed(32));
    pair.bind(&with_feedback(video_stream()));
    pair.stream_video(0, 10, Duration::from_millis(5));
    pair.run(Duration::from_millis(500));
    let before = feedbacks(&pair);
    let wakes = pair.wakes[1];
    pair.run(Duration::from_secs(10));
    assert_eq!(feedbacks(&pair), before);
    assert!(pair.wakes[1] - wakes < 15, "reports alone");
}

/// int-018
#[test]
fn a_packet_that_was_reported_missing_can_be_reported_received_later() {
    let mut pair = Pair::new(seed(33));
    pair.weather.jitter = Duration::from_millis(200);
    pair.bind(&with_feedback(Stream::new(
        VIDEO,
        Direction::Outgoing,
        90_000,
    )));
    pair.stream_video(0, 1000, Duration::from_millis(5));
    pair.run(Duration::from_secs(1));
    let missing = pair.ends[0]
        .results
        .iter()
        .filter(|result| result.received.is_none());
    assert!(missing.count() > 10);
    let results = last_results(&pair);
    assert_eq!(results.len(), 1000);
    assert!(results.values().all(|result| result.received.is_some()));
    assert!(
        pair.ends[0].results.len() < 2000,
        "each is told about twice at most"
    );
}

#[test]
fn without_negotiation_there_is_neither_extension_nor_feedback() {
    let mut pair = Pair::new(seed(34));
    pair.bind(&video_stream());
    pair.stream_video(0, 100, Duration::from_millis(5));
    assert!(
        pair.sent_on(0, VIDEO)
            .iter()
            .all(|packet| packet.header.extensions.is_empty())
    );
    assert_eq!(feedbacks(&pair), 0);
}

#[test]
fn the_absolute_send_time_has_18_bits_of_fraction() {
    let mut pair = Pair::new(seed(35));
    let mut stream = Stream::new(VIDEO, Direction::Outgoing, 90_000);
    stream.absolute_send_time_id = Some(2);
    pair.bind(&stream);
    pair.stream_video(0, 2, Duration::from_millis(250));
    let times: Vec<u32> = pair
        .sent_on(0, VIDEO)
        .iter()
        .map(|packet| {
            let time = packet.header.extensions.get(2).unwrap();
            u32::from_be_bytes([0, time[0], time[1], time[2]])
        })
        .collect();
    assert_eq!(times[1] - times[0], (1 << 18) / 4);
}
