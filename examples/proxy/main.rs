//! Through a proxy: a host that reaches the world through HTTP CONNECT or SOCKS 5 and nothing else.
//!
//! `cargo run --release --example proxy`.

mod gate;

use examples::{Flags, Outcome, firewall};
use ice::Factory;
use muonrtc::net::{Connector, Proxy, ProxyKind};
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, IceServer, IceTransportPolicy, PeerConnection,
    PeerConnectionEvent, SessionDescription, Stack,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use turn::conn::{Limits, Server};
use turn::server::{self, AddressRange, Relay, StaticCredentials};

const HELP: &str = "\
Connects a peer that has nothing but a proxy with one that has not, through a relay or straight to its
TCP port.

Usage: cargo run --release --example proxy -- [OPTIONS]

Options:
  --kind NAME      what the proxy speaks: http or socks5 [default: http]
  --proxy ADDRESS  the proxy [default: one of this program's own]
  --login TEXT     NAME:PASSWORD for it [default: none]
  --to NAME        what is behind it: relay, or peer for its TCP port [default: relay]
  --turn URL       the relay, such as turn:192.0.2.1?transport=tcp [default: one of this program's own]
  --user NAME      the user name for it [default: alice]
  --password TEXT  the password for it [default: secret]
  --rounds N       messages there and back, one by one [default: 1000]
  --help           print this and exit";

/// How long the connection may take.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, proxy).await
}

async fn proxy(flags: Flags) -> Outcome {
    let rounds: u32 = flags.value("--rounds", 1000)?;
    let to: String = flags.value("--to", "relay".to_owned())?;
    let mut configuration = Configuration::default();
    // It relays as long as it is held.
    let mut _own = None;
    match to.as_str() {
        "relay" => {
            let (server, own) = relay(&flags).await?;
            _own = own;
            configuration.ice_servers = vec![server];
            configuration.ice_transport_policy = IceTransportPolicy::Relay;
        }
        "peer" => {}
        other => return Err(format!("--to {other}: relay or peer").into()),
    }
    // This is all: every TCP connection of the peer goes through the proxy from here on.
    let mut connector = Connector::default();
    connector.proxy = Some(way_out(&flags).await?);
    let inside = PeerConnection::builder(configuration)
        .connector(connector)
        .build()?;
    let outside = outside()?;

    let channel = inside.create_data_channel("echo", None)?;
    let is_relayed = to == "relay";
    negotiate(&inside, &outside, is_relayed).await?;
    let echo = examples::spawn(serve(outside.clone()));
    if timeout(LIMIT, channel.opened()).await.is_err() {
        return Err(inside.connectivity_report().to_string().into());
    }
    if let Some(pair) = inside.selected_candidate_pair() {
        println!("from {}", pair.local.candidate());
        println!("to   {}", pair.remote.candidate());
    }
    ask(&channel, rounds).await?;
    for connection in [inside, outside] {
        connection.close();
        connection.closed().await;
    }
    echo.abort();
    Ok(())
}

/// The proxy, and how it is spoken to.
async fn way_out(flags: &Flags) -> Outcome<Proxy> {
    let name: String = flags.value("--kind", "http".to_owned())?;
    let kind = match name.as_str() {
        "http" => ProxyKind::Http,
        "socks5" => ProxyKind::Socks5,
        other => return Err(format!("--kind {other}: http or socks5").into()),
    };
    let address: String = flags.value("--proxy", String::new())?;
    let address = if address.is_empty() {
        gate::open().await?
    } else {
        address.parse()?
    };
    println!("the proxy is at {address} and speaks {name}");
    let login: String = flags.value("--login", String::new())?;
    let proxy = Proxy::new(kind, address);
    Ok(match login.split_once(':') {
        Some((name, password)) => proxy.with_credentials(name, password),
        None => proxy,
    })
}

/// The relay that was asked for, or one of our own.
async fn relay(flags: &Flags) -> Outcome<(IceServer, Option<Server>)> {
    let user: String = flags.value("--user", "alice".to_owned())?;
    let password: String = flags.value("--password", "secret".to_owned())?;
    let mut url: String = flags.value("--turn", String::new())?;
    let mut own = None;
    if url.is_empty() {
        let (address, server) = own_relay(&user, &password).await?;
        url = format!("turn:{address}?transport=tcp");
        own = Some(server);
    }
    println!("the relay is {url}");
    let mut server = IceServer::new(vec![url]);
    server.username = user;
    server.credential = password;
    Ok((server, own))
}

/// A TURN server that listens to nothing but TCP, and relays to this machine alone.
async fn own_relay(user: &str, password: &str) -> Outcome<(SocketAddr, Server)> {
    const REALM: &str = "example.org";
    let provider = crypto::Provider::default();
    let users = StaticCredentials::new(provider, REALM).with(user, password);
    let here = Ipv4Addr::LOCALHOST;
    let mut config = server::Config::new(provider, REALM, Arc::new(users), Relay::new(here.into()));
    config.peers.allowed = vec![AddressRange::new(here.into(), 8)];
    let listener = TcpListener::bind((here, 0)).await?;
    let address = listener.local_addr()?;
    let server = Server::new(config, Limits::default())?;
    server.listen_tcp(listener);
    Ok((address, server))
}

/// The peer without a proxy: it has a UDP port and a TCP port on loopback, where our relay is.
fn outside() -> Outcome<PeerConnection> {
    let mut agents = Factory::default();
    agents.include_loopback = true;
    agents.tcp_passive = true;
    let mut stack = Stack::default();
    stack.ice = Arc::new(agents);
    Ok(PeerConnection::with_stack(Configuration::default(), stack).build()?)
}

/// Exchanges descriptions. That no UDP goes between the two has to be played on one machine; with a
/// relay the policy sees to it.
async fn negotiate(inside: &PeerConnection, outside: &PeerConnection, is_relayed: bool) -> Outcome {
    inside.set_local_description(None).await?;
    inside.gathering_complete().await;
    let offer = told(inside, is_relayed)?;
    outside.set_remote_description(offer).await?;
    outside.set_local_description(None).await?;
    outside.gathering_complete().await;
    let answer = told(outside, is_relayed)?;
    inside.set_remote_description(answer).await?;
    Ok(())
}

fn told(connection: &PeerConnection, is_relayed: bool) -> Outcome<SessionDescription> {
    let description = connection.local_description().ok_or("not described")?;
    Ok(if is_relayed {
        description
    } else {
        firewall::without_udp(&description)
    })
}

/// Sends messages and waits for each to come back.
async fn ask(channel: &DataChannel, rounds: u32) -> Outcome {
    let mut times = Vec::new();
    for round in 0..rounds {
        #[expect(clippy::disallowed_methods, reason = "an example measures")]
        let begun = Instant::now();
        let text = format!("message {round}");
        channel.send_text(&text).await?;
        let back = channel.recv().await;
        if back != Some(DataChannelMessage::Text(text)) {
            return Err(format!("message {round} did not come back").into());
        }
        times.push(begun.elapsed());
    }
    times.sort();
    println!("{rounds} messages came back");
    if let Some(median) = times.get(times.len() / 2) {
        println!("median of the time there and back: {median:?}");
    }
    Ok(())
}

/// Echoes every channel.
async fn serve(connection: PeerConnection) -> Outcome {
    while let Some(event) = connection.next_event().await {
        let PeerConnectionEvent::DataChannel(channel) = event.kind else {
            continue;
        };
        while let Some(message) = channel.recv().await {
            if let DataChannelMessage::Text(text) = message {
                channel.send_text(&text).await?;
            }
        }
    }
    Ok(())
}
