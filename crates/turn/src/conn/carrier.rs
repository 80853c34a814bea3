//! What carries messages between a client and its server.

use super::Io;
use super::datagrams::{Datagrams, Path};
use crate::{FrameError, Frames};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UdpSocket;

/// How many bytes may wait to be written to a stream before senders of data wait too.
const MAX_WAITING: usize = 64 * 1024;

/// How much is read from a stream at once.
const MAX_READ: usize = 16 * 1024;

pub(super) enum Carrier {
    Datagram(Arc<UdpSocket>),
    Path(Path),
    Stream(Stream),
}

pub(super) struct Stream {
    io: Box<dyn Io>,
    frames: Frames,
    out: Vec<u8>,
    written: usize,
}

/// Whether a message was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Taken,
    /// Not now.
    Full,
}

impl Carrier {
    pub(super) fn datagram(socket: Arc<UdpSocket>) -> Self {
        Self::Datagram(socket)
    }

    pub(super) fn path(datagrams: Box<dyn Datagrams>) -> Self {
        Self::Path(Path::new(datagrams))
    }

    pub(super) fn stream(io: Box<dyn Io>) -> Self {
        Self::Stream(Stream {
            io,
            frames: Frames::new(),
            out: Vec::new(),
            written: 0,
        })
    }

    /// Sends a message, or takes it to be sent by [`poll_flush`](Carrier::poll_flush).
    pub(super) fn send(&mut self, server: SocketAddr, bytes: &[u8]) -> io::Result<Sent> {
        match self {
            Self::Datagram(socket) => match socket.try_send_to(bytes, server) {
                Ok(_) => Ok(Sent::Taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Sent::Full),
                Err(error) => Err(error),
            },
            Self::Path(path) => Ok(path.send(bytes)),
            Self::Stream(stream) if stream.waiting() > MAX_WAITING => Ok(Sent::Full),
            Self::Stream(stream) => {
                stream.out.extend_from_slice(bytes);
                Ok(Sent::Taken)
            }
        }
    }

    /// Takes the next messages and hands each to `take`; ready with `Ok` when there may be more.
    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        mut take: impl FnMut(Option<SocketAddr>, &[u8]),
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Datagram(socket) => {
                let mut buf = ReadBuf::new(scratch);
                match ready!(socket.poll_recv_from(cx, &mut buf)) {
                    Ok(remote) => take(Some(remote), buf.filled()),
                    // What a router tells about one datagram (Windows, or a port that is closed).
                    Err(error) if is_passing(&error) => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
                Poll::Ready(Ok(()))
            }
            Self::Path(path) => path.poll_receive(cx, scratch, |bytes| take(None, bytes)),
            Self::Stream(stream) => {
                let mut buf = ReadBuf::new(&mut scratch[..MAX_READ]);
                ready!(Pin::new(&mut stream.io).poll_read(cx, &mut buf))?;
                if buf.filled().is_empty() {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                stream.frames.push(buf.filled());
                let malformed =
                    |error: FrameError| io::Error::new(io::ErrorKind::InvalidData, error);
                while let Some(message) = stream.frames.pop().map_err(malformed)? {
                    take(None, message);
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Writes what waits; ready when nothing does. Whether there is more room than before is for the
    /// caller to see by [`is_full`](Carrier::is_full).
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Datagram(_) => Poll::Ready(Ok(())),
            Self::Path(path) => path.poll_flush(cx),
            Self::Stream(stream) => stream.poll_flush(cx),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Datagram(_) => false,
            Self::Path(path) => path.is_full(),
            Self::Stream(stream) => stream.waiting() > MAX_WAITING,
        }
    }
}

impl Stream {
    fn waiting(&self) -> usize {
        self.out.len() - self.written
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        self.out.clear();
        self.written = 0;
        Pin::new(&mut self.io).poll_flush(cx)
    }
}

/// Errors that a UDP socket reports and survives.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Interrupted
    )
}
