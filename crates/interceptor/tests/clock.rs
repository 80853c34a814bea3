//! What a receiver learns of the clocks of streams.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{AUDIO, Pair, VIDEO, seed, video, video_stream};
use muonrtc_interceptor::{Direction, Stream};
use rtp::{Header, Packet, rtcp};
use std::time::Duration;

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

/// When the clock of a stream stood at `zero`, in seconds, as each report about it says.
fn zero_of(reports: &[rtcp::Packet], ssrc: u32, zero: u32, clock_rate: f64) -> Vec<f64> {
    let report = |packet: &rtcp::Packet| match packet {
        rtcp::Packet::SenderReport(report) if report.ssrc == ssrc => {
            let wall = report.ntp.0 as f64 / 2_f64.powi(32);
            Some(wall - f64::from(report.rtp_timestamp.wrapping_sub(zero)) / clock_rate)
        }
        _ => None,
    };
    reports.iter().filter_map(report).collect()
}

/// rtp-037: what was sent at one time has one time by the reports of its streams, whatever their
/// clocks begin with.
#[test]
fn the_reports_of_all_streams_have_one_clock() {
    const VIDEO_ZERO: u32 = u32::MAX - 5000;
    let mut pair = Pair::new(seed(19));
    pair.bind(&video_stream());
    pair.bind(&Stream::new(AUDIO, Direction::Outgoing, 48_000));
    for number in 0..500_u16 {
        let mut picture = video(number);
        picture.header.timestamp = VIDEO_ZERO.wrapping_add(u32::from(number) * 1800);
        pair.send(0, picture);
        pair.send(0, audio(number));
        pair.run(Duration::from_millis(20));
    }
    let reports = &pair.ends[1].rtcp;
    let pictures = zero_of(reports, VIDEO, VIDEO_ZERO, 90_000.0);
    let sounds = zero_of(reports, AUDIO, 0, 48_000.0);
    assert!(pictures.len() >= 5 && sounds.len() >= 5);
    for zero in pictures.iter().chain(&sounds) {
        assert!(
            (zero - pictures[0]).abs() < 0.001,
            "{pictures:?} {sounds:?}"
        );
    }
}
