use super::{MAX_PAYLOAD, MAX_PROBED, Transport};
use layer::Route;
use std::time::Instant;

impl Transport {
    /// Seals SCTP packets into a run of datagrams of one size (the last may be shorter), at most
    /// `max_datagrams` of at most `limit` bytes; returns the bytes written and the size.
    ///
    /// A packet that does not go with the first of the run is carried over to the next. The end of
    /// `out` is where packets are written before they are sealed.
    pub(super) fn seal_run(
        &mut self,
        now: Instant,
        out: &mut [u8],
        limit: usize,
        max_datagrams: usize,
    ) -> Option<(usize, Option<usize>)> {
        let limit = limit.min(out.len() / 2);
        let max_plaintext = limit.checked_sub(self.dtls.overhead())?;
        let (out, plaintext) = out.split_at_mut(out.len().checked_sub(max_plaintext)?);
        let mut segment = 0;
        let mut len = 0;
        let mut count = 0;
        if !self.carry.is_empty() && self.carry.len() <= out.len() {
            segment = self.carry.len();
            out[..segment].copy_from_slice(&self.carry);
            self.carry.clear();
            (len, count) = (segment, 1);
        }
        while count < max_datagrams && len + limit <= out.len() {
            let Some(size) = self.sctp.poll_transmit(now, plaintext) else {
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
            if count > 0 && !self.goes_with(segment, sealed) {
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

    /// Fits the packets to a route.
    pub(crate) fn fit_packets(&mut self, route: &Route) {
        self.dtls
            .set_max_datagram(route.max_payload.min(MAX_PAYLOAD));
        let largest = route.max_probe.min(MAX_PROBED);
        self.sctp
            .set_max_packet(largest.saturating_sub(self.dtls.overhead()));
    }

    /// Whether a datagram may follow others of `segment` bytes in a run. A large one may be a probe,
    /// which the system refuses with all of its run: nothing shorter follows it.
    fn goes_with(&self, segment: usize, len: usize) -> bool {
        let is_probe = || segment > self.sctp.stats().max_packet + self.dtls.overhead();
        len == segment || (len < segment && (segment <= MAX_PAYLOAD || !is_probe()))
    }
}
