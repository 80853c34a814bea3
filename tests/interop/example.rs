//! Examples as they are: their own routes and pages, which the checks of `examples.js` open in frames.

#[path = "../../examples/save-to-disk/archive.rs"]
mod archive;
#[path = "../../examples/ortc/server.rs"]
mod ortc;
#[path = "../../examples/single-port/port.rs"]
mod port;
#[path = "../../examples/sfu/server.rs"]
mod sfu;
#[path = "../../examples/broadcast/stage.rs"]
mod stage;

use archive::Archive;
use axum::Router;
use examples::signalling;
use media::Codec;
use serde_json::Value;
use sfu::Room;
use stage::Stage;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long the end of a recording may take.
const END: Duration = Duration::from_secs(10);
/// Frames that the page has sent when it ends the recording, and some that are lost with its end.
const RECORDED_FRAMES: u64 = 50;

/// An example with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Example {
    Broadcast,
    Ortc,
    SaveToDisk,
    Sfu,
    SinglePort,
}

/// What an example has begun.
pub(crate) enum Begun {
    Broadcast,
    Ortc,
    SaveToDisk(Arc<Archive>),
    Sfu(Arc<Room>),
    SinglePort,
}

impl Example {
    /// The example's server. Its page is at `/`.
    pub(crate) fn begin(self, scratch: &Path) -> (Router, Begun) {
        match self {
            Self::Broadcast => {
                let stage = Arc::new(Stage::default());
                let page = include_str!("../../examples/broadcast/index.html");
                let routes = signalling::router(page, move |connection| stage.greet(connection));
                (routes, Begun::Broadcast)
            }
            Self::Ortc => (ortc::router(), Begun::Ortc),
            Self::SaveToDisk => {
                let folder = scratch.join("recordings");
                std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
                let archive = Archive::open(Codec::Vp8, &folder).expect("it was just made");
                let archive = Arc::new(archive);
                let recorder = Arc::clone(&archive);
                let page = include_str!("../../examples/save-to-disk/index.html");
                let routes =
                    signalling::router(page, move |connection| recorder.record(connection));
                (routes, Begun::SaveToDisk(archive))
            }
            Self::Sfu => {
                let room = Room::open();
                (sfu::router(&room), Begun::Sfu(room))
            }
            Self::SinglePort => {
                let endpoint = port::bind(0).expect("a port is free");
                let page = include_str!("../../examples/single-port/index.html");
                let make = move || port::connection(&endpoint);
                let routes = signalling::router_with(page, make, |connection| {
                    examples::spawn(port::serve(connection));
                    Ok(())
                });
                (routes, Begun::SinglePort)
            }
        }
    }
}

impl Begun {
    /// Ends it when the page has passed its checks, and looks at what is left.
    pub(crate) async fn end(self) {
        match self {
            Self::Broadcast | Self::Ortc | Self::SinglePort => {}
            Self::Sfu(room) => room.close().await,
            Self::SaveToDisk(archive) => {
                let finished = timeout(END, archive.finished()).await;
                finished.expect("the recording ends with its connection");
                inspect(archive.folder());
            }
        }
    }
}

/// Lets ffprobe, where it is installed, decode the one recording of a folder.
fn inspect(folder: &Path) {
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    let [file] = &files[..] else {
        panic!("one page made {files:?}");
    };
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "json"])
        .args([
            "-show_entries",
            "stream=codec_name,nb_read_frames,width:format=duration",
        ])
        .arg(file)
        .output();
    let Ok(probe) = probe else {
        println!("left out: the recording in an independent program (ffprobe is missing)");
        return;
    };
    let complaints = String::from_utf8_lossy(&probe.stderr);
    assert!(
        probe.status.success() && complaints.is_empty(),
        "ffprobe says: {complaints}"
    );
    let found: Value = serde_json::from_slice(&probe.stdout).expect("ffprobe prints JSON");
    println!("ffprobe: {found}");
    let frames = |codec: &str| -> u64 {
        let streams = found["streams"].as_array().into_iter().flatten();
        let mut streams = streams.filter(|stream| stream["codec_name"] == codec);
        let frames = streams
            .next()
            .and_then(|stream| stream["nb_read_frames"].as_str());
        frames
            .and_then(|frames| frames.parse().ok())
            .unwrap_or_default()
    };
    let (video, audio) = (frames("vp8"), frames("opus"));
    assert!(
        video >= RECORDED_FRAMES,
        "{video} frames of video can be decoded"
    );
    // 20 ms each, while the camera has no more than 30 frames a second.
    assert!(
        audio >= video,
        "{audio} frames of audio can be decoded, beside {video} of video"
    );
}
