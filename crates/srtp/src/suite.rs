use crypto::{Aead, Provider, StreamCipher};
use layer::SrtpProfile;

/// A crypto suite: a cipher, an authentication tag and the lengths of their keys.
///
/// The suites with a number for DTLS-SRTP are those of [`SrtpProfile`]; the two of AES-256 in
/// counter mode have none, and serve users whose keys come another way, such as the SDP attribute
/// of RFC 4568.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80` (RFC 3711 §8.2, RFC 4568 §6.2.1).
    Aes128CmHmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32` (RFC 4568 §6.2.2): 4 bytes of tag on RTP, 10 on RTCP.
    Aes128CmHmacSha1_32,
    /// `AES_256_CM_HMAC_SHA1_80` (RFC 6188 §4).
    Aes256CmHmacSha1_80,
    /// `AES_256_CM_HMAC_SHA1_32` (RFC 6188 §4): 4 bytes of tag on RTP, 10 on RTCP.
    Aes256CmHmacSha1_32,
    /// `AEAD_AES_128_GCM` (RFC 7714 §12).
    AeadAes128Gcm,
    /// `AEAD_AES_256_GCM` (RFC 7714 §12).
    AeadAes256Gcm,
}

/// The length of the salt in counter mode (RFC 3711 §4.1.1).
pub(crate) const CM_SALT_LEN: usize = 14;
/// The length of the salt of GCM (RFC 7714 §12).
pub(crate) const GCM_SALT_LEN: usize = 12;
/// The tag of GCM, which is never cut (RFC 7714 §13.2).
pub(crate) const GCM_TAG_LEN: usize = 16;
/// 80 bits of HMAC-SHA1 (RFC 3711 §4.2.1).
pub(crate) const SHA1_80_LEN: usize = 10;
/// 32 bits of HMAC-SHA1.
const SHA1_32_LEN: usize = 4;
/// The word at the end of an SRTCP packet that holds the E flag and the index (RFC 3711 §3.4).
pub(crate) const INDEX_WORD_LEN: usize = 4;

/// What encrypts and authenticates.
#[derive(Clone, Copy)]
pub(crate) enum Cipher {
    /// Counter mode, with HMAC-SHA1.
    CounterMode,
    /// Galois/counter mode.
    Gcm(&'static dyn Aead),
}

impl Suite {
    /// The length of a master key, in bytes.
    #[must_use]
    pub fn key_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::Aes256CmHmacSha1_80 | Self::Aes256CmHmacSha1_32 | Self::AeadAes256Gcm => 32,
        }
    }

    /// The length of a master salt, in bytes.
    #[must_use]
    pub fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => GCM_SALT_LEN,
            _ => CM_SALT_LEN,
        }
    }

    /// What protection adds to an RTP packet, in bytes.
    #[must_use]
    pub fn rtp_overhead(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes256CmHmacSha1_80 => SHA1_80_LEN,
            Self::Aes128CmHmacSha1_32 | Self::Aes256CmHmacSha1_32 => SHA1_32_LEN,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => GCM_TAG_LEN,
        }
    }

    /// What protection adds to an RTCP packet, in bytes. The tag of the `_32` suites has 80 bits
    /// there (RFC 5764 §4.1.2, RFC 4568 §6.2.2).
    #[must_use]
    pub fn rtcp_overhead(self) -> usize {
        let tag = match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => GCM_TAG_LEN,
            _ => SHA1_80_LEN,
        };
        tag + INDEX_WORD_LEN
    }

    pub(crate) fn cipher(self, provider: &Provider) -> Cipher {
        match self {
            Self::AeadAes128Gcm => Cipher::Gcm(provider.aes128_gcm),
            Self::AeadAes256Gcm => Cipher::Gcm(provider.aes256_gcm),
            _ => Cipher::CounterMode,
        }
    }

    /// What derives session keys, and in counter mode encrypts: AES with the key length of the
    /// suite (RFC 3711 §4.3.3, RFC 6188 §3, RFC 7714 §11).
    pub(crate) fn stream_cipher(self, provider: &Provider) -> &'static dyn StreamCipher {
        match self.key_len() {
            16 => provider.aes128_ctr,
            _ => provider.aes256_ctr,
        }
    }

    /// The suite of a profile of DTLS-SRTP; `None` for one that is not known here.
    #[must_use]
    pub fn of_profile(profile: SrtpProfile) -> Option<Self> {
        match profile {
            SrtpProfile::Aes128CmSha1_80 => Some(Self::Aes128CmHmacSha1_80),
            SrtpProfile::Aes128CmSha1_32 => Some(Self::Aes128CmHmacSha1_32),
            SrtpProfile::AeadAes128Gcm => Some(Self::AeadAes128Gcm),
            SrtpProfile::AeadAes256Gcm => Some(Self::AeadAes256Gcm),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_are_those_of_the_profiles() {
        for profile in [
            SrtpProfile::AeadAes128Gcm,
            SrtpProfile::AeadAes256Gcm,
            SrtpProfile::Aes128CmSha1_80,
            SrtpProfile::Aes128CmSha1_32,
        ] {
            let suite = Suite::of_profile(profile).unwrap();
            assert_eq!(suite.key_len(), profile.key_len(), "{profile:?}");
            assert_eq!(suite.salt_len(), profile.salt_len(), "{profile:?}");
        }
    }
}
