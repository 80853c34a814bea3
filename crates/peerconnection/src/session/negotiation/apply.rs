//! Setting descriptions (RFC 9429 §5.4 to §5.10): what they change in the connection.
//!
//! Everything is checked before anything is changed, so that a refused description leaves the
//! connection as it was (pc-017).

use super::remote::{credentials_of, refused};
use super::{Applied, RemoteData, RemoteTransport, Side, riding_sections};
use crate::api::candidate::{IceCandidate, IceCandidateInit};
use crate::api::description::{LocalSessionDescription, SdpType, SessionDescription};
use crate::api::state::SignalingState;
use crate::config::OfferOptions;
use crate::error::{Error, ErrorKind};
use crate::session::media::{Agreement, is_spoken};
use crate::session::transports::{default_candidate, layer_candidate, sdp_candidate};
use crate::session::{Session, SessionEvent};
use layer::{DtlsRole, IceRole};
use sdp::{Description, Setup};
use std::time::Instant;

/// How many lines a remote section holds before further candidates are no longer shown in it.
const MAX_REMEMBERED_ATTRIBUTES: usize = 512;

impl Session {
    /// W3C `createOffer`. Nothing of the connection changes by it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] after [`close`](Session::close); [`ErrorKind::Operation`] if
    /// the layers cannot be made.
    pub fn create_offer(&mut self, options: OfferOptions) -> Result<SessionDescription, Error> {
        self.check_open()?;
        if options.ice_restart || !self.to_replace.is_empty() || self.reconfigured {
            self.draw_restart();
        }
        let transport = self.local_transport()?;
        let media = &mut self.media;
        Ok(self
            .negotiation
            .create_offer(self.wants_data, media, &transport))
    }

    /// W3C `createAnswer`. Nothing of the connection changes by it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if no offer of the peer is pending.
    pub fn create_answer(&mut self) -> Result<SessionDescription, Error> {
        self.check_open()?;
        if self.peer_restarts()? {
            self.draw_restart();
        }
        let transport = self.local_transport()?;
        let role = self
            .transport
            .as_ref()
            .and_then(|transport| transport.dtls.role());
        self.negotiation
            .create_answer(&self.media, &transport, role)
    }

    /// W3C `setLocalDescription`; without a description it makes the one that the state asks for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the state does not allow it,
    /// [`ErrorKind::InvalidModification`] if the text is not the one created last.
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: LocalSessionDescription,
    ) -> Result<(), Error> {
        self.check_open()?;
        let kind = description
            .kind
            .unwrap_or(match self.negotiation.signaling_state {
                SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => {
                    SdpType::Answer
                }
                _ => SdpType::Offer,
            });
        let state = self.negotiation.check(Side::Local, kind)?;
        if kind == SdpType::Rollback {
            self.roll_back(now);
            return Ok(());
        }
        let text = match (description.sdp.is_empty(), kind) {
            (false, _) => description.sdp,
            (true, SdpType::Offer) => self.create_offer(OfferOptions::default())?.sdp().to_owned(),
            (true, _) => self.create_answer()?.sdp().to_owned(),
        };
        let applied = self.negotiation.check_local(kind, &text)?;
        match kind {
            SdpType::Offer => {
                self.start_local_offer(now, &applied)?;
                self.media.set_local_offer(&applied.description);
            }
            _ => self.start_local_answer(now, &applied)?,
        }
        self.finish_set(now, Side::Local, applied, state);
        Ok(())
    }

    /// W3C `setRemoteDescription`. An offer that meets a pending offer of ours takes that one back
    /// (perfect negotiation, pc-014).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SdpSyntax`] if it does not parse, [`ErrorKind::InvalidAccess`] if it says what
    /// cannot be, [`ErrorKind::InvalidState`] if the state does not allow it.
    pub fn set_remote_description(
        &mut self,
        now: Instant,
        description: &SessionDescription,
    ) -> Result<(), Error> {
        self.check_open()?;
        let kind = description.kind();
        let collides = kind == SdpType::Offer
            && self.negotiation.signaling_state == SignalingState::HaveLocalOffer;
        let state = match collides {
            true => SignalingState::HaveRemoteOffer,
            false => self.negotiation.check(Side::Remote, kind)?,
        };
        if kind == SdpType::Rollback {
            self.roll_back(now);
            return Ok(());
        }
        let applied = self.negotiation.check_remote(kind, description.sdp())?;
        let (remote, data) = (read_transport(&applied)?, read_data(&applied)?);
        self.media.check_remote(&applied.description)?;
        self.check_init(data.as_ref())?;
        let role = match (kind, &remote) {
            (SdpType::Offer, _) | (_, None) => None,
            (_, Some(remote)) => Some(role_of_answer(remote.setup)?),
        };
        if collides {
            self.roll_back(now);
        }
        match (role, remote) {
            (Some(role), Some(remote)) => {
                let offer = self.negotiation.pending_local.as_ref();
                let offer = offer.map(|offer| offer.description.clone());
                self.start_remote(now, remote, data, offer.as_ref(), role)?;
            }
            _ if kind == SdpType::Offer => {
                let rides = riding_sections(&applied.description);
                self.media.set_remote_offer(&applied.description, &rides);
            }
            _ => {}
        }
        if kind != SdpType::Offer {
            self.note_lost(now, &applied);
            self.agree(now, &applied, Side::Remote);
        }
        self.finish_set(now, Side::Remote, applied, state);
        Ok(())
    }

    /// W3C `addIceCandidate`; `None`, like an empty line, ends the candidates.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] without a remote description, [`ErrorKind::Type`] if a
    /// candidate names no section, [`ErrorKind::Operation`] if the section or the generation is
    /// unknown or the line does not parse.
    pub fn add_ice_candidate(
        &mut self,
        now: Instant,
        init: Option<IceCandidateInit>,
    ) -> Result<(), Error> {
        self.check_open()?;
        let init = init.unwrap_or_default();
        let Some(remote) = self.negotiation.remote() else {
            return Err(Error::new(
                ErrorKind::InvalidState,
                "there is no remote description yet",
            ));
        };
        let whole = init.sdp_mid.is_none() && init.sdp_mline_index.is_none();
        if whole && init.candidate.is_empty() {
            self.end_remote_candidates(now);
            return Ok(());
        }
        let candidate = IceCandidate::new(init.clone())?;
        let section = section_of(remote, &init)?;
        let described = &remote.description.media[section];
        if described.is_rejected() || !is_spoken(described) {
            return Ok(()); // Nothing to add it to.
        }
        // Until our answer has chosen, any section may come to describe the transport.
        let carries = self.remote_transport_section() == Some(section);
        let credentials = credentials_of(&remote.description, section)?;
        let generation = init
            .username_fragment
            .as_deref()
            .or_else(|| candidate.line_username_fragment());
        if generation.is_some_and(|ufrag| ufrag != credentials.username_fragment) {
            return Err(Error::new(
                ErrorKind::Operation,
                "the candidate belongs to no generation that is described",
            ));
        }
        let Some(parsed) = candidate.parsed() else {
            if carries {
                self.end_remote_candidates(now);
            }
            return Ok(());
        };
        let line = init.candidate.trim_start_matches("candidate:").to_owned();
        self.remember(section, |section| {
            section.push("candidate", line);
        });
        if carries
            && let Some(candidate) = layer_candidate(parsed)
            && let Some(transport) = &mut self.transport
            && transport.ice.remote_credentials() == Some(&credentials)
        {
            // A candidate that cannot be used drops only itself (ice-017).
            let _ = transport.ice.add_remote_candidate(now, candidate);
            self.pump(now);
        }
        Ok(())
    }

    /// The local description with the candidates gathered so far (RFC 9429 §4.1.13).
    pub(crate) fn with_candidates(&self, applied: &Applied) -> SessionDescription {
        let plain = || SessionDescription::new(applied.kind, applied.text.clone());
        let (Some(transport), Some(index)) = (&self.transport, applied.transport_section()) else {
            return plain();
        };
        let mut description = applied.description.clone();
        let section = &mut description.media[index];
        let current = transport.ice.local_credentials().username_fragment.as_str();
        if section.attribute("ice-ufrag") != Some(current) {
            return plain();
        }
        let candidates = transport.ice.local_candidates();
        for candidate in &candidates {
            let line = sdp_candidate(candidate).to_string();
            section.push("candidate", line.trim_start_matches("candidate:"));
        }
        if transport.ice.gathering_state() == layer::GatheringState::Complete {
            section.push_flag("end-of-candidates");
        }
        if let Some(default) = default_candidate(&candidates) {
            // All sections of a bundle have one address (RFC 9143 §7.2).
            let rides = riding_sections(&description);
            for (section, rides) in description.media.iter_mut().zip(rides) {
                if rides {
                    section.set_address(default);
                }
            }
        }
        SessionDescription::new(applied.kind, description.to_string())
    }

    /// Our offer starts gathering; the initiator controls (RFC 8445 §6.1.1).
    fn start_local_offer(&mut self, now: Instant, offer: &Applied) -> Result<(), Error> {
        if offer.transport_section().is_none() {
            return Ok(());
        }
        self.ensure_transport()?;
        let restart = self.offered_restart(offer);
        self.reconfigured = false;
        let Some(transport) = &mut self.transport else {
            return Ok(());
        };
        if transport.ice.remote_credentials().is_none() {
            transport.ice.set_role(now, IceRole::Controlling);
        }
        if let Some(credentials) = restart {
            transport
                .ice
                .restart(now, credentials)
                .map_err(Error::from_ice)?;
        }
        transport.ice.gather(now);
        Ok(())
    }

    /// Our answer puts both descriptions to work.
    fn start_local_answer(&mut self, now: Instant, answer: &Applied) -> Result<(), Error> {
        let Some(index) = answer.transport_section() else {
            self.note_lost(now, answer);
            self.agree(now, answer, Side::Local);
            return Ok(());
        };
        let Some(offer) = &self.negotiation.pending_remote else {
            return Ok(());
        };
        let remote = RemoteTransport::read(&offer.description, index, Some(Setup::ActPass))?;
        let data = answer
            .data_section()
            .map(|index| RemoteData::read(&offer.description.media[index]))
            .transpose()?;
        let setup = answer.description.media[index].setup(&answer.description);
        let role = match setup.map_err(refused)? {
            Some(Setup::Passive) => DtlsRole::Server,
            _ => DtlsRole::Client,
        };
        self.ensure_transport()?;
        let restart = self.offered_restart(answer);
        let Some(transport) = &mut self.transport else {
            return Ok(());
        };
        if transport.ice.remote_credentials().is_none() {
            let role = if remote.lite {
                IceRole::Controlling
            } else {
                IceRole::Controlled
            };
            transport.ice.set_role(now, role);
        }
        if let Some(credentials) = restart {
            transport
                .ice
                .restart(now, credentials)
                .map_err(Error::from_ice)?;
        }
        transport.ice.gather(now);
        self.start_remote(now, remote, data, Some(&answer.description), role)?;
        self.note_lost(now, answer);
        self.agree(now, answer, Side::Local);
        Ok(())
    }

    /// Both sides have spoken, and this is the answer: what they agree on for audio and video.
    fn agree(&mut self, now: Instant, answer: &Applied, side: Side) {
        let negotiation = &self.negotiation;
        let offer = match side {
            Side::Local => &negotiation.pending_remote,
            Side::Remote => &negotiation.pending_local,
        };
        let Some(offer) = offer else { return };
        let (local, remote) = match side {
            Side::Local => (&answer.description, &offer.description),
            Side::Remote => (&offer.description, &answer.description),
        };
        let is_final = answer.kind == SdpType::Answer;
        let agreement = Agreement {
            local,
            remote,
            is_final,
        };
        self.media.set_answer(now, agreement, side == Side::Local);
    }

    /// What a final answer no longer has.
    fn note_lost(&mut self, now: Instant, answer: &Applied) {
        if answer.kind != SdpType::Answer {
            return;
        }
        if answer.data_section().is_none() {
            self.lose_data(now);
        }
        if answer.transport_section().is_none() {
            self.end_transport(now);
        }
    }

    /// The section of the remote description whose candidates count.
    fn remote_transport_section(&self) -> Option<usize> {
        let negotiation = &self.negotiation;
        let answered = negotiation.pending_remote.is_none()
            && negotiation
                .current_remote
                .as_ref()
                .is_some_and(|remote| remote.kind == SdpType::Offer);
        if answered {
            // Our answer has chosen it (RFC 9143 §7.3.1).
            return negotiation.current_local.as_ref()?.transport_section();
        }
        negotiation.remote()?.transport_section()
    }

    /// Puts the peer's side of the transport to work. What that makes happen is told when the
    /// description is set, after the signalling state (pc-059).
    fn start_remote(
        &mut self,
        now: Instant,
        remote: RemoteTransport,
        data: Option<RemoteData>,
        ours: Option<&Description>,
        role: DtlsRole,
    ) -> Result<(), Error> {
        if let Some(data) = data {
            self.remote_max_message = data.max_message_size;
            let most = self.remote_max_message.unwrap_or(usize::MAX);
            self.channels.set_max_send_len(most);
            self.remote_sctp_port = Some(data.sctp_port);
            self.agree_on_init(ours, &data);
        }
        let Some(transport) = &mut self.transport else {
            return Ok(());
        };
        if transport.dtls.role().is_none() {
            transport
                .dtls
                .set_role(now, role)
                .map_err(Error::from_dtls)?;
        }
        transport
            .dtls
            .set_remote_fingerprints(now, &remote.fingerprints);
        transport
            .ice
            .set_remote_check_interval(remote.check_interval);
        transport
            .ice
            .set_remote_credentials(now, remote.credentials, remote.lite)
            .map_err(Error::from_ice)?;
        // A candidate that cannot be used drops only itself (ice-017).
        for candidate in remote.candidates {
            let _ = transport.ice.add_remote_candidate(now, candidate);
        }
        if remote.end_of_candidates {
            transport.ice.end_of_remote_candidates(now);
        }
        Ok(())
    }

    /// Ends the candidates of the transport.
    fn end_remote_candidates(&mut self, now: Instant) {
        if let Some(index) = self.remote_transport_section() {
            self.remember(index, |section| {
                section.push_flag("end-of-candidates");
            });
        }
        if let Some(transport) = &mut self.transport
            && transport.ice.remote_credentials().is_some()
        {
            transport.ice.end_of_remote_candidates(now);
            self.pump(now);
        }
    }

    /// Adds to the remote description what was signalled after it (webrtc-pc §4.4.2.2). An offer
    /// that waits for our answer hands these candidates on when it is answered.
    fn remember(&mut self, section: usize, add: impl FnOnce(&mut sdp::Media)) {
        let negotiation = &mut self.negotiation;
        let remote = negotiation
            .pending_remote
            .as_mut()
            .or(negotiation.current_remote.as_mut());
        let Some(remote) = remote else { return };
        let section = &mut remote.description.media[section];
        if section.attributes.len() < MAX_REMEMBERED_ATTRIBUTES {
            add(section);
            remote.text = remote.description.to_string();
        }
    }

    /// Whether the pending offer of the peer restarts ICE.
    fn peer_restarts(&self) -> Result<bool, Error> {
        let Some(offer) = &self.negotiation.pending_remote else {
            return Ok(false);
        };
        let before = self
            .transport
            .as_ref()
            .and_then(|t| t.ice.remote_credentials());
        let (Some(remote), Some(before)) = (read_transport(offer)?, before) else {
            return Ok(false);
        };
        Ok(remote.credentials != *before)
    }

    /// The credentials of a restart that this description of ours carries, if it carries one.
    fn offered_restart(&mut self, applied: &Applied) -> Option<layer::Credentials> {
        let carried = applied.username_fragment();
        self.restart
            .take_if(|restart| carried == Some(restart.username_fragment.as_str()))
    }

    fn roll_back(&mut self, now: Instant) {
        self.negotiation.roll_back();
        self.media.roll_back(now);
        self.restart = None;
        self.events
            .push_back(SessionEvent::SignalingStateChange(SignalingState::Stable));
        self.update_negotiation_needed();
        self.pump(now);
    }

    /// A restart is wanted until none of what it replaces is in use (webrtc-pc §4.4.1.4).
    fn note_replaced(&mut self) {
        let current = self.negotiation.current_local.as_ref();
        let in_use = current.and_then(Applied::username_fragment);
        if in_use.is_none_or(|fragment| self.to_replace.iter().all(|old| old != fragment)) {
            self.to_replace.clear();
        }
    }

    fn finish_set(&mut self, now: Instant, side: Side, applied: Applied, state: SignalingState) {
        let before = self.negotiation.signaling_state;
        self.negotiation.set(side, applied, state);
        if state == SignalingState::Stable {
            self.note_replaced();
        }
        if state != before {
            self.events
                .push_back(SessionEvent::SignalingStateChange(state));
        }
        self.update_negotiation_needed();
        self.pump(now);
    }
}

/// The data section of a remote description, if it has one that is not rejected.
fn read_data(applied: &Applied) -> Result<Option<RemoteData>, Error> {
    applied
        .data_section()
        .map(|index| RemoteData::read(&applied.description.media[index]))
        .transpose()
}

/// RFC 8842 §5.3: an answer has chosen.
fn role_of_answer(setup: Setup) -> Result<DtlsRole, Error> {
    match setup {
        Setup::Active => Ok(DtlsRole::Server),
        Setup::Passive => Ok(DtlsRole::Client),
        Setup::ActPass | Setup::HoldConn => Err(Error::new(
            ErrorKind::InvalidAccess,
            format!("an answer cannot say setup:{}", setup.as_str()),
        )),
    }
}

/// The transport of a remote description, if a section of it is spoken here.
fn read_transport(applied: &Applied) -> Result<Option<RemoteTransport>, Error> {
    // Only an offer may leave setup out: RFC 8842 wants it, RFC 4145 §4 gives it a default.
    let default_setup = (applied.kind == SdpType::Offer).then_some(Setup::ActPass);
    applied
        .transport_section()
        .map(|index| RemoteTransport::read(&applied.description, index, default_setup))
        .transpose()
}

/// The section a candidate is for, by mid or else by index (webrtc-pc §4.4.2.2).
fn section_of(remote: &Applied, init: &IceCandidateInit) -> Result<usize, Error> {
    let media = &remote.description.media;
    match (&init.sdp_mid, init.sdp_mline_index) {
        (Some(mid), _) => media.iter().position(|section| section.mid() == Some(mid)),
        (None, Some(index)) => Some(usize::from(index)).filter(|index| *index < media.len()),
        (None, None) => None,
    }
    .ok_or_else(|| {
        Error::new(
            ErrorKind::Operation,
            "the candidate names no section of the remote description",
        )
    })
}
