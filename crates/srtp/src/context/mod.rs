mod incoming;
mod outgoing;

use crate::{Factory, MasterKey, Suite};
use incoming::Incoming;
use layer::{ProtectError, Srtp, SrtpStats, UnprotectError};
use outgoing::Outgoing;

/// SRTP and SRTCP of one connection, both directions: the default [`layer::Srtp`].
///
/// The two directions have nothing in common but their suite. Each has the session keys that were
/// derived from its master key, and a state per source: the rollover counter, the index of SRTCP,
/// and what was seen (RFC 3711 §3.2.3).
///
/// # Sources
///
/// A source that we send begins with its first packet and rollover counter 0. A source of the peer
/// begins with its first *authentic* packet, whose sequence number is taken for one of rollover
/// counter 0, unless [`set_remote_rollover_counter`](Srtp::set_remote_rollover_counter) has said
/// otherwise (RFC 3711 §3.3.1). Nothing that is not authentic changes anything but counters.
///
/// After an error of the `unprotect` verbs the packet holds nothing of use.
#[derive(Debug)]
pub struct Context {
    suite: Suite,
    outgoing: Outgoing,
    incoming: Incoming,
    stats: SrtpStats,
}

impl Context {
    pub(crate) fn new(
        factory: &Factory,
        suite: Suite,
        local: MasterKey<'_>,
        remote: MasterKey<'_>,
    ) -> Result<Self, ProtectError> {
        Ok(Self {
            suite,
            outgoing: Outgoing::new(factory, suite, local)?,
            incoming: Incoming::new(factory, suite, remote)?,
            stats: SrtpStats::default(),
        })
    }

    /// The suite of both directions.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Begins a source of ours at a rollover counter other than 0, as when it moves here from
    /// another process that has protected its packets so far. Does nothing and returns `false` if
    /// the source has a higher counter already, since no index may be used twice, or if there are
    /// too many sources.
    pub fn set_local_rollover_counter(&mut self, ssrc: u32, counter: u32) -> bool {
        self.outgoing.set_rollover_counter(ssrc, counter)
    }

    fn count(&mut self, result: Result<usize, UnprotectError>) -> Result<usize, UnprotectError> {
        let counter = match result {
            Ok(_) => &mut self.stats.unprotected,
            Err(UnprotectError::Authentication) => &mut self.stats.unauthenticated,
            Err(UnprotectError::Replayed) => &mut self.stats.replayed,
            Err(UnprotectError::TooManySources) => &mut self.stats.refused_sources,
            Err(_) => &mut self.stats.malformed,
        };
        *counter += 1;
        result
    }
}

impl Srtp for Context {
    fn protect_into(
        &mut self,
        header: &[u8],
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ProtectError> {
        let len = self.outgoing.protect_rtp(header, payload, out)?;
        self.stats.protected += 1;
        Ok(len)
    }

    fn unprotect_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let result = self.incoming.unprotect_rtp(packet);
        self.count(result)
    }

    fn protect_rtcp_into(&mut self, packet: &[u8], out: &mut [u8]) -> Result<usize, ProtectError> {
        let len = self.outgoing.protect_rtcp(packet, out)?;
        self.stats.protected += 1;
        Ok(len)
    }

    fn unprotect_rtcp_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let result = self.incoming.unprotect_rtcp(packet);
        self.count(result)
    }

    fn local_rollover_counter(&self, ssrc: u32) -> Option<u32> {
        self.outgoing.rollover_counter(ssrc)
    }

    fn remote_rollover_counter(&self, ssrc: u32) -> Option<u32> {
        self.incoming.rollover_counter(ssrc)
    }

    fn set_remote_rollover_counter(&mut self, ssrc: u32, counter: u32) {
        self.incoming.set_rollover_counter(ssrc, counter);
    }

    fn overhead(&self) -> usize {
        self.suite.rtp_overhead()
    }

    fn rtcp_overhead(&self) -> usize {
        self.suite.rtcp_overhead()
    }

    fn stats(&self) -> SrtpStats {
        self.stats.clone()
    }
}
