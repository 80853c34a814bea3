//! Sessions on the hosts of a virtual network, in virtual time: the driver.
//!
//! A session does no I/O: it takes packets and instants, and gives packets, deadlines and events. This
//! file does for it what `PeerConnection` does with real sockets and tokio's clock.

use muonrtc::layer::Input;
use muonrtc::{
    Configuration, Error, IceCandidate, IncomingMessage, LocalSessionDescription, Session,
    SessionEvent, ShellRequest, Stack,
};
use std::task::Waker;
use std::time::{Duration, Instant};
use testkit::vnet::{Arrived, HostId, Network, Sockets};
use testkit::{Clock, layer_seed};

/// Room for one run of datagrams.
const BUFFER: usize = 64 * 1024;

/// How many datagrams a run may have.
const MAX_RUN: usize = 10;

/// Two sessions, the network between them, and the clock.
pub(crate) struct Drive {
    pub(crate) network: Network,
    pub(crate) ends: [End; 2],
    clock: Clock,
    buffer: Vec<u8>,
}

/// A session on its host, and what came out of it, with the time since the beginning.
pub(crate) struct End {
    pub(crate) session: Session,
    pub(crate) events: Vec<(Duration, SessionEvent)>,
    pub(crate) messages: Vec<(Duration, IncomingMessage)>,
    sockets: Sockets,
    /// For the other end. `None`: there are no more.
    candidates: Vec<Option<IceCandidate>>,
}

impl Drive {
    /// One session on each of two hosts. The same seed gives the same addresses, times and packets'
    /// fates.
    pub(crate) fn new(
        clock: Clock,
        network: Network,
        seed: u64,
        ends: [(HostId, Configuration); 2],
    ) -> Result<Self, Error> {
        let mut number = 0;
        let [one, other] = ends.map(|(host, configuration)| {
            number += 1;
            let start = clock.start(layer_seed(seed, &[b'e', b'n', b'd', b' ', 0, 0, 0, number]));
            let waker = Waker::noop().clone();
            Ok(End {
                session: Session::new(start, configuration, Stack::default(), waker)?,
                events: Vec::new(),
                messages: Vec::new(),
                sockets: Sockets::new(host),
                candidates: Vec::new(),
            })
        });
        Ok(Self {
            network,
            ends: [one?, other?],
            clock,
            buffer: vec![0; BUFFER],
        })
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The virtual time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Offer and answer, from the first end. Candidates follow as they are found, in no time.
    pub(crate) fn negotiate(&mut self) -> Result<(), Error> {
        let now = self.now();
        for (from, to) in [(0, 1), (1, 0)] {
            let own = &mut self.ends[from].session;
            own.set_local_description(now, LocalSessionDescription::default())?;
            if let Some(description) = own.local_description() {
                self.ends[to]
                    .session
                    .set_remote_description(now, &description)?;
            }
        }
        Ok(())
    }

    /// Runs until `done`, or for `limit` of virtual time; whether it was done.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&mut Self) -> bool,
    ) -> bool {
        let deadline = self.now() + limit;
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let [one, other] = &self.ends;
            let next = [
                self.network.poll_timeout(),
                one.session.poll_timeout(),
                other.session.poll_timeout(),
            ];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= deadline) else {
                self.clock.advance_to(deadline);
                return false;
            };
            // A deadline that stays in the past would stand still: time moves on all the same.
            self.clock
                .advance_to(next.max(self.now() + Duration::from_nanos(1)));
            self.deliver();
            for end in &mut self.ends {
                end.session.handle_timeout(self.clock.now());
            }
        }
    }

    /// Does everything that needs no time to pass.
    fn settle(&mut self) {
        loop {
            let mut moved = self.signal();
            for index in 0..self.ends.len() {
                moved |= self.tell(index);
                moved |= self.transmit(index);
            }
            moved |= self.deliver();
            if !moved {
                return;
            }
        }
    }

    /// Hands what has arrived to its session.
    fn deliver(&mut self) -> bool {
        let now = self.now();
        let mut moved = false;
        while let Some(delivery) = self.network.poll_deliver(now) {
            moved = true;
            let mut ends = self.ends.iter_mut();
            if let Some(end) = ends.find(|end| end.sockets.owns(&delivery)) {
                for arrived in end.sockets.take(&mut self.network, delivery) {
                    end.arrived(now, arrived);
                }
            }
        }
        moved
    }

    /// Carries candidates to the other end.
    fn signal(&mut self) -> bool {
        let now = self.now();
        let mut moved = false;
        for (from, to) in [(0, 1), (1, 0)] {
            for candidate in std::mem::take(&mut self.ends[from].candidates) {
                moved = true;
                let init = candidate.map(|candidate| candidate.to_init());
                // One that is refused is like one that was lost: others are there.
                let _ = self.ends[to].session.add_ice_candidate(now, init);
            }
        }
        moved
    }

    /// Takes events and messages of a session, and does what it asks.
    fn tell(&mut self, index: usize) -> bool {
        let (now, elapsed) = (self.now(), self.elapsed());
        let mut moved = false;
        loop {
            let end = &mut self.ends[index];
            if let Some(event) = end.session.poll_event() {
                match event {
                    SessionEvent::Request(request) => {
                        end.perform(&mut self.network, now, &request);
                    }
                    event => {
                        if let SessionEvent::IceCandidate(candidate) = &event {
                            end.candidates.push(candidate.as_deref().cloned());
                        }
                        end.events.push((elapsed, event));
                    }
                }
            } else if let Some(message) = end.session.poll_message() {
                end.session.consume(now, message.stream, message.wire_len);
                end.messages.push((elapsed, message));
            } else {
                return moved;
            }
            moved = true;
        }
    }

    fn transmit(&mut self, index: usize) -> bool {
        let now = self.now();
        let end = &mut self.ends[index];
        let mut moved = false;
        while let Some(transmit) = end.session.poll_transmit(now, &mut self.buffer, MAX_RUN) {
            moved = true;
            let bytes = &self.buffer[..transmit.len];
            end.sockets
                .transmit(&mut self.network, now, &transmit, bytes);
        }
        moved
    }
}

impl End {
    fn arrived(&mut self, now: Instant, arrived: Arrived) {
        match arrived {
            Arrived::Packet {
                socket,
                protocol,
                local,
                remote,
                mut bytes,
            } => {
                let mut input = Input::new(socket, local, remote, &mut bytes);
                input.protocol = protocol;
                self.session.handle_input(now, input);
            }
            Arrived::Connected { request, result } => {
                self.session.tcp_connected(now, request, result);
            }
            Arrived::Closed { socket } => self.session.socket_closed(now, socket),
            _ => {}
        }
    }

    /// What the operating system does for a real connection.
    fn perform(&mut self, network: &mut Network, now: Instant, request: &ShellRequest) {
        let sockets = &mut self.sockets;
        match request {
            ShellRequest::ListInterfaces { request } => {
                let list = network.interfaces(sockets.host());
                self.session.interfaces_listed(now, *request, &list);
            }
            // Nobody looks inside: it is a plain socket, as a stream under TLS is a plain one.
            ShellRequest::Bind {
                request,
                local,
                ports,
            }
            | ShellRequest::ConnectDtls {
                request,
                local,
                ports,
                ..
            } => {
                let bound = sockets.bind(network, *local, *ports);
                self.session.bound(now, *request, bound);
            }
            ShellRequest::ListenTcp {
                request,
                local,
                ports,
            } => {
                let bound = sockets.listen(network, *request, *local, *ports);
                self.session.bound(now, *request, bound);
            }
            ShellRequest::ConnectTcp {
                request,
                local,
                remote,
                framing,
                ..
            } => {
                let ends = (*local, *remote);
                if let Err(error) = sockets.connect(network, now, *request, ends, *framing) {
                    self.session.tcp_connected(now, *request, Err(error));
                }
            }
            ShellRequest::Resolve { request, host } => {
                let addresses = network.resolve_at(sockets.host(), host);
                self.session.resolved(now, *request, &addresses);
            }
            ShellRequest::CloseSocket { socket } => sockets.close(network, now, *socket),
            _ => {}
        }
    }
}
