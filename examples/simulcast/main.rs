//! A page sends its camera in three sizes at once, and chooses which of them it gets back.
//!
//! `cargo run --release --example simulcast`, then open <http://127.0.0.1:8080>.

#[path = "../sfu/keyframe.rs"]
mod keyframe;

use examples::{Flags, Outcome, signalling};
use keyframe::KeyFrames;
use muonrtc::{
    DataChannel, DataChannelMessage, MediaKind, PeerConnection, PeerConnectionEvent,
    PeerConnectionState, RtpSender, TrackLocal, TrackRemote,
};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tracing::info;

const HELP: &str = "\
Receives a simulcast of three layers, and sends the one back that the page chooses.

Usage: cargo run --release --example simulcast -- [OPTIONS]

Options:
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

/// How often the page is told what arrives.
const REPORT: Duration = Duration::from_secs(1);
/// How long a key frame may take until it is asked for again.
const PATIENCE: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, serve).await
}

async fn serve(flags: Flags) -> Outcome {
    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, |connection| {
        let mirror = Arc::new(Mirror::new(&connection)?);
        for layer in 0..mirror.layers.len() {
            let mirror = Arc::clone(&mirror);
            examples::spawn(async move { mirror.forward(layer).await });
        }
        examples::spawn(follow(connection, mirror));
        Ok(())
    })
    .await
}

/// The picture that goes back.
#[derive(Debug)]
struct Mirror {
    /// In the order of the page's offer.
    layers: Vec<Layer>,
    /// What sends the picture back.
    sender: RtpSender,
    /// The layer that goes back.
    current: AtomicUsize,
    /// The layer that shall; the same, but while its key frame is on the way.
    wanted: AtomicUsize,
}

/// One size of the picture.
#[derive(Debug)]
struct Layer {
    /// Told apart from the others by its `rid` (RFC 8852).
    remote: TrackRemote,
    /// What comes is written to a track of its own. The sender has one of these tracks, and what
    /// is written to the others goes nowhere.
    local: TrackLocal,
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Mirror {
    /// Sends the first layer back in the section that the page offered.
    fn new(connection: &PeerConnection) -> Outcome<Self> {
        let section = connection.transceivers().into_iter().next();
        let section = section.ok_or("the offer has no video")?;
        let tracks = section.receiver().tracks().into_iter();
        let layers: Vec<Layer> = tracks
            .map(|remote| Layer {
                remote,
                local: TrackLocal::forwarding("mirror", MediaKind::Video),
                frames: AtomicU64::new(0),
                bytes: AtomicU64::new(0),
            })
            .collect();
        // `add_track` takes the section that is there, whose sender has nothing to send yet.
        let sender = connection.add_track(&layers[0].local, &["mirror"])?;
        Ok(Self {
            layers,
            sender,
            current: AtomicUsize::new(0),
            wanted: AtomicUsize::new(0),
        })
    }

    /// Chooses the layer that goes back. Its next key frame makes it so.
    fn choose(&self, rid: &str) {
        let mut layers = self.layers.iter();
        let Some(wanted) = layers.position(|layer| layer.remote.rid() == Some(rid)) else {
            return;
        };
        self.wanted.store(wanted, Ordering::Relaxed);
        self.layers[wanted].remote.request_keyframe();
    }

    /// Whether this layer shall go back, and does not yet.
    fn awaits(&self, layer: usize) -> bool {
        let [wanted, current] = [&self.wanted, &self.current].map(|at| at.load(Ordering::Relaxed));
        wanted == layer && current != layer
    }

    /// Carries the packets of a layer one way and requests for key frames the other.
    async fn forward(&self, at: usize) -> Outcome {
        let layer = &self.layers[at];
        let mut key_frames = KeyFrames::default();
        let mut again = tokio::time::interval(PATIENCE);
        loop {
            tokio::select! {
                packet = layer.remote.read_rtp() => {
                    let Some(packet) = packet else { return Ok(()) };
                    // Only a key frame can be decoded without what came before it.
                    if self.awaits(at) && key_frames.begin_with(&layer.remote, &packet) {
                        self.current.store(at, Ordering::Relaxed);
                        // SSRC and sequence numbers go on: for the browser it is one stream.
                        self.sender.replace_track(Some(&layer.local)).await?;
                        info!(rid = layer.remote.rid(), "switched");
                    }
                    // The last packet of a picture has the marker.
                    layer.frames.fetch_add(u64::from(packet.header.marker), Ordering::Relaxed);
                    layer.bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
                    layer.local.write_rtp(&packet);
                }
                () = layer.local.keyframe_requested() => layer.remote.request_keyframe(),
                _ = again.tick() => if self.awaits(at) { layer.remote.request_keyframe() },
            }
        }
    }

    /// What came in the last second, for the page.
    fn report(&self) -> String {
        let current = self.current.load(Ordering::Relaxed);
        let layers = self.layers.iter().enumerate().map(|(at, layer)| {
            json!({
                "rid": layer.remote.rid(),
                "frames": layer.frames.swap(0, Ordering::Relaxed),
                "bytes": layer.bytes.swap(0, Ordering::Relaxed),
                "current": at == current,
            })
        });
        json!(layers.collect::<Vec<_>>()).to_string()
    }
}

/// Follows the connection until it is over.
async fn follow(connection: PeerConnection, mirror: Arc<Mirror>) -> Outcome {
    while let Some(event) = connection.next_event().await {
        match event.kind {
            PeerConnectionEvent::DataChannel(channel) => {
                examples::spawn(talk(channel, Arc::clone(&mirror)));
            }
            PeerConnectionEvent::ConnectionStateChange(PeerConnectionState::Failed) => break,
            _ => {}
        }
    }
    connection.close();
    Ok(())
}

/// Takes the page's choices, each the `rid` of a layer, and tells it once a second what arrives.
async fn talk(channel: DataChannel, mirror: Arc<Mirror>) -> Outcome {
    let mut report = tokio::time::interval(REPORT);
    loop {
        tokio::select! {
            message = channel.recv() => match message {
                Some(DataChannelMessage::Text(rid)) => mirror.choose(&rid),
                Some(DataChannelMessage::Binary(_)) => {}
                None => return Ok(()),
            },
            _ = report.tick() => channel.send_text(&mirror.report()).await?,
        }
    }
}
