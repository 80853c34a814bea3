//! What the other program writes.

use super::{VIDEO, assert_duration, clip, convert, installed, samples, scratch};
use muonrtc_media::{Codec, Reader, Writer, open, wav, webm};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

#[test]
fn webm_from_elsewhere_is_read() {
    if !installed() {
        return;
    }
    for (name, codec, theirs) in VIDEO {
        for (form, arguments) in [
            ("webm", &["-c", "copy"][..]),
            ("live.webm", &["-c", "copy", "-live", "1"]),
            ("mkv", &["-c", "copy", "-cluster_time_limit", "500"]),
        ] {
            let to = format!("theirs-{theirs}.{form}");
            let file = convert(&[name, "tone.opus.ogg"], arguments, &to);
            let mut reader = webm::Reader::new(File::open(&file).unwrap()).unwrap();
            let codecs: Vec<_> = reader.tracks().iter().map(|track| track.codec).collect();
            assert_eq!(codecs, [codec, Codec::Opus], "{to}");
            let video = samples(&mut reader);
            let original = samples(&mut open(clip(name)).unwrap());
            assert_eq!(video.len(), 72, "{to}");
            for (video, original) in video.iter().zip(&original) {
                assert_eq!(video.keyframe, original.keyframe);
                assert!(original.data.ends_with(&video.data), "{to}");
                let apart = video.duration.abs_diff(original.duration);
                assert!(apart <= Duration::from_millis(1), "{to}: {apart:?}");
            }
            let mut reader = webm::Reader::new(File::open(&file).unwrap()).unwrap();
            reader.select(1).unwrap();
            let audio = samples(&mut reader);
            let original = samples(&mut open(clip("tone.opus.ogg")).unwrap());
            assert_eq!(audio.len(), 151);
            assert!(
                audio
                    .iter()
                    .zip(&original)
                    .all(|(left, right)| left.data == right.data)
            );
        }
    }
}

#[test]
fn h265_from_elsewhere_is_read() {
    if !installed() {
        return;
    }
    let arguments = [
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=none:keyint=24:min-keyint=24:scenecut=0:bframes=0:repeat-headers=1",
        "-f",
        "hevc",
    ];
    let file = convert(&["bars.h264"], &arguments, "theirs.h265");
    let mut reader = open(&file).unwrap();
    assert_eq!(reader.codec(), Codec::H265);
    let samples = samples(&mut reader);
    assert_eq!(samples.len(), 72);
    let keyframes: Vec<_> = (0..72).filter(|&at| samples[at].keyframe).collect();
    assert_eq!(keyframes, [0, 24, 48]);
    let size = Codec::H265.dimensions(&samples[0].data).unwrap();
    assert_eq!((size.width, size.height), (320, 240));
}

#[test]
fn h264_of_other_kinds_is_read() {
    if !installed() {
        return;
    }
    for (name, arguments) in [
        (
            "high",
            &["-profile:v", "high", "-bf", "2", "-slices", "4"][..],
        ),
        ("cropped", &["-vf", "scale=322:242"]),
        (
            "interlaced",
            &["-flags", "+ildct+ilme", "-x264-params", "tff=1"],
        ),
        ("yuv444", &["-pix_fmt", "yuv444p", "-vf", "scale=321:241"]),
    ] {
        let arguments = [&["-c:v", "libx264", "-g", "24"], arguments, &["-f", "h264"]].concat();
        let file = convert(
            &["bars.vp8.ivf"],
            &arguments,
            &format!("theirs-{name}.h264"),
        );
        let samples = samples(&mut open(&file).unwrap());
        assert_eq!(samples.len(), 72, "{name}");
        let size = Codec::H264.dimensions(&samples[0].data).unwrap();
        let expected = match name {
            "cropped" => (322, 242),
            "yuv444" => (321, 241),
            _ => (320, 240),
        };
        assert_eq!((size.width, size.height), expected, "{name}");
    }
}

const SOUND: [(&str, &str, wav::Format); 3] = [
    (
        "pcm_s16le",
        "s16.wav",
        wav::Format {
            codec: Codec::L16,
            sample_rate: 48_000,
            channels: 2,
        },
    ),
    (
        "pcm_alaw",
        "alaw.wav",
        wav::Format {
            codec: Codec::Pcma,
            sample_rate: 8000,
            channels: 1,
        },
    ),
    (
        "pcm_mulaw",
        "mulaw.wav",
        wav::Format {
            codec: Codec::Pcmu,
            sample_rate: 8000,
            channels: 1,
        },
    ),
];

#[test]
fn wav_goes_both_ways() {
    if !installed() {
        return;
    }
    for (theirs, name, format) in SOUND {
        let (rate, channels) = (format.sample_rate.to_string(), format.channels.to_string());
        let arguments = ["-c:a", theirs, "-ar", &rate, "-ac", &channels];
        let from = convert(&["tone.opus.ogg"], &arguments, &format!("theirs-{name}"));
        let mut reader = wav::Reader::new(File::open(&from).unwrap()).unwrap();
        assert_eq!(reader.format(), format);
        let sound = samples(&mut reader);
        for seekable in [true, false] {
            let to = scratch(&format!("written-{seekable}-{name}"));
            let output = File::create(&to).unwrap();
            let mut writer = if seekable {
                wav::Writer::seekable(output, format).unwrap()
            } else {
                wav::Writer::new(output, format).unwrap()
            };
            for sample in &sound {
                writer.write_sample(sample).unwrap();
            }
            if seekable {
                writer.finish().unwrap();
                assert_duration(&to, 3.0);
            }
            // The other program hears the same in both.
            let heard = |file: &Path| {
                let output = Command::new("ffmpeg")
                    .args(["-v", "error", "-i"])
                    .arg(file)
                    .args(["-f", "md5", "-"])
                    .output();
                output.unwrap().stdout
            };
            assert_eq!(heard(&from), heard(&to), "{name}");
        }
    }
}
