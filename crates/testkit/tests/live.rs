//! Async code on the virtual network, in the paused time of a runtime.

#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests, with tasks"
)]

use layer::Datagrams;
use muonrtc_testkit::Link;
use muonrtc_testkit::vnet::live::{Host, Live};
use muonrtc_testkit::vnet::{Firewall, Nat, Network, Reads, Router, StunServer};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Alice behind a router, 20 ms from the internet where Bob is.
fn lab(router: Router) -> (Host, Host) {
    let mut network = Network::new(1);
    let internet = network.internet();
    let home = network.add_subnet(internet, &["192.168.1.0/24"], router);
    let alice = network.add_host_at("alice", home, ip("192.168.1.2"));
    let bob = network.add_host_at("bob", internet, ip("192.0.2.7"));
    let slow = Link::delayed(Duration::from_millis(20));
    network.set_link(network.uplink(home).unwrap(), slow.clone(), slow);
    let live = Live::spawn(network);
    (live.host(alice), live.host(bob))
}

fn home() -> Router {
    Router::nat(Nat::port_restricted(ip("203.0.113.1")))
}

/// Says something and waits for the answer: generic, like the fronts of the layers.
async fn ask<D: Datagrams>(path: &D, question: &[u8]) -> Vec<u8> {
    poll_fn(|cx| path.poll_send(cx, question)).await.unwrap();
    let mut buf = [0; 1500];
    let len = poll_fn(|cx| path.poll_recv(cx, &mut buf)).await.unwrap();
    buf[..len].to_vec()
}

#[tokio::test(start_paused = true)]
async fn datagrams_pass_a_nat_and_take_virtual_time() {
    let (alice, bob) = lab(home());
    let theirs = bob.bind(at("192.0.2.7:7000")).unwrap();
    tokio::spawn(async move {
        let mut buf = [0; 1500];
        loop {
            let (len, from) = theirs.recv_from(&mut buf).await.unwrap();
            assert_eq!(from.ip(), ip("203.0.113.1"));
            tokio::time::sleep(Duration::from_secs(60)).await;
            theirs.send_to(&buf[..len], from);
        }
    });
    let begin = Instant::now();
    let path = alice
        .bind(at("192.168.1.2:0"))
        .unwrap()
        .connect(at("192.0.2.7:7000"));
    assert_eq!(ask(&path, b"anybody?").await, b"anybody?");
    let taken = begin.elapsed();
    let expected = Duration::from_millis(60_040);
    assert!(
        taken >= expected && taken < expected + Duration::from_millis(5),
        "{taken:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn streams_carry_more_than_any_buffer_both_ways_at_once() {
    let (alice, bob) = lab(home());
    alice.live().with(|network, _| {
        network.set_reads(bob.id(), Reads::Split(700));
        let link = network.links_of(bob.id())[0];
        network.set_link(link, Link::lossy(2), Link::lossy(2));
    });
    let listener = bob.listen(at("192.0.2.7:443")).unwrap();
    let echo = tokio::spawn(async move {
        let stream = listener.accept().await.unwrap();
        assert_eq!(stream.peer_addr().ip(), ip("203.0.113.1"));
        let (mut read, mut write) = tokio::io::split(stream);
        let copied = tokio::io::copy(&mut read, &mut write).await.unwrap();
        write.shutdown().await.unwrap();
        copied
    });
    let stream = alice
        .connect(at("192.168.1.2:0"), at("192.0.2.7:443"))
        .await
        .unwrap();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|it| it.to_le_bytes()[1]).collect();
    let (mut read, mut write) = tokio::io::split(stream);
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut back = Vec::new();
    read.read_to_end(&mut back).await.unwrap();
    writer.await.unwrap();
    assert!(back == expected);
    assert_eq!(echo.await.unwrap(), 3_000_000);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_be_says_why() {
    let (alice, bob) = lab(Router::firewall(Firewall::tcp_only(443)));
    let _listener = bob.listen(at("192.0.2.7:80")).unwrap();
    let from = at("192.168.1.2:0");
    let refused = alice.connect(from, at("192.0.2.7:443")).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let silent = alice.connect(from, at("192.0.2.7:80")).await;
    assert_eq!(silent.unwrap_err().kind(), ErrorKind::TimedOut);
    let foreign = alice.connect(at("10.0.0.1:0"), at("192.0.2.7:80")).await;
    assert_eq!(foreign.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_closed() {
    let (alice, bob) = lab(home());
    let listener = bob.listen(at("192.0.2.7:443")).unwrap();
    let (from, to) = (at("192.168.1.2:0"), at("192.0.2.7:443"));
    let ours = alice.connect(from, to).await.unwrap();
    let mut theirs = listener.accept().await.unwrap();
    drop(ours);
    assert_eq!(theirs.read(&mut [0; 9]).await.unwrap(), 0);
    // A listener takes those along that nobody has accepted.
    let mut waiting = alice.connect(from, to).await.unwrap();
    drop(listener);
    let end = waiting.read(&mut [0; 9]).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let end = waiting.write(b"x").await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::BrokenPipe);
    let refused = alice.connect(from, to).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    // A port is free again.
    drop(alice.bind(at("192.168.1.2:9000")).unwrap());
    assert!(alice.bind(at("192.168.1.2:9000")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_network_changes_while_tasks_run_on_it() {
    let (alice, bob) = lab(home());
    let theirs = bob.bind(at("192.0.2.7:7000")).unwrap();
    let ours = alice.bind(at("192.168.1.2:0")).unwrap();
    let mut buf = [0; 9];
    let link = alice
        .live()
        .with(|network, _| network.links_of(bob.id())[0]);
    let patience = Duration::from_secs(10);
    for (plugged, arrives) in [(true, true), (false, false), (true, true)] {
        alice
            .live()
            .with(|network, _| network.set_plugged(link, plugged));
        ours.send_to(b"x", theirs.local_addr());
        let heard = timeout(patience, theirs.recv_from(&mut buf)).await;
        assert_eq!(heard.is_ok(), arrives);
    }
    assert_eq!(bob.interfaces().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn servers_inside_answer_tasks_outside() {
    let (alice, bob) = lab(home());
    let server = ip("192.0.2.7");
    alice.live().with(|network, now| {
        let stun = StunServer::new(vec![SocketAddr::new(server, 3478)]);
        network.set_name("stun.example", vec![server]);
        network.serve(now, bob.id(), Box::new(stun));
    });
    let to = SocketAddr::new(alice.resolve("stun.example")[0], 3478);
    let path = alice.bind(at("192.168.1.2:5000")).unwrap().connect(to);
    let request = b"\x00\x01\x00\x00\x21\x12\xa4\x42unguessable!";
    let answer = ask(&path, request).await;
    let message = stun::Message::parse(&answer).unwrap();
    let stun::XorMappedAddress(mapped) = message.attribute().unwrap().unwrap();
    assert_eq!(mapped, at("203.0.113.1:5000"));
}
