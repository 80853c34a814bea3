//! Files through a connection: a clip is sent, and what arrives is recorded.

use crate::loopback::connect;
use ::media::{Codec, Reader, Recorder, Sample, webm};
use muonrtc::{
    Configuration, PeerConnection, PeerConnectionEvent, PeerConnectionState, RtpCodec, TrackLocal,
    TrackRemote,
};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The whole test takes a fraction of a second: samples are sent as fast as they are read.
const TIME: Duration = Duration::from_secs(20);

fn samples(reader: &mut dyn Reader) -> Vec<Sample> {
    std::iter::from_fn(|| reader.read_sample().unwrap()).collect()
}

fn clip(name: &str) -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/clips");
    samples(&mut ::media::open(folder.join(name)).unwrap())
}

/// The frames; of AV1 without the temporal delimiters, which neither RTP nor WebM carries.
fn frames(codec: Codec, samples: &[Sample]) -> Vec<&[u8]> {
    let delimiter: &[u8] = if codec == Codec::Av1 {
        &[0x12, 0x00]
    } else {
        &[]
    };
    samples
        .iter()
        .map(|sample| &sample.data[..])
        .map(|frame| frame.strip_prefix(delimiter).unwrap_or(frame))
        .collect()
}

/// A connected pair, and the tracks that the second one receives, in the order of those it is sent.
async fn pair(tracks: [&TrackLocal; 2]) -> (PeerConnection, PeerConnection, [TrackRemote; 2]) {
    let peer = || PeerConnection::builder(Configuration::default()).build();
    let (alice, bob) = (peer().unwrap(), peer().unwrap());
    for track in tracks {
        alice.add_track(track, &["clip"]).unwrap();
    }
    connect(&alice, &bob).await;
    let mut received = Vec::new();
    for connection in [&alice, &bob] {
        loop {
            match connection.next_event().await.expect("it connects").kind {
                PeerConnectionEvent::Track(track) => received.push(track.track),
                PeerConnectionEvent::ConnectionStateChange(PeerConnectionState::Connected) => break,
                _ => {}
            }
        }
    }
    let received = received.try_into().expect("two tracks before it connected");
    (alice, bob, received)
}

/// What arrives of a clip of this codec, beside the tone, as a WebM file.
async fn recorded(codec: Codec, pictures: &[Sample], sounds: &[Sample]) -> Vec<u8> {
    let track = |id, codec| TrackLocal::new(id, codec).unwrap();
    let video = track("video", RtpCodec::new(codec.mime_type(), 90_000));
    let audio = track(
        "audio",
        RtpCodec::new("audio/opus", 48_000).with_channels(2),
    );
    let (alice, bob, [video_in, audio_in]) = pair([&video, &audio]).await;

    let file = Cursor::new(Vec::new());
    let mut recorder = Recorder::seekable(file, Some(codec), Some(Codec::Opus)).unwrap();
    assert!(recorder.needs_keyframe());
    let mut sounds = sounds.iter();
    let (mut shown, mut heard) = (Duration::ZERO, Duration::ZERO);
    for picture in pictures {
        for _ in 0..video.write_sample(picture).unwrap() {
            let packet = video_in.read_rtp().await.unwrap();
            recorder.write_video(Instant::now(), packet).unwrap();
        }
        shown += picture.duration;
        while heard < shown
            && let Some(sound) = sounds.next()
        {
            heard += sound.duration;
            for _ in 0..audio.write_sample(sound).unwrap() {
                let packet = audio_in.read_rtp().await.unwrap();
                recorder.write_audio(Instant::now(), packet).unwrap();
            }
        }
        assert!(!recorder.needs_keyframe(), "the first is a key frame");
    }
    recorder.finish().unwrap();
    for connection in [alice, bob] {
        connection.close();
        connection.closed().await;
    }
    recorder.into_inner().into_inner()
}

/// Every frame of a clip comes through cutting, encryption, a socket and the recorder as it was, in each
/// codec that WebM holds.
#[tokio::test]
async fn a_clip_is_recorded_as_it_was_sent() {
    let sounds = clip("tone.opus.ogg");
    for (codec, name) in [
        (Codec::Vp8, "bars.vp8.ivf"),
        (Codec::Vp9, "bars.vp9.ivf"),
        (Codec::Av1, "bars.av1.ivf"),
    ] {
        let pictures = clip(name);
        let recorded = timeout(TIME, recorded(codec, &pictures, &sounds));
        let file = recorded
            .await
            .unwrap_or_else(|_| panic!("{name} took too long"));

        let mut reader = webm::Reader::new(&file[..]).unwrap();
        let length = reader.duration().unwrap().as_secs_f64();
        assert!((2.9..3.1).contains(&length), "{name} lasts {length} s");
        assert_eq!(reader.codec(), codec);
        let seen = samples(&mut reader);
        let expected = frames(codec, &pictures);
        assert_eq!(frames(codec, &seen), expected, "{name}");
        let mut reader = webm::Reader::new(&file[..]).unwrap();
        reader.select(1).unwrap();
        let heard = samples(&mut reader);
        let expected = &frames(Codec::Opus, &sounds)[..heard.len()];
        assert!(heard.len() >= 149, "{} packets of sound", heard.len());
        assert_eq!(
            frames(Codec::Opus, &heard),
            expected,
            "the sound beside {name}"
        );
        independent(codec, &file, seen.len());
    }
}

/// Another program reads as many frames; left out where it is not installed.
fn independent(codec: Codec, file: &[u8], frames: usize) {
    let name = format!("muon-recorded-{}-{codec:?}.webm", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, file).unwrap();
    let counted = count_frames(&path);
    std::fs::remove_file(&path).unwrap();
    match counted {
        Some(counted) => assert_eq!(counted, frames.to_string(), "frames of {codec:?}"),
        None => println!("left out: no ffprobe to read {codec:?}"),
    }
}

fn count_frames(path: &Path) -> Option<String> {
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v"])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .ok()?;
    assert!(
        probe.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&probe.stderr)
    );
    Some(String::from_utf8_lossy(&probe.stdout).trim().to_owned())
}
