//! The three states of a connection, computed from its transport (webrtc-pc §4.3.2 to §4.3.4).

use super::SessionEvent;
use super::transports::Transport;
use crate::api::state::{IceConnectionState, IceGatheringState, PeerConnectionState};
use layer::{DtlsState, GatheringState, IceState};
use std::collections::VecDeque;

/// What was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct States {
    pub(crate) gathering: IceGatheringState,
    pub(crate) ice: IceConnectionState,
    pub(crate) connection: PeerConnectionState,
}

impl Default for States {
    fn default() -> Self {
        Self {
            gathering: IceGatheringState::New,
            ice: IceConnectionState::New,
            connection: PeerConnectionState::New,
        }
    }
}

impl States {
    /// After `close`.
    pub(crate) fn closed() -> Self {
        Self {
            gathering: IceGatheringState::Complete,
            ice: IceConnectionState::Closed,
            connection: PeerConnectionState::Closed,
        }
    }

    /// Tells of a change in gathering.
    pub(crate) fn gathering_changed(
        &mut self,
        state: GatheringState,
        events: &mut VecDeque<SessionEvent>,
    ) {
        let gathering = match state {
            GatheringState::Gathering => IceGatheringState::Gathering,
            GatheringState::Complete => IceGatheringState::Complete,
            _ => IceGatheringState::New,
        };
        if gathering != self.gathering {
            self.gathering = gathering;
            events.push_back(SessionEvent::IceGatheringStateChange(gathering));
        }
    }

    /// Tells of what has changed since the last time; ICE before the connection as a whole.
    pub(crate) fn update(
        &mut self,
        transport: Option<&Transport>,
        events: &mut VecDeque<SessionEvent>,
        closed: bool,
    ) {
        let Some(transport) = transport.filter(|_| !closed) else {
            return;
        };
        let (ice, dtls) = (transport.ice.state(), transport.dtls.state());
        let ice_connection = ice_connection_state(ice);
        let connection = connection_state(ice, dtls);
        if ice_connection != self.ice {
            self.ice = ice_connection;
            events.push_back(SessionEvent::IceConnectionStateChange(ice_connection));
        }
        if connection != self.connection {
            self.connection = connection;
            events.push_back(SessionEvent::ConnectionStateChange(connection));
        }
    }
}

impl States {
    /// Without a transport all is as in the beginning (webrtc-pc §4.3.3, the row of `new`).
    pub(crate) fn transport_ended(&mut self, events: &mut VecDeque<SessionEvent>) {
        let new = Self::default();
        if self.ice != new.ice {
            events.push_back(SessionEvent::IceConnectionStateChange(new.ice));
        }
        if self.gathering != new.gathering {
            events.push_back(SessionEvent::IceGatheringStateChange(new.gathering));
        }
        if self.connection != new.connection {
            events.push_back(SessionEvent::ConnectionStateChange(new.connection));
        }
        *self = new;
    }
}

/// With one transport the table of webrtc-pc §4.3.4 is the transport's own state.
fn ice_connection_state(ice: IceState) -> IceConnectionState {
    match ice {
        IceState::Checking => IceConnectionState::Checking,
        IceState::Connected => IceConnectionState::Connected,
        IceState::Completed => IceConnectionState::Completed,
        IceState::Disconnected => IceConnectionState::Disconnected,
        IceState::Failed => IceConnectionState::Failed,
        IceState::Closed => IceConnectionState::Closed,
        _ => IceConnectionState::New,
    }
}

/// pc-003: the first row of webrtc-pc §4.3.3 that applies.
fn connection_state(ice: IceState, dtls: DtlsState) -> PeerConnectionState {
    let ice_is = |states: &[IceState]| states.contains(&ice);
    let dtls_is = |states: &[DtlsState]| states.contains(&dtls);
    if ice_is(&[IceState::Failed]) || dtls_is(&[DtlsState::Failed]) {
        PeerConnectionState::Failed
    } else if ice_is(&[IceState::Disconnected]) {
        PeerConnectionState::Disconnected
    } else if ice_is(&[IceState::New, IceState::Closed])
        && dtls_is(&[DtlsState::New, DtlsState::Closed])
    {
        PeerConnectionState::New
    } else if ice_is(&[IceState::Connected, IceState::Completed, IceState::Closed])
        && dtls_is(&[DtlsState::Connected, DtlsState::Closed])
    {
        PeerConnectionState::Connected
    } else {
        PeerConnectionState::Connecting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pc-002, pc-003: failed beats disconnected beats new beats connecting.
    #[test]
    fn the_worst_part_decides() {
        use PeerConnectionState as P;
        let rows = [
            (IceState::Failed, DtlsState::Connected, P::Failed),
            (IceState::Disconnected, DtlsState::Failed, P::Failed),
            (
                IceState::Disconnected,
                DtlsState::Connected,
                P::Disconnected,
            ),
            (IceState::New, DtlsState::New, P::New),
            (IceState::Checking, DtlsState::New, P::Connecting),
            (IceState::Connected, DtlsState::Connecting, P::Connecting),
            (IceState::Connected, DtlsState::Connected, P::Connected),
            (IceState::Completed, DtlsState::Closed, P::Connected),
        ];
        for (ice, dtls, expected) in rows {
            assert_eq!(connection_state(ice, dtls), expected, "{ice:?} {dtls:?}");
        }
    }

    /// pc-002: with one transport, each row of webrtc-pc §4.3.2 to §4.3.4 is the transport's own.
    #[test]
    fn the_states_of_the_only_transport_are_those_of_the_connection() {
        use IceConnectionState as I;
        for (ice, expected) in [
            (IceState::New, I::New),
            (IceState::Checking, I::Checking),
            (IceState::Connected, I::Connected),
            (IceState::Completed, I::Completed),
            (IceState::Disconnected, I::Disconnected),
            (IceState::Failed, I::Failed),
            (IceState::Closed, I::Closed),
        ] {
            assert_eq!(ice_connection_state(ice), expected, "{ice:?}");
        }
        let (mut states, mut events) = (States::default(), VecDeque::new());
        for (gathering, expected) in [
            (GatheringState::New, IceGatheringState::New),
            (GatheringState::Gathering, IceGatheringState::Gathering),
            (GatheringState::Complete, IceGatheringState::Complete),
        ] {
            states.gathering_changed(gathering, &mut events);
            assert_eq!(states.gathering, expected);
        }
        assert_eq!(events.len(), 2, "only changes are told");
    }
}
