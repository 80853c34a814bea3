//! Key frame requests and REMB, with their limits.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{Pair, VIDEO, seed, start, video_stream};
use muonrtc_interceptor::{Config, Direction, Event, Pipeline, Stream};
use rtp::rtcp::{self, FullIntraRequest, PictureLossIndication};
use std::time::{Duration, Instant};

fn bytes(packet: impl Into<rtcp::Packet>) -> Vec<u8> {
    let packet = packet.into();
    let mut bytes = vec![0; packet.encoded_len()];
    packet.write(&mut bytes).unwrap();
    bytes
}

fn events(pipeline: &mut Pipeline) -> Vec<Event> {
    std::iter::from_fn(|| pipeline.poll_event()).collect()
}

fn sender(now: Instant) -> Pipeline {
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    pipeline.bind(now, video_stream()).unwrap();
    pipeline
}

/// rtcp-018, dfx-059
#[test]
fn requests_within_the_interval_are_one_at_its_end() {
    let mut pair = Pair::new(seed(21));
    pair.bind(&video_stream());
    for _ in 0..100 {
        pair.ends[1].pipeline.request_keyframe(pair.now, VIDEO);
        pair.collect(1);
        pair.run(Duration::from_millis(10));
    }
    pair.run(Duration::from_secs(5));
    // At 0, 500 and 1000 ms; the last one answers what was asked in between.
    let times: Vec<u64> = pair
        .compounds(1)
        .iter()
        .map(|(at, _)| at.as_millis() as u64)
        .collect();
    assert_eq!(times, [0, 500, 1000]);
    assert_eq!(
        pair.ends[0].events,
        vec![Event::KeyframeRequested { ssrc: VIDEO }; 3]
    );
    let sent = pair.ends[1]
        .pipeline
        .stats(Direction::Incoming, VIDEO)
        .unwrap();
    let came = pair.ends[0]
        .pipeline
        .stats(Direction::Outgoing, VIDEO)
        .unwrap();
    assert_eq!((sent.pli_count, came.pli_count), (3, 3));
}

/// rtcp-019
#[test]
fn where_only_fir_was_negotiated_each_request_has_a_new_number() {
    let mut pair = Pair::new(seed(22));
    let mut stream = video_stream();
    stream.feedback.pli = false;
    stream.feedback.fir = true;
    pair.bind(&stream);
    for _ in 0..2 {
        pair.ends[1].pipeline.request_keyframe(pair.now, VIDEO);
        pair.collect(1);
        pair.run(Duration::from_secs(1));
    }
    let numbers = pair.ends[0].rtcp.iter().filter_map(|packet| match packet {
        rtcp::Packet::FullIntraRequest(fir) => Some(fir.entries[0].sequence_number),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [0, 1]);
    assert_eq!(pair.ends[0].events.len(), 2);
}

#[test]
fn without_negotiated_feedback_nothing_is_asked() {
    let mut pair = Pair::new(seed(23));
    pair.bind(&Stream::new(VIDEO, Direction::Outgoing, 90_000));
    pair.ends[1].pipeline.request_keyframe(pair.now, VIDEO);
    pair.collect(1);
    assert!(pair.sent.is_empty());
}

/// rtcp-019, rtcp-020
#[test]
fn a_repeated_command_and_a_flood_of_requests_are_obeyed_once() {
    let now = Instant::now();
    let mut pipeline = sender(now);
    let fir = bytes(FullIntraRequest::new(7, VIDEO, 1));
    pipeline.handle_incoming_rtcp(now, &fir, |_| ());
    assert_eq!(
        events(&mut pipeline),
        [Event::KeyframeRequested { ssrc: VIDEO }]
    );
    let later = now + Duration::from_secs(1);
    pipeline.handle_incoming_rtcp(later, &fir, |_| ());
    assert_eq!(events(&mut pipeline), [], "a repetition");

    let pli = bytes(PictureLossIndication {
        sender_ssrc: 7,
        media_ssrc: VIDEO,
    });
    for _ in 0..1000 {
        pipeline.handle_incoming_rtcp(later, &pli, |_| ());
    }
    assert_eq!(
        events(&mut pipeline),
        [Event::KeyframeRequested { ssrc: VIDEO }]
    );
    let due = pipeline.poll_timeout().unwrap();
    assert_eq!(due, later + Duration::from_millis(300));
    pipeline.handle_timeout(due);
    assert_eq!(
        events(&mut pipeline),
        [Event::KeyframeRequested { ssrc: VIDEO }]
    );
    assert_eq!(pipeline.poll_timeout(), None);
}

/// int-023
#[test]
fn a_falling_rate_is_told_at_once_and_a_standing_one_every_second() {
    let mut pair = Pair::new(seed(24));
    let mut stream = video_stream();
    stream.feedback.remb = true;
    pair.bind(&stream);
    for rate in [1_000_000, 1_100_000, 990_000, 500_000] {
        pair.ends[1]
            .pipeline
            .set_maximum_bitrate(pair.now, Some(rate));
        pair.collect(1);
    }
    pair.run(Duration::from_millis(2500));
    pair.ends[1].pipeline.set_maximum_bitrate(pair.now, None);
    pair.run(Duration::from_secs(5));
    let heard: Vec<u64> = pair.ends[0]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::MaximumBitrate(rate) => Some(*rate),
            _ => None,
        })
        .collect();
    // What REMB can say has 18 bits; these fit them.
    assert_eq!(heard, [1_000_000, 500_000, 500_000, 500_000]);
}
