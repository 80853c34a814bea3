//! One client on a stream.

use super::{Io, ServerStats, Shared, now};
use crate::server::FiveTuple;
use crate::{Frames, frame_len};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::io::{AsyncWriteExt, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};

/// The longest message of a client without an allocation: the largest request there is.
const MAX_REQUEST: usize = 1500;

/// The longest message of one with an allocation.
const MAX_MESSAGE: usize = 65_556;

/// How much is read at once.
const MAX_READ: usize = 4096;

/// How many reads are done before others have their turn.
const MAX_BATCH: usize = 16;

/// The place of a stream in the server, given back when dropped, however its task ends.
pub(super) struct Place {
    shared: Arc<Shared>,
    five_tuple: FiveTuple,
    is_kept: bool,
}

impl Place {
    pub(super) fn new(shared: Arc<Shared>, five_tuple: FiveTuple) -> Self {
        Self {
            shared,
            five_tuple,
            is_kept: false,
        }
    }

    /// Leaves it to somebody else.
    #[cfg(feature = "tls")]
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let mut state = self.shared.lock();
        state.close(self.five_tuple);
        self.shared.pump(&mut state, now());
    }
}

pub(super) struct Stream<I> {
    place: Place,
    io: I,
    is_tls: bool,
    frames: Frames,
    /// Whether longer messages are taken.
    is_client: bool,
    out: Vec<u8>,
    written: usize,
    /// When the last whole message came.
    heard: Instant,
}

/// Why a stream is closed.
enum Closed {
    ByClient,
    Malformed,
    Idle,
    /// What follows is for this peer.
    Bridged(TcpStream),
}

impl From<io::Error> for Closed {
    fn from(_: io::Error) -> Self {
        Self::ByClient
    }
}

impl<I: Io> Stream<I> {
    /// A stream for which there is a place.
    pub(super) fn new(shared: Arc<Shared>, io: I, five_tuple: FiveTuple, is_tls: bool) -> Self {
        let mut frames = Frames::new();
        frames.set_max(MAX_REQUEST);
        Self {
            place: Place::new(shared, five_tuple),
            io,
            is_tls,
            frames,
            is_client: false,
            out: Vec::new(),
            written: 0,
            heard: now(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut timer = pin!(sleep_until(now().into()));
        let closed = poll_fn(|cx| self.poll(cx, timer.as_mut())).await;
        let stats = |count: fn(&mut ServerStats)| count(&mut self.place.shared.lock().stats);
        match closed {
            Closed::ByClient => {}
            Closed::Malformed => stats(|stats| stats.streams_malformed += 1),
            Closed::Idle => stats(|stats| stats.streams_idle += 1),
            Closed::Bridged(peer) => self.carry(peer).await,
        }
    }

    /// Carries what goes to and from a peer (RFC 6062 §5.4).
    async fn carry(self, mut peer: TcpStream) {
        let Self {
            place: _place,
            mut io,
            frames,
            ..
        } = self;
        // What came behind the request.
        if peer.write_all(&frames.into_rest()).await.is_ok() {
            // However it ends, both are closed now.
            let _ = copy_bidirectional(&mut io, &mut peer).await;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Closed> {
        for _ in 0..MAX_BATCH {
            // Who does not read is not read from: what waits for a client stays bounded.
            let turn = match self.poll_write(cx) {
                Poll::Ready(Ok(())) => self.poll_read(cx),
                other => other,
            };
            match turn {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(closed)) => return Poll::Ready(closed),
                Poll::Pending => return self.poll_idle(cx, timer.as_mut()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes all there is, and asks to be woken when there is more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        loop {
            while self.written < self.out.len() {
                let rest = &self.out[self.written..];
                let rest = if self.is_tls { first(rest) } else { rest };
                match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                    0 => return Poll::Ready(Err(Closed::ByClient)),
                    written => self.written += written,
                }
            }
            self.out.clear();
            self.written = 0;
            let mut state = self.place.shared.lock();
            let Some(queue) = state.streams.get_mut(&self.place.five_tuple) else {
                return Poll::Ready(Err(Closed::ByClient));
            };
            std::mem::swap(&mut queue.out, &mut self.out);
            if self.out.is_empty() && queue.bridge.is_some() {
                // TLS keeps what it has sealed until then.
                ready!(Pin::new(&mut self.io).poll_flush(cx))?;
                if let Some(peer) = queue.bridge.take() {
                    return Poll::Ready(Err(Closed::Bridged(peer)));
                }
            }
            if self.out.is_empty() {
                queue.waker = Some(cx.waker().clone());
                break;
            }
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(Err(Closed::ByClient)),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let mut chunk = [0; MAX_READ];
        let mut buf = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
        if buf.filled().is_empty() {
            return Poll::Ready(Err(Closed::ByClient));
        }
        self.frames.push(buf.filled());
        let Place {
            shared, five_tuple, ..
        } = &self.place;
        let mut state = shared.lock();
        let now = now();
        loop {
            if !self.is_client && state.server.allocation_of(*five_tuple).is_some() {
                self.is_client = true;
                self.frames.set_max(MAX_MESSAGE);
            }
            match self.frames.pop() {
                Ok(Some(message)) => {
                    self.heard = now;
                    shared.handle_input(&mut state, now, *five_tuple, message);
                    let queue = state.streams.get(five_tuple);
                    if queue.is_some_and(|queue| queue.bridge.is_some()) {
                        return Poll::Ready(Ok(()));
                    }
                }
                Ok(None) => return Poll::Ready(Ok(())),
                Err(_) => return Poll::Ready(Err(Closed::Malformed)),
            }
        }
    }

    /// A stream with an allocation may rest as long as the allocation lasts.
    fn poll_idle(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Closed> {
        let shared = &self.place.shared;
        let idle = shared.limits.idle_timeout;
        let mut at = self.heard + idle;
        loop {
            if timer.deadline().into_std() < at {
                timer.as_mut().reset(at.into());
            }
            ready!(timer.as_mut().poll(cx));
            let state = shared.lock();
            let allocation = state.server.allocation_of(self.place.five_tuple);
            if allocation.is_none() {
                return Poll::Ready(Closed::Idle);
            }
            at = now() + idle;
        }
    }
}

/// The first message alone: some clients (coturn's) take a record of TLS for a message.
fn first(messages: &[u8]) -> &[u8] {
    let len = frame_len(messages).ok().flatten();
    len.and_then(|len| messages.get(..len)).unwrap_or(messages)
}
