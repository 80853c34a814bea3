//! coturn on loopback: its server with our client, and its client, `turnutils_uclient`, with our
//! server.
//!
//! `MUON_INTEROP=skip` leaves these tests out, too.

use crypto::Provider;
use rcgen::{CertifiedKey, KeyPair};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use stun::{Builder, Class, Message, Method, TransactionId, XorMappedAddress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use turn::RequestedTransport;
use turn::client::{self, Failure};
use turn::conn::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use turn::conn::rustls::{ClientConfig, RootCertStore, ServerConfig};
use turn::conn::{AllocateError, Conn, Limits, PeerStream, Server, ServerAddress};
use turn::server::{self, AddressRange, Credentials, Relay, StaticCredentials, TurnRest};

const REALM: &str = "example.org";
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "secret";
const SHARED_SECRET: &str = "a secret between the servers";
const NAME: &str = "turn.example.org";

/// How long anything may take here.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

const LEAVE_OUT: &str = "to leave it out: `cargo xtask test --no-interop`, or MUON_INTEROP=skip";

/// Runs a test that needs coturn.
pub(crate) fn interop(test: impl Future<Output = ()>) {
    if std::env::var("MUON_INTEROP").is_ok_and(|wanted| wanted == "skip") {
        println!("left out: coturn (MUON_INTEROP=skip)");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async { timeout(LONG_ENOUGH, test).await.expect("it ends in time") });
}

/// One of coturn's programs.
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn missing(name: &str, error: &std::io::Error) -> ! {
    panic!("{name} is missing ({error}): apt-get install coturn; {LEAVE_OUT}")
}

/// coturn's server, stopped when dropped.
pub(crate) struct Coturn {
    pub(crate) address: SocketAddr,
    /// TLS over TCP, DTLS over UDP.
    pub(crate) tls: SocketAddr,
    pub(crate) identity: Identity,
    _process: Child,
    _scratch: Scratch,
}

impl Coturn {
    /// Starts it on loopback, with further options.
    pub(crate) async fn start(options: &[&str]) -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST, options).await
    }

    /// Starts it on an address of this host.
    async fn start_on(address: Ipv4Addr, options: &[&str]) -> Self {
        Self::start_as(Identity::self_signed(), address, options).await
    }

    /// Starts it with a certificate.
    async fn start_as(identity: Identity, address: Ipv4Addr, options: &[&str]) -> Self {
        let (port, tls_port) = (free_port().await, free_port().await);
        let scratch = Scratch::new(port);
        let (cert, key) = (scratch.file("cert.pem"), scratch.file("key.pem"));
        std::fs::write(&cert, &identity.chain).expect("the scratch folder is writable");
        std::fs::write(&key, &identity.key).expect("the scratch folder is writable");
        let process = program("turnserver")
            .args(["-n", "--no-cli", "--allow-loopback-peers"])
            .arg(format!("--listening-ip={address}"))
            .arg(format!("--relay-ip={address}"))
            .arg(format!("--realm={REALM}"))
            .arg(format!("--listening-port={port}"))
            .arg(format!("--tls-listening-port={tls_port}"))
            .arg(option("--cert", &cert))
            .arg(option("--pkey", &key))
            .arg(option("--userdb", &scratch.file("users")))
            .arg(option("--pidfile", &scratch.file("pid")))
            .arg(option("--log-file", &scratch.file("log")))
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = process.unwrap_or_else(|error| missing("turnserver", &error));
        let coturn = Self {
            address: (address, port).into(),
            tls: (address, tls_port).into(),
            identity,
            _process: process,
            _scratch: scratch,
        };
        coturn.ready().await;
        coturn
    }

    /// With one user.
    pub(crate) async fn with_user() -> Self {
        Self::with_user_on(Ipv4Addr::LOCALHOST).await
    }

    /// With one user, on an address of this host.
    pub(crate) async fn with_user_on(address: Ipv4Addr) -> Self {
        let user = format!("--user={USER}:{PASSWORD}");
        Self::start_on(address, &["--lt-cred-mech", &user]).await
    }

    /// With one user, and a certificate.
    pub(crate) async fn with_user_as(identity: Identity) -> Self {
        let user = format!("--user={USER}:{PASSWORD}");
        Self::start_as(identity, Ipv4Addr::LOCALHOST, &["--lt-cred-mech", &user]).await
    }

    /// Waits until it answers.
    async fn ready(&self) {
        while mapped(self.address).await.is_none() {
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn over_tls(&self) -> ServerAddress {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from(self.identity.root.clone());
        roots.add(root).expect("it is a certificate");
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(NAME).expect("it is a name");
        ServerAddress::tls(self.tls, name, Arc::new(config))
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

fn certificate() -> CertifiedKey<KeyPair> {
    let names = [NAME.to_owned(), Ipv4Addr::LOCALHOST.to_string()];
    rcgen::generate_simple_self_signed(names).expect("a certificate can be made")
}

/// What a server shows, and what a client has to trust for it.
pub(crate) struct Identity {
    /// PEM, the leaf first.
    pub(crate) chain: String,
    /// PEM.
    pub(crate) key: String,
    /// DER.
    pub(crate) root: Vec<u8>,
}

impl Identity {
    fn self_signed() -> Self {
        let made = certificate();
        Self {
            chain: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            root: made.cert.der().to_vec(),
        }
    }
}

/// A port that was free a moment ago, over TCP and UDP.
async fn free_port() -> u16 {
    loop {
        let any = Ipv4Addr::UNSPECIFIED;
        let listener = TcpListener::bind((any, 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        if UdpSocket::bind((any, port)).await.is_ok() {
            return port;
        }
    }
}

/// A folder of one server, removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(port: u16) -> Self {
        let name = format!("muon-coturn-{}-{port}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder is writable");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Our address as a STUN server sees it, and as the socket does, if it answers within a second.
async fn mapped(server: SocketAddr) -> Option<(SocketAddr, SocketAddr)> {
    let socket = UdpSocket::bind((server.ip(), 0)).await.expect("a port");
    socket.connect(server).await.expect("an address");
    let id = TransactionId(*b"of this test");
    let mut buf = [0; 1500];
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, id)
        .fingerprint()
        .finish()
        .expect("it has room");
    socket.send(&buf[..len]).await.ok()?;
    let received = timeout(Duration::from_secs(1), socket.recv(&mut buf)).await;
    let len = received.ok()?.ok()?;
    let message = Message::parse(&buf[..len]).expect("an answer");
    assert_eq!(
        (message.class(), message.transaction_id()),
        (Class::Success, id)
    );
    let XorMappedAddress(mapped) = message.attribute().expect("well formed")?;
    Some((mapped, socket.local_addr().expect("bound")))
}

fn client_config() -> client::Config {
    client::Config::new(Provider::default(), USER, PASSWORD)
}

/// Data goes both ways through an allocation: as Send and Data indications first, then over a
/// channel.
async fn relays(server: &ServerAddress, config: client::Config) {
    let conn = Conn::allocate(server, config).await.expect("an allocation");
    let peer = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let peer_address = peer.local_addr().expect("bound");
    let mut buf = [0; 2000];
    for length in (0..1200).step_by(37) {
        let datagram = vec![u8::try_from(length % 251).expect("small"); length];
        conn.send_to(&datagram, peer_address).await.expect("sent");
        let (len, from) = peer.recv_from(&mut buf).await.expect("relayed");
        assert_eq!((&buf[..len], from), (&datagram[..], conn.relayed()));
        peer.send_to(&buf[..len], from).await.expect("sent");
        let (len, from) = conn.recv_from(&mut buf).await.expect("relayed");
        assert_eq!((&buf[..len], from), (&datagram[..], peer_address));
    }
    // In a row, so that a stream carries several messages in one segment or record.
    for number in 0..40_u8 {
        conn.send_to(&[number; 300], peer_address)
            .await
            .expect("sent");
    }
    for _ in 0..40 {
        let (len, from) = peer.recv_from(&mut buf).await.expect("relayed");
        peer.send_to(&buf[..len], from).await.expect("sent");
    }
    for _ in 0..40 {
        let (len, _) = conn.recv_from(&mut buf).await.expect("relayed");
        assert_eq!(buf[..len], [buf[0]; 300]);
    }
    let stats = conn.stats();
    assert_eq!(
        (stats.malformed, stats.unauthenticated, stats.unmatched),
        (0, 0, 0)
    );
    conn.close().await;
}

// stun-019
#[test]
fn coturn_answers_our_binding_request() {
    interop(async {
        let coturn = Coturn::with_user().await;
        let (mapped, local) = mapped(coturn.address).await.expect("an answer");
        assert_eq!(mapped, local);
    });
}

// turn-021
#[test]
fn our_client_relays_through_coturn_over_udp() {
    interop(async {
        let coturn = Coturn::with_user().await;
        relays(&ServerAddress::udp(coturn.address), client_config()).await;
    });
}

// turn-021
#[test]
fn our_client_relays_through_coturn_over_tcp() {
    interop(async {
        let coturn = Coturn::with_user().await;
        relays(&ServerAddress::tcp(coturn.address), client_config()).await;
    });
}

// turn-021
#[test]
fn our_client_relays_through_coturn_over_tls() {
    interop(async {
        let coturn = Coturn::with_user().await;
        relays(&coturn.over_tls(), client_config()).await;
    });
}

// turn-039
#[test]
fn credentials_that_we_issue_are_accepted_by_coturn() {
    interop(async {
        let secret = format!("--static-auth-secret={SHARED_SECRET}");
        let coturn = Coturn::start(&["--use-auth-secret", &secret]).await;
        let provider = Provider::default();
        let expires = SystemTime::now() + Duration::from_secs(3600);
        let (name, password) = TurnRest::new(SHARED_SECRET).issue(&provider, USER, expires);
        let config = client::Config::new(provider, name, password);
        relays(&ServerAddress::udp(coturn.address), config).await;
    });
}

#[test]
fn coturn_refuses_a_wrong_password() {
    interop(async {
        let coturn = Coturn::with_user().await;
        let config = client::Config::new(Provider::default(), USER, "wrong");
        match Conn::allocate(&ServerAddress::udp(coturn.address), config).await {
            Err(AllocateError::Failed { failure, .. }) => {
                assert_eq!(failure, Failure::Unauthenticated);
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn coturn_refuses_more_allocations_than_a_user_may_have() {
    interop(async {
        let user = format!("--user={USER}:{PASSWORD}");
        let coturn = Coturn::start(&["--lt-cred-mech", &user, "--user-quota=1"]).await;
        let address = ServerAddress::udp(coturn.address);
        let first = Conn::allocate(&address, client_config()).await;
        let second = Conn::allocate(&address, client_config()).await;
        match second {
            Err(AllocateError::Failed { failure, .. }) => {
                assert_eq!(failure, Failure::AllocationQuotaReached);
            }
            other => panic!("{other:?}"),
        }
        first.expect("an allocation").close().await;
    });
}

#[test]
fn coturn_denies_a_peer() {
    interop(async {
        let user = format!("--user={USER}:{PASSWORD}");
        let denied = "--denied-peer-ip=198.51.100.0-198.51.100.255";
        let coturn = Coturn::start(&["--lt-cred-mech", &user, denied]).await;
        let address = ServerAddress::udp(coturn.address);
        let conn = Conn::allocate(&address, client_config())
            .await
            .expect("an allocation");
        let refused = conn
            .permit("198.51.100.7".parse().expect("an address"))
            .await;
        let refused = refused.expect_err("it is denied");
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        conn.close().await;
    });
}

// turn-022
#[test]
fn our_client_goes_where_coturn_sends_it() {
    interop(async {
        let second = Coturn::with_user().await;
        let alternate = format!("--alternate-server={}", second.address);
        let user = format!("--user={USER}:{PASSWORD}");
        let first = Coturn::start(&["--lt-cred-mech", &user, &alternate]).await;
        relays(&ServerAddress::udp(first.address), client_config()).await;
        relays(&ServerAddress::tcp(first.address), client_config()).await;
    });
}

// turn-020
#[test]
fn our_client_takes_the_new_nonces_of_coturn() {
    interop(async {
        let user = format!("--user={USER}:{PASSWORD}");
        let coturn = Coturn::start(&["--lt-cred-mech", &user, "--stale-nonce=1"]).await;
        let address = ServerAddress::udp(coturn.address);
        let conn = Conn::allocate(&address, client_config())
            .await
            .expect("an allocation");
        for last in 2..6 {
            sleep(Duration::from_millis(1100)).await;
            let peer = Ipv4Addr::new(127, 0, 0, last);
            conn.permit(peer.into()).await.expect("permitted");
        }
        assert!(conn.stats().stale_nonces > 0, "{:?}", conn.stats());
        conn.close().await;
    });
}

/// Our server.
pub(crate) struct Ours {
    server: Server,
    pub(crate) udp_and_tcp: SocketAddr,
    tls: SocketAddr,
}

impl Ours {
    /// Starts it on an address of this host, for peers around there.
    async fn start(local: Ipv4Addr, credentials: Arc<dyn Credentials>) -> Self {
        let relay = Relay::new(local.into());
        let mut config = server::Config::new(Provider::default(), REALM, credentials, relay);
        config.peers.allowed = vec![AddressRange::new(local.into(), 8)];
        // coturn's client chooses them as RFC 5766 had them.
        config.old_channel_numbers = true;
        config.tcp = true;
        let server = Server::new(config, Limits::default()).expect("random bytes");
        let port = free_port().await;
        let udp = UdpSocket::bind((local, port)).await.expect("a port");
        let udp_and_tcp = udp.local_addr().expect("bound");
        server.listen_udp(udp).expect("bound");
        let tcp = TcpListener::bind(udp_and_tcp).await.expect("a port");
        server.listen_tcp(tcp);
        let listener = TcpListener::bind((local, 0)).await.expect("a port");
        let tls = listener.local_addr().expect("bound");
        server.listen_tls(listener, tls_config());
        Self {
            server,
            udp_and_tcp,
            tls,
        }
    }

    async fn with_user() -> Self {
        Self::with_user_on(Ipv4Addr::LOCALHOST).await
    }

    /// With one user, on an address of this host.
    pub(crate) async fn with_user_on(address: Ipv4Addr) -> Self {
        let users = StaticCredentials::new(Provider::default(), REALM).with(USER, PASSWORD);
        Self::start(address, Arc::new(users)).await
    }

    /// Packets it has relayed, in both directions.
    pub(crate) fn packets_relayed(&self) -> u64 {
        self.server.stats().machine.packets_relayed
    }

    /// coturn's client sends through us; nothing may be lost.
    async fn serves(&self, server: SocketAddr, options: &[&str]) {
        let output = program("turnutils_uclient")
            .args(["-c", "-y", "-n", "20", "-m", "2", "-l", "171"])
            .args(options)
            .args(["-p", &server.port().to_string(), "127.0.0.1"])
            .output()
            .await;
        let output = output.unwrap_or_else(|error| missing("turnutils_uclient", &error));
        let said = String::from_utf8_lossy(&output.stdout);
        let stats = self.server.stats();
        let machine = stats.machine;
        println!("{said}\n{stats:?}");
        assert!(output.status.success(), "{}", output.status);
        assert!(
            said.contains("tot_send_msgs=40, tot_recv_msgs=40"),
            "all of it came"
        );
        assert!(machine.allocated >= 2 && machine.packets_relayed >= 80);
        assert_eq!(machine.malformed, 0);
        assert_eq!((stats.lost_to_clients, stats.lost_to_peers), (0, 0));
    }
}

fn tls_config() -> Arc<ServerConfig> {
    let certificate = certificate();
    let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key);
    Arc::new(config.expect("they belong together"))
}

const WITH_USER: [&str; 4] = ["-u", USER, "-w", PASSWORD];

#[test]
fn coturns_client_relays_through_our_server_over_udp() {
    interop(async {
        let ours = Ours::with_user().await;
        ours.serves(ours.udp_and_tcp, &WITH_USER).await;
    });
}

#[test]
fn coturns_client_relays_through_our_server_by_indications() {
    interop(async {
        let ours = Ours::with_user().await;
        let options = [&WITH_USER[..], &["-s"]].concat();
        ours.serves(ours.udp_and_tcp, &options).await;
    });
}

#[test]
fn coturns_client_relays_through_our_server_over_tcp() {
    interop(async {
        let ours = Ours::with_user().await;
        let options = [&WITH_USER[..], &["-t"]].concat();
        ours.serves(ours.udp_and_tcp, &options).await;
    });
}

#[test]
fn coturns_client_relays_through_our_server_over_tls() {
    interop(async {
        let ours = Ours::with_user().await;
        let options = [&WITH_USER[..], &["-t", "-S"]].concat();
        ours.serves(ours.tls, &options).await;
    });
}

// turn-038
#[test]
fn coturns_client_connects_with_peers_through_our_server() {
    interop(async {
        let ours = Ours::with_user().await;
        // With -P half of them are for nobody, through coturn's own server too.
        for (options, received) in [(&["-T"][..], 40), (&["-T", "-P"], 20)] {
            let options = [&WITH_USER[..], options].concat();
            let output = program("turnutils_uclient")
                .args(["-n", "20", "-m", "2", "-l", "171"])
                .args(options)
                .args(["-p", &ours.udp_and_tcp.port().to_string(), "127.0.0.1"])
                .output()
                .await;
            let output = output.unwrap_or_else(|error| missing("turnutils_uclient", &error));
            let said = String::from_utf8_lossy(&output.stdout);
            println!("{said}\n{:?}", ours.server.stats());
            assert!(output.status.success(), "{}", output.status);
            let counted = format!(
                "tot_send_msgs=40, tot_recv_msgs={received}
"
            );
            assert!(said.contains(&counted), "all of it came");
        }
    });
}

// turn-039
#[test]
fn credentials_that_coturn_issues_are_accepted_by_us() {
    interop(async {
        let rest = Arc::new(TurnRest::new(SHARED_SECRET));
        let ours = Ours::start(Ipv4Addr::LOCALHOST, rest).await;
        ours.serves(ours.udp_and_tcp, &["-u", USER, "-W", SHARED_SECRET])
            .await;
    });
}

#[test]
fn coturns_stun_client_is_answered_by_our_server() {
    interop(async {
        let ours = Ours::with_user().await;
        let port = ours.udp_and_tcp.port().to_string();
        let output = program("turnutils_stunclient")
            .args(["-p", &port, "127.0.0.1"])
            .output()
            .await;
        let output = output.unwrap_or_else(|error| missing("turnutils_stunclient", &error));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("UDP reflexive addr: 127.0.0.1:"), "{said}");
    });
}

// turn-038
#[test]
fn our_client_connects_with_peers_through_coturn_and_they_with_it() {
    interop(async {
        let coturn = Coturn::with_user().await;
        for server in [ServerAddress::tcp(coturn.address), coturn.over_tls()] {
            let mut config = client_config();
            config.requested_transport = RequestedTransport::TCP;
            let conn = Conn::allocate(&server, config)
                .await
                .expect("an allocation");

            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let peer = listener.local_addr().expect("bound");
            let (ours, theirs) = tokio::join!(conn.connect(peer), listener.accept());
            let (theirs, from) = theirs.expect("connected");
            assert_eq!(from, conn.relayed());
            speaks(ours.expect("connected"), theirs).await;

            conn.permit(peer.ip()).await.expect("permitted");
            let (ours, theirs) = tokio::join!(conn.accept(), TcpStream::connect(conn.relayed()));
            let (theirs, (ours, from)) = (theirs.expect("connected"), ours.expect("connected"));
            assert_eq!(from, theirs.local_addr().expect("connected"));
            speaks(ours, theirs).await;

            let nobody = listener.local_addr().expect("bound");
            drop(listener);
            let refused = conn.connect(nobody).await.expect_err("nobody listens");
            assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
            conn.close().await;
        }
    });
}

/// Bytes go both ways, more than any buffer holds.
async fn speaks(mut ours: PeerStream, mut theirs: TcpStream) {
    let sent: Vec<u8> = (0..300_000_u32).map(|it| it.to_be_bytes()[3]).collect();
    let echo = async {
        let (mut read, mut write) = theirs.split();
        tokio::io::copy(&mut read, &mut write)
            .await
            .expect("echoed");
    };
    let talk = async {
        let (mut read, mut write) = tokio::io::split(&mut ours);
        let mut received = vec![0; sent.len()];
        let (written, read) = tokio::join!(write.write_all(&sent), read.read_exact(&mut received));
        written.expect("sent");
        read.expect("received");
        assert!(received == sent);
    };
    tokio::select! {
        () = talk => {}
        () = echo => panic!("the echo ends first"),
    }
}
