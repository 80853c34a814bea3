//! Two sessions on a virtual network, in virtual time: whole connections without a socket.

use layer::{Input, Interface, SocketId, Transmit};
use peerconnection::{
    Configuration, LocalSessionDescription, Payload, SdpType, Session, SessionDescription,
    SessionEvent, ShellRequest, Stack,
};
use std::net::IpAddr;
use std::task::Waker;
use std::time::{Duration, Instant};
use testkit::{Clock, HostId, Link, Network, Packet, Record, Side, layer_seed};

/// Room for one run of datagrams.
const BUFFER: usize = 64 * 1024;

/// One end: a session, what it told, and what it received.
pub(crate) struct End {
    pub(crate) session: Session,
    pub(crate) events: Vec<SessionEvent>,
    /// Messages in the order they came, with their channel's key.
    pub(crate) messages: Vec<(datachannel::ChannelKey, Payload, Vec<u8>)>,
    host: HostId,
}

/// Two ends, the network between them, and the clock.
pub(crate) struct SessionPair {
    pub(crate) a: End,
    pub(crate) b: End,
    pub(crate) network: Network,
    pub(crate) record: Option<Record>,
    clock: Clock,
    buffer: Vec<u8>,
}

impl SessionPair {
    /// Two sessions with these layers, one IPv4 address each.
    pub(crate) fn new(stacks: [Stack; 2], link: &Link, seed: u64) -> Self {
        Self::with_configuration(stacks, link, seed, &Configuration::default())
    }

    /// The same with a configuration.
    pub(crate) fn with_configuration(
        stacks: [Stack; 2],
        link: &Link,
        seed: u64,
        configuration: &Configuration,
    ) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(link.clone(), seed);
        let [one, other] = stacks;
        let mut end = |stack: Stack, label: &[u8; 8], address: [u8; 4]| {
            let start = clock.start(layer_seed(seed, label));
            let waker = Waker::noop().clone();
            let interface = Interface::new("eth0", IpAddr::from(address));
            End {
                session: Session::new(start, configuration.clone(), stack, waker).unwrap(),
                events: Vec::new(),
                messages: Vec::new(),
                host: network.add_host(vec![interface]),
            }
        };
        let a = end(one, b"end    a", [192, 0, 2, 1]);
        let b = end(other, b"end    b", [192, 0, 2, 2]);
        Self {
            a,
            b,
            network,
            record: None,
            clock,
            buffer: vec![0; BUFFER],
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    pub(crate) fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// Sets the local description that the state asks for, gathers, and gives it with its candidates.
    pub(crate) fn describe(&mut self, side: Side) -> SessionDescription {
        let now = self.now();
        let session = &mut self.end(side).session;
        session
            .set_local_description(now, LocalSessionDescription::default())
            .unwrap();
        self.settle();
        let description = self.end(side).session.local_description().unwrap();
        let has = |line: &str| {
            description
                .sdp()
                .lines()
                .any(|found| found.starts_with(line))
        };
        let is_accepted =
            |line: &str| line.starts_with("m=") && line.split(' ').nth(1) != Some("0");
        assert_eq!(
            description.sdp().lines().any(is_accepted),
            has("a=candidate:"),
            "{}",
            description.sdp()
        );
        description
    }

    /// Hands a description over.
    pub(crate) fn hand(&mut self, to: Side, description: &SessionDescription) {
        let now = self.now();
        self.end(to)
            .session
            .set_remote_description(now, description)
            .unwrap();
        self.settle();
    }

    /// A whole offer and answer, `from` offering.
    pub(crate) fn negotiate(&mut self, from: Side) {
        let offer = self.describe(from);
        assert_eq!(offer.kind(), SdpType::Offer);
        self.hand(from.other(), &offer);
        let answer = self.describe(from.other());
        self.hand(from, &answer);
    }

    /// Runs until `done` or for `limit` of virtual time; whether it was done.
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
            let next = [
                self.network.next_arrival(),
                self.a.session.poll_timeout(),
                self.b.session.poll_timeout(),
            ];
            let Some(next) = next.into_iter().flatten().min() else {
                return false;
            };
            if next > deadline {
                self.clock.advance_to(deadline);
                return false;
            }
            // A deadline that stays in the past would stand still: time moves on all the same.
            let now = self.now();
            self.clock
                .advance_to(next.max(now + Duration::from_nanos(1)));
            self.receive();
            for side in [Side::A, Side::B] {
                let now = self.now();
                self.end(side).session.handle_timeout(now);
            }
        }
    }

    /// Runs for a time.
    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Does everything that needs no time to pass.
    pub(crate) fn settle(&mut self) {
        loop {
            let told = self.serve(Side::A) | self.serve(Side::B);
            let sent = self.transmit(Side::A) | self.transmit(Side::B);
            let received = self.receive();
            if !(told || sent || received) {
                return;
            }
        }
    }

    fn receive(&mut self) -> bool {
        let now = self.now();
        let mut received = false;
        while let Some((host, socket, mut packet)) = self.network.receive(now) {
            received = true;
            let side = if host == self.a.host {
                Side::A
            } else {
                Side::B
            };
            let (local, remote) = (packet.destination, packet.source);
            let input = Input::new(socket, local, remote, &mut packet.bytes);
            self.end(side).session.handle_input(now, input);
        }
        received
    }

    /// Takes events and messages, and plays the shell.
    fn serve(&mut self, side: Side) -> bool {
        let now = self.now();
        let mut served = false;
        loop {
            let end = self.end(side);
            if let Some(event) = end.session.poll_event() {
                served = true;
                match event {
                    SessionEvent::Request(request) => self.answer(side, &request),
                    event => end.events.push(event),
                }
            } else if let Some(message) = end.session.poll_message() {
                served = true;
                end.session.consume(now, message.stream, message.wire_len);
                end.messages
                    .push((message.key, message.payload, message.data.to_vec()));
            } else {
                return served;
            }
        }
    }

    fn answer(&mut self, side: Side, request: &ShellRequest) {
        let now = self.now();
        let host = self.end(side).host;
        match request {
            ShellRequest::ListInterfaces { request } => {
                let list = self.network.interfaces(host).to_vec();
                self.end(side)
                    .session
                    .interfaces_listed(now, *request, &list);
            }
            ShellRequest::Bind {
                request,
                local,
                ports,
            } => {
                let bound = self.network.bind(host, *local, *ports);
                self.end(side).session.bound(now, *request, bound);
            }
            ShellRequest::Resolve { request, .. } => {
                self.end(side).session.resolved(now, *request, &[]);
            }
            ShellRequest::CloseSocket { socket } => self.network.close(host, *socket),
            _ => {}
        }
    }

    fn transmit(&mut self, side: Side) -> bool {
        let now = self.now();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut sent = false;
        while let Some(transmit) = self.end(side).session.poll_transmit(now, &mut buffer, 10) {
            sent = true;
            let size = transmit.segment_size.unwrap_or(transmit.len).max(1);
            for datagram in buffer[..transmit.len].chunks(size) {
                self.put(side, &transmit, datagram);
            }
        }
        self.buffer = buffer;
        sent
    }

    /// Puts one datagram on the network.
    pub(crate) fn put(&mut self, side: Side, transmit: &Transmit, datagram: &[u8]) {
        let (now, elapsed, host) = (self.now(), self.elapsed(), self.end(side).host);
        if let Some(record) = &mut self.record {
            record.push(elapsed, side, datagram);
        }
        let packet = Packet::new(transmit.local, transmit.remote, datagram.to_vec());
        self.network.send(now, host, packet);
    }
}

/// 10 ms of delay, so many percent lost, and these shares reordered and duplicated.
pub(crate) fn harsh(loss_percent: u8, reorder: f64, duplicate: f64) -> Link {
    let mut link = Link::lossy(loss_percent);
    link.reorder = reorder;
    link.duplicate = duplicate;
    link
}

impl End {
    /// Whether a channel of this end is open.
    pub(crate) fn has_opened(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, SessionEvent::ChannelOpen(_)))
    }

    /// Delivers a packet that nobody sent.
    pub(crate) fn inject(&mut self, now: Instant, socket: SocketId, packet: &Packet) {
        let mut bytes = packet.bytes.clone();
        let input = Input::new(socket, packet.destination, packet.source, &mut bytes);
        self.session.handle_input(now, input);
    }
}
