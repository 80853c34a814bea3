//! Reports, the round trip, goodbyes, and how compounds are put together.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{AUDIO, Pair, VIDEO, VIDEO_RTX, seed, start, video, video_stream};
use muonrtc_interceptor::{Config, Direction, Event, Pipeline, Stream};
use rtp::rtcp::{self, PictureLossIndication, SourceItemType};
use rtp::{Header, Packet};
use std::time::{Duration, Instant};

const SPACING: Duration = Duration::from_millis(10);

fn audio_stream() -> Stream {
    Stream::new(AUDIO, Direction::Outgoing, 48_000)
}

fn audio(number: u16) -> Packet {
    let header = Header {
        payload_type: 111,
        sequence_number: number,
        timestamp: u32::from(number) * 960,
        ssrc: AUDIO,
        ..Header::default()
    };
    Packet::new(header, vec![0; 80])
}

fn packets(compound: &[u8]) -> Vec<rtcp::Packet> {
    rtcp::packets(compound).collect::<Result<_, _>>().unwrap()
}

fn config() -> Config {
    let mut config = Config::default();
    config.cname = Some("muon".into());
    config.reporter_ssrc = Some(0x0102_0304);
    config
}

/// rtcp-007, rtcp-010, int-038
#[test]
fn a_sender_measures_the_round_trip_and_learns_of_loss() {
    let mut pair = Pair::new(seed(11));
    pair.weather.loss = 10;
    pair.bind(&video_stream());
    pair.stream_video(0, 1000, SPACING);
    let stats = pair.ends[0]
        .pipeline
        .stats(Direction::Outgoing, VIDEO)
        .unwrap();
    let round_trip = stats.round_trip_time.unwrap();
    assert!(round_trip.abs_diff(Duration::from_millis(50)) < Duration::from_millis(1));
    assert!(stats.round_trip_time_measurements >= 5);
    assert!(
        pair.ends[0]
            .events
            .iter()
            .any(|event| matches!(event, Event::RoundTrip(_)))
    );
    assert!(
        (60..150).contains(&stats.packets_lost),
        "{}",
        stats.packets_lost
    );
    assert!(stats.fraction_lost > 0.02 && stats.fraction_lost < 0.3);
    let own = pair.ends[1]
        .pipeline
        .stats(Direction::Incoming, VIDEO)
        .unwrap();
    assert!(
        (60..150).contains(&own.packets_lost),
        "{}",
        own.packets_lost
    );
}

/// rtcp-013, dfx-067
#[test]
fn reports_go_once_a_second_with_video_and_every_five_seconds_without() {
    for (stream, least, most) in [(video_stream(), 90, 180), (audio_stream(), 18, 36)] {
        let mut pair = Pair::new(seed(12));
        pair.bind(&stream);
        for number in 0..6000 {
            let packet = if stream.ssrc == VIDEO {
                video(number)
            } else {
                audio(number)
            };
            pair.send(0, packet);
            pair.run(Duration::from_millis(20));
        }
        for end in 0..2 {
            let reports = pair.compounds(end).len();
            assert!((least..most).contains(&reports), "{reports} in two minutes");
            // One wake for each: timers do not follow packets.
            assert_eq!(pair.wakes[end], reports);
        }
    }
}

/// rtcp-030
#[test]
fn the_first_report_follows_the_first_packet_soon() {
    let mut pair = Pair::new(seed(13));
    pair.bind(&audio_stream());
    pair.run(Duration::from_secs(60));
    assert!(
        pair.sent.is_empty(),
        "who neither sends nor receives has nothing to say"
    );
    let began = pair.elapsed();
    pair.send(0, audio(0));
    pair.run(Duration::from_secs(1));
    for end in 0..2 {
        let (at, compound) = pair.compounds(end)[0];
        assert!(at - began <= Duration::from_millis(130));
        rtcp::check_compound(compound).unwrap();
        let cnames = packets(compound)
            .into_iter()
            .find_map(|packet| match packet {
                rtcp::Packet::SourceDescription(description) => Some(description),
                _ => None,
            });
        let cname = cnames.unwrap().chunks[0]
            .get(SourceItemType::CNAME)
            .unwrap()
            .len();
        assert_eq!(cname, 16);
    }
}

/// int-039, rtcp-029
#[test]
fn retransmission_streams_have_reports_too() {
    let mut pair = Pair::new(seed(14));
    pair.weather.loss = 10;
    pair.bind(&video_stream());
    pair.stream_video(0, 500, SPACING);
    let reports = |end: usize| pair.ends[end].rtcp.iter();
    assert!(reports(1).any(
        |packet| matches!(packet, rtcp::Packet::SenderReport(report) if report.ssrc == VIDEO_RTX)
    ));
    assert!(reports(0).any(|packet| packet.destination_ssrcs().contains(&VIDEO_RTX)));
}

/// rtcp-002, rtcp-006
#[test]
fn a_thousand_streams_report_within_the_datagrams() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), config());
    for ssrc in 0..500 {
        pipeline
            .bind(now, Stream::new(ssrc, Direction::Outgoing, 90_000))
            .unwrap();
        pipeline
            .bind(now, Stream::new(ssrc, Direction::Incoming, 90_000))
            .unwrap();
        let header = Header {
            ssrc,
            ..Header::default()
        };
        let mut packet = Packet::new(header, &b"payload"[..]);
        let _ = pipeline.handle_outgoing(now, &mut packet);
        let _ = pipeline.handle_incoming(now, &mut packet);
    }
    let later = pipeline.poll_timeout().unwrap();
    pipeline.handle_timeout(later);
    let mut buf = [0; 1500];
    let (mut senders, mut blocks) = (0, 0);
    while let Some(len) = pipeline.poll_rtcp(later, &mut buf) {
        assert!(len <= 1200);
        rtcp::check_compound(&buf[..len]).unwrap();
        let all = packets(&buf[..len]);
        assert!(
            all.iter()
                .any(|packet| matches!(packet, rtcp::Packet::SourceDescription(_)))
        );
        for packet in all {
            match packet {
                rtcp::Packet::SenderReport(_) => senders += 1,
                rtcp::Packet::ReceiverReport(report) => blocks += report.reports.len(),
                _ => {}
            }
        }
    }
    assert_eq!((senders, blocks), (500, 500));
}

/// rtcp-012, rtcp-031
#[test]
fn a_stream_that_ends_says_goodbye_last() {
    let mut pair = Pair::new(seed(15));
    pair.bind(&audio_stream());
    pair.send(0, audio(0));
    pair.run(Duration::from_millis(50));
    pair.ends[0]
        .pipeline
        .unbind(pair.now, Direction::Outgoing, AUDIO);
    pair.collect(0);
    pair.run(Duration::from_millis(50));
    let last = *pair.compounds(0).last().unwrap();
    rtcp::check_compound(last.1).unwrap();
    assert!(matches!(
        packets(last.1).last(),
        Some(rtcp::Packet::Goodbye(_))
    ));
    assert!(
        pair.ends[1]
            .events
            .contains(&Event::Goodbye { ssrc: AUDIO })
    );
    assert_eq!(pair.ends[0].pipeline.poll_timeout(), None);
}

/// What is still to be said is said in order: a stream that is taken up again has not ended.
#[test]
fn a_stream_that_goes_on_says_no_goodbye() {
    let mut pair = Pair::new(seed(16));
    pair.bind(&audio_stream());
    pair.send(0, audio(0));
    pair.run(Duration::from_millis(50));
    let now = pair.now;
    let pipeline = &mut pair.ends[0].pipeline;
    pipeline.unbind(now, Direction::Outgoing, AUDIO);
    pipeline.bind(now, audio_stream()).unwrap();
    pair.collect(0);
    pair.send(0, audio(1));
    pair.run(Duration::from_secs(10));
    let gone = Event::Goodbye { ssrc: AUDIO };
    assert!(!pair.ends[1].events.contains(&gone));
}

/// rtcp-002, rtcp-018
#[test]
fn feedback_between_reports_is_a_minimal_compound() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(start(now, 1, 1), config());
    let pli = PictureLossIndication {
        sender_ssrc: 0x0102_0304,
        media_ssrc: 0x0A0B_0C0D,
    };
    pipeline.send_rtcp(now, pli.into()).unwrap();
    let mut buf = [0; 1500];
    let len = pipeline.poll_rtcp(now, &mut buf).unwrap();
    let expected = [
        &[0x80, 201, 0, 1, 1, 2, 3, 4][..],
        &[
            0x81, 202, 0, 3, 1, 2, 3, 4, 1, 4, b'm', b'u', b'o', b'n', 0, 0,
        ][..],
        &[0x81, 206, 0, 2, 1, 2, 3, 4, 0x0A, 0x0B, 0x0C, 0x0D][..],
    ]
    .concat();
    assert_eq!(buf[..len], expected[..]);
    assert_eq!(pipeline.poll_rtcp(now, &mut buf), None);
}

/// rtcp-004
#[test]
fn reduced_size_sends_feedback_alone_and_reports_with_their_names() {
    let now = Instant::now();
    let mut reduced = config();
    reduced.reduced_size = true;
    let mut pipeline = Pipeline::new(start(now, 1, 1), reduced);
    let pli = PictureLossIndication {
        sender_ssrc: 1,
        media_ssrc: 2,
    };
    pipeline.send_rtcp(now, pli.into()).unwrap();
    let mut buf = [0; 1500];
    assert_eq!(pipeline.poll_rtcp(now, &mut buf), Some(12));
    pipeline.bind(now, audio_stream()).unwrap();
    let _ = pipeline.handle_outgoing(now, &mut audio(0));
    let later = pipeline.poll_timeout().unwrap();
    pipeline.handle_timeout(later);
    let len = pipeline.poll_rtcp(later, &mut buf).unwrap();
    rtcp::check_compound(&buf[..len]).unwrap();
    assert!(matches!(
        packets(&buf[..len])[..],
        [
            rtcp::Packet::SenderReport(_),
            rtcp::Packet::SourceDescription(_)
        ]
    ));
}

/// rtcp-007, rtcp-008: the whole datagram, byte by byte.
#[test]
fn a_report_of_one_who_sends_and_receives_stands_as_the_rfc_draws_it() {
    let now = Instant::now();
    let mut both = config();
    both.reporter_ssrc = Some(AUDIO);
    let mut pipeline = Pipeline::new(start(now, 1, 0), both);
    pipeline.bind(now, audio_stream()).unwrap();
    pipeline
        .bind(now, Stream::new(0x0A0B_0C0D, Direction::Incoming, 48_000))
        .unwrap();
    let _ = pipeline.handle_outgoing(now, &mut audio(1));
    for number in [5, 6, 8] {
        let mut packet = audio(number);
        packet.header.ssrc = 0x0A0B_0C0D;
        packet.header.timestamp = 0;
        let _ = pipeline.handle_incoming(now, &mut packet);
    }
    let later = now + Duration::from_millis(250);
    pipeline.handle_timeout(later);
    let mut buf = [0; 1500];
    let len = pipeline.poll_rtcp(later, &mut buf).unwrap();
    // The start is 1 800 000 000 s after 1970; NTP counts from 1900, and 250 ms are a quarter.
    let seconds = u32::try_from(1_800_000_000_u64 + 2_208_988_800)
        .unwrap()
        .to_be_bytes();
    let expected = [
        &[0x81, 200, 0, 12, 0x33, 0x33, 0x33, 0x33][..],
        &seconds[..],
        &[0x40, 0, 0, 0][..],
        // 960 at the packet, and 12 000 ticks of 48 kHz since.
        &12_960_u32.to_be_bytes()[..],
        &[0, 0, 0, 1, 0, 0, 0, 80][..],
        // One of four lost: 64/256, and 1 in all; the highest is 8; no jitter, no sender report.
        &[0x0A, 0x0B, 0x0C, 0x0D, 64, 0, 0, 1, 0, 0, 0, 8][..],
        &[0; 12][..],
        &[
            0x81, 202, 0, 3, 0x33, 0x33, 0x33, 0x33, 1, 4, b'm', b'u', b'o', b'n', 0, 0,
        ][..],
    ]
    .concat();
    assert_eq!(buf[..len], expected[..]);
}

/// rtcp-025, int-041
#[test]
fn one_who_only_receives_learns_the_round_trip_from_its_reference_time() {
    let mut asking = Config::default();
    asking.receiver_reference_time = true;
    let mut pair = Pair::with(seed(16), [Config::default(), asking]);
    pair.bind(&video_stream());
    pair.stream_video(0, 500, SPACING);
    let times = pair.ends[1].events.iter().filter_map(|event| match event {
        Event::RoundTrip(time) => Some(*time),
        _ => None,
    });
    let times: Vec<Duration> = times.collect();
    assert!(times.len() >= 2);
    for time in times {
        assert!(time.abs_diff(Duration::from_millis(50)) < Duration::from_millis(1));
    }
}

#[test]
fn the_same_seed_and_instants_give_the_same_bytes() {
    let run = |seed| {
        let mut pair = Pair::new(seed);
        pair.weather.loss = 10;
        pair.bind(&video_stream());
        pair.stream_video(0, 300, SPACING);
        let all = pair.compounds(0).into_iter().chain(pair.compounds(1));
        all.map(|(at, bytes)| (at, bytes.to_vec()))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(17), run(17));
    assert_ne!(run(17), run(18));
}

/// rtcp-011
#[test]
fn a_name_that_is_too_long_is_cut() {
    let now = Instant::now();
    let mut long = config();
    long.cname = Some("ü".repeat(200));
    let mut pipeline = Pipeline::new(start(now, 1, 1), long);
    let pli = PictureLossIndication {
        sender_ssrc: 1,
        media_ssrc: 2,
    };
    pipeline.send_rtcp(now, pli.into()).unwrap();
    let mut buf = [0; 1500];
    let len = pipeline.poll_rtcp(now, &mut buf).unwrap();
    rtcp::check_compound(&buf[..len]).unwrap();
    let rtcp::Packet::SourceDescription(description) = &packets(&buf[..len])[1] else {
        panic!("no SDES");
    };
    let cname = description.chunks[0].get(SourceItemType::CNAME).unwrap();
    assert_eq!(cname, "ü".repeat(127).as_bytes());
}

#[test]
fn what_does_not_fit_a_datagram_is_counted_and_stops_nothing() {
    let now = Instant::now();
    let mut small = config();
    small.max_compound = 100;
    let mut pipeline = Pipeline::new(start(now, 1, 1), small);
    let wide = rtcp::Nack::new(1, 2, (0..100).map(|number| number * 100));
    pipeline.send_rtcp(now, wide.into()).unwrap();
    let pli = PictureLossIndication {
        sender_ssrc: 1,
        media_ssrc: 2,
    };
    pipeline.send_rtcp(now, pli.into()).unwrap();
    let mut buf = [0; 1500];
    let len = pipeline.poll_rtcp(now, &mut buf).unwrap();
    assert!(matches!(
        packets(&buf[..len])[..],
        [
            rtcp::Packet::ReceiverReport(_),
            rtcp::Packet::SourceDescription(_),
            rtcp::Packet::PictureLossIndication(_)
        ]
    ));
    assert_eq!(pipeline.pipeline_stats().rtcp_oversized, 1);
    assert_eq!(pipeline.poll_rtcp(now, &mut buf), None);
}
