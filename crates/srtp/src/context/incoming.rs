use crate::index::{PacketIndex, Progress};
use crate::packet::{self, RtpHeader};
use crate::replay::ReplayWindow;
use crate::source::Sources;
use crate::transform::Transform;
use crate::{Factory, MasterKey, Suite};
use layer::{ProtectError, UnprotectError};

/// How far an SRTCP packet may be behind. Some packets a second come from a source, so this is more
/// than any network holds back.
const RTCP_WINDOW: usize = 128;

/// What the peer sends.
#[derive(Debug)]
pub(super) struct Incoming {
    transform: Transform,
    sources: Sources<Source>,
    replay_window: usize,
    accept_plain_rtcp: bool,
}

/// The state of one source, which exists once a packet of it was authentic.
#[derive(Debug)]
struct Source {
    progress: Progress,
    rtp: ReplayWindow,
    rtcp: ReplayWindow,
}

impl Incoming {
    pub(super) fn new(
        factory: &Factory,
        suite: Suite,
        master: MasterKey<'_>,
    ) -> Result<Self, ProtectError> {
        let transform = Transform::new(&factory.provider, suite, master.key, master.salt)
            .map_err(|_| ProtectError::Profile)?;
        Ok(Self {
            transform,
            sources: Sources::new(factory.max_sources),
            replay_window: factory.replay_window,
            accept_plain_rtcp: factory.accept_plain_rtcp,
        })
    }

    /// The steps of a receiver (RFC 3711 §3.3): index, replay, authentication, decryption, and only
    /// then what changes.
    pub(super) fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let header = RtpHeader::parse(packet).ok_or(UnprotectError::Malformed)?;
        let full = self.sources.is_full();
        let index = match self.sources.find(header.ssrc) {
            Some(source) => {
                // Beyond the last index: nothing new can come (RFC 3711 §9.2).
                let index = source.progress.index(header.seq);
                let new = index.filter(|index| source.rtp.admits(index.number()));
                new.ok_or(UnprotectError::Replayed)?
            }
            None if full => return Err(UnprotectError::TooManySources),
            None => PacketIndex {
                roc: 0,
                seq: header.seq,
            },
        };
        let len = self
            .transform
            .open_rtp(header, index, packet)
            .map_err(refusal)?;
        if let Some(source) = self.authentic(header.ssrc) {
            source.progress.raise(index);
            source.rtp.record(index.number());
        }
        Ok(len)
    }

    /// The same for RTCP, whose index comes with the packet (RFC 3711 §3.4).
    pub(super) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let ssrc = packet::rtcp_ssrc(packet).ok_or(UnprotectError::Malformed)?;
        let word = self.transform.index_word(packet);
        let word = word
            .filter(|word| word.encrypted || self.accept_plain_rtcp)
            .ok_or(UnprotectError::Malformed)?;
        let full = self.sources.is_full();
        match self.sources.find(ssrc) {
            Some(source) if !source.rtcp.admits(word.index.into()) => {
                return Err(UnprotectError::Replayed);
            }
            None if full => return Err(UnprotectError::TooManySources),
            _ => {}
        }
        let len = self
            .transform
            .open_rtcp(ssrc, word, packet)
            .map_err(refusal)?;
        if let Some(source) = self.authentic(ssrc) {
            source.rtcp.record(word.index.into());
        }
        Ok(len)
    }

    pub(super) fn rollover_counter(&self, ssrc: u32) -> Option<u32> {
        self.sources.get(ssrc).map(|source| source.progress.roc())
    }

    /// The next packet of a source is taken for one of this rollover counter. What was seen under
    /// another counter is forgotten.
    pub(super) fn set_rollover_counter(&mut self, ssrc: u32, roc: u32) {
        let window = self.replay_window;
        if let Some(source) = self.authentic(ssrc)
            && source.progress.roc() != roc
        {
            source.progress = Progress::Begins { roc };
            source.rtp = ReplayWindow::new(window);
        }
    }

    /// The state of a source that is known to be real, which begins now if it has none; `None` if
    /// there is no room for it.
    fn authentic(&mut self, ssrc: u32) -> Option<&mut Source> {
        if self.sources.find(ssrc).is_none() {
            let source = Source {
                progress: Progress::Begins { roc: 0 },
                rtp: ReplayWindow::new(self.replay_window),
                rtcp: ReplayWindow::new(RTCP_WINDOW),
            };
            self.sources.add(ssrc, source);
        }
        self.sources.find(ssrc)
    }
}

/// Too short for a tag, or with a wrong one.
fn refusal(error: crypto::Error) -> UnprotectError {
    match error {
        crypto::Error::Length => UnprotectError::Malformed,
        _ => UnprotectError::Authentication,
    }
}
