//! Whole handshakes between two sessions, in every combination of versions.

#![cfg(feature = "ring")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod support;

use layer::{DtlsState, DtlsVersion, SrtpProfile};
use std::time::Duration;
use support::{LIMIT, V1_2, V1_3, factory, pair};

/// The suite and group that two of us agree on.
const ECDHE_ECDSA_AES_128_GCM: u16 = 0xc02b;
const AES_128_GCM: u16 = 0x1301;
const X25519: u16 = 0x001d;
const ECDSA_P256_SHA256: u16 = 0x0403;

// dtls-001, dtls-002, dtls-005, dtls-045
#[test]
fn every_combination_of_versions_meets_at_the_newest_common_one() {
    let offers = [[V1_2, V1_2], [V1_3, V1_3], [V1_2, V1_3]];
    for client in offers {
        for server in offers {
            let common = client[1].min(server[1]);
            let possible = common >= client[0].max(server[0]);
            let mut pair = pair(&factory(client), &factory(server));
            assert_eq!(pair.connect(LIMIT), possible, "{client:?} {server:?}");
            if !possible {
                continue;
            }
            for end in [&pair.a, &pair.b] {
                let security = end.machine.security().unwrap();
                assert_eq!(security.version, common);
                let suite = match common {
                    DtlsVersion::V1_3 => AES_128_GCM,
                    _ => ECDHE_ECDSA_AES_128_GCM,
                };
                assert_eq!(security.cipher_suite, Some(suite));
                assert_eq!(security.group, Some(X25519));
                assert_eq!(security.signature_scheme, Some(ECDSA_P256_SHA256));
                assert_eq!(end.machine.remote_certificates().len(), 1);
            }
        }
    }
}

#[test]
fn messages_go_both_ways() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let mut pair = pair(&factory(versions), &factory(versions));
        assert!(pair.connect(LIMIT));
        let now = pair.now();
        let large = vec![7; 1100];
        for message in [&b"one"[..], &large, b"x"] {
            pair.a.send(now, message).unwrap();
            pair.b.send(now, message).unwrap();
        }
        pair.run_for(Duration::from_secs(1));
        for end in [&pair.a, &pair.b] {
            assert_eq!(
                end.messages,
                [b"one".to_vec(), large.clone(), b"x".to_vec()]
            );
        }
    }
}

#[test]
fn nothing_is_sealed_before_the_connection() {
    let mut pair = pair(&factory([V1_2, V1_3]), &factory([V1_2, V1_3]));
    let now = pair.now();
    assert!(pair.a.send(now, b"early").is_err());
    pair.start();
    assert!(pair.a.send(now, b"early").is_err());
}

// dtls-047, dtls-048, dtls-049, dtls-050
#[test]
fn both_ends_export_the_same_keys_for_srtp() {
    for versions in [[V1_2, V1_2], [V1_3, V1_3]] {
        let mut pair = pair(&factory(versions), &factory(versions));
        let mut block = [0; 88];
        let label = "EXTRACTOR-dtls_srtp";
        assert!(pair.a.machine.export(label, None, &mut block).is_err());
        assert!(pair.connect(LIMIT));
        let profile = pair.a.machine.security().unwrap().srtp_profile.unwrap();
        assert_eq!(profile, SrtpProfile::AeadAes256Gcm);
        assert_eq!(profile.keying_len(), block.len());
        pair.a.machine.export(label, None, &mut block).unwrap();
        let mut other = [0; 88];
        pair.b.machine.export(label, None, &mut other).unwrap();
        assert_eq!(block, other);
        assert_ne!(block, [0; 88]);
        let refused = pair.a.machine.export(label, None, &mut vec![0; 1 << 16]);
        let is_bounded = versions == [V1_3, V1_3];
        assert_eq!(refused.is_err(), is_bounded, "{versions:?}");
    }
}

#[test]
fn an_old_only_client_and_a_new_only_server_fail_and_say_so() {
    let mut pair = pair(&factory([V1_2, V1_2]), &factory([V1_3, V1_3]));
    assert!(!pair.connect(Duration::from_secs(60)));
    assert_eq!(pair.b.machine.state(), DtlsState::Failed);
    assert!(pair.b.ended());
    assert_eq!(pair.a.machine.state(), DtlsState::Failed);
    assert!(pair.a.ended());
}
