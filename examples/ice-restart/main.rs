//! Roams: ICE restarts again and again under a channel that never stops, and no message is lost.
//!
//! `cargo run --release --example ice-restart`.

use examples::{Flags, Outcome};
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, PeerConnection, PeerConnectionEvent,
};
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

const HELP: &str = "\
Restarts ICE again and again while numbered messages flow, and checks that none is missing.

Usage: cargo run --release --example ice-restart -- [OPTIONS]

Options:
  --restarts N     how often [default: 20]
  --pause MS       milliseconds between two restarts [default: 250]
  --help           print this and exit";

/// Between two messages.
const PACE: Duration = Duration::from_millis(1);

/// How long the new path may take.
const LIMIT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, ice_restart).await
}

#[expect(clippy::disallowed_methods, reason = "an application spawns")]
async fn ice_restart(flags: Flags) -> Outcome {
    let restarts: u32 = flags.value("--restarts", 20)?;
    let pause = Duration::from_millis(flags.value("--pause", 250)?);
    let near = PeerConnection::builder(Configuration::default()).build()?;
    let far = PeerConnection::builder(Configuration::default()).build()?;
    let channel = near.create_data_channel("numbers", None)?;
    negotiate(&near, &far).await?;
    channel.opened().await?;

    let counting = tokio::spawn(count(far.clone()));
    let sending = tokio::spawn(send(channel.clone()));
    let (tell, mut paths) = watch::channel(String::new());
    examples::spawn(follow(near.clone(), tell));
    for number in 1..=restarts {
        sleep(pause).await;
        paths.mark_unchanged();
        #[expect(clippy::disallowed_methods, reason = "an example measures")]
        let begun = Instant::now();
        // The next offer carries new credentials; data stays on the old path until there is a new one.
        near.restart_ice();
        negotiate(&near, &far).await?;
        timeout(LIMIT, paths.changed()).await??;
        let fragment = near.local_description().and_then(|it| fragment(it.sdp()));
        println!(
            "restart {number}: fragment {}, after {:.1?} to {}",
            fragment.unwrap_or_default(),
            begun.elapsed(),
            *paths.borrow()
        );
    }
    sleep(pause).await;
    sending.abort();
    channel.close();
    let received = counting.await??;
    println!("{received} messages through {restarts} restarts, every one in its place");
    near.close();
    far.close();
    near.closed().await;
    far.closed().await;
    Ok(())
}

/// An offer and its answer, with all candidates in them.
async fn negotiate(near: &PeerConnection, far: &PeerConnection) -> Outcome {
    near.set_local_description(None).await?;
    near.gathering_complete().await;
    let offer = near.local_description().ok_or("not described")?;
    far.set_remote_description(offer).await?;
    far.set_local_description(None).await?;
    far.gathering_complete().await;
    let answer = far.local_description().ok_or("not described")?;
    near.set_remote_description(answer).await?;
    Ok(())
}

/// Tells each path that is selected: a new generation brings one, even if it is the old one again.
async fn follow(connection: PeerConnection, paths: watch::Sender<String>) -> Outcome {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::SelectedCandidatePairChange(pair) = event.kind {
            paths.send_replace(pair.remote.candidate().to_owned());
        }
    }
    Ok(())
}

fn fragment(sdp: &str) -> Option<String> {
    let mut lines = sdp.lines();
    let found = lines.find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    found.map(str::to_owned)
}

/// Sends numbers from 0 up.
async fn send(channel: DataChannel) -> Outcome {
    for number in 0_u64.. {
        channel.send_text(&number.to_string()).await?;
        sleep(PACE).await;
    }
    Ok(())
}

/// Takes numbers until the channel closes; each has to be the one after the last.
async fn count(connection: PeerConnection) -> Outcome<u64> {
    let mut next = 0;
    while let Some(event) = connection.next_event().await {
        let PeerConnectionEvent::DataChannel(channel) = event.kind else {
            continue;
        };
        while let Some(message) = channel.recv().await {
            let DataChannelMessage::Text(text) = message else {
                return Err("a binary message".into());
            };
            if text.parse() != Ok(next) {
                return Err(format!("{text} came in the place of {next}").into());
            }
            next += 1;
        }
        break;
    }
    Ok(next)
}
