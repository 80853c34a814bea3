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

    /// `receive` says with what it got whether that was all: then the next try waits for the selector,
    /// and nobody has to ask the system once more to hear that there is nothing.
    pub(crate) fn try_receive<R>(
        &self,
        mut receive: impl FnMut(&UdpSocket) -> io::Result<(R, bool)>,
    ) -> io::Result<R> {
        let socket = &self.socket;
        let mut received = None;
        let outcome = self.socket.try_io(Interest::READABLE, || {
            let (result, is_all) = receive(socket)?;
            received = Some(result);
            // Only so is the readiness taken back that was there before the call, and no later one.
            if is_all {
                Err(io::ErrorKind::WouldBlock.into())
            } else {
                Ok(())
            }
        });
        match (received, outcome) {
            (Some(result), _) => Ok(result),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(io::ErrorKind::WouldBlock.into()),
        }
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
