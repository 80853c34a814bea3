//! Floods, forgers and slow streams on the way to a connection, over real loopback sockets: what they
//! do is bounded and counted, and the other connections of the endpoint do not notice.

use crate::loopback::{connect, incoming_channel};
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, IceCandidateInit, IceServer,
    IceTransportPolicy, PeerConnection, SessionDescription, Stack,
};
use peerconnection::{Endpoint, EndpointConfig};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stun::{
    Builder, Class, IceControlling, Message, Method, Nonce, Priority, Realm, RequestedTransport,
    TransactionId, Username, XorMappedAddress,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Everything here takes milliseconds, or seconds on a busy machine: this only ends what hangs.
const LIMIT: Duration = Duration::from_secs(60);

fn endpoint(tcp: bool) -> Endpoint {
    let mut config = EndpointConfig::default();
    config.addresses = vec![LOCALHOST];
    config.shards = 1;
    if tcp {
        config.udp_port = None;
        config.tcp_port = Some(0);
    }
    Endpoint::bind(config).unwrap()
}

/// Agents that use the loopback address alone, and accept streams.
fn stack() -> Stack {
    let mut ice = ice::Factory::default();
    ice.include_loopback = true;
    ice.interface_filter = Some(ice::InterfaceFilter::new(|it| it.address == LOCALHOST));
    ice.tcp_passive = true;
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    stack
}

fn client() -> PeerConnection {
    let builder = PeerConnection::with_stack(Configuration::default(), stack());
    builder.build().unwrap()
}

fn served(endpoint: &Endpoint) -> PeerConnection {
    let builder = endpoint.peer_connection_with_stack(Configuration::default(), stack());
    builder.build().unwrap()
}

/// A connection with a channel, both ends of both.
struct Talk {
    near: PeerConnection,
    ours: DataChannel,
    far: PeerConnection,
    theirs: DataChannel,
}

impl Talk {
    async fn open(endpoint: &Endpoint) -> Self {
        let (near, far) = (client(), served(endpoint));
        let ours = near.create_data_channel("chat", None).unwrap();
        connect(&near, &far).await;
        Self::once_open(near, ours, far).await
    }

    async fn once_open(near: PeerConnection, ours: DataChannel, far: PeerConnection) -> Self {
        let opened = timeout(LIMIT, ours.opened()).await;
        opened
            .unwrap_or_else(|_| panic!("{}", far.connectivity_report()))
            .unwrap();
        let theirs = incoming_channel(&far).await;
        Self {
            near,
            ours,
            far,
            theirs,
        }
    }

    async fn echo(&self, text: &str) {
        let exchange = async {
            self.ours.send_text(text).await.unwrap();
            let message = self.theirs.recv().await.unwrap();
            assert_eq!(message, DataChannelMessage::Text(text.to_owned()));
            self.theirs.send_text(text).await.unwrap();
            assert_eq!(self.ours.recv().await, Some(message));
        };
        timeout(LIMIT, exchange).await.unwrap();
    }
}

/// The value of the first line that begins so.
fn line(description: &SessionDescription, begins: &str) -> String {
    let mut lines = description.sdp().lines();
    let value = lines.find_map(|line| line.strip_prefix(begins));
    value.unwrap().to_owned()
}

/// The description with only the candidates of one transport, and all of those at this port.
fn at_port(description: &SessionDescription, transport: &str, port: u16) -> SessionDescription {
    let mut sdp = String::new();
    for line in description.sdp().lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if line.starts_with("a=candidate:") {
            if words[2] != transport {
                continue;
            }
            words[5] = port.to_string();
        }
        sdp += &words.join(" ");
        sdp += "\r\n";
    }
    SessionDescription::new(description.kind(), sdp)
}

/// The port of the candidate of one transport.
fn port(description: &SessionDescription, transport: &str) -> u16 {
    let mut lines = description.sdp().lines();
    let found = lines.find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let wanted = line.starts_with("a=candidate:") && words[2] == transport;
        wanted.then(|| words[5].parse().unwrap())
    });
    found.unwrap()
}

/// A check of somebody who knows the fragments and not the password.
fn check_of_a_stranger(username: &str, number: u32) -> Vec<u8> {
    let key = crypto::Provider::default()
        .hmac_sha1
        .key(b"not the password");
    let mut id = *b"a stranger..";
    id[8..].copy_from_slice(&number.to_be_bytes());
    let mut buf = [0; 200];
    let len = Builder::new(&mut buf, Class::Request, Method::BINDING, TransactionId(id))
        .attribute(&Username(username))
        .attribute(&Priority(1 << 24))
        .attribute(&IceControlling(u64::MAX))
        .integrity(&*key)
        .fingerprint()
        .finish();
    buf[..len.unwrap()].to_vec()
}

/// The answer to a check that its sender would like, but for the password.
fn forged_answer(check: &[u8]) -> Option<Vec<u8>> {
    let check = Message::parse(check).ok()?;
    if check.class() != Class::Request {
        return None;
    }
    let key = crypto::Provider::default()
        .hmac_sha1
        .key(b"not the password");
    let mut buf = [0; 200];
    let id = check.transaction_id();
    let len = Builder::new(&mut buf, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress("198.51.100.1:1".parse().unwrap()))
        .integrity(&*key)
        .fingerprint()
        .finish();
    Some(buf[..len.ok()?].to_vec())
}

/// Every kind of packet that somebody without a password can send, from many addresses, until told to
/// stop. Returns how many there were.
fn flood(to: SocketAddr, username: String, stop: Arc<AtomicBool>) -> u32 {
    let sources: Vec<UdpSocket> = (0..64)
        .map(|_| UdpSocket::bind((LOCALHOST, 0)).unwrap())
        .collect();
    let mut number = 0;
    for source in sources.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let check = check_of_a_stranger(&username, number);
        let nobody = check_of_a_stranger("nobody:here", number);
        let answer = forged_answer(&check).unwrap();
        for packet in [&check, &nobody, &answer, &vec![23; 100], &vec![0x80; 1200]] {
            // A full socket is what a flood is for.
            let _ = source.send_to(packet, to);
        }
        number += 1;
        // As fast as one core of the two goes would leave nothing for the others.
        if number % 16 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    number
}

/// F1.10: spoofed addresses, wrong integrity, answers to nothing, data of nobody: the connection that is
/// meant counts them, the others do not even see them, and new ones open all the while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_at_one_connection_is_counted_there_and_the_others_go_on() {
    let endpoint = endpoint(false);
    let (victim, other) = (Talk::open(&endpoint).await, Talk::open(&endpoint).await);
    let far = victim.far.local_description().unwrap();
    let near = victim.near.local_description().unwrap();
    let fragments = [&far, &near].map(|it| line(it, "a=ice-ufrag:"));
    let stop = Arc::new(AtomicBool::new(false));
    let (to, until) = (endpoint.udp_addrs()[0], Arc::clone(&stop));
    let flooding = std::thread::spawn(move || flood(to, fragments.join(":"), until));
    let mut more = Vec::new();
    for number in 0..10 {
        more.push(Talk::open(&endpoint).await);
        for talk in more.iter().chain([&victim, &other]) {
            talk.echo(&format!("number {number}")).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let sent = u64::from(flooding.join().unwrap());
    assert!(sent > 100, "{sent}");
    for talk in more.iter().chain([&victim, &other]) {
        talk.echo("after the flood").await;
    }
    let stats = endpoint.stats();
    assert_eq!(stats.connections, 12);
    // The system may have dropped some of it.
    for counted in [stats.unknown_fragments, stats.unknown_transactions] {
        assert!((1..=sent).contains(&counted), "{sent} sent: {stats:?}");
    }
    assert!((1..=2 * sent).contains(&stats.unknown_paths), "{stats:?}");
    let ice = victim.far.connectivity_report().ice;
    assert!((1..=sent).contains(&ice.unauthenticated), "{ice:?}");
    assert!(ice.unanswered > 0, "a handful is refused in words");
    assert!(ice.pairs.len() <= 2 && ice.remote_candidates.len() <= 2);
    assert_eq!(other.far.connectivity_report().ice.unauthenticated, 0);
}

/// stun-035: behind one port, too, an answer that is not authentic is as good as none, and the true one
/// that follows it counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_answers_that_overtake_the_true_ones_change_nothing() {
    let endpoint = endpoint(false);
    let (near, far) = (client(), served(&endpoint));
    let ours = near.create_data_channel("chat", None).unwrap();
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    let offer = near.local_description().unwrap();
    // Somebody on the path, who sees everything and adds to it.
    let outside = tokio::net::UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let inside = tokio::net::UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let ports = [&outside, &inside].map(|it| it.local_addr().unwrap().port());
    let client_at = SocketAddr::new(LOCALHOST, port(&offer, "udp"));
    let endpoint_at = endpoint.udp_addrs()[0];
    let forger = tokio::spawn(async move {
        let (mut to_client, mut to_endpoint) = ([0; 2048], [0; 2048]);
        loop {
            tokio::select! {
                Ok((len, _)) = outside.recv_from(&mut to_client) => {
                    let packet = &to_client[..len];
                    if let Some(forged) = forged_answer(packet) {
                        outside.send_to(&forged, endpoint_at).await.unwrap();
                    }
                    inside.send_to(packet, client_at).await.unwrap();
                }
                Ok((len, _)) = inside.recv_from(&mut to_endpoint) => {
                    outside.send_to(&to_endpoint[..len], endpoint_at).await.unwrap();
                }
            }
        }
    });
    let offer = at_port(&offer, "udp", ports[0]);
    far.set_remote_description(offer).await.unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    let answer = at_port(&far.local_description().unwrap(), "udp", ports[1]);
    near.set_remote_description(answer).await.unwrap();
    let talk = Talk::once_open(near, ours, far).await;
    talk.echo("past the forger").await;
    assert!(talk.far.connectivity_report().ice.unauthenticated > 0);
    assert_eq!(endpoint.stats().unknown_transactions, 0);
    forger.abort();
}

/// A peer that signals ten thousand candidates, in its description and one by one: a hundred are kept,
/// the rest is counted, and other connections open meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_candidates_are_bounded_and_the_peer_is_found_all_the_same() {
    let endpoint = endpoint(false);
    let other = Talk::open(&endpoint).await;
    let (near, far) = (client(), served(&endpoint));
    let ours = near.create_data_channel("chat", None).unwrap();
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    let offer = near.local_description().unwrap();
    // They come before the one that works, and nobody is at home there.
    let nowhere = |number: u32| {
        let ip = Ipv4Addr::from(0x7F01_0000 + number);
        format!(
            "candidate:9 1 udp {} {ip} 9 typ host",
            2_000_000_000 - number
        )
    };
    let mut sdp = String::new();
    for line in offer.sdp().lines() {
        if line.starts_with("a=candidate:") && sdp.matches("candidate:").count() == 0 {
            for number in 0..5000 {
                sdp += &format!("a={}\r\n", nowhere(number));
            }
        }
        sdp += line;
        sdp += "\r\n";
    }
    let offer = SessionDescription::new(offer.kind(), sdp.replace("a=end-of-candidates\r\n", ""));
    far.set_remote_description(offer).await.unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    for number in 5000..10_000 {
        let candidate = IceCandidateInit::new(nowhere(number), "0");
        // What becomes of it is the agent's affair.
        far.add_ice_candidate(Some(candidate)).await.unwrap();
    }
    other.echo("meanwhile").await;
    let answer = far.local_description().unwrap();
    near.set_remote_description(answer).await.unwrap();
    let talk = Talk::once_open(near, ours, far).await;
    talk.echo("found").await;
    let ice = talk.far.connectivity_report().ice;
    assert!(
        ice.remote_candidates.len() <= 116,
        "{}",
        ice.remote_candidates.len()
    );
    assert!(ice.pairs.len() <= 100, "{}", ice.pairs.len());
    assert!(ice.candidates_dropped >= 9800, "{}", ice.candidates_dropped);
    let shown = talk.far.remote_description().unwrap();
    assert!(shown.sdp().matches("candidate:").count() <= 10_000);
    other.echo("and after").await;
}

/// A frame of RFC 4571.
fn framed(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap();
    [&length.to_be_bytes()[..], packet].concat()
}

/// Whether the other end has not closed, whatever else it has said.
fn is_open(stream: &mut TcpStream) -> bool {
    let mut buf = [0; 500];
    loop {
        match stream.read(&mut buf) {
            Ok(1..) => {}
            Ok(0) => return false,
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// Streams whose first check names a connection and does not prove it: the oldest are closed, silent as
/// they are, and the peer still finds a place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_name_a_connection_and_prove_nothing_are_hung_up_on() {
    let endpoint = endpoint(true);
    let other = Talk::open(&endpoint).await;
    let (near, far) = (client(), served(&endpoint));
    let ours = near.create_data_channel("chat", None).unwrap();
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    let offer = near.local_description().unwrap();
    far.set_remote_description(offer).await.unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    let answer = far.local_description().unwrap();
    let username = format!("{}:anybody", line(&answer, "a=ice-ufrag:"));
    let mut strangers = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(endpoint.tcp_addrs()[0]).unwrap();
        let check = check_of_a_stranger(&username, number);
        stream.write_all(&framed(&check)).unwrap();
        stream.set_nonblocking(true).unwrap();
        strangers.push(stream);
    }
    let hung_up_on = async {
        while far.connectivity_report().ice.refused_streams < 84 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, hung_up_on).await.unwrap();
    let sixteen_left = async {
        loop {
            strangers.retain_mut(is_open);
            if strangers.len() == 16 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, sixteen_left).await.unwrap();
    assert!(far.connectivity_report().ice.unauthenticated >= 100);
    near.set_remote_description(answer).await.unwrap();
    let talk = Talk::once_open(near, ours, far).await;
    talk.echo("past the crowd").await;
    other.echo("what crowd").await;
}

/// The same for a connection with a listener of its own, and strangers who say nothing at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_streams_do_not_keep_the_peer_out() {
    let (near, far) = (client(), client());
    let ours = near.create_data_channel("chat", None).unwrap();
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    let offer = near.local_description().unwrap();
    let offer = at_port(&offer, "tcp", port(&offer, "tcp"));
    far.set_remote_description(offer).await.unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    let answer = far.local_description().unwrap();
    let answer = at_port(&answer, "tcp", port(&answer, "tcp"));
    let to = SocketAddr::new(LOCALHOST, port(&answer, "tcp"));
    let crowd: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(to).unwrap()).collect();
    near.set_remote_description(answer).await.unwrap();
    let talk = Talk::once_open(near, ours, far).await;
    talk.echo("past the crowd").await;
    drop(crowd);
}

/// Copies a stream a few bytes at a time.
async fn trickle(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    bytes: usize,
) {
    let mut buf = vec![0; bytes];
    while let Ok(1..) = from.read(&mut buf[..1]).await {
        let more = from.try_read(&mut buf[1..]).unwrap_or(0);
        if to.write_all(&buf[..=more]).await.is_err() {
            return;
        }
    }
}

/// Something in the middle that cuts a stream wherever it likes: the packets are whole all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_comes_in_crumbs_carries_a_connection() {
    let endpoint = endpoint(true);
    let middle = tokio::net::TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let middle_at = middle.local_addr().unwrap().port();
    let endpoint_at = endpoint.tcp_addrs()[0];
    let cutting = tokio::spawn(async move {
        while let Ok((client, _)) = middle.accept().await {
            let server = tokio::net::TcpStream::connect(endpoint_at).await.unwrap();
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(trickle(from_client, to_server, 3));
            tokio::spawn(trickle(from_server, to_client, 7));
        }
    });
    let (near, far) = (client(), served(&endpoint));
    let ours = near.create_data_channel("chat", None).unwrap();
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    let offer = near.local_description().unwrap();
    far.set_remote_description(offer).await.unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    let answer = at_port(&far.local_description().unwrap(), "tcp", middle_at);
    near.set_remote_description(answer).await.unwrap();
    let talk = Talk::once_open(near, ours, far).await;
    talk.echo("crumb by crumb").await;
    talk.echo(&"a long message ".repeat(1000)).await;
    assert_eq!(endpoint.stats().lost_streams, 0);
    cutting.abort();
}

/// A TURN server on loopback with one user.
async fn turn_server() -> (turn::conn::Server, SocketAddr) {
    let provider = crypto::Provider::default();
    let users = turn::server::StaticCredentials::new(provider, "example.org");
    let users = Arc::new(users.with("alice", "secret"));
    let relay = turn::server::Relay::new(LOCALHOST);
    let mut config = turn::server::Config::new(provider, "example.org", users, relay);
    config.peers.loopback = true;
    config.max_challenges_per_second = 2000;
    let server = turn::conn::Server::new(config, turn::conn::Limits::default()).unwrap();
    let socket = tokio::net::UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    server.listen_udp(socket).unwrap();
    (server, address)
}

/// A connection that goes through nothing but the relay.
fn relayed(server: SocketAddr) -> PeerConnection {
    let mut ice_server = IceServer::new(vec![format!("turn:{server}")]);
    "alice".clone_into(&mut ice_server.username);
    "secret".clone_into(&mut ice_server.credential);
    let mut configuration = Configuration::default();
    configuration.ice_servers = vec![ice_server];
    configuration.ice_transport_policy = IceTransportPolicy::Relay;
    let builder = PeerConnection::with_stack(configuration, stack());
    builder.build().unwrap()
}

/// Requests for allocations from many addresses, without credentials and with wrong ones, and data of
/// channels that nobody has bound.
fn allocation_flood(to: SocketAddr, stop: Arc<AtomicBool>) -> u32 {
    let sources: Vec<UdpSocket> = (0..64)
        .map(|_| UdpSocket::bind((LOCALHOST, 0)).unwrap())
        .collect();
    let key = crypto::Provider::default().hmac_sha1.key(b"wrong");
    let mut number: u32 = 0;
    for source in sources.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut id = *b"allocations.";
        id[8..].copy_from_slice(&number.to_be_bytes());
        let id = TransactionId(id);
        let mut bare = [0; 200];
        let len = Builder::new(&mut bare, Class::Request, Method::ALLOCATE, id)
            .attribute(&RequestedTransport::UDP)
            .finish();
        let mut signed = [0; 200];
        let signed_len = Builder::new(&mut signed, Class::Request, Method::ALLOCATE, id)
            .attribute(&RequestedTransport::UDP)
            .attribute(&Username("alice"))
            .attribute(&Realm("example.org"))
            .attribute(&Nonce("never given out"))
            .integrity(&*key)
            .finish();
        let packets = [
            &bare[..len.unwrap()],
            &signed[..signed_len.unwrap()],
            b"\x40\x00\x00\x04data",
        ];
        for packet in packets {
            // A full socket is what a flood is for.
            let _ = source.send_to(packet, to);
        }
        number += 1;
        if number.is_multiple_of(16) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    number
}

/// turn-033: a flood of requests for allocations leaves nothing behind, is answered within a budget and
/// counted; relayed connections open and go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_allocations_does_not_harm_those_who_are_relayed() {
    let (server, address) = turn_server().await;
    let stop = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&stop);
    let flooding = std::thread::spawn(move || allocation_flood(address, until));
    let (near, far) = (relayed(address), relayed(address));
    let ours = near.create_data_channel("chat", None).unwrap();
    timeout(LIMIT, connect(&near, &far)).await.unwrap();
    let talk = Talk::once_open(near, ours, far).await;
    for number in 0..50 {
        talk.echo(&format!("number {number}")).await;
    }
    let flooded = async {
        while server.stats().machine.challenges_suppressed == 0 {
            talk.echo("still here").await;
        }
    };
    timeout(LIMIT, flooded).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
    talk.echo("after the flood").await;
    let pair = talk.near.selected_candidate_pair().unwrap();
    assert!(pair.local.candidate().contains("typ relay"), "{pair:?}");
    let stats = server.stats().machine;
    assert_eq!(stats.allocations, 2, "{stats:?}");
    let strangers = [
        stats.challenges,
        stats.unauthenticated,
        stats.unpermitted_to_peers,
    ];
    assert!(strangers.iter().all(|count| *count > 100), "{stats:?}");
}
