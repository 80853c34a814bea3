//! End-to-end encryption through a forwarder that cannot read what it forwards.
//!
//! `cargo run --release --example encoded-transform`. Three peers in one process, two connections:
//!
//! ```text
//!   alice ── SRTP ── forwarder ── SRTP ── bob
//!     └────────── AES-GCM of our own ──────┘
//! ```
//!
//! SRTP ends at the forwarder, as it does at every SFU. So alice encrypts every payload before it
//! becomes SRTP, and bob decrypts it after, each in a stage of the pipeline that every packet passes.

mod frame;
mod stage;

use examples::playback::{Clip, play};
use examples::signalling::{connected, next_track};
use examples::{Flags, Outcome, codec};
use frame::Secret;
use media::Codec;
use muonrtc::rtp::Packet;
use muonrtc::rtp::payload::sample_builder::Config;
use muonrtc::rtp::payload::{SampleBuilder, depacketizer};
use muonrtc::{Configuration, MediaKind, PeerConnection, Stack, TrackLocal, TrackRemote};
use stage::{Counters, Decrypt, Encrypt};
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const HELP: &str = "\
Sends a clip through a forwarder to a peer, encrypted from end to end, and shows who can read what.

Usage: cargo run --release --example encoded-transform -- [OPTIONS]

Options:
  --seconds N      how long to send [default: 6]
  --help           print this and exit";

const VIDEO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clips/bars.vp8.ivf");
const AUDIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clips/tone.opus.ogg");
/// The forwarder changes a bit in one packet of so many.
const TAMPERED: u64 = 100;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, transform).await
}

async fn transform(flags: Flags) -> Outcome {
    let duration = Duration::from_secs(
        flags
            .value("--seconds", NonZeroU64::MIN.saturating_add(5))?
            .get(),
    );

    // Alice and bob have agreed on a secret, in some way that the forwarder has no part in.
    let secret = Secret::random()?;
    let counters = Arc::new(Counters::default());
    let mut stack = Stack::default();
    stack.stages.push(Arc::new(Encrypt::new(&secret)));
    let alice = PeerConnection::with_stack(Configuration::default(), stack).build()?;
    let mut stack = Stack::default();
    let decrypt = Decrypt::new(&secret, counters.clone());
    stack.stages.push(Arc::new(decrypt));
    let bob = PeerConnection::with_stack(Configuration::default(), stack).build()?;
    let (inward, outward) = (peer()?, peer()?);

    // The forwarder offers bob two tracks, whose packets will be alice's.
    let passed_on = [MediaKind::Video, MediaKind::Audio]
        .map(|kind| TrackLocal::forwarding(kind.to_string(), kind));
    for track in &passed_on {
        outward.add_track(track, &["alice"])?;
    }
    negotiate(&outward, &bob).await?;
    let bob_heard = Heard::follow(&bob, &[]).await?;

    // Alice offers hers to the forwarder.
    let mut clips = Clip::open(VIDEO)?;
    clips.extend(Clip::open(AUDIO)?);
    for clip in &clips {
        alice.add_track(clip.track(), &["alice"])?;
    }
    negotiate(&alice, &inward).await?;
    let forwarder_heard = Heard::follow(&inward, &passed_on).await?;

    if !(connected(&alice).await && connected(&outward).await) {
        return Err("the connections failed".into());
    }
    println!("alice sends to bob for {} s…", duration.as_secs());
    tokio::select! {
        played = play(&clips) => played?,
        () = tokio::time::sleep(duration) => {}
    }
    for connection in [alice, inward, outward, bob] {
        connection.close();
        connection.closed().await;
    }
    report(&forwarder_heard, &bob_heard, &counters)
}

fn peer() -> Outcome<PeerConnection> {
    Ok(PeerConnection::builder(Configuration::default()).build()?)
}

/// Offer and answer, with VP8 and Opus: what is encrypted is the payload of these two.
async fn negotiate(offerer: &PeerConnection, answerer: &PeerConnection) -> Outcome {
    offerer.set_local_description(None).await?;
    offerer.gathering_complete().await;
    let offer = offerer.local_description().ok_or("no offer")?;
    answerer.set_remote_description(offer).await?;
    codec::insist(answerer, Codec::Vp8)?;
    codec::insist(answerer, Codec::Opus)?;
    answerer.set_local_description(None).await?;
    answerer.gathering_complete().await;
    let answer = answerer.local_description().ok_or("no answer")?;
    Ok(offerer.set_remote_description(answer).await?)
}

/// What one peer could make of the packets that came to it.
#[derive(Debug, Default)]
struct Heard {
    packets: u64,
    tampered: u64,
    keyframes: u64,
    /// Frames that were put together of payloads as they are.
    frames: Vec<Vec<u8>>,
}

impl Heard {
    /// Reads both tracks of a connection to their end, and passes the packets on to those tracks of
    /// `onward` that are of the same kind.
    async fn follow(
        connection: &PeerConnection,
        onward: &[TrackLocal],
    ) -> Outcome<Arc<Mutex<Self>>> {
        let heard = Arc::new(Mutex::new(Self::default()));
        for _ in 0..2 {
            let received = next_track(connection)
                .await
                .ok_or("the connection closed")?;
            let same_kind = |track: &&TrackLocal| track.kind() == received.track.kind();
            let onward = onward.iter().find(same_kind).cloned();
            examples::spawn(read(received.track, onward, heard.clone()));
        }
        Ok(heard)
    }
}

async fn read(track: TrackRemote, onward: Option<TrackLocal>, heard: Arc<Mutex<Heard>>) -> Outcome {
    let codec = match track.kind() {
        MediaKind::Video => Codec::Vp8,
        MediaKind::Audio => Codec::Opus,
    };
    let (_, name) = codec.mime_type().split_once('/').unwrap_or_default();
    let format = depacketizer(name).ok_or("an unknown format")?;
    let mut builder = SampleBuilder::new(format, Config::new(codec.clock_rate()));
    while let Some(mut packet) = track.read_rtp().await {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.packets += 1;
        builder.push(packet.clone());
        while let Some(sample) = builder.pop() {
            heard.keyframes += u64::from(sample.keyframe && codec.is_video());
            heard.frames.push(sample.data.to_vec());
        }
        if let Some(onward) = &onward {
            if heard.packets.is_multiple_of(TAMPERED) {
                tamper(&mut packet);
                heard.tampered += 1;
            }
            onward.write_rtp(&packet);
        }
    }
    Ok(())
}

/// The forwarder is not honest: SRTP does not hinder it, for it has the keys of both sides.
fn tamper(packet: &mut Packet) {
    let mut payload = packet.payload.to_vec();
    let middle = payload.len() / 2;
    if let Some(byte) = payload.get_mut(middle) {
        *byte ^= 1;
    }
    packet.payload = payload.into();
}

/// Compares what came with what is in the files.
fn report(forwarder: &Mutex<Heard>, bob: &Mutex<Heard>, counters: &Counters) -> Outcome {
    let mut sent = BTreeSet::new();
    for file in [VIDEO, AUDIO] {
        let mut reader = media::open(file)?;
        while let Some(sample) = reader.read_sample()? {
            sent.insert(sample.data.to_vec());
        }
    }
    let forwarder = forwarder.lock().unwrap_or_else(PoisonError::into_inner);
    let bob = bob.lock().unwrap_or_else(PoisonError::into_inner);
    let readable = |heard: &Heard| {
        heard
            .frames
            .iter()
            .filter(|&frame| sent.contains(frame))
            .count()
    };
    let (forwarder_read, bob_read) = (readable(&forwarder), readable(&bob));
    println!(
        "the forwarder: {} packets, {} frames, of which it saw that {} are key frames",
        forwarder.packets,
        forwarder.frames.len(),
        forwarder.keyframes
    );
    println!("    frames that are those of the files: {forwarder_read}");
    println!("    packets that it changed: {}", forwarder.tampered);
    println!("bob: {} packets, {} frames", bob.packets, bob.frames.len());
    println!("    frames that are those of the files, byte for byte: {bob_read}");
    println!(
        "    packets that were not alice's, and dropped: {}",
        counters.refused()
    );
    let read_all = bob_read == bob.frames.len() && bob_read > 0;
    let refused_all = counters.refused() == forwarder.tampered;
    if !(forwarder_read == 0 && read_all && refused_all) {
        return Err("that is not how it should be".into());
    }
    Ok(())
}
