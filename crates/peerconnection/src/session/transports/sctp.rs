use super::{MAX_DATAGRAM, Transport};
use std::time::Instant;

impl Transport {
    /// Seals SCTP packets into a run of datagrams of one size (the last may be shorter), at most
    /// `max_datagrams` of at most `limit` bytes; returns the bytes written and the size.
    ///
    /// A packet that is larger than the first of the run is carried over to the next run.
    pub(super) fn seal_run(
        &mut self,
        now: Instant,
        out: &mut [u8],
        limit: usize,
        max_datagrams: usize,
    ) -> Option<(usize, Option<usize>)> {
        let max_plaintext = limit.checked_sub(self.dtls.overhead())?.min(MAX_DATAGRAM);
        let mut segment = 0;
        let mut len = 0;
        let mut count = 0;
        if !self.carry.is_empty() && self.carry.len() <= out.len() {
            segment = self.carry.len();
            out[..segment].copy_from_slice(&self.carry);
            self.carry.clear();
            (len, count) = (segment, 1);
        }
        let mut plaintext = [0; MAX_DATAGRAM];
        while count < max_datagrams && len + limit <= out.len() {
            let Some(size) = self
                .sctp
                .poll_transmit(now, &mut plaintext[..max_plaintext])
            else {
                break;
            };
            // Before DTLS is connected SCTP has nothing to send; after its end nothing may be sent.
            let Ok(sealed) = self
                .dtls
                .seal_into(now, &plaintext[..size], &mut out[len..])
            else {
                break;
            };
            if sealed == 0 {
                continue; // The datagram comes out of DTLS by itself (layer::Dtls::seal_into).
            }
            if count > 0 && sealed > segment {
                self.carry.extend_from_slice(&out[len..len + sealed]);
                break;
            }
            if count == 0 {
                segment = sealed;
            }
            len += sealed;
            count += 1;
            if sealed < segment {
                break;
            }
        }
        match count {
            0 => None,
            1 => Some((len, None)),
            _ => Some((len, Some(segment))),
        }
    }

    /// Fits SCTP's packets to a route that takes less than all others do.
    pub(crate) fn fit_packets(&mut self, max_payload: usize) {
        let max_payload = max_payload.min(super::MAX_PAYLOAD);
        self.dtls.set_max_datagram(max_payload);
        self.sctp
            .set_max_packet(max_payload.saturating_sub(self.dtls.overhead()));
    }
}
