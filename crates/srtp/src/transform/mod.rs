//! What is done to a packet: encryption, authentication, and their reverse.
//!
//! A transform holds the session keys of one direction, prepared once for all sources. It does not
//! know which packets were seen: indices are given to it.

mod counter_mode;
mod gcm;

use crate::derivation::Derivation;
use crate::index::PacketIndex;
use crate::packet::{IndexWord, RtpHeader};
use crate::suite::{Cipher, Suite};
use counter_mode::CounterMode;
use crypto::{Error, Provider};
use gcm::Gcm;

/// The session keys of one direction.
#[derive(Debug)]
pub(crate) enum Transform {
    CounterMode(CounterMode),
    Gcm(Gcm),
}

impl Transform {
    /// Derives session keys from a master key.
    pub(crate) fn new(
        provider: &Provider,
        suite: Suite,
        master_key: &[u8],
        master_salt: &[u8],
    ) -> Result<Self, Error> {
        if master_key.len() != suite.key_len() || master_salt.len() != suite.salt_len() {
            return Err(Error::Length);
        }
        let cipher = suite.stream_cipher(provider);
        let derivation = Derivation::new(cipher, master_key, master_salt)?;
        Ok(match suite.cipher(provider) {
            Cipher::CounterMode => {
                let hmac = provider.hmac_sha1;
                Self::CounterMode(CounterMode::new(suite, cipher, hmac, &derivation)?)
            }
            Cipher::Gcm(aead) => Self::Gcm(Gcm::new(aead, &derivation)?),
        })
    }

    /// Whether two packets of one index show the key: in GCM already where only the header differs
    /// (RFC 7714 §8.4).
    pub(crate) fn breaks_on_repeats(&self) -> bool {
        matches!(self, Self::Gcm(_))
    }

    /// Encrypts `packet`, which ends with room for the tag.
    pub(crate) fn seal_rtp(
        &self,
        header: RtpHeader,
        index: PacketIndex,
        packet: &mut [u8],
    ) -> Result<(), Error> {
        match self {
            Self::CounterMode(keys) => {
                keys.seal_rtp(header, index, packet);
                Ok(())
            }
            Self::Gcm(keys) => keys.seal_rtp(header, index, packet),
        }
    }

    /// Authenticates and decrypts; returns the length of the packet without its tag.
    pub(crate) fn open_rtp(
        &self,
        header: RtpHeader,
        index: PacketIndex,
        packet: &mut [u8],
    ) -> Result<usize, Error> {
        match self {
            Self::CounterMode(keys) => keys.open_rtp(header, index, packet),
            Self::Gcm(keys) => keys.open_rtp(header, index, packet),
        }
    }

    /// Encrypts `packet`, if `word` says so, which ends with room for the word and the tag.
    pub(crate) fn seal_rtcp(
        &self,
        ssrc: u32,
        word: IndexWord,
        packet: &mut [u8],
    ) -> Result<(), Error> {
        match self {
            Self::CounterMode(keys) => {
                keys.seal_rtcp(ssrc, word, packet);
                Ok(())
            }
            Self::Gcm(keys) => keys.seal_rtcp(ssrc, word, packet),
        }
    }

    /// The E flag and the index of a packet, which its tag has yet to prove; `None` if it is too
    /// short to be SRTCP.
    pub(crate) fn index_word(&self, packet: &[u8]) -> Option<IndexWord> {
        match self {
            Self::CounterMode(_) => CounterMode::index_word(packet),
            Self::Gcm(_) => Gcm::index_word(packet),
        }
    }

    /// Authenticates and decrypts a packet that has an [`index_word`](Self::index_word); returns
    /// the length of the packet without word and tag.
    pub(crate) fn open_rtcp(
        &self,
        ssrc: u32,
        word: IndexWord,
        packet: &mut [u8],
    ) -> Result<usize, Error> {
        match self {
            Self::CounterMode(keys) => keys.open_rtcp(ssrc, word, packet),
            Self::Gcm(keys) => keys.open_rtcp(ssrc, word, packet),
        }
    }
}
