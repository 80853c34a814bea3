//! What the driver does for agents in the place of the shell and of the signalling.

use super::{AgentId, Drive, Signal};
use layer::{Bound, GatheringState, IceEvent};

/// What DTLS 1.2 would put around a packet: header, explicit nonce, tag (RFC 6347 §4.1, RFC 5288 §3).
const DTLS_OVERHEAD: usize = 13 + 8 + 16;

/// A socket as DTLS makes it.
fn secured(mut bound: Bound) -> Bound {
    bound.overhead = DTLS_OVERHEAD;
    bound
}

impl Drive {
    /// Does what an event asks.
    pub(super) fn answer(&mut self, agent: AgentId, event: &IceEvent) {
        let (now, network) = (self.clock.now(), &mut self.network);
        let end = &mut self.agents[agent.0];
        let host = end.host();
        match event {
            IceEvent::ListInterfaces { request } => {
                let interfaces = network.interfaces(host);
                end.listing = Some(*request);
                end.machine.interfaces_listed(now, *request, &interfaces);
            }
            IceEvent::Bind {
                request,
                local,
                ports,
            } => {
                let result = end.sockets.bind(network, *local, *ports);
                end.machine.bound(now, *request, result);
            }
            IceEvent::ConnectTcp {
                request,
                local,
                remote,
                framing,
                ..
            } => {
                let ends = (*local, *remote);
                let made = end.sockets.connect(network, now, *request, ends, *framing);
                if let Err(error) = made {
                    end.machine.tcp_connected(now, *request, Err(error));
                }
            }
            IceEvent::ConnectDtls {
                request,
                local,
                ports,
                ..
            } => {
                let bound = end.sockets.bind(network, *local, *ports);
                let result = bound.map(secured);
                end.machine.bound(now, *request, result);
            }
            IceEvent::ListenTcp {
                request,
                local,
                ports,
            } => {
                let result = end.sockets.listen(network, *request, *local, *ports);
                end.machine.bound(now, *request, result);
            }
            IceEvent::CloseSocket { socket } => end.sockets.close(network, now, *socket),
            IceEvent::Resolve {
                request,
                host: name,
            } => {
                let addresses = network.resolve_at(host, name);
                end.machine.resolved(now, *request, &addresses);
            }
            IceEvent::PublishName {
                host: name,
                address,
            } => network.publish(host, name.as_str(), *address),
            IceEvent::Candidate(candidate) => {
                self.signal(agent, Signal::Candidate(candidate.clone()));
            }
            IceEvent::GatheringStateChange(GatheringState::Complete) => {
                let own = end.machine.local_credentials().username_fragment.clone();
                self.signal(agent, Signal::EndOfCandidates(own));
            }
            _ => {}
        }
    }

    /// Hands over what has been signalled by now.
    pub(super) fn carry_signals(&mut self) {
        let now = self.now();
        while let Some(entry) = self.signals.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (to, signal) = entry.remove();
            let machine = &mut self.agents[to.0].machine;
            match signal {
                // A candidate that is refused is the agent's affair; it counts it.
                Signal::Candidate(candidate) => {
                    let _ = machine.add_remote_candidate(now, candidate);
                }
                // That of another generation is none of this one (RFC 8838 §13).
                Signal::EndOfCandidates(theirs) => {
                    let known = machine.remote_credentials();
                    if known.is_some_and(|known| known.username_fragment == theirs) {
                        machine.end_of_remote_candidates(now);
                    }
                }
            }
            self.settle();
        }
    }

    fn signal(&mut self, from: AgentId, signal: Signal) {
        if let Some(to) = self.agents[from.0].partner {
            let key = (self.now() + self.signaling_delay, self.signal_sequence);
            self.signals.insert(key, (to, signal));
            self.signal_sequence += 1;
        }
    }
}
