use crate::HostId;
use layer::{Ice, IceEvent, IceState, Transmit};
use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

/// An ICE agent on one host of a [`Network`](crate::Network), and what came out of it.
pub struct IcePeer {
    /// The agent.
    pub machine: Box<dyn Ice>,
    /// Every event so far, requests to the shell included; drain it as you like.
    pub events: Vec<IceEvent>,
    /// Data for the layers above; drain it as you like.
    pub data: Vec<Vec<u8>>,
    pub(super) host: HostId,
    /// Wrapped data on its way out, with where it goes.
    pub(super) wrapped: VecDeque<(Transmit, Vec<u8>)>,
}

impl IcePeer {
    /// Its host, for [`Network`](crate::Network)'s methods.
    #[must_use]
    pub fn host(&self) -> HostId {
        self.host
    }

    /// Sends data on the current route; `false` if there is none. The packet leaves with the next
    /// poll.
    pub fn send(&mut self, now: Instant, payload: &[u8]) -> bool {
        let Some(route) = self.machine.route() else {
            return false;
        };
        let end = route.headroom + payload.len();
        let mut buffer = vec![0; end + route.tailroom];
        buffer[route.headroom..end].copy_from_slice(payload);
        let wrapped = self
            .machine
            .wrap(now, &mut buffer, route.headroom..end, None);
        let Some((range, transmit)) = wrapped else {
            return false;
        };
        self.wrapped.push_back((transmit, buffer[range].to_vec()));
        true
    }

    /// Whether data can flow: connected or completed.
    #[must_use]
    pub fn connected(&self) -> bool {
        matches!(
            self.machine.state(),
            IceState::Connected | IceState::Completed
        )
    }
}

impl fmt::Debug for IcePeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcePeer")
            .field("state", &self.machine.state())
            .field("role", &self.machine.role())
            .field("events", &self.events)
            .field("stats", &self.machine.stats())
            .finish_non_exhaustive()
    }
}
