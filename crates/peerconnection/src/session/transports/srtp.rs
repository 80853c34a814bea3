use super::Transport;
use layer::{DtlsRole, NewSrtp, Srtp, SrtpConfig, Start};

/// RFC 5764 §4.2.
const EXPORTER: &str = "EXTRACTOR-dtls_srtp";

/// The longest block: two keys of 32 bytes and two salts of 14.
const MAX_KEYING: usize = 2 * (32 + 14);

impl Transport {
    /// A context with the keys of the handshake; `None` if it agreed on no profile.
    pub(crate) fn new_srtp(&self, factory: &dyn NewSrtp, start: Start) -> Option<Box<dyn Srtp>> {
        let profile = self.dtls.security()?.srtp_profile?;
        let mut block = [0; MAX_KEYING];
        let block = block.get_mut(..profile.keying_len())?;
        let exported = self.dtls.export(EXPORTER, None, block);
        let is_client = self.dtls.role() == Some(DtlsRole::Client);
        let config = SrtpConfig::from_keying_material(profile, is_client, block);
        let made = exported
            .ok()
            .and(config)
            .map(|config| factory.new_srtp(start, config));
        match made {
            Some(Ok(srtp)) => Some(srtp),
            other => {
                tracing::debug!(?profile, refused = other.is_some(), "no keys for srtp");
                None
            }
        }
    }
}
