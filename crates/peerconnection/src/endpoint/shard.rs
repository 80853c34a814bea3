//! One shard of an endpoint: a socket for each address, a heap of timers, and a turn of five verbs.

mod inbox;
mod path;
mod receive;
mod stream;

pub(super) use self::inbox::{Inbox, Notice};

use self::path::Paths;
use self::stream::Streams;
use super::Inner;
use super::member::Member;
use super::timer::Timers;
use crate::driver::answer::Answer;
use crate::driver::peek::{Peeked, peek};
use crate::driver::{BUFFERS, Buffers, transmit_burst};
use crate::shared::now;
use layer::Transmit;
use net::{PacketListener, UdpSocket};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Sleep;

/// Turns before other tasks of the runtime have theirs.
const MAX_TURNS: usize = 32;

/// Connections that have their turn before packets are received again.
const MAX_READY: usize = 256;

/// The task of a shard; it ends when the endpoint is over.
pub(super) struct Shard {
    index: usize,
    inner: Arc<Inner>,
    listeners: Vec<(usize, PacketListener)>,
    streams: Streams,
    paths: Paths,
    timers: Timers,
    /// Connections that are to have a turn: somebody woke them.
    ready: VecDeque<Notice>,
    /// Connections that got packets in this batch.
    touched: Vec<Arc<Member>>,
    /// Connections with a packet that a full socket did not take.
    blocked: VecDeque<Arc<Member>>,
    sleep: Pin<Box<Sleep>>,
}

impl Shard {
    pub(super) fn new(
        index: usize,
        inner: Arc<Inner>,
        listeners: Vec<(usize, PacketListener)>,
    ) -> Self {
        Self {
            index,
            inner,
            listeners,
            streams: Streams::default(),
            paths: Paths::default(),
            timers: Timers::new(now()),
            ready: VecDeque::new(),
            touched: Vec::new(),
            blocked: VecDeque::new(),
            sleep: Box::pin(tokio::time::sleep_until(now().into())),
        }
    }

    /// One turn; whether anything was done.
    fn turn(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let woken = self.serve_ready(cx, buffers);
        let unblocked = self.serve_blocked(cx, buffers);
        let received = self.receive(cx, buffers);
        let accepted = self.accept(cx);
        let timed = self.handle_time(cx, buffers);
        woken || unblocked || received || accepted || timed
    }

    /// The connections that somebody has woken, and other news.
    fn serve_ready(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        self.inner.inboxes[self.index].take(&mut self.ready);
        for _ in 0..MAX_READY {
            let Some(notice) = self.ready.pop_front() else {
                break;
            };
            match notice {
                Notice::Ready(member) => {
                    member.begin_turn();
                    self.serve(cx, &member, &mut buffers.transmit);
                }
                Notice::Answered(member, answer) => self.take_answer(&member, answer),
                Notice::Stream(key) => self.read_stream(cx, key, buffers),
                Notice::Ended(id) => {
                    self.paths.forget(id);
                    self.streams.forget(id);
                }
            }
        }
        !self.ready.is_empty()
    }

    /// Connections whose packet was not taken, as soon as there is room again.
    fn serve_blocked(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        for _ in 0..self.blocked.len() {
            let Some(member) = self.blocked.pop_front() else {
                break;
            };
            if let Some((transmit, bytes)) = member.take_blocked() {
                if !self.send(cx, &member, &transmit, &bytes) {
                    member.block((transmit, bytes));
                    self.blocked.push_front(member);
                    return false;
                }
                self.serve(cx, &member, &mut buffers.transmit);
            }
        }
        false
    }

    /// A connection's turn: what it asked for, its time, and what it has to send.
    fn serve(&mut self, cx: &mut Context<'_>, member: &Arc<Member>, buf: &mut [u8]) {
        let shared = &member.shared;
        {
            let mut state = shared.lock();
            let now = now();
            if state.session.poll_timeout().is_some_and(|at| at <= now) {
                state.session.handle_timeout(now);
                shared.dispatch(&mut state);
            }
            member.settle(&mut state, now);
        }
        let max_datagrams = self.max_datagrams();
        let burst = transmit_burst(shared, max_datagrams, buf, |transmit, bytes| {
            self.send(cx, member, transmit, bytes)
        });
        let is_blocked = burst.blocked.is_some();
        if let Some(blocked) = burst.blocked {
            member.block(blocked);
            self.blocked.push_back(Arc::clone(member));
        }
        let (deadline, closed, settled) = {
            let mut state = shared.lock();
            let settled = member.settle(&mut state, now());
            (
                state.session.poll_timeout(),
                state.session.is_closed(),
                settled,
            )
        };
        if burst.more || settled {
            // After the others have had their turn.
            member.wake();
        } else if closed && !is_blocked {
            return self.inner.forget(member);
        }
        if let Some(deadline) = deadline.map(|deadline| self.timers.rounded(now(), deadline))
            && member.arm(deadline)
        {
            self.timers.push(deadline, Arc::clone(member));
        }
    }

    fn max_datagrams(&self) -> usize {
        let first = self.inner.locals.first();
        let socket = first.and_then(|local| local.udp.get(self.index));
        socket.map_or(1, |socket| socket.max_gso_segments())
    }

    /// Sends one packet or run; false if the socket is full. A packet that the system refuses is
    /// lost, as on any path.
    fn send(
        &self,
        cx: &mut Context<'_>,
        member: &Arc<Member>,
        transmit: &Transmit,
        bytes: &[u8],
    ) -> bool {
        let index = usize::try_from(transmit.socket.0).unwrap_or(usize::MAX);
        let local = self.inner.locals.get(index);
        let Some(socket) = local.and_then(|local| local.udp.get(self.index)) else {
            let stream = member.stream(transmit.socket);
            return stream.is_none_or(|it| it.send(bytes, transmit.segment_size));
        };
        if let Peeked::Request { transaction, .. } = peek(bytes) {
            let mut transactions = self.inner.transactions();
            transactions.asked(now(), transaction, member);
        }
        send(cx, socket, transmit, bytes)
    }

    fn take_answer(&mut self, member: &Arc<Member>, answer: Answer) {
        match answer {
            Answer::Resolved(request, addresses) => member.shared.call(|state, now| {
                state.session.resolved(now, request, &addresses);
            }),
            Answer::Connected(request, result) => {
                let opened = result.and_then(|carrier| {
                    let opened = self.open_stream(member, *carrier);
                    opened.ok_or(io::ErrorKind::QuotaExceeded.into())
                });
                member.shared.call(|state, now| match opened {
                    Ok(opened) => opened.tell(&mut state.session, now, request),
                    Err(error) => state.session.connect_failed(now, request, &error),
                });
            }
        }
    }

    /// Connections whose time has come; then sleeps until the next.
    fn handle_time(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let mut worked = false;
        let now = now();
        for _ in 0..MAX_READY {
            let Some((at, member)) = self.timers.pop(now) else {
                break;
            };
            worked = true;
            if member.disarm(at) {
                self.serve(cx, &member, &mut buffers.transmit);
            }
        }
        self.turn_out_guests(now);
        if worked {
            return true;
        }
        let next = [self.timers.next(), self.streams.next_departure()];
        let Some(deadline) = next.into_iter().flatten().min() else {
            return false;
        };
        let deadline = tokio::time::Instant::from_std(deadline);
        if self.sleep.is_elapsed() || self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx).is_ready()
    }
}

fn send(cx: &mut Context<'_>, socket: &UdpSocket, transmit: &Transmit, bytes: &[u8]) -> bool {
    loop {
        let segment_size = transmit.segment_size;
        match socket.try_send(transmit.remote, bytes, segment_size, None, None) {
            Ok(()) => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if socket.poll_writable(cx).is_pending() {
                    return false;
                }
            }
            Err(error) => {
                tracing::trace!(%error, "a packet was not sent");
                return true;
            }
        }
    }
}

impl Future for Shard {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        BUFFERS.with_borrow_mut(|buffers| {
            for _ in 0..MAX_TURNS {
                // Before the turn, so that no wake-up during it is lost.
                this.inner.inboxes[this.index].register(cx.waker());
                if this.turn(cx, buffers) {
                    continue;
                }
                if this.inner.is_over() {
                    return Poll::Ready(());
                }
                return Poll::Pending;
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

impl Drop for Shard {
    /// With the last shard the connections end that are left, which happens when the runtime ends.
    fn drop(&mut self) {
        let last = {
            let mut running = self.inner.running();
            *running -= 1;
            *running == 0
        };
        if last {
            let members = self.inner.members().all();
            for member in members {
                self.inner.forget(&member);
            }
        }
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
