//! The network under async code: sockets for tasks of a tokio runtime whose clock is paused.
//!
//! With `tokio::time::pause` (or `#[tokio::test(start_paused = true)]`) the runtime's clock jumps to the
//! next deadline whenever every task waits, so an hour on the network takes no time. Everything on it is
//! made with a [`Host`], and code that is generic over [`layer::Datagrams`] runs on
//! [`UdpSocket::connect`]'s paths, across NATs if you like:
//!
//! ```
//! use muonrtc_testkit::vnet::live::Live;
//! use muonrtc_testkit::vnet::{Nat, Network, Router};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> std::io::Result<()> {
//! let mut network = Network::new(7);
//! let internet = network.internet();
//! let nat = Nat::symmetric("203.0.113.1".parse().unwrap());
//! let home = network.add_subnet(internet, &["192.168.1.0/24"], Router::nat(nat));
//! let alice = network.add_host_at("alice", home, "192.168.1.2".parse().unwrap());
//! let bob = network.add_host_at("bob", internet, "192.0.2.7".parse().unwrap());
//!
//! let live = Live::spawn(network);
//! let (alice, bob) = (live.host(alice), live.host(bob));
//! let ours = alice.bind("192.168.1.2:0".parse().unwrap())?;
//! let theirs = bob.bind("192.0.2.7:7000".parse().unwrap())?;
//! ours.send_to(b"hello", theirs.local_addr());
//! let mut buf = [0; 1500];
//! let (len, from) = theirs.recv_from(&mut buf).await?;
//! assert_eq!(&buf[..len], b"hello");
//! assert_eq!(from.ip(), "203.0.113.1".parse::<std::net::IpAddr>().unwrap());
//! # Ok(())
//! # }
//! ```
//!
//! The network is changed while it runs through [`Live::with`]. Real sockets do not go with a paused
//! clock: it jumps ahead while they wait for the system.

mod inbox;
mod tcp;
mod udp;

pub use tcp::{TcpListener, TcpStream};
pub use udp::{Path, UdpSocket};

use super::{Arrival, Delivery, HostId, Network};
use inbox::Inbox;
use layer::{Bound, Interface, SocketId};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A [`Network`] that runs in a task, on the runtime's clock. Clones are the same network; it stops
/// when the last of them and of its hosts and sockets is dropped.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

/// One host of a [`Live`] network.
#[derive(Clone, Debug)]
pub struct Host {
    live: Live,
    id: HostId,
}

#[derive(Debug)]
struct Shared(Mutex<State>);

#[derive(Debug)]
struct State {
    network: Network,
    inboxes: BTreeMap<(HostId, SocketId), Inbox>,
    /// The task that moves packets.
    task: Option<Waker>,
    closed: bool,
}

impl Live {
    /// Lets a network run from now on.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time enabled.
    #[must_use]
    pub fn spawn(network: Network) -> Self {
        let shared = Arc::new(Shared(Mutex::new(State {
            network,
            inboxes: BTreeMap::new(),
            task: None,
            closed: false,
        })));
        #[expect(clippy::disallowed_methods, reason = "the network moves by itself")]
        tokio::spawn(pump(Arc::downgrade(&shared)));
        Self(shared)
    }

    /// Looks at the network, or changes it. The instant is the current one, for its verbs. Deliveries
    /// are left to the sockets: do not poll them here.
    pub fn with<T>(&self, work: impl FnOnce(&mut Network, Instant) -> T) -> T {
        let mut state = self.0.lock();
        let done = work(&mut state.network, now());
        state.wake();
        done
    }

    /// A handle to one of its hosts.
    #[must_use]
    pub fn host(&self, id: HostId) -> Host {
        Host {
            live: self.clone(),
            id,
        }
    }
}

impl Host {
    /// Which host it is.
    #[must_use]
    pub fn id(&self) -> HostId {
        self.id
    }

    /// Its network.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Its interfaces that are plugged in.
    #[must_use]
    pub fn interfaces(&self) -> Vec<Interface> {
        self.live.0.lock().network.interfaces(self.id)
    }

    /// The addresses of a name, as this host sees them.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Vec<IpAddr> {
        self.live.0.lock().network.resolve_at(self.id, name)
    }

    /// Binds a socket for datagrams; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// As [`Network::bind`].
    pub fn bind(&self, local: SocketAddr) -> io::Result<UdpSocket> {
        let mut state = self.live.0.lock();
        let bound = state.network.bind(self.id, local, None)?;
        state
            .inboxes
            .insert((self.id, bound.socket), Inbox::default());
        Ok(UdpSocket::new(self.socket(bound)))
    }

    /// Accepts streams at an address; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// As [`Network::listen`].
    pub fn listen(&self, local: SocketAddr) -> io::Result<TcpListener> {
        let mut state = self.live.0.lock();
        let bound = state.network.listen(self.id, local, None)?;
        state
            .inboxes
            .insert((self.id, bound.socket), Inbox::default());
        Ok(TcpListener::new(self.socket(bound)))
    }

    /// Opens a stream from an address of this host, port 0 for any. Cancel safe: a cancelled call
    /// leaves no stream.
    ///
    /// # Errors
    ///
    /// As [`Network::connect`]; [`io::ErrorKind::ConnectionRefused`] and [`io::ErrorKind::TimedOut`].
    pub async fn connect(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
        let socket = {
            let mut state = self.live.0.lock();
            let bound = state.network.connect(now(), self.id, local, remote)?;
            let key = (self.id, bound.socket);
            state.inboxes.insert(key, Inbox::default());
            state.wake();
            self.socket(bound)
        };
        let stream = TcpStream::new(socket, remote);
        poll_fn(|cx| stream.poll_connected(cx)).await?;
        Ok(stream)
    }

    fn socket(&self, bound: Bound) -> Socket {
        Socket {
            host: self.clone(),
            bound,
        }
    }
}

/// What all sockets have: a place in the network, given back when it is dropped.
#[derive(Debug)]
struct Socket {
    host: Host,
    bound: Bound,
}

impl Socket {
    fn key(&self) -> (HostId, SocketId) {
        (self.host.id, self.bound.socket)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.host.live.0.lock()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let key = self.key();
        let mut state = self.lock();
        let inbox = state.inboxes.remove(&key).unwrap_or_default();
        for waiting in inbox.backlog() {
            state.inboxes.remove(&(key.0, waiting));
            state.network.reset(now(), key.0, waiting);
        }
        state.network.close(now(), key.0, key.1);
        state.wake();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A task that panicked has left nothing half done: verbs of the network do not panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.wake();
    }
}

impl State {
    /// The network has something to do.
    fn wake(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    fn inbox(&mut self, key: (HostId, SocketId)) -> Option<&mut Inbox> {
        self.inboxes.get_mut(&key)
    }

    /// Moves everything that is due and says when to come back.
    fn turn(&mut self, cx: &mut Context<'_>) -> Option<Instant> {
        while let Some(delivery) = self.network.poll_deliver(now()) {
            self.deliver(delivery);
        }
        // Acknowledgements have made room in streams.
        for (key, inbox) in &mut self.inboxes {
            if self.network.room(key.0, key.1) > 0 {
                inbox.wake_writer();
            }
        }
        self.task = Some(cx.waker().clone());
        self.network.poll_timeout()
    }

    fn deliver(&mut self, delivery: Delivery) {
        let host = delivery.host;
        let socket = match delivery.arrival {
            Arrival::Accepted { listener } => {
                // Bytes may come before it is accepted.
                let accepted = (host, delivery.socket);
                self.inboxes.insert(accepted, Inbox::default());
                listener
            }
            _ => delivery.socket,
        };
        let accepted = matches!(delivery.arrival, Arrival::Accepted { .. });
        let new = (host, delivery.socket);
        let kept = self
            .inbox((host, socket))
            .is_some_and(|it| it.push(delivery));
        if accepted && !kept {
            self.inboxes.remove(&new);
            self.network.reset(now(), new.0, new.1);
        }
    }
}

/// The task of a network.
async fn pump(shared: Weak<Shared>) {
    let mut sleep = Box::pin(tokio::time::sleep(std::time::Duration::ZERO));
    poll_fn(|cx| {
        loop {
            let Some(shared) = shared.upgrade() else {
                return Poll::Ready(());
            };
            let next = shared.lock().turn(cx);
            drop(shared);
            let Some(next) = next else {
                return Poll::Pending;
            };
            sleep.as_mut().reset(next.into());
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

/// The runtime's clock, which tests pause.
#[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
