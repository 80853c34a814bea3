//! What becomes of RTP packets.

use super::{VIDEO, assert_duration, clip, installed, probe, samples, scratch};
use muonrtc_media::{Codec, Reader, Recorder, Writer, annex_b, open};
use rtp::payload::{SampleBuilder, depacketizer, packetizer, sample_builder};
use rtp::{Header, Packet};
use std::fs::File;
use std::time::{Duration, Instant};

/// The packets that a sender makes of a clip, with the time at which each leaves.
fn packets_of(name: &str) -> Vec<(Duration, Packet)> {
    let mut reader = open(clip(name)).unwrap();
    let (_, format) = reader.mime_type().split_once('/').unwrap();
    let mut packetizer = packetizer(format).unwrap();
    let rate = f64::from(reader.clock_rate());
    let (mut time, mut number) = (Duration::ZERO, 65_500_u16);
    let mut packets = Vec::new();
    for sample in samples(&mut reader) {
        let mut emit = |payload, marker| {
            let header = Header {
                sequence_number: number,
                timestamp: u32::MAX.wrapping_add((time.as_secs_f64() * rate).round() as u32),
                marker,
                ..Header::default()
            };
            number = number.wrapping_add(1);
            packets.push((time, Packet::new(header, payload)));
        };
        packetizer.packetize(&sample.data, 1200, &mut emit).unwrap();
        time += sample.duration;
    }
    packets
}

#[test]
fn recorded_packets_play_elsewhere() {
    if !installed() {
        return;
    }
    for (name, codec, theirs) in VIDEO {
        let file = scratch(&format!("recorded-{theirs}.webm"));
        let output = File::create(&file).unwrap();
        let mut recorder = Recorder::seekable(output, Some(codec), Some(Codec::Opus)).unwrap();
        let start = Instant::now();
        for (time, packet) in packets_of(name) {
            recorder.write_video(start + time, packet).unwrap();
        }
        for (time, packet) in packets_of("tone.opus.ogg") {
            recorder.write_audio(start + time, packet).unwrap();
        }
        recorder.finish().unwrap();
        let streams = probe(&file);
        assert_eq!(streams[0], format!("{theirs},320,240,72,72"));
        assert_eq!(streams[1], "opus,48000,2,151,151");
        assert_duration(&file, 3.02);
    }
}

#[test]
fn packets_of_h264_become_a_stream_that_plays_elsewhere() {
    if !installed() {
        return;
    }
    let file = scratch("recorded.h264");
    let mut writer = annex_b::Writer::new(File::create(&file).unwrap(), Codec::H264).unwrap();
    let config = sample_builder::Config::new(90_000);
    let mut builder = SampleBuilder::new(depacketizer("H264").unwrap(), config);
    for (_, packet) in packets_of("bars.h264") {
        builder.push(packet);
        while let Some(sample) = builder.pop() {
            writer.write_sample(&sample).unwrap();
        }
    }
    writer.finish().unwrap();
    assert_eq!(probe(&file), ["h264,320,240,72,72"]);
}
