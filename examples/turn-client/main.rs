//! A TURN client: an address on a server that others can send to, used like a UDP socket.
//!
//! `cargo run --release --example turn-server -- --allow 127.0.0.0/8`, and beside it
//! `cargo run --release --example turn-client`.

use examples::{Flags, Outcome};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};
use turn::client::Config;
use turn::conn::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use turn::conn::rustls::{ClientConfig, RootCertStore};
use turn::conn::{Conn, ProxyAddress, ServerAddress};
use turn::proxy::Protocol;

const HELP: &str = "\
Asks a TURN server for an address, and sends datagrams through it, from a socket of this machine to the
client and back.

Usage: cargo run --release --example turn-client -- [OPTIONS]

Options:
  --server ADDRESS  address and port of the server [default: 127.0.0.1:3478]
  --over NAME       udp, tcp or tls [default: udp]
  --name NAME       the name in the server's certificate, for tls [default: localhost]
  --ca FILE         who has signed it, PEM, for tls
  --http ADDRESS    an HTTP proxy in front of the server, for tcp and tls
  --socks5 ADDRESS  a SOCKS5 proxy in front of the server, for tcp and tls
  --user NAME       the user name [default: alice]
  --password TEXT   the password [default: secret]
  --bind ADDRESS    the address of the socket that stands for a peer [default: 127.0.0.1]
  --rounds N        datagrams there and back, one by one [default: 1000]
  --help            print this and exit";

/// How long a datagram may be on its way; one that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// What each datagram holds.
const SIZE: usize = 1000;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, relay).await
}

async fn relay(flags: Flags) -> Outcome {
    let user: String = flags.value("--user", "alice".to_owned())?;
    let password: String = flags.value("--password", "secret".to_owned())?;
    let config = Config::new(crypto::Provider::default(), user, password);
    let conn = Conn::allocate(&server(&flags)?, config).await?;
    println!("the server sees us as {}", conn.mapped());
    println!("peers reach us at     {}", conn.relayed());

    // Any socket anywhere can be the peer; this one is here so that one program shows both ends.
    let peer = UdpSocket::bind((flags.value("--bind", Ipv4Addr::LOCALHOST)?, 0)).await?;
    conn.permit(peer.local_addr()?.ip()).await?;
    let rounds: u32 = flags.value("--rounds", 1000)?;
    let mut times = Vec::new();
    for round in 0..rounds {
        #[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
        let begun = Instant::now();
        if timeout(LOST_AFTER, there_and_back(&conn, &peer, round))
            .await
            .is_ok_and(|outcome| outcome.is_ok())
        {
            times.push(begun.elapsed());
        }
    }
    times.sort();
    println!("{} of {rounds} came back", times.len());
    if let Some(median) = times.get(times.len() / 2) {
        println!("median of the time there and back: {median:?}");
    }
    conn.close().await;
    Ok(())
}

/// From the peer to the relayed address and so to the client, and back by the same way.
async fn there_and_back(conn: &Conn, peer: &UdpSocket, round: u32) -> Outcome {
    let mut datagram = [0; SIZE];
    datagram[..4].copy_from_slice(&round.to_be_bytes());
    peer.send_to(&datagram, conn.relayed()).await?;
    let mut buf = [0; SIZE];
    loop {
        let (len, from) = conn.recv_from(&mut buf).await?;
        conn.send_to(&buf[..len], from).await?;
        let (len, _) = peer.recv_from(&mut buf).await?;
        // One that was given up comes late.
        if buf[..len] == datagram {
            return Ok(());
        }
    }
}

/// The server, and the way to it.
fn server(flags: &Flags) -> Outcome<ServerAddress> {
    let address: SocketAddr = flags.value("--server", (Ipv4Addr::LOCALHOST, 3478).into())?;
    let over: String = flags.value("--over", "udp".to_owned())?;
    let mut server = match over.as_str() {
        "udp" => ServerAddress::udp(address),
        "tcp" => ServerAddress::tcp(address),
        "tls" => {
            let name: String = flags.value("--name", "localhost".to_owned())?;
            ServerAddress::tls(address, ServerName::try_from(name)?, Arc::new(tls(flags)?))
        }
        other => return Err(format!("--over {other}: udp, tcp or tls").into()),
    };
    for (flag, protocol) in [("--http", Protocol::Http), ("--socks5", Protocol::Socks5)] {
        let proxy: String = flags.value(flag, String::new())?;
        if !proxy.is_empty() {
            server = server.through(ProxyAddress::new(proxy.parse()?, protocol));
        }
    }
    Ok(server)
}

fn tls(flags: &Flags) -> Outcome<ClientConfig> {
    let authority: String = flags.value("--ca", String::new())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots);
    Ok(config.with_no_client_auth())
}
