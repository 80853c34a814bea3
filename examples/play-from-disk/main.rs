//! A file on disk, played to every browser that opens the page.
//!
//! `cargo run --release --example play-from-disk`, then open <http://127.0.0.1:8080>.

use examples::playback::{Clip, play};
use examples::signalling::{self, connected, over};
use examples::{Flags, Outcome, codec};
use muonrtc::PeerConnection;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Plays files to every browser that opens the page, from their beginning, again and again.

Usage: cargo run --release --example play-from-disk -- [OPTIONS] [FILE...]

IVF, Ogg Opus, Annex B (H.264) and WebM are told apart by their first bytes. Several files are
played together, as a picture and its sound. Without a file: a clip of this repository.

Options:
  --video CODEC    which clip: vp8, vp9, av1 or h264 [default: vp8]
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, play_from_disk).await
}

async fn play_from_disk(flags: Flags) -> Outcome {
    let files = files(&flags)?;
    // Opened once here, so that a file that is not there is told of now.
    for clip in clips(&files)? {
        let codec = clip.track().codec();
        println!("playing {}", codec.map_or("", |codec| &codec.mime_type));
    }
    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, move |connection| {
        // Everyone gets tracks of their own and sees the file from its beginning, which is a key
        // frame. To show everyone the same moment, share the tracks instead: a track may be added
        // to any number of connections.
        let clips = clips(&files)?;
        for clip in &clips {
            connection.add_track(clip.track(), &["file"])?;
        }
        examples::spawn(show(connection, clips));
        Ok(())
    })
    .await
}

/// Plays from the moment the connection is up until it is over.
async fn show(connection: PeerConnection, clips: Vec<Clip>) -> Outcome {
    if !connected(&connection).await {
        return Ok(());
    }
    println!("a viewer came");
    tokio::select! {
        // A file answers no request for a key frame: after a loss that could not be repaired, the
        // picture comes back with the next one in the file.
        played = play(&clips) => played?,
        () = over(&connection) => {}
    }
    println!("a viewer left");
    Ok(())
}

fn clips(files: &[PathBuf]) -> Outcome<Vec<Clip>> {
    let mut clips = Vec::new();
    for file in files {
        clips.extend(Clip::open(file)?);
    }
    Ok(clips)
}

/// The files that were named, or a clip of this repository.
fn files(flags: &Flags) -> Outcome<Vec<PathBuf>> {
    if !flags.files().is_empty() {
        return Ok(flags.files().iter().map(PathBuf::from).collect());
    }
    let name = flags.value("--video", "vp8".to_owned())?;
    let file = match codec::video(&name)? {
        media::Codec::H264 => "bars.h264".to_owned(),
        _ => format!("bars.{}.ivf", name.to_ascii_lowercase()),
    };
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/clips"));
    Ok(vec![folder.join(file), folder.join("tone.opus.ogg")])
}
