//! Streams.

use super::{Socket, now};
use crate::vnet::Arrival;
use layer::Bound;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Accepts streams. Dropping it closes it; streams that it accepted stay.
#[derive(Debug)]
pub struct TcpListener {
    socket: Socket,
}

impl TcpListener {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// The address it listens at, with its port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.socket.bound.local
    }

    /// The next stream. Cancel safe.
    ///
    /// # Errors
    ///
    /// None so far.
    pub async fn accept(&self) -> io::Result<TcpStream> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Like [`accept`](TcpListener::accept). Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](TcpListener::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let mut state = self.socket.lock();
        let Some(inbox) = state.inbox(self.socket.key()) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let delivery = ready!(inbox.poll(cx));
        drop(state);
        let bound = Bound::new(delivery.socket, delivery.local);
        let socket = self.socket.host.socket(bound);
        Poll::Ready(Ok(TcpStream::new(socket, delivery.remote)))
    }
}

/// A stream, for [`AsyncRead`] and [`AsyncWrite`]. Dropping it closes it in order: what was written
/// still arrives.
#[derive(Debug)]
pub struct TcpStream {
    socket: Socket,
    remote: SocketAddr,
    /// Torn down: there is nothing to read or write any more.
    reset: AtomicBool,
    ended: AtomicBool,
}

impl TcpStream {
    pub(super) fn new(socket: Socket, remote: SocketAddr) -> Self {
        Self {
            socket,
            remote,
            reset: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// Our end.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.socket.bound.local
    }

    /// The other end, as it is seen here.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        self.remote
    }

    /// Tears it down at once.
    pub fn reset(self) {
        let (host, socket) = self.socket.key();
        let mut state = self.socket.lock();
        state.network.reset(now(), host, socket);
        state.wake();
    }

    pub(super) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.socket.lock();
        let Some(inbox) = state.inbox(self.socket.key()) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        match ready!(inbox.poll(cx)).arrival {
            Arrival::Failed(why) => Poll::Ready(Err(why.into())),
            Arrival::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_some(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.ended.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let mut state = self.socket.lock();
        let Some(inbox) = state.inbox(self.socket.key()) else {
            return Poll::Ready(Ok(()));
        };
        loop {
            let mut delivery = ready!(inbox.poll(cx));
            match &mut delivery.arrival {
                Arrival::Bytes(bytes) => {
                    let rest = bytes.split_off(bytes.len().min(buf.remaining()));
                    buf.put_slice(bytes);
                    if !rest.is_empty() {
                        delivery.arrival = Arrival::Bytes(rest);
                        inbox.unread(delivery);
                    }
                    return Poll::Ready(Ok(()));
                }
                Arrival::Ended => {
                    self.ended.store(true, Ordering::Relaxed);
                    return Poll::Ready(Ok(()));
                }
                Arrival::Reset => {
                    self.reset.store(true, Ordering::Relaxed);
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                _ => {}
            }
        }
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_some(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let key = self.socket.key();
        let mut state = self.socket.lock();
        let taken = state.network.write(now(), key.0, key.1, bytes);
        state.wake();
        if taken > 0 || bytes.is_empty() {
            return Poll::Ready(Ok(taken));
        }
        if self.reset.load(Ordering::Relaxed) || !state.network.is_writable(key.0, key.1) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if let Some(inbox) = state.inbox(key) {
            inbox.wait_for_room(cx);
        }
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let key = self.socket.key();
        let mut state = self.socket.lock();
        state.network.shutdown(now(), key.0, key.1);
        state.wake();
        Poll::Ready(Ok(()))
    }
}
