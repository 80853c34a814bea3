//! The clips of the examples are read, and what is written of them reads the same.

#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_media::{Codec, Dimensions, OpusHead, Reader, Sample, Writer, annex_b, ivf, ogg, open};
use std::io::Cursor;
use std::path::PathBuf;
use std::time::Duration;

/// The path of a clip; `None` where the crate stands without its workspace.
fn clip(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/clips");
    if !folder.exists() {
        println!("left out: the clips of the examples are not here");
        return None;
    }
    Some(folder.join(name))
}

fn samples(reader: &mut dyn Reader) -> Vec<Sample> {
    std::iter::from_fn(|| reader.read_sample().unwrap()).collect()
}

fn keyframes(samples: &[Sample]) -> Vec<usize> {
    (0..samples.len())
        .filter(|&at| samples[at].keyframe)
        .collect()
}

fn close(left: Duration, right: Duration) -> bool {
    left.abs_diff(right) < Duration::from_micros(50)
}

/// Reads a clip of 72 frames, each 1/24 s, with a keyframe each second.
fn bars(name: &str, codec: Codec) -> Option<Vec<Sample>> {
    let mut reader = open(clip(name)?).unwrap();
    assert_eq!(reader.codec(), codec);
    let samples = samples(&mut reader);
    assert_eq!(samples.len(), 72);
    assert_eq!(keyframes(&samples), [0, 24, 48]);
    let size = Dimensions {
        width: 320,
        height: 240,
    };
    for sample in &samples {
        assert!(close(sample.duration, Duration::from_secs(1) / 24));
        let stated = codec.dimensions(&sample.data);
        assert_eq!(stated, sample.keyframe.then_some(size));
    }
    Some(samples)
}

#[test]
fn pictures_in_ivf_are_the_same_again() {
    for (name, codec) in [
        ("bars.vp8.ivf", Codec::Vp8),
        ("bars.vp9.ivf", Codec::Vp9),
        ("bars.av1.ivf", Codec::Av1),
    ] {
        let Some(before) = bars(name, codec) else {
            return;
        };
        let mut writer = ivf::Writer::seekable(Cursor::new(Vec::new()), codec).unwrap();
        for sample in &before {
            writer.write_sample(sample).unwrap();
        }
        writer.finish().unwrap();
        let file = writer.into_inner().into_inner();
        let mut reader = ivf::Reader::new(&file[..]).unwrap();
        assert_eq!(reader.header().frames, 72);
        assert_eq!((reader.header().width, reader.header().height), (320, 240));
        let after = samples(&mut reader);
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.data, after.data);
            assert_eq!(before.keyframe, after.keyframe);
            assert!(close(before.duration, after.duration));
        }
    }
}

#[test]
fn ivf_that_is_not_finished_or_cut_is_read_up_to_the_cut() {
    let Some(path) = clip("bars.vp8.ivf") else {
        return;
    };
    let file = std::fs::read(path).unwrap();
    let mut reader = ivf::Reader::new(&file[..file.len() - 1]).unwrap();
    for _ in 0..71 {
        reader.read_sample().unwrap().unwrap();
    }
    assert!(reader.read_sample().is_err());
    assert_eq!(reader.read_sample().unwrap(), None);
}

#[test]
fn access_units_of_annex_b_are_the_same_again() {
    let Some(before) = bars("bars.h264", Codec::H264) else {
        return;
    };
    let mut writer = annex_b::Writer::new(Vec::new(), Codec::H264).unwrap();
    for sample in &before {
        writer.write_sample(sample).unwrap();
    }
    writer.finish().unwrap();
    let file = writer.into_inner();
    let original = std::fs::read(clip("bars.h264").unwrap()).unwrap();
    assert_eq!(file, original);
    let mut reader = annex_b::Reader::new(&file[..], Codec::H264).unwrap();
    assert_eq!(samples(&mut reader), before);
}

/// A reader that gives one byte at a time finds the same access units.
#[test]
fn access_units_do_not_depend_on_how_the_bytes_come() {
    struct Slow<'a>(&'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let len = out.len().min(1);
            std::io::Read::read(&mut self.0, &mut out[..len])
        }
    }
    let Some(path) = clip("bars.h264") else {
        return;
    };
    let file = std::fs::read(path).unwrap();
    let file = &file[..file.len().min(4000)];
    let whole = samples(&mut annex_b::Reader::new(file, Codec::H264).unwrap());
    let slow = samples(&mut annex_b::Reader::new(Slow(file), Codec::H264).unwrap());
    assert_eq!(whole, slow);
}

#[test]
fn a_tone_in_ogg_is_the_same_again() {
    let Some(path) = clip("tone.opus.ogg") else {
        return;
    };
    let mut reader = open(path).unwrap();
    assert_eq!(
        (reader.codec(), reader.clock_rate(), reader.channels()),
        (Codec::Opus, 48_000, 2)
    );
    let before = samples(&mut reader);
    // Three seconds and what the encoder looks ahead.
    assert_eq!(before.len(), 151);
    assert!(
        before
            .iter()
            .all(|sample| sample.duration == Duration::from_millis(20) && sample.keyframe)
    );
    let mut writer = ogg::Writer::new(Vec::new(), &OpusHead::default()).unwrap();
    for sample in &before {
        writer.write_sample(sample).unwrap();
    }
    writer.finish().unwrap();
    let file = writer.into_inner();
    let mut reader = ogg::Reader::new(&file[..]).unwrap();
    assert_eq!(samples(&mut reader), before);
    assert_eq!(reader.granule_position(), 151 * 960);
}

#[test]
fn a_gap_in_time_is_silence_in_ogg() {
    let mut writer = ogg::Writer::new(Vec::new(), &OpusHead::default()).unwrap();
    // Wide band CELT, 20 ms: the third packet comes 100 ms late, across the wrap of the timestamp.
    for timestamp in [u32::MAX - 959, 0, 960 + 4800, 960 + 4800 + 960] {
        let mut sample = Sample::new(vec![0xBC, 1, 2, 3], Duration::from_millis(20));
        sample.timestamp = Some(timestamp);
        writer.write_sample(&sample).unwrap();
    }
    writer.finish().unwrap();
    let file = writer.into_inner();
    let mut reader = ogg::Reader::new(&file[..]).unwrap();
    let lengths: Vec<_> = samples(&mut reader)
        .iter()
        .map(|sample| sample.data.len())
        .collect();
    assert_eq!(lengths, [4, 4, 1, 1, 1, 1, 1, 4, 4]);
}

#[test]
fn audio_after_a_jump_in_time_follows_at_once() {
    let mut writer = ogg::Writer::new(Vec::new(), &OpusHead::default()).unwrap();
    for timestamp in [0, 960, 1 << 30, (1 << 30) + 960, 5000, 5960] {
        let mut sample = Sample::new(vec![0xBC, 1, 2, 3], Duration::from_millis(20));
        sample.timestamp = Some(timestamp);
        writer.write_sample(&sample).unwrap();
    }
    writer.finish().unwrap();
    let file = writer.into_inner();
    let mut reader = ogg::Reader::new(&file[..]).unwrap();
    assert_eq!(samples(&mut reader).len(), 6);
}

#[test]
fn links_of_a_chain_and_packets_over_pages_are_read() {
    let long: Vec<u8> = std::iter::once(0xBC)
        .chain((0..60_000).map(|_| 7))
        .collect();
    let file = |len: usize| {
        let mut writer = ogg::Writer::new(Vec::new(), &OpusHead::default()).unwrap();
        for _ in 0..3 {
            let sample = Sample::new(long[..len].to_vec(), Duration::from_millis(20));
            writer.write_sample(&sample).unwrap();
        }
        writer.finish().unwrap();
        writer.into_inner()
    };
    let mut chain = file(60_000);
    chain.extend(file(255));
    let mut reader = ogg::Reader::new(&chain[..]).unwrap();
    let lengths: Vec<_> = samples(&mut reader)
        .iter()
        .map(|sample| sample.data.len())
        .collect();
    assert_eq!(lengths, [60_000, 60_000, 60_000, 255, 255, 255]);
}

#[test]
fn a_lost_page_is_told_with_the_next_sample() {
    let Some(path) = clip("tone.opus.ogg") else {
        return;
    };
    let mut file = std::fs::read(path).unwrap();
    let pages: Vec<_> = (0..file.len())
        .filter(|&at| file[at..].starts_with(b"OggS"))
        .collect();
    file[pages[2] + 100] ^= 1;
    let mut reader = ogg::Reader::new(&file[..]).unwrap();
    let samples = samples(&mut reader);
    assert!(samples.len() < 151);
    let told: Vec<_> = samples.iter().map(|sample| sample.lost_before).collect();
    assert_eq!(told[0], 1);
    assert!(told[1..].iter().all(|&lost| lost == 0));
}
