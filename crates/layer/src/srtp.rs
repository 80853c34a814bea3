use crate::Start;
use std::fmt;

/// Makes SRTP contexts.
pub trait NewSrtp: Send + Sync + fmt::Debug {
    /// The profiles this implementation has, best first.
    fn profiles(&self) -> &[SrtpProfile];

    /// A context for both directions of one connection.
    ///
    /// # Errors
    ///
    /// [`ProtectError::Profile`] if the profile is not one of [`profiles`](NewSrtp::profiles) or
    /// the keys do not have its lengths.
    fn new_srtp(&self, start: Start, config: SrtpConfig) -> Result<Box<dyn Srtp>, ProtectError>;
}

/// The keys of one connection (RFC 5764 §4.2). `Debug` does not show them.
#[derive(Clone)]
#[non_exhaustive]
pub struct SrtpConfig {
    /// The profile.
    pub profile: SrtpProfile,
    /// What we protect with: master key.
    pub local_key: Vec<u8>,
    /// What we protect with: master salt.
    pub local_salt: Vec<u8>,
    /// What the peer protects with: master key.
    pub remote_key: Vec<u8>,
    /// What the peer protects with: master salt.
    pub remote_salt: Vec<u8>,
}

impl SrtpConfig {
    /// Cuts the exported block (client key, server key, client salt, server salt) for our role;
    /// `None` if it is not [`SrtpProfile::keying_len`] long.
    #[must_use]
    pub fn from_keying_material(
        profile: SrtpProfile,
        is_client: bool,
        block: &[u8],
    ) -> Option<Self> {
        if block.len() != profile.keying_len() {
            return None;
        }
        let (keys, salts) = block.split_at(2 * profile.key_len());
        let (client_key, server_key) = keys.split_at(profile.key_len());
        let (client_salt, server_salt) = salts.split_at(profile.salt_len());
        let ((local_key, local_salt), (remote_key, remote_salt)) = if is_client {
            ((client_key, client_salt), (server_key, server_salt))
        } else {
            ((server_key, server_salt), (client_key, client_salt))
        };
        Some(Self {
            profile,
            local_key: local_key.to_vec(),
            local_salt: local_salt.to_vec(),
            remote_key: remote_key.to_vec(),
            remote_salt: remote_salt.to_vec(),
        })
    }
}

impl fmt::Debug for SrtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpConfig")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// One connection's SRTP and SRTCP (RFC 3711, RFC 7714), state per SSRC inside.
///
/// It has no timers, events or output of its own: all four verbs answer at once.
pub trait Srtp: Send {
    /// Writes the protected packet of `header` (with CSRCs and extensions) and `payload` into
    /// `out` and returns its length. The payload is only read, so many receivers can share it.
    ///
    /// # Errors
    ///
    /// [`ProtectError::TooSmall`] if `out` is short, [`ProtectError::Malformed`] if `header` is not
    /// an RTP header, [`ProtectError::Exhausted`] when the key has protected all it may,
    /// [`ProtectError::Repeated`] if it must not protect this sequence number again,
    /// [`ProtectError::TooManySources`] if the SSRC is one too many.
    fn protect_into(
        &mut self,
        header: &[u8],
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ProtectError>;

    /// Authenticates and decrypts in place; returns the length of the RTP packet.
    ///
    /// # Errors
    ///
    /// An [`UnprotectError`]; the packet is then counted and must be dropped.
    fn unprotect_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError>;

    /// Protects a compound RTCP packet into `out`.
    ///
    /// # Errors
    ///
    /// As [`protect_into`](Srtp::protect_into).
    fn protect_rtcp_into(&mut self, packet: &[u8], out: &mut [u8]) -> Result<usize, ProtectError>;

    /// Authenticates and decrypts a compound RTCP packet in place.
    ///
    /// # Errors
    ///
    /// As [`unprotect_in_place`](Srtp::unprotect_in_place).
    fn unprotect_rtcp_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError>;

    /// The rollover counter with which we protect an SSRC.
    fn local_rollover_counter(&self, ssrc: u32) -> Option<u32>;

    /// The rollover counter with which we unprotect an SSRC.
    fn remote_rollover_counter(&self, ssrc: u32) -> Option<u32>;

    /// Sets it, for a stream that is joined late.
    fn set_remote_rollover_counter(&mut self, ssrc: u32, counter: u32);

    /// The most bytes that protection adds to an RTP packet.
    fn overhead(&self) -> usize;

    /// The most bytes that protection adds to an RTCP packet.
    fn rtcp_overhead(&self) -> usize;

    /// Counters.
    fn stats(&self) -> SrtpStats;
}

/// A protection profile of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum SrtpProfile {
    /// AES-128 in counter mode with an 80-bit HMAC-SHA1 tag.
    Aes128CmSha1_80 = 0x0001,
    /// The same with a 32-bit tag on RTP.
    Aes128CmSha1_32 = 0x0002,
    /// AES-128-GCM.
    AeadAes128Gcm = 0x0007,
    /// AES-256-GCM.
    AeadAes256Gcm = 0x0008,
}

impl SrtpProfile {
    /// Its name (RFC 5764 §4.1.2, RFC 7714 §14.2).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128CmSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::Aes128CmSha1_32 => "SRTP_AES128_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }

    /// The length of a master key, in bytes.
    #[must_use]
    pub fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            _ => 16,
        }
    }

    /// The length of a master salt, in bytes.
    #[must_use]
    pub fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::Aes128CmSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// The length of the exported block: two keys and two salts.
    #[must_use]
    pub fn keying_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }
}

/// Why a packet was not protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtectError {
    /// The profile or the lengths of its keys.
    Profile,
    /// The output buffer is too small.
    TooSmall,
    /// Not an RTP header or not an RTCP packet.
    Malformed,
    /// The master key has protected all it may (RFC 3711 §9.2).
    Exhausted,
    /// The sequence number was protected before, or is too old to know, and doing it again would
    /// show the key (RFC 7714 §8.4).
    Repeated,
    /// More SSRCs than the context keeps.
    TooManySources,
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "the profile is unknown or its keys have the wrong length",
            Self::TooSmall => "the output buffer is too small",
            Self::Malformed => "not an RTP or RTCP packet",
            Self::Exhausted => "the master key has protected all it may",
            Self::Repeated => "the sequence number was protected before",
            Self::TooManySources => "no state is kept for more sources",
        })
    }
}

impl std::error::Error for ProtectError {}

/// Why a packet was not unprotected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnprotectError {
    /// Too short or not RTP or RTCP.
    Malformed,
    /// The tag is wrong.
    Authentication,
    /// Seen before, or older than the window.
    Replayed,
    /// More SSRCs than the context keeps.
    TooManySources,
}

impl fmt::Display for UnprotectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an SRTP or SRTCP packet",
            Self::Authentication => "the authentication tag is wrong",
            Self::Replayed => "the packet was seen before or is too old",
            Self::TooManySources => "no state is kept for more sources",
        })
    }
}

impl std::error::Error for UnprotectError {}

/// Counters of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SrtpStats {
    /// Packets protected.
    pub protected: u64,
    /// Packets unprotected.
    pub unprotected: u64,
    /// Packets that were not SRTP.
    pub malformed: u64,
    /// Packets whose tag was wrong.
    pub unauthenticated: u64,
    /// Packets seen before or too old.
    pub replayed: u64,
    /// Packets of sources beyond those that the context keeps.
    pub refused_sources: u64,
}
