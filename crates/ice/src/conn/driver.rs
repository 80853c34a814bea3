//! Driving one agent: receive, time, transmit, events.

use super::socket;
use crate::candidate::is_multicast_name;
use layer::{Bound, Ice, IceEvent, IceState, Input, Interface, Received, RequestId, SocketId};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::net::UdpSocket;

/// How many received datagrams wait for a reader; further ones are lost, as in a socket's buffer.
const MAX_RECEIVED: usize = 256;

/// How many datagrams are taken from a socket before timers and other sockets have their turn.
const MAX_BATCH: usize = 64;

/// One agent, its sockets, and who waits for it; locked for a few lines at a time.
pub(super) struct Shared {
    pub(super) agent: Box<dyn Ice>,
    addresses: Vec<IpAddr>,
    pub(super) sockets: BTreeMap<SocketId, UdpSocket>,
    pub(super) received: VecDeque<Box<[u8]>>,
    /// Tasks that wait for data or a path.
    waiting: Vec<Waker>,
    driver: Option<Waker>,
    /// Names to be asked for.
    names: Vec<(RequestId, String)>,
    /// A verb was called since the driver's last turn.
    dirty: bool,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.agent.state())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(agent: Box<dyn Ice>, addresses: Vec<IpAddr>) -> Self {
        Self {
            agent,
            addresses,
            sockets: BTreeMap::new(),
            received: VecDeque::new(),
            waiting: Vec::new(),
            driver: None,
            names: Vec::new(),
            dirty: false,
            scratch: vec![0; 65_536],
        }
    }

    pub(super) fn end(&self) -> Option<io::ErrorKind> {
        match self.agent.state() {
            IceState::Failed => Some(io::ErrorKind::TimedOut),
            IceState::Closed => Some(io::ErrorKind::ConnectionAborted),
            _ => None,
        }
    }

    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.end() {
            Some(end) => Poll::Ready(Err(end.into())),
            None if self.agent.route().is_some() => Poll::Ready(Ok(())),
            None => self.wait(cx),
        }
    }

    pub(super) fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    pub(super) fn wake(&mut self) {
        self.dirty = true;
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    pub(super) fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let too_long = || io::Error::from(io::ErrorKind::InvalidInput);
        let headroom = self.agent.route().map_or(0, |route| route.headroom);
        let payload = headroom..headroom + datagram.len();
        let place = self.scratch.get_mut(payload.clone()).ok_or_else(too_long)?;
        place.copy_from_slice(datagram);
        let wrapped = self.agent.wrap(now(), &mut self.scratch, payload, None);
        let (range, transmit) = wrapped.ok_or_else(too_long)?;
        if let Some(socket) = self.sockets.get(&transmit.socket) {
            // A full socket loses datagrams, as any network does.
            let _ = socket.try_send_to(&self.scratch[range], transmit.remote);
        }
        Ok(())
    }

    /// Receive, time, transmit, events: until nothing is left. Returns when to come back.
    pub(super) fn turn(&mut self) -> Option<Instant> {
        self.receive();
        let now = now();
        if self.agent.poll_timeout().is_some_and(|at| at <= now) {
            self.agent.handle_timeout(now);
        }
        loop {
            while let Some(transmit) = self.agent.poll_transmit(now, &mut self.scratch) {
                if let Some(socket) = self.sockets.get(&transmit.socket) {
                    let _ = socket.try_send_to(&self.scratch[..transmit.len], transmit.remote);
                }
            }
            let Some(event) = self.agent.poll_event() else {
                break;
            };
            self.serve(now, event);
        }
        self.dirty = false;
        self.agent.poll_timeout()
    }

    fn receive(&mut self) {
        let now = now();
        for (id, socket) in &self.sockets {
            let Ok(local) = socket.local_addr() else {
                continue;
            };
            for _ in 0..MAX_BATCH {
                let Ok((len, remote)) = socket.try_recv_from(&mut self.scratch) else {
                    break;
                };
                let input = Input::new(*id, local, remote, &mut self.scratch[..len]);
                let received = self.agent.handle_input(now, input);
                if let Received::Data { range } = received
                    && self.received.len() < MAX_RECEIVED
                {
                    self.received.push_back(self.scratch[range].into());
                }
            }
        }
        if !self.received.is_empty() {
            self.waiting.drain(..).for_each(Waker::wake);
        }
    }

    fn serve(&mut self, now: Instant, event: IceEvent) {
        match event {
            IceEvent::ListInterfaces { request } => {
                let addresses = self.addresses.iter();
                let interfaces: Vec<Interface> =
                    addresses.map(|it| Interface::new("", *it)).collect();
                self.agent.interfaces_listed(now, request, &interfaces);
            }
            IceEvent::Bind {
                request,
                local,
                ports,
            } => {
                // The request's number names the socket: neither is used twice.
                let id = u32::try_from(request.0).unwrap_or(u32::MAX);
                let bound = socket::bind(local, ports).and_then(|socket| {
                    let bound = Bound::new(SocketId(id), socket.local_addr()?);
                    self.sockets.insert(bound.socket, socket);
                    Ok(bound)
                });
                let bound = bound.map_err(|error| error.kind());
                self.agent.bound(now, request, bound);
            }
            IceEvent::CloseSocket { socket } => drop(self.sockets.remove(&socket)),
            // ice-071: such a name is for multicast DNS alone, which is not spoken here.
            IceEvent::Resolve { request, host } if is_multicast_name(&host) => {
                self.agent.resolved(now, request, &[]);
            }
            IceEvent::Resolve { request, host } => self.names.push((request, host)),
            // Here is UDP and nothing else.
            IceEvent::ConnectTcp { request, .. } => {
                let refused = Err(io::ErrorKind::Unsupported);
                self.agent.tcp_connected(now, request, refused);
            }
            IceEvent::ListenTcp { request, .. } | IceEvent::ConnectDtls { request, .. } => {
                let refused = Err(io::ErrorKind::Unsupported);
                self.agent.bound(now, request, refused);
            }
            IceEvent::StateChange(_)
            | IceEvent::RouteChange
            | IceEvent::GatheringStateChange(_) => {
                self.waiting.drain(..).for_each(Waker::wake);
            }
            _ => {}
        }
    }

    /// Whether there is anything to do, and who to wake when there is.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut readable = false;
        for socket in self.sockets.values() {
            // Every socket must see the waker, also those after one that is ready.
            readable |= socket.poll_recv_ready(cx).is_ready();
        }
        if readable || self.dirty {
            return Poll::Ready(());
        }
        self.driver = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Drives the agent until it is closed.
pub(super) async fn drive(shared: Arc<Mutex<Shared>>) {
    loop {
        let (deadline, names) = {
            let mut shared = lock(&shared);
            let deadline = shared.turn();
            if shared.agent.state() == IceState::Closed {
                return;
            }
            (deadline, std::mem::take(&mut shared.names))
        };
        for (request, host) in names {
            #[expect(
                clippy::disallowed_methods,
                reason = "a slow name holds nothing else up"
            )]
            tokio::spawn(resolve(Arc::downgrade(&shared), request, host));
        }
        let sleep = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let mut sleep = pin!(sleep);
        poll_fn(|cx| {
            if sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            lock(&shared).poll_ready(cx)
        })
        .await;
    }
}

/// Asks the system for the addresses of a name.
async fn resolve(shared: Weak<Mutex<Shared>>, request: RequestId, host: String) {
    let found = tokio::net::lookup_host((host.as_str(), 0)).await;
    let addresses: Vec<IpAddr> = found.into_iter().flatten().map(|it| it.ip()).collect();
    if let Some(shared) = shared.upgrade() {
        let mut shared = lock(&shared);
        shared.agent.resolved(now(), request, &addresses);
        shared.wake();
    }
}

pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
