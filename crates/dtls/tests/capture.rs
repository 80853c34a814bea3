//! Against what real stacks sent, as it was on the wire.

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use layer::{Dtls, DtlsConfig, DtlsRole, DtlsState, NewDtls};
use muonrtc_dtls::Factory;
use std::path::PathBuf;
use std::task::Waker;
use support::{V1_2, V1_3, factory};
use testkit::Clock;

/// Sessions of real stacks with aiortc, and who was the client.
const CAPTURES: [(&str, &str); 9] = [
    ("chromium", "out"),
    ("chromium-answer", "in"),
    ("firefox", "out"),
    ("firefox-answer", "in"),
    ("libwebrtc-node", "out"),
    ("pion3", "out"),
    ("werift", "out"),
    ("aiortc", "out"),
    ("libdatachannel", "out"),
];

const CONTENT_HANDSHAKE: u8 = 22;
const CONTENT_ALERT: u8 = 21;
const SERVER_HELLO: u8 = 2;

/// The DTLS datagrams of one capture: direction and bytes. `None` without the captures.
fn capture(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/packets");
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))) else {
        println!("left out: {name}.jsonl is absent");
        return None;
    };
    let field = |line: &str, key: &str| {
        let marker = format!("\"{key}\":");
        let value = line.split_once(&marker)?.1.trim_start();
        Some(value.strip_prefix('"')?.split_once('"')?.0.to_owned())
    };
    let datagrams = text.lines().filter_map(|line| {
        if field(line, "kind")? != "dtls" {
            return None;
        }
        let hex = field(line, "hex")?;
        let bytes = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        Some((field(line, "dir")?, bytes))
    });
    Some(datagrams.collect())
}

/// The client's datagrams before the server's first.
fn first_flight(capture: &[(String, Vec<u8>)], client: &str) -> Vec<Vec<u8>> {
    let flight = capture.iter().take_while(|(dir, _)| dir == client);
    flight.map(|(_, bytes)| bytes.clone()).collect()
}

fn session(factory: &Factory, role: DtlsRole) -> Box<dyn Dtls> {
    let start = testkit::seed(1).start(&Clock::new(), b"capture ");
    let certificate = factory
        .generate_certificate(start, &layer::CertificateParams::default())
        .unwrap();
    let config = DtlsConfig::new(certificate, Waker::noop().clone());
    let mut session = factory.new_dtls(start, config).unwrap();
    session.set_role(start.now, role).unwrap();
    session
}

fn answers(session: &mut dyn Dtls) -> Vec<Vec<u8>> {
    let now = Clock::new().now();
    let mut buf = [0; 1500];
    let mut answers = Vec::new();
    while let Some(len) = session.poll_transmit(now, &mut buf) {
        answers.push(buf[..len].to_vec());
    }
    answers
}

// dtls-020, dtls-045, dfx-036, dfx-037, dfx-038
#[test]
fn every_real_client_hello_is_answered_with_a_server_hello_in_any_order() {
    for (name, client) in CAPTURES {
        let Some(capture) = capture(name) else { return };
        let flight = first_flight(&capture, client);
        assert!(!flight.is_empty(), "{name}");
        for versions in [[V1_2, V1_3], [V1_2, V1_2]] {
            for reversed in [false, true] {
                let mut order = flight.clone();
                if reversed {
                    order.reverse();
                }
                let mut session = session(&factory(versions), DtlsRole::Server);
                for mut datagram in order {
                    session.handle_input(Clock::new().now(), &mut datagram);
                }
                let answers = answers(&mut *session);
                let first = answers
                    .first()
                    .unwrap_or_else(|| panic!("{name}: no answer"));
                assert_eq!(
                    first[0], CONTENT_HANDSHAKE,
                    "{name} {versions:?} {reversed}"
                );
                assert_eq!(first[13], SERVER_HELLO, "{name} {versions:?} {reversed}");
                assert_eq!(session.state(), DtlsState::Connecting, "{name}");
            }
        }
    }
}

/// The captured servers chose after another ClientHello than ours: nothing can come of it, and that
/// must be noticed without a panic.
#[test]
fn a_server_flight_of_another_session_never_connects() {
    for (name, client) in CAPTURES {
        let Some(capture) = capture(name) else { return };
        for versions in [[V1_2, V1_3], [V1_2, V1_2], [V1_3, V1_3]] {
            let mut session = session(&factory(versions), DtlsRole::Client);
            answers(&mut *session);
            for (_, bytes) in capture.iter().filter(|(dir, _)| dir != client) {
                session.handle_input(Clock::new().now(), &mut bytes.clone());
                answers(&mut *session);
            }
            assert_ne!(session.state(), DtlsState::Connected, "{name}");
        }
    }
}

// dtls-018, dtls-021
#[test]
fn changed_captures_neither_panic_nor_connect() {
    let seed = testkit::seed(1);
    for (name, _) in CAPTURES {
        let Some(capture) = capture(name) else { return };
        for round in 0..6_u64 {
            let mut random = testkit::Random::new(seed.value() + round, b"capture ");
            let role = if round % 2 == 0 {
                DtlsRole::Server
            } else {
                DtlsRole::Client
            };
            let mut session = session(&factory([V1_2, V1_3]), role);
            for (_, bytes) in &capture {
                let mut bytes = bytes.clone();
                for _ in 0..=random.below(4) {
                    let at = random.below(bytes.len());
                    bytes[at] ^= 1 << random.below(8);
                }
                session.handle_input(Clock::new().now(), &mut bytes);
                answers(&mut *session);
            }
            assert_ne!(session.state(), DtlsState::Connected, "{name} {seed:?}");
        }
    }
}

// dfx-039
#[test]
fn a_servers_refusal_in_plaintext_ends_an_undecided_client() {
    let mut session = session(&factory([V1_2, V1_3]), DtlsRole::Client);
    let mut alert = vec![CONTENT_ALERT, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
    session.handle_input(Clock::new().now(), &mut alert);
    assert_eq!(session.state(), DtlsState::Failed);
}
