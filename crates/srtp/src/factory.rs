use crate::{Context, Suite};
use crypto::Provider;
use layer::{NewSrtp, ProtectError, Srtp, SrtpConfig, SrtpProfile, Start};
use std::fmt;
use zeroize::Zeroizing;

/// Makes SRTP contexts: the default [`layer::NewSrtp`], with the settings that belong to SRTP.
///
/// ```
/// let mut factory = muonrtc_srtp::Factory::default();
/// factory.profiles = vec![layer::SrtpProfile::Aes128CmSha1_80];
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// The primitives. Default: [`Provider::default`].
    pub provider: Provider,
    /// The profiles to negotiate, best first. Default: AEAD_AES_128_GCM, AEAD_AES_256_GCM,
    /// AES128_CM_HMAC_SHA1_80, AES128_CM_HMAC_SHA1_32.
    ///
    /// GCM before counter mode (RFC 8827 §6.5), as it takes a fifth of the time where the processor
    /// helps; 128 bits before 256, the order of Firefox and Pion. Tags of 32 bits come last: they
    /// save 6 bytes and are there for peers that have nothing else.
    pub profiles: Vec<SrtpProfile>,
    /// How far an RTP packet may be behind the newest of its source, in packets: from 64
    /// (RFC 3711 §3.3.2) to 32768, beyond which sequence numbers are ambiguous.
    ///
    /// Default: 1024, as in browsers: packets that are sent again without RTX (RFC 4588) keep
    /// their numbers, and 1024 is a second of a large video. Each source takes a bit per packet,
    /// rounded up.
    pub replay_window: usize,
    /// How many sources each direction keeps. Default: 1024, a large conference with simulcast
    /// and RTX; a source takes about 400 bytes, only once a packet of it was authentic.
    ///
    /// When it is reached, packets of other sources are refused with
    /// [`UnprotectError::TooManySources`](layer::UnprotectError::TooManySources) or
    /// [`ProtectError::TooManySources`], and those that are known go on. None is ever evicted in
    /// their favour: who forgets a source forgets which of its packets it has seen, and a stranger
    /// could play them again (RFC 3711 §3.3.2); a sender would begin anew with the same IVs
    /// (RFC 7714 §8.4).
    pub max_sources: usize,
    /// Whether GCM protects an RTP packet whose sequence number it has protected before, or that is
    /// so old that it does not know. Default: `false`, it refuses with [`ProtectError::Repeated`].
    ///
    /// Under one index GCM may see one packet only: two that differ, and be it by a header
    /// extension, give the authentication key away (RFC 7714 §8.4). To send a packet again, send
    /// the same protected bytes, or use RTX. Turn this on only if a repeated packet is always the
    /// same to the last bit. Counter mode does not ask: there the same payload is harmless.
    pub allow_repeats: bool,
    /// Whether RTCP is encrypted, or only authenticated (the E flag, RFC 3711 §3.4). Default: `true`.
    pub encrypt_rtcp: bool,
    /// Whether RTCP is accepted that the peer has authenticated and not encrypted. Default: `true`:
    /// what it shows was shown by the peer already.
    pub accept_plain_rtcp: bool,
    /// How many RTP packets one key may protect, of all sources together; then
    /// [`ProtectError::Exhausted`]. Default: 2^48, the bound of RFC 3711 §9.2 and RFC 7714 §14.2
    /// for each source.
    ///
    /// For the profiles of AES-CM, RFC 5764 §4.1.2 says 2^31, which 10 000 packets a second reach
    /// in two and a half days; WebRTC has no way to renew keys in a call, and browsers do not count.
    pub max_rtp_packets: u64,
    /// The same for RTCP. Default: 2^31 (RFC 3711 §9.2), the index that each source counts with.
    pub max_rtcp_packets: u64,
}

/// A master key with its salt, with the lengths of a [`Suite`]. `Debug` does not show them.
#[derive(Clone, Copy)]
pub struct MasterKey<'a> {
    /// The key, [`Suite::key_len`] bytes.
    pub key: &'a [u8],
    /// The salt, [`Suite::salt_len`] bytes.
    pub salt: &'a [u8],
}

impl fmt::Debug for MasterKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Best first.
const PROFILES: [SrtpProfile; 4] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
    SrtpProfile::Aes128CmSha1_32,
];

#[cfg(feature = "ring")]
impl Default for Factory {
    fn default() -> Self {
        Self::new(Provider::default())
    }
}

impl Factory {
    /// The defaults with other primitives.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            profiles: PROFILES.to_vec(),
            replay_window: 1024,
            max_sources: 1024,
            allow_repeats: false,
            encrypt_rtcp: true,
            accept_plain_rtcp: true,
            max_rtp_packets: 1 << 48,
            max_rtcp_packets: 1 << 31,
        }
    }

    /// A context with keys from anywhere: `local` protects what is sent, `remote` is what the peer
    /// protects with.
    ///
    /// # Errors
    ///
    /// [`ProtectError::Profile`] if a key or a salt does not have the length of the suite.
    pub fn context(
        &self,
        suite: Suite,
        local: MasterKey<'_>,
        remote: MasterKey<'_>,
    ) -> Result<Context, ProtectError> {
        Context::new(self, suite, local, remote)
    }
}

impl NewSrtp for Factory {
    fn profiles(&self) -> &[SrtpProfile] {
        &self.profiles
    }

    /// It takes no randomness: the same keys and packets give the same bytes.
    fn new_srtp(&self, _start: Start, config: SrtpConfig) -> Result<Box<dyn Srtp>, ProtectError> {
        let [local_key, local_salt, remote_key, remote_salt] = [
            config.local_key,
            config.local_salt,
            config.remote_key,
            config.remote_salt,
        ]
        .map(Zeroizing::new);
        let suite = Suite::of_profile(config.profile)
            .filter(|_| self.profiles.contains(&config.profile))
            .ok_or(ProtectError::Profile)?;
        let local = MasterKey {
            key: &local_key,
            salt: &local_salt,
        };
        let remote = MasterKey {
            key: &remote_key,
            salt: &remote_salt,
        };
        Ok(Box::new(self.context(suite, local, remote)?))
    }
}
