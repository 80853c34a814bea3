//! Camera and microphone of a browser, saved to a file.
//!
//! `cargo run --release --example save-to-disk`, then open <http://127.0.0.1:8080>.

mod recording;

use examples::signalling::{self, next_track};
use examples::{Flags, Outcome, codec};
use media::Codec;
use muonrtc::{MediaKind, PeerConnection, TrackRemote};
use recording::Recording;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

const HELP: &str = "\
Saves what the page's camera and microphone send: WebM, or with H.264 an Annex B file and an Ogg file.

Usage: cargo run --release --example save-to-disk -- [OPTIONS]

Options:
  --video CODEC    what the browser shall send: vp8, vp9, av1 or h264 [default: vp8]
  --folder FOLDER  where to put the files [default: .]
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

/// How often a key frame is asked for while one is missing.
const REQUEST_INTERVAL: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, save_to_disk).await
}

async fn save_to_disk(flags: Flags) -> Outcome {
    let video = codec::video(&flags.value("--video", "vp8".to_owned())?)?;
    let folder: PathBuf = flags.value("--folder", ".".to_owned())?.into();
    // Those that are under way, to wait for at the end.
    let recordings: Arc<Mutex<Vec<JoinHandle<()>>>> = Arc::default();
    let under_way = recordings.clone();
    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, move |connection| {
        // The file's header names its codecs, so they must be known before the first packet: the
        // answer takes these, of all that the browser offered.
        codec::insist(&connection, video)?;
        codec::insist(&connection, Codec::Opus)?;
        let folder = folder.clone();
        let recording = examples::spawn(async move {
            let saved = save(&connection, video, &folder).await;
            // Also where the disk is full: nobody reads what the page sends any more.
            connection.close();
            saved
        });
        let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|recording| !recording.is_finished());
        under_way.push(recording);
        Ok(())
    })
    .await?;
    // Ctrl-C has closed the connections, whose tracks have ended; their files get their ends now.
    let recordings =
        std::mem::take(&mut *recordings.lock().unwrap_or_else(PoisonError::into_inner));
    for recording in recordings {
        recording.await?;
    }
    Ok(())
}

/// Records one connection until it is over.
#[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
async fn save(connection: &PeerConnection, video: Codec, folder: &Path) -> Outcome {
    let offered = |kind| {
        connection
            .transceivers()
            .iter()
            .any(|one| one.kind() == kind)
    };
    let mut recording = Recording::create(
        &name(folder),
        offered(MediaKind::Video).then_some(video),
        offered(MediaKind::Audio).then_some(Codec::Opus),
    )?;
    println!("recording to {}", recording.names());

    let (mut picture, mut sound) = (None, None);
    let mut ask = interval(REQUEST_INTERVAL);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            received = next_track(connection) => match received.map(|received| received.track) {
                Some(track) if track.kind() == MediaKind::Video => picture = Some(track),
                Some(track) => sound = Some(track),
                None => break,
            },
            packet = read(picture.as_ref()) => match packet {
                Some(packet) => recording.write_video(Instant::now().into_std(), packet)?,
                None => picture = None,
            },
            packet = read(sound.as_ref()) => match packet {
                Some(packet) => recording.write_audio(Instant::now().into_std(), packet)?,
                None => sound = None,
            },
            // Nothing can be decoded before the first key frame, nor after a frame that was lost. A
            // camera sends no key frame unless it is asked.
            _ = ask.tick() => if let (true, Some(track)) = (recording.needs_keyframe(), &picture) {
                track.request_keyframe();
            },
        }
    }
    recording.finish()?;
    println!("finished {}", recording.names());
    Ok(())
}

/// The next packet; waits for ever where there is no track.
async fn read(track: Option<&TrackRemote>) -> Option<muonrtc::rtp::Packet> {
    match track {
        Some(track) => track.read_rtp().await,
        None => std::future::pending().await,
    }
}

/// The name of the next recording, without its ending: one that no file has yet.
fn name(folder: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = folder.join(format!("recording-{number}"));
        let taken = |ending| name.with_extension(ending).exists();
        if !["webm", "h264", "ogg"].into_iter().any(taken) {
            return name;
        }
    }
}
