//! The async front: one agent over UDP sockets of its own, on tokio.
//!
//! For those who want ICE and nothing else. [`Conn::bind`] gathers host candidates,
//! [`Conn::local`] is what to signal, [`Conn::connect`] takes what the peer signalled and waits for a
//! path. After that a `Conn` is a datagram path like a UDP socket ([`layer::Datagrams`]). Names in
//! candidates are not resolved here; whoever needs more drives an [`Agent`](crate::Agent).

use crate::Factory;
pub use layer::IceRole;
use layer::{
    Bound, Candidate, Credentials, Datagrams, Ice, IceConfig, IceEvent, IceState, Input, Interface,
    NewIce, Received, Seed, SocketId, Start,
};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};
use tokio::net::UdpSocket;

/// How many received datagrams wait for a reader; further ones are lost, as in a socket's buffer.
const MAX_RECEIVED: usize = 256;

/// How many datagrams are taken from a socket before timers and other sockets have their turn.
const MAX_BATCH: usize = 64;

/// What one end signals to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// User name fragment and password.
    pub credentials: Credentials,
    /// All candidates; more can be added later with [`Conn::add_remote_candidate`].
    pub candidates: Vec<Candidate>,
}

/// An ICE connection. Dropping it closes the agent and its sockets.
#[derive(Debug)]
pub struct Conn {
    shared: Arc<Mutex<Shared>>,
}

impl Conn {
    /// Makes an agent, binds a socket on each of `addresses` (those the settings let through) and
    /// spawns the task that drives it. With no addresses given, those that the default routes leave
    /// from are taken, or loopback if there are none.
    ///
    /// # Errors
    ///
    /// An error of the random source or the sockets.
    ///
    /// Cancel safe: a cancelled call leaves nothing behind.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O enabled.
    pub async fn bind(factory: &Factory, role: IceRole, addresses: &[IpAddr]) -> io::Result<Self> {
        let mut seed = [0; 32];
        let random = factory.provider.random.fill(&mut seed);
        random.map_err(io::Error::other)?;
        #[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
        let start = Start::new(now(), SystemTime::now(), Seed::new(seed));
        let agent = factory.new_ice(start, IceConfig::new(Waker::noop().clone()));
        let mut shared = Shared {
            agent,
            addresses: usable(addresses),
            sockets: BTreeMap::new(),
            received: VecDeque::new(),
            waiting: Vec::new(),
            driver: None,
            dirty: false,
            scratch: vec![0; 65_536],
        };
        shared.agent.set_role(start.now, role);
        shared.agent.gather(start.now);
        shared.turn();
        if shared.sockets.is_empty() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        for socket in shared.sockets.values() {
            // Until the runtime has heard of a socket once, it takes it for full.
            socket.writable().await?;
        }
        let shared = Arc::new(Mutex::new(shared));
        #[expect(clippy::disallowed_methods, reason = "the front drives its own agent")]
        tokio::spawn(drive(Arc::clone(&shared)));
        Ok(Self { shared })
    }

    /// What to signal to the peer.
    #[must_use]
    pub fn local(&self) -> Description {
        let shared = lock(&self.shared);
        Description {
            credentials: shared.agent.local_credentials().clone(),
            candidates: shared.agent.local_candidates(),
        }
    }

    /// Takes what the peer signalled and waits until data can flow.
    ///
    /// Cancel safe: checks go on, and [`connected`](Conn::connected) waits on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if the description is malformed, and as
    /// [`connected`](Conn::connected).
    pub async fn connect(&self, remote: &Description) -> io::Result<()> {
        let credentials = remote.credentials.clone();
        self.change(|agent, now| agent.set_remote_credentials(now, credentials, false))?;
        for candidate in &remote.candidates {
            self.add_remote_candidate(candidate.clone())?;
        }
        self.connected().await
    }

    /// Adds one more candidate of the peer.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if it belongs to other credentials or is one too many.
    pub fn add_remote_candidate(&self, candidate: Candidate) -> io::Result<()> {
        self.change(|agent, now| agent.add_remote_candidate(now, candidate))
    }

    /// Waits until data can flow. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] if no pair works, [`io::ErrorKind::ConnectionAborted`] after
    /// [`close`](Conn::close).
    pub async fn connected(&self) -> io::Result<()> {
        poll_fn(|cx| lock(&self.shared).poll_open(cx)).await
    }

    /// Receives one datagram into `buf` and returns its length; a longer one is cut. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`connected`](Conn::connected).
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_recv(cx, buf)).await
    }

    /// Sends one datagram as soon as there is a path; like UDP, it may be lost. Cancel safe: a
    /// cancelled call has sent nothing.
    ///
    /// # Errors
    ///
    /// As [`connected`](Conn::connected), and [`io::ErrorKind::InvalidInput`] for a datagram that
    /// is empty or too long for the path.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        poll_fn(|cx| self.poll_send(cx, datagram)).await
    }

    /// The state of the agent.
    #[must_use]
    pub fn state(&self) -> IceState {
        lock(&self.shared).agent.state()
    }

    /// Our address and the peer's, on the path in use.
    #[must_use]
    pub fn path(&self) -> Option<(SocketAddr, SocketAddr)> {
        let route = lock(&self.shared).agent.route()?;
        Some((route.local, route.remote))
    }

    /// Closes the agent at once.
    pub fn close(&self) {
        let mut shared = lock(&self.shared);
        shared.agent.close(now());
        shared.wake();
    }

    /// Lets a verb at the agent.
    fn change<T>(
        &self,
        verb: impl FnOnce(&mut dyn Ice, Instant) -> Result<T, layer::IceError>,
    ) -> io::Result<T> {
        let mut shared = lock(&self.shared);
        let done = verb(&mut *shared.agent, now());
        shared.wake();
        done.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.close();
    }
}

impl Datagrams for Conn {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut shared = lock(&self.shared);
        if let Some(datagram) = shared.received.pop_front() {
            let len = datagram.len().min(buf.len());
            buf[..len].copy_from_slice(&datagram[..len]);
            return Poll::Ready(Ok(len));
        }
        match shared.end() {
            Some(end) => Poll::Ready(Err(end.into())),
            None => shared.wait(cx),
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        let mut shared = lock(&self.shared);
        match shared.poll_open(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(shared.send(datagram)),
            waiting => waiting,
        }
    }

    fn max_datagram(&self) -> usize {
        let route = lock(&self.shared).agent.route();
        route.map_or(1200, |route| route.max_payload)
    }
}

/// One agent, its sockets, and who waits for it; locked for a few lines at a time.
struct Shared {
    agent: Box<dyn Ice>,
    addresses: Vec<IpAddr>,
    sockets: BTreeMap<SocketId, UdpSocket>,
    received: VecDeque<Box<[u8]>>,
    /// Tasks that wait for data or a path.
    waiting: Vec<Waker>,
    driver: Option<Waker>,
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
    fn end(&self) -> Option<io::ErrorKind> {
        match self.agent.state() {
            IceState::Failed => Some(io::ErrorKind::TimedOut),
            IceState::Closed => Some(io::ErrorKind::ConnectionAborted),
            _ => None,
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.end() {
            Some(end) => Poll::Ready(Err(end.into())),
            None if self.agent.route().is_some() => Poll::Ready(Ok(())),
            None => self.wait(cx),
        }
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&mut self) {
        self.dirty = true;
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
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
    fn turn(&mut self) -> Option<Instant> {
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
                let bound = bind(local, ports).and_then(|socket| {
                    let bound = Bound::new(SocketId(id), socket.local_addr()?);
                    self.sockets.insert(bound.socket, socket);
                    Ok(bound)
                });
                let bound = bound.map_err(|error| error.kind());
                self.agent.bound(now, request, bound);
            }
            IceEvent::CloseSocket { socket } => drop(self.sockets.remove(&socket)),
            IceEvent::Resolve { request, .. } => self.agent.resolved(now, request, &[]),
            IceEvent::StateChange(_) | IceEvent::RouteChange => {
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
async fn drive(shared: Arc<Mutex<Shared>>) {
    loop {
        let deadline = {
            let mut shared = lock(&shared);
            let deadline = shared.turn();
            if shared.agent.state() == IceState::Closed {
                return;
            }
            deadline
        };
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

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn bind(local: SocketAddr, ports: Option<(u16, u16)>) -> io::Result<UdpSocket> {
    let ports = match ports {
        Some((first, last)) if local.port() == 0 => first..=last,
        _ => local.port()..=local.port(),
    };
    let mut result = Err(io::ErrorKind::AddrInUse.into());
    for port in ports {
        result = std::net::UdpSocket::bind(SocketAddr::new(local.ip(), port));
        if result.is_ok() {
            break;
        }
    }
    let socket = result?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// The given addresses, or those that packets to the world leave from; connecting a UDP socket
/// sends nothing.
fn usable(addresses: &[IpAddr]) -> Vec<IpAddr> {
    if !addresses.is_empty() {
        return addresses.to_vec();
    }
    let leaves_from = |any: &str, far: &str| {
        let socket = std::net::UdpSocket::bind(any).ok()?;
        socket.connect(far).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let v6 = leaves_from("[::]:0", "[2001:db8::1]:9");
    let v4 = leaves_from("0.0.0.0:0", "192.0.2.1:9");
    let found: Vec<IpAddr> = v6.into_iter().chain(v4).collect();
    if found.is_empty() {
        vec![IpAddr::from([127, 0, 0, 1])]
    } else {
        found
    }
}
