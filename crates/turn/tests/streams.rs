//! Streams that are slow, split, silent, or too many, against the front in virtual time.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    reason = "tests"
)]

mod world;

use muonrtc_turn::Transport;
use muonrtc_turn::client::{self, Client};
use muonrtc_turn::conn::{Limits, Server};
use muonrtc_turn::server::Relay;
use std::net::SocketAddr;
use std::time::Duration;
use stun::{Builder, Class, Message, Method, TransactionId};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};
use world::{PEER, SERVER, address, client_config, server_config};

fn server(limits: Limits) -> Server {
    Server::new(server_config(), limits).unwrap()
}

fn client_at(address: u8, port: u16) -> SocketAddr {
    ([203, 0, 113, address], port).into()
}

fn connect(server: &Server, from: SocketAddr) -> DuplexStream {
    let (near, far) = duplex(4096);
    server.serve_stream(far, address(SERVER), from);
    near
}

fn binding(id: u8) -> Vec<u8> {
    let mut buf = [0; 100];
    let id = TransactionId([id; 12]);
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, id)
        .finish()
        .unwrap();
    buf[..len].to_vec()
}

async fn answer(stream: &mut DuplexStream) -> TransactionId {
    let mut buf = [0; 1500];
    stream.read_exact(&mut buf[..20]).await.unwrap();
    let len = 20 + usize::from(u16::from_be_bytes([buf[2], buf[3]]));
    stream.read_exact(&mut buf[20..len]).await.unwrap();
    let message = Message::parse(&buf[..len]).unwrap();
    assert_eq!(message.class(), Class::Success);
    message.transaction_id()
}

/// Waits until the other end closes the stream.
async fn closed(stream: &mut DuplexStream) -> Duration {
    let begun = Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    begun.elapsed()
}

// stun-043
#[tokio::test(start_paused = true)]
async fn messages_are_answered_however_they_are_cut() {
    let server = server(Limits::default());
    let mut stream = connect(&server, client_at(1, 1));
    for byte in binding(1) {
        stream.write_all(&[byte]).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(answer(&mut stream).await, TransactionId([1; 12]));
    let both = [binding(2), binding(3)].concat();
    stream.write_all(&both[..30]).await.unwrap();
    assert_eq!(answer(&mut stream).await, TransactionId([2; 12]));
    stream.write_all(&both[30..]).await.unwrap();
    assert_eq!(answer(&mut stream).await, TransactionId([3; 12]));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_closed() {
    let server = server(Limits::default());
    let mut stream = connect(&server, client_at(1, 1));
    assert_eq!(closed(&mut stream).await.as_secs(), 30);
    assert_eq!(
        (server.stats().streams, server.stats().streams_idle),
        (0, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_trickles_is_closed_all_the_same() {
    let server = server(Limits::default());
    let mut stream = connect(&server, client_at(1, 1));
    let begun = Instant::now();
    // The header of a message of 1400 bytes, and then a byte a second.
    let mut header = binding(1);
    header[2..4].copy_from_slice(&1380_u16.to_be_bytes());
    stream.write_all(&header).await.unwrap();
    while stream.write_all(&[0]).await.is_ok() {
        sleep(Duration::from_secs(1)).await;
        assert!(begun.elapsed().as_secs() < 60, "it goes on");
    }
    assert_eq!(server.stats().streams_idle, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_asks_now_and_then_stays() {
    let server = server(Limits::default());
    let mut stream = connect(&server, client_at(1, 1));
    for id in 0..10 {
        stream.write_all(&binding(id)).await.unwrap();
        assert_eq!(answer(&mut stream).await, TransactionId([id; 12]));
        sleep(Duration::from_secs(20)).await;
    }
    assert_eq!(server.stats().streams, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_something_else_is_closed_at_once() {
    let server = server(Limits::default());
    let long = [0x40, 0, 0xFF, 0xFC];
    for (number, bytes) in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01",
        &long,
    ]
    .into_iter()
    .enumerate()
    {
        let mut stream = connect(&server, client_at(1, number as u16));
        stream.write_all(bytes).await.unwrap();
        assert_eq!(closed(&mut stream).await, Duration::ZERO, "{number}");
    }
    assert_eq!(server.stats().streams_malformed, 3);
    assert_eq!(server.stats().streams, 0);
}

#[tokio::test(start_paused = true)]
async fn one_address_cannot_take_every_place() {
    let mut limits = Limits::default();
    limits.max_streams = 8;
    limits.max_streams_per_address = 5;
    let server = server(limits);
    let mut kept: Vec<_> = (0..20)
        .map(|it| connect(&server, client_at(1, it)))
        .collect();
    assert_eq!(server.stats().streams, 5);
    assert_eq!(server.stats().streams_refused, 15);
    assert_eq!(closed(&mut kept[5]).await, Duration::ZERO);
    let mut other = connect(&server, client_at(2, 1));
    other.write_all(&binding(9)).await.unwrap();
    assert_eq!(answer(&mut other).await, TransactionId([9; 12]));
    // A place that is given back is there for the next one.
    drop(kept);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(server.stats().streams, 1);
    let more: Vec<_> = (0..9)
        .map(|it| connect(&server, client_at(it + 3, 1)))
        .collect();
    assert_eq!(server.stats().streams, 8);
    drop(more);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_not_read_from() {
    let server = server(Limits::default());
    let mut stream = connect(&server, client_at(1, 1));
    let mut written = 0;
    // The pipes hold 4 KiB each way; what the server holds beyond them is bounded.
    let flood = async {
        loop {
            stream.write_all(&binding(1)).await.unwrap();
            written += 20;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), flood).await;
    assert!(written < 64 * 1024, "{written}");
    assert!(server.stats().lost_to_clients == 0);
}

/// A client against the front over a stream, until it has an allocation.
async fn allocate(server: &Server, config: client::Config) -> Client {
    let mut stream = connect(server, client_at(1, 1));
    let mut machine = Client::new(config, address(SERVER), [1; 32]);
    let now = || Instant::now().into_std();
    machine.allocate(now());
    let mut buf = [0; 1500];
    while machine.relayed().is_none() {
        while let Some(transmit) = machine.poll_transmit(now(), &mut buf) {
            stream.write_all(&buf[..transmit.len]).await.unwrap();
        }
        stream.read_exact(&mut buf[..20]).await.unwrap();
        let len = 20 + usize::from(u16::from_be_bytes([buf[2], buf[3]]));
        stream.read_exact(&mut buf[20..len]).await.unwrap();
        machine.handle_input(now(), address(SERVER), &buf[..len]);
    }
    machine
}

// turn-037: the alternate behaviour of RFC 8656 §14, since these sockets set no DF.
#[tokio::test]
async fn the_front_refuses_what_its_sockets_cannot_do() {
    let mut config = server_config();
    config.dont_fragment = true;
    config.relays = vec![Relay::new([127, 0, 0, 1].into())];
    let server = Server::new(config, Limits::default()).unwrap();
    let mut config = client_config();
    config.transport = Transport::Stream;
    config.dont_fragment = true;
    let machine = allocate(&server, config).await;
    // 4 bytes more where DONT-FRAGMENT rides along.
    let room = machine.room(Instant::now().into_std(), address(PEER));
    assert_eq!(room.headroom, 36);
    assert_eq!(server.stats().machine.refused, 1);
}
