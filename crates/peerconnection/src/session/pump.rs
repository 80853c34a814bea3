//! Carrying what one layer tells to the others, and to the owner in the words of the W3C.

use super::negotiation::{Applied, SCTP_PORT};
use super::transports::sdp_candidate;
use super::{Session, SessionEvent, ShellRequest};
use crate::api::candidate::{IceCandidate, IceCandidatePair};
use datachannel::ChannelError;
use layer::{Blame, DtlsEvent, DtlsRole, End, IceEvent, SctpConnect, SctpEvent};
use std::time::Instant;

impl Session {
    /// Carries what the layers tell to whom it concerns, until all is quiet.
    pub(crate) fn pump(&mut self, now: Instant) {
        self.pump_ice(now);
        self.pump_dtls(now);
        self.pump_sctp(now);
        self.pump_channels(now);
        #[cfg(feature = "rtp")]
        self.pump_media();
        self.states
            .update(self.transport.as_ref(), &mut self.events, self.closed);
    }

    fn pump_ice(&mut self, now: Instant) {
        while let Some(event) = self.transport.as_mut().and_then(|t| t.ice.poll_event()) {
            self.handle_ice_event(now, event);
        }
    }

    fn handle_ice_event(&mut self, now: Instant, event: IceEvent) {
        if let Some(request) = ShellRequest::of(&event) {
            return self.events.push_back(SessionEvent::Request(request));
        }
        let event = match event {
            IceEvent::Candidate(candidate) => {
                let (mid, index, fragment) = self.transport_names();
                let line = sdp_candidate(&candidate);
                let candidate = IceCandidate::local(line, &mid, index, &fragment, candidate.url);
                SessionEvent::IceCandidate(Some(Box::new(candidate)))
            }
            IceEvent::GatheringStateChange(state) => return self.gathering_changed(state),
            IceEvent::CandidateError(error) => SessionEvent::IceCandidateError(Box::new(error)),
            IceEvent::SelectedPairChange(pair) => {
                SessionEvent::SelectedCandidatePairChange(Box::new(self.candidate_pair(&pair)))
            }
            IceEvent::RouteChange | IceEvent::RoundTrip(_) => return self.path_event(now, &event),
            // The states are read after every pump; the end of the agent is one of them.
            _ => return,
        };
        // pc-005: after a close only what the system is asked.
        if !self.closed {
            self.events.push_back(event);
        }
    }

    /// What the layers above ICE want to know of the path.
    fn path_event(&mut self, now: Instant, event: &IceEvent) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        match event {
            IceEvent::RoundTrip(round_trip) => {
                transport.dtls.set_round_trip(*round_trip);
                transport.sctp.set_round_trip(now, *round_trip);
                self.media.set_round_trip(now, *round_trip);
            }
            _ => {
                transport.sctp.path_changed(now);
                if let Some(route) = transport.ice.route() {
                    transport.fit_packets(&route);
                }
            }
        }
    }

    /// pc-030: a candidate with an empty line ends the generation, `null` ends gathering.
    fn gathering_changed(&mut self, state: layer::GatheringState) {
        if self.closed {
            return;
        }
        let complete = state == layer::GatheringState::Complete;
        if complete {
            let (mid, index, fragment) = self.transport_names();
            let end = IceCandidate::end(&mid, index, &fragment);
            self.events
                .push_back(SessionEvent::IceCandidate(Some(Box::new(end))));
        }
        self.states.gathering_changed(state, &mut self.events);
        if complete {
            self.events.push_back(SessionEvent::IceCandidate(None));
        }
    }

    fn pump_dtls(&mut self, now: Instant) {
        if let Some(transport) = &mut self.transport {
            transport.drain_held(now);
        }
        while let Some(event) = self.transport.as_mut().and_then(|t| t.dtls.poll_event()) {
            if let DtlsEvent::Ended(end) = event {
                // dc-012, sctp-020: without DTLS there is no association.
                self.end_channels(&end);
                if let Some(transport) = &mut self.transport {
                    // ice-060: a peer that says goodbye takes its consent back.
                    if end.blame == Blame::Peer {
                        transport.ice.revoke_consent(now);
                    }
                    transport.dtls_end = Some(end);
                }
            }
        }
        self.secure_media(now);
        let Some(transport) = &mut self.transport else {
            return;
        };
        if transport.is_secured()
            && let Some(port) = self.remote_sctp_port.take()
        {
            let parity = match transport.dtls.role() {
                Some(DtlsRole::Client) => datachannel::Parity::Even,
                _ => datachannel::Parity::Odd,
            };
            self.channels.set_parity(parity);
            let mut connect = SctpConnect::new(SCTP_PORT, port);
            connect.remote_init.clone_from(&self.remote_init);
            // A second description does not start a second association.
            let _ = transport.sctp.connect(now, connect);
        }
    }

    /// RFC 5764 §4.2: the keys of audio and video come out of the handshake.
    #[cfg(feature = "rtp")]
    fn secure_media(&mut self, now: Instant) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        if !self.media.wants_keys() || !transport.is_secured() {
            return;
        }
        match transport.new_srtp(&*self.stack.srtp, self.start) {
            Some(srtp) => self.media.secure(now, srtp),
            None => tracing::debug!("the handshake agreed on no profile of srtp"),
        }
    }

    #[cfg(not(feature = "rtp"))]
    fn secure_media(&mut self, _: Instant) {}

    /// What happens to transceivers and tracks, in the words of the session.
    #[cfg(feature = "rtp")]
    fn pump_media(&mut self) {
        while let Some(event) = self.media.poll_event() {
            if !self.closed {
                self.events.push_back(SessionEvent::from(event));
            }
        }
    }

    fn pump_sctp(&mut self, now: Instant) {
        while let Some(event) = self.transport.as_mut().and_then(|t| t.sctp.poll_event()) {
            match event {
                SctpEvent::Connected {
                    incoming_streams,
                    outgoing_streams,
                } => {
                    self.send_buffer = self.send_capacity();
                    let most = self.remote_max_message.unwrap_or(usize::MAX);
                    self.channels.set_max_send_len(most);
                    self.channels
                        .transport_connected(incoming_streams, outgoing_streams);
                }
                SctpEvent::IncomingReset { streams } => {
                    // What came before the reset belongs to the channel that it closes.
                    self.pump_messages();
                    self.channels.incoming_reset(&streams);
                }
                SctpEvent::OutgoingReset { streams } => self.channels.outgoing_reset(&streams),
                SctpEvent::BufferedAmountLow { stream } => {
                    // Control messages do not count (webrtc-pc §6.2).
                    let key = self.channels.channel_of(stream);
                    if let Some(key) = key.filter(|key| self.channels.has_sent(*key)) {
                        self.events.push_back(SessionEvent::BufferedAmountLow(key));
                    }
                }
                SctpEvent::ResetFailed { streams } => self.channels.reset_failed(&streams),
                SctpEvent::Restarted => self.restart_channels(),
                SctpEvent::Writable => self.events.push_back(SessionEvent::Writable),
                SctpEvent::Ended(end) => self.end_channels(&end),
                _ => {}
            }
        }
        self.pump_messages();
        self.pump_channels(now);
    }

    /// RFC 9260 §5.2.4 A: the peer began anew, and knows nothing of the channels there were.
    fn restart_channels(&mut self) {
        self.channels
            .transport_closed(Some(ChannelError::Transport));
        let streams = self.transport.as_ref().and_then(|t| t.sctp.streams());
        if let Some((incoming, outgoing)) = streams {
            self.channels.transport_connected(incoming, outgoing);
        }
    }

    /// dc-012: channels close with an error unless somebody closed in the protocol's own way.
    fn end_channels(&mut self, end: &End) {
        tracing::debug!(%end, "the transport of the channels ended");
        let error = match end.blame {
            Blame::Local | Blame::Peer => None,
            _ => Some(ChannelError::Transport),
        };
        // What came before the end is delivered before it.
        self.pump_messages();
        self.channels.transport_closed(error);
    }

    pub(super) fn candidate_pair(&self, pair: &layer::CandidatePair) -> IceCandidatePair {
        IceCandidatePair {
            local: self.shown_candidate(&pair.local),
            remote: self.shown_candidate(&pair.remote),
        }
    }

    /// A candidate in the words of the W3C.
    pub(crate) fn shown_candidate(&self, candidate: &layer::Candidate) -> IceCandidate {
        let (mid, index, fragment) = self.transport_names();
        let url = candidate.url.clone();
        IceCandidate::local(sdp_candidate(candidate), &mid, index, &fragment, url)
    }

    /// Mid and place of the section that describes the transport, and the fragment of the
    /// generation.
    fn transport_names(&self) -> (String, u16, String) {
        let local = self.negotiation.local();
        let index = local.and_then(Applied::transport_section).unwrap_or(0);
        let section = local.and_then(|applied| applied.description.media.get(index));
        let mid = section
            .and_then(sdp::Media::mid)
            .unwrap_or_default()
            .to_owned();
        let fragment = self
            .transport
            .as_ref()
            .map(|transport| transport.ice.local_credentials().username_fragment.clone())
            .unwrap_or_default();
        (mid, u16::try_from(index).unwrap_or(u16::MAX), fragment)
    }
}
