//! Names in the place of addresses: what a browser shows of a user who has not consented to more.
//!
//! `cargo run --release --example mdns`.

use examples::{Flags, Outcome, firewall};
use ice::Factory;
use muonrtc::net::{publish_local, resolve_local};
use muonrtc::{Configuration, PeerConnection, SessionDescription, Stack};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const HELP: &str = "\
Connects two peers that hide their addresses behind random names of multicast DNS, or asks for such a
name, or answers for one.

Usage: cargo run --release --example mdns -- [OPTIONS]

Options:
  --who NAME         who hides: both, offerer or answerer [default: both]
  --resolve NAME     ask for this name, such as printer.local, and do nothing else
  --publish NAME     answer for this name until Ctrl-C, and do nothing else
  --address ADDRESS  what to answer, with --publish
  --help             print this and exit";

/// How long the connection may take.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, mdns).await
}

async fn mdns(flags: Flags) -> Outcome {
    let asked: String = flags.value("--resolve", String::new())?;
    let answered: String = flags.value("--publish", String::new())?;
    match (asked.as_str(), answered.as_str()) {
        ("", "") => connect(&flags).await,
        (name, "") => resolve(name).await,
        (_, name) => publish(name, &flags).await,
    }
}

/// Two peers that find each other by name.
async fn connect(flags: &Flags) -> Outcome {
    let who: String = flags.value("--who", "both".to_owned())?;
    let (offerer, answerer) = match who.as_str() {
        "both" => (peer(true)?, peer(true)?),
        "offerer" => (peer(true)?, peer(false)?),
        "answerer" => (peer(false)?, peer(true)?),
        other => return Err(format!("--who {other}: both, offerer or answerer").into()),
    };
    let channel = offerer.create_data_channel("names", None)?;
    let started = now();
    let offer = describe(&offerer).await?;
    let mut names = show("offerer", &offer);
    answerer.set_remote_description(offer).await?;
    let answer = describe(&answerer).await?;
    names.append(&mut show("answerer", &answer));
    offerer.set_remote_description(answer).await?;
    if timeout(LIMIT, channel.opened()).await.is_err() {
        return Err(offerer.connectivity_report().to_string().into());
    }
    println!("the channel is open after {:.1?}", started.elapsed());
    if let Some(pair) = offerer.selected_candidate_pair() {
        println!("from {}", pair.local.candidate());
        println!("to   {}", pair.remote.candidate());
    }
    // Everybody on the link may ask, as long as the peers are there to answer.
    for name in names {
        resolve(&name).await?;
    }
    for connection in [offerer, answerer] {
        connection.close();
        connection.closed().await;
    }
    Ok(())
}

/// A peer that shows its addresses, or names in their place. It resolves names of others in either case.
fn peer(hides: bool) -> Outcome<PeerConnection> {
    let mut agents = Factory::default();
    agents.multicast_names = hides;
    let mut stack = Stack::default();
    stack.ice = Arc::new(agents);
    Ok(PeerConnection::with_stack(Configuration::default(), stack).build()?)
}

async fn describe(connection: &PeerConnection) -> Outcome<SessionDescription> {
    connection.set_local_description(None).await?;
    connection.gathering_complete().await;
    Ok(connection.local_description().ok_or("not described")?)
}

/// Prints what a peer tells of itself; returns the names.
fn show(who: &str, description: &SessionDescription) -> BTreeSet<String> {
    let lines = description.sdp().lines();
    let candidates = lines.filter(|line| firewall::is_candidate(line));
    let mut names = BTreeSet::new();
    for line in candidates {
        println!("{who:>8}: {line}");
        let address = line.split(' ').nth(4).unwrap_or_default();
        if address.ends_with(".local") {
            names.insert(address.to_owned());
        }
    }
    names
}

/// Asks everybody on the links of this host.
async fn resolve(name: &str) -> Outcome {
    let started = now();
    let found = resolve_local(name).await?;
    let found: Vec<String> = found.iter().map(IpAddr::to_string).collect();
    match found[..] {
        [] => println!("{name}: nobody answers"),
        _ => println!("{name} is {} ({:.1?})", found.join(", "), started.elapsed()),
    }
    Ok(())
}

/// Answers everybody on the links of this host.
async fn publish(name: &str, flags: &Flags) -> Outcome {
    let address: String = flags.value("--address", String::new())?;
    let address: IpAddr = address.parse().map_err(|_| "--publish wants --address")?;
    println!("{name} is {address}; Ctrl-C ends the program");
    tokio::select! {
        ended = publish_local(name, address) => match ended? {},
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

#[expect(clippy::disallowed_methods, reason = "an example measures")]
fn now() -> Instant {
    Instant::now()
}
