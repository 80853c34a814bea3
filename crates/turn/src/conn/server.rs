//! A server for any number of clients.

mod peer;
mod state;
mod stream;

use super::{Io, now};
use crate::Transport;
use crate::server::{self, AllocationId, Config, FiveTuple};
use state::State;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use stream::Stream;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
#[cfg(feature = "tls")]
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// How long nothing is accepted after that has failed, as it does when there are no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What streams may cost. Allocations have their bounds in [`Config`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The most streams. Default 10 000; further ones are closed when they are accepted.
    pub max_streams: usize,
    /// The most streams of one client address. Default 256: many users may share one, and one flood
    /// must not take everybody's place.
    pub max_streams_per_address: usize,
    /// The most bytes that wait for a client to read them. Default 256 KiB; data beyond it is lost,
    /// as in a full queue of a router.
    pub max_stream_queue: usize,
    /// How long a stream without an allocation may bring no whole message, a TLS handshake included.
    /// Default 30 s. Then it is closed, however many bytes trickle in.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_streams: 10_000,
            max_streams_per_address: 256,
            max_stream_queue: 256 * 1024,
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// Counters of a [`Server`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Those of the machine.
    pub machine: server::Stats,
    /// Streams now.
    pub streams: usize,
    /// Streams that were closed at once because of [`Limits`].
    pub streams_refused: u64,
    /// Streams that were closed because they brought no whole message in time.
    pub streams_idle: u64,
    /// Streams that were closed because they held something else, or too long a message.
    pub streams_malformed: u64,
    /// Messages to clients that found a full socket or queue.
    pub lost_to_clients: u64,
    /// Datagrams to peers that found a full socket, or no way.
    pub lost_to_peers: u64,
}

/// A TURN server on the sockets it is given. Clones share it; dropping the last one closes
/// everything.
///
/// Each listening socket, stream and relayed address has a task; a packet is relayed in one go, under
/// the one lock of the server. A listening socket should be bound to one address: of several, answers
/// leave from whichever the system prefers (RFC 8489 §6.3.1.2). Every allocation takes a file; the
/// limit of the process has to allow for them.
#[derive(Clone)]
pub struct Server {
    owner: Arc<Owner>,
}

/// What every handle holds and no task does.
struct Owner {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    limits: Limits,
    /// The machine's next timeout may be another one.
    timer: Notify,
}

impl Server {
    /// A server without sockets. It cannot set DF, whatever [`Config::dont_fragment`] says.
    ///
    /// # Errors
    ///
    /// What the random source says.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O enabled, as every method that starts a task.
    pub fn new(mut config: Config, limits: Limits) -> io::Result<Self> {
        // RFC 8656 §14: no socket here sets DF, so that a request for it is refused with 420. What is
        // relayed leaves with the system's fields: best effort, and not ECN-capable.
        config.dont_fragment = false;
        let mut seed = [0; 32];
        let random = config.provider.random.fill(&mut seed);
        random.map_err(io::Error::other)?;
        #[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
        let wall = SystemTime::now();
        let server = server::Server::new(now(), wall, config, seed);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(server)),
            limits,
            timer: Notify::new(),
        });
        let timer = tick(Arc::clone(&shared));
        shared.lock().tasks.spawn(timer);
        Ok(Self {
            owner: Arc::new(Owner { shared }),
        })
    }

    /// Serves clients over UDP.
    ///
    /// # Errors
    ///
    /// If the socket does not know its address.
    pub fn listen_udp(&self, socket: UdpSocket) -> io::Result<()> {
        let local = socket.local_addr()?;
        let (shared, socket) = (&self.owner.shared, Arc::new(socket));
        let task = receive(Arc::clone(shared), Arc::clone(&socket), local);
        let mut state = shared.lock();
        state.listeners.insert(local, socket);
        state.tasks.spawn(task);
        Ok(())
    }

    /// Serves clients over TCP.
    pub fn listen_tcp(&self, listener: TcpListener) {
        let shared = &self.owner.shared;
        let task = accept(
            Arc::clone(shared),
            listener,
            |shared, stream, five_tuple| {
                shared.serve(stream, five_tuple, false);
            },
        );
        shared.lock().tasks.spawn(task);
    }

    /// Serves clients over TLS. `config` should list [`ALPN_TURN`](super::ALPN_TURN) among its
    /// protocols if it lists any (RFC 7443).
    #[cfg(feature = "tls")]
    pub fn listen_tls(&self, listener: TcpListener, config: Arc<ServerConfig>) {
        let shared = &self.owner.shared;
        let acceptor = TlsAcceptor::from(config);
        let task = accept(
            Arc::clone(shared),
            listener,
            move |shared, stream, five_tuple| {
                let handshake = timeout(shared.limits.idle_timeout, acceptor.accept(stream));
                let task = handshake_then_serve(Arc::clone(shared), handshake, five_tuple);
                shared.lock().tasks.spawn(task);
            },
        );
        shared.lock().tasks.spawn(task);
    }

    /// Serves a client on a stream of any kind; the addresses are those that the client is told and
    /// known by.
    pub fn serve_stream(
        &self,
        stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
        local: SocketAddr,
        client: SocketAddr,
    ) {
        let shared = &self.owner.shared;
        let five_tuple = FiveTuple::new(Transport::Stream, local, client);
        if shared.admit(five_tuple) {
            shared.serve(stream, five_tuple, false);
        }
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        let state = self.owner.shared.lock();
        ServerStats {
            machine: state.server.stats(),
            streams: state.streams.len(),
            ..state.stats
        }
    }

    /// Looks at the machine, at its allocations for example; it stands still meanwhile.
    pub fn inspect<T>(&self, look: impl FnOnce(&server::Server) -> T) -> T {
        look(&self.owner.shared.lock().server)
    }

    /// Ends an allocation, as when its user is thrown out.
    pub fn revoke(&self, allocation: AllocationId) {
        let shared = &self.owner.shared;
        let mut state = shared.lock();
        state.server.revoke(allocation);
        shared.pump(&mut state, now());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a stream; whether there is one.
    fn admit(&self, five_tuple: FiveTuple) -> bool {
        let mut state = self.lock();
        let same = state.streams_of(five_tuple.client.ip());
        let admitted = state.streams.len() < self.limits.max_streams
            && same < self.limits.max_streams_per_address;
        if admitted {
            state.open(five_tuple);
        } else {
            state.stats.streams_refused += 1;
        }
        admitted
    }

    /// Starts the task of a stream that has been admitted.
    fn serve(self: &Arc<Self>, io: impl Io + 'static, five_tuple: FiveTuple, is_tls: bool) {
        let task = Stream::new(Arc::clone(self), io, five_tuple, is_tls).run();
        let mut state = self.lock();
        let task = state.tasks.spawn(task);
        if let Some(queue) = state.streams.get_mut(&five_tuple) {
            queue.task = Some(task);
        }
    }
}

#[cfg(feature = "tls")]
async fn handshake_then_serve<S: Io + 'static>(
    shared: Arc<Shared>,
    handshake: impl Future<Output = Result<io::Result<S>, tokio::time::error::Elapsed>>,
    five_tuple: FiveTuple,
) {
    // The place is given back however this ends.
    let place = stream::Place::new(Arc::clone(&shared), five_tuple);
    match handshake.await {
        Ok(Ok(stream)) => {
            place.keep();
            shared.serve(stream, five_tuple, true);
        }
        Ok(Err(_)) => shared.lock().stats.streams_malformed += 1,
        Err(_) => shared.lock().stats.streams_idle += 1,
    }
}

/// Lets the machine's timeouts happen.
async fn tick(shared: Arc<Shared>) {
    loop {
        let mut changed = pin!(shared.timer.notified());
        changed.as_mut().enable();
        let next = {
            let mut state = shared.lock();
            let now = now();
            state.server.handle_timeout(now);
            shared.pump(&mut state, now);
            state.server.poll_timeout()
        };
        match next {
            Some(at) => {
                let left = at.saturating_duration_since(now());
                // Either is a reason to look again.
                let _ = timeout(left, changed).await;
            }
            None => changed.await,
        }
    }
}

/// Receives from clients over UDP.
async fn receive(shared: Arc<Shared>, socket: Arc<UdpSocket>, local: SocketAddr) {
    // Until the runtime has heard of a socket once, it takes it for full.
    let _ = socket.writable().await;
    while socket.readable().await.is_ok() {
        shared.receive(&socket, local);
    }
}

/// Relays what peers send.
async fn relay(shared: Arc<Shared>, socket: Arc<UdpSocket>, allocation: AllocationId) {
    let _ = socket.writable().await;
    while socket.readable().await.is_ok() {
        shared.relay(&socket, allocation);
    }
}

/// Accepts streams, and hands those on for which there is a place.
async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    serve: impl Fn(&Arc<Shared>, tokio::net::TcpStream, FiveTuple),
) {
    loop {
        let Ok((stream, client)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        let five_tuple = FiveTuple::new(Transport::Stream, local, client);
        // It only costs time if it is not granted.
        let _ = stream.set_nodelay(true);
        if shared.admit(five_tuple) {
            serve(&shared, stream, five_tuple);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // The tasks hold what holds them.
        self.shared.lock().tasks.abort_all();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
