//! TCP streams between their owner, who reads them, and whoever sends.

use crate::session::Session;
use layer::{Framing, Input, Protocol, SocketId};
use net::{PacketStream, StreamBuffer};
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A stream. Whatever happens on it wakes its owner, whoever was the last to use it.
#[derive(Debug)]
pub(crate) struct Stream {
    io: Mutex<PacketStream>,
    waker: Waker,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl Stream {
    pub(crate) fn new(io: PacketStream, waker: Waker) -> Self {
        Self {
            local: io.local_addr(),
            remote: io.remote_addr(),
            io: Mutex::new(io),
            waker,
        }
    }

    /// Reads what is there; errors end the stream.
    pub(crate) fn poll_recv(&self, buffer: &mut StreamBuffer) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(&self.waker);
        self.lock().poll_recv(&mut cx, buffer)
    }

    /// Sends a packet or a run. What does not fit the queue is lost, as on any path; an error is
    /// seen by the owner, who reads.
    pub(crate) fn send(&self, bytes: &[u8], segment_size: Option<usize>) {
        let mut cx = Context::from_waker(&self.waker);
        match self.lock().send(&mut cx, bytes, segment_size) {
            Ok(true) => {}
            Ok(false) => tracing::trace!(remote = %self.remote, "a stream's queue is full"),
            Err(error) => {
                tracing::trace!(remote = %self.remote, %error, "a stream does not write");
                self.waker.wake_by_ref();
            }
        }
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// The stream is of no more use.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut cx = Context::from_waker(&self.waker);
        match self.lock().poll_flush(&mut cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    /// Lets the owner look after it.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    fn lock(&self) -> MutexGuard<'_, PacketStream> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands the packets of the last read to the session.
pub(crate) fn deliver(
    session: &mut Session,
    now: Instant,
    socket: SocketId,
    stream: &Stream,
    buffer: &mut StreamBuffer,
) {
    for packet in buffer.packets() {
        let mut input = Input::new(socket, stream.local, stream.remote, packet);
        input.protocol = Protocol::Tcp;
        session.handle_input(now, input);
    }
}

/// The framing in the words of the sockets.
pub(crate) fn framing(framing: Framing) -> net::Framing {
    match framing {
        Framing::Stun => net::Framing::Stun,
        _ => net::Framing::Length,
    }
}
