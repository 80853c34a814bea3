//! Long-term credentials (RFC 8489 §9.2): the key, and what a server tells in its nonce.

use crate::PasswordAlgorithm;
use crypto::Provider;

/// What the nonce of a server begins with that supports RFC 8489.
const COOKIE: &str = "obMatJos2";

/// The cookie and the four characters of the features.
const COOKIE_LEN: usize = COOKIE.len() + 4;

/// The digits of base64 (RFC 4648 §4).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The key for both message integrities (RFC 8489 §9.2.2, §18.5.1): the hash of
/// `username ":" realm ":" password`, 16 bytes with MD5 and 32 with SHA-256.
///
/// The three texts are hashed as they are: who takes them from people prepares them first
/// (`OpaqueString`, RFC 8265).
///
/// ```
/// use muonrtc_stun::{PasswordAlgorithm, long_term_key};
///
/// let provider = crypto::Provider::default();
/// let key = long_term_key(&provider, PasswordAlgorithm::Md5, "user", "realm", "pass");
/// assert_eq!(key[..4], [0x84, 0x93, 0xfb, 0xc5]);
/// ```
#[must_use]
pub fn long_term_key(
    provider: &Provider,
    algorithm: PasswordAlgorithm,
    username: &str,
    realm: &str,
    password: &str,
) -> Vec<u8> {
    let hash = match algorithm {
        PasswordAlgorithm::Md5 => provider.md5,
        PasswordAlgorithm::Sha256 => provider.sha256,
    };
    let mut context = hash.start();
    for part in [username, ":", realm, ":", password] {
        context.update(part.as_bytes());
    }
    let mut key = vec![0; hash.digest_len()];
    context.finish_copy(&mut key);
    key
}

/// The STUN Security Features (RFC 8489 §18.1), which a server that has any of them puts into each
/// nonce. A client that misses what they promise knows that somebody took it away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityFeatures {
    /// Bit 0: the server lists its PASSWORD-ALGORITHMS.
    pub password_algorithms: bool,
    /// Bit 1: the server takes USERHASH for USERNAME.
    pub username_anonymity: bool,
}

impl SecurityFeatures {
    /// Both features.
    #[must_use]
    pub fn new(password_algorithms: bool, username_anonymity: bool) -> Self {
        Self {
            password_algorithms,
            username_anonymity,
        }
    }

    /// The features that a nonce tells; `None` for that of a server of older times.
    #[must_use]
    pub fn in_nonce(nonce: &str) -> Option<Self> {
        let digits = nonce.get(..COOKIE_LEN)?.strip_prefix(COOKIE)?.as_bytes();
        let value = |digit: &u8| DIGITS.iter().position(|known| known == digit);
        if !digits.iter().all(|digit| value(digit).is_some()) {
            return None;
        }
        // Bits 0 to 5 are the first digit's, most significant first.
        let first = value(digits.first()?)?;
        Some(Self::new(first & 0x20 != 0, first & 0x10 != 0))
    }

    /// The nonce cookie: what a server puts before its nonces, 13 characters.
    #[must_use]
    pub fn cookie(self) -> String {
        let bits =
            usize::from(self.password_algorithms) << 5 | usize::from(self.username_anonymity) << 4;
        format!("{COOKIE}{}AAA", char::from(DIGITS[bits]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-032
    #[test]
    fn the_keys_are_those_of_the_samples() {
        let provider = Provider::default();
        // RFC 8489 §9.2.2
        let key = long_term_key(&provider, PasswordAlgorithm::Md5, "user", "realm", "pass");
        let sample = 0x8493_fbc5_3ba5_82fb_4c04_4c45_6bdc_40eb_u128;
        assert_eq!(key, sample.to_be_bytes());
        // RFC 5769 §2.4
        let name = "マトリックス";
        let key = long_term_key(
            &provider,
            PasswordAlgorithm::Md5,
            name,
            "example.org",
            "TheMatrIX",
        );
        let sample = 0xe8ca_7ad5_9d5e_b051_8e31_2911_d2da_b2a9_u128;
        assert_eq!(key, sample.to_be_bytes());
        let key = long_term_key(
            &provider,
            PasswordAlgorithm::Sha256,
            "user",
            "realm",
            "pass",
        );
        assert_eq!(key, provider.sha256.digest(b"user:realm:pass"));
    }

    // stun-038
    #[test]
    fn the_features_stand_in_the_nonce() {
        for (features, cookie) in [
            (SecurityFeatures::new(false, false), "obMatJos2AAAA"),
            (SecurityFeatures::new(false, true), "obMatJos2QAAA"),
            (SecurityFeatures::new(true, false), "obMatJos2gAAA"),
            (SecurityFeatures::new(true, true), "obMatJos2wAAA"),
        ] {
            assert_eq!(features.cookie(), cookie);
            let nonce = format!("{cookie}f//499k954d6OL34oL9FSTvy64sA");
            assert_eq!(SecurityFeatures::in_nonce(&nonce), Some(features));
        }
        for other in [
            "",
            "obMatJos2",
            "obMatJos2w!!!",
            "f//499k954d6OL34oL9FSTvy64sA",
        ] {
            assert_eq!(SecurityFeatures::in_nonce(other), None);
        }
    }
}
