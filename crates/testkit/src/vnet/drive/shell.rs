//! What the driver does for agents in the place of the shell and of the signalling.

use super::frame::{self, Frames};
use super::{AgentId, Drive, Signal, Socket};
use crate::vnet::Arrival;
use layer::{Bound, Framing, GatheringState, IceEvent, RequestId, SocketId};
use std::io;
use std::net::SocketAddr;

impl Drive {
    /// Does what an event asks.
    pub(super) fn answer(&mut self, agent: AgentId, event: &IceEvent) {
        let now = self.now();
        let host = self.agents[agent.0].host;
        let end = &mut self.agents[agent.0];
        match event {
            IceEvent::ListInterfaces { request } => {
                let interfaces = self.network.interfaces(host);
                end.listing = Some(*request);
                end.machine.interfaces_listed(now, *request, &interfaces);
            }
            IceEvent::Bind {
                request,
                local,
                ports,
            } => {
                let result = self.network.bind(host, *local, *ports);
                if let Ok(bound) = &result {
                    end.sockets.insert(bound.socket, Socket::Datagrams);
                }
                end.machine.bound(now, *request, result);
            }
            IceEvent::ConnectTcp {
                request,
                local,
                remote,
                framing,
                ..
            } => {
                let made = self.network.connect(now, host, *local, *remote);
                self.connecting(agent, *request, *framing, made);
            }
            IceEvent::ListenTcp {
                request,
                local,
                ports,
            } => {
                let result = self.network.listen(host, *local, *ports);
                if let Ok(bound) = &result {
                    let listening = Socket::Listening(*request);
                    end.sockets.insert(bound.socket, listening);
                }
                end.machine.bound(now, *request, result);
            }
            IceEvent::CloseSocket { socket } => {
                end.sockets.remove(socket);
                self.network.close(now, host, *socket);
            }
            IceEvent::Resolve { request, host } => {
                let addresses = self.network.resolve_at(end.host, host);
                end.machine.resolved(now, *request, &addresses);
            }
            IceEvent::PublishName { host, address } => {
                self.network.publish(end.host, host.as_str(), *address);
            }
            IceEvent::Candidate(candidate) => {
                self.signal(agent, Signal::Candidate(candidate.clone()));
            }
            IceEvent::GatheringStateChange(GatheringState::Complete) => {
                self.signal(agent, Signal::EndOfCandidates);
            }
            _ => {}
        }
    }

    fn connecting(
        &mut self,
        agent: AgentId,
        request: RequestId,
        framing: Framing,
        made: Result<Bound, io::ErrorKind>,
    ) {
        let now = self.now();
        let end = &mut self.agents[agent.0];
        match made {
            Ok(bound) => {
                let connecting = Socket::Connecting(request, framing);
                end.sockets.insert(bound.socket, connecting);
            }
            Err(error) => end.machine.tcp_connected(now, request, Err(error)),
        }
    }

    /// A stream has come about, or is gone.
    pub(super) fn stream_changed(
        &mut self,
        owner: usize,
        socket: SocketId,
        local: SocketAddr,
        arrival: &Arrival,
    ) {
        let now = self.now();
        let end = &mut self.agents[owner];
        match (arrival, end.sockets.get_mut(&socket)) {
            (Arrival::Connected, Some(state)) => {
                if let Socket::Connecting(request, framing) = *state {
                    *state = Socket::Stream(Frames::new(framing));
                    let bound = Bound::new(socket, local);
                    end.machine.tcp_connected(now, request, Ok(bound));
                }
            }
            (Arrival::Accepted { listener }, _) => {
                if let Some(Socket::Listening(request)) = end.sockets.get(listener) {
                    let (request, bound) = (*request, Bound::new(socket, local));
                    let frames = Frames::new(Framing::Length);
                    end.sockets.insert(socket, Socket::Stream(frames));
                    end.machine.tcp_connected(now, request, Ok(bound));
                }
            }
            (Arrival::Failed(why), Some(Socket::Connecting(request, _))) => {
                let (request, why) = (*request, *why);
                end.sockets.remove(&socket);
                end.machine.tcp_connected(now, request, Err(why));
            }
            (Arrival::Ended | Arrival::Reset, Some(_)) => {
                end.sockets.remove(&socket);
                end.machine.socket_closed(now, socket);
                let host = end.host;
                self.network.close(now, host, socket);
            }
            _ => {}
        }
    }

    /// Puts a packet into a stream. One that does not fit the buffer is dropped whole, as a network
    /// would: an agent's packets never wait.
    pub(super) fn write(&mut self, agent: AgentId, socket: SocketId, packet: &[u8]) {
        let end = &self.agents[agent.0];
        let framed = frame::framed(end.framing(socket), packet);
        if framed.len() <= self.network.room(end.host, socket) {
            self.network
                .write(self.clock.now(), end.host, socket, &framed);
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
                Signal::EndOfCandidates => machine.end_of_remote_candidates(now),
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
