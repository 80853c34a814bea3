use crate::fingerprint;
use bytes::Bytes;
use crypto::Provider;
use layer::Fingerprint;

/// Who the peer said it is, and who it showed to be.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    signalled: Vec<Fingerprint>,
    certificates: Vec<Bytes>,
}

/// What is known of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The certificate or the fingerprints have not come.
    Open,
    /// One of the fingerprints is the certificate's.
    Match,
    /// None is.
    Mismatch,
}

/// A description has a handful; more than these are not kept.
const MAX_FINGERPRINTS: usize = 64;

impl Identity {
    pub(crate) fn add_fingerprints(&mut self, fingerprints: &[Fingerprint]) {
        for fingerprint in fingerprints {
            let room = self.signalled.len() < MAX_FINGERPRINTS;
            if room && !self.signalled.contains(fingerprint) {
                self.signalled.push(fingerprint.clone());
            }
        }
    }

    #[cfg(any(feature = "dimpl", feature = "webrtc-dtls"))]
    pub(crate) fn set_certificate(&mut self, leaf: &[u8]) {
        self.certificates = vec![Bytes::copy_from_slice(leaf)];
    }

    /// The leaf first.
    pub(crate) fn set_certificates(&mut self, certificates: Vec<Bytes>) {
        self.certificates = certificates;
    }

    pub(crate) fn certificates(&self) -> &[Bytes] {
        &self.certificates
    }

    pub(crate) fn verdict(&self, provider: &Provider) -> Verdict {
        match self.certificates.first() {
            Some(leaf) if !self.signalled.is_empty() => {
                if fingerprint::matches(provider, leaf, &self.signalled) {
                    Verdict::Match
                } else {
                    Verdict::Mismatch
                }
            }
            _ => Verdict::Open,
        }
    }
}
