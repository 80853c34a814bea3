//! What the driver does for the agents in the place of the shell and of the signalling.

use super::IcePair;
use crate::Side;
use layer::{Candidate, GatheringState, IceEvent};
use std::io;

/// What one end tells the other outside the network.
#[derive(Debug)]
pub(super) enum Signal {
    Candidate(Candidate),
    EndOfCandidates,
}

impl IcePair {
    pub(super) fn carry_signals(&mut self) {
        let now = self.now();
        while let Some(entry) = self.signals.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (to, signal) = entry.remove();
            let agent = &mut self.end(to).machine;
            match signal {
                // A candidate that is refused is the agent's affair; it counts it.
                Signal::Candidate(candidate) => {
                    let _ = agent.add_remote_candidate(now, candidate);
                }
                Signal::EndOfCandidates => agent.end_of_remote_candidates(now),
            }
            self.settle();
        }
    }

    /// Does what an event asks of the shell and of the signalling.
    pub(super) fn answer(&mut self, side: Side, event: &IceEvent) {
        let now = self.now();
        let host = self.end(side).host;
        match event {
            IceEvent::ListInterfaces { request } => {
                let interfaces = self.network.interfaces(host).to_vec();
                let agent = &mut self.end(side).machine;
                agent.interfaces_listed(now, *request, &interfaces);
            }
            IceEvent::Bind {
                request,
                local,
                ports,
            } => {
                let result = self.network.bind(host, *local, *ports);
                self.end(side).machine.bound(now, *request, result);
            }
            IceEvent::ConnectTcp { request, .. } => {
                let refused = Err(io::ErrorKind::ConnectionRefused);
                self.end(side).machine.tcp_connected(now, *request, refused);
            }
            IceEvent::ConnectDtls { request, .. } => {
                let refused = Err(io::ErrorKind::ConnectionRefused);
                self.end(side).machine.bound(now, *request, refused);
            }
            IceEvent::CloseSocket { socket } => self.network.close(host, *socket),
            IceEvent::Resolve { request, host } => {
                let addresses = self.network.resolve(host).to_vec();
                self.end(side).machine.resolved(now, *request, &addresses);
            }
            IceEvent::Candidate(candidate) => {
                self.signal(side, Signal::Candidate(candidate.clone()));
            }
            IceEvent::GatheringStateChange(GatheringState::Complete) => {
                self.signal(side, Signal::EndOfCandidates);
            }
            _ => {}
        }
    }

    fn signal(&mut self, from: Side, signal: Signal) {
        if let Some(delay) = self.signaling_delay {
            let key = (self.now() + delay, self.signal_sequence);
            self.signals.insert(key, (from.other(), signal));
            self.signal_sequence += 1;
        }
    }
}
