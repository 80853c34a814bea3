//! The audio and video sections of our offers and answers (RFC 9429 §5.2, §5.3).

use super::transceiver::{Transceiver, TransceiverKey};
use super::{Transceivers, codec};
use crate::api::state::RtpTransceiverDirection;
use crate::parameters::RtpCodecParameters;
use crate::session::negotiation::{LocalTransport, push_transport};
use sdp::{
    Description, ExtMap, Media, Rid, RidDirection, Setup, Simulcast, SimulcastStream,
    SsrcAttribute, SsrcGroup,
};

impl Transceivers {
    /// The section of a transceiver in an offer. `None` if nothing it could be is left.
    pub(crate) fn offer_section(
        &mut self,
        key: TransceiverKey,
        mid: &str,
        index: usize,
        transport: &LocalTransport,
    ) -> Option<Media> {
        let at = self.position(key)?;
        let transceiver = &mut self.list[at];
        let is_new = transceiver.mid.is_none();
        if is_new {
            transceiver.planned = Some((mid.to_owned(), index));
        }
        let kind = transceiver.kind;
        let mut codecs = codec::preferred(self.capabilities.codecs(kind), &transceiver.preferences);
        self.draft.assign(&mut codecs);
        if transceiver.preferences.is_empty() {
            // RFC 9429 §5.2.2: in the order of the last answer, what is new after it.
            let answered = &transceiver.answered;
            codecs.sort_by_key(|own| {
                let mut places = answered.iter();
                let place = places.position(|number| *number == own.payload_type);
                place.unwrap_or(usize::MAX)
            });
        }
        if codecs.is_empty() {
            return None;
        }
        let mut section = Media::rtp(kind.as_str(), codec::formats(&codecs));
        push_transport(&mut section, mid, transport, Setup::ActPass);
        for own in &self.capabilities.header_extensions {
            if own.is_for(kind)
                && let Some(id) = self.draft.extension_id(&own.uri, own.id)
            {
                push_extension(&mut section, id, &own.uri);
            }
        }
        let transceiver = &self.list[at];
        let direction = transceiver.direction;
        self.push_media(&mut section, transceiver, direction, &codecs);
        if is_new {
            // RFC 9429 §4.1.1, §5.2.2: said of what was not negotiated yet (RFC 8858 §4).
            section.push_flag("rtcp-mux-only");
        }
        push_layers(
            &mut section,
            transceiver,
            direction,
            None,
            &transceiver.receiver.layers,
        );
        Some(section)
    }

    /// The section of an answer to the offered one; `None` rejects it.
    pub(crate) fn answer_section(
        &self,
        index: usize,
        offer: &Description,
        transport: &LocalTransport,
        setup: Setup,
    ) -> Option<Media> {
        let offered = &offer.media[index];
        let transceiver = self.of_section(index).filter(|found| found.is_alive())?;
        let own = codec::preferred(
            self.capabilities.codecs(transceiver.kind),
            &transceiver.preferences,
        );
        let mut codecs = codec::intersect(&codec::read(offered), &own);
        if !codecs.iter().any(|common| codec::is_primary(&common.codec)) {
            return None;
        }
        if !transceiver.preferences.is_empty() {
            sort_by(&mut codecs, &own);
        }
        for common in &mut codecs {
            let own = own
                .iter()
                .find(|own| codec::matches(&own.codec, &common.codec));
            if let Some(own) = own {
                common.codec.sdp_fmtp_line = codec::answer_fmtp(&common.codec, &own.codec);
            }
        }
        let direction = answer_direction(transceiver, offered, offer);
        let mut section = Media::rtp(offered.kind.as_str(), codec::formats(&codecs));
        section.protocol.clone_from(&offered.protocol);
        push_transport(
            &mut section,
            offered.mid().unwrap_or_default(),
            transport,
            setup,
        );
        if offered.mid().is_none() {
            section.remove("mid");
        }
        // The ids of the offer (RFC 8285 §6), in its order.
        for line in offered.ext_maps().unwrap_or_default() {
            let capable = self
                .capabilities
                .header_extensions
                .iter()
                .any(|own| own.uri == line.uri && own.is_for(transceiver.kind));
            if capable && u8::try_from(line.id).is_ok() {
                let mut answered = ExtMap::new(line.id, line.uri);
                answered.direction = line.direction.map(sdp::Direction::reversed);
                section.push("extmap", answered.to_string());
            }
        }
        // Where an older peer writes it (RFC 8285 §6); at session level the answer as a whole has it.
        if offered.has_attribute("extmap-allow-mixed") {
            section.push_flag("extmap-allow-mixed");
        }
        self.push_media(&mut section, transceiver, direction, &codecs);
        // RFC 9429 §5.3.1: where it is offered, in the section or in the one that heads its bundle.
        if !offered.is_rtcp_rsize() && !leaves_transport_out(offered, offer) {
            section.remove("rtcp-rsize");
        }
        push_layers(
            &mut section,
            transceiver,
            direction,
            Some(&accepted_layers(offered).unwrap_or_default()),
            &offered_layers(offered),
        );
        Some(section)
    }

    /// What follows the transport in offers and answers alike.
    fn push_media(
        &self,
        section: &mut Media,
        transceiver: &Transceiver,
        direction: RtpTransceiverDirection,
        codecs: &[RtpCodecParameters],
    ) {
        section.push_flag(direction.as_str());
        let sender = &transceiver.sender;
        if direction.sends() {
            // RFC 8830 §2: "-" for a track in no stream.
            let track = &sender.msid_track;
            for stream in &sender.streams {
                section.push("msid", format!("{stream} {track}"));
            }
            if sender.streams.is_empty() {
                section.push("msid", format!("- {track}"));
            }
        }
        section.push_flag("rtcp-mux");
        section.push_flag("rtcp-rsize");
        codec::write(section, codecs);
        // RFC 9429 §5.2.1: streams without a rid are declared by their source.
        if let (true, [encoding]) = (direction.sends(), &sender.encodings[..])
            && encoding.parameters.rid.is_empty()
        {
            let (ssrc, cname) = (encoding.ssrc, &self.cname);
            if codecs.iter().any(|codec| codec.rtx_payload_type.is_some()) {
                let rtx = encoding.rtx_ssrc;
                let group = SsrcGroup::new(SsrcGroup::FID, [ssrc, rtx]);
                section.push("ssrc-group", group.to_string());
                section.push("ssrc", SsrcAttribute::cname(ssrc, cname).to_string());
                section.push("ssrc", SsrcAttribute::cname(rtx, cname).to_string());
            } else {
                section.push("ssrc", SsrcAttribute::cname(ssrc, cname).to_string());
            }
        }
    }
}

fn push_extension(section: &mut Media, id: u8, uri: &str) {
    let line = ExtMap::new(u16::from(id), uri);
    section.push("extmap", line.to_string());
}

/// The order of `own` for codecs that both sides have.
fn sort_by(codecs: &mut [RtpCodecParameters], own: &[RtpCodecParameters]) {
    codecs.sort_by_key(|common| {
        own.iter()
            .position(|own| codec::matches(&own.codec, &common.codec))
    });
}

/// RFC 3264 §6.1: what we want, as far as the offer allows it.
fn answer_direction(
    transceiver: &Transceiver,
    offered: &Media,
    offer: &Description,
) -> RtpTransceiverDirection {
    let theirs = offered.direction(offer).unwrap_or_default();
    let (they_send, they_receive) = flows(theirs);
    let own = transceiver.direction;
    RtpTransceiverDirection::of(own.sends() && they_receive, own.receives() && they_send)
}

/// Whether the writer of a direction sends, and whether it receives.
pub(super) fn flows(direction: sdp::Direction) -> (bool, bool) {
    match direction {
        sdp::Direction::SendRecv => (true, true),
        sdp::Direction::SendOnly => (true, false),
        sdp::Direction::RecvOnly => (false, true),
        sdp::Direction::Inactive => (false, false),
    }
}

/// The layers that a section of the peer sends, by name, in its order (RFC 8853 §5.3).
pub(super) fn offered_layers(section: &Media) -> Vec<String> {
    let Ok(Some(simulcast)) = section.simulcast() else {
        return Vec::new();
    };
    let declared = section.rids();
    let sent = |name: &str| {
        declared
            .iter()
            .any(|rid| rid.id == name && rid.direction == RidDirection::Send)
    };
    simulcast
        .send
        .iter()
        // Alternatives of one stream: the first is taken.
        .filter_map(|alternatives| alternatives.first())
        .map(|stream| stream.rid.clone())
        .filter(|name| sent(name))
        .take(super::receiver::MAX_LAYERS)
        .collect()
}

/// The layers of a section that the answer of the peer takes.
pub(super) fn accepted_layers(section: &Media) -> Option<Vec<String>> {
    let simulcast = section.simulcast().ok()??;
    let names = simulcast
        .recv
        .iter()
        .filter_map(|alternatives| alternatives.first())
        .map(|stream| stream.rid.clone());
    Some(names.collect())
}

/// `a=rid` and `a=simulcast`: the layers we send, and those we take (RFC 8851 §4, RFC 8853 §5).
fn push_layers(
    section: &mut Media,
    transceiver: &Transceiver,
    direction: RtpTransceiverDirection,
    wanted: Option<&Vec<String>>,
    taken: &[String],
) {
    let encodings = &transceiver.sender.encodings;
    let sent: Vec<String> = encodings
        .iter()
        .map(|encoding| encoding.parameters.rid.clone())
        .filter(|rid| !rid.is_empty() && direction.sends())
        // RFC 8853 §5.3.2: an answer sends only what the offer takes.
        .filter(|rid| wanted.is_none_or(|wanted| wanted.contains(rid)))
        .collect();
    let taken = if direction.receives() { taken } else { &[] };
    for rid in &sent {
        section.push(
            "rid",
            Rid::new(rid.as_str(), RidDirection::Send).to_string(),
        );
    }
    for rid in taken {
        section.push(
            "rid",
            Rid::new(rid.as_str(), RidDirection::Recv).to_string(),
        );
    }
    if sent.len() > 1 || !taken.is_empty() {
        let list = |names: &[String]| -> Vec<Vec<SimulcastStream>> {
            let stream = |name: &String| vec![SimulcastStream::new(name.as_str())];
            names.iter().map(stream).collect()
        };
        let mut simulcast = Simulcast::default();
        if sent.len() > 1 {
            simulcast.send = list(&sent);
        }
        simulcast.recv = list(taken);
        section.push("simulcast", simulcast.to_string());
    }
}

/// Whether a section leaves the description of its transport to the head of its bundle.
pub(super) fn leaves_transport_out(section: &Media, description: &Description) -> bool {
    let Ok(Some(group)) = description.bundle() else {
        return false;
    };
    let mut others = group.mids.iter().skip(1);
    !section.has_attribute("ice-ufrag")
        && section
            .mid()
            .is_some_and(|mid| others.any(|other| other == mid))
}
