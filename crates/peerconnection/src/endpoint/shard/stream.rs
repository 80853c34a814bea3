//! TCP streams: accepted and not introduced, and those of connections.

use super::{Notice, Shard};
use crate::driver::Buffers;
use crate::driver::guest::{Guest, Introduction};
use crate::driver::stream::{Carrier, Opened, Stream, deliver};
use crate::endpoint::Inner;
use crate::endpoint::member::Member;
use crate::shared::now;
use layer::{Bound, SocketId};
use net::PacketStream;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

/// Streams of one shard that have not said whom they want. One more and the oldest has to leave.
const MAX_GUESTS: usize = 256;

/// Streams accepted in one turn.
const MAX_ACCEPTS: usize = 32;

/// Reads of one stream before others have their turn.
const MAX_READS: usize = 4;

/// The streams of a shard, by the numbers that their wakers carry.
#[derive(Debug, Default)]
pub(super) struct Streams {
    guests: BTreeMap<u64, (Guest, usize, Arc<StreamWake>)>,
    open: BTreeMap<u64, Open>,
    last_key: u64,
}

/// A stream of a connection.
#[derive(Debug)]
struct Open {
    stream: Arc<Stream>,
    member: Arc<Member>,
    socket: SocketId,
    wake: Arc<StreamWake>,
}

/// Tells the shard which stream has something.
#[derive(Debug)]
struct StreamWake {
    inner: Arc<Inner>,
    shard: usize,
    key: u64,
    queued: AtomicBool,
}

impl Wake for StreamWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.inner.inboxes[self.shard].push(Notice::Stream(self.key));
        }
    }
}

impl Streams {
    /// The connection is gone, and its streams with it.
    pub(super) fn forget(&mut self, id: u64) {
        self.open.retain(|_, open| open.member.id != id);
    }

    /// When the first guest has to leave. Keys grow with time, and so do departures.
    pub(super) fn next_departure(&self) -> Option<Instant> {
        let first = self.guests.first_key_value();
        first.map(|(_, (guest, ..))| guest.until())
    }
}

impl Shard {
    fn stream_wake(&mut self) -> Arc<StreamWake> {
        self.streams.last_key += 1;
        Arc::new(StreamWake {
            inner: Arc::clone(&self.inner),
            shard: self.index,
            key: self.streams.last_key,
            queued: AtomicBool::new(false),
        })
    }

    /// Accepts streams. What they want they say themselves.
    pub(super) fn accept(&mut self, cx: &mut Context<'_>) -> bool {
        let mut worked = false;
        for at in 0..self.listeners.len() {
            for _ in 0..MAX_ACCEPTS {
                let (local, listener) = &self.listeners[at];
                let (local, accepted) = (*local, listener.poll_accept(cx));
                match accepted {
                    Poll::Pending => break,
                    Poll::Ready(Ok(stream)) => self.welcome(local, stream),
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(%error, "no stream was accepted");
                        break;
                    }
                }
                worked = true;
            }
        }
        worked
    }

    fn welcome(&mut self, local: usize, stream: PacketStream) {
        if self.streams.guests.len() >= MAX_GUESTS {
            self.streams.guests.pop_first();
            self.inner.counters.refused_streams.count();
        }
        let wake = self.stream_wake();
        let carrier = Carrier::Tcp(stream);
        let stream = Stream::new(carrier, Waker::from(Arc::clone(&wake)));
        let guest = Guest::new(Arc::new(stream), now());
        self.streams
            .guests
            .insert(wake.key, (guest, local, Arc::clone(&wake)));
        // It may have spoken already.
        wake.wake();
    }

    /// A stream that a connection has asked for; `None` if it has too many.
    pub(super) fn open_stream(&mut self, member: &Arc<Member>, carrier: Carrier) -> Option<Opened> {
        let wake = self.stream_wake();
        let stream = Arc::new(Stream::new(carrier, Waker::from(Arc::clone(&wake))));
        let socket = member.add_stream(&stream)?;
        let opened = stream.opened(socket);
        self.keep(stream, member, socket, wake);
        Some(opened)
    }

    fn keep(
        &mut self,
        stream: Arc<Stream>,
        member: &Arc<Member>,
        socket: SocketId,
        wake: Arc<StreamWake>,
    ) {
        Arc::clone(&wake).wake();
        let open = Open {
            stream,
            member: Arc::clone(member),
            socket,
            wake,
        };
        self.streams.open.insert(open.wake.key, open);
    }

    /// Guests that took too long.
    pub(super) fn turn_out_guests(&mut self, now: Instant) {
        while self.streams.next_departure().is_some_and(|at| at <= now) {
            self.streams.guests.pop_first();
            self.inner.counters.lost_streams.count();
        }
    }

    /// A stream has something, or takes something again.
    pub(super) fn read_stream(&mut self, cx: &mut Context<'_>, key: u64, buffers: &mut Buffers) {
        if let Some((guest, local, wake)) = self.streams.guests.remove(&key) {
            wake.queued.store(false, Ordering::Release);
            match guest.poll(now(), buffers) {
                Introduction::Waits => {
                    self.streams.guests.insert(key, (guest, local, wake));
                }
                Introduction::Leaves => self.inner.counters.lost_streams.count(),
                Introduction::Wants(fragment) => {
                    self.introduce(&fragment, local, &guest.stream, wake, buffers);
                    self.serve_touched(cx, buffers);
                }
            }
            return;
        }
        let Some(open) = self.streams.open.get(&key) else {
            return;
        };
        open.wake.queued.store(false, Ordering::Release);
        let (stream, member) = (Arc::clone(&open.stream), Arc::clone(&open.member));
        let (socket, wake) = (open.socket, Arc::clone(&open.wake));
        if !read(&member, socket, &stream, &wake, buffers) {
            self.streams.open.remove(&key);
            member.drop_stream(socket);
        }
        self.serve(cx, &member, &mut buffers.transmit);
    }

    /// Hands a stream to the connection that its first check names.
    fn introduce(
        &mut self,
        fragment: &str,
        local: usize,
        stream: &Arc<Stream>,
        wake: Arc<StreamWake>,
        buffers: &mut Buffers,
    ) {
        let Some(member) = self.inner.members().claimant(fragment) else {
            return self.inner.counters.unknown_fragments.count();
        };
        let ip = self.inner.locals[local].ip;
        let Some(request) = member.listener(ip) else {
            return self.inner.counters.lost_streams.count();
        };
        let Some(socket) = member.add_stream(stream) else {
            return self.inner.counters.refused_streams.count();
        };
        let now = now();
        let mut state = member.shared.lock();
        let bound = Bound::new(socket, stream.local);
        state.session.tcp_connected(now, request, Ok(bound));
        deliver(&mut state.session, now, socket, stream, buffers);
        member.shared.dispatch(&mut state);
        drop(state);
        self.keep(Arc::clone(stream), &member, socket, wake);
        if member.touch() {
            self.touched.push(member);
        }
    }
}

/// Reads and writes what there is; `false` if the stream is over.
fn read(
    member: &Arc<Member>,
    socket: SocketId,
    stream: &Stream,
    wake: &Arc<StreamWake>,
    buffers: &mut Buffers,
) -> bool {
    if !member.has_stream(socket) {
        // The connection has closed it.
        return false;
    }
    let mut result = stream.flush();
    for turn in 0.. {
        if result.is_err() {
            break;
        }
        if turn == MAX_READS {
            wake.wake_by_ref();
            break;
        }
        match stream.poll_recv(buffers) {
            Poll::Pending => break,
            Poll::Ready(Ok(_)) => {
                let mut state = member.shared.lock();
                deliver(&mut state.session, now(), socket, stream, buffers);
                member.shared.dispatch(&mut state);
            }
            Poll::Ready(Err(error)) => result = Err(error),
        }
    }
    // What was read may want an answer.
    let Err(error) = result.and_then(|()| stream.flush()) else {
        return true;
    };
    tracing::debug!(remote = %stream.remote, %error, "a stream ended");
    let mut state = member.shared.lock();
    state.session.socket_closed(now(), socket);
    member.shared.dispatch(&mut state);
    false
}
