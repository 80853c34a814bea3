//! Streams of packets over loopback.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use muonrtc_net::{
    Connector, Framing, MAX_WRITE_QUEUE, PacketListener, PacketStream, Proxy, ProxyError,
    ProxyKind, StreamBuffer, Target,
};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn connect(connector: &Connector, remote: SocketAddr) -> io::Result<PacketStream> {
    let target = Target::new(any(), remote, Framing::Length);
    connector.connect(target).await
}

async fn accept(listener: &PacketListener) -> PacketStream {
    poll_fn(|cx| listener.poll_accept(cx)).await.unwrap()
}

/// The next packets that are whole.
async fn receive(stream: &mut PacketStream) -> io::Result<Vec<Vec<u8>>> {
    let mut buffer = StreamBuffer::new();
    let received = async {
        loop {
            if poll_fn(|cx| stream.poll_recv(cx, &mut buffer)).await? > 0 {
                return Ok(buffer.packets().map(|packet| packet.to_vec()).collect());
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), received)
        .await
        .expect("something arrives")
}

async fn send(stream: &mut PacketStream, bytes: &[u8], segment_size: Option<usize>) -> bool {
    poll_fn(|cx| Poll::Ready(stream.send(cx, bytes, segment_size)))
        .await
        .unwrap()
}

#[tokio::test]
async fn packets_and_runs_arrive_as_they_were_sent_both_ways() {
    let listener = PacketListener::bind(any()).unwrap();
    let mut near = connect(&Connector::default(), listener.local_addr())
        .await
        .unwrap();
    let mut far = accept(&listener).await;
    assert_eq!(far.remote_addr(), near.local_addr());
    assert!(send(&mut near, &[1; 1200], None).await);
    assert!(send(&mut near, &[2; 2500], Some(1000)).await);
    let mut lengths = Vec::new();
    while lengths.len() < 4 {
        let packets = receive(&mut far).await.unwrap();
        lengths.extend(packets.iter().map(Vec::len));
    }
    assert_eq!(lengths, [1200, 1000, 1000, 500]);
    assert!(send(&mut far, b"back", None).await);
    assert_eq!(receive(&mut near).await.unwrap(), [b"back"]);
    drop(near);
    let end = receive(&mut far).await.unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
}

/// ice-tcp: RFC 4571 lets a frame come in any pieces.
#[tokio::test]
async fn a_packet_that_comes_byte_by_byte_is_whole_in_the_end() {
    let listener = PacketListener::bind(any()).unwrap();
    let mut raw = TcpStream::connect(listener.local_addr()).await.unwrap();
    raw.set_nodelay(true).unwrap();
    let mut stream = accept(&listener).await;
    let receiving = tokio::spawn(async move { receive(&mut stream).await });
    for byte in b"\x00\x00\x00\x05slow!" {
        raw.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(receiving.await.unwrap().unwrap(), [b"slow!"]);
}

#[tokio::test]
async fn a_stranger_who_announces_too_long_a_packet_is_not_waited_for() {
    let listener = PacketListener::bind(any()).unwrap();
    let mut raw = TcpStream::connect(listener.local_addr()).await.unwrap();
    let mut stream = accept(&listener).await;
    raw.write_all(b"\xff\xffGET / HTTP/1.1").await.unwrap();
    let end = receive(&mut stream).await.unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn what_a_peer_does_not_take_waits_within_a_bound_and_what_is_beyond_is_dropped() {
    let listener = PacketListener::bind(any()).unwrap();
    let mut near = connect(&Connector::default(), listener.local_addr())
        .await
        .unwrap();
    let mut far = accept(&listener).await;
    let mut sent = 0_u32;
    while send(
        &mut near,
        &[&sent.to_be_bytes()[..], &[7; 1196]].concat(),
        None,
    )
    .await
    {
        sent += 1;
        assert!(near.queued() <= MAX_WRITE_QUEUE);
        assert!(
            sent < 100_000,
            "a peer that takes nothing fills what there is"
        );
    }
    assert_eq!(near.dropped(), 1);
    // What was taken arrives whole and in order, as the peer reads and the queue is flushed.
    let flushing = tokio::spawn(async move {
        poll_fn(|cx| near.poll_flush(cx)).await.unwrap();
        near
    });
    let mut next = 0_u32;
    while next < sent {
        for packet in receive(&mut far).await.unwrap() {
            assert_eq!(packet[..4], next.to_be_bytes());
            next += 1;
        }
    }
    assert_eq!(flushing.await.unwrap().queued(), 0);
}

#[tokio::test]
async fn several_listeners_share_a_port_where_the_system_can() {
    if !muonrtc_net::can_share_ports() {
        println!("left out: ports cannot be shared here");
        return;
    }
    let one = PacketListener::bind_shared(any()).unwrap();
    let other = PacketListener::bind_shared(one.local_addr()).unwrap();
    assert_eq!(one.local_addr(), other.local_addr());
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(TcpStream::connect(one.local_addr()).await.unwrap());
    }
    let mut accepted = 0;
    while accepted < streams.len() {
        poll_fn(|cx| {
            let one = one.poll_accept(cx).is_ready();
            let other = other.poll_accept(cx).is_ready();
            accepted += usize::from(one) + usize::from(other);
            if one || other {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// A proxy that expects `request`, answers with `answer`, and then is a tunnel to `target`; with no
/// target it hangs up.
async fn proxy(exchanges: Vec<(Vec<u8>, Vec<u8>)>, target: Option<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind(any()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        for (request, answer) in exchanges {
            let mut seen = vec![0; request.len()];
            client.read_exact(&mut seen).await.unwrap();
            assert_eq!(seen, request, "{}", String::from_utf8_lossy(&seen));
            client.write_all(&answer).await.unwrap();
        }
        if let Some(target) = target {
            let mut server = TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    address
}

async fn echo_through(proxy: Proxy, listener: &PacketListener) {
    let mut connector = Connector::default();
    connector.proxy = Some(proxy);
    let mut near = connect(&connector, listener.local_addr()).await.unwrap();
    assert_eq!(near.remote_addr(), listener.local_addr());
    let mut far = accept(listener).await;
    assert!(send(&mut near, b"through", None).await);
    assert_eq!(receive(&mut far).await.unwrap(), [b"through"]);
    assert!(send(&mut far, b"and back", None).await);
    assert_eq!(receive(&mut near).await.unwrap(), [b"and back"]);
}

#[tokio::test]
async fn an_http_proxy_is_asked_to_connect() {
    let listener = PacketListener::bind(any()).unwrap();
    let target = listener.local_addr();
    let plain = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").into_bytes();
    let granted = b"HTTP/1.1 200 OK\r\nVia: test\r\n\r\n".to_vec();
    let address = proxy(vec![(plain, granted.clone())], Some(target)).await;
    echo_through(Proxy::new(ProxyKind::Http, address), &listener).await;

    // RFC 7617 §2: its own example of name and password.
    let signed = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\
         Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
    );
    let address = proxy(vec![(signed.into_bytes(), granted)], Some(target)).await;
    let proxy = Proxy::new(ProxyKind::Http, address);
    echo_through(proxy.with_credentials("Aladdin", "open sesame"), &listener).await;
}

fn socks_request(target: SocketAddr) -> Vec<u8> {
    let port = target.port().to_be_bytes();
    [&[5, 1, 0, 1, 127, 0, 0, 1][..], &port].concat()
}

#[tokio::test]
async fn a_socks_proxy_is_asked_to_connect() {
    let listener = PacketListener::bind(any()).unwrap();
    let target = listener.local_addr();
    let granted = vec![5, 0, 0, 1, 10, 0, 0, 1, 0x12, 0x34];
    let connect = (socks_request(target), granted);
    let greeting = (vec![5, 1, 0], vec![5, 0]);
    let address = proxy(vec![greeting, connect.clone()], Some(target)).await;
    echo_through(Proxy::new(ProxyKind::Socks5, address), &listener).await;

    let greeting = (vec![5, 2, 0, 2], vec![5, 2]);
    let password = (b"\x01\x05alice\x06secret".to_vec(), vec![1, 0]);
    let named = (connect.0, vec![5, 0, 0, 3, 2, b'h', b'i', 0x12, 0x34]);
    let address = proxy(vec![greeting, password, named], Some(target)).await;
    let proxy = Proxy::new(ProxyKind::Socks5, address);
    echo_through(proxy.with_credentials("alice", "secret"), &listener).await;
}

async fn refusal(kind: ProxyKind, exchanges: Vec<(Vec<u8>, Vec<u8>)>) -> ProxyError {
    let address = proxy(exchanges, None).await;
    let mut connector = Connector::default();
    connector.proxy = Some(Proxy::new(kind, address));
    let target = SocketAddr::from(([127, 0, 0, 1], 9));
    let error = connect(&connector, target).await.unwrap_err();
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    *inner.unwrap_or_else(|| panic!("not refused by the proxy: {error}"))
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told() {
    let target = SocketAddr::from(([127, 0, 0, 1], 9));
    let http = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").into_bytes();
    let answer = |text: &str| vec![(http.clone(), text.as_bytes().to_vec())];
    let kind = ProxyKind::Http;
    assert_eq!(
        refusal(kind, answer("HTTP/1.1 502 Bad Gateway\r\n\r\n")).await,
        ProxyError::Status(502)
    );
    assert_eq!(
        refusal(kind, answer("HTTP/1.1 407 Who are you\r\n\r\n")).await,
        ProxyError::Unauthorized
    );
    assert_eq!(
        refusal(kind, answer("220 mail.example ESMTP\r\n\r\n")).await,
        ProxyError::Malformed
    );
    let endless = "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(9000);
    assert_eq!(refusal(kind, answer(&endless)).await, ProxyError::Malformed);

    let kind = ProxyKind::Socks5;
    let greeting = (vec![5, 1, 0], vec![5, 0]);
    let refused = (socks_request(target), vec![5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        refusal(kind, vec![greeting, refused]).await,
        ProxyError::Reply(5)
    );
    let wants_password = (vec![5, 1, 0], vec![5, 0xff]);
    assert_eq!(
        refusal(kind, vec![wants_password]).await,
        ProxyError::Unauthorized
    );
    let not_socks = (vec![5, 1, 0], b"HT".to_vec());
    assert_eq!(refusal(kind, vec![not_socks]).await, ProxyError::Malformed);
}

#[tokio::test]
async fn connecting_takes_no_longer_than_it_may() {
    let mute = TcpListener::bind(any()).await.unwrap();
    let mut connector = Connector::default();
    connector.timeout = Duration::from_millis(50);
    let address = mute.local_addr().unwrap();
    connector.proxy = Some(Proxy::new(ProxyKind::Socks5, address));
    let error = connect(&connector, address).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn tls_without_anything_to_trust_is_refused() {
    let listener = TcpListener::bind(any()).await.unwrap();
    let mut target = Target::new(any(), listener.local_addr().unwrap(), Framing::Stun);
    target.server_name = Some("turn.example.org".to_owned());
    let error = Connector::default().connect(target).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}

#[cfg(feature = "tls")]
mod tls {
    use super::*;
    use muonrtc_net::TlsClient;
    use std::sync::Arc;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    /// Echoes bytes under TLS as `turn.example.org`.
    async fn server() -> (SocketAddr, Vec<u8>) {
        let names = vec!["turn.example.org".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind(any()).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let (mut reader, mut writer) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            }
        });
        (address, certificate.to_vec())
    }

    #[tokio::test]
    async fn packets_to_a_server_go_under_tls() {
        let (address, certificate) = server().await;
        let mut connector = Connector::default();
        connector.tls = Some(TlsClient::trusting([&certificate[..]]).unwrap());
        let mut target = Target::new(any(), address, Framing::Stun);
        target.server_name = Some("turn.example.org".to_owned());
        let mut stream = connector.connect(target.clone()).await.unwrap();
        let binding = b"\x00\x01\x00\x00\x21\x12\xa4\x42unguessable!";
        assert!(send(&mut stream, binding, None).await);
        assert_eq!(receive(&mut stream).await.unwrap(), [binding]);

        drop(stream);
        target.server_name = Some("other.example.org".to_owned());
        connector.connect(target).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_certificate_that_nobody_signed_is_refused() {
        let (address, _) = server().await;
        let mut connector = Connector::default();
        connector.tls = Some(TlsClient::trusting([]).unwrap());
        let mut target = Target::new(any(), address, Framing::Stun);
        target.server_name = Some("turn.example.org".to_owned());
        connector.connect(target).await.unwrap_err();
    }
}
