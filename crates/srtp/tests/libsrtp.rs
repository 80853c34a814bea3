//! Packets that libsrtp made, from master keys on: key derivation, encryption, tag.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod support;

use layer::Srtp;
use muonrtc_srtp::{Context, Factory, MasterKey, Suite};
use serde_json::Value;
use std::path::Path;
use support::hex;

struct Vectors(Value);

impl Vectors {
    /// `None` where the folder is not.
    fn load() -> Option<Self> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/srtp/libsrtp.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("left out: {} is not there", path.display());
            return None;
        };
        Some(Self(serde_json::from_str(&text).unwrap()))
    }

    fn bytes(&self, set: &str, name: &str) -> Vec<u8> {
        hex(self.0["vectors"][set][name].as_str().unwrap())
    }

    /// A context whose two directions have the same key.
    fn context(&self, suite: Suite, key: &[u8]) -> Context {
        let (key, rest) = key.split_at(suite.key_len());
        let salt = &rest[..suite.salt_len()];
        let master = MasterKey { key, salt };
        Factory::default().context(suite, master, master).unwrap()
    }
}

fn assert_protects(context: &mut Context, plain: &[u8], expected: &[u8]) {
    let mut out = vec![0; 200];
    let (header, payload) = plain.split_at(12);
    let len = context.protect_into(header, payload, &mut out).unwrap();
    assert_eq!(out[..len], *expected);
    let len = context.unprotect_in_place(&mut out[..len]).unwrap();
    assert_eq!(out[..len], *plain);
}

/// libsrtp counts SRTCP packets from 1, where RFC 3711 §3.4 begins with 0: the second is compared.
fn assert_protects_rtcp(context: &mut Context, plain: &[u8], expected: &[u8]) {
    let mut out = vec![0; 200];
    context.protect_rtcp_into(plain, &mut out).unwrap();
    let len = context.protect_rtcp_into(plain, &mut out).unwrap();
    assert_eq!(out[..len], *expected);
    let len = context.unprotect_rtcp_in_place(&mut out[..len]).unwrap();
    assert_eq!(out[..len], *plain);
}

#[test]
fn packets_of_aes_cm_are_those_of_libsrtp() {
    let Some(vectors) = Vectors::load() else {
        return;
    };
    let set = "srtp_validate";
    let mut context = vectors.context(
        Suite::Aes128CmHmacSha1_80,
        &vectors.bytes("keys", "test_key"),
    );
    assert_protects(
        &mut context,
        &vectors.bytes(set, "srtp_plaintext_ref"),
        &vectors.bytes(set, "srtp_ciphertext"),
    );
    assert_protects_rtcp(
        &mut context,
        &vectors.bytes(set, "rtcp_plaintext_ref"),
        &vectors.bytes(set, "srtcp_ciphertext"),
    );
}

#[test]
fn packets_of_aes_256_cm_are_those_of_libsrtp() {
    let Some(vectors) = Vectors::load() else {
        return;
    };
    let set = "srtp_validate_aes_256";
    let mut context = vectors.context(
        Suite::Aes256CmHmacSha1_80,
        &vectors.bytes(set, "aes_256_test_key"),
    );
    assert_protects(
        &mut context,
        &vectors.bytes(set, "srtp_plaintext_ref"),
        &vectors.bytes(set, "srtp_ciphertext"),
    );
}

#[test]
fn packets_of_gcm_are_those_of_libsrtp() {
    let Some(vectors) = Vectors::load() else {
        return;
    };
    let set = "srtp_validate_gcm";
    let mut context = vectors.context(Suite::AeadAes128Gcm, &vectors.bytes("keys", "test_key_gcm"));
    assert_protects(
        &mut context,
        &vectors.bytes(set, "rtp_plaintext_ref"),
        &vectors.bytes(set, "srtp_ciphertext"),
    );
    assert_protects_rtcp(
        &mut context,
        &vectors.bytes(set, "rtcp_plaintext_ref"),
        &vectors.bytes(set, "srtcp_ciphertext"),
    );
}
