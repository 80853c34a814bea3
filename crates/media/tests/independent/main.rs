//! What is written here is read by another program, and what it writes is read here. The program is
//! ffmpeg with its ffprobe; where it is not installed, these tests say that they were left out.

#![allow(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests"
)]

mod ours;
mod recorded;
mod theirs;

use muonrtc_media::{Codec, Reader, Sample};
use std::path::{Path, PathBuf};
use std::process::Command;

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
