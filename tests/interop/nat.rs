//! Two connections behind real NATs: Linux routers with nftables, in network namespaces.
//!
//! ```text
//!  the test's namespace: a STUN server on a bridge, 198.51.100.1
//!  ──┬───────────────────────────┬──
//!    │ 198.51.100.11             │ 198.51.100.12
//!  router, nft masquerade      router, nft masquerade
//!    │ 192.168.1.1               │ 192.168.1.1
//!  offerer, 192.168.1.2        answerer, 192.168.1.3
//! ```
//!
//! Peers are this program once more, each in the namespace of its host; what they signal to each
//! other lies in files.

use crate::network::{self, Inside};
use muonrtc::{
    Configuration, DataChannelMessage, IceCandidatePair, IceServer, PeerConnection,
    PeerConnectionEvent, SdpType, SessionDescription,
};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};
use stun::{Builder, Class, Message, Method, XorMappedAddress};

const STUN: &str = "198.51.100.1:3478";

/// Set in a peer: `offerer` or `answerer`.
const PEER: &str = "MUON_INTEROP_PEER";

/// Whatever takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// What a Linux router does of itself: it keeps ports where it can and lets answers in, which makes
/// it a port-restricted NAT (RFC 4787 §4.1, §5). What is for the router itself is dropped, as by any
/// home router: an answer of its own would take the mapping's place.
const RULES: &str = "
table ip nat {
    chain out { type nat hook postrouting priority srcnat; oifname wan masquerade; }
}
table ip filter {
    chain through {
        type filter hook forward priority filter; policy drop;
        iifname lan accept
        ct state established,related accept
    }
    chain in { type filter hook input priority filter; iifname wan drop; }
}";

#[test]
fn peers_behind_nats_of_linux() {
    const NAME: &str = "nat::peers_behind_nats_of_linux";
    let Some(inside) = Inside::from_env() else {
        let wanted = env::var("MUON_INTEROP").unwrap_or_default();
        if wanted == "skip" {
            println!("left out: {NAME} (MUON_INTEROP=skip)");
            return;
        }
        return network::run_inside(NAME);
    };
    if let Ok(role) = env::var(PEER) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
        return runtime.block_on(peer(&role, inside.scratch()));
    }
    internet();
    let homes = [home(11, 2), home(12, 3)];
    let mut peers = [("offerer", &homes[0]), ("answerer", &homes[1])]
        .map(|(role, home)| home.host.start(NAME, role));
    for peer in &mut peers {
        let status = peer.wait().expect("the peer ends");
        assert!(status.success(), "a peer failed: {status}");
    }
}

// --- the network ---

/// A network namespace, as long as its first process.
struct Namespace(Child);

impl Namespace {
    fn new() -> Self {
        let mut sleep = Command::new("unshare");
        let child = sleep.args(["--net", "sleep", "600"]).spawn();
        let namespace = Self(child.expect("`unshare` was there before"));
        let own = fs::read_link("/proc/self/ns/net").expect("Linux");
        while fs::read_link(namespace.path()).is_ok_and(|theirs| theirs == own) {
            thread::sleep(Duration::from_millis(5));
        }
        namespace.run("ip link set lo up");
        namespace
    }

    fn path(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.0.id()).into()
    }

    /// A command that runs inside.
    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display()));
        command
    }

    fn run(&self, line: &str) {
        succeed(self.enter().args(line.split(' ')), line);
    }

    /// This program, as a peer.
    fn start(&self, test: &str, role: &str) -> Child {
        let this = env::current_exe().expect("this test has a path");
        let mut command = self.enter();
        command
            .arg(this)
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(PEER, role)
            .stdin(Stdio::null());
        command.spawn().expect("this test runs once more")
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A host behind a router.
struct Home {
    _router: Namespace,
    host: Namespace,
}

fn succeed(command: &mut Command, what: &str) {
    let done = command.output();
    let done = done.unwrap_or_else(|e| panic!("`{what}` cannot be run ({e})"));
    assert!(
        done.status.success(),
        "`{what}` failed: {}",
        String::from_utf8_lossy(&done.stderr).trim()
    );
}

fn run(line: &str) {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    succeed(command.args(words), line);
}

/// The bridge that all routers stand on, and the STUN server.
fn internet() {
    run("ip link set lo up");
    run("ip link add internet type bridge");
    run("ip addr add 198.51.100.1/24 dev internet");
    run("ip link set internet up");
    let socket = UdpSocket::bind(STUN).expect("the address is ours");
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let Ok(request) = Message::parse(&buffer[..len]) else {
                continue;
            };
            let mut answer = [0; 128];
            let id = request.transaction_id();
            let mut builder = Builder::new(&mut answer, Class::Success, Method::BINDING, id);
            builder.attribute(&XorMappedAddress(from)).fingerprint();
            let len = builder.finish().expect("there is room");
            socket.send_to(&answer[..len], from).expect("sent");
        }
    });
}

/// A router at 198.51.100.`outside` and a host at 192.168.1.`inside` behind it.
fn home(outside: u8, inside: u8) -> Home {
    let (router, host) = (Namespace::new(), Namespace::new());
    let (port, at) = (format!("port{outside}"), router.0.id());
    run(&format!(
        "ip link add {port} type veth peer name wan netns {at}"
    ));
    run(&format!("ip link set {port} master internet up"));
    let at = host.0.id();
    router.run(&format!(
        "ip link add lan type veth peer name eth0 netns {at}"
    ));
    router.run(&format!("ip addr add 198.51.100.{outside}/24 dev wan"));
    router.run("ip addr add 192.168.1.1/24 dev lan");
    router.run("ip link set wan up");
    router.run("ip link set lan up");
    router.run("sysctl -q -w net.ipv4.ip_forward=1");
    let mut nft = router.enter();
    succeed(
        nft.args(["nft", RULES]),
        "nft, the rules of a router (Debian: nftables)",
    );
    host.run(&format!("ip addr add 192.168.1.{inside}/24 dev eth0"));
    host.run("ip link set eth0 up");
    host.run("ip route add default via 192.168.1.1");
    Home {
        _router: router,
        host,
    }
}

// --- the peers ---

async fn peer(role: &str, scratch: &Path) {
    let whole = async {
        let mut configuration = Configuration::default();
        configuration.ice_servers = vec![IceServer::new(vec![format!("stun:{STUN}")])];
        let connection = PeerConnection::builder(configuration)
            .build()
            .expect("valid");
        let pair = match role {
            "offerer" => offer(&connection, scratch).await,
            _ => answer(&connection, scratch).await,
        };
        println!("{role}: {pair}");
        let types = [&pair.local, &pair.remote].map(|it| it.candidate_type().map(|it| it.as_str()));
        assert_eq!(types, [Some("srflx"); 2], "{pair}");
        connection.close();
        connection.closed().await;
    };
    tokio::time::timeout(LIMIT, whole)
        .await
        .unwrap_or_else(|_| panic!("the {role} is not done after {LIMIT:?}"));
}

async fn offer(connection: &PeerConnection, scratch: &Path) -> IceCandidatePair {
    let channel = connection.create_data_channel("nat", None).expect("open");
    signal(connection, scratch, "offer").await;
    let answer = heard(scratch, "answer").await;
    let answer = SessionDescription::new(SdpType::Answer, answer);
    connection
        .set_remote_description(answer)
        .await
        .expect("valid");
    channel.opened().await.expect("a way through both");
    channel.send_text("through both").await.expect("open");
    let back = channel.recv().await;
    assert_eq!(back, Some(DataChannelMessage::Text("and back".into())));
    selected(connection).await
}

async fn answer(connection: &PeerConnection, scratch: &Path) -> IceCandidatePair {
    let offer = heard(scratch, "offer").await;
    let offer = SessionDescription::new(SdpType::Offer, offer);
    connection
        .set_remote_description(offer)
        .await
        .expect("valid");
    signal(connection, scratch, "answer").await;
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::DataChannel(channel) = event.kind {
            let question = channel.recv().await;
            assert_eq!(
                question,
                Some(DataChannelMessage::Text("through both".into()))
            );
            channel.send_text("and back").await.expect("open");
            let pair = selected(connection).await;
            // Until the offerer closes: what was sent has arrived by then.
            while channel.recv().await.is_some() {}
            return pair;
        }
    }
    panic!("closed before the channel came");
}

/// Data flows before a pair is nominated (RFC 8445 §12).
async fn selected(connection: &PeerConnection) -> IceCandidatePair {
    loop {
        if let Some(pair) = connection.selected_candidate_pair() {
            return pair;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes our description where the other one looks for it.
async fn signal(connection: &PeerConnection, scratch: &Path, name: &str) {
    connection.set_local_description(None).await.expect("valid");
    connection.gathering_complete().await;
    let description = connection.local_description().expect("just set");
    let half = scratch.join(format!("{name}.half"));
    fs::write(&half, description.sdp()).expect("the folder is ours");
    fs::rename(half, scratch.join(name)).expect("the folder is ours");
}

async fn heard(scratch: &Path, name: &str) -> String {
    loop {
        if let Ok(description) = fs::read_to_string(scratch.join(name)) {
            return description;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
