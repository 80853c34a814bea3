use crate::{Aead, Agreement, Hash, Hmac, Mask, SecureRandom, Signatures, StreamCipher};

/// The primitives of one connection. Copy it, exchange single fields, hand it to a factory.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Provider {
    /// Unguessable bytes.
    pub random: &'static dyn SecureRandom,
    /// MD5, for the long-term keys of STUN only (RFC 8489 §9.2.2).
    pub md5: &'static dyn Hash,
    /// SHA-1, for fingerprints of old peers only.
    pub sha1: &'static dyn Hash,
    /// SHA-256.
    pub sha256: &'static dyn Hash,
    /// SHA-384.
    pub sha384: &'static dyn Hash,
    /// SHA-512.
    pub sha512: &'static dyn Hash,
    /// HMAC-SHA1: STUN integrity and SRTP.
    pub hmac_sha1: &'static dyn Hmac,
    /// HMAC-SHA256.
    pub hmac_sha256: &'static dyn Hmac,
    /// HMAC-SHA384.
    pub hmac_sha384: &'static dyn Hmac,
    /// AES-128-GCM.
    pub aes128_gcm: &'static dyn Aead,
    /// AES-256-GCM.
    pub aes256_gcm: &'static dyn Aead,
    /// ChaCha20-Poly1305.
    pub chacha20_poly1305: &'static dyn Aead,
    /// AES-128 as a mask of sequence numbers.
    pub aes128_mask: &'static dyn Mask,
    /// AES-256 as a mask of sequence numbers.
    pub aes256_mask: &'static dyn Mask,
    /// ChaCha20 as a mask of sequence numbers.
    pub chacha20_mask: &'static dyn Mask,
    /// AES-128 in counter mode: SRTP and its key derivation.
    pub aes128_ctr: &'static dyn StreamCipher,
    /// AES-256 in counter mode.
    pub aes256_ctr: &'static dyn StreamCipher,
    /// Key agreement, best first.
    pub agreements: &'static [&'static dyn Agreement],
    /// Signatures.
    pub signatures: &'static dyn Signatures,
    /// The provider repeats itself for tests: the same calls give the same bytes, handshakes
    /// included. Never true in production.
    pub deterministic: bool,
}

#[cfg(feature = "ring")]
impl Default for Provider {
    fn default() -> Self {
        crate::ring::provider()
    }
}
