use super::Session;
use crate::endpoint::Exporter;
use crate::record::protection::{OVERHEAD_1_2, OVERHEAD_1_3};
use crate::record::{ContentType, MAX_PLAINTEXT};
use crate::schedule::v1_3;
use layer::{DtlsState, DtlsVersion, ExportError, SealError};
use std::time::Instant;

/// RFC 5764 §4.2.
const DTLS_SRTP: &str = "EXTRACTOR-dtls_srtp";

impl Session {
    /// The most that sealing adds; before the handshake is over, the larger of both versions.
    pub(super) fn record_overhead(&self) -> usize {
        let version = self.endpoint.security.version;
        if self.is_established() && version == DtlsVersion::V1_3 {
            OVERHEAD_1_3
        } else {
            OVERHEAD_1_2
        }
    }

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
        if out.len() < plaintext.len() + self.record_overhead() {
            return Err(SealError::TooSmall);
        }
        let records = &mut self.endpoint.records;
        let epoch = records.write_epoch();
        let (len, _) = records
            .seal(epoch, ContentType::ApplicationData, plaintext, out)
            .ok_or(SealError::NotConnected)?;
        self.stats.datagrams_sent += 1;
        self.watch_key_usage(now);
        Ok(len)
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
        if label == DTLS_SRTP && self.endpoint.security.srtp_profile.is_none() {
            return Err(ExportError::Unsupported);
        }
        let label = label.as_bytes();
        let provider = &self.endpoint.provider;
        match &self.endpoint.exporter {
            Some(Exporter::V1_2(master)) => master.export(label, context, out),
            Some(Exporter::V1_3(cipher, secret)) => {
                v1_3::export(provider, *cipher, secret, label, context, out)
            }
            None => return Err(ExportError::NotConnected),
        }
        .ok_or(ExportError::Unsupported)
    }
}
