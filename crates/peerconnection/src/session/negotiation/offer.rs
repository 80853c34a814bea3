//! Making an offer (RFC 9429 §5.2).

use super::{
    LocalTransport, MAX_MESSAGE_SIZE, Negotiation, SCTP_PORT, data_section, push_transport,
    rejected,
};
use crate::api::description::{SdpType, SessionDescription};
use sdp::{Group, Media, Setup};
use std::collections::BTreeSet;

impl Negotiation {
    /// An offer of what is there and what is wanted; nothing of the connection changes by it.
    pub(crate) fn create_offer(
        &mut self,
        wants_data: bool,
        transport: &LocalTransport,
    ) -> SessionDescription {
        let mut offer = self.start_description();
        let known = self
            .current_local
            .as_ref()
            .map(|applied| &applied.description);
        let data = known.and_then(data_section);
        let sections = known.map_or(&[][..], |description| &description.media);
        let mut bundled = Vec::new();
        for (index, section) in sections.iter().enumerate() {
            if Some(index) == data {
                let mid = section.mid().map(str::to_owned);
                // An offer of the peer may have left it out; ours does not (RFC 9429 §5.2.2).
                let mid = mid.unwrap_or_else(|| free_mid(sections));
                offer.media.push(data_offer(&mid, transport));
                bundled.push(mid);
            } else {
                offer.media.push(rejected(section));
            }
        }
        if data.is_none() && wants_data {
            let mid = free_mid(sections);
            offer.media.push(data_offer(&mid, transport));
            bundled.push(mid);
        }
        if !bundled.is_empty() {
            offer.push("group", Group::bundle(bundled).to_string());
        }
        self.created(SdpType::Offer, &offer)
    }
}

/// The data section of an offer: `actpass` always (RFC 8842 §5.2), also in later ones.
fn data_offer(mid: &str, transport: &LocalTransport) -> Media {
    let mut section = Media::data();
    push_transport(&mut section, mid, transport, Setup::ActPass);
    section.push("sctp-port", SCTP_PORT.to_string());
    section.push("max-message-size", MAX_MESSAGE_SIZE.to_string());
    section
}

/// The smallest number that no section has for its mid (sdp-024: at most 3 bytes).
fn free_mid(sections: &[Media]) -> String {
    let taken: BTreeSet<&str> = sections.iter().filter_map(Media::mid).collect();
    (0..=sections.len())
        .map(|number| number.to_string())
        .find(|mid| !taken.contains(mid.as_str()))
        .unwrap_or_default()
}
