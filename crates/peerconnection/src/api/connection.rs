use crate::api::candidate::{IceCandidateInit, IceCandidatePair};
use crate::api::channel::DataChannel;
use crate::api::description::{LocalSessionDescription, SessionDescription};
use crate::api::event::PeerConnectionEvent;
use crate::api::handle::Handle;
use crate::api::state::{
    IceConnectionState, IceGatheringState, PeerConnectionState, SignalingState,
};
use crate::api::transport::{self, DtlsTransport, SctpTransport};
use crate::config::{AnswerOptions, Configuration, DataChannelInit, OfferOptions};
use crate::connectivity::ConnectivityReport;
use crate::error::Error;
use crate::event::Event;
use crate::session::{Session, SessionEvent};
use crate::shared::now;
use crate::stats::StatsReport;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// W3C `RTCPeerConnection` (webrtc-pc §4.4), async.
///
/// A handle is cheap to clone. One task drives the connection; it ends when the connection is
/// closed, which dropping the last handle (channels included) does too.
///
/// Operations that change the description run one after another, in the order they were called
/// (the operations chain, webrtc-pc §4.4.1.2). They are cancel safe: an operation that was dropped
/// has either happened or not.
#[derive(Clone)]
pub struct PeerConnection {
    pub(crate) handle: Arc<Handle>,
}

impl PeerConnection {
    /// W3C `createOffer`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) after [`close`](Self::close).
    pub async fn create_offer(
        &self,
        options: Option<OfferOptions>,
    ) -> Result<SessionDescription, Error> {
        self.chained(|session, _| session.create_offer(options.unwrap_or_default()))
            .await
    }

    /// W3C `createAnswer`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) if no offer of the peer waits,
    /// or after [`close`](Self::close).
    pub async fn create_answer(
        &self,
        options: Option<AnswerOptions>,
    ) -> Result<SessionDescription, Error> {
        let AnswerOptions {} = options.unwrap_or_default();
        self.chained(|session, _| session.create_answer()).await
    }

    /// W3C `setLocalDescription`; without a description the one that the state asks for is made.
    /// An offer or answer starts gathering.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) if the state does not allow it
    /// or after [`close`](Self::close),
    /// [`ErrorKind::InvalidModification`](crate::ErrorKind::InvalidModification) if it is not the
    /// description created last.
    pub async fn set_local_description(
        &self,
        description: Option<LocalSessionDescription>,
    ) -> Result<(), Error> {
        self.chained(|session, now| {
            session.set_local_description(now, description.unwrap_or_default())
        })
        .await
    }

    /// W3C `setRemoteDescription`. An offer that meets a pending one of ours takes ours back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SdpSyntax`](crate::ErrorKind::SdpSyntax) if it does not parse,
    /// [`ErrorKind::InvalidAccess`](crate::ErrorKind::InvalidAccess) if it says what cannot be,
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) if the state does not allow it
    /// or after [`close`](Self::close). The connection is then as it was.
    pub async fn set_remote_description(
        &self,
        description: SessionDescription,
    ) -> Result<(), Error> {
        self.chained(|session, now| session.set_remote_description(now, &description))
            .await
    }

    /// W3C `addIceCandidate`; `None`, like an empty line, ends the candidates.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) without a remote description,
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) if the candidate names no section,
    /// [`ErrorKind::Operation`](crate::ErrorKind::Operation) if section or generation are unknown
    /// or the line does not parse.
    pub async fn add_ice_candidate(
        &self,
        candidate: Option<IceCandidateInit>,
    ) -> Result<(), Error> {
        self.chained(|session, now| session.add_ice_candidate(now, candidate))
            .await
    }

    /// W3C `createDataChannel`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) for a label or protocol beyond 65 535 bytes,
    /// both limits at once, a negotiated channel without id, or id 65 535;
    /// [`ErrorKind::Operation`](crate::ErrorKind::Operation) if the id is taken or none is left;
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) after [`close`](Self::close).
    pub fn create_data_channel(
        &self,
        label: &str,
        init: Option<DataChannelInit>,
    ) -> Result<DataChannel, Error> {
        let key = self.handle.shared.call(|state, now| {
            state
                .session
                .create_data_channel(now, label, init.unwrap_or_default())
        })?;
        self.handle.shared.release_negotiation();
        Ok(DataChannel::new(self.handle.clone(), key))
    }

    /// W3C `restartIce`: the next offer has new ICE credentials.
    pub fn restart_ice(&self) {
        self.handle
            .shared
            .call(|state, _| state.session.restart_ice());
        self.handle.shared.release_negotiation();
    }

    /// The next event; `None` after the connection is closed.
    ///
    /// Cancel safe. The stream is one: of two tasks that wait, each event reaches one.
    pub async fn next_event(&self) -> Option<Event<PeerConnectionEvent>> {
        loop {
            let changed = self.handle.shared.changed.notified();
            let (event, closed) = {
                let mut state = self.handle.shared.lock();
                (state.events.pop_front(), state.session.is_closed())
            };
            match event {
                Some(event) => return Some(event.map(|kind| self.event(kind))),
                None if closed => return None,
                None => changed.await,
            }
        }
    }

    /// Waits until every candidate of this generation is in
    /// [`local_description`](Self::local_description), the description has no section to gather
    /// for, or the connection is closed. For signalling without trickling. Cancel safe.
    pub async fn gathering_complete(&self) {
        self.until(|session| {
            let nothing_to_gather =
                session.layers().is_none() && session.local_description().is_some();
            session.is_closed()
                || session.ice_gathering_state() == IceGatheringState::Complete
                || nothing_to_gather
        })
        .await;
    }

    /// W3C `localDescription`: the pending one, or else the current one, with the candidates
    /// gathered so far.
    #[must_use]
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.ask(Session::local_description)
    }

    /// W3C `currentLocalDescription`.
    #[must_use]
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.ask(Session::current_local_description)
    }

    /// W3C `pendingLocalDescription`.
    #[must_use]
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        self.ask(Session::pending_local_description)
    }

    /// W3C `remoteDescription`: the pending one, or else the current one, with the candidates
    /// added so far.
    #[must_use]
    pub fn remote_description(&self) -> Option<SessionDescription> {
        self.ask(Session::remote_description)
    }

    /// W3C `currentRemoteDescription`.
    #[must_use]
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        self.ask(Session::current_remote_description)
    }

    /// W3C `pendingRemoteDescription`.
    #[must_use]
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        self.ask(Session::pending_remote_description)
    }

    /// W3C `signalingState`.
    #[must_use]
    pub fn signaling_state(&self) -> SignalingState {
        self.ask(Session::signaling_state)
    }

    /// W3C `iceGatheringState`.
    #[must_use]
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.ask(Session::ice_gathering_state)
    }

    /// W3C `iceConnectionState`.
    #[must_use]
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.ask(Session::ice_connection_state)
    }

    /// W3C `connectionState`.
    #[must_use]
    pub fn connection_state(&self) -> PeerConnectionState {
        self.ask(Session::connection_state)
    }

    /// W3C `canTrickleIceCandidates`: whether the peer said it takes candidates one by one;
    /// `None` before a remote description.
    #[must_use]
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.ask(Session::can_trickle_ice_candidates)
    }

    /// W3C `getConfiguration`.
    #[must_use]
    pub fn configuration(&self) -> Configuration {
        self.ask(|session| session.configuration().clone())
    }

    /// W3C `setConfiguration`: other servers and another policy, from the next generation of
    /// candidates on ([`restart_ice`](Self::restart_ice) begins one). Nothing else can change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidModification`](crate::ErrorKind::InvalidModification) if something else
    /// differs, [`ErrorKind::Syntax`](crate::ErrorKind::Syntax) if a server's URL does not parse,
    /// [`ErrorKind::InvalidAccess`](crate::ErrorKind::InvalidAccess) if a TURN server has no
    /// credentials, [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) after
    /// [`close`](Self::close).
    pub fn set_configuration(&self, configuration: Configuration) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, _| state.session.set_configuration(configuration))
    }

    /// The pair of candidates that data takes, once selected.
    #[must_use]
    pub fn selected_candidate_pair(&self) -> Option<IceCandidatePair> {
        self.ask(Session::selected_candidate_pair)
    }

    /// Why the connection is not connected, or by which way it is: each server, candidate and pair
    /// with what became of it. Print it with `{}`.
    #[must_use]
    pub fn connectivity_report(&self) -> ConnectivityReport {
        self.ask(Session::connectivity_report)
    }

    /// W3C `getStats`: what all objects of the connection have counted until now.
    ///
    /// # Errors
    ///
    /// None today; the W3C's promise can be rejected, and so may this be.
    #[allow(
        clippy::unused_async,
        reason = "a promise in the W3C's API, and free to wait for a backend"
    )]
    pub async fn get_stats(&self) -> Result<StatsReport, Error> {
        Ok(self.ask(|session| session.stats(now())))
    }

    /// W3C `sctp`; `None` until a data section is negotiated.
    #[must_use]
    pub fn sctp(&self) -> Option<SctpTransport> {
        transport::sctp(&self.handle)
    }

    /// The transport that everything is sent over, once a description with a section is set.
    #[must_use]
    pub fn transport(&self) -> Option<DtlsTransport> {
        transport::transport(&self.handle)
    }

    /// W3C `close`: immediate. What the layers say as a farewell still goes out.
    pub fn close(&self) {
        self.handle
            .shared
            .call(|state, now| state.session.close(now));
        self.handle.shared.changed.notify_waiters();
        #[cfg(feature = "rtp")]
        self.handle.shared.wake_readers();
    }

    /// Waits until the connection is closed and its task has ended. Cancel safe.
    pub async fn closed(&self) {
        loop {
            let changed = self.handle.shared.changed.notified();
            if self.handle.shared.lock().ended {
                return;
            }
            changed.await;
        }
    }

    /// Runs one operation of the chain, and tells afterwards of a negotiation that is needed.
    async fn chained<R>(
        &self,
        operation: impl FnOnce(&mut Session, Instant) -> Result<R, Error>,
    ) -> Result<R, Error> {
        // Dropped after the turn, and also when the caller gives up waiting for it: the operation
        // before may have left the telling to this one.
        let _told = ToldAfterwards(self);
        let _turn = self.handle.shared.chain.lock().await;
        self.handle
            .shared
            .call(|state, now| operation(&mut state.session, now))
    }

    async fn until(&self, holds: impl Fn(&Session) -> bool) {
        loop {
            let changed = self.handle.shared.changed.notified();
            if holds(&self.handle.shared.lock().session) {
                return;
            }
            changed.await;
        }
    }

    fn ask<R>(&self, question: impl FnOnce(&Session) -> R) -> R {
        question(&self.handle.shared.lock().session)
    }

    fn event(&self, event: SessionEvent) -> PeerConnectionEvent {
        match event {
            SessionEvent::SignalingStateChange(state) => {
                PeerConnectionEvent::SignalingStateChange(state)
            }
            SessionEvent::IceGatheringStateChange(state) => {
                PeerConnectionEvent::IceGatheringStateChange(state)
            }
            SessionEvent::IceConnectionStateChange(state) => {
                PeerConnectionEvent::IceConnectionStateChange(state)
            }
            SessionEvent::ConnectionStateChange(state) => {
                PeerConnectionEvent::ConnectionStateChange(state)
            }
            SessionEvent::IceCandidate(candidate) => {
                PeerConnectionEvent::IceCandidate(candidate.map(|it| *it))
            }
            SessionEvent::IceCandidateError(error) => {
                PeerConnectionEvent::IceCandidateError(*error)
            }
            SessionEvent::SelectedCandidatePairChange(pair) => {
                PeerConnectionEvent::SelectedCandidatePairChange(pair)
            }
            #[cfg(feature = "rtp")]
            SessionEvent::Track(key, layer) => {
                PeerConnectionEvent::Track(Box::new(self.received_track(key, layer)))
            }
            SessionEvent::DataChannel(key) => {
                PeerConnectionEvent::DataChannel(DataChannel::new(self.handle.clone(), key))
            }
            _ => PeerConnectionEvent::NegotiationNeeded,
        }
    }
}

/// Tells at its end of a negotiation that is needed.
struct ToldAfterwards<'a>(&'a PeerConnection);

impl Drop for ToldAfterwards<'_> {
    fn drop(&mut self) {
        self.0.handle.shared.release_negotiation();
    }
}

impl fmt::Debug for PeerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerConnection")
            .field("signaling_state", &self.signaling_state())
            .field("connection_state", &self.connection_state())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "ring"))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    /// pc-004: an operation that nobody waits for any more does not keep the event.
    #[tokio::test]
    async fn a_dropped_operation_tells_of_a_needed_negotiation() {
        let connection = PeerConnection::builder(Configuration::default());
        let connection = connection.build().unwrap();
        let told = || connection.handle.shared.lock().events.len();
        let turn = connection.handle.shared.chain.lock().await;
        {
            let mut waiting = pin!(connection.create_offer(None));
            let mut context = Context::from_waker(Waker::noop());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            let _channel = connection.create_data_channel("a", None).unwrap();
            drop(turn);
            connection.handle.shared.release_negotiation();
            assert_eq!(told(), 0, "the turn is the waiting operation's");
        }
        assert_eq!(told(), 1);
    }
}
