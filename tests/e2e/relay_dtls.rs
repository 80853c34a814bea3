//! TURN over DTLS (RFC 7350, RFC 8656 §2.1) over loopback sockets: connections that have no other way,
//! servers that are not who they should be, and servers that are none.

use crate::loopback::{connect, incoming_channel};
use crypto::Provider;
use layer::{Certificate, Dtls, DtlsConfig, DtlsEvent, DtlsRole, Fingerprint, HashAlgorithm};
use layer::{DtlsVersion, NewDtls, Start};
use muonrtc::{
    Configuration, DataChannelMessage, IceServer, IceTransportPolicy, PeerConnection,
    PeerConnectionEvent, PeerConnectionState, Stack,
};
use net::{Connector, TlsClient};
use peerconnection::{Endpoint, EndpointConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, SystemTime};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use turn::conn::{Conn, Limits, Server};
use turn::server::{self, AddressRange, Relay, StaticCredentials};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NAME: &str = "127.0.0.1";

/// RFC 8446 §6.
const BAD_CERTIFICATE: u16 = 42;

/// Everything here takes milliseconds but what waits for ICE's patience of ten seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A root and what it signs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self { issuer }
    }

    fn sign(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<dyn Certificate> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        dtls::Factory::default()
            .import_certificate(leaf.der(), &key.serialize_der())
            .unwrap()
    }

    /// A connector that trusts it.
    fn trusted(&self) -> Connector {
        let mut connector = Connector::default();
        connector.tls = Some(TlsClient::trusting([&self.issuer.der()[..]]).unwrap());
        connector
    }
}

/// Takes DTLS off, and hands what is in it to a TURN server over UDP, one socket for each client.
struct Front {
    address: SocketAddr,
    turn: Server,
    clients: Arc<AtomicUsize>,
    /// Has all sessions end.
    farewell: Arc<Notify>,
    /// The alerts that ended them.
    alerts: Arc<Mutex<Vec<u16>>>,
}

impl Front {
    async fn start(certificate: Arc<dyn Certificate>, version: DtlsVersion) -> Self {
        let users = StaticCredentials::new(Provider::default(), "e2e.example").with("alice", "pw");
        let relay = Relay::new(LOCALHOST);
        let mut config =
            server::Config::new(Provider::default(), "e2e.example", Arc::new(users), relay);
        config.peers.allowed = vec![AddressRange::new(LOCALHOST, 8)];
        let turn = Server::new(config, Limits::default()).unwrap();
        let plain = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
        let server = plain.local_addr().unwrap();
        turn.listen_udp(plain).unwrap();

        let socket = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let clients = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&clients);
        let farewell = Arc::<Notify>::default();
        let leaving = Arc::clone(&farewell);
        let alerts = Arc::<Mutex<Vec<u16>>>::default();
        let told = Arc::clone(&alerts);
        tokio::spawn(async move {
            let mut factory = dtls::Factory::default();
            factory.max_version = version;
            factory.verify_address = true;
            let socket = Arc::new(socket);
            let mut known = BTreeMap::new();
            let mut buf = [0; 2048];
            loop {
                let (len, client) = socket.recv_from(&mut buf).await.unwrap();
                let queue = known.entry(client).or_insert_with(|| {
                    let (queue, incoming) = tokio::sync::mpsc::channel(256);
                    let session = server_session(&factory, &certificate);
                    let ended = Ended(Arc::clone(&counter));
                    counter.fetch_add(1, Ordering::Relaxed);
                    let (socket, leaving) = (Arc::clone(&socket), Arc::clone(&leaving));
                    let told = Arc::clone(&told);
                    tokio::spawn(async move {
                        let alert =
                            serve(session, socket, client, server, incoming, &leaving).await;
                        told.lock().unwrap().extend(alert);
                        drop(ended);
                    });
                    queue
                });
                let _ = queue.try_send(buf[..len].to_vec());
            }
        });
        Self {
            address,
            turn,
            clients,
            farewell,
            alerts,
        }
    }

    fn url(&self, host: &str) -> String {
        format!("turns:{host}:{}?transport=udp", self.address.port())
    }

    fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }
}

/// Counts a client that has left.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn start() -> Start {
    let now = Instant::now().into_std();
    Start::new(now, SystemTime::now(), layer::Seed::new([7; 32]))
}

fn server_session(factory: &dtls::Factory, certificate: &Arc<dyn Certificate>) -> Box<dyn Dtls> {
    let mut config = DtlsConfig::new(Arc::clone(certificate), Waker::noop().clone());
    config.protocols = vec![b"stun.turn".to_vec()];
    let mut session = factory.new_dtls(start(), config).unwrap();
    let now = Instant::now().into_std();
    session.set_role(now, DtlsRole::Server).unwrap();
    session
}

/// One client: until it says goodbye, or why it does not.
async fn serve(
    mut session: Box<dyn Dtls>,
    socket: Arc<UdpSocket>,
    client: SocketAddr,
    server: SocketAddr,
    mut incoming: tokio::sync::mpsc::Receiver<Vec<u8>>,
    leaving: &Notify,
) -> Option<u16> {
    let plain = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    plain.connect(server).await.unwrap();
    let (mut buf, mut out) = ([0; 2048], [0; 2048]);
    loop {
        let now = Instant::now();
        if session
            .poll_timeout()
            .is_some_and(|at| at <= now.into_std())
        {
            session.handle_timeout(now.into_std());
        }
        // Who the client is the server of TURN asks.
        if let Some(leaf) = session.remote_certificates().first() {
            let hash = Provider::default().sha256.digest(leaf);
            let shown = Fingerprint::new(HashAlgorithm::Sha256, hash);
            session.set_remote_fingerprints(now.into_std(), shown.as_slice());
        }
        while let Some(len) = session.poll_transmit(now.into_std(), &mut out) {
            socket.send_to(&out[..len], client).await.unwrap();
        }
        while let Some(len) = session.poll_message(&mut out) {
            plain.send(&out[..len]).await.unwrap();
        }
        while let Some(event) = session.poll_event() {
            if let DtlsEvent::Ended(end) = event {
                return end.code;
            }
        }
        let wait = session.poll_timeout().map(Instant::from_std);
        let wait = wait.unwrap_or(now + Duration::from_secs(3600));
        tokio::select! {
            datagram = incoming.recv() => {
                let mut datagram = datagram?;
                let opened = session.handle_input(Instant::now().into_std(), &mut datagram);
                if let Some(range) = opened.plaintext {
                    plain.send(&datagram[range]).await.unwrap();
                }
            }
            received = plain.recv(&mut buf) => {
                let len = received.unwrap();
                let now = Instant::now().into_std();
                if let Ok(len) = session.seal_into(now, &buf[..len], &mut out) {
                    socket.send_to(&out[..len], client).await.unwrap();
                }
            }
            () = tokio::time::sleep_until(wait) => {}
            () = leaving.notified() => session.close(Instant::now().into_std()),
        }
    }
}

fn stack() -> Stack {
    let mut ice = ice::Factory::default();
    ice.include_loopback = true;
    ice.interface_filter = Some(ice::InterfaceFilter::new(|it| it.address == LOCALHOST));
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    stack
}

fn configuration(url: String) -> Configuration {
    let mut server = IceServer::default();
    server.urls = vec![url];
    server.username = "alice".to_owned();
    server.credential = "pw".to_owned();
    let mut configuration = Configuration::default();
    configuration.ice_servers = vec![server];
    configuration.ice_transport_policy = IceTransportPolicy::Relay;
    configuration
}

fn peer(url: String, connector: Connector) -> PeerConnection {
    peer_with(stack(), url, connector)
}

fn peer_with(stack: Stack, url: String, connector: Connector) -> PeerConnection {
    PeerConnection::with_stack(configuration(url), stack)
        .connector(connector)
        .build()
        .unwrap()
}

/// Data goes both ways, and at the end the server has nobody left.
async fn carries(front: &Front, alice: PeerConnection, bob: PeerConnection) {
    exchange(front, &alice, &bob).await;
    alice.close();
    bob.close();
    alice.closed().await;
    bob.closed().await;
    // The allocations are given back, and both have said goodbye.
    while front.clients() > 0 || front.turn.stats().machine.allocations > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn exchange(front: &Front, alice: &PeerConnection, bob: &PeerConnection) {
    let ours = alice.create_data_channel("chat", None).unwrap();
    connect(alice, bob).await;
    ours.opened().await.unwrap();
    let theirs = incoming_channel(bob).await;
    let large = bytes::Bytes::from(vec![7; 200_000]);
    for (one, other) in [(&ours, &theirs), (&theirs, &ours)] {
        one.send(large.clone()).await.unwrap();
        let message = other.recv().await;
        assert_eq!(message, Some(DataChannelMessage::Binary(large.clone())));
    }
    assert_eq!(front.clients(), 2);
    let stats = front.turn.stats().machine;
    assert_eq!((stats.malformed, stats.allocated), (0, 2));
    assert!(stats.packets_relayed > 50, "{stats:?}");
}

// turn-021
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_has_a_relay_over_dtls_for_its_only_way() {
    for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
        let authority = Authority::new();
        let front = Front::start(authority.sign(NAME, |_| ()), version).await;
        let peer = || peer(front.url(NAME), authority.trusted());
        timeout(LIMIT, carries(&front, peer(), peer()))
            .await
            .unwrap();
    }
}

/// Data goes both ways with another DTLS in the stack. One with tasks of its own has no time for a
/// goodbye.
#[cfg(feature = "swap")]
pub(crate) async fn carries_with(other: Stack) {
    let authority = Authority::new();
    let front = Front::start(authority.sign(NAME, |_| ()), DtlsVersion::V1_2).await;
    let peer = || {
        let mut stack = stack();
        stack.dtls = Arc::clone(&other.dtls);
        peer_with(stack, front.url(NAME), authority.trusted())
    };
    timeout(LIMIT, exchange(&front, &peer(), &peer()))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_known_by_its_name() {
    let authority = Authority::new();
    let front = Front::start(authority.sign("localhost", |_| ()), DtlsVersion::V1_3).await;
    let peer = || peer(front.url("localhost"), authority.trusted());
    timeout(LIMIT, carries(&front, peer(), peer()))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_an_endpoint_have_relays_over_dtls_too() {
    let authority = Authority::new();
    let front = Front::start(authority.sign(NAME, |_| ()), DtlsVersion::V1_3).await;
    let mut config = EndpointConfig::default();
    config.addresses = vec![LOCALHOST];
    config.connector = Arc::new(authority.trusted());
    let endpoint = Endpoint::bind(config).unwrap();
    let builder = endpoint.peer_connection_with_stack(configuration(front.url(NAME)), stack());
    let served = builder.build().unwrap();
    let alice = peer(front.url(NAME), authority.trusted());
    timeout(LIMIT, carries(&front, alice, served))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_goodbye_takes_the_relay_with_it() {
    let authority = Authority::new();
    let front = Front::start(authority.sign(NAME, |_| ()), DtlsVersion::V1_3).await;
    let (alice, bob) = (
        peer(front.url(NAME), authority.trusted()),
        peer(front.url(NAME), authority.trusted()),
    );
    let work = async {
        exchange(&front, &alice, &bob).await;
        front.farewell.notify_waiters();
        // There is no other way.
        while alice.connection_state() != PeerConnectionState::Failed {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(front.clients(), 0);
    };
    timeout(LIMIT, work).await.unwrap();
}

/// A UDP socket that is connected, as a path for DTLS.
struct Udp(UdpSocket);

impl layer::Datagrams for Udp {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(self.0.poll_recv(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        self.0.poll_send(cx, datagram).map_ok(|_| ())
    }
}

/// A DTLS session, as a path for TURN.
struct Secured(dtls::conn::Connection);

impl turn::conn::Datagrams for Secured {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        layer::Datagrams::poll_recv(&self.0, cx, buf)
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        layer::Datagrams::poll_send(&self.0, cx, datagram)
    }
}

/// The fronts alone: DTLS over a socket, TURN over DTLS, no connection around them.
#[tokio::test]
async fn the_front_of_turn_stands_on_the_front_of_dtls() {
    let authority = Authority::new();
    let certificate = authority.sign(NAME, |_| ());
    let front = Front::start(Arc::clone(&certificate), DtlsVersion::V1_3).await;
    let udp = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    udp.connect(front.address).await.unwrap();
    let factory = dtls::Factory::default();
    let provider = Provider::default();
    let start = dtls::conn::start(&provider).unwrap();
    let params = layer::CertificateParams::default();
    let own = factory.generate_certificate(start, &params).unwrap();
    let mut config = DtlsConfig::new(own, Waker::noop().clone());
    config.protocols = vec![b"stun.turn".to_vec()];
    let known = certificate.fingerprints();
    let role = DtlsRole::Client;
    let session =
        dtls::conn::Connection::spawn(Udp(udp), &factory, start, config, role, &known).unwrap();
    timeout(LIMIT, session.connected()).await.unwrap().unwrap();

    let config = turn::client::Config::new(provider, "alice", "pw");
    let conn = Conn::allocate_over(Secured(session), front.address, config);
    let conn = timeout(LIMIT, conn).await.unwrap().unwrap();
    let peer = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let address = peer.local_addr().unwrap();
    let echoed = async {
        let mut buf = [0; 1500];
        for length in (0..1100).step_by(100) {
            conn.send_to(&vec![7; length], address).await.unwrap();
            let (len, from) = peer.recv_from(&mut buf).await.unwrap();
            assert_eq!((len, from), (length, conn.relayed()));
            peer.send_to(&buf[..len], from).await.unwrap();
            let (len, from) = conn.recv_from(&mut buf).await.unwrap();
            assert_eq!((&buf[..len], from), (&vec![7; length][..], address));
        }
        conn.close().await;
        drop(conn);
        // With the allocation the session is gone.
        while front.clients() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, echoed).await.unwrap();
    assert_eq!(front.turn.stats().machine.allocations, 0);
}

/// Why there is no candidate.
async fn refusal(peer: &PeerConnection) -> String {
    let _channel = peer.create_data_channel("chat", None).unwrap();
    peer.set_local_description(None).await.unwrap();
    let gathered = async {
        peer.gathering_complete().await;
        loop {
            let event = peer.next_event().await.unwrap().kind;
            if let PeerConnectionEvent::IceCandidateError(error) = event {
                assert_eq!(error.code, 701);
                return error.text;
            }
        }
    };
    timeout(LIMIT, gathered).await.unwrap()
}

#[tokio::test]
async fn a_server_that_is_not_who_it_should_be_is_refused_with_the_reason() {
    let authority = Authority::new();
    let cases = [
        (
            authority.sign("198.51.100.7", |_| ()),
            authority.trusted(),
            "the certificate is not for 127.0.0.1",
        ),
        (
            authority.sign(NAME, |it| it.not_after = date_time_ymd(2001, 1, 1)),
            authority.trusted(),
            "the certificate has expired",
        ),
        (
            authority.sign(NAME, |_| ()),
            Connector::default(),
            "nothing says which servers to trust",
        ),
        (
            authority.sign(NAME, |_| ()),
            {
                let mut connector = Connector::default();
                connector.tls = Some(TlsClient::trusting([]).unwrap());
                connector
            },
            "nothing says which servers to trust",
        ),
    ];
    for (certificate, connector, reason) in cases {
        let front = Front::start(certificate, DtlsVersion::V1_3).await;
        let text = refusal(&peer(front.url(NAME), connector)).await;
        assert_eq!(text, format!("the server cannot be connected to: {reason}"));
        assert_eq!(front.turn.stats().machine.allocated, 0);
        // Where nobody is trusted nobody is asked; else the server hears that its certificate is bad.
        let is_asked = !reason.starts_with("nothing");
        while is_asked && front.alerts.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let heard: &[u16] = if is_asked { &[BAD_CERTIFICATE] } else { &[] };
        assert_eq!(*front.alerts.lock().unwrap(), heard);
    }
}

#[tokio::test]
async fn a_server_that_nobody_known_has_signed_is_refused() {
    let certificate = dtls::Factory::default()
        .generate_certificate(start(), &layer::CertificateParams::default())
        .unwrap();
    let front = Front::start(certificate, DtlsVersion::V1_2).await;
    let connector = Authority::new().trusted();
    let text = refusal(&peer(front.url(NAME), connector)).await;
    let reason = "the certificate is of an unknown issuer";
    assert_eq!(text, format!("the server cannot be connected to: {reason}"));
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_ends_gathering() {
    let silent = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("turns:127.0.0.1:{port}?transport=udp");
    let text = refusal(&peer(url, Authority::new().trusted())).await;
    assert_eq!(text, "the connection to the server takes too long");
    let mut buf = [0; 2048];
    let (_, from) = silent.recv_from(&mut buf).await.unwrap();
    let mut again = 0;
    while let Ok((_, client)) = silent.try_recv_from(&mut buf) {
        assert_eq!(client, from);
        again += 1;
    }
    assert!(again > 3, "it is asked again and again: {again}");
}

/// Sends noise to whoever sends to it, from its own address and from another one.
async fn babble(server: UdpSocket) {
    let stranger = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let mut buf = [0; 2048];
    loop {
        let (len, client) = server.recv_from(&mut buf).await.unwrap();
        let echo = buf[..len].to_vec();
        let mut changed = echo.clone();
        changed[len - 1] ^= 1;
        let alert = b"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\x02\x02\x28";
        let noise: [&[u8]; 7] = [
            &echo,
            &changed,
            &echo[..len / 2],
            b"",
            &[0x16; 64],
            &[0xff; 1400],
            b"\x01\x01\0\0\x21\x12\xa4\x42............",
        ];
        for noise in noise {
            server.send_to(noise, client).await.unwrap();
            stranger.send_to(noise, client).await.unwrap();
        }
        stranger.send_to(alert, client).await.unwrap();
    }
}

#[tokio::test]
async fn noise_in_place_of_a_handshake_ends_like_silence() {
    let server = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let port = server.local_addr().unwrap().port();
    let babbling = tokio::spawn(babble(server));
    let url = format!("turns:127.0.0.1:{port}?transport=udp");
    let text = refusal(&peer(url, Authority::new().trusted())).await;
    assert_eq!(text, "the connection to the server takes too long");
    babbling.abort();
}

/// Passes on what the server says, twice, among noise and what is almost the same.
async fn disturb(back: Arc<UdpSocket>, middle: Arc<UdpSocket>, client: SocketAddr) {
    let mut buf = [0; 2048];
    while let Ok(len) = back.recv(&mut buf).await {
        let mut changed = buf[..len].to_vec();
        changed[len / 2] ^= 0x10;
        for datagram in [&[0x17; 80], &buf[..len / 3], &buf[..len], &buf[..len]] {
            let _ = middle.send_to(datagram, client).await;
        }
        // A handshake has messages that nothing protects; those a stranger can spoil.
        if len > 100 {
            let _ = middle.send_to(&changed, client).await;
        }
    }
}

/// Strangers who know both addresses write to the client all the while: nothing comes of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_strangers_send_to_the_socket_changes_nothing() {
    let authority = Authority::new();
    let front = Front::start(authority.sign(NAME, |_| ()), DtlsVersion::V1_2).await;
    // In front of the front: everything is passed on, and noise is put in between.
    let middle = Arc::new(UdpSocket::bind((LOCALHOST, 0)).await.unwrap());
    let url = format!(
        "turns:127.0.0.1:{}?transport=udp",
        middle.local_addr().unwrap().port()
    );
    let server = front.address;
    let passing = tokio::spawn(async move {
        let mut backs: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
        let mut buf = [0; 2048];
        loop {
            let (len, client) = middle.recv_from(&mut buf).await.unwrap();
            let back = match backs.get(&client) {
                Some(back) => Arc::clone(back),
                None => {
                    let back = Arc::new(UdpSocket::bind((LOCALHOST, 0)).await.unwrap());
                    back.connect(server).await.unwrap();
                    tokio::spawn(disturb(Arc::clone(&back), Arc::clone(&middle), client));
                    backs.insert(client, Arc::clone(&back));
                    back
                }
            };
            let _ = back.send(&buf[..len]).await;
        }
    });
    let peer = || peer(url.clone(), authority.trusted());
    // A goodbye is said once, and may be lost where so much is said.
    timeout(LIMIT, exchange(&front, &peer(), &peer()))
        .await
        .unwrap();
    passing.abort();
}
