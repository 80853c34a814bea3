//! What is written here is read by another program, and what it writes is read here. The program is
//! ffmpeg with its ffprobe; where it is not installed, these tests say that they were left out.

#![allow(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests"
)]

use muonrtc_media::{
    Codec, OpusHead, Reader, Recorder, Sample, Writer, annex_b, ivf, ogg, open, wav, webm,
};
use rtp::payload::{SampleBuilder, depacketizer, packetizer, sample_builder};
use rtp::{Header, Packet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Whether the program is there.
fn installed() -> bool {
    let there = ["ffmpeg", "ffprobe"].iter().all(|name| {
        let version = Command::new(name).arg("-version").output();
        version.is_ok_and(|output| output.status.success())
    });
    if !there {
        println!("left out: ffprobe is not installed");
    }
    there
}

fn clip(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/clips")
        .join(name)
}

/// A file of this test run.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn samples(reader: &mut dyn Reader) -> Vec<Sample> {
    std::iter::from_fn(|| reader.read_sample().unwrap()).collect()
}

fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program)
        .args(["-v", "warning"])
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(complaints.is_empty(), "{}: {complaints}", file.display());
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What the other program says of each stream: codec, size or rate, count of packets and of frames
/// that it decoded.
fn probe(file: &Path) -> Vec<String> {
    let entries =
        "stream=codec_name,width,height,sample_rate,channels,nb_read_packets,nb_read_frames";
    let arguments = [
        "-count_packets",
        "-count_frames",
        "-of",
        "csv=p=0",
        "-show_entries",
        entries,
    ];
    let text = run("ffprobe", &arguments, file);
    text.lines().map(str::to_owned).collect()
}

/// The times of the packets of a stream, in seconds, and their flags.
fn packets(file: &Path, stream: &str) -> Vec<(f64, bool)> {
    let arguments = [
        "-select_streams",
        stream,
        "-of",
        "csv=p=0",
        "-show_entries",
        "packet=pts_time,flags",
    ];
    run("ffprobe", &arguments, file)
        .lines()
        .map(|line| {
            let (time, flags) = line.split_once(',').unwrap();
            (time.parse().unwrap(), flags.starts_with('K'))
        })
        .collect()
}

fn assert_duration(file: &Path, expected: f64) {
    let text = run(
        "ffprobe",
        &["-of", "csv=p=0", "-show_entries", "format=duration"],
        file,
    );
    let duration: f64 = text.parse().unwrap();
    assert!(
        (duration - expected).abs() < 0.05,
        "{}: {duration}",
        file.display()
    );
}

const VIDEO: [(&str, Codec, &str); 3] = [
    ("bars.vp8.ivf", Codec::Vp8, "vp8"),
    ("bars.vp9.ivf", Codec::Vp9, "vp9"),
    ("bars.av1.ivf", Codec::Av1, "av1"),
];

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

/// Has the other program copy a clip into another form.
fn convert(from: &[&str], arguments: &[&str], to: &str) -> PathBuf {
    let file = scratch(to);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]);
    for name in from {
        command.arg("-i").arg(clip(name));
    }
    let status = command.args(arguments).arg(&file).status().unwrap();
    assert!(status.success());
    file
}

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
