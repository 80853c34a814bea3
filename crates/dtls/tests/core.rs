//! What our core does beyond what every implementation must.

#![cfg(feature = "ring")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod support;

use crypto::{Agreement, Provider};
use layer::{Blame, DtlsConfig, DtlsEvent, DtlsState, DtlsVersion, End, SrtpProfile};
use muonrtc_dtls::Factory;
use std::time::Duration;
use support::{DELAY, LIMIT, V1_2, V1_3, factory, pair, pair_over};
use testkit::{Clock, DtlsPeer, Fate, Link, Pair, Record, Side, fate};

const P384: u16 = 0x0018;

/// A provider with P-384 alone.
fn only_p384() -> Provider {
    let mut provider = Provider::default();
    let all = provider.agreements;
    let at = all.iter().position(|one| one.group() as u16 == P384);
    let only: &'static [&'static dyn Agreement] = std::slice::from_ref(&all[at.unwrap()]);
    provider.agreements = only;
    provider
}

fn end(peer: &DtlsPeer) -> &End {
    let mut events = peer.events.iter();
    events
        .find_map(|event| match event {
            DtlsEvent::Ended(end) => Some(end),
            _ => None,
        })
        .unwrap()
}

/// Sends a message each way.
fn assert_works(pair: &mut Pair<DtlsPeer>) {
    let now = pair.now();
    pair.a.send(now, b"from a").unwrap();
    pair.b.send(now, b"from b").unwrap();
    pair.run_for(LIMIT);
    assert_eq!(pair.a.messages.last().unwrap(), b"from b");
    assert_eq!(pair.b.messages.last().unwrap(), b"from a");
}

// dtls-038, dtls-045
#[test]
fn a_server_asks_for_a_share_of_its_only_group() {
    for lost in 0..6 {
        let client = factory([V1_2, V1_3]);
        let server = Factory::new(only_p384());
        let mut pair = pair(&client, &server);
        if lost > 0 {
            pair.fault = Some(fate::drop_nth(
                if lost % 2 == 0 { Side::A } else { Side::B },
                lost / 2,
            ));
        }
        assert!(pair.connect(LIMIT), "{lost}: {pair:?}");
        for end in [&pair.a, &pair.b] {
            let security = end.machine.security().unwrap();
            assert_eq!(security.version, DtlsVersion::V1_3);
            assert_eq!(security.group, Some(P384));
        }
        assert_works(&mut pair);
    }
}

// dtls-022, dtls-023, dtls-038
#[test]
fn a_server_that_verifies_addresses_asks_once_in_either_version() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3], [V1_2, V1_3]] {
        let client = factory([V1_2, V1_3]);
        let mut server = factory(versions);
        server.verify_address = true;
        let mut pair = pair(&client, &server);
        assert!(pair.connect(LIMIT), "{versions:?}");
        let round_trips = if versions == [V1_2, V1_2] { 3 } else { 2 };
        assert!(pair.elapsed() <= DELAY * (2 * round_trips + 1));
        assert!(pair.elapsed() > DELAY * (2 * round_trips - 1));
        assert_works(&mut pair);
    }
}

// dtls-039
#[test]
fn a_client_of_1_3_alone_takes_no_hello_verify_request() {
    let mut server = factory([V1_2, V1_2]);
    server.verify_address = true;
    let mut pair = pair(&factory([V1_3, V1_3]), &server);
    assert!(!pair.connect(Duration::from_secs(60)));
    assert_eq!(pair.a.machine.state(), DtlsState::Failed);
}

/// Takes 1.3 out of what the client offers.
fn downgrade(bytes: &[u8]) -> Option<Vec<u8>> {
    // supported_versions: its id, its length, the length of the list, 1.3, 1.2.
    let offer = [0, 43, 0, 5, 4, 0xFE, 0xFC, 0xFE, 0xFD];
    let at = bytes.windows(offer.len()).position(|part| part == offer)?;
    let mut bytes = bytes.to_vec();
    bytes[at + 6] = 0xFD;
    Some(bytes)
}

#[test]
fn a_client_notices_that_1_3_was_taken_out_of_its_offer() {
    let factory = factory([V1_2, V1_3]);
    let mut pair = pair(&factory, &factory);
    pair.fault = Some(Box::new(|leaving| {
        downgrade(leaving.bytes).map_or(Fate::Pass, Fate::Replace)
    }));
    assert!(!pair.connect(LIMIT));
    assert_eq!(end(&pair.a).blame, Blame::Protocol);
    assert_eq!(end(&pair.a).code, Some(47), "illegal_parameter");
    assert_eq!(end(&pair.b).code, Some(47), "the server is told");
}

/// Renames the extended master secret of a ClientHello, where the point formats follow it.
fn without_extended_master_secret(bytes: &[u8]) -> Option<Vec<u8>> {
    let wanted = [0, 23, 0, 0, 0, 11];
    let at = bytes
        .windows(wanted.len())
        .position(|part| part == wanted)?;
    let mut bytes = bytes.to_vec();
    // Reserved for private use, and ignored where it is not known (RFC 5246 §7.4.1.4).
    bytes[at] = 0xFF;
    Some(bytes)
}

// dtls-011
#[test]
fn a_client_without_extended_master_secret_is_refused() {
    let mut pair = pair(&factory([V1_2, V1_2]), &factory([V1_2, V1_2]));
    pair.fault = Some(Box::new(|leaving| {
        without_extended_master_secret(leaving.bytes).map_or(Fate::Pass, Fate::Replace)
    }));
    assert!(!pair.connect(LIMIT));
    assert_eq!(end(&pair.a).code, Some(40), "handshake_failure");
}

/// The bytes of the first record of this side that is in plaintext and begins a message of this kind.
fn plaintext(record: &Record, side: Side, kind: u8) -> &[u8] {
    let is_it = |bytes: &&[u8]| bytes[0] == 22 && bytes[3..5] == [0, 0] && bytes[13] == kind;
    record.sent_by(side).find(is_it).unwrap()
}

// dtls-031
#[test]
fn a_handshake_of_1_3_looks_as_its_standard_says() {
    const SESSION_ID: usize = 13 + 12 + 2 + 32;
    let factory = factory([V1_3, V1_3]);
    let mut pair = pair(&factory, &factory);
    pair.record = Some(Record::default());
    assert!(pair.connect(LIMIT));
    let record = pair.record.take().unwrap();
    for (side, kind) in [(Side::A, 1), (Side::B, 2)] {
        let hello = plaintext(&record, side, kind);
        assert_eq!(hello[25..27], [0xFE, 0xFD], "legacy_version");
        assert_eq!(hello[SESSION_ID], 0, "legacy_session_id");
    }
    let hello = plaintext(&record, Side::A, 1);
    assert_eq!(hello[SESSION_ID + 1], 0, "legacy_cookie");
    let versions = [0, 43, 0, 3, 2, 0xFE, 0xFC];
    assert!(hello.windows(versions.len()).any(|part| part == versions));
    let answer = plaintext(&record, Side::B, 2);
    let version = [0, 43, 0, 2, 0xFE, 0xFC];
    assert!(answer.windows(version.len()).any(|part| part == version));
    let records = record.datagrams().iter();
    assert!(records.clone().all(|sent| sent.bytes[0] != 20), "no CCS");
}

/// The same ClientHello with a session id of 32 bytes.
fn with_session_id(hello: &[u8]) -> Vec<u8> {
    const AT: usize = 13 + 12 + 2 + 32;
    let mut bytes = hello.to_vec();
    assert_eq!(bytes[AT], 0);
    bytes.splice(AT..=AT, [&[32][..], &[7; 32]].concat());
    // The last two bytes of the lengths of the record, the message and the fragment.
    for at in [11, 15, 23] {
        let len = u16::from_be_bytes([bytes[at], bytes[at + 1]]) + 32;
        bytes[at..at + 2].copy_from_slice(&len.to_be_bytes());
    }
    bytes
}

// dtls-031
#[test]
fn a_server_of_1_3_never_echoes_a_session_id() {
    let factory = factory([V1_3, V1_3]);
    let mut pair = pair(&factory, &factory);
    pair.record = Some(Record::default());
    pair.fault = Some(Box::new(|leaving| match leaving.from {
        Side::A if leaving.bytes[0] == 22 => Fate::Replace(with_session_id(leaving.bytes)),
        _ => Fate::Pass,
    }));
    assert!(!pair.connect(Duration::from_millis(100)));
    let record = pair.record.take().unwrap();
    assert_eq!(plaintext(&record, Side::B, 2)[13 + 12 + 2 + 32], 0);
}

// dtls-041, dtls-042
#[test]
fn keys_are_renewed_while_data_flows_over_a_lossy_link() {
    let seed = testkit::seed(1);
    let mut factory = factory([V1_3, V1_3]);
    factory.renew_keys_after = 20;
    let mut link = Link::lossy(10);
    link.delay = DELAY;
    let mut pair = pair_over(&factory, &factory, &link);
    assert!(pair.connect(LIMIT * 3), "{seed:?}");
    pair.record = Some(Record::default());
    for _ in 0..400 {
        let now = pair.now();
        pair.a.send(now, b"from a").unwrap();
        pair.b.send(now, b"from b").unwrap();
        pair.run_for(DELAY / 4);
    }
    pair.run_for(LIMIT);
    let record = pair.record.take().unwrap();
    for side in [Side::A, Side::B] {
        let mut epochs: Vec<u8> = record.sent_by(side).map(|bytes| bytes[0] & 3).collect();
        epochs.dedup();
        assert!(epochs.len() > 4, "{epochs:?} {seed:?}");
    }
    for end in [&pair.a, &pair.b] {
        let arrived = end.messages.len();
        assert!(arrived > 300, "{arrived} of 400, {seed:?}");
        assert_eq!(end.machine.state(), DtlsState::Connected);
    }
}

// dtls-049, srtp-001
#[test]
fn the_server_prefers_its_own_srtp_profile() {
    use SrtpProfile::{AeadAes128Gcm, Aes128CmSha1_80};
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let seed = testkit::seed(1).value();
        let link = Link::delayed(DELAY);
        let first = std::cell::Cell::new(true);
        let configure = |config: &mut DtlsConfig| {
            // The client is made first.
            config.srtp_profiles = if first.replace(false) {
                vec![Aes128CmSha1_80, AeadAes128Gcm]
            } else {
                vec![AeadAes128Gcm, Aes128CmSha1_80]
            };
        };
        let mut pair = Pair::dtls([&factory, &factory], Clock::new(), &link, seed, configure);
        assert!(pair.connect(LIMIT));
        for end in [&pair.a, &pair.b] {
            let security = end.machine.security().unwrap();
            assert_eq!(security.srtp_profile, Some(AeadAes128Gcm), "{versions:?}");
        }
    }
}

// dtls-015, dtls-032
#[test]
fn several_records_in_one_datagram_are_all_delivered() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let mut pair = pair(&factory, &factory);
        assert!(pair.connect(LIMIT));
        let now = pair.now();
        let mut datagram = Vec::new();
        for message in [&b"one"[..], b"two", b"three"] {
            let mut out = [0; 100];
            let len = pair.a.machine.seal_into(now, message, &mut out).unwrap();
            datagram.extend_from_slice(&out[..len]);
        }
        pair.inject(Side::B, &datagram);
        pair.run_for(DELAY);
        assert_eq!(pair.b.messages, [&b"one"[..], b"two", b"three"]);
    }
}

// dtls-018
#[test]
fn a_record_of_another_session_is_dropped() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let factory = factory(versions);
        let (mut one, mut other) = (pair(&factory, &factory), pair(&factory, &factory));
        assert!(one.connect(LIMIT) && other.connect(LIMIT));
        let mut out = [0; 100];
        let now = one.now();
        let len = one.a.machine.seal_into(now, b"secret", &mut out).unwrap();
        let before = other.b.machine.stats().dropped;
        other.inject(Side::B, &out[..len]);
        other.run_for(DELAY);
        assert_eq!(other.b.machine.stats().dropped, before + 1);
        assert!(other.b.messages.is_empty());
    }
}

// dtls-027, dtls-037
#[test]
fn a_lossy_path_of_any_mtu_connects_for_every_seed() {
    for round in 0..60 {
        let seed = testkit::seed(1).value() + round;
        let mut link = Link::hostile();
        link.delay = DELAY;
        let versions = [[V1_2, V1_2], [V1_3, V1_3], [V1_2, V1_3]][round as usize % 3];
        let factory = factory(versions);
        let mut pair = Pair::dtls([&factory, &factory], Clock::new(), &link, seed, |config| {
            config.max_datagram = [256, 300, 548, 1200][round as usize % 4];
        });
        // Thirty seconds of a link that loses a fifth: one handshake in very many runs out of them.
        assert!(
            pair.connect(Duration::from_secs(40)),
            "seed {seed} {versions:?} {pair:?}"
        );
    }
}
