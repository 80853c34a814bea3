//! Making an offer (RFC 9429 §5.2).

use super::{
    LocalInit, LocalTransport, Negotiation, SCTP_PORT, data_section, push_transport, rejected,
    speaks_rtp,
};
use crate::api::description::{SdpType, SessionDescription};
use crate::session::media::Transceivers;
use sdp::{Group, Media, Setup};
use std::collections::BTreeSet;

impl Negotiation {
    /// An offer of what is there and what is wanted; nothing of the connection changes by it.
    pub(crate) fn create_offer(
        &mut self,
        wants_data: bool,
        media: &mut Transceivers,
        transport: &LocalTransport,
    ) -> SessionDescription {
        let mut offer = self.start_description(transport);
        let known = self.local().map(|applied| &applied.description);
        let data = known.and_then(data_section);
        let sections = known.map_or(&[][..], |description| &description.media);
        let mut mids = Mids::of(sections);
        let mut waiting = media.unassociated().into_iter();
        media.begin_offer();
        for (index, section) in sections.iter().enumerate() {
            if Some(index) == data {
                // An offer of the peer may have left it out; ours does not (RFC 9429 §5.2.2).
                let mid = section.mid().map(str::to_owned);
                let mid = mid.unwrap_or_else(|| mids.next());
                offer.media.push(data_offer(&mid, transport));
                continue;
            }
            // RFC 9429 §5.2.2: a section that one side has given up is used again.
            let mut recycled = || self.is_recyclable(index).then(|| waiting.next()).flatten();
            let written = match media.alive_in_section(index) {
                Some(key) => {
                    let mid = section.mid().map(str::to_owned);
                    media.offer_section(key, &mid.unwrap_or_else(|| mids.next()), index, transport)
                }
                None => recycled()
                    .and_then(|key| media.offer_section(key, &mids.next(), index, transport)),
            };
            offer
                .media
                .push(written.unwrap_or_else(|| rejected(section)));
        }
        for key in waiting {
            let index = offer.media.len();
            offer
                .media
                .extend(media.offer_section(key, &mids.next(), index, transport));
        }
        if data.is_none() && wants_data {
            offer.media.push(data_offer(&mids.next(), transport));
        }
        let bundled: Vec<&str> = offer
            .media
            .iter()
            .filter(|section| !section.is_rejected())
            .filter_map(Media::mid)
            .collect();
        if !bundled.is_empty() {
            let group = Group::bundle(bundled).to_string();
            offer.push("group", group);
        }
        if offer.media.iter().any(speaks_rtp) {
            // RFC 8285 §6: extensions of any length may come to us in one stream.
            offer.push_flag("extmap-allow-mixed");
        }
        self.created(SdpType::Offer, &offer)
    }

    /// Whether one of the sides has given this section up.
    fn is_recyclable(&self, index: usize) -> bool {
        let agreed = [&self.current_local, &self.current_remote];
        agreed.into_iter().any(|applied| {
            let section = applied
                .as_ref()
                .and_then(|applied| applied.description.media.get(index));
            section.is_some_and(Media::is_rejected)
        })
    }
}

/// The data section of an offer: `actpass` always (RFC 8842 §5.2), also in later ones.
fn data_offer(mid: &str, transport: &LocalTransport) -> Media {
    let mut section = Media::data();
    push_transport(&mut section, mid, transport, Setup::ActPass);
    section.push("sctp-port", SCTP_PORT.to_string());
    section.push("max-message-size", transport.announced_size());
    LocalInit::offer(transport.init.as_ref(), &mut section);
    section
}

/// Gives names to sections: the smallest numbers that no section has (sdp-024: at most 3 bytes).
struct Mids {
    taken: BTreeSet<String>,
}

impl Mids {
    fn of(sections: &[Media]) -> Self {
        let mids = sections.iter().filter_map(Media::mid);
        Self {
            taken: mids.map(str::to_owned).collect(),
        }
    }

    fn next(&mut self) -> String {
        let mid = (0..=self.taken.len())
            .map(|number| number.to_string())
            .find(|mid| !self.taken.contains(mid))
            .unwrap_or_default();
        self.taken.insert(mid.clone());
        mid
    }
}
