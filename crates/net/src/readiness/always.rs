use std::io;
use std::task::{Context, Poll};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A socket in tokio's selector, for reading and writing.
#[derive(Debug)]
pub(crate) struct Registered {
    socket: UdpSocket,
}

impl Registered {
    pub(crate) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        UdpSocket::from_std(socket).map(|socket| Self { socket })
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(cx)
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    pub(crate) fn try_receive<R>(
        &self,
        mut receive: impl FnMut(&UdpSocket) -> io::Result<R>,
    ) -> io::Result<R> {
        let socket = &self.socket;
        socket.try_io(Interest::READABLE, || receive(socket))
    }

    pub(crate) fn try_send(&self, send: impl Fn(&UdpSocket) -> io::Result<()>) -> io::Result<()> {
        let socket = &self.socket;
        match send(socket) {
            // Only inside `try_io` does tokio learn that it must wait for the next readiness. The
            // first try stays outside: a socket just bound is writable before tokio knows.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.try_io(Interest::WRITABLE, || send(socket))
            }
            other => other,
        }
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_send_ready(cx)
    }
}
