//! Two peers between which no UDP goes: one listens on TCP, the other connects.
//!
//! `cargo run --release --example ice-tcp`.

use examples::{Flags, Outcome, firewall};
use ice::Factory;
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, PeerConnection, PeerConnectionEvent,
    SessionDescription, Stack,
};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

const HELP: &str = "\
Connects two peers over TCP alone, as behind a firewall that lets no UDP through, and measures.

Usage: cargo run --release --example ice-tcp -- [OPTIONS]

Options:
  --listen PORT    the TCP port of the passive peer, 0 for any free one [default: 0]
  --megabytes N    how much is sent through [default: 100]
  --help           print this and exit";

/// The size of a message.
const MESSAGE: usize = 64 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, ice_tcp).await
}

async fn ice_tcp(flags: Flags) -> Outcome {
    let port: u16 = flags.value("--listen", 0)?;
    let megabytes: usize = flags.value("--megabytes", 100)?;
    // What Chromium and this agent do without being asked: open connections, accept none.
    let active = PeerConnection::builder(Configuration::default()).build()?;
    let passive = passive(port)?;

    let channel = active.create_data_channel("bulk", None)?;
    let started = now();
    active.set_local_description(None).await?;
    active.gathering_complete().await;
    passive.set_remote_description(told(&active)?).await?;
    passive.set_local_description(None).await?;
    passive.gathering_complete().await;
    let answer = told(&passive)?;
    let candidates = answer.sdp().lines();
    for line in candidates.filter(|line| firewall::is_candidate(line)) {
        println!("the passive peer offers  {line}");
    }
    active.set_remote_description(answer).await?;
    channel.opened().await?;
    println!("open after {:?}", started.elapsed());
    if let Some(pair) = active.selected_candidate_pair() {
        println!("from {}", pair.local.candidate());
        println!("to   {}", pair.remote.candidate());
    }

    let started = now();
    let receiving = incoming(&passive, megabytes << 20);
    let (sent, received) = tokio::join!(send(&channel, megabytes << 20), receiving);
    sent?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{received} bytes in {seconds:.2} s");
    active.close();
    passive.close();
    active.closed().await;
    passive.closed().await;
    Ok(())
}

/// A peer that listens.
fn passive(port: u16) -> Outcome<PeerConnection> {
    let mut agents = Factory::default();
    agents.tcp_passive = true;
    if port != 0 {
        agents.tcp_ports = Some((port, port));
    }
    let mut stack = Stack::default();
    stack.ice = Arc::new(agents);
    Ok(PeerConnection::with_stack(Configuration::default(), stack).build()?)
}

/// What the peer would learn through a firewall that lets no UDP through.
fn told(connection: &PeerConnection) -> Outcome<SessionDescription> {
    let description = connection.local_description().ok_or("not described")?;
    Ok(firewall::without_udp(&description))
}

async fn send(channel: &DataChannel, bytes: usize) -> Outcome {
    let message = bytes::Bytes::from(vec![7; MESSAGE]);
    for _ in 0..bytes / MESSAGE {
        channel.send(message.clone()).await?;
    }
    Ok(())
}

/// Counts what comes in, until all has.
async fn incoming(connection: &PeerConnection, bytes: usize) -> usize {
    let mut received = 0;
    while let Some(event) = connection.next_event().await {
        let PeerConnectionEvent::DataChannel(channel) = event.kind else {
            continue;
        };
        while received < bytes / MESSAGE * MESSAGE {
            let Some(message) = channel.recv().await else {
                break;
            };
            received += match message {
                DataChannelMessage::Binary(data) => data.len(),
                DataChannelMessage::Text(text) => text.len(),
            };
        }
        break;
    }
    received
}

#[expect(clippy::disallowed_methods, reason = "an example measures")]
fn now() -> Instant {
    Instant::now()
}
