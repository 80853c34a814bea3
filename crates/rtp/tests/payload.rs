//! Payload formats through their public API: frames of any size at any packet size, hostile bytes,
//! and frames that real encoders made.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

use bytes::{Bytes, BytesMut};
use muonrtc_rtp::payload::sample_builder::Config;
use muonrtc_rtp::payload::{SampleBuilder, depacketizer, packetizer, red};
use muonrtc_rtp::{Header, Packet, Sample};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::path::PathBuf;

const FORMATS: [&str; 11] = [
    "VP8",
    "VP9",
    "AV1",
    "H264",
    "H265",
    "opus",
    "G722",
    "PCMU",
    "PCMA",
    "CN",
    "telephone-event",
];

/// The packets of frames, numbered from just before the wrap.
fn packets(name: &str, frames: &[Vec<u8>], max_payload: usize) -> Vec<Packet> {
    let mut packetizer = packetizer(name).unwrap();
    let mut packets = Vec::new();
    let mut number = u16::MAX - 20;
    for (index, frame) in frames.iter().enumerate() {
        let frame = Bytes::copy_from_slice(frame);
        let first = packets.len();
        let result = packetizer.packetize(&frame, max_payload, &mut |payload, marker| {
            // media-042
            assert!(payload.len() <= max_payload);
            assert!(!payload.is_empty());
            let header = Header {
                marker,
                sequence_number: number,
                timestamp: u32::MAX.wrapping_add(3_000 * index as u32),
                ..Header::default()
            };
            number = number.wrapping_add(1);
            packets.push(Packet::new(header, payload));
        });
        result.unwrap();
        // rtp-007: the marker is on the last packet of a frame of video.
        let markers = packets[first..]
            .iter()
            .filter(|packet| packet.header.marker);
        assert_eq!(markers.count(), 1);
        assert!(packets.last().unwrap().header.marker);
    }
    packets
}

fn builder(name: &str) -> SampleBuilder {
    let mut config = Config::new(90_000);
    // Room for frames of hundreds of kilobytes in the smallest packets.
    config.max_packets = 0x7FFF;
    SampleBuilder::new(depacketizer(name).unwrap(), config)
}

/// What comes out of a builder, a flush at the end included.
fn samples(builder: &mut SampleBuilder, packets: impl IntoIterator<Item = Packet>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for packet in packets {
        builder.push(packet);
        samples.extend(std::iter::from_fn(|| builder.pop()));
    }
    builder.flush();
    samples.extend(std::iter::from_fn(|| builder.pop()));
    samples
}

fn round_trip(name: &str, frames: &[Vec<u8>], max_payload: usize) -> Vec<Vec<u8>> {
    let samples = samples(&mut builder(name), packets(name, frames, max_payload));
    samples.iter().map(|sample| sample.data.to_vec()).collect()
}

/// A length from 1 byte to 50 KB, short ones as likely as long ones.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![1..64_usize, 1..2_000_usize, 1..50_000_usize]
}

/// Bytes that depend on a seed, none of them zero.
fn bytes(len: usize, seed: u32) -> impl Iterator<Item = u8> {
    let step = move |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let states = std::iter::successors(Some(seed), step);
    states.map(|state| (state >> 24) as u8 | 1).take(len)
}

/// A frame of VP9: a head that says key frame or not, and anything.
fn vp9_frame() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just(vec![0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xF0, 0x0E, 0xF6]),
        Just(vec![0x86, 0x00]),
    ];
    (head, length(), any::<u32>()).prop_map(|(mut frame, len, seed)| {
        frame.extend(bytes(len, seed));
        frame
    })
}

/// An access unit in Annex B, of NAL units with these headers; it begins with the first.
fn access_unit(heads: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let unit = (prop::sample::select(heads), length(), any::<u32>());
    vec(unit, 1..8).prop_map(|units| {
        let mut frame = Vec::new();
        for (index, (head, len, seed)) in units.into_iter().enumerate() {
            frame.extend([0, 0, 0, 1]);
            frame.extend(if index == 0 { heads[0] } else { head });
            frame.extend(bytes(len, seed));
        }
        frame
    })
}

/// A temporal unit: a delimiter, a sequence header, and OBUs of any kind that is sent.
fn temporal_unit() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![1_u8, 3, 4, 5, 6, 15]);
    let obu = (kind, prop::option::of(0..8_u8), length(), any::<u32>());
    vec(obu, 1..8).prop_map(|obus| {
        let mut unit = vec![0x12, 0x00, 0x0A, 0x01, 7];
        for (kind, layer, len, seed) in obus {
            unit.push(kind << 3 | u8::from(layer.is_some()) << 2 | 0x02);
            unit.extend(layer.map(|layer| layer << 3));
            let mut rest = len;
            while rest > 0x7F {
                unit.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            unit.push(rest as u8);
            unit.extend(bytes(len, seed));
        }
        unit
    })
}

fn frames(frame: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = (Vec<Vec<u8>>, usize)> {
    (vec(frame, 1..4), 20..1_400_usize)
}

/// The same cases every time; `PROPTEST_RNG_SEED` gives others.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig {
        failure_persistence: None,
        rng_seed,
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn vp8_frames_come_out_as_they_were(
        (sizes, max) in (vec((length(), any::<u32>()), 1..4), 20..1_400_usize)
    ) {
        let frames: Vec<Vec<u8>> =
            sizes.into_iter().map(|(len, seed)| bytes(len, seed).collect()).collect();
        prop_assert!(round_trip("VP8", &frames, max) == frames);
    }

    #[test]
    fn vp9_frames_come_out_as_they_were((frames, max) in frames(vp9_frame())) {
        prop_assert!(round_trip("VP9", &frames, max) == frames);
    }

    #[test]
    fn av1_temporal_units_come_out_as_they_were((units, max) in frames(temporal_unit())) {
        prop_assert!(round_trip("AV1", &units, max) == units);
    }

    #[test]
    fn h264_access_units_come_out_as_they_were(
        (units, max) in frames(access_unit(&[&[0x67], &[0x68], &[0x65], &[0x41], &[0x06]]))
    ) {
        prop_assert!(round_trip("H264", &units, max) == units);
    }

    #[test]
    fn h265_access_units_come_out_as_they_were(
        (units, max) in frames(access_unit(&[&[0x40, 1], &[0x42, 1], &[0x26, 1], &[0x02, 1]]))
    ) {
        prop_assert!(round_trip("H265", &units, max) == units);
    }

    // media-042
    #[test]
    fn no_payload_makes_a_depacketizer_panic(payloads in vec((vec(any::<u8>(), 0..40), any::<bool>()), 0..20)) {
        for name in FORMATS {
            let mut depacketizer = depacketizer(name).unwrap();
            let mut frame = BytesMut::new();
            for (payload, last) in &payloads {
                let payload = Bytes::copy_from_slice(payload);
                depacketizer.is_frame_start(&payload);
                depacketizer.is_frame_end(&payload, *last);
                depacketizer.is_keyframe(&payload);
                if depacketizer.depacketize(&payload, *last, &mut frame).is_err() {
                    depacketizer.reset();
                }
            }
        }
        for (payload, _) in payloads {
            if let Ok(packets) = red::packets(&Packet::new(Header::default(), payload)) {
                packets.for_each(drop);
            }
        }
    }

    // media-042
    #[test]
    fn no_frame_makes_a_packetizer_panic_or_exceed_the_size(
        frame in vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..200),
        max in 0..50_usize,
    ) {
        let frame = Bytes::from(frame);
        for name in FORMATS {
            let mut total = 0;
            let result = packetizer(name).unwrap().packetize(&frame, max, &mut |payload, _| {
                assert!(payload.len() <= max, "{name}");
                total += 1;
            });
            prop_assert_eq!(result.is_ok(), total > 0, "{}", name);
        }
    }

    // media-043
    #[test]
    fn whatever_is_lost_late_or_doubled_samples_are_whole_and_in_order(
        fates in vec(0..100_u8, 300),
        max in 30..200_usize,
    ) {
        let frames: Vec<Vec<u8>> =
            (0..40).map(|index| bytes(1 + 37 * index % 500, index as u32).collect()).collect();
        let mut packets = packets("VP8", &frames, max);
        let sent = packets.len();
        let mut arrived = Vec::new();
        let mut lost = 0;
        for (index, packet) in packets.drain(..).enumerate() {
            match fates[index % fates.len()] {
                // The last is not lost, so that every loss can be seen.
                0..10 if index + 1 < sent && index > 0 => lost += 1,
                10..20 => {
                    let at = arrived.len() - usize::from(fates[index % 7] % 8).min(arrived.len());
                    arrived.insert(at, packet);
                }
                20..25 => arrived.extend([packet.clone(), packet]),
                _ => arrived.push(packet),
            }
        }
        let mut builder = builder("VP8");
        let samples = samples(&mut builder, arrived);
        let stats = builder.stats();
        prop_assert!(stats.lost_packets <= lost);
        let mut position = 0;
        for sample in &samples {
            let found = frames[position..].iter().position(|frame| sample.data == frame[..]);
            prop_assert!(found.is_some(), "a sample that was not sent, or out of order");
            position += found.unwrap() + 1;
        }
        if lost == 0 {
            prop_assert_eq!(samples.len(), frames.len());
        }
    }
}

/// A file of the shared vectors, if the folder is there.
fn vector(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let file = std::fs::read(folder.join(name)).ok();
    if file.is_none() {
        println!("left out: {name} is not there");
    }
    file
}

/// The frames of an IVF file: a header of 32 bytes, and 12 bytes before each frame.
fn ivf_frames(file: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut rest = &file[32..];
    while let Some((head, after)) = rest.split_first_chunk::<12>() {
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        frames.push(after[..len].to_vec());
        rest = &after[len..];
    }
    frames
}

/// Cuts frames at several sizes, puts them together, and counts key frames.
fn check(name: &str, frames: &[Vec<u8>]) {
    assert!(frames.len() > 10);
    for max in [60, 500, 1_200, 100_000] {
        let samples = samples(&mut builder(name), packets(name, frames, max));
        assert_eq!(samples.len(), frames.len(), "{name} at {max}");
        for (index, (sample, frame)) in samples.iter().zip(frames).enumerate() {
            assert!(sample.data == frame[..], "{name}: frame {index} at {max}");
        }
        assert!(samples[0].keyframe, "{name}");
        assert!(samples.iter().any(|sample| !sample.keyframe), "{name}");
    }
}

// media-012, media-016, media-030
#[test]
fn frames_of_real_encoders_come_out_as_they_were() {
    for (file, name) in [
        ("media/bars-vp8.ivf", "VP8"),
        ("media/bars-vp9.ivf", "VP9"),
        ("media/bars-av1.ivf", "AV1"),
    ] {
        if let Some(file) = vector(file) {
            check(name, &ivf_frames(&file));
        }
    }
}

/// The access units of an Annex B stream of H.264 with one slice in each, with long start codes.
fn access_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..stream.len() - 3)
        .filter(|&at| stream[at..at + 3] == [0, 0, 1])
        .map(|at| at + 3)
        .collect();
    let mut units = vec![Vec::new()];
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(stream.len(), |next| next - 3);
        let mut unit = &stream[start..end];
        while let Some((0, rest)) = unit.split_last() {
            unit = rest;
        }
        if matches!(unit[0] & 0x1F, 9 | 12) {
            continue;
        }
        let frame = units.last_mut().unwrap();
        frame.extend([0, 0, 0, 1]);
        frame.extend(unit);
        // The first macroblock of the next slice tells whether a picture has several.
        let next = starts
            .get(index + 1)
            .map(|&next| (stream[next] & 0x1F, stream[next + 1]));
        let more = matches!(next, Some((1 | 5, first)) if first & 0x80 == 0);
        if matches!(unit[0] & 0x1F, 1 | 5) && !more {
            units.push(Vec::new());
        }
    }
    units.retain(|unit| !unit.is_empty());
    units
}

// media-020
#[test]
fn access_units_of_a_real_encoder_come_out_as_they_were() {
    if let Some(stream) = vector("media/bars-h264.h264") {
        check("H264", &access_units(&stream));
    }
}

/// The RTP packets of one stream in a session that was captured.
fn captured(file: &str, ssrc: u32) -> Vec<Packet> {
    let mut packets = Vec::new();
    for line in file.lines().filter(|line| line.contains("\"rtp\"")) {
        let (_, hex) = line.rsplit_once("\"hex\": \"").unwrap();
        let digits = hex.trim_end_matches(['"', '}']).as_bytes().chunks_exact(2);
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Bytes = digits.map(byte).collect();
        let packet = Packet::parse(&bytes).unwrap();
        if packet.header.ssrc == ssrc {
            packets.push(packet);
        }
    }
    packets
}

// media-012, media-013
#[test]
fn packets_that_browsers_sent_become_samples() {
    for (file, name, ssrc) in [
        ("chromium", "VP8", 0x55AB_8697),
        ("chromium", "VP8", 0xB33D_DB67),
        ("chromium", "opus", 0xD9FA_9199),
        ("chromium-answer", "VP8", 0xE150_17E3),
        ("firefox", "VP8", 0xD305_260E),
        ("firefox", "opus", 0x103D_D826),
        ("firefox-answer", "VP8", 0x19FA_F908),
        ("libwebrtc-node", "VP8", 0xF268_BE87),
        ("pion3", "opus", 0x53F0_EDED),
    ] {
        let Some(text) = vector(&format!("packets/{file}.jsonl")) else {
            return;
        };
        let packets = captured(str::from_utf8(&text).unwrap(), ssrc);
        let sent = packets.len();
        let mut builder = builder(name);
        let samples = samples(&mut builder, packets);
        let stats = builder.stats();
        println!(
            "{file} {name}: {sent} packets, {} samples, {stats:?}",
            samples.len()
        );
        assert!(!samples.is_empty() && samples[0].keyframe, "{file}");
        assert_eq!(stats.dropped_frames, 0, "{file}");
        if name == "opus" {
            assert_eq!(samples.len(), sent, "{file}");
        } else {
            // The start code of a key frame (RFC 6386 §9.1).
            assert_eq!(samples[0].data[3..6], [0x9D, 0x01, 0x2A], "{file}");
        }
    }
}
