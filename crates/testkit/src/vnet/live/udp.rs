//! Datagrams.

use super::{Socket, now};
use crate::vnet::Arrival;
use layer::Datagrams;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

/// A socket for datagrams. Dropping it closes it.
#[derive(Debug)]
pub struct UdpSocket {
    socket: Socket,
}

impl UdpSocket {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// The address it is bound to, with its port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.socket.bound.local
    }

    /// Sends a datagram. Nothing blocks: a link that is full loses it.
    pub fn send_to(&self, datagram: &[u8], remote: SocketAddr) {
        let mut state = self.socket.lock();
        let (host, local) = (self.socket.host.id, self.local_addr());
        state.network.send(now(), host, local, remote, datagram);
        state.wake();
    }

    /// Receives a datagram into `buf`: its length, and where it came from. A longer one is cut.
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// None so far.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_recv_from(cx, buf)).await
    }

    /// Like [`recv_from`](UdpSocket::recv_from). Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](UdpSocket::recv_from).
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut state = self.socket.lock();
        let Some(inbox) = state.inbox(self.socket.key()) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            let delivery = ready!(inbox.poll(cx));
            if let Arrival::Datagram(bytes) = &delivery.arrival {
                let len = bytes.len().min(buf.len());
                buf[..len].copy_from_slice(&bytes[..len]);
                return Poll::Ready(Ok((len, delivery.remote)));
            }
        }
    }

    /// Speaks with one remote address from now on.
    #[must_use]
    pub fn connect(self, remote: SocketAddr) -> Path {
        Path {
            socket: self,
            remote,
        }
    }
}

/// A socket that speaks with one remote address: what the fronts of the layers stand on.
#[derive(Debug)]
pub struct Path {
    socket: UdpSocket,
    remote: SocketAddr,
}

impl Path {
    /// The address it is bound to.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.socket.local_addr()
    }

    /// The address it speaks with.
    #[must_use]
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote
    }
}

impl Datagrams for Path {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let (len, from) = ready!(self.socket.poll_recv_from(cx, buf))?;
            if from == self.remote {
                return Poll::Ready(Ok(len));
            }
        }
    }

    fn poll_send(&self, _cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        self.socket.send_to(datagram, self.remote);
        Poll::Ready(Ok(()))
    }
}
