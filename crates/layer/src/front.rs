use crate::{Message, Outgoing};
use std::io;
use std::task::{Context, Poll};

/// An async datagram path: what the front of one layer offers and the front of the next stands on.
///
/// A UDP socket, an ICE agent's front and a DTLS session's front are all `Datagrams`, so that each
/// can be used under, or instead of, the others.
pub trait Datagrams: Send + Sync {
    /// Receives one datagram into `buf` and returns its length. A longer datagram is cut.
    ///
    /// # Errors
    ///
    /// An error of the path. After [`io::ErrorKind::ConnectionAborted`] nothing comes any more.
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Sends one datagram. Like UDP, the path may lose it.
    ///
    /// # Errors
    ///
    /// As [`poll_recv`](Datagrams::poll_recv).
    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>>;

    /// The largest datagram the path carries, in bytes. Default 1200.
    fn max_datagram(&self) -> usize {
        1200
    }
}

/// An async set of message streams: what the front of an SCTP association offers and data channels
/// stand on.
pub trait Streams: Send + Sync {
    /// Receives the next message or fragment, of whichever stream; `Ready(Ok(None))` at the end.
    ///
    /// # Errors
    ///
    /// How the association ended, if not by a graceful shutdown.
    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Message>>>;

    /// Queues a message or a fragment; pending while the send buffer is full. `message` is taken
    /// when the answer is `Ready(Ok(()))` and left alone otherwise.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for a stream that cannot be used,
    /// [`io::ErrorKind::NotConnected`] after the end.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outgoing>,
    ) -> Poll<io::Result<()>>;

    /// Returns received bytes of a stream to the window.
    fn consume(&self, stream: u16, bytes: usize);

    /// Sets the weight of a stream for the scheduler (RFC 8831 §6.4: 128, 256, 512, 1024). Without
    /// effect where there is none.
    fn set_priority(&self, stream: u16, priority: u16) {
        let _ = (stream, priority);
    }

    /// Resets our half of a stream.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for a stream that cannot be used.
    fn reset(&self, stream: u16) -> io::Result<()>;

    /// Waits until the peer has reset its half of a stream, and returns which.
    ///
    /// # Errors
    ///
    /// As [`poll_message`](Streams::poll_message).
    fn poll_incoming_reset(&self, cx: &mut Context<'_>) -> Poll<io::Result<u16>>;
}
