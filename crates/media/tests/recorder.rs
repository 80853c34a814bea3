//! RTP packets become a file.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use bytes::Bytes;
use muonrtc_media::webm::{Frame, Reader};
use muonrtc_media::{Codec, Error, Recorder};
use proptest::prelude::*;
use rtp::payload::packetizer;
use rtp::{Header, Packet};
use std::io::Cursor;
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(40);

/// A frame of VP8 of 3000 bytes, which is three packets.
fn picture(keyframe: bool) -> Bytes {
    let mut frame = vec![7; 3000];
    if keyframe {
        frame[..10].copy_from_slice(&[0x10, 2, 0, 0x9D, 1, 0x2A, 64, 1, 240, 0]);
    } else {
        frame[..3].copy_from_slice(&[0x11, 2, 0]);
    }
    frame.into()
}

/// The packets of a stream of frames, and when each comes.
fn packets(
    name: &str,
    frames: impl Iterator<Item = (Duration, u32, Bytes)>,
    (ssrc, first): (u32, u16),
) -> Vec<(Duration, Packet)> {
    let mut packetizer = packetizer(name).unwrap();
    let mut packets = Vec::new();
    let mut number = first;
    for (arrival, timestamp, frame) in frames {
        let mut emit = |payload: Bytes, marker: bool| {
            let header = Header {
                sequence_number: number,
                timestamp,
                marker,
                ssrc,
                ..Header::default()
            };
            number = number.wrapping_add(1);
            packets.push((arrival, Packet::new(header, payload)));
        };
        packetizer.packetize(&frame, 1200, &mut emit).unwrap();
    }
    packets
}

/// `count` frames at 25 a second from `arrival` on, with a keyframe at `keyframes`.
fn video(
    count: u32,
    arrival: Duration,
    timestamp: u32,
    keyframes: &[u32],
) -> Vec<(Duration, Packet)> {
    let frames = (0..count).map(|turn| {
        let keyframe = keyframes.contains(&turn);
        (
            arrival + turn * FRAME,
            timestamp.wrapping_add(turn * 3600),
            picture(keyframe),
        )
    });
    packets("VP8", frames, (1, 65_530))
}

fn audio(count: u32, arrival: Duration, timestamp: u32) -> Vec<(Duration, Packet)> {
    let frames = (0..count).map(|turn| {
        let packet = Bytes::from_static(&[0xFC, 1, 2, 3]);
        (
            arrival + turn * FRAME / 2,
            timestamp.wrapping_add(turn * 960),
            packet,
        )
    });
    packets("opus", frames, (2, 10))
}

/// Records both in the order of arrival.
fn record(video: Vec<(Duration, Packet)>, audio: Vec<(Duration, Packet)>) -> Vec<Frame> {
    let start = Instant::now();
    let mut recorder = Recorder::new(Vec::new(), Some(Codec::Vp8), Some(Codec::Opus)).unwrap();
    let video = video.into_iter().map(|(at, packet)| (at, true, packet));
    let audio = audio.into_iter().map(|(at, packet)| (at, false, packet));
    let mut all: Vec<_> = video.chain(audio).collect();
    all.sort_by_key(|(at, ..)| *at);
    for (at, is_video, packet) in all {
        if is_video {
            recorder.write_video(start + at, packet).unwrap();
        } else {
            recorder.write_audio(start + at, packet).unwrap();
        }
    }
    recorder.finish().unwrap();
    let file = recorder.into_inner();
    let mut reader = Reader::new(&file[..]).unwrap();
    std::iter::from_fn(|| reader.read_frame().unwrap()).collect()
}

/// The times of a track in milliseconds.
fn times(frames: &[Frame], track: usize) -> Vec<u128> {
    let of_track = frames.iter().filter(|frame| frame.track == track);
    of_track.map(|frame| frame.time.as_millis()).collect()
}

#[test]
fn two_streams_lie_as_their_first_packets_came() {
    // Both timestamps wrap on the way; the picture comes 100 ms after the sound.
    let video = video(50, Duration::from_millis(100), u32::MAX - 7000, &[0, 25]);
    let frames = record(video, audio(100, Duration::ZERO, u32::MAX - 2000));
    let expected: Vec<_> = (0..50).map(|turn| 100 + turn * 40).collect();
    assert_eq!(times(&frames, 0), expected);
    let expected: Vec<_> = (0..100).map(|turn| turn * 20).collect();
    assert_eq!(times(&frames, 1), expected);
    let picture = frames.iter().find(|frame| frame.track == 0).unwrap();
    assert!(picture.keyframe);
    assert_eq!(picture.data, self::picture(true));
}

#[test]
fn video_before_the_first_keyframe_is_left_out() {
    let frames = record(
        video(10, Duration::ZERO, 0, &[4]),
        audio(20, Duration::ZERO, 0),
    );
    assert_eq!(times(&frames, 0), [160, 200, 240, 280, 320, 360]);
    assert_eq!(times(&frames, 1).len(), 20);
}

#[test]
fn packets_out_of_order_are_put_in_order_and_a_broken_frame_is_left_out() {
    let mut packets = video(10, Duration::ZERO, 0, &[0]);
    packets.swap(4, 5);
    packets.remove(13);
    let mut swapped = packets.clone();
    for (slot, (at, _)) in swapped.iter_mut().zip(&packets) {
        slot.0 = *at;
    }
    let frames = record(swapped, Vec::new());
    assert_eq!(times(&frames, 0), [0, 40, 80, 120, 200, 240, 280, 320, 360]);
}

#[test]
fn a_keyframe_is_needed_at_the_start_and_after_a_loss() {
    let start = Instant::now();
    let mut recorder = Recorder::new(Vec::new(), Some(Codec::Vp8), None).unwrap();
    assert!(recorder.needs_keyframe());
    let mut needed = Vec::new();
    for (index, (at, packet)) in video(300, Duration::ZERO, 0, &[0, 200])
        .into_iter()
        .enumerate()
    {
        if index == 30 {
            continue;
        }
        recorder.write_video(start + at, packet).unwrap();
        if needed.last() != Some(&recorder.needs_keyframe()) {
            needed.push(recorder.needs_keyframe());
        }
    }
    assert_eq!(needed, [true, false, true, false]);
}

#[test]
fn a_clock_that_jumps_goes_on_at_the_time_of_arrival() {
    let mut packets = video(5, Duration::ZERO, 0, &[0]);
    for (_, packet) in &mut packets[9..] {
        packet.header.timestamp = packet.header.timestamp.wrapping_add(1 << 30);
    }
    let frames = record(packets, Vec::new());
    assert_eq!(times(&frames, 0), [0, 40, 80, 120, 160]);
}

#[test]
fn another_ssrc_goes_on_at_the_time_of_arrival() {
    let mut packets = video(5, Duration::ZERO, 0, &[0]);
    let mut second = video(5, Duration::from_secs(1), 77_777, &[0]);
    for (_, packet) in &mut second {
        packet.header.ssrc = 9;
    }
    packets.extend(second);
    let frames = record(packets, Vec::new());
    let expected = [0, 40, 80, 120, 160, 1000, 1040, 1080, 1120, 1160];
    assert_eq!(times(&frames, 0), expected);
}

#[test]
fn a_stream_that_is_not_recorded_is_a_mistake() {
    let mut recorder = Recorder::new(Vec::new(), None, Some(Codec::Opus)).unwrap();
    let error = recorder.write_video(Instant::now(), Packet::default());
    assert!(matches!(error, Err(Error::NoTrack(0))));
    assert!(!recorder.needs_keyframe());
    assert!(matches!(
        Recorder::new(Vec::new(), Some(Codec::H264), None),
        Err(Error::Codec(Codec::H264))
    ));
}

proptest! {
    /// Whatever a peer sends, the file can be read.
    #[test]
    fn any_packets_make_a_file(
        packets in prop::collection::vec(
            (0..3_u32, any::<u16>(), any::<u32>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)),
            0..200,
        ),
        codec in prop::sample::select(vec![Codec::Vp8, Codec::Vp9, Codec::Av1]),
    ) {
        let start = Instant::now();
        let output = Cursor::new(Vec::new());
        let mut recorder = Recorder::seekable(output, Some(codec), Some(Codec::Opus)).unwrap();
        for (turn, (ssrc, sequence_number, timestamp, marker, payload)) in (0_u32..).zip(packets) {
            let header = Header { ssrc, sequence_number, timestamp, marker, ..Header::default() };
            let packet = Packet::new(header, payload);
            let now = start + turn * FRAME;
            // What one codec takes for noise is another's frame.
            if ssrc == 2 {
                recorder.write_audio(now, packet).unwrap();
            } else {
                recorder.write_video(now, packet).unwrap();
            }
        }
        recorder.finish().unwrap();
        let file = recorder.into_inner().into_inner();
        let mut reader = Reader::new(&file[..]).unwrap();
        while reader.read_frame().unwrap().is_some() {}
    }
}
