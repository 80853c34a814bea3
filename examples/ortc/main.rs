//! Transports put together by hand, in the manner of ORTC: no description, no peer connection.
//!
//! `cargo run --release --example ortc`; with `--with page`, then open <http://127.0.0.1:8080>.

mod server;

use bytes::Bytes;
use datachannel::{ChannelInit, Payload};
use examples::{Flags, Outcome, signalling};
use ice::conn::IceRole;
use rtp::{Header, Packet};
use server::media::Media;
use server::peer::{Peer, Session};
use std::process::ExitCode;

const HELP: &str = "\
Connects two ends that tell each other parameters of transports, and sends messages and RTP.

Usage: cargo run --release --example ortc -- [OPTIONS]

Options:
  --with NAME      the other end: itself, or page for that of a browser [default: itself]
  --rounds N       messages and packets there and back, one by one, with itself [default: 1000]
  --bind ADDRESS   the address of the page [default: 127.0.0.1]
  --port PORT      the port of the page, 0 for any free one [default: 8080]
  --help           print this and exit";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, ortc).await
}

async fn ortc(flags: Flags) -> Outcome {
    let with: String = flags.value("--with", "itself".to_owned())?;
    match with.as_str() {
        "itself" => both_ends(flags.value("--rounds", 1000)?).await,
        "page" => {
            let listener = signalling::listen(flags.address()?).await?;
            tokio::select! {
                served = axum::serve(listener, server::router()) => served?,
                interrupted = tokio::signal::ctrl_c() => interrupted?,
            }
            Ok(())
        }
        other => Err(format!("--with {other}: itself or page").into()),
    }
}

async fn both_ends(rounds: u16) -> Outcome {
    let near = Peer::gather(IceRole::Controlling).await?;
    let far = Peer::gather(IceRole::Controlled).await?;
    let (ours, theirs) = (near.parameters(), far.parameters());
    println!("{}", serde_json::to_string_pretty(&ours)?);
    let (near, far) = tokio::try_join!(near.start(&theirs, true), far.start(&ours, true))?;

    let echo = examples::spawn(server::reflect(far));
    chat(&near, rounds).await?;
    if let Some(media) = near.media {
        stream(media, rounds).await?;
    }
    echo.abort();
    Ok(())
}

/// Sends messages over a channel, and waits for each to come back.
async fn chat(session: &Session, rounds: u16) -> Outcome {
    let channel = session.channels.open(ChannelInit::new("chat"))?;
    for round in 0..rounds {
        let text = Bytes::from(format!("message {round}"));
        channel.send(Payload::Text, text.clone()).await?;
        if channel.recv().await != Some((Payload::Text, text)) {
            return Err(format!("message {round} did not come back").into());
        }
    }
    println!("{rounds} messages came back");
    Ok(())
}

/// What an `RTCRtpSender` and an `RTCRtpReceiver` are told by their parameters, and nobody negotiates.
const PAYLOAD_TYPE: u8 = 96;
const SSRC: u32 = 0x6d75_6f6e;
const TICKS: u32 = 3000;

/// Sends packets, and waits for each to come back.
async fn stream(mut media: Media, rounds: u16) -> Outcome {
    for sequence_number in 0..rounds {
        let header = Header {
            payload_type: PAYLOAD_TYPE,
            sequence_number,
            timestamp: u32::from(sequence_number) * TICKS,
            ssrc: SSRC,
            ..Header::default()
        };
        let packet = Packet::new(header, vec![7; 1000]);
        media.send(&packet).await?;
        if media.recv().await != Some(packet) {
            return Err(format!("packet {sequence_number} did not come back").into());
        }
    }
    println!("{rounds} packets came back");
    Ok(())
}
