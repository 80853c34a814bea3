//! Making an answer (RFC 9429 §5.3).

use super::{
    LocalInit, LocalTransport, Negotiation, SCTP_PORT, data_section, is_bundled, push_transport,
    rejected, riding_sections, speaks_rtp,
};
use crate::api::description::{SdpType, SessionDescription};
use crate::error::{Error, ErrorKind};
use crate::session::media::Transceivers;
use layer::DtlsRole;
use sdp::{Description, Group, Media, Setup};

impl Negotiation {
    /// An answer to the pending offer. Sections that are not spoken here are rejected and leave
    /// the bundle; only what is known is written, nothing of the offer is echoed (dfx-005).
    pub(crate) fn create_answer(
        &mut self,
        media: &Transceivers,
        transport: &LocalTransport,
        role: Option<DtlsRole>,
    ) -> Result<SessionDescription, Error> {
        let Some(offer) = &self.pending_remote else {
            return Err(Error::new(
                ErrorKind::InvalidState,
                "there is no offer to answer",
            ));
        };
        let offer = &offer.description;
        let mut answer = self.start_description(transport);
        let data = data_section(offer);
        let rides = riding_sections(offer);
        // Without a bundle the first section that is taken has the only transport.
        let shared = is_bundled(offer);
        let mut taken = false;
        for (index, section) in offer.media.iter().enumerate() {
            let written = if !rides[index] || (taken && !shared) {
                None
            } else if Some(index) == data {
                let setup = answer_setup(offer, section, role)?;
                Some(data_answer(section, transport, setup))
            } else if section.is_data() {
                None
            } else {
                let setup = answer_setup(offer, section, role)?;
                media.answer_section(index, offer, transport, setup)
            };
            taken |= written.is_some();
            answer
                .media
                .push(written.unwrap_or_else(|| rejected(section)));
        }
        if let Some(group) = bundle(offer, &answer) {
            answer.push("group", group.to_string());
        }
        if offer.has_attribute("extmap-allow-mixed") && answer.media.iter().any(speaks_rtp) {
            answer.push_flag("extmap-allow-mixed");
        }
        Ok(self.created(SdpType::Answer, &answer))
    }
}

/// sdp-018: never `actpass`; active where the offer leaves the choice, so that the handshake
/// starts with the answer. An association that exists keeps its roles (RFC 8842 §5.3).
fn answer_setup(
    offer: &Description,
    section: &Media,
    role: Option<DtlsRole>,
) -> Result<Setup, Error> {
    let offered = section.setup(offer).map_err(super::remote::refused)?;
    Ok(match (role, offered) {
        (Some(DtlsRole::Client), _) => Setup::Active,
        (Some(DtlsRole::Server), _) | (None, Some(Setup::Active)) => Setup::Passive,
        (None, Some(Setup::ActPass | Setup::Passive) | None) => Setup::Active,
        (None, Some(Setup::HoldConn)) => {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                "setup:holdconn is not for WebRTC",
            ));
        }
    })
}

/// The data section of an answer, in the form the offer has (dfx-053: the old form is answered in
/// the old form).
fn data_answer(offered: &Media, transport: &LocalTransport, setup: Setup) -> Media {
    let mut section = Media::data();
    section.protocol.clone_from(&offered.protocol);
    section.formats.clone_from(&offered.formats);
    push_transport(
        &mut section,
        offered.mid().unwrap_or_default(),
        transport,
        setup,
    );
    if offered.protocol == "DTLS/SCTP" {
        let port = offered.formats.first().map_or("5000", String::as_str);
        section.push("sctpmap", format!("{port} webrtc-datachannel 65535"));
    } else {
        section.push("sctp-port", SCTP_PORT.to_string());
    }
    section.push("max-message-size", transport.announced_size());
    LocalInit::answer(transport.init.as_ref(), offered, &mut section);
    if offered.mid().is_none() {
        section.remove("mid");
    }
    section
}

/// sdp-026, sdp-029: the offered group without what was rejected.
fn bundle(offer: &Description, answer: &Description) -> Option<Group> {
    let group = offer.bundle().ok().flatten()?;
    let accepted = |mid: &&String| {
        answer
            .media_by_mid(mid)
            .is_some_and(|section| !section.is_rejected())
    };
    let mids: Vec<&str> = group
        .mids
        .iter()
        .filter(accepted)
        .map(String::as_str)
        .collect();
    (!mids.is_empty()).then(|| Group::bundle(mids))
}
