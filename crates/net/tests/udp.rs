//! Real sockets over loopback: the one place in the family, beside interop, where they are allowed.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use muonrtc_net::{Batch, Ecn, UdpSocket, interfaces, is_too_large, resolve};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);

struct Seen {
    bytes: Vec<u8>,
    remote: SocketAddr,
    local_ip: Option<IpAddr>,
    ecn: Option<Ecn>,
}

/// Receives `n` datagrams, or fails after a while: loopback loses nothing that fits the buffer.
async fn receive(socket: &UdpSocket, n: usize) -> Vec<Seen> {
    let mut batch = Batch::new();
    let mut seen = Vec::new();
    while seen.len() < n {
        let received = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut batch)).await;
        let count = received.expect("datagrams arrive").unwrap();
        let before = seen.len();
        seen.extend(batch.datagrams().map(|d| Seen {
            bytes: d.bytes.to_vec(),
            remote: d.remote,
            local_ip: d.local_ip,
            ecn: d.ecn,
        }));
        assert_eq!(seen.len() - before, count, "the count is what iterates");
    }
    seen
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 7) as u8).collect()
}

async fn a_run_arrives_as_datagrams(any: SocketAddr, segments: usize, size: usize, tail: usize) {
    let (from, to) = (UdpSocket::bind(any).unwrap(), UdpSocket::bind(any).unwrap());
    let run = pattern(segments * size + tail);
    from.try_send(to.local_addr(), &run, Some(size), None, None)
        .unwrap();
    let seen = receive(&to, run.len().div_ceil(size)).await;
    assert!(seen.iter().all(|d| d.remote == from.local_addr()));
    let joined: Vec<u8> = seen.iter().flat_map(|d| d.bytes.clone()).collect();
    assert_eq!(joined, run);
    assert!(seen[..segments].iter().all(|d| d.bytes.len() == size));
}

#[tokio::test]
async fn a_run_arrives_intact_and_split() {
    a_run_arrives_as_datagrams(V4, 20, 1200, 0).await;
    a_run_arrives_as_datagrams(V4, 3, 1200, 17).await;
}

#[tokio::test]
async fn a_run_beyond_what_one_call_takes_arrives_intact_and_split() {
    a_run_arrives_as_datagrams(V4, 150, 1000, 1).await;
    a_run_arrives_as_datagrams(V4, 300, 10, 9).await;
}

#[tokio::test]
async fn ipv6_carries_runs_too() {
    if UdpSocket::bind(V6).is_err() {
        println!("left out: this host has no IPv6 loopback");
        return;
    }
    a_run_arrives_as_datagrams(V6, 20, 1200, 5).await;
}

#[tokio::test]
async fn datagrams_come_in_batches_in_order_with_their_addresses() {
    let (from, to) = (UdpSocket::bind(V4).unwrap(), UdpSocket::bind(V4).unwrap());
    for i in 0..40u8 {
        from.try_send(to.local_addr(), &[i; 100], None, None, None)
            .unwrap();
    }
    let seen = receive(&to, 40).await;
    let order: Vec<u8> = seen.iter().map(|d| d.bytes[0]).collect();
    assert_eq!(order, (0..40).collect::<Vec<u8>>());
    if cfg!(target_os = "linux") {
        assert!(seen.iter().all(|d| d.local_ip == Some(V4.ip())));
    }
}

#[tokio::test]
async fn a_socket_with_room_is_writable_as_often_as_it_is_asked() {
    let socket = UdpSocket::bind(V4).unwrap();
    for _ in 0..3 {
        socket.writable().await.unwrap();
        socket
            .try_send(socket.local_addr(), b"to myself", None, None, None)
            .unwrap();
    }
    assert_eq!(receive(&socket, 3).await.len(), 3);
}

#[tokio::test]
async fn many_destinations_get_each_its_own() {
    let sender = UdpSocket::bind(V4).unwrap();
    let receivers: Vec<UdpSocket> = (0..70).map(|_| UdpSocket::bind(V4).unwrap()).collect();
    let payloads: Vec<Vec<u8>> = (1..=70).map(pattern).collect();
    let datagrams: Vec<(SocketAddr, &[u8])> = receivers
        .iter()
        .zip(&payloads)
        .map(|(receiver, payload)| (receiver.local_addr(), &payload[..]))
        .collect();
    assert_eq!(sender.try_send_many(&datagrams).unwrap(), 70);
    for (receiver, payload) in receivers.iter().zip(&payloads) {
        let seen = receive(receiver, 1).await;
        assert_eq!(&seen[0].bytes, payload);
    }
}

/// One that no packet can hold is lost alone.
#[tokio::test]
async fn a_bad_one_among_many_harms_no_other() {
    let (sender, receiver) = (UdpSocket::bind(V4).unwrap(), UdpSocket::bind(V4).unwrap());
    let to = receiver.local_addr();
    let long = vec![0; 70_000];
    let datagrams: [(SocketAddr, &[u8]); 4] = [(to, b"a"), (to, &long), (to, b"b"), (to, &long)];
    assert_eq!(sender.try_send_many(&datagrams).unwrap(), 4);
    let seen = receive(&receiver, 2).await;
    assert_eq!(
        (&seen[0].bytes[..], &seen[1].bytes[..]),
        (&b"a"[..], &b"b"[..])
    );
}

#[tokio::test]
async fn congestion_bits_reach_the_receiver() {
    let (from, to) = (UdpSocket::bind(V4).unwrap(), UdpSocket::bind(V4).unwrap());
    let all = [None, Some(Ecn::Ect0), Some(Ecn::Ect1), Some(Ecn::Ce)];
    for ecn in all {
        from.try_send(to.local_addr(), b"marked", None, ecn, None)
            .unwrap();
        assert_eq!(receive(&to, 1).await[0].ecn, ecn);
    }
}

#[tokio::test]
async fn an_unspecified_socket_answers_from_the_address_that_was_asked() {
    let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    let (client, server) = (UdpSocket::bind(V4).unwrap(), UdpSocket::bind(any).unwrap());
    // Linux answers on the whole of 127/8; elsewhere only its first address exists.
    let asked = if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, 0, 0, 2)
    } else {
        Ipv4Addr::LOCALHOST
    };
    let target = SocketAddr::new(asked.into(), server.local_addr().port());
    client.try_send(target, b"ask", None, None, None).unwrap();
    let question = receive(&server, 1).await.remove(0);
    server
        .try_send(question.remote, b"answer", None, None, question.local_ip)
        .unwrap();
    assert_eq!(receive(&client, 1).await[0].remote, target);
}

#[tokio::test]
async fn buffers_are_granted_and_told() {
    let sizes = UdpSocket::bind(V4).unwrap().buffer_sizes();
    assert!(sizes.receive >= 64 * 1024, "{sizes:?}");
    assert!(sizes.send >= 64 * 1024, "{sizes:?}");
}

#[tokio::test]
async fn an_empty_socket_would_block_and_leaves_the_batch_empty() {
    let socket = UdpSocket::bind(V4).unwrap();
    let mut batch = Batch::new();
    let result = socket.try_recv(&mut batch);
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(batch.datagrams().count(), 0);
}

#[tokio::test]
async fn a_destination_without_listener_harms_neither_direction() {
    let (a, b) = (UdpSocket::bind(V4).unwrap(), UdpSocket::bind(V4).unwrap());
    let gone = UdpSocket::bind(V4).unwrap().local_addr();
    for _ in 0..3 {
        a.try_send(gone, b"lost", None, None, None).unwrap();
    }
    b.try_send(a.local_addr(), b"kept", None, None, None)
        .unwrap();
    a.try_send(b.local_addr(), b"sent", None, None, None)
        .unwrap();
    assert_eq!(receive(&a, 1).await[0].bytes, b"kept");
    assert_eq!(receive(&b, 1).await[0].bytes, b"sent");
}

#[tokio::test]
async fn a_datagram_no_packet_can_hold_is_told_as_too_large() {
    let (from, to) = (UdpSocket::bind(V4).unwrap(), UdpSocket::bind(V4).unwrap());
    let refused = from.try_send(to.local_addr(), &pattern(65_508), None, None, None);
    assert!(is_too_large(&refused.unwrap_err()));
    from.try_send(to.local_addr(), b"fits", None, None, None)
        .unwrap();
    assert_eq!(receive(&to, 1).await[0].bytes, b"fits");
}

#[tokio::test]
async fn a_bound_port_is_in_use() {
    let taken = UdpSocket::bind(V4).unwrap();
    let again = UdpSocket::bind(taken.local_addr());
    assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn loopback_is_among_the_interfaces() {
    let found = interfaces().unwrap();
    let loopback = found.iter().find(|i| i.address == V4.ip()).unwrap();
    assert!(loopback.loopback);
    assert!(!loopback.name.is_empty());
    assert_ne!(loopback.index, 0);
}

#[tokio::test]
async fn names_and_addresses_resolve() {
    assert_eq!(resolve("127.0.0.1").await.unwrap(), [V4.ip()]);
    assert_eq!(resolve("::1").await.unwrap(), [V6.ip()]);
    assert!(resolve("localhost").await.unwrap()[0].is_loopback());
}
