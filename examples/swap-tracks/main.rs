//! One picture in the browser, which comes from another source every few seconds: without
//! negotiation, and always at a key frame.
//!
//! `cargo run --release --example swap-tracks`, then open <http://127.0.0.1:8080>.

use examples::playback::{Clip, play};
use examples::signalling::{self, next_track};
use examples::{Flags, Outcome, codec};
use media::Codec;
use muonrtc::rtp::Packet;
use muonrtc::rtp::payload::{Depacketizer, depacketizer};
use muonrtc::{MediaKind, PeerConnection, RtpSender, TrackLocal, TrackRemote};
use std::num::NonZeroU64;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep_until, timeout_at};

const HELP: &str = "\
Sends one picture back, in turn from the page's first track, its second one, and a file.

Usage: cargo run --release --example swap-tracks -- [OPTIONS]

Options:
  --seconds N      how long each source is shown [default: 5]
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clips/bars.vp8.ivf");
/// How often a key frame is asked for until it comes.
const REQUEST_INTERVAL: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, swap_tracks).await
}

async fn swap_tracks(flags: Flags) -> Outcome {
    let turn = Duration::from_secs(
        flags
            .value("--seconds", NonZeroU64::MIN.saturating_add(4))?
            .get(),
    );
    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, move |connection| {
        // A sender may change what it sends, but only among the codecs that were negotiated.
        codec::insist(&connection, Codec::Vp8)?;
        let live = TrackLocal::forwarding("live", MediaKind::Video);
        let sender = connection.add_track(&live, &["swapped"])?;
        examples::spawn(serve(connection, sender, live, turn));
        Ok(())
    })
    .await
}

/// Swaps for as long as the connection lasts.
async fn serve(
    connection: PeerConnection,
    sender: RtpSender,
    live: TrackLocal,
    turn: Duration,
) -> Outcome {
    let mut sources = Vec::new();
    while sources.len() < 2 {
        let Some(received) = next_track(&connection).await else {
            return Ok(());
        };
        sources.push(received.track);
    }
    tokio::select! {
        biased;
        () = signalling::over(&connection) => Ok(()),
        swapped = swap(&sender, &live, &sources, turn) => swapped,
    }
}

async fn swap(
    sender: &RtpSender,
    live: &TrackLocal,
    sources: &[TrackRemote],
    turn: Duration,
) -> Outcome {
    loop {
        // First way: the track stays, and packets of another source are written to it. The sender
        // sees their SSRC change and goes on with its own sequence numbers and timestamps.
        show_live(live, sources, turn).await;

        // Second way: another track takes the place of the first one (W3C `replaceTrack`). It begins
        // with a key frame, as all files do.
        println!("showing the file");
        let clips = Clip::open(CLIP)?;
        for clip in &clips {
            sender.replace_track(Some(clip.track())).await?;
        }
        tokio::select! {
            played = play(&clips) => played?,
            () = sleep_until(now() + turn) => {}
        }
        sender.replace_track(Some(live)).await?;
    }
}

/// Shows each of the sources for one turn.
async fn show_live(live: &TrackLocal, sources: &[TrackRemote], turn: Duration) {
    // What arrived while the file was shown is old.
    for source in sources {
        while source.try_read_rtp().is_some() {}
    }
    let mut shown: Option<&TrackRemote> = None;
    for (number, source) in sources.iter().enumerate() {
        swap_at_key_frame(live, shown, source).await;
        println!("showing track {} of the page", number + 1);
        shown = Some(source);
        let end = now() + turn;
        while let Ok(Some(packet)) = timeout_at(end, source.read_rtp()).await {
            live.write_rtp(&packet);
        }
    }
}

/// Forwards `before` until `after` has a key frame, which is then the first that is forwarded of it.
///
/// A picture that is not a key frame refers to others: a decoder that has seen those of another source
/// would show a mixture of both.
async fn swap_at_key_frame(live: &TrackLocal, before: Option<&TrackRemote>, after: &TrackRemote) {
    let mut ask = interval(REQUEST_INTERVAL);
    let vp8 = depacketizer("VP8");
    // What waits in the queue is older than the request.
    while after.try_read_rtp().is_some() {}
    loop {
        tokio::select! {
            _ = ask.tick() => after.request_keyframe(),
            packet = read(before) => match packet {
                Some(packet) => { live.write_rtp(&packet); }
                None => return,
            },
            packet = after.read_rtp() => match packet {
                Some(packet) => {
                    let begins = |format: &dyn Depacketizer| format.is_keyframe(&packet.payload);
                    if vp8.as_deref().is_some_and(begins) {
                        live.write_rtp(&packet);
                        return;
                    }
                }
                None => return,
            },
        }
    }
}

/// The next packet; waits for ever where there is no track.
async fn read(track: Option<&TrackRemote>) -> Option<Packet> {
    match track {
        Some(track) => track.read_rtp().await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
fn now() -> Instant {
    Instant::now()
}
