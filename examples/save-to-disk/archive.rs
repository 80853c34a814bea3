//! Recordings in a folder: one for each connection, as long as it lasts.

#[path = "recording.rs"]
mod recording;

use self::recording::Recording;
use examples::signalling::next_track;
use examples::{Outcome, codec};
use media::Codec;
use muonrtc::rtp::Packet;
use muonrtc::{MediaKind, PeerConnection, TrackRemote};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a key frame is asked for while one is missing.
const REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// Where recordings go.
#[derive(Debug)]
pub(crate) struct Archive {
    video: Codec,
    folder: PathBuf,
    /// Those that are being made, to wait for at the end.
    under_way: Mutex<Vec<JoinHandle<()>>>,
}

impl Archive {
    /// Recordings with video of this codec, in a folder that is there.
    pub(crate) fn open(video: Codec, folder: &Path) -> Outcome<Self> {
        let found = folder.canonicalize();
        let folder = found.map_err(|error| format!("--folder {}: {error}", folder.display()))?;
        if !folder.is_dir() {
            return Err(format!("--folder {}: it is a file", folder.display()).into());
        }
        Ok(Self {
            video,
            folder,
            under_way: Mutex::default(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Records what comes by the connection, to be called between offer and answer.
    pub(crate) fn record(&self, connection: PeerConnection) -> Outcome {
        // The file's header names its codecs, so they must be known before the first packet: the
        // answer takes these, of all that the browser offered.
        codec::insist(&connection, self.video)?;
        codec::insist(&connection, Codec::Opus)?;
        let (video, folder) = (self.video, self.folder.clone());
        let recording = examples::spawn(async move {
            let saved = save(&connection, video, &folder).await;
            // Also where the disk is full: nobody reads what the page sends any more.
            connection.close();
            saved
        });
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|recording| !recording.is_finished());
        under_way.push(recording);
        Ok(())
    }

    /// Waits for the recordings of connections that are closed, or will be.
    pub(crate) async fn finished(&self) {
        let under_way = std::mem::take(
            &mut *self
                .under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for recording in under_way {
            // One that has panicked has said so.
            let _ = recording.await;
        }
    }
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
async fn read(track: Option<&TrackRemote>) -> Option<Packet> {
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
