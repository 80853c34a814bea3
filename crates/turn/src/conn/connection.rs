//! Connections with peers, on an allocation that relays TCP (RFC 6062).

use super::{Conn, Io, now};
use crate::Frames;
use crate::client::{DataConnection, DataState};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use stun::ConnectionId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// A stream to a peer through the server. Dropping it closes the connection.
pub struct PeerStream {
    io: Box<dyn Io>,
    /// What came right behind the server's answer.
    rest: Vec<u8>,
    read: usize,
}

impl Conn {
    /// Connects with a peer that listens (RFC 6062 §4.3). The allocation must relay TCP:
    /// [`Config::requested_transport`](crate::client::Config::requested_transport), over TCP or TLS.
    /// Two calls for one peer at the same time are one too many.
    ///
    /// Cancel safe in that nothing is lost but the connection, which the server gives up after 30 s.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused` with the [`Failure`](crate::client::Failure) if the server does not or
    /// cannot, `InvalidInput` with a [`PeerError`](crate::client::PeerError), what the further
    /// stream to the server says, and how the allocation ended if it did.
    pub async fn connect(&self, peer: SocketAddr) -> io::Result<PeerStream> {
        let mut is_first = true;
        let connection = self.shared().wait(|state| {
            let answer = state.connect(peer, is_first);
            is_first = false;
            answer
        });
        self.take_over(connection.await?).await
    }

    /// Waits for a permitted peer that connects to the relayed address (RFC 6062 §4.4), and who it
    /// is. Of connections that nobody accepts 64 are kept.
    ///
    /// Cancel safe until a connection has come; the stream to it is then lost.
    ///
    /// # Errors
    ///
    /// What the further stream to the server says, and how the allocation ended if it did.
    pub async fn accept(&self) -> io::Result<(PeerStream, SocketAddr)> {
        let attempt = self.shared().wait(super::state::State::accept);
        let (peer, connection) = attempt.await?;
        Ok((self.take_over(connection).await?, peer))
    }

    /// Makes a further stream to the server the one to the peer.
    async fn take_over(&self, connection: ConnectionId) -> io::Result<PeerStream> {
        let bound = async {
            let io = self.server().dial().await?;
            let data = {
                let mut state = self.shared().lock();
                state.client.data_connection(now(), connection)
            };
            bind(io, data.ok_or(io::ErrorKind::NotConnected)?).await
        };
        let bound = timeout(self.patience(), bound).await;
        bound.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

async fn bind(mut io: Box<dyn Io>, mut data: DataConnection) -> io::Result<PeerStream> {
    let mut frames = Frames::new();
    let mut buf = [0; 1500];
    loop {
        if let Some(len) = data.poll_transmit(&mut buf) {
            io.write_all(&buf[..len]).await?;
            io.flush().await?;
        }
        match io.read(&mut buf).await? {
            0 => data.connection_closed(),
            len => frames.push(&buf[..len]),
        }
        // What stands behind the answer is not a message.
        while *data.state() == DataState::Binding {
            let malformed = |error| io::Error::new(io::ErrorKind::InvalidData, error);
            match frames.pop().map_err(malformed)? {
                Some(message) => data.handle_input(now(), message),
                None => break,
            }
        }
        match data.state() {
            DataState::Binding => {}
            DataState::Bound => {
                let rest = frames.into_rest();
                return Ok(PeerStream { io, rest, read: 0 });
            }
            DataState::Failed(failure) => return Err(io::Error::other(failure.clone())),
        }
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = &this.rest[this.read..];
        if rest.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        }
        let len = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..len]);
        this.read += len;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl fmt::Debug for PeerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerStream").finish_non_exhaustive()
    }
}
