//! The async front: one agent over UDP sockets of its own, on tokio.
//!
//! For those who want ICE and nothing else. [`Conn::bind`] gathers host candidates,
//! [`Conn::gather`] asks STUN and TURN servers as well, [`Conn::local`] is what to signal,
//! [`Conn::connect`] takes what the peer signalled and waits for a path. After that a `Conn` is a
//! datagram path like a UDP socket ([`layer::Datagrams`]). It has no TCP, so servers are reached over
//! UDP; names are resolved by the system. Whoever needs more drives an [`Agent`](crate::Agent).

mod driver;
mod socket;

use crate::Factory;
use driver::{Shared, drive, lock, now};
pub use layer::{
    Candidate, CandidateAddress, CandidateType, Credentials, IceRole, IceServer, IceState,
    IceStats, Protocol,
};
use layer::{Datagrams, GatheringState, Ice, IceConfig, NewIce, Seed, Start};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

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
        Self::start(factory, role, addresses, Vec::new()).await
    }

    /// As [`bind`](Conn::bind), with candidates from STUN and TURN servers, and waits until all have
    /// answered or none of the others will: 10 s at most.
    ///
    /// # Errors
    ///
    /// As [`bind`](Conn::bind). Servers that give no candidate are no error; see
    /// [`stats`](Conn::stats).
    ///
    /// Cancel safe: a cancelled call leaves nothing behind.
    ///
    /// # Panics
    ///
    /// As [`bind`](Conn::bind).
    pub async fn gather(
        factory: &Factory,
        role: IceRole,
        addresses: &[IpAddr],
        servers: Vec<IceServer>,
    ) -> io::Result<Self> {
        let conn = Self::start(factory, role, addresses, servers).await?;
        poll_fn(|cx| {
            let mut shared = lock(&conn.shared);
            match shared.agent.gathering_state() {
                GatheringState::Complete => Poll::Ready(()),
                _ => shared.wait(cx),
            }
        })
        .await;
        Ok(conn)
    }

    async fn start(
        factory: &Factory,
        role: IceRole,
        addresses: &[IpAddr],
        servers: Vec<IceServer>,
    ) -> io::Result<Self> {
        let mut seed = [0; 32];
        let random = factory.provider.random.fill(&mut seed);
        random.map_err(io::Error::other)?;
        #[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
        let start = Start::new(now(), SystemTime::now(), Seed::new(seed));
        let mut config = IceConfig::new(Waker::noop().clone());
        config.servers = servers;
        let agent = factory.new_ice(start, config);
        let mut shared = Shared::new(agent, socket::usable(addresses));
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
    /// is empty or longer than anything that may be tried (`Factory::largest_mtu`).
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

    /// Counters, each server, each candidate and each pair: what a report of a connection that does
    /// not come about needs.
    #[must_use]
    pub fn stats(&self) -> IceStats {
        lock(&self.shared).agent.stats()
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
