//! A TURN server: users with passwords or credentials issued for a time, over UDP, TCP and TLS, with
//! quotas, ranges of peers, and metrics.
//!
//! `cargo run --release --example turn-server`, and `--example turn-client` beside it.

mod metrics;

use examples::{Flags, Outcome};
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, UdpSocket};
use turn::conn::rustls::ServerConfig;
use turn::conn::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use turn::conn::{ALPN_TURN, Limits, Server};
use turn::server::{AddressRange, Config, Credentials, Relay, StaticCredentials, TurnRest};

const HELP: &str = "\
Relays UDP for clients that cannot be reached otherwise (TURN, RFC 8656), and tells clients their
address (STUN).

Usage: cargo run --release --example turn-server -- [OPTIONS]

Options:
  --bind ADDRESS       the address to listen on and to relay with [default: 127.0.0.1]
  --advertise ADDRESS  the address that clients are told, where a NAT maps it one to one [default: --bind]
  --port PORT          for UDP and TCP [default: 3478]
  --tls-port PORT      for TLS, with --cert and --key [default: 5349]
  --cert FILE          the certificate and its chain, PEM
  --key FILE           its private key, PEM
  --realm NAME         the domain of the credentials [default: example.org]
  --users LIST         NAME:PASSWORD,… [default: alice:secret]
  --secret TEXT        in place of --users: accept credentials that are issued with this secret
  --allow LIST         ADDRESS/BITS,… of peers, beside all public addresses
  --deny LIST          ADDRESS/BITS,… of peers, whatever else is said
  --quota N            allocations of one user [default: 100]
  --allocations N      allocations in all [default: 10000]
  --metrics PORT       serve metrics on this port of 127.0.0.1, 0 for none [default: 9641]
  --help               print this and exit";

/// How long the credentials are valid that the program prints.
const VALIDITY: Duration = Duration::from_secs(24 * 3600);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, serve).await
}

async fn serve(flags: Flags) -> Outcome {
    let address = flags.value("--bind", IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let server = Server::new(config(&flags, address)?, Limits::default())?;

    let port: u16 = flags.value("--port", 3478)?;
    let udp = UdpSocket::bind((address, port)).await?;
    let bound = udp.local_addr()?;
    server.listen_udp(udp)?;
    server.listen_tcp(TcpListener::bind(bound).await?);
    println!("turn:{bound} over UDP and TCP");
    if let Some(tls) = tls(&flags)? {
        let listener = TcpListener::bind((address, flags.value("--tls-port", 5349)?)).await?;
        println!("turns:{} over TLS", listener.local_addr()?);
        server.listen_tls(listener, Arc::new(tls));
    }
    match flags.value("--metrics", 9641)? {
        0 => std::future::pending().await,
        port => metrics::serve(server, port).await,
    }
}

/// Who may use the server, how much of it, and with which peers.
fn config(flags: &Flags, address: IpAddr) -> Outcome<Config> {
    let provider = crypto::Provider::default();
    let realm: String = flags.value("--realm", "example.org".to_owned())?;
    let secret: String = flags.value("--secret", String::new())?;
    let credentials: Arc<dyn Credentials> = if secret.is_empty() {
        let listed: String = flags.value("--users", "alice:secret".to_owned())?;
        let mut users = StaticCredentials::new(provider, &realm);
        for user in listed.split(',') {
            let (name, password) = user.split_once(':').ok_or("--users wants NAME:PASSWORD")?;
            users = users.with(name, password);
        }
        Arc::new(users)
    } else {
        let rest = TurnRest::new(secret);
        // A web service that knows the secret hands such a pair to every visitor.
        #[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
        let expires = SystemTime::now() + VALIDITY;
        let (name, password) = rest.issue(&provider, "alice", expires);
        println!("for a day: user name {name}, password {password}");
        Arc::new(rest)
    };
    let relay = Relay::behind_nat(address, flags.value("--advertise", address)?);
    let mut config = Config::new(provider, realm, credentials, relay);
    config.peers.allowed = ranges(&flags.value("--allow", String::new())?)?;
    config.peers.denied = ranges(&flags.value("--deny", String::new())?)?;
    config.max_allocations_per_user = flags.value("--quota", config.max_allocations_per_user)?;
    config.max_allocations = flags.value("--allocations", config.max_allocations)?;
    // Clients that were written for RFC 5766 choose them.
    config.old_channel_numbers = true;
    Ok(config)
}

/// `10.0.0.0/8,192.0.2.1/32`
fn ranges(list: &str) -> Outcome<Vec<AddressRange>> {
    let ranges = list.split(',').filter(|range| !range.is_empty());
    ranges
        .map(|range| {
            let (address, bits) = range.split_once('/').ok_or("a range is ADDRESS/BITS")?;
            Ok(AddressRange::new(address.parse()?, bits.parse()?))
        })
        .collect()
}

fn tls(flags: &Flags) -> Outcome<Option<ServerConfig>> {
    let certificate: String = flags.value("--cert", String::new())?;
    let key: String = flags.value("--key", String::new())?;
    if certificate.is_empty() && key.is_empty() {
        return Ok(None);
    }
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN_TURN.to_vec()];
    Ok(Some(config))
}
