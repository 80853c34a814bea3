//! The default provider: `ring`, with RustCrypto where ring has nothing to offer.
//!
//! From ring: randomness, SHA-2 and its HMACs, AES-GCM, ChaCha20-Poly1305, X25519, P-256 and
//! P-384. From RustCrypto: HMAC-SHA1, for which ring leaves the processor's SHA instructions
//! unused, and MD5, the bare block ciphers and AES in counter mode, which ring does not show.
//!
//! ring takes randomness only from the operating system: the `random` argument of
//! [`Agreement::start`] and [`Signatures::generate`](crate::Signatures::generate) is not used here.

mod aead;
mod agreement;
mod hash;
mod hmac;
mod mask;
mod md5;
mod random;
mod signature;
mod stream;
#[cfg(test)]
mod vector;

use crate::{Agreement, Provider};

/// Key agreement, best first: X25519 is the fastest, P-256 the one every peer has.
static AGREEMENTS: [&dyn Agreement; 3] = [
    &agreement::X25519,
    &agreement::SECP256R1,
    &agreement::SECP384R1,
];

/// Every primitive, from ring and RustCrypto.
#[must_use]
pub fn provider() -> Provider {
    Provider {
        random: &random::OperatingSystem,
        md5: &md5::Md5,
        sha1: &hash::SHA1,
        sha256: &hash::SHA256,
        sha384: &hash::SHA384,
        sha512: &hash::SHA512,
        hmac_sha1: &hmac::HmacSha1,
        hmac_sha256: &hmac::HMAC_SHA256,
        hmac_sha384: &hmac::HMAC_SHA384,
        aes128_gcm: &aead::AES_128_GCM,
        aes256_gcm: &aead::AES_256_GCM,
        chacha20_poly1305: &aead::CHACHA20_POLY1305,
        aes128_mask: &mask::AES_128,
        aes256_mask: &mask::AES_256,
        chacha20_mask: &mask::CHACHA20,
        aes128_ctr: &stream::Aes128Ctr,
        aes256_ctr: &stream::Aes256Ctr,
        agreements: &AGREEMENTS,
        signatures: &signature::RingSignatures,
        deterministic: false,
    }
}
