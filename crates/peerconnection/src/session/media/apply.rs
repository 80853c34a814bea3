//! What descriptions change in the transceivers (webrtc-pc §4.4.1.5, RFC 9429 §5.9 to §5.11).

use super::extension::ExtensionMap;
use super::section::{accepted_layers, flows, leaves_transport_out, offered_layers};
use super::transceiver::{Transceiver, TransceiverKey};
use super::{MediaEvent, Transceivers, codec};
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::error::{Error, ErrorKind};
use sdp::{Description, Media};
use std::time::Instant;

/// A description that has been set, with who wrote which side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreement<'a> {
    pub(crate) local: &'a Description,
    pub(crate) remote: &'a Description,
    /// The answer is final, not provisional.
    pub(crate) is_final: bool,
}

impl Transceivers {
    /// Checks the sections of a description of the peer before anything is changed.
    pub(crate) fn check_remote(&self, description: &Description) -> Result<(), Error> {
        for section in &description.media {
            if codec::kind(section).is_none() || section.is_rejected() {
                continue;
            }
            section
                .rtp_maps()
                .map_err(crate::session::negotiation::refused)?;
            section
                .direction(description)
                .map_err(crate::session::negotiation::refused)?;
            // RFC 8834 §4.5, and webrtc-pc: `rtcpMuxPolicy` has one value. Of a bundle it may stand
            // only in the section that describes the transport (RFC 9143 §7.1.3).
            if !section.is_rtcp_mux() && !leaves_transport_out(section, description) {
                return Err(Error::new(
                    ErrorKind::InvalidAccess,
                    "an audio or video section does not multiplex rtcp",
                ));
            }
        }
        Ok(())
    }

    /// Our offer is pending: the transceivers it was made of are its sections' now.
    pub(crate) fn set_local_offer(&mut self, offer: &Description) {
        self.save();
        for (index, section) in offer.media.iter().enumerate() {
            let Some(mid) = section.mid() else { continue };
            let plan = Some((mid.to_owned(), index));
            if let Some(planned) = self
                .list
                .iter_mut()
                .find(|transceiver| transceiver.mid.is_none() && transceiver.planned == plan)
            {
                planned.mid = Some(mid.to_owned());
                planned.section = Some(index);
            }
        }
        for transceiver in &mut self.list {
            transceiver.planned = None;
        }
    }

    /// The peer's offer is pending: its sections find their transceivers, or get new ones
    /// (RFC 9429 §5.10). `rides` says which sections our transport can carry.
    pub(crate) fn set_remote_offer(&mut self, offer: &Description, rides: &[bool]) {
        self.save();
        for (index, section) in offer.media.iter().enumerate() {
            let Some(kind) = codec::kind(section) else {
                continue;
            };
            self.leave_recycled(index, section);
            if section.is_rejected() || rides.get(index) != Some(&true) {
                continue;
            }
            let (sends, receives) = flows(section.direction(offer).unwrap_or_default());
            let key = self
                .of_section(index)
                .map(|found| found.key)
                .or_else(|| self.adopt(kind, receives))
                .unwrap_or_else(|| self.add_for_offer(kind));
            let layers = offered_layers(section);
            let Some(transceiver) = self.get_mut(key) else {
                continue;
            };
            transceiver.mid = section.mid().map(str::to_owned);
            transceiver.section = Some(index);
            if transceiver.current_direction.is_none() {
                transceiver.receiver.layers = layers;
            }
            self.tell_remote_direction(key, section, sends, receives);
        }
    }

    /// Both sides have spoken: codecs, extensions, directions, layers.
    pub(crate) fn set_answer(
        &mut self,
        now: Instant,
        agreement: Agreement<'_>,
        answer_is_ours: bool,
    ) {
        let sections = agreement.local.media.iter().zip(&agreement.remote.media);
        for (index, (local, remote)) in sections.enumerate() {
            if codec::kind(local).is_none() {
                continue;
            }
            self.numbers.learn(remote);
            self.numbers.learn(local);
            let Some(key) = self.of_section(index).map(|found| found.key) else {
                continue;
            };
            let rejected = local.is_rejected() || remote.is_rejected();
            if rejected {
                if agreement.is_final {
                    self.stop_now(now, key);
                }
                continue;
            }
            self.agree(now, key, local, remote);
            let theirs = remote.direction(agreement.remote).unwrap_or_default();
            let (they_send, they_receive) = flows(theirs);
            let ours = local.direction(agreement.local).unwrap_or_default();
            let (we_send, we_receive) = flows(ours);
            let direction =
                RtpTransceiverDirection::of(we_send && they_receive, we_receive && they_send);
            if let Some(transceiver) = self.get_mut(key) {
                transceiver.current_direction = Some(direction);
                let answer = if answer_is_ours { local } else { remote };
                let answered = codec::read(answer).into_iter();
                transceiver.answered = answered.map(|own| own.payload_type).collect();
            }
            if answer_is_ours {
                // webrtc-pc §4.4.1.5: an answer that does not receive mutes what was told of.
                if let Some(at) = self.position(key) {
                    let transceiver = &mut self.list[at];
                    let told = transceiver.is_told();
                    transceiver.fired_direction = Some(direction);
                    if told && !direction.receives() {
                        self.events.extend(transceiver.mute());
                    }
                }
            } else {
                self.tell_remote_direction(key, remote, they_send, they_receive);
            }
            self.rebind(now, key);
            if !leaves_transport_out(remote, agreement.remote) {
                self.set_reduced_size(local.is_rtcp_rsize() && remote.is_rtcp_rsize());
            }
        }
        if agreement.is_final {
            self.saved = None;
            for transceiver in &mut self.list {
                transceiver.by_pending_offer = false;
            }
        }
    }

    /// Takes back what a pending offer has changed.
    pub(crate) fn roll_back(&mut self, now: Instant) {
        let Some(saved) = self.saved.take() else {
            return;
        };
        for transceiver in &mut self.list {
            transceiver.planned = None;
            let told = transceiver.is_told();
            match saved.iter().find(|old| old.key == transceiver.key) {
                Some(old) => transceiver.restore(old.clone()),
                None => {
                    transceiver.mid = None;
                    transceiver.section = None;
                    if !transceiver.by_pending_offer {
                        transceiver.fired_direction = None;
                    }
                }
            }
            // webrtc-pc §4.4.1.5: the tracks are what they were before the offer.
            match (told, transceiver.is_told()) {
                (true, false) => self.events.extend(transceiver.mute()),
                (false, true) => self.events.extend(transceiver.announce()),
                _ => {}
            }
        }
        // What the offer of the peer made goes with it, unless a track was put there meanwhile.
        let goes = |transceiver: &Transceiver| {
            transceiver.by_pending_offer && transceiver.sender.track.is_none()
        };
        let gone: Vec<TransceiverKey> = self
            .list
            .iter()
            .filter(|transceiver| goes(transceiver))
            .map(|transceiver| transceiver.key)
            .collect();
        for key in gone {
            if self.get(key).is_some_and(Transceiver::is_told) {
                self.events.push_back(MediaEvent::TrackEnded(key));
            }
            self.remove(now, key);
        }
        for transceiver in &mut self.list {
            if std::mem::take(&mut transceiver.by_pending_offer) {
                // A track was put there: it stays, and nothing comes for now.
                transceiver.fired_direction = None;
                self.events.extend(transceiver.mute());
            }
        }
        // Stopped while the offer was pending: there is nobody to tell of it any more.
        let left = |transceiver: &&Transceiver| transceiver.stopping && transceiver.mid.is_none();
        let stopped: Vec<TransceiverKey> =
            self.list.iter().filter(left).map(|own| own.key).collect();
        for key in stopped {
            self.stop_now(now, key);
        }
    }

    /// pc-025, for audio and video (webrtc-pc §4.7.3).
    pub(crate) fn is_negotiation_needed(
        &self,
        local: Option<&Description>,
        remote: Option<&Description>,
        we_answered: bool,
    ) -> bool {
        self.list
            .iter()
            // What no codec is there for has no section in any offer.
            .filter(|transceiver| !self.capabilities.codecs(transceiver.kind).is_empty())
            .any(|transceiver| needs_negotiation(transceiver, local, remote, we_answered))
    }

    fn save(&mut self) {
        if self.saved.is_none() {
            self.saved = Some(self.list.iter().map(Transceiver::save).collect());
        }
    }

    /// A section with another name than before was recycled: whoever had it has it no more
    /// (RFC 9429 §5.10).
    fn leave_recycled(&mut self, index: usize, section: &Media) {
        for transceiver in &mut self.list {
            let other = transceiver.mid.as_deref() != section.mid();
            if transceiver.section == Some(index) && other {
                (transceiver.section, transceiver.mid) = (None, None);
            }
        }
    }

    /// A transceiver of `add_track` that waits for a section of this kind which takes media.
    fn adopt(&self, kind: MediaKind, they_receive: bool) -> Option<TransceiverKey> {
        let waits = |transceiver: &&Transceiver| {
            transceiver.kind == kind
                && transceiver.mid.is_none()
                && transceiver.by_add_track
                && transceiver.is_alive()
                && !transceiver.is_explicit
        };
        let mut list = self.list.iter();
        they_receive
            .then(|| list.find(waits).map(|found| found.key))
            .flatten()
    }

    fn add_for_offer(&mut self, kind: MediaKind) -> TransceiverKey {
        let key = self.push(kind, RtpTransceiverDirection::RecvOnly, &[]);
        if let Some(transceiver) = self.get_mut(key) {
            transceiver.by_pending_offer = true;
        }
        key
    }

    /// webrtc-pc §5.1.4: tells of a track that the peer begins or ceases to send.
    fn tell_remote_direction(
        &mut self,
        key: TransceiverKey,
        section: &Media,
        they_send: bool,
        they_receive: bool,
    ) {
        let streams = remote_streams(section);
        let Some(at) = self.position(key) else { return };
        let transceiver = &mut self.list[at];
        if let Some((list, track)) = streams {
            transceiver.receiver.streams = list;
            // The name stays what the application was first told.
            if transceiver.fired_direction.is_none()
                && let Some(track) = track
            {
                transceiver.receiver.track = track;
            }
        }
        let told = transceiver.is_told();
        transceiver.fired_direction = Some(RtpTransceiverDirection::of(they_receive, they_send));
        match (told, they_send) {
            (false, true) => self.events.extend(transceiver.announce()),
            (true, false) => self.events.extend(transceiver.mute()),
            _ => {}
        }
    }

    /// Codecs, extensions, sources and layers of a section that both sides have accepted.
    fn agree(&mut self, now: Instant, key: TransceiverKey, local: &Media, remote: &Media) {
        let Some(at) = self.position(key) else { return };
        let capabilities = &self.capabilities;
        let transceiver = &mut self.list[at];
        let kind = transceiver.kind;
        let (ours, theirs) = (codec::read(local), codec::read(remote));
        let mut to_wire = ExtensionMap::read(remote, capabilities, kind);
        let mut from_wire = ExtensionMap::read(local, capabilities, kind);
        from_wire.retain_common(&to_wire);
        to_wire.retain_common(&from_wire);
        transceiver.sender.negotiated(
            codec::intersect(&theirs, &ours),
            to_wire,
            capabilities,
            kind,
        );
        transceiver.receiver.negotiated(
            codec::intersect(&ours, &theirs),
            from_wire,
            capabilities,
            kind,
        );
        // pc-038: the answer may take fewer layers than were offered.
        if transceiver.sender.encodings.len() > 1 {
            let accepted = accepted_layers(remote);
            for (place, encoding) in transceiver.sender.encodings.iter_mut().enumerate() {
                encoding.accepted = match &accepted {
                    Some(rids) => rids.contains(&encoding.parameters.rid),
                    None => place == 0,
                };
            }
        }
        let layers = offered_layers(remote);
        if !layers.is_empty() {
            transceiver.receiver.layers = layers;
        }
        self.declare_sources(now, key, remote);
    }
}

/// The streams of a section, and the track's id; `None` if it says nothing of them (RFC 8830 §4:
/// then the track is in one stream of the section's own).
fn remote_streams(section: &Media) -> Option<(Vec<String>, Option<String>)> {
    let lines = section.msids().unwrap_or_default();
    let first = lines.first()?;
    let track = first.track.clone();
    let mut streams: Vec<String> = lines
        .into_iter()
        .map(|line| line.stream)
        .filter(|stream| stream != "-")
        .collect();
    streams.dedup();
    Some((streams, track))
}

/// webrtc-pc §4.7.3, the steps for one transceiver.
fn needs_negotiation(
    transceiver: &Transceiver,
    local: Option<&Description>,
    remote: Option<&Description>,
    we_answered: bool,
) -> bool {
    if transceiver.stopped || transceiver.is_explicit {
        return false;
    }
    let (Some(index), false) = (transceiver.section, transceiver.stopping) else {
        return transceiver.section.is_some() || !transceiver.stopping;
    };
    let (Some(local), Some(remote)) = (local, remote) else {
        return true;
    };
    let (Some(ours), Some(theirs)) = (local.media.get(index), remote.media.get(index)) else {
        return true;
    };
    let (we_send, we_receive) = flows(ours.direction(local).unwrap_or_default());
    let (they_send, they_receive) = flows(theirs.direction(remote).unwrap_or_default());
    let wanted = transceiver.direction;
    if wanted.sends() {
        let sender = &transceiver.sender;
        let mut said: Vec<String> = ours
            .msids()
            .unwrap_or_default()
            .into_iter()
            .map(|line| line.stream)
            .filter(|stream| stream != "-")
            .collect();
        let mut streams = sender.streams.clone();
        said.sort();
        streams.sort();
        if we_send && said != streams {
            return true;
        }
    }
    if we_answered {
        // Our answer said all that the offer allowed.
        let allowed = RtpTransceiverDirection::of(
            wanted.sends() && they_receive,
            wanted.receives() && they_send,
        );
        RtpTransceiverDirection::of(we_send, we_receive) != allowed
    } else {
        RtpTransceiverDirection::of(we_send, we_receive) != wanted
            && RtpTransceiverDirection::of(they_receive, they_send) != wanted
    }
}
