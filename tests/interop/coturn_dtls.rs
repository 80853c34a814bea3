//! Whole connections that have a relay of coturn's over DTLS for their only way: our DTLS, as a client,
//! with OpenSSL's.

use crate::coturn::{Coturn, Identity, PASSWORD, USER, interop};
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, IceServer, IceTransportPolicy, PeerConnection,
    PeerConnectionEvent, Stack,
};
use net::{Connector, TlsClient};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A key for tests and for nothing else.
const RSA_KEY: &str = include_str!("rsa_2048.pem");

/// A root, one between, and a leaf with an RSA key: several records of a handshake's messages, and
/// several fragments of one message.
fn chain_with_rsa() -> Identity {
    let authority = |name: &str| {
        let mut params = CertificateParams::new([]).expect("no names are names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let key = || KeyPair::generate().expect("a key");
    let root = CertifiedIssuer::self_signed(authority("root"), key()).expect("a root");
    let between = authority("one between");
    let between = CertifiedIssuer::signed_by(between, key(), &root).expect("one between");
    // Of the names only the first is the server's.
    let names = (0..40).map(|number| format!("turn-{number}.example.org"));
    let names = std::iter::once(LOCALHOST.to_string()).chain(names);
    let leaf = CertificateParams::new(names.collect::<Vec<_>>()).expect("names");
    let key = KeyPair::from_pem(RSA_KEY).expect("an RSA key");
    let leaf = leaf.signed_by(&key, &between).expect("a leaf");
    assert!(leaf.der().len() > 1200, "{}", leaf.der().len());
    Identity {
        chain: leaf.pem() + &between.pem(),
        key: key.serialize_pem(),
        root: root.der().to_vec(),
    }
}

fn trusting(root: &[u8]) -> Connector {
    trusting_all([root])
}

fn trusting_all<'a>(roots: impl IntoIterator<Item = &'a [u8]>) -> Connector {
    let mut connector = Connector::default();
    connector.tls = Some(TlsClient::trusting(roots).expect("certificates"));
    connector
}

/// A connection that may use a relay over DTLS and nothing else.
fn peer(coturn: &Coturn, connector: Connector, dtls: dtls::Factory) -> PeerConnection {
    let mut server = IceServer::default();
    server.urls = vec![format!("turns:{}?transport=udp", coturn.tls)];
    USER.clone_into(&mut server.username);
    PASSWORD.clone_into(&mut server.credential);
    let mut configuration = Configuration::default();
    configuration.ice_servers = vec![server];
    configuration.ice_transport_policy = IceTransportPolicy::Relay;
    let mut ice = ice::Factory::default();
    ice.include_loopback = true;
    ice.interface_filter = Some(ice::InterfaceFilter::new(|it| it.address == LOCALHOST));
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    stack.dtls = Arc::new(dtls);
    PeerConnection::with_stack(configuration, stack)
        .connector(connector)
        .build()
        .expect("a connection")
}

/// Connects without trickling.
async fn connect(offerer: &PeerConnection, answerer: &PeerConnection) {
    for (from, to) in [(offerer, answerer), (answerer, offerer)] {
        from.set_local_description(None).await.expect("described");
        from.gathering_complete().await;
        let description = from.local_description().expect("set");
        assert!(
            description.sdp().contains(" typ relay "),
            "{}",
            description.sdp()
        );
        to.set_remote_description(description).await.expect("taken");
    }
}

async fn incoming_channel(connection: &PeerConnection) -> DataChannel {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::DataChannel(channel) = event.kind {
            return channel;
        }
    }
    panic!("the connection closed before a channel came");
}

/// Data goes both ways.
async fn carries(alice: &PeerConnection, bob: &PeerConnection) {
    let ours = alice.create_data_channel("chat", None).expect("a channel");
    connect(alice, bob).await;
    ours.opened().await.expect("opened");
    let theirs = incoming_channel(bob).await;
    let large = bytes::Bytes::from(vec![7; 250_000]);
    for (one, other) in [(&ours, &theirs), (&theirs, &ours)] {
        for _ in 0..4 {
            one.send(large.clone()).await.expect("sent");
            let message = other.recv().await.expect("received");
            assert_eq!(message, DataChannelMessage::Binary(large.clone()));
        }
    }
}

async fn end(peers: [PeerConnection; 2]) {
    for peer in peers {
        peer.close();
        peer.closed().await;
    }
}

// turn-021, turn-023
#[test]
fn a_connection_goes_through_coturn_over_dtls() {
    interop(async {
        let coturn = Coturn::with_user().await;
        let peer = || {
            peer(
                &coturn,
                trusting(&coturn.identity.root),
                dtls::Factory::default(),
            )
        };
        let (alice, bob) = (peer(), peer());
        carries(&alice, &bob).await;
        end([alice, bob]).await;
    });
}

#[test]
fn a_chain_with_an_rsa_key_in_many_fragments_is_followed() {
    interop(async {
        let coturn = Coturn::with_user_as(chain_with_rsa()).await;
        let peer = |dtls| peer(&coturn, trusting(&coturn.identity.root), dtls);
        // One that offers 1.3 besides, and one that does not.
        let mut of_1_2 = dtls::Factory::default();
        of_1_2.max_version = layer::DtlsVersion::V1_2;
        let (alice, bob) = (peer(dtls::Factory::default()), peer(of_1_2));
        carries(&alice, &bob).await;
        end([alice, bob]).await;
    });
}

// turn-022
#[test]
fn a_connection_goes_where_coturn_sends_it_over_dtls_too() {
    interop(async {
        let second = Coturn::with_user().await;
        let alternate = format!("--tls-alternate-server={}", second.tls);
        let user = format!("--user={USER}:{PASSWORD}");
        let first = Coturn::start(&["--lt-cred-mech", &user, &alternate]).await;
        let peer = || {
            let roots = [&first.identity.root[..], &second.identity.root];
            peer(&first, trusting_all(roots), dtls::Factory::default())
        };
        let (alice, bob) = (peer(), peer());
        carries(&alice, &bob).await;
        // Without the second one nothing arrives any more.
        drop(second);
        let channel = alice.create_data_channel("another", None);
        channel.expect("a channel");
        let arriving = tokio::time::timeout(Duration::from_secs(1), incoming_channel(&bob));
        assert!(arriving.await.is_err(), "it goes through the second one");
        end([alice, bob]).await;
    });
}

#[test]
fn a_coturn_that_nobody_known_has_signed_is_refused() {
    interop(async {
        let coturn = Coturn::with_user().await;
        let other = trusting(&chain_with_rsa().root);
        let peer = peer(&coturn, other, dtls::Factory::default());
        let _channel = peer.create_data_channel("chat", None).expect("a channel");
        peer.set_local_description(None).await.expect("described");
        peer.gathering_complete().await;
        while let Some(event) = peer.next_event().await {
            if let PeerConnectionEvent::IceCandidateError(error) = event.kind {
                assert_eq!(error.code, 701);
                let reason = "the certificate is of an unknown issuer";
                assert!(error.text.ends_with(reason), "{}", error.text);
                return;
            }
        }
        panic!("no error was told");
    });
}

/// A user with a quota gets another relay as soon as the first has been given back.
#[test]
fn what_is_closed_is_given_back_to_coturn() {
    interop(async {
        let user = format!("--user={USER}:{PASSWORD}");
        let coturn = Coturn::start(&["--lt-cred-mech", &user, "--user-quota=2"]).await;
        let peer = || {
            peer(
                &coturn,
                trusting(&coturn.identity.root),
                dtls::Factory::default(),
            )
        };
        for _ in 0..3 {
            let (alice, bob) = (peer(), peer());
            carries(&alice, &bob).await;
            end([alice, bob]).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}
