use super::Session;
use ::dimpl::Output;
use layer::{DtlsState, DtlsVersion, ExportError, SealError, Security, SrtpProfile};
use std::time::Instant;
use zeroize::Zeroizing;

/// RFC 8446 §5.1: the most a record holds.
const MAX_PLAINTEXT: usize = 1 << 14;
/// Header, explicit nonce and tag (RFC 6347 §4.1, RFC 5288 §3).
const OVERHEAD_1_2: usize = 13 + 8 + 16;
/// Unified header with length, content type and tag (RFC 9147 §4).
const OVERHEAD_1_3: usize = 5 + 1 + 16;
/// RFC 5764 §4.2.
const DTLS_SRTP: &str = "EXTRACTOR-dtls_srtp";

/// The most that sealing adds; before the version is known, that of 1.2.
pub(super) fn overhead(security: Option<&Security>) -> usize {
    match security.map(|security| security.version) {
        Some(DtlsVersion::V1_3) => OVERHEAD_1_3,
        _ => OVERHEAD_1_2,
    }
}

/// What DTLS-SRTP exported.
pub(super) struct Keying {
    block: Zeroizing<Vec<u8>>,
    profile: SrtpProfile,
}

impl Keying {
    pub(super) fn new(block: &[u8], profile: ::dimpl::SrtpProfile) -> Option<Self> {
        let profile = match profile {
            ::dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpProfile::Aes128CmSha1_80,
            ::dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
            ::dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
            _ => return None,
        };
        Some(Self {
            block: Zeroizing::new(block.to_vec()),
            profile,
        })
    }

    pub(super) fn profile(&self) -> SrtpProfile {
        self.profile
    }
}

impl Session {
    /// Encrypts into `out`.
    pub(super) fn seal(
        &mut self,
        now: Instant,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SealError> {
        if self.state != DtlsState::Connected {
            return Err(SealError::NotConnected);
        }
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(SealError::TooLarge);
        }
        if out.len() < plaintext.len() + overhead(self.security.as_ref()) {
            return Err(SealError::TooSmall);
        }
        let Some(core) = &mut self.core else {
            return Err(SealError::NotConnected);
        };
        let sent = core.send(plaintext);
        let sealed = match core.poll_output(out) {
            Output::Packet(packet) => Some(packet.len()),
            _ => None,
        };
        self.after(now, sent, None);
        sealed
            .inspect(|_| self.stats.datagrams_sent += 1)
            .ok_or(SealError::NotConnected)
    }

    /// Keeps application data until it is asked for.
    pub(super) fn hold(&mut self, data: &[u8]) {
        if !self.held.push(data) {
            self.stats.overflowed += 1;
        }
    }

    /// The next message that was held. None before the peer is known to be who it said.
    pub(super) fn next_held(&mut self, buf: &mut [u8]) -> Option<usize> {
        if self.state != DtlsState::Connected {
            return None;
        }
        while let Some(message) = self.held.pop() {
            if let Some(place) = buf.get_mut(..message.len()) {
                place.copy_from_slice(&message);
                return Some(message.len());
            }
            self.stats.dropped += 1;
        }
        None
    }

    /// RFC 5764 §4.2: the one export that dimpl makes.
    pub(super) fn export_keying(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        // RFC 5764 §5.1: no keys for SRTP before the handshake is over, nor for a stranger.
        if self.state != DtlsState::Connected {
            return Err(ExportError::NotConnected);
        }
        match &self.keying {
            Some(keying)
                if label == DTLS_SRTP && context.is_none() && out.len() == keying.block.len() =>
            {
                out.copy_from_slice(&keying.block);
                Ok(())
            }
            _ => Err(ExportError::Unsupported),
        }
    }
}
