//! What a configuration may be, and W3C `setConfiguration` (webrtc-pc §4.4.1.6).
#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

use layer::CertificateParams;
use muonrtc_peerconnection::{
    BundlePolicy, Configuration, ErrorKind, IceGatheringState, IceServer, IceTransportPolicy,
    PeerConnection, PeerConnectionEvent, RtcpMuxPolicy, Session, SessionDescription,
    SignalingState, Stack,
};
use std::task::Waker;
use std::time::Duration;
use testkit::{Clock, layer_seed};

fn with_servers(urls: &[&str]) -> Configuration {
    let mut configuration = Configuration::default();
    configuration.ice_servers = urls
        .iter()
        .map(|url| IceServer::new(vec![(*url).to_owned()]))
        .collect();
    configuration
}

fn fragment(description: &SessionDescription) -> String {
    let mut lines = description.sdp().lines();
    let line = lines.find(|line| line.starts_with("a=ice-ufrag:"));
    line.unwrap().to_owned()
}

async fn connected() -> (PeerConnection, PeerConnection) {
    let peer = || {
        PeerConnection::builder(Configuration::default())
            .build()
            .unwrap()
    };
    let (alice, bob) = (peer(), peer());
    let _channel = alice.create_data_channel("a", None).unwrap();
    alice.set_local_description(None).await.unwrap();
    bob.set_remote_description(alice.local_description().unwrap())
        .await
        .unwrap();
    bob.set_local_description(None).await.unwrap();
    alice
        .set_remote_description(bob.local_description().unwrap())
        .await
        .unwrap();
    (alice, bob)
}

// pc-007
#[tokio::test]
async fn servers_that_cannot_be_asked_are_refused() {
    let refused = |urls: &[&str]| {
        let built = PeerConnection::builder(with_servers(urls)).build();
        built.err().map(|error| error.kind())
    };
    assert_eq!(refused(&["http://a.example"]), Some(ErrorKind::Syntax));
    assert_eq!(refused(&["turn:a.example"]), Some(ErrorKind::InvalidAccess));
    assert_eq!(refused(&["stun:a.example"]), None);
}

// pc-008
#[test]
fn the_defaults_are_those_of_the_w3c() {
    let configuration = Configuration::default();
    assert_eq!(configuration.bundle_policy, BundlePolicy::Balanced);
    assert_eq!(configuration.rtcp_mux_policy, RtcpMuxPolicy::Require);
    assert_eq!(configuration.ice_transport_policy, IceTransportPolicy::All);
    assert_eq!(configuration.ice_candidate_pool_size, 0);
}

// pc-009
#[tokio::test]
async fn what_cannot_change_is_refused_and_changes_nothing() {
    let (alice, _bob) = connected().await;
    let kind = |configuration| {
        alice
            .set_configuration(configuration)
            .map_err(|it| it.kind())
    };
    let mut bundled = with_servers(&["stun:192.0.2.1"]);
    bundled.bundle_policy = BundlePolicy::MaxBundle;
    assert_eq!(kind(bundled), Err(ErrorKind::InvalidModification));
    let mut pool = Configuration::default();
    pool.ice_candidate_pool_size = 3;
    assert_eq!(kind(pool), Err(ErrorKind::InvalidModification));
    assert_eq!(kind(with_servers(&["stun:"])), Err(ErrorKind::Syntax));
    assert!(alice.configuration().ice_servers.is_empty());
    alice.close();
    assert_eq!(kind(Configuration::default()), Err(ErrorKind::InvalidState));
}

// pc-010
#[tokio::test]
async fn new_servers_make_the_next_offer_a_restart() {
    let (alice, _bob) = connected().await;
    let before = fragment(&alice.local_description().unwrap());
    let same = alice.create_offer(None).await.unwrap();
    assert_eq!(fragment(&same), before);
    alice.set_configuration(Configuration::default()).unwrap();
    assert_eq!(fragment(&alice.create_offer(None).await.unwrap()), before);
    alice
        .set_configuration(with_servers(&["stun:192.0.2.1"]))
        .unwrap();
    assert_eq!(alice.configuration().ice_servers.len(), 1);
    let offer = alice.create_offer(None).await.unwrap();
    assert_ne!(fragment(&offer), before);
}

// pc-060
#[tokio::test]
async fn a_state_that_is_told_can_be_read_and_events_are_in_order() {
    let alice = PeerConnection::builder(Configuration::default())
        .build()
        .unwrap();
    let _channel = alice.create_data_channel("a", None).unwrap();
    alice.set_local_description(None).await.unwrap();
    let (mut last, mut told) = (None, false);
    loop {
        let event = alice.next_event().await.unwrap();
        assert!(Some(event.sequence) > last, "{event:?} after {last:?}");
        last = Some(event.sequence);
        match event.kind {
            PeerConnectionEvent::SignalingStateChange(state) => {
                assert_eq!(state, SignalingState::HaveLocalOffer);
                assert_eq!(alice.signaling_state(), state);
                told = true;
            }
            PeerConnectionEvent::IceGatheringStateChange(IceGatheringState::Complete) => break,
            _ => {}
        }
    }
    assert!(told);
    assert_eq!(alice.ice_gathering_state(), IceGatheringState::Complete);
}

/// webrtc-pc §4.4.1.1: one certificate that has expired is one too many, wherever it stands.
#[test]
fn a_certificate_that_has_expired_is_refused() {
    let mut clock = Clock::new();
    let start = |clock: &Clock| clock.start(layer_seed(1, b"expired "));
    let made = |lifetime| {
        let mut params = CertificateParams::default();
        params.lifetime = Duration::from_secs(lifetime);
        let dtls = Stack::default().dtls;
        dtls.generate_certificate(start(&clock), &params).unwrap()
    };
    let (short, long) = (made(60), made(120));
    let built = |clock: &Clock, certificates| {
        let mut configuration = Configuration::default();
        configuration.certificates = certificates;
        let waker = Waker::noop().clone();
        let session = Session::new(start(clock), configuration, Stack::default(), waker);
        session.map(drop).map_err(|error| error.kind())
    };
    let both = [long.clone(), short.clone()];
    assert_eq!(built(&clock, both.to_vec()), Ok(()));
    clock.advance_to(clock.now() + Duration::from_secs(61));
    for given in [vec![short], both.to_vec()] {
        assert_eq!(built(&clock, given), Err(ErrorKind::InvalidAccess));
    }
    assert_eq!(built(&clock, vec![long]), Ok(()));
}
