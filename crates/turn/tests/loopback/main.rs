//! The async front over the loopback interface: client and server, all carriers, proxies.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests of real sockets"
)]

mod path;
mod proxy;

use crypto::Provider;
use muonrtc_turn::RequestedTransport;
use muonrtc_turn::client::{self, Failure};
use muonrtc_turn::conn::{
    AllocateError, Conn, Limits, PeerStream, ProxyAddress, Server, ServerAddress,
};
use muonrtc_turn::proxy::{Login, Protocol};
use muonrtc_turn::server::{self, AddressRange, Relay, StaticCredentials};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

const REALM: &str = "example.org";
const LONG_ENOUGH: Duration = Duration::from_secs(20);

fn server_config() -> server::Config {
    let provider = Provider::default();
    let users = StaticCredentials::new(provider, REALM).with("alice", "secret");
    let local = "127.0.0.1".parse().unwrap();
    let relay = Relay::new(local);
    let mut config = server::Config::new(provider, REALM, Arc::new(users), relay);
    config.peers.allowed = vec![AddressRange::new(local, 8)];
    config
}

fn client_config() -> client::Config {
    client::Config::new(Provider::default(), "alice", "secret")
}

fn server() -> Server {
    Server::new(server_config(), Limits::default()).unwrap()
}

async fn udp(server: &Server) -> ServerAddress {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    server.listen_udp(socket).unwrap();
    ServerAddress::udp(address)
}

async fn tcp(server: &Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    server.listen_tcp(listener);
    address
}

/// Waits for something that no call tells.
async fn eventually(what: &str, done: impl Fn() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} never came about");
}

/// Data flows both ways between a relayed address and a plain socket, and the allocation ends.
async fn relays(server: &Server, address: &ServerAddress) {
    timeout(LONG_ENOUGH, async {
        let conn = Conn::allocate(address, client_config()).await.unwrap();
        assert_eq!(conn.mapped().ip().to_string(), "127.0.0.1");
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer_address = peer.local_addr().unwrap();
        let mut buf = [0; 2000];
        for number in 0..50_u8 {
            let datagram = vec![number; 20 * usize::from(number)];
            conn.send_to(&datagram, peer_address).await.unwrap();
            let (len, from) = peer.recv_from(&mut buf).await.unwrap();
            assert_eq!((&buf[..len], from), (&datagram[..], conn.relayed()));
            peer.send_to(&buf[..len], from).await.unwrap();
            let (len, from) = conn.recv_from(&mut buf).await.unwrap();
            assert_eq!((&buf[..len], from), (&datagram[..], peer_address));
        }
        assert_eq!(server.stats().machine.allocations, 1);
        conn.close().await;
        assert_eq!(server.stats().machine.allocations, 0);
        let gone = conn.recv_from(&mut buf).await.unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotConnected);
    })
    .await
    .unwrap();
    eventually("the end of the stream", || server.stats().streams == 0).await;
}

// turn-021
#[tokio::test]
async fn data_is_relayed_over_udp() {
    let server = server();
    let address = udp(&server).await;
    relays(&server, &address).await;
}

// turn-021
#[tokio::test]
async fn data_is_relayed_over_tcp() {
    let server = server();
    let address = ServerAddress::tcp(tcp(&server).await);
    relays(&server, &address).await;
}

#[tokio::test]
async fn data_is_relayed_through_an_http_proxy() {
    let server = server();
    let address = ServerAddress::tcp(tcp(&server).await);
    let through = proxy::http(None).await;
    let through = ProxyAddress::new(through, Protocol::Http);
    relays(&server, &address.through(through)).await;
}

#[tokio::test]
async fn data_is_relayed_through_a_socks5_proxy_that_wants_a_password() {
    let server = server();
    let address = ServerAddress::tcp(tcp(&server).await);
    let login = Login::new("bob", "pass");
    let mut through = ProxyAddress::new(proxy::socks5(Some(login.clone())).await, Protocol::Socks5);
    let refused = Conn::allocate(&address.clone().through(through.clone()), client_config()).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the server cannot be reached: the proxy does not accept the credentials"
    );
    through.login = Some(login);
    let by_name = address.through(through).by_name("localhost");
    relays(&server, &by_name).await;
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told() {
    let login = Login::new("bob", "pass");
    let through = proxy::http(Some(login)).await;
    let through = ProxyAddress::new(through, Protocol::Http);
    let address = ServerAddress::tcp("127.0.0.1:9".parse().unwrap()).through(through);
    let refused = Conn::allocate(&address, client_config()).await.unwrap_err();
    assert_eq!(
        refused.source().unwrap().to_string(),
        "the proxy does not accept the credentials"
    );
}

#[tokio::test]
async fn wrong_credentials_are_told() {
    let server = server();
    let address = udp(&server).await;
    let config = client::Config::new(Provider::default(), "alice", "wrong");
    match Conn::allocate(&address, config).await {
        Err(AllocateError::Failed { failure, phrase }) => {
            assert_eq!(failure, Failure::Unauthenticated);
            assert_eq!(phrase, "unauthenticated");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_denied_peer_is_told_and_others_go_on() {
    let server = server();
    let conn = Conn::allocate(&udp(&server).await, client_config())
        .await
        .unwrap();
    let denied = conn
        .send_to(b"x", "10.0.0.1:80".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(denied.to_string(), "the server forbids it");
    let family = conn.permit("::1".parse().unwrap()).await.unwrap_err();
    assert_eq!(family.kind(), io::ErrorKind::InvalidInput);
    conn.permit("127.0.0.2".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn dropping_the_last_handle_gives_the_allocation_back() {
    let server = server();
    let address = udp(&server).await;
    let conn = Conn::allocate(&address, client_config()).await.unwrap();
    let other = conn.clone();
    drop(conn);
    other.permit("127.0.0.2".parse().unwrap()).await.unwrap();
    drop(other);
    let gone = || server.stats().machine.allocations == 0;
    eventually("the end of the allocation", gone).await;
}

#[tokio::test]
async fn an_allocation_that_the_server_revokes_ends() {
    let server = server();
    let address = udp(&server).await;
    let conn = Conn::allocate(&address, client_config()).await.unwrap();
    let allocation = server.inspect(|it| it.allocations().next().unwrap().allocation);
    server.revoke(allocation);
    let gone = conn.permit("127.0.0.2".parse().unwrap()).await.unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::ConnectionAborted);
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_everything() {
    let server = server();
    let address = ServerAddress::tcp(tcp(&server).await);
    let conn = Conn::allocate(&address, client_config()).await.unwrap();
    drop(server);
    let ending = timeout(LONG_ENOUGH, conn.closed()).await.unwrap();
    assert_eq!(ending, client::Ending::Failed(Failure::ConnectionLost));
}

#[tokio::test]
async fn two_clients_of_one_server_reach_each_other_through_it() {
    let server = server();
    let (a, b) = (udp(&server).await, ServerAddress::tcp(tcp(&server).await));
    let a = Conn::allocate(&a, client_config()).await.unwrap();
    let b = Conn::allocate(&b, client_config()).await.unwrap();
    b.permit(a.relayed().ip()).await.unwrap();
    let mut buf = [0; 100];
    // The first datagram may come before the socket of the relay is known to be writable.
    let received = async {
        loop {
            a.send_to(b"hello", b.relayed()).await.unwrap();
            let received = timeout(Duration::from_millis(200), b.recv_from(&mut buf)).await;
            if let Ok(received) = received {
                return received.unwrap();
            }
        }
    };
    let (len, from) = timeout(LONG_ENOUGH, received).await.unwrap();
    assert_eq!((len, from), (5, a.relayed()));
}

#[tokio::test]
async fn hundreds_of_allocations_stand_beside_each_other() {
    let mut config = server_config();
    config.max_allocations_per_user = 500;
    let server = Server::new(config, Limits::default()).unwrap();
    let address = udp(&server).await;
    let mut conns = Vec::new();
    for _ in 0..300 {
        conns.push(Conn::allocate(&address, client_config()).await.unwrap());
    }
    assert_eq!(server.stats().machine.allocations, 300);
    let mut relayed: Vec<_> = conns.iter().map(Conn::relayed).collect();
    relayed.sort();
    relayed.dedup();
    assert_eq!(relayed.len(), 300);
}

#[cfg(feature = "tls")]
mod tls {
    use super::*;
    use muonrtc_turn::conn::ALPN_TURN;
    use muonrtc_turn::conn::rustls::pki_types::{PrivateKeyDer, ServerName};
    use muonrtc_turn::conn::rustls::{ClientConfig, RootCertStore, ServerConfig};

    /// A server with a certificate for one name, and how it is reached by another.
    async fn tls(server: &Server, name: &str) -> ServerAddress {
        let made = rcgen::generate_simple_self_signed(["turn.example.org".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        config.alpn_protocols = vec![ALPN_TURN.to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        server.listen_tls(listener, Arc::new(config));
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN_TURN.to_vec()];
        let name = ServerName::try_from(name.to_owned()).unwrap();
        ServerAddress::tls(address, name, Arc::new(config))
    }

    // turn-021, stun-045
    #[tokio::test]
    async fn data_is_relayed_over_tls() {
        let server = server();
        let address = tls(&server, "turn.example.org").await;
        relays(&server, &address).await;
    }

    #[tokio::test]
    async fn data_is_relayed_over_tls_through_an_http_proxy() {
        let server = server();
        let address = tls(&server, "turn.example.org").await;
        let login = Login::new("bob", "pass");
        let mut through = ProxyAddress::new(proxy::http(Some(login.clone())).await, Protocol::Http);
        through.login = Some(login);
        relays(&server, &address.through(through)).await;
    }

    // stun-044
    #[tokio::test]
    async fn a_server_with_the_certificate_of_another_hears_nothing() {
        let server = server();
        let address = tls(&server, "other.example.org").await;
        let refused = Conn::allocate(&address, client_config()).await;
        assert!(matches!(refused, Err(AllocateError::Io(_))), "{refused:?}");
        assert_eq!(server.stats().machine.challenges, 0);
        let closed = || server.stats().streams == 0;
        eventually("the end of the stream", closed).await;
        assert_eq!(server.stats().streams_malformed, 1);
    }
}

// turn-038
#[tokio::test]
async fn connections_with_peers_are_relayed_both_ways_and_end_with_the_allocation() {
    let mut config = server_config();
    config.tcp = true;
    let server = Server::new(config, Limits::default()).unwrap();
    let address = ServerAddress::tcp(tcp(&server).await);
    let mut config = client_config();
    config.requested_transport = RequestedTransport::TCP;
    let conn = Conn::allocate(&address, config).await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap();
    let (ours, theirs) = tokio::join!(conn.connect(peer), listener.accept());
    let (mut ours, (mut theirs, from)) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(from, conn.relayed());
    speak(&mut ours, &mut theirs).await;
    let again = conn.connect(peer).await.unwrap_err();
    assert_eq!(
        again.to_string(),
        "the relay has a connection with this peer"
    );

    // A stranger is turned away, who is permitted is let in.
    let mut stranger = TcpStream::connect(conn.relayed()).await.unwrap();
    assert_eq!(stranger.read(&mut [0; 1]).await.unwrap_or(0), 0);
    conn.permit(peer.ip()).await.unwrap();
    let (accepted, other) = tokio::join!(conn.accept(), TcpStream::connect(conn.relayed()));
    let ((mut accepted, from), mut other) = (accepted.unwrap(), other.unwrap());
    assert_eq!(from, other.local_addr().unwrap());
    speak(&mut accepted, &mut other).await;

    // What one side closes ends for the other.
    drop(accepted);
    assert_eq!(other.read(&mut [0; 1]).await.unwrap_or(0), 0);

    drop(listener);
    let refused = conn.connect(peer_that_is_gone().await).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    // And all of it ends with the allocation.
    conn.close().await;
    assert_eq!(ours.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(theirs.read(&mut [0; 1]).await.unwrap_or(0), 0);
    drop((ours, conn));
    eventually("the end of the streams", || server.stats().streams == 0).await;
}

async fn peer_that_is_gone() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// More bytes than buffers hold, and back.
async fn speak(ours: &mut PeerStream, theirs: &mut TcpStream) {
    let sent: Vec<u8> = (0..200_000_u32).map(|it| it.to_be_bytes()[3]).collect();
    let mut received = vec![0; sent.len()];
    let (written, read) = tokio::join!(ours.write_all(&sent), theirs.read_exact(&mut received));
    written.unwrap();
    read.unwrap();
    assert!(received == sent);
    received.fill(0);
    let (written, read) = tokio::join!(theirs.write_all(&sent), ours.read_exact(&mut received));
    written.unwrap();
    read.unwrap();
    assert!(received == sent);
}
