//! What is written here.

use super::{VIDEO, assert_duration, clip, installed, packets, probe, run, samples, scratch};
use muonrtc_media::{Codec, OpusHead, Writer, annex_b, ivf, ogg, open, webm};
use std::fs::File;
use std::time::Duration;

#[test]
fn ivf_plays_elsewhere() {
    if !installed() {
        return;
    }
    for (name, codec, theirs) in VIDEO {
        let file = scratch(&format!("written-{name}"));
        let mut writer = ivf::Writer::seekable(File::create(&file).unwrap(), codec).unwrap();
        for sample in samples(&mut open(clip(name)).unwrap()) {
            writer.write_sample(&sample).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(probe(&file), [format!("{theirs},320,240,72,72")]);
        let times = packets(&file, "v");
        assert!((times[71].0 - 71.0 / 24.0).abs() < 0.001);
    }
}

#[test]
fn ogg_plays_elsewhere() {
    if !installed() {
        return;
    }
    let file = scratch("written.ogg");
    let mut writer = ogg::Writer::new(File::create(&file).unwrap(), &OpusHead::default()).unwrap();
    for sample in samples(&mut open(clip("tone.opus.ogg")).unwrap()) {
        writer.write_sample(&sample).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(probe(&file), ["opus,48000,2,151,151"]);
    assert_duration(&file, 3.02 - 0.0065);
}

#[test]
fn annex_b_plays_elsewhere() {
    if !installed() {
        return;
    }
    let file = scratch("written.h264");
    let mut writer = annex_b::Writer::new(File::create(&file).unwrap(), Codec::H264).unwrap();
    for sample in samples(&mut open(clip("bars.h264")).unwrap()) {
        writer.write_sample(&sample).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(probe(&file), ["h264,320,240,72,72"]);
}

/// Writes a picture and the tone, one after the other in time.
fn write_webm<W: std::io::Write>(mut writer: webm::Writer<W>, picture: &str, finish: bool) {
    let mut tracks = [
        samples(&mut open(clip(picture)).unwrap()),
        samples(&mut open(clip("tone.opus.ogg")).unwrap()),
    ]
    .map(Vec::into_iter);
    let mut times = [Duration::ZERO; 2];
    loop {
        let track = usize::from(times[1] <= times[0]);
        let Some(sample) = tracks[track].next() else {
            break;
        };
        writer.write_at(track, times[track], &sample).unwrap();
        times[track] += sample.duration;
    }
    if finish {
        writer.finish().unwrap();
    }
}

fn tracks(codec: Codec) -> [webm::Track; 2] {
    [webm::Track::new(codec), webm::Track::new(Codec::Opus)]
}

#[test]
fn webm_plays_elsewhere() {
    if !installed() {
        return;
    }
    for (name, codec, theirs) in VIDEO {
        let file = scratch(&format!("written-{name}.webm"));
        let output = File::create(&file).unwrap();
        write_webm(
            webm::Writer::seekable(output, &tracks(codec)).unwrap(),
            name,
            true,
        );
        let streams = probe(&file);
        assert_eq!(streams[0], format!("{theirs},320,240,72,72"));
        assert!(streams[1].starts_with("opus,48000,2,15"), "{streams:?}");
        assert_duration(&file, 3.0);
        let video = packets(&file, "v");
        let keyframes: Vec<_> = (0..72).filter(|&at| video[at].1).collect();
        assert_eq!(keyframes, [0, 24, 48]);
        assert!((video[71].0 - 71.0 / 24.0).abs() < 0.001);
        // The cues lead to the last second.
        let seek = [
            "-read_intervals",
            "2.5",
            "-select_streams",
            "v",
            "-of",
            "csv=p=0",
            "-show_entries",
            "packet=pts_time",
        ];
        let first = run("ffprobe", &seek, &file);
        assert!(first.starts_with("2.0"), "{first}");
    }
}

#[test]
fn webm_that_was_not_finished_plays_elsewhere() {
    if !installed() {
        return;
    }
    for (name, codec, theirs) in VIDEO {
        let file = scratch(&format!("streamed-{name}.webm"));
        let output = File::create(&file).unwrap();
        write_webm(
            webm::Writer::new(output, &tracks(codec)).unwrap(),
            name,
            false,
        );
        assert_eq!(probe(&file)[0], format!("{theirs},320,240,72,72"));
        let mut reader = open(&file).unwrap();
        assert_eq!(samples(&mut reader).len(), 72);
    }
}
