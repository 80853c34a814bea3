//! Connections of their own to one other end, TCP or DTLS, between their owner, who reads them, and
//! whoever sends.

use super::Buffers;
use super::secured::Secured;
use crate::session::Session;
use layer::{Bound, Framing, Input, Protocol, RequestId, SocketId};
use net::PacketStream;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// What a stream's packets lie in.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// TCP or TLS.
    Tcp(PacketStream),
    /// DTLS.
    Dtls(Secured),
}

/// A stream that was asked for, in the words of the session.
#[derive(Debug)]
pub(crate) enum Opened {
    Tcp(Bound),
    Dtls(Bound),
}

impl Opened {
    /// Answers the request.
    pub(crate) fn tell(self, session: &mut Session, now: Instant, request: RequestId) {
        match self {
            Self::Tcp(bound) => session.tcp_connected(now, request, Ok(bound)),
            Self::Dtls(bound) => session.bound(now, request, Ok(bound)),
        }
    }
}

/// A stream. Whatever happens on it wakes its owner, whoever was the last to use it.
#[derive(Debug)]
pub(crate) struct Stream {
    carrier: Mutex<Carrier>,
    waker: Waker,
    protocol: Protocol,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl Stream {
    pub(crate) fn new(carrier: Carrier, waker: Waker) -> Self {
        let (protocol, local, remote) = match &carrier {
            Carrier::Tcp(stream) => (Protocol::Tcp, stream.local_addr(), stream.remote_addr()),
            Carrier::Dtls(secured) => (Protocol::Udp, secured.local_addr(), secured.remote_addr()),
        };
        Self {
            carrier: Mutex::new(carrier),
            waker,
            protocol,
            local,
            remote,
        }
    }

    /// Itself as a socket of that number.
    pub(crate) fn opened(&self, socket: SocketId) -> Opened {
        let mut bound = Bound::new(socket, self.local);
        match &*self.lock() {
            Carrier::Tcp(_) => Opened::Tcp(bound),
            Carrier::Dtls(secured) => {
                bound.overhead = secured.overhead();
                Opened::Dtls(bound)
            }
        }
    }

    /// Reads what is there, and returns how many packets may be in it; errors end the stream.
    pub(crate) fn poll_recv(&self, buffers: &mut Buffers) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(&self.waker);
        match &mut *self.lock() {
            Carrier::Tcp(stream) => stream.poll_recv(&mut cx, &mut buffers.stream),
            Carrier::Dtls(secured) => secured.poll_recv(&mut cx, &mut buffers.batch),
        }
    }

    /// Sends a packet or a run; `false` if it is to be sent again when there is room. What does not
    /// fit the queue of TCP is lost, as on any path; an error is seen by the owner, who reads.
    pub(crate) fn send(&self, bytes: &[u8], segment_size: Option<usize>) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        match &mut *self.lock() {
            Carrier::Tcp(stream) => match stream.send(&mut cx, bytes, segment_size) {
                Ok(true) => {}
                Ok(false) => tracing::trace!(remote = %self.remote, "a stream's queue is full"),
                Err(error) => {
                    tracing::trace!(remote = %self.remote, %error, "a stream does not write");
                    self.waker.wake_by_ref();
                }
            },
            // A relay takes no runs: each packet is framed.
            Carrier::Dtls(secured) => {
                let taken = secured.send(&mut cx, bytes);
                if secured.poll_turn(&mut cx).is_err() {
                    self.waker.wake_by_ref();
                }
                return taken;
            }
        }
        true
    }

    /// Writes what waits, and lets time pass.
    ///
    /// # Errors
    ///
    /// The stream is of no more use.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut cx = Context::from_waker(&self.waker);
        match &mut *self.lock() {
            Carrier::Tcp(stream) => match stream.poll_flush(&mut cx) {
                Poll::Ready(result) => result,
                Poll::Pending => Ok(()),
            },
            Carrier::Dtls(secured) => secured.poll_turn(&mut cx),
        }
    }

    /// Lets the owner look after it.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    fn lock(&self) -> MutexGuard<'_, Carrier> {
        self.carrier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands the packets of the last read to the session.
pub(crate) fn deliver(
    session: &mut Session,
    now: Instant,
    socket: SocketId,
    stream: &Stream,
    buffers: &mut Buffers,
) {
    let mut hand_over = |packet: &mut [u8]| {
        let mut input = Input::new(socket, stream.local, stream.remote, packet);
        input.protocol = stream.protocol;
        session.handle_input(now, input);
    };
    match &mut *stream.lock() {
        Carrier::Tcp(_) => buffers.stream.packets().for_each(hand_over),
        Carrier::Dtls(secured) => {
            for datagram in buffers.batch.datagrams() {
                if let Some(packet) = secured.open(datagram) {
                    hand_over(packet);
                }
            }
            while let Some(len) = secured.poll_message(&mut buffers.transmit) {
                hand_over(&mut buffers.transmit[..len]);
            }
        }
    }
}

/// The framing in the words of the sockets.
pub(crate) fn framing(framing: Framing) -> net::Framing {
    match framing {
        Framing::Stun => net::Framing::Stun,
        _ => net::Framing::Length,
    }
}
