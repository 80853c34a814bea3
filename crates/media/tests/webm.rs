//! WebM written and read here, without another program.

#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_media::webm::{Frame, Reader, Track, Writer};
use muonrtc_media::{Codec, Dimensions, Error, Reader as _, Sample, Writer as _};
use std::io::{Cursor, Write};
use std::time::Duration;

const FRAME: Duration = Duration::from_millis(40);
const PACKET: Duration = Duration::from_millis(20);

fn keyframe() -> Sample {
    let mut sample = Sample::new(&[0x10, 2, 0, 0x9D, 1, 0x2A, 64, 1, 240, 0, 1, 2][..], FRAME);
    sample.keyframe = true;
    sample
}

fn interframe() -> Sample {
    Sample::new(&[0x11, 2, 0, 9, 9][..], FRAME)
}

fn audio() -> Sample {
    let mut sample = Sample::new(&[0xFC, 1, 2, 3][..], PACKET);
    sample.keyframe = true;
    sample
}

fn frames<R: std::io::Read>(reader: &mut Reader<R>) -> Vec<Frame> {
    std::iter::from_fn(|| reader.read_frame().unwrap()).collect()
}

fn two_tracks() -> [Track; 2] {
    [Track::new(Codec::Vp8), Track::new(Codec::Opus)]
}

#[test]
fn two_tracks_come_back_with_their_times() {
    let output = Cursor::new(Vec::new());
    let mut writer = Writer::seekable(output, &two_tracks()).unwrap();
    for turn in 0..100_u32 {
        let picture = if turn % 25 == 0 {
            keyframe()
        } else {
            interframe()
        };
        writer.write(0, &picture).unwrap();
        writer.write(1, &audio()).unwrap();
        writer.write(1, &audio()).unwrap();
    }
    writer.finish().unwrap();
    let file = writer.into_inner().into_inner();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.duration(), Some(Duration::from_secs(4)));
    let size = Dimensions {
        width: 320,
        height: 240,
    };
    assert_eq!(reader.tracks()[0].dimensions, Some(size));
    assert_eq!(
        (reader.tracks()[1].channels, reader.tracks()[1].sample_rate),
        (2, 48_000)
    );
    let frames = frames(&mut reader);
    let pictures: Vec<_> = frames.iter().filter(|frame| frame.track == 0).collect();
    let sounds: Vec<_> = frames.iter().filter(|frame| frame.track == 1).collect();
    assert_eq!((pictures.len(), sounds.len()), (100, 200));
    for (turn, picture) in (0_u32..).zip(&pictures) {
        assert_eq!(picture.time, turn * FRAME);
        assert_eq!(picture.keyframe, turn % 25 == 0);
    }
    for (turn, sound) in (0_u32..).zip(&sounds) {
        assert_eq!((sound.time, sound.duration), (turn * PACKET, Some(PACKET)));
    }
}

#[test]
fn video_begins_with_a_keyframe_and_audio_is_held_until_then() {
    let mut writer = Writer::new(Vec::new(), &two_tracks()).unwrap();
    writer.write(1, &audio()).unwrap();
    writer.write(0, &interframe()).unwrap();
    writer.write(1, &audio()).unwrap();
    writer.write(0, &keyframe()).unwrap();
    writer.write(0, &interframe()).unwrap();
    let file = writer.into_inner();
    let mut reader = Reader::new(&file[..]).unwrap();
    let frames: Vec<_> = frames(&mut reader)
        .into_iter()
        .map(|frame| (frame.track, frame.time, frame.keyframe))
        .collect();
    let expected = [
        (1, Duration::ZERO, true),
        (1, PACKET, true),
        (0, FRAME, true),
        (0, 2 * FRAME, false),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn a_picture_that_never_comes_holds_a_bounded_number_of_frames() {
    struct Counted(usize);
    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut writer = Writer::new(Counted(0), &two_tracks()).unwrap();
    for _ in 0..=muonrtc_media::webm::MAX_HELD {
        writer.write(1, &audio()).unwrap();
    }
    assert!(writer.into_inner().0 > 500 * 8);
}

#[test]
fn a_long_file_has_bounded_cues_and_times_far_apart_fit() {
    let output = Cursor::new(Vec::new());
    let mut writer = Writer::seekable(output, &[Track::new(Codec::Vp8)]).unwrap();
    for hour in 0..10_000 {
        writer
            .write_at(0, Duration::from_secs(3600 * hour), &keyframe())
            .unwrap();
    }
    // Back in time by more than a block can say.
    writer
        .write_at(0, Duration::from_secs(5), &interframe())
        .unwrap();
    writer.finish().unwrap();
    let file = writer.into_inner().into_inner();
    let mut reader = Reader::new(&file[..]).unwrap();
    let frames = frames(&mut reader);
    assert_eq!(frames.len(), 10_001);
    assert_eq!(frames[9_999].time, Duration::from_secs(3600 * 9_999));
    assert_eq!(frames[10_000].time, Duration::from_secs(5));
}

#[test]
fn a_file_without_samples_is_a_file() {
    let output = Cursor::new(Vec::new());
    let mut writer = Writer::seekable(output, &[Track::new(Codec::Opus)]).unwrap();
    writer.finish().unwrap();
    let file = writer.into_inner().into_inner();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.read_sample().unwrap(), None);
}

#[test]
fn what_a_file_had_before_stays() {
    let mut output = Cursor::new(Vec::new());
    output.write_all(b"before").unwrap();
    let mut writer = Writer::seekable(output, &[Track::new(Codec::Opus)]).unwrap();
    writer.write(0, &audio()).unwrap();
    writer.finish().unwrap();
    let file = writer.into_inner().into_inner();
    assert!(file.starts_with(b"before\x1A\x45\xDF\xA3"));
    let mut reader = Reader::new(&file[6..]).unwrap();
    assert_eq!(reader.duration(), Some(PACKET));
    assert!(reader.read_sample().unwrap().is_some());
}

#[test]
fn mistakes_of_the_caller_are_told() {
    assert!(matches!(
        Writer::new(Vec::new(), &[Track::new(Codec::Pcmu)]),
        Err(Error::Codec(Codec::Pcmu))
    ));
    let mut writer = Writer::new(Vec::new(), &two_tracks()).unwrap();
    assert!(matches!(writer.write(2, &audio()), Err(Error::NoTrack(2))));
}
