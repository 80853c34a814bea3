//! One client, what carries its messages, and what waits to be read; locked for a few lines at a
//! time.

use super::carrier::{Carrier, Sent};
use super::now;
use crate::client::{Client, Ending, Event, Failure, Received};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use stun::ConnectionId;

/// How many datagrams wait for a reader; further ones are lost, as in a socket's buffer.
const MAX_RECEIVED: usize = 256;

/// How many bytes of them; a single one is always kept.
const MAX_RECEIVED_BYTES: usize = 1 << 20;

/// How much is received before timers and senders have their turn.
const MAX_BATCH: usize = 64;

/// How many refusals are kept for who may ask for them.
const MAX_REFUSALS: usize = 256;

/// How many connections of peers wait to be accepted; the oldest go first, the server gives them up
/// after 30 s in any case.
const MAX_ATTEMPTS: usize = 64;

/// The largest message: 65535 bytes of data and what stands around them.
const MAX_MESSAGE: usize = 65_535 + 64;

pub(super) struct State {
    pub(super) client: Client,
    carrier: Carrier,
    received: VecDeque<(SocketAddr, Vec<u8>)>,
    received_bytes: usize,
    /// Buffers of datagrams that were read.
    spare: Vec<Vec<u8>>,
    /// Peers that are not permitted, and why.
    refusals: BTreeMap<IpAddr, Failure>,
    /// What became of connections that were asked for (RFC 6062).
    connects: BTreeMap<SocketAddr, Result<ConnectionId, Failure>>,
    /// Connections of peers that nobody has accepted.
    attempts: VecDeque<(SocketAddr, ConnectionId)>,
    /// Peers for which a channel was asked for.
    channels: BTreeSet<SocketAddr>,
    pub(super) ending: Option<Ending>,
    /// The driver's.
    pub(super) waker: Waker,
    scratch: Vec<u8>,
    /// Datagrams that found no place.
    pub(super) lost: u64,
}

impl State {
    pub(super) fn new(client: Client, carrier: Carrier) -> Self {
        Self {
            client,
            carrier,
            received: VecDeque::new(),
            received_bytes: 0,
            spare: Vec::new(),
            refusals: BTreeMap::new(),
            connects: BTreeMap::new(),
            attempts: VecDeque::new(),
            channels: BTreeSet::new(),
            ending: None,
            waker: Waker::noop().clone(),
            scratch: vec![0; MAX_MESSAGE],
            lost: 0,
        }
    }

    // --- the driver's turn ---

    /// Receives; whether there may be more.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        for _ in 0..MAX_BATCH {
            let Self {
                client,
                carrier,
                received,
                received_bytes,
                spare,
                scratch,
                lost,
                ..
            } = self;
            let server = client.server();
            let polled = carrier.poll_receive(cx, scratch, |remote, bytes| {
                let input = client.handle_input(now(), remote.unwrap_or(server), bytes);
                let Received::Data { peer, range } = input else {
                    return;
                };
                let is_full = received.len() >= MAX_RECEIVED
                    || *received_bytes + range.len() > MAX_RECEIVED_BYTES;
                if is_full && !received.is_empty() {
                    *lost += 1;
                    return;
                }
                let mut datagram = spare.pop().unwrap_or_default();
                datagram.clear();
                datagram.extend_from_slice(&bytes[range]);
                *received_bytes += datagram.len();
                received.push_back((peer, datagram));
            });
            match polled {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.client.connection_closed();
                    return false;
                }
                Poll::Pending => return false,
            }
        }
        true
    }

    /// Time, transmit, events. Returns when to come back.
    pub(super) fn turn(&mut self) -> Option<Instant> {
        let now = now();
        if self.client.poll_timeout().is_some_and(|at| at <= now) {
            self.client.handle_timeout(now);
        }
        while let Some(transmit) = self.client.poll_transmit(now, &mut self.scratch) {
            let bytes = &self.scratch[..transmit.len];
            // A full socket loses requests, as any network does; they are repeated.
            let _ = self.carrier.send(transmit.remote, bytes);
        }
        while let Some(event) = self.client.poll_event() {
            self.told(event);
        }
        self.flush();
        self.client.poll_timeout()
    }

    fn told(&mut self, event: Event) {
        match event {
            Event::Permitted { peer } => drop(self.refusals.remove(&peer)),
            Event::NotPermitted { peer, reason } => {
                if self.refusals.len() >= MAX_REFUSALS {
                    self.refusals.pop_first();
                }
                self.refusals.insert(peer, reason);
            }
            // The next datagram asks for it again.
            Event::ChannelUnbound {
                peer,
                reason: Failure::Unused,
            } => drop(self.channels.remove(&peer)),
            Event::Connected { peer, connection } => {
                self.connects.insert(peer, Ok(connection));
            }
            Event::NotConnected { peer, reason } => {
                self.connects.insert(peer, Err(reason));
            }
            Event::ConnectionAttempt { peer, connection } => {
                if self.attempts.len() >= MAX_ATTEMPTS {
                    self.attempts.pop_front();
                }
                self.attempts.push_back((peer, connection));
            }
            Event::Ended(ending) => self.ending = Some(ending),
            _ => {}
        }
    }

    /// Writes to a stream on behalf of the driver, who is woken when there is room for more.
    fn flush(&mut self) {
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        if let Poll::Ready(Err(_)) = self.carrier.poll_flush(&mut cx) {
            self.client.connection_closed();
            while let Some(event) = self.client.poll_event() {
                self.told(event);
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.carrier.is_full()
    }

    // --- verbs ---

    /// Asks for a permission; `None` while it is on its way.
    pub(super) fn permit(&mut self, peer: IpAddr, is_first: bool) -> Option<io::Result<()>> {
        if let Some(ending) = self.ended() {
            return Some(Err(ending));
        }
        if self.client.is_permitted(now(), peer) {
            return Some(Ok(()));
        }
        if !is_first {
            let reason = self.refusals.get(&peer)?;
            let denied = io::Error::new(io::ErrorKind::PermissionDenied, reason.clone());
            return Some(Err(denied));
        }
        self.refusals.remove(&peer);
        match self.client.permit(now(), peer) {
            Ok(()) => {
                self.turn();
                self.waker.wake_by_ref();
                None
            }
            Err(error) => Some(Err(io::Error::new(io::ErrorKind::InvalidInput, error))),
        }
    }

    /// Sends to a permitted peer, and asks for a channel if that was not done.
    pub(super) fn send(&mut self, peer: SocketAddr, datagram: &[u8]) -> io::Result<Sent> {
        if let Some(ending) = self.ended() {
            return Err(ending);
        }
        let now = now();
        let max_channels = usize::from(u16::MAX);
        if self.channels.len() < max_channels && self.channels.insert(peer) {
            // Without a channel it goes as well.
            let _ = self.client.bind_channel(now, peer);
            self.turn();
            self.waker.wake_by_ref();
        }
        let too_long = || io::Error::from(io::ErrorKind::InvalidInput);
        let headroom = self.client.room(now, peer).headroom;
        let payload = headroom..headroom + datagram.len();
        let place = self.scratch.get_mut(payload.clone()).ok_or_else(too_long)?;
        place.copy_from_slice(datagram);
        let wrapped = self.client.wrap(now, peer, &mut self.scratch, payload);
        let range = wrapped.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let sent = self
            .carrier
            .send(self.client.server(), &self.scratch[range])?;
        self.flush();
        Ok(sent)
    }

    /// Asks for a connection; `None` while it is on its way.
    pub(super) fn connect(
        &mut self,
        peer: SocketAddr,
        is_first: bool,
    ) -> Option<io::Result<ConnectionId>> {
        if let Some(ending) = self.ended() {
            return Some(Err(ending));
        }
        if !is_first {
            let connected = self.connects.remove(&peer)?;
            let refused = |reason| io::Error::new(io::ErrorKind::ConnectionRefused, reason);
            return Some(connected.map_err(refused));
        }
        // Of an earlier call that was dropped.
        self.connects.remove(&peer);
        match self.client.connect(now(), peer) {
            Ok(()) => {
                self.turn();
                self.waker.wake_by_ref();
                None
            }
            Err(error) => Some(Err(io::Error::new(io::ErrorKind::InvalidInput, error))),
        }
    }

    /// The next connection of a peer.
    pub(super) fn accept(&mut self) -> Option<io::Result<(SocketAddr, ConnectionId)>> {
        let attempt = self.attempts.pop_front().map(Ok);
        attempt.or_else(|| self.ended().map(Err))
    }

    /// The next datagram.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Option<io::Result<(usize, SocketAddr)>> {
        if let Some((peer, datagram)) = self.received.pop_front() {
            self.received_bytes -= datagram.len();
            let len = datagram.len().min(buf.len());
            buf[..len].copy_from_slice(&datagram[..len]);
            self.spare.push(datagram);
            return Some(Ok((len, peer)));
        }
        self.ended().map(Err)
    }

    fn ended(&self) -> Option<io::Error> {
        Some(match self.ending.as_ref()? {
            Ending::Closed => io::ErrorKind::NotConnected.into(),
            Ending::Failed(failure) => {
                io::Error::new(io::ErrorKind::ConnectionAborted, failure.clone())
            }
        })
    }
}
