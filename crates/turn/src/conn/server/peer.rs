//! Connections with peers, for allocations that relay TCP (RFC 6062).

use super::state::State;
use super::{ACCEPT_PAUSE, Shared, now};
use crate::server::AllocationId;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stun::ConnectionId;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// How long a peer may take to answer (RFC 6062 §5.2).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections wait to be accepted.
const BACKLOG: u32 = 64;

impl Shared {
    /// Listens on a relayed address.
    pub(super) fn listen(
        self: &Arc<Self>,
        state: &mut State,
        now: Instant,
        allocation: AllocationId,
        address: SocketAddr,
    ) {
        let listener = socket(address).and_then(|socket| socket.listen(BACKLOG));
        let Ok(listener) = listener else {
            state.server.bound(now, allocation, false);
            return;
        };
        if state.server.bound(now, allocation, true) {
            let task = accept(Arc::clone(self), listener, allocation);
            let task = state.tasks.spawn(task);
            state.acceptors.insert(allocation, task);
        }
    }

    /// Connects with a peer from a relayed address.
    pub(super) fn connect(
        self: &Arc<Self>,
        state: &mut State,
        connection: ConnectionId,
        from: SocketAddr,
        peer: SocketAddr,
    ) {
        let task = connect(Arc::clone(self), connection, from, peer);
        state.tasks.spawn(task);
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, allocation: AllocationId) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let mut state = shared.lock();
        let now = now();
        if let Some(connection) = state.server.peer_connected(now, allocation, peer) {
            state.peers.insert(connection, stream);
        }
        shared.pump(&mut state, now);
    }
}

async fn connect(
    shared: Arc<Shared>,
    connection: ConnectionId,
    from: SocketAddr,
    peer: SocketAddr,
) {
    let dialled = timeout(CONNECT_TIMEOUT, dial(from, peer)).await;
    let stream = dialled.ok().and_then(Result::ok);
    let mut state = shared.lock();
    let now = now();
    let is_wanted = state.server.connected(now, connection, stream.is_some());
    if let Some(stream) = stream.filter(|_| is_wanted) {
        state.peers.insert(connection, stream);
    }
    shared.pump(&mut state, now);
}

async fn dial(from: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let stream = socket(from)?.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A socket on an address that others are bound to, too: one that listens, and one for each peer.
fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
