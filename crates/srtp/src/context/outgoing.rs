use crate::index::Progress;
use crate::packet::{self, IndexWord, RtpHeader};
use crate::replay::ReplayWindow;
use crate::source::Sources;
use crate::transform::Transform;
use crate::{Factory, MasterKey, Suite};
use layer::ProtectError;

/// No datagram carries more (RFC 768), and the keystream of an index ends at 1 MiB (RFC 3711
/// §4.1.1).
const MAX_PACKET: usize = 0xFFFF;

/// What we send.
#[derive(Debug)]
pub(super) struct Outgoing {
    transform: Transform,
    sources: Sources<Source>,
    rtp_overhead: usize,
    rtcp_overhead: usize,
    encrypt_rtcp: bool,
    /// The window in which packets are known to be repeated; `None` if they may be.
    repeats: Option<usize>,
    /// How many packets the key may still protect.
    rtp_left: u64,
    rtcp_left: u64,
}

/// The state of one source.
#[derive(Debug)]
struct Source {
    progress: Progress,
    /// What was protected, where repeats are refused.
    protected: Option<ReplayWindow>,
    /// The index of the next SRTCP packet: 0 for the first (RFC 3711 §3.4).
    rtcp_index: u32,
}

impl Outgoing {
    pub(super) fn new(
        factory: &Factory,
        suite: Suite,
        master: MasterKey<'_>,
    ) -> Result<Self, ProtectError> {
        let transform = Transform::new(&factory.provider, suite, master.key, master.salt)
            .map_err(|_| ProtectError::Profile)?;
        let guarded = transform.breaks_on_repeats() && !factory.allow_repeats;
        Ok(Self {
            transform,
            sources: Sources::new(factory.max_sources),
            rtp_overhead: suite.rtp_overhead(),
            rtcp_overhead: suite.rtcp_overhead(),
            encrypt_rtcp: factory.encrypt_rtcp,
            repeats: guarded.then_some(factory.replay_window),
            rtp_left: factory.max_rtp_packets,
            rtcp_left: factory.max_rtcp_packets,
        })
    }

    pub(super) fn protect_rtp(
        &mut self,
        head: &[u8],
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ProtectError> {
        let header = RtpHeader::parse(head)
            .filter(|header| header.len == head.len())
            .ok_or(ProtectError::Malformed)?;
        let plain = head.len() + payload.len();
        let packet = room(out, plain, self.rtp_overhead)?;
        if self.rtp_left == 0 {
            return Err(ProtectError::Exhausted);
        }
        let source = self.source(header.ssrc)?;
        // RFC 3711 §9.2: past the last index there is no other.
        let index = source.progress.index(header.seq);
        let index = index.ok_or(ProtectError::Exhausted)?;
        let repeated = |protected: &ReplayWindow| !protected.admits(index.number());
        if source.protected.as_ref().is_some_and(repeated) {
            return Err(ProtectError::Repeated);
        }
        packet[..head.len()].copy_from_slice(head);
        packet[head.len()..plain].copy_from_slice(payload);
        source.progress.raise(index);
        if let Some(protected) = &mut source.protected {
            protected.record(index.number());
        }
        self.rtp_left -= 1;
        self.transform
            .seal_rtp(header, index, packet)
            .map_err(|_| ProtectError::Malformed)?;
        Ok(packet.len())
    }

    pub(super) fn protect_rtcp(
        &mut self,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ProtectError> {
        let ssrc = packet::rtcp_ssrc(plain).ok_or(ProtectError::Malformed)?;
        let packet = room(out, plain.len(), self.rtcp_overhead)?;
        if self.rtcp_left == 0 {
            return Err(ProtectError::Exhausted);
        }
        let encrypted = self.encrypt_rtcp;
        let source = self.source(ssrc)?;
        let index = source.rtcp_index;
        if index > IndexWord::MAX_INDEX {
            return Err(ProtectError::Exhausted);
        }
        source.rtcp_index += 1;
        self.rtcp_left -= 1;
        packet[..plain.len()].copy_from_slice(plain);
        self.transform
            .seal_rtcp(ssrc, IndexWord { encrypted, index }, packet)
            .map_err(|_| ProtectError::Malformed)?;
        Ok(packet.len())
    }

    pub(super) fn rollover_counter(&self, ssrc: u32) -> Option<u32> {
        self.sources.get(ssrc).map(|source| source.progress.roc())
    }

    /// `false` if that would go back, or if there is no room for the source.
    pub(super) fn set_rollover_counter(&mut self, ssrc: u32, roc: u32) -> bool {
        match self.source(ssrc) {
            Ok(source) if source.progress.roc() < roc => {
                source.progress = Progress::Begins { roc };
                true
            }
            Ok(source) => source.progress.roc() == roc,
            Err(_) => false,
        }
    }

    /// The state of a source, which begins now if it has none.
    fn source(&mut self, ssrc: u32) -> Result<&mut Source, ProtectError> {
        if self.sources.find(ssrc).is_none() {
            let source = Source {
                progress: Progress::Begins { roc: 0 },
                protected: self.repeats.map(ReplayWindow::new),
                rtcp_index: 0,
            };
            self.sources.add(ssrc, source);
        }
        self.sources.find(ssrc).ok_or(ProtectError::TooManySources)
    }
}

/// The part of `out` that a packet of `plain` bytes fills with what protection adds.
fn room(out: &mut [u8], plain: usize, overhead: usize) -> Result<&mut [u8], ProtectError> {
    let len = plain + overhead;
    if len > MAX_PACKET {
        return Err(ProtectError::Malformed);
    }
    out.get_mut(..len).ok_or(ProtectError::TooSmall)
}
