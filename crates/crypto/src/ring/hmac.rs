use crate::{Hmac, HmacKey};
use ::hmac::{KeyInit, Mac};
use ring::hmac::{self, Algorithm, Context, Key};
use sha1::Sha1;
use std::fmt;

/// The length of a SHA-1 tag.
const SHA1_TAG_LEN: usize = 20;

/// An HMAC of ring.
#[derive(Debug)]
pub(super) struct RingHmac(Algorithm);

pub(super) static HMAC_SHA256: RingHmac = RingHmac(hmac::HMAC_SHA256);
pub(super) static HMAC_SHA384: RingHmac = RingHmac(hmac::HMAC_SHA384);

impl Hmac for RingHmac {
    fn tag_len(&self) -> usize {
        self.0.digest_algorithm().output_len()
    }

    fn key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(RingKey(Key::new(self.0, key)))
    }
}

/// ring shows the algorithm of a key, never its bytes.
#[derive(Debug)]
struct RingKey(Key);

impl HmacKey for RingKey {
    fn tag_len(&self) -> usize {
        self.0.algorithm().digest_algorithm().output_len()
    }

    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut context = Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let tag = context.sign();
        out[..tag.as_ref().len()].copy_from_slice(tag.as_ref());
    }
}

/// HMAC-SHA1 of RustCrypto.
#[derive(Debug)]
pub(super) struct HmacSha1;

impl Hmac for HmacSha1 {
    fn tag_len(&self) -> usize {
        SHA1_TAG_LEN
    }

    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        let key = ::hmac::Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
        Box::new(Sha1Key(key))
    }
}

struct Sha1Key(::hmac::Hmac<Sha1>);

impl fmt::Debug for Sha1Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha1Key(..)")
    }
}

impl HmacKey for Sha1Key {
    fn tag_len(&self) -> usize {
        SHA1_TAG_LEN
    }

    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        out[..SHA1_TAG_LEN].copy_from_slice(&mac.finalize().into_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    fn tag(hmac: &dyn Hmac, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0; hmac.tag_len()];
        hmac.key(key).sign(parts, &mut out);
        out
    }

    /// RFC 2202 §3 and RFC 4231 §4.3, test case 2: key "Jefe".
    #[test]
    fn the_tags_are_those_of_rfc_2202_and_rfc_4231() {
        let parts: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
        let cases: [(&dyn Hmac, &str); 3] = [
            (&HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                &HMAC_SHA256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &HMAC_SHA384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
                 8e2240ca5e69e2c78b3239ecfab21649",
            ),
        ];
        for (hmac, expected) in cases {
            assert_eq!(tag(hmac, b"Jefe", &parts), hex(expected), "{hmac:?}");
        }
    }

    /// RFC 2202 §3, test case 6: a key longer than a block.
    #[test]
    fn a_key_longer_than_a_block_is_hashed_first() {
        let data = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            tag(&HmacSha1, &[0xaa; 80], &[data]),
            hex("aa4ae5e15272d00e95705637ce8a3b55ed402112")
        );
    }

    #[test]
    fn verify_takes_truncated_tags_and_refuses_wrong_empty_and_long_ones() {
        let key = HmacSha1.key(b"key");
        let mut tag = [0; 21];
        key.sign(&[b"data"], &mut tag);
        assert!(key.verify(&[b"da", b"ta"], &tag[..20]));
        assert!(key.verify(&[b"data"], &tag[..10]));
        assert!(!key.verify(&[b"data"], &[]));
        assert!(!key.verify(&[b"data"], &tag));
        assert!(!key.verify(&[b"date"], &tag[..20]));
    }
}
