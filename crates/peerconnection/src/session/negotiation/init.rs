//! INIT chunks in descriptions: where both sides put theirs in, the association is up as soon as DTLS
//! is, two round trips earlier (draft-hancke-tsvwg-snap).

use super::{RemoteData, data_section};
use crate::error::{Error, ErrorKind};
use crate::session::Session;
use bytes::Bytes;
use layer::SctpState;
use sdp::{Description, Media};

/// Our INIT chunk, for a description.
#[derive(Clone, Debug)]
pub(crate) struct LocalInit {
    chunk: Bytes,
    /// Whether an offer has it; an answer has it if the offer does.
    is_offered: bool,
}

impl LocalInit {
    /// Into the data section of an offer, if it is for offers.
    pub(crate) fn offer(init: Option<&Self>, section: &mut Media) {
        if let Some(init) = init.filter(|init| init.is_offered) {
            section.push_sctp_init(&init.chunk);
        }
    }

    /// Into the data section of an answer, if the offer has one too (sctp-050).
    pub(crate) fn answer(init: Option<&Self>, offered: &Media, section: &mut Media) {
        if let Some(init) = init.filter(|_| has_init(offered)) {
            section.push_sctp_init(&init.chunk);
        }
    }
}

fn has_init(section: &Media) -> bool {
    section.has_attribute("sctp-init")
}

impl Session {
    /// The INIT that our descriptions may carry: that of an association that has not begun, or
    /// that has begun with it, always the same (draft-hancke-tsvwg-snap §5.6).
    pub(in crate::session) fn local_init(&self) -> Option<LocalInit> {
        let sctp = &self.transport.as_ref()?.sctp;
        let agreed = self.remote_init.is_some();
        let usable = agreed || sctp.state() == SctpState::New;
        let chunk = sctp.local_init().filter(|_| usable)?;
        let is_offered = agreed || sctp.offers_init();
        Some(LocalInit { chunk, is_offered })
    }

    /// Checks the INIT of a remote description (draft-hancke-tsvwg-snap §5.3, §5.6). A layer that
    /// takes none from there leaves it alone, as any attribute that is not known.
    pub(super) fn check_init(&mut self, data: Option<&RemoteData>) -> Result<(), Error> {
        let Some(init) = data.and_then(|data| data.init.as_ref()) else {
            return Ok(());
        };
        let agreed = self.remote_init.clone();
        let sctp = &self.ensure_transport()?.sctp;
        if sctp.local_init().is_none_or(|own| own == *init) {
            return Ok(());
        }
        let refused = |what| Err(Error::new(ErrorKind::InvalidAccess, what));
        if sctp.state() == SctpState::New {
            return match sctp.accepts_init(init) {
                true => Ok(()),
                false => refused("sctp-init is not an init chunk that can be accepted"),
            };
        }
        match agreed.as_ref() == Some(init) {
            true => Ok(()),
            false => refused("sctp-init is not that with which the association began"),
        }
    }

    /// Takes the peer's INIT if our description has one too, and the association has not begun.
    pub(super) fn agree_on_init(&mut self, ours: Option<&Description>, data: &RemoteData) {
        let Some(transport) = &self.transport else {
            return;
        };
        if transport.sctp.state() == SctpState::New {
            let section = ours.and_then(|ours| Some(&ours.media[data_section(ours)?]));
            let both = section.is_some_and(has_init);
            // Some stacks copy lines that they do not know into their answer (dfx-005).
            let own = transport.sctp.local_init();
            let usable = |init: &Bytes| both && own.as_ref() != Some(init);
            self.remote_init = data.init.clone().filter(usable);
        }
    }
}
