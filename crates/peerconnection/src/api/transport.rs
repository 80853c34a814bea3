//! The transports of a connection (webrtc-pc §5.5, §5.6, §6.1.3). There is one of each: sections are
//! bundled, and everything is multiplexed.

use crate::api::candidate::{IceCandidate, IceCandidatePair};
use crate::api::handle::Handle;
use crate::api::state::{
    DtlsTransportState, IceComponent, IceGathererState, IceRole, IceTransportState,
    SctpTransportState,
};
use crate::session::Layers;
use bytes::Bytes;
use layer::{Credentials, DtlsState, GatheringState, IceState, SctpState, Security};
use std::fmt;
use std::sync::Arc;

/// W3C `RTCIceTransport`: how packets find their way. A handle is cheap to clone and keeps the
/// connection alive; its state is read at once, and changes are events of the connection.
#[derive(Clone)]
pub struct IceTransport {
    handle: Arc<Handle>,
}

/// W3C `RTCDtlsTransport`: who the peer is, and the keys. A handle as [`IceTransport`] is.
#[derive(Clone)]
pub struct DtlsTransport {
    handle: Arc<Handle>,
}

/// W3C `RTCSctpTransport`: what data channels go over. A handle as [`IceTransport`] is.
#[derive(Clone)]
pub struct SctpTransport {
    handle: Arc<Handle>,
}

/// The user name fragment and password of one side (W3C `RTCIceParameters`).
///
/// `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IceParameters {
    /// The fragment.
    pub username_fragment: String,
    /// The password.
    pub password: String,
}

/// Asks the layers, if there are any.
fn ask<R>(handle: &Handle, question: impl FnOnce(Layers<'_>) -> R) -> Option<R> {
    let state = handle.shared.lock();
    let layers = state
        .session
        .layers()
        .filter(|_| !state.session.is_closed());
    layers.map(question)
}

pub(crate) fn ice_role(role: Option<layer::IceRole>) -> IceRole {
    match role {
        Some(layer::IceRole::Controlling) => IceRole::Controlling,
        Some(layer::IceRole::Controlled) => IceRole::Controlled,
        _ => IceRole::Unknown,
    }
}

pub(crate) fn ice_state(state: IceState) -> IceTransportState {
    match state {
        IceState::New => IceTransportState::New,
        IceState::Checking => IceTransportState::Checking,
        IceState::Connected => IceTransportState::Connected,
        IceState::Completed => IceTransportState::Completed,
        IceState::Disconnected => IceTransportState::Disconnected,
        IceState::Failed => IceTransportState::Failed,
        _ => IceTransportState::Closed,
    }
}

pub(crate) fn dtls_state(state: DtlsState) -> DtlsTransportState {
    match state {
        DtlsState::New => DtlsTransportState::New,
        DtlsState::Connecting => DtlsTransportState::Connecting,
        DtlsState::Connected => DtlsTransportState::Connected,
        DtlsState::Failed => DtlsTransportState::Failed,
        _ => DtlsTransportState::Closed,
    }
}

impl IceTransport {
    /// W3C `role`.
    #[must_use]
    pub fn role(&self) -> IceRole {
        ice_role(ask(&self.handle, |layers| layers.ice.role()).flatten())
    }

    /// W3C `component`: RTP, with which everything is multiplexed.
    #[must_use]
    pub fn component(&self) -> IceComponent {
        IceComponent::Rtp
    }

    /// W3C `state`.
    #[must_use]
    pub fn state(&self) -> IceTransportState {
        let state = ask(&self.handle, |layers| layers.ice.state());
        state.map_or(IceTransportState::Closed, ice_state)
    }

    /// W3C `gatheringState`.
    #[must_use]
    pub fn gathering_state(&self) -> IceGathererState {
        match ask(&self.handle, |layers| layers.ice.gathering_state()) {
            Some(GatheringState::Gathering) => IceGathererState::Gathering,
            Some(GatheringState::New) => IceGathererState::New,
            _ => IceGathererState::Complete,
        }
    }

    /// W3C `getLocalCandidates`.
    #[must_use]
    pub fn local_candidates(&self) -> Vec<IceCandidate> {
        self.candidates(|layers| layers.ice.local_candidates())
    }

    /// W3C `getRemoteCandidates`: signalled and learned.
    #[must_use]
    pub fn remote_candidates(&self) -> Vec<IceCandidate> {
        self.candidates(|layers| layers.ice.remote_candidates())
    }

    fn candidates(
        &self,
        list: impl FnOnce(Layers<'_>) -> Vec<layer::Candidate>,
    ) -> Vec<IceCandidate> {
        let state = self.handle.shared.lock();
        let candidates = state.session.layers().map(list).unwrap_or_default();
        candidates
            .iter()
            .map(|candidate| state.session.shown_candidate(candidate))
            .collect()
    }

    /// W3C `getSelectedCandidatePair`.
    #[must_use]
    pub fn selected_candidate_pair(&self) -> Option<IceCandidatePair> {
        self.handle.shared.lock().session.selected_candidate_pair()
    }

    /// W3C `getLocalParameters`.
    #[must_use]
    pub fn local_parameters(&self) -> Option<IceParameters> {
        ask(&self.handle, |layers| {
            IceParameters::of(layers.ice.local_credentials())
        })
    }

    /// W3C `getRemoteParameters`; `None` before a remote description is in use.
    #[must_use]
    pub fn remote_parameters(&self) -> Option<IceParameters> {
        ask(&self.handle, |layers| {
            layers.ice.remote_credentials().map(IceParameters::of)
        })
        .flatten()
    }
}

impl IceParameters {
    fn of(credentials: &Credentials) -> Self {
        Self {
            username_fragment: credentials.username_fragment.clone(),
            password: credentials.password.clone(),
        }
    }
}

impl DtlsTransport {
    /// W3C `iceTransport`.
    #[must_use]
    pub fn ice_transport(&self) -> IceTransport {
        IceTransport {
            handle: self.handle.clone(),
        }
    }

    /// W3C `state`.
    #[must_use]
    pub fn state(&self) -> DtlsTransportState {
        let state = ask(&self.handle, |layers| layers.dtls.state());
        state.map_or(DtlsTransportState::Closed, dtls_state)
    }

    /// W3C `getRemoteCertificates`: DER, the leaf first; empty before the handshake.
    #[must_use]
    pub fn remote_certificates(&self) -> Vec<Bytes> {
        ask(&self.handle, |layers| {
            layers.dtls.remote_certificates().to_vec()
        })
        .unwrap_or_default()
    }

    /// What the handshake agreed on: version, suite, group, SRTP profile; `None` before.
    #[must_use]
    pub fn security(&self) -> Option<Security> {
        ask(&self.handle, |layers| layers.dtls.security()).flatten()
    }
}

impl SctpTransport {
    /// W3C `transport`.
    #[must_use]
    pub fn transport(&self) -> DtlsTransport {
        DtlsTransport {
            handle: self.handle.clone(),
        }
    }

    /// W3C `state`.
    #[must_use]
    pub fn state(&self) -> SctpTransportState {
        match ask(&self.handle, |layers| layers.sctp.state()) {
            Some(SctpState::New | SctpState::Connecting) => SctpTransportState::Connecting,
            Some(SctpState::Connected | SctpState::ShuttingDown) => SctpTransportState::Connected,
            _ => SctpTransportState::Closed,
        }
    }

    /// W3C `maxMessageSize`: the largest message that can be sent, in bytes; `None` for any.
    #[must_use]
    pub fn max_message_size(&self) -> Option<usize> {
        let size = self.handle.shared.lock().session.max_message_size();
        (size != usize::MAX).then_some(size)
    }

    /// W3C `maxChannels`: how many channels there can be at once; `None` before the association is
    /// up.
    #[must_use]
    pub fn max_channels(&self) -> Option<u16> {
        let streams = ask(&self.handle, |layers| layers.sctp.streams()).flatten();
        streams.map(|(incoming, outgoing)| incoming.min(outgoing))
    }
}

/// The association of a connection, if a data section is negotiated.
pub(crate) fn sctp(handle: &Arc<Handle>) -> Option<SctpTransport> {
    let has_data = handle.shared.lock().session.has_data();
    has_data.then(|| SctpTransport {
        handle: handle.clone(),
    })
}

/// The transport of a connection, if it has one.
pub(crate) fn transport(handle: &Arc<Handle>) -> Option<DtlsTransport> {
    let exists = handle.shared.lock().session.layers().is_some();
    exists.then(|| DtlsTransport {
        handle: handle.clone(),
    })
}

impl fmt::Debug for IceTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceTransport")
            .field("role", &self.role())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DtlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtlsTransport")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SctpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SctpTransport")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IceParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceParameters")
            .field("username_fragment", &self.username_fragment)
            .finish_non_exhaustive()
    }
}
