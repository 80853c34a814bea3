//! One call tells why a connection is not connected.
#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_peerconnection::layer::Blame;
use muonrtc_peerconnection::{
    Configuration, ConnectivityReport, ConnectivityVerdict, IceServer, PeerConnection,
    PeerConnectionState, SdpType, SessionDescription,
};
use std::time::Duration;

fn peer(configuration: Configuration) -> PeerConnection {
    PeerConnection::builder(configuration).build().unwrap()
}

/// Offer and answer between two peers, each as its function makes it.
async fn negotiated(
    change_offer: impl Fn(&str) -> String,
    change_answer: impl Fn(&str) -> String,
) -> (PeerConnection, PeerConnection) {
    let (alice, bob) = (
        peer(Configuration::default()),
        peer(Configuration::default()),
    );
    let _channel = alice.create_data_channel("a", None).unwrap();
    alice.set_local_description(None).await.unwrap();
    alice.gathering_complete().await;
    let offer = change_offer(alice.local_description().unwrap().sdp());
    let offer = SessionDescription::new(SdpType::Offer, offer);
    bob.set_remote_description(offer).await.unwrap();
    bob.set_local_description(None).await.unwrap();
    bob.gathering_complete().await;
    let answer = change_answer(bob.local_description().unwrap().sdp());
    let answer = SessionDescription::new(SdpType::Answer, answer);
    alice.set_remote_description(answer).await.unwrap();
    (alice, bob)
}

/// The first report that `is_it` accepts.
async fn report(
    connection: &PeerConnection,
    is_it: impl Fn(&ConnectivityReport) -> bool,
) -> ConnectivityReport {
    let found = async {
        loop {
            let report = connection.connectivity_report();
            if is_it(&report) {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), found).await;
    found.unwrap_or_else(|_| panic!("still {}", connection.connectivity_report()))
}

#[tokio::test]
async fn a_connection_without_descriptions_is_not_negotiated() {
    let alone = peer(Configuration::default());
    let report = alone.connectivity_report();
    assert_eq!(report.verdict, ConnectivityVerdict::NotNegotiated);
    alone.close();
    let report = alone.connectivity_report();
    assert_eq!(report.verdict, ConnectivityVerdict::Closed);
}

#[tokio::test]
async fn a_connected_one_names_its_pair() {
    let (alice, _bob) = negotiated(str::to_owned, str::to_owned).await;
    let is_connected =
        |report: &ConnectivityReport| report.verdict == ConnectivityVerdict::Connected;
    let report = report(&alice, is_connected).await;
    let nominated: Vec<_> = report
        .ice
        .pairs
        .iter()
        .filter(|pair| pair.nominated)
        .collect();
    assert!(!nominated.is_empty(), "{report}");
    let text = report.to_string();
    assert!(text.starts_with("connected\n"), "{text}");
    assert!(text.contains(", nominated, "), "{text}");
    assert!(text.contains("DTLS connected"), "{text}");
}

#[tokio::test]
async fn a_peer_without_candidates_is_told() {
    let without_candidates = |sdp: &str| {
        let lines = sdp.lines().filter(|line| !line.starts_with("a=candidate:"));
        lines.map(|line| format!("{line}\r\n")).collect()
    };
    let (alice, _bob) = negotiated(str::to_owned, without_candidates).await;
    // Bob knows where Alice is, and his checks would be candidates too.
    let verdict = alice.connectivity_report().verdict;
    assert!(
        [
            ConnectivityVerdict::NoRemoteCandidates,
            ConnectivityVerdict::Checking,
            ConnectivityVerdict::Handshaking,
            ConnectivityVerdict::Connected
        ]
        .contains(&verdict)
    );
}

/// The password of another connection: checks arrive, and are not for us.
#[tokio::test]
async fn other_credentials_are_told() {
    let other_password = |sdp: &str| {
        let lines = sdp.lines().map(|line| match line.split_once("a=ice-pwd:") {
            Some(_) => "a=ice-pwd:0123456789012345678901\r\n".to_owned(),
            None => format!("{line}\r\n"),
        });
        lines.collect()
    };
    let (_alice, bob) = negotiated(other_password, other_password).await;
    let report = report(&bob, |report| report.ice.unauthenticated > 0).await;
    assert_eq!(report.verdict, ConnectivityVerdict::OtherCredentials);
    assert!(report.to_string().contains("had other credentials"));
}

/// A fingerprint that is not the peer's: there is a path, and it is not trusted.
#[tokio::test]
async fn another_certificate_ends_the_handshake() {
    let other_fingerprint = |sdp: &str| {
        let lines = sdp
            .lines()
            .map(|line| match line.split_once("a=fingerprint:sha-256 ") {
                Some(_) => {
                    let bytes = ["00"; 32].join(":");
                    format!("a=fingerprint:sha-256 {bytes}\r\n")
                }
                None => format!("{line}\r\n"),
            });
        lines.collect()
    };
    let (alice, _bob) = negotiated(str::to_owned, other_fingerprint).await;
    let is_failed =
        |report: &ConnectivityReport| report.connection_state == PeerConnectionState::Failed;
    let report = report(&alice, is_failed).await;
    let ConnectivityVerdict::Ended(end) = &report.verdict else {
        panic!("{report}");
    };
    assert_eq!(end.blame, Blame::Identity);
}

/// A server that nobody is at is named with what went wrong.
#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    let mut configuration = Configuration::default();
    let nowhere = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("stun:{}", nowhere.local_addr().unwrap());
    configuration.ice_servers = vec![IceServer::new(vec![url.clone()])];
    let alice = peer(configuration);
    let _channel = alice.create_data_channel("a", None).unwrap();
    alice.set_local_description(None).await.unwrap();
    let report = report(&alice, |report| !report.ice.servers.is_empty()).await;
    assert!(report.ice.servers.iter().all(|server| server.url == url));
    assert!(report.to_string().contains(&format!("  server {url}")));
}
