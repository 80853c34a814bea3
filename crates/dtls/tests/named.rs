//! A client of a server that is known by its name and not by a fingerprint, as servers of TURN are
//! (RFC 8656 §3.1, RFC 7443).
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![cfg(feature = "ring")]

use layer::{DtlsConfig, DtlsRole, DtlsState, DtlsVersion, NewDtls, SealError};
use muonrtc_dtls::Factory;
use std::task::Waker;
use testkit::{Clock, DtlsPeer, Link, Pair};

const NAME: &str = "turn.example.org";

fn factory(version: DtlsVersion) -> Factory {
    let mut factory = Factory::default();
    factory.max_version = version;
    factory
}

fn turn(name: &str) -> impl Fn(&mut DtlsConfig) {
    let name = name.to_owned();
    move |config| {
        config.protocols = vec![b"stun.turn".to_vec()];
        config.server_name = Some(name.clone());
    }
}

/// The first datagram of a client.
fn hello(configure: impl Fn(&mut DtlsConfig)) -> Vec<u8> {
    let (factory, clock) = (Factory::default(), Clock::new());
    let start = testkit::seed(1).start(&clock, b"dtls    ");
    let params = layer::CertificateParams::default();
    let certificate = factory.generate_certificate(start, &params).unwrap();
    let mut config = DtlsConfig::new(certificate, Waker::noop().clone());
    configure(&mut config);
    let mut session = factory.new_dtls(start, config).unwrap();
    session.set_role(clock.now(), DtlsRole::Client).unwrap();
    let mut buf = [0; 2048];
    let len = session.poll_transmit(clock.now(), &mut buf).unwrap();
    assert_eq!(
        session.poll_transmit(clock.now(), &mut buf),
        None,
        "one datagram"
    );
    buf[..len].to_vec()
}

fn contains(datagram: &[u8], part: &[u8]) -> bool {
    datagram.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_client_says_whom_it_wants_and_what_for() {
    let datagram = hello(turn(NAME));
    // RFC 6066 §3: extension 0, a list of one host name.
    let said = [&[0, 0, 0, 21, 0, 19, 0, 0, 16][..], NAME.as_bytes()].concat();
    assert!(contains(&datagram, &said));
    assert!(contains(&datagram, b"\x09stun.turn"));
    assert!(!contains(&datagram, b"webrtc"));
    // RFC 5764 §4.1.1: no use_srtp, 14, with the profiles that peers are offered.
    assert!(!contains(&datagram, &[0, 14, 0]));
}

#[test]
fn addresses_are_not_said_and_peers_have_no_names() {
    for address in ["192.0.2.1", "2001:db8::1"] {
        assert!(!contains(&hello(turn(address)), address.as_bytes()));
    }
    let peers = hello(|_| ());
    assert!(contains(&peers, b"\x06webrtc"));
    assert!(!contains(&peers, NAME.as_bytes()));
    let nothing = hello(|config| config.protocols.clear());
    assert!(!contains(&nothing, b"webrtc"));
}

fn connecting(version: DtlsVersion, seed: u64) -> Pair<DtlsPeer> {
    let ours = factory(version);
    let factories: [&dyn NewDtls; 2] = [&ours, &ours];
    let mut pair = Pair::dtls(factories, Clock::new(), &Link::perfect(), seed, turn(NAME));
    let now = pair.now();
    let client = pair.a.certificate.clone();
    pair.b.expect(now, &*client);
    pair.b.machine.set_role(now, DtlsRole::Server).unwrap();
    pair.a.machine.set_role(now, DtlsRole::Client).unwrap();
    pair
}

#[test]
fn who_the_server_is_can_be_settled_when_the_handshake_is_over() {
    for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
        let mut pair = connecting(version, 1);
        assert!(pair.run_until(std::time::Duration::from_secs(5), |pair| {
            pair.a.machine.security().is_some()
        }));
        let now = pair.now();
        let client = &mut pair.a.machine;
        assert_eq!(client.state(), DtlsState::Connecting);
        let shown = client.remote_certificates();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0], pair.b.certificate.der());
        let early = client.seal_into(now, b"early", &mut [0; 100]);
        assert_eq!(early, Err(SealError::NotConnected));
        client.set_remote_fingerprints(now, &pair.b.certificate.fingerprints());
        assert_eq!(client.state(), DtlsState::Connected);
    }
}
