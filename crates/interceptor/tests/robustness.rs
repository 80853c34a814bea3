//! What a hostile peer can send: it is counted, bounded, and other streams live on.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{Dice, Pair, VIDEO, VIDEO_RTX, seed, start, video, video_stream};
use muonrtc_interceptor::{Config, Direction, Error, Event, Pipeline, Stream};
use proptest::prelude::*;
use rtp::rtcp::{
    self, Nack, ReceiverReport, ReportBlock, SourceChunk, SourceDescription, SourceItem,
    SourceItemType, TransportFeedback,
};
use rtp::{Header, Packet};
use std::time::{Duration, Instant};

fn bytes(packet: impl Into<rtcp::Packet>) -> Vec<u8> {
    let packet = packet.into();
    let mut bytes = vec![0; packet.encoded_len()];
    packet.write(&mut bytes).unwrap();
    bytes
}

fn full_stream(ssrc: u32, direction: Direction) -> Stream {
    let mut stream = video_stream();
    stream.ssrc = ssrc;
    stream.direction = direction;
    stream.rtx.as_mut().unwrap().ssrc = ssrc ^ 0x8000_0000;
    stream.transport_sequence_id = Some(3);
    stream.feedback.transport_cc = true;
    stream
}

#[test]
fn of_ten_thousand_streams_those_within_the_bound_are_followed_and_live() {
    let mut now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    let bound = (0..10_000).map(|ssrc| pipeline.bind(now, full_stream(ssrc, Direction::Incoming)));
    let refused = bound
        .filter(|result| *result == Err(Error::TooManyStreams))
        .count();
    assert_eq!(refused, 10_000 - 1024);
    // Unknown and known ones alike, with gaps and jumps.
    let mut dice = Dice::new(seed(51));
    let mut rtcp = 0;
    let mut buf = [0; 1500];
    for _ in 0..50_000 {
        let header = Header {
            ssrc: (dice.roll() % 10_000) as u32,
            sequence_number: dice.roll() as u16,
            payload_type: link::VP8,
            ..Header::default()
        };
        let _ = pipeline.handle_incoming(now, &mut Packet::new(header, vec![0; 10]));
        now += Duration::from_micros(100);
        if pipeline.poll_timeout().is_some_and(|due| due <= now) {
            pipeline.handle_timeout(now);
        }
        while let Some(len) = pipeline.poll_rtcp(now, &mut buf) {
            rtcp += len;
        }
        while pipeline.poll_event().is_some() {}
    }
    // NACKs and reports for a thousand streams at once stay in proportion to what came.
    assert!(rtcp < 4_000_000, "{rtcp} bytes of RTCP in 5 s");
    let missing = |ssrc| {
        pipeline
            .stats(Direction::Incoming, ssrc)
            .unwrap()
            .packets_missing
    };
    assert!((0..1024).map(missing).all(|missing| missing <= 1000));
}

/// int-003
#[test]
fn a_flood_of_nacks_brings_each_packet_once_in_a_round_trip() {
    let mut now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    pipeline.bind(now, video_stream()).unwrap();
    for number in 0..100 {
        let _ = pipeline.handle_outgoing(now, &mut video(number));
    }
    let nack = bytes(Nack::new(1, VIDEO, 0..100));
    let mut sent = 0;
    for _ in 0..1000 {
        pipeline.handle_incoming_rtcp(now, &nack, |_| ());
        while let Some(packet) = pipeline.poll_transmit(now) {
            assert_eq!(packet.header.ssrc, VIDEO_RTX);
            sent += 1;
        }
        now += Duration::from_millis(1);
    }
    assert_eq!(sent, 100 * 10, "one second of round trips of 100 ms");
}

/// rtp-036: names may be empty, long, of any bytes, the same for many sources, several for one and
/// others with each report: nothing hangs on them.
#[test]
fn the_peer_may_have_any_names_and_several() {
    let mut pair = Pair::new(seed(31));
    pair.bind(&video_stream());
    let names: [&[u8]; 5] = [b"", b"a@b", &[0xFF; 255], b"a@b", "ü".as_bytes()];
    let sources = [VIDEO, VIDEO, VIDEO_RTX, 1, 2];
    for round in 0..names.len() {
        pair.stream_video(10 * round as u16, 10, Duration::from_millis(10));
        let chunk = |(at, ssrc): (usize, u32)| SourceChunk {
            ssrc,
            items: [SourceItem {
                item_type: SourceItemType::CNAME,
                text: names[(at + round) % names.len()].into(),
            }]
            .into_iter()
            .collect(),
        };
        let description = rtcp::Packet::from(SourceDescription {
            chunks: sources.into_iter().enumerate().map(chunk).collect(),
        });
        let compound = [bytes(ReceiverReport::default()), bytes(description.clone())].concat();
        let mut seen = Vec::new();
        let pipeline = &mut pair.ends[1].pipeline;
        pipeline.handle_incoming_rtcp(pair.now, &compound, |packet| seen.push(packet.clone()));
        assert_eq!(seen.last(), Some(&description));
    }
    pair.run(Duration::from_secs(1));
    let pipeline = &pair.ends[1].pipeline;
    assert_eq!(pipeline.pipeline_stats().rtcp_malformed, 0);
    assert_eq!(pair.ends[1].numbers(VIDEO).len(), 50);
}

/// rtp-032
#[test]
fn a_retransmission_is_never_sent_again_for_itself() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    pipeline.bind(now, video_stream()).unwrap();
    let _ = pipeline.handle_outgoing(now, &mut video(0));
    pipeline.handle_incoming_rtcp(now, &bytes(Nack::new(1, VIDEO, [0])), |_| ());
    assert!(pipeline.poll_transmit(now).is_some());
    pipeline.handle_incoming_rtcp(now, &bytes(Nack::new(1, VIDEO_RTX, [0])), |_| ());
    assert_eq!(pipeline.poll_transmit(now), None);
}

#[test]
fn a_flood_of_rtcp_that_nobody_polls_is_bounded() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    for ssrc in 0..100 {
        pipeline
            .bind(now, full_stream(ssrc, Direction::Outgoing))
            .unwrap();
        pipeline
            .bind(now, full_stream(ssrc, Direction::Incoming))
            .unwrap();
    }
    let reports = (0..31).map(|ssrc| ReportBlock {
        ssrc,
        last_sender_report: 1,
        ..ReportBlock::default()
    });
    let report = bytes(ReceiverReport {
        ssrc: 1,
        reports: reports.collect(),
    });
    let goodbyes = bytes(rtcp::Goodbye {
        ssrcs: (0..31).collect(),
        ..rtcp::Goodbye::default()
    });
    for _ in 0..2000 {
        pipeline.handle_incoming_rtcp(now, &report, |_| ());
        pipeline.handle_incoming_rtcp(now, &goodbyes, |_| ());
    }
    let events = std::iter::from_fn(|| pipeline.poll_event()).count();
    assert!(events <= 2 * Pipeline::MAX_QUEUED_EVENTS, "{events}");
    assert_eq!(pipeline.pipeline_stats().rtcp_received, 4000);
}

#[test]
fn feedback_that_claims_to_tell_about_everything_costs_little_and_tells_nothing() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    pipeline
        .bind(now, full_stream(VIDEO, Direction::Outgoing))
        .unwrap();
    for number in 0..10 {
        let _ = pipeline.handle_outgoing(now, &mut video(number));
    }
    let mut feedback = TransportFeedback::new(1, VIDEO, 0, 5, Duration::ZERO);
    feedback.status_count = u16::MAX;
    let feedback = bytes(feedback);
    for _ in 0..100 {
        pipeline.handle_incoming_rtcp(now, &feedback, |_| ());
    }
    let results: Vec<_> = std::iter::from_fn(|| pipeline.poll_packet_result()).collect();
    assert_eq!(results.len(), 5);
    assert!(results.iter().all(|result| result.received.is_none()));
}

#[test]
fn a_round_trip_that_is_made_up_neither_stops_nor_floods_repair() {
    let mut pair = Pair::new(seed(52));
    pair.bind(&video_stream());
    for round_trip in [Duration::ZERO, Duration::from_secs(40_000)] {
        for end in &mut pair.ends {
            for _ in 0..20 {
                end.pipeline.set_round_trip(pair.now, round_trip);
            }
        }
        pair.sent.clear();
        pair.weather.loss = 0;
        pair.stream_video(0, 50, Duration::from_millis(4));
        pair.weather.loss = 10;
        pair.stream_video(50, 500, Duration::from_millis(4));
        pair.weather.loss = 0;
        pair.stream_video(550, 1, Duration::from_secs(2));
        assert!((30..250).contains(&pair.sent_on(0, VIDEO_RTX).len()));
        for at in 0..2 {
            let direction = if at == 0 {
                Direction::Outgoing
            } else {
                Direction::Incoming
            };
            pair.ends[at].pipeline.unbind(pair.now, direction, VIDEO);
        }
        pair.bind(&video_stream());
    }
}

#[test]
fn malformed_rtcp_is_counted_and_what_stands_beside_it_is_read() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    pipeline.bind(now, video_stream()).unwrap();
    let pli = bytes(rtcp::PictureLossIndication {
        sender_ssrc: 1,
        media_ssrc: VIDEO,
    });
    // A sender report that is too short for its content, in its right length.
    let datagram = [
        &[0x80, 200, 0, 1, 0, 0, 0, 1][..],
        &pli[..],
        &[0x80, 201][..],
    ]
    .concat();
    let mut seen = 0;
    pipeline.handle_incoming_rtcp(now, &datagram, |_| seen += 1);
    assert_eq!(seen, 1);
    assert_eq!(
        pipeline.poll_event(),
        Some(Event::KeyframeRequested { ssrc: VIDEO })
    );
    let stats = pipeline.pipeline_stats();
    assert_eq!((stats.rtcp_received, stats.rtcp_malformed), (1, 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any packets, any RTCP and any passing of time: no panic, and output in bounds.
    #[test]
    fn a_pipeline_takes_anything(
        steps in proptest::collection::vec(
            (any::<u16>(), 0..4_u32, proptest::collection::vec(any::<u8>(), 0..80), 0..300_u64, 0..4_u8),
            1..200,
        )
    ) {
        let mut now = Instant::now();
        let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
        for ssrc in 0..2 {
            for direction in [Direction::Outgoing, Direction::Incoming] {
                pipeline.bind(now, full_stream(ssrc, direction)).unwrap();
            }
        }
        let mut buf = [0; 1500];
        for (number, stream, content, millis, kind) in steps {
            now += Duration::from_millis(millis);
            let ssrc = stream % 2 + ((stream / 2) << 31);
            let mut header = Header { ssrc, sequence_number: number, ..Header::default() };
            header.payload_type = if stream < 2 { link::VP8 } else { link::RTX };
            header.extensions.set(3, &number.to_be_bytes()).unwrap();
            let mut packet = Packet::new(header, content.clone());
            match kind {
                0 => drop(pipeline.handle_outgoing(now, &mut packet)),
                1 => drop(pipeline.handle_incoming(now, &mut packet)),
                2 => {
                    let types = [200, 201, 202, 203, 205, 206, 207];
                    let mut datagram = content;
                    if datagram.len() >= 4 {
                        let words = (datagram.len() / 4 - 1) as u8;
                        datagram[0] = 0x80 | datagram[0] & 0x1F;
                        datagram[1] = types[usize::from(number) % types.len()];
                        datagram[2..4].copy_from_slice(&[0, words]);
                    }
                    pipeline.handle_incoming_rtcp(now, &datagram, |_| ());
                }
                _ => pipeline.request_keyframe(now, ssrc),
            }
            if pipeline.poll_timeout().is_some_and(|due| due <= now) {
                pipeline.handle_timeout(now);
            }
            while pipeline.poll_transmit(now).is_some() {}
            while let Some(len) = pipeline.poll_rtcp(now, &mut buf) {
                prop_assert!(len <= 1200);
                prop_assert_eq!(rtcp::check_compound(&buf[..len]), Ok(()));
            }
            while pipeline.poll_event().is_some() {}
            prop_assert!(pipeline.poll_timeout().is_none_or(|due| due > now), "a timer that does not end");
        }
    }
}
