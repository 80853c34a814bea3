//! Many connections behind one port, over real loopback sockets.

use crate::loopback::{connect, incoming_channel};
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, PeerConnection, PeerConnectionState, Stack,
};
use peerconnection::{Endpoint, EndpointConfig};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Everything here takes milliseconds, a thousand connections a few seconds: this only ends what hangs.
const LIMIT: Duration = Duration::from_secs(300);

fn endpoint(shards: usize) -> Endpoint {
    let mut config = EndpointConfig::default();
    config.addresses = vec![LOCALHOST];
    config.shards = shards;
    Endpoint::bind(config).unwrap()
}

/// Agents that use the loopback address alone.
fn stack() -> Stack {
    let mut ice = ice::Factory::default();
    ice.include_loopback = true;
    ice.interface_filter = Some(ice::InterfaceFilter::new(|it| it.address == LOCALHOST));
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    stack
}

fn client() -> PeerConnection {
    PeerConnection::with_stack(Configuration::default(), stack())
        .build()
        .unwrap()
}

fn served(endpoint: &Endpoint) -> PeerConnection {
    let builder = endpoint.peer_connection_with_stack(Configuration::default(), stack());
    builder.build().unwrap()
}

/// A client, a connection behind the endpoint, and the channel between them at both ends.
async fn open(endpoint: &Endpoint) -> (PeerConnection, DataChannel, PeerConnection, DataChannel) {
    let (near, far) = (client(), served(endpoint));
    let ours = near.create_data_channel("chat", None).unwrap();
    connect(&near, &far).await;
    ours.opened().await.unwrap();
    let theirs = incoming_channel(&far).await;
    (near, ours, far, theirs)
}

async fn echo(ours: &DataChannel, theirs: &DataChannel, text: &str) {
    ours.send_text(text).await.unwrap();
    let message = theirs.recv().await.unwrap();
    assert_eq!(message, DataChannelMessage::Text(text.to_owned()));
    theirs.send_text(text).await.unwrap();
    assert_eq!(ours.recv().await, Some(message));
}

/// Where the connection says it can be reached.
fn ports(connection: &PeerConnection) -> Vec<u16> {
    let description = connection.local_description().unwrap();
    let lines = description.sdp().lines().map(str::to_owned);
    let candidates = lines.filter(|line| line.starts_with("a=candidate:"));
    let port = |line: String| line.split(' ').nth(5).unwrap().parse().unwrap();
    candidates.map(port).collect()
}

/// F1.10: one port, and each connection gets what is its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_behind_one_port_hear_only_their_own_peer() {
    let endpoint = endpoint(2);
    let port = endpoint.udp_addrs()[0].port();
    let mut open_ones = Vec::new();
    for _ in 0..5 {
        open_ones.push(open(&endpoint).await);
    }
    assert_eq!(endpoint.stats().connections, 5);
    for (number, (_, ours, far, theirs)) in open_ones.iter().enumerate() {
        assert_eq!(ports(far), [port]);
        echo(ours, theirs, &format!("number {number}")).await;
    }
    for (near, ..) in &open_ones {
        near.close();
    }
    for (near, _, far, _) in &open_ones {
        near.closed().await;
        far.close();
        timeout(LIMIT, far.closed()).await.unwrap();
    }
    assert_eq!(endpoint.stats().connections, 0);
}

/// dfx-070, ice-061: servers that everybody reaches are lite, and have one port.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lite_connections_behind_one_port_hear_only_their_own_peer() {
    let endpoint = endpoint(2);
    let mut ice = ice::Factory::default();
    ice.include_loopback = true;
    ice.interface_filter = Some(ice::InterfaceFilter::new(|it| it.address == LOCALHOST));
    ice.lite = true;
    let ice: Arc<dyn layer::NewIce> = Arc::new(ice);
    let mut open_ones = Vec::new();
    for number in 0..6 {
        let mut stack = Stack::default();
        stack.ice = Arc::clone(&ice);
        let far = endpoint.peer_connection_with_stack(Configuration::default(), stack);
        let (near, far) = (client(), far.build().unwrap());
        // Whoever offers, the full agent controls (ice-021).
        let (offerer, answerer) = if number % 2 == 0 {
            (&near, &far)
        } else {
            (&far, &near)
        };
        let channel = offerer.create_data_channel("chat", None).unwrap();
        connect(offerer, answerer).await;
        timeout(LIMIT, channel.opened()).await.unwrap().unwrap();
        let other = incoming_channel(answerer).await;
        let sdp = far.local_description().unwrap().sdp().to_owned();
        assert_eq!(sdp.matches("a=ice-lite").count(), 1, "{sdp}");
        open_ones.push((near, channel, far, other));
    }
    for (number, (near, one, far, other)) in open_ones.iter().enumerate() {
        echo(one, other, &format!("number {number}")).await;
        let sent = |connection: &PeerConnection| {
            let pairs = connection.connectivity_report().ice.pairs;
            pairs.iter().map(|pair| pair.requests_sent).sum::<u64>()
        };
        assert!(sent(near) > 0);
        assert_eq!(sent(far), 0, "it answers and never asks");
    }
}

#[tokio::test]
async fn large_messages_cross_an_endpoint_of_one_shard_both_ways() {
    let endpoint = endpoint(1);
    let (_near, ours, _far, theirs) = open(&endpoint).await;
    let large = bytes::Bytes::from((0..=u8::MAX).cycle().take(250_000).collect::<Vec<u8>>());
    for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
        let sending = async {
            for _ in 0..20 {
                from.send(large.clone()).await.unwrap();
            }
        };
        let receiving = async {
            for _ in 0..20 {
                let message = to.recv().await.unwrap();
                assert_eq!(message, DataChannelMessage::Binary(large.clone()));
            }
        };
        tokio::join!(sending, receiving);
    }
}

/// The endpoint's side may offer as well.
#[tokio::test]
async fn a_connection_behind_an_endpoint_may_make_the_offer() {
    let endpoint = endpoint(1);
    let (near, far) = (client(), served(&endpoint));
    let theirs = far.create_data_channel("chat", None).unwrap();
    connect(&far, &near).await;
    theirs.opened().await.unwrap();
    let ours = incoming_channel(&near).await;
    echo(&ours, &theirs, "the other way round").await;
}

#[tokio::test]
async fn an_ice_restart_keeps_the_channel_and_claims_the_new_fragment() {
    let endpoint = endpoint(1);
    let (near, ours, far, theirs) = open(&endpoint).await;
    near.restart_ice();
    connect(&near, &far).await;
    for number in 0..20 {
        echo(&ours, &theirs, &format!("after {number}")).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(endpoint.stats().unknown_fragments, 0);
}

#[tokio::test]
async fn the_endpoint_serves_its_connections_after_its_last_handle_is_gone() {
    let endpoint = endpoint(1);
    let address = endpoint.udp_addrs()[0];
    let (near, ours, far, theirs) = open(&endpoint).await;
    drop(endpoint);
    echo(&ours, &theirs, "still here").await;
    near.close();
    near.closed().await;
    far.close();
    timeout(LIMIT, far.closed()).await.unwrap();
    // The port is free again, once the shard has ended.
    let free = async {
        while UdpSocket::bind(address).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, free).await.unwrap();
}

#[tokio::test]
async fn no_more_connections_than_the_bound_are_held() {
    let mut config = EndpointConfig::default();
    config.addresses = vec![LOCALHOST];
    config.max_connections = 2;
    let endpoint = Endpoint::bind(config).unwrap();
    let first = served(&endpoint);
    let _second = served(&endpoint);
    let third = endpoint.peer_connection_with_stack(Configuration::default(), stack());
    assert!(third.build().is_err());
    first.close();
    timeout(LIMIT, first.closed()).await.unwrap();
    let _third = served(&endpoint);
}

/// STUN requests for nobody, responses to nothing and data from nowhere are counted, and cost the
/// connections nothing.
#[tokio::test]
async fn a_flood_from_strangers_is_counted_and_harms_nobody() {
    let endpoint = endpoint(1);
    let (_near, ours, _far, theirs) = open(&endpoint).await;
    let stranger = UdpSocket::bind(SocketAddr::new(LOCALHOST, 0)).unwrap();
    let to = endpoint.udp_addrs()[0];
    let before = endpoint.stats();
    let header = |kind: u16, length: u16, number: u32| {
        let mut packet = [kind.to_be_bytes(), length.to_be_bytes()].concat();
        packet.extend_from_slice(b"\x21\x12\xa4\x42unguessa");
        packet.extend_from_slice(&number.to_be_bytes());
        packet
    };
    for number in 0..1000 {
        let mut request = header(0x0001, 12, number);
        request.extend_from_slice(b"\x00\x06\x00\x05a:bcd\0\0\0");
        stranger.send_to(&request, to).unwrap();
        stranger.send_to(&header(0x0101, 0, number), to).unwrap();
        stranger.send_to(&[22; 100], to).unwrap();
        stranger.send_to(&[0x80; 100], to).unwrap();
        if number % 100 == 0 {
            echo(&ours, &theirs, "not impressed").await;
        }
    }
    let counted = async {
        loop {
            let now = endpoint.stats();
            let requests = now.unknown_fragments - before.unknown_fragments;
            let responses = now.unknown_transactions - before.unknown_transactions;
            let data = now.unknown_paths - before.unknown_paths;
            if (requests, responses, data) == (1000, 1000, 2000) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, counted).await.unwrap();
    assert_eq!(endpoint.stats().connections, 1);
}

/// The target: a thousand at once, and all succeed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_at_once_all_succeed() {
    let endpoint = endpoint(2);
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move {
                let opened = open(&endpoint).await;
                echo(&opened.1, &opened.3, "one of a thousand").await;
                opened
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(timeout(LIMIT, task).await.expect("in time").unwrap());
    }
    assert_eq!(endpoint.stats().connections, 1000);
    for (near, _, far, _) in &all {
        assert_eq!(near.connection_state(), PeerConnectionState::Connected);
        assert_eq!(far.connection_state(), PeerConnectionState::Connected);
    }
}

/// Behind an endpoint that has TCP alone.
fn tcp_endpoint() -> Endpoint {
    let mut config = EndpointConfig::default();
    config.addresses = vec![LOCALHOST];
    config.udp_port = None;
    config.tcp_port = Some(0);
    config.shards = 2;
    Endpoint::bind(config).unwrap()
}

fn passive_stack() -> Stack {
    let mut ice = ice::Factory::default();
    ice.include_loopback = true;
    ice.interface_filter = Some(ice::InterfaceFilter::new(|it| it.address == LOCALHOST));
    ice.tcp_passive = true;
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    stack
}

fn served_by_tcp(endpoint: &Endpoint) -> PeerConnection {
    let configuration = Configuration::default();
    let builder = endpoint.peer_connection_with_stack(configuration, passive_stack());
    builder.build().unwrap()
}

/// F1.11: one TCP port, and each connection gets the stream whose first check names it.
#[tokio::test]
async fn connections_behind_one_tcp_port_hear_only_their_own_peer() {
    let endpoint = tcp_endpoint();
    let port = endpoint.tcp_addrs()[0].port();
    assert!(endpoint.udp_addrs().is_empty());
    let mut open_ones = Vec::new();
    for _ in 0..5 {
        let (near, far) = (client(), served_by_tcp(&endpoint));
        let ours = near.create_data_channel("chat", None).unwrap();
        connect(&near, &far).await;
        timeout(LIMIT, ours.opened()).await.unwrap().unwrap();
        let theirs = incoming_channel(&far).await;
        assert_eq!(ports(&far), [port]);
        let pair = far.selected_candidate_pair().unwrap();
        assert!(
            pair.local.candidate().contains("tcptype passive"),
            "{pair:?}"
        );
        open_ones.push((near, ours, far, theirs));
    }
    for (number, (_, ours, _, theirs)) in open_ones.iter().enumerate() {
        echo(ours, theirs, &format!("number {number}")).await;
    }
    let (near, _, far, _) = &open_ones[0];
    near.close();
    near.closed().await;
    far.close();
    timeout(LIMIT, far.closed()).await.unwrap();
    for (_, ours, _, theirs) in &open_ones[1..] {
        echo(ours, theirs, "still here").await;
    }
}

#[tokio::test]
async fn large_messages_cross_a_stream_both_ways() {
    let endpoint = tcp_endpoint();
    let (near, far) = (client(), served_by_tcp(&endpoint));
    let ours = near.create_data_channel("bulk", None).unwrap();
    connect(&near, &far).await;
    timeout(LIMIT, ours.opened()).await.unwrap().unwrap();
    let theirs = incoming_channel(&far).await;
    let large = bytes::Bytes::from((0..=u8::MAX).cycle().take(250_000).collect::<Vec<u8>>());
    for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
        let sending = async {
            for _ in 0..20 {
                from.send(large.clone()).await.unwrap();
            }
        };
        let receiving = async {
            for _ in 0..20 {
                let message = to.recv().await.unwrap();
                assert_eq!(message, DataChannelMessage::Binary(large.clone()));
            }
        };
        timeout(LIMIT, async { tokio::join!(sending, receiving) })
            .await
            .unwrap();
    }
}

/// The same without an endpoint: the connection's own task accepts.
#[tokio::test]
async fn a_connection_with_sockets_of_its_own_accepts_streams() {
    let near = client();
    let far = PeerConnection::with_stack(Configuration::default(), passive_stack());
    let far = far.build().unwrap();
    let ours = near.create_data_channel("chat", None).unwrap();
    let without_udp = |connection: &PeerConnection| {
        let description = connection.local_description().unwrap();
        let is_udp = |line: &&str| line.starts_with("a=candidate:") && line.contains(" udp ");
        let lines = description.sdp().lines().filter(|line| !is_udp(line));
        let sdp: String = lines.map(|line| format!("{line}\r\n")).collect();
        muonrtc::SessionDescription::new(description.kind(), sdp)
    };
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    far.set_remote_description(without_udp(&near))
        .await
        .unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    near.set_remote_description(without_udp(&far))
        .await
        .unwrap();
    timeout(LIMIT, ours.opened()).await.unwrap().unwrap();
    let theirs = incoming_channel(&far).await;
    echo(&ours, &theirs, "over a stream").await;
    let pair = near.selected_candidate_pair().unwrap();
    assert!(
        pair.remote.candidate().contains("tcptype passive"),
        "{pair:?}"
    );
    // A peer that is gone is noticed at once: the stream ends.
    drop((ours, near));
    assert_eq!(theirs.recv().await, None);
}

/// Streams that say nothing, nonsense, or whom nobody knows: bounded, counted, and no harm to others.
#[tokio::test]
async fn streams_of_strangers_are_counted_and_harm_nobody() {
    let endpoint = tcp_endpoint();
    let (near, far) = (client(), served_by_tcp(&endpoint));
    let ours = near.create_data_channel("chat", None).unwrap();
    connect(&near, &far).await;
    timeout(LIMIT, ours.opened()).await.unwrap().unwrap();
    let theirs = incoming_channel(&far).await;

    let address = endpoint.tcp_addrs()[0];
    let mut strangers = Vec::new();
    let mut request = b"\x00\x20\x00\x01\x00\x0c\x21\x12\xa4\x42unguessable!".to_vec();
    request.extend_from_slice(b"\x00\x06\x00\x05a:bcd\0\0\0");
    for number in 0..100 {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        match number % 4 {
            0 => stream.write_all(&request).unwrap(),
            1 => stream
                .write_all(b"\xff\xffnobody makes such packets")
                .unwrap(),
            2 => stream.write_all(b"\x00\x04GET ").unwrap(),
            // One byte, and then nothing.
            _ => stream.write_all(b"\x00").unwrap(),
        }
        strangers.push(stream);
    }
    let counted = async {
        loop {
            let stats = endpoint.stats();
            if stats.unknown_fragments == 25 && stats.lost_streams == 50 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, counted).await.unwrap();
    echo(&ours, &theirs, "not impressed").await;

    // The slow ones make room for others when there are too many.
    for _ in 0..600 {
        strangers.push(std::net::TcpStream::connect(address).unwrap());
    }
    let refused = async {
        while endpoint.stats().refused_streams == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, refused).await.unwrap();
    echo(&ours, &theirs, "not yet").await;
}
