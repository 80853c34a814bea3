//! Camera and microphone of a browser, saved to a file.
//!
//! `cargo run --release --example save-to-disk`, then open <http://127.0.0.1:8080>.

mod archive;

use archive::Archive;
use examples::{Flags, Outcome, codec, signalling};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = "\
Saves what the page's camera and microphone send: WebM, or with H.264 an Annex B file and an Ogg file.

Usage: cargo run --release --example save-to-disk -- [OPTIONS]

Options:
  --video CODEC    what the browser shall send: vp8, vp9, av1 or h264 [default: vp8]
  --folder FOLDER  where to put the files [default: .]
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, save_to_disk).await
}

async fn save_to_disk(flags: Flags) -> Outcome {
    let video = codec::video(&flags.value("--video", "vp8".to_owned())?)?;
    let folder = flags.value("--folder", ".".to_owned())?;
    let archive = Arc::new(Archive::open(video, Path::new(&folder))?);
    println!("recordings go to {}", archive.folder().display());
    let page = include_str!("index.html");
    let recorder = Arc::clone(&archive);
    let record = move |connection| recorder.record(connection);
    signalling::serve(flags.address()?, page, record).await?;
    // Ctrl-C has closed the connections, whose tracks have ended; their files get their ends now.
    archive.finished().await;
    Ok(())
}
