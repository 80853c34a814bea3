//! A connection in its endpoint.

use super::Inner;
use super::shard::Notice;
use crate::driver::answer::{Answer, Names, question};
use crate::driver::stream::Stream;
use crate::owner::Host;
use crate::session::ShellRequest;
use crate::shared::{Settle, Shared, Socket, State};
use layer::{Bound, RequestId, SocketId, Transmit};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The first number of a stream; below are the UDP sockets, then the listeners.
const FIRST_STREAM: u32 = 1 << 17;

/// The number of the first listener.
const FIRST_LISTENER: u32 = 1 << 16;

/// Streams of one connection; further ones are closed.
const MAX_STREAMS: usize = 32;

/// Names to be resolved and connections to be made at the same time for one connection; one more is
/// answered with a failure.
const MAX_QUESTIONS: usize = 64;

/// A connection, and what the endpoint knows of it.
pub(crate) struct Member {
    pub(super) id: u64,
    pub(super) shared: Arc<Shared>,
    inner: Arc<Inner>,
    /// The shard where its packets come in, which takes care of it.
    home: AtomicUsize,
    /// Waits in an inbox.
    queued: AtomicBool,
    /// Got packets in the batch that is being taken.
    touched: AtomicBool,
    held: Mutex<Held>,
}

/// What is lent to a connection. Its lock is taken for a few lines, inside of the connection's own.
#[derive(Default)]
struct Held {
    claims: Vec<String>,
    /// Passive candidates: on which address, and whom to tell of streams.
    listening: Vec<(IpAddr, SocketId, RequestId)>,
    streams: Vec<(SocketId, Arc<Stream>)>,
    next_stream: u32,
    questions: usize,
    names: Names,
    /// What a full socket did not take.
    blocked: Option<(Transmit, Vec<u8>)>,
    /// The entry among the timers that counts.
    armed: Option<Instant>,
}

impl Member {
    pub(super) fn new(id: u64, home: usize, shared: &Arc<Shared>, inner: &Arc<Inner>) -> Self {
        Self {
            id,
            shared: Arc::clone(shared),
            inner: Arc::clone(inner),
            home: AtomicUsize::new(home),
            queued: AtomicBool::new(false),
            touched: AtomicBool::new(false),
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the shard for a turn.
    pub(crate) fn wake(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let home = self.home.load(Ordering::Relaxed);
            self.inner.inboxes[home].push(Notice::Ready(Arc::clone(self)));
        }
    }

    /// Its turn begins; who wakes from now on is heard again.
    pub(super) fn begin_turn(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// Its packets come in at this shard.
    pub(super) fn move_to(&self, shard: usize) {
        self.home.store(shard, Ordering::Relaxed);
    }

    /// Whether this is the first packet of the batch.
    pub(super) fn touch(&self) -> bool {
        !self.touched.swap(true, Ordering::Relaxed)
    }

    pub(super) fn untouch(&self) {
        self.touched.store(false, Ordering::Relaxed);
    }

    pub(super) fn take_blocked(&self) -> Option<(Transmit, Vec<u8>)> {
        self.held().blocked.take()
    }

    pub(super) fn block(&self, blocked: (Transmit, Vec<u8>)) {
        self.held().blocked = Some(blocked);
    }

    /// Whether the deadline needs an entry among the timers: it is earlier than the one there is.
    pub(super) fn arm(&self, deadline: Instant) -> bool {
        let mut held = self.held();
        let earlier = held.armed.is_none_or(|armed| deadline < armed);
        if earlier {
            held.armed = Some(deadline);
        }
        earlier
    }

    /// Whether this entry among the timers counts; it is taken then.
    pub(super) fn disarm(&self, at: Instant) -> bool {
        let mut held = self.held();
        let counts = held.armed == Some(at);
        if counts {
            held.armed = None;
        }
        counts
    }

    pub(super) fn take_claims(&self) -> Vec<String> {
        std::mem::take(&mut self.held().claims)
    }

    /// The stream that a packet goes to.
    pub(super) fn stream(&self, socket: SocketId) -> Option<Arc<Stream>> {
        let held = self.held();
        let mut streams = held.streams.iter();
        let found = streams.find(|(id, _)| *id == socket);
        found.map(|(_, stream)| Arc::clone(stream))
    }

    /// A stream of its own, and its number; `None` if it has too many.
    pub(super) fn add_stream(&self, stream: &Arc<Stream>) -> Option<SocketId> {
        let mut held = self.held();
        if held.streams.len() >= MAX_STREAMS {
            return None;
        }
        let id = SocketId(FIRST_STREAM.saturating_add(held.next_stream));
        held.next_stream += 1;
        held.streams.push((id, Arc::clone(stream)));
        Some(id)
    }

    /// Whom to tell of a stream that was accepted on this address.
    pub(super) fn listener(&self, ip: IpAddr) -> Option<RequestId> {
        let held = self.held();
        let mut listening = held.listening.iter();
        let found = listening.find(|(own, ..)| *own == ip);
        found.map(|(.., request)| *request)
    }

    pub(super) fn drop_stream(&self, socket: SocketId) {
        self.held().streams.retain(|(id, _)| *id != socket);
    }

    /// Whether this stream is still one of the connection's.
    pub(super) fn has_stream(&self, socket: SocketId) -> bool {
        self.held().streams.iter().any(|(id, _)| *id == socket)
    }

    /// Does what the session asked for, in the turn of whoever made it ask: nothing of it waits for
    /// the system but names and outgoing connections. Then the fragments are claimed, so that the
    /// peer's first check finds its way however soon it comes.
    /// Whether there was anything to do.
    pub(crate) fn settle(self: &Arc<Self>, state: &mut State, now: Instant) -> bool {
        let mut worked = false;
        while let Some(request) = state.requests.pop_front() {
            self.perform(state, now, request);
            self.shared.dispatch(state);
            worked = true;
        }
        self.claim(state);
        worked
    }

    fn perform(self: &Arc<Self>, state: &mut State, now: Instant, request: ShellRequest) {
        match request {
            ShellRequest::ListInterfaces { request } => {
                let interfaces = &self.inner.interfaces;
                state.session.interfaces_listed(now, request, interfaces);
            }
            ShellRequest::Bind { request, local, .. } => {
                let bound = self.bind(state, local.ip());
                state.session.bound(now, request, bound);
            }
            ShellRequest::ListenTcp { request, local, .. } => {
                let bound = self.listen(local.ip(), request);
                state.session.bound(now, request, bound);
            }
            ShellRequest::CloseSocket { socket } => {
                state.sockets.retain(|own| own.id != socket);
                let mut held = self.held();
                held.listening.retain(|(_, id, _)| *id != socket);
                let mut streams = held.streams.iter();
                if let Some(at) = streams.position(|(id, _)| *id == socket) {
                    // The shard that reads it lets go of it, however silent its other end is.
                    held.streams.swap_remove(at).1.wake();
                }
            }
            ShellRequest::PublishName { host, address } => {
                let runtime = &self.inner.runtime;
                self.held().names.publish(runtime, host, address);
            }
            request => self.ask(state, now, request),
        }
    }

    /// The endpoint's own socket, once.
    fn bind(&self, state: &mut State, ip: IpAddr) -> Result<Bound, io::ErrorKind> {
        let (_, local) = self
            .inner
            .local(ip)
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let home = self.home.load(Ordering::Relaxed);
        let (Some(address), Some(udp)) = (local.udp_addr, local.udp.get(home)) else {
            return Err(io::ErrorKind::Unsupported);
        };
        if state.sockets.iter().any(|own| own.id == local.socket) {
            return Err(io::ErrorKind::AddrInUse);
        }
        state.sockets.push(Socket {
            id: local.socket,
            local: address,
            udp: Arc::clone(udp),
        });
        Ok(Bound::new(local.socket, address))
    }

    fn listen(&self, ip: IpAddr, request: RequestId) -> Result<Bound, io::ErrorKind> {
        let (_, local) = self
            .inner
            .local(ip)
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let address = local.tcp_addr.ok_or(io::ErrorKind::Unsupported)?;
        let id = SocketId(FIRST_LISTENER + local.socket.0);
        let mut held = self.held();
        if held.listening.iter().any(|(_, own, _)| *own == id) {
            return Err(io::ErrorKind::AddrInUse);
        }
        held.listening.push((ip, id, request));
        Ok(Bound::new(id, address))
    }

    /// Begins what takes its time; the shard hears the answer.
    fn ask(self: &Arc<Self>, state: &mut State, now: Instant, request: ShellRequest) {
        let mut held = self.held();
        if held.questions >= MAX_QUESTIONS {
            drop(held);
            return refuse(state, now, &request);
        }
        if let Some(question) = question(request, &self.inner.connector, &mut state.session) {
            held.questions += 1;
            let member = Arc::clone(self);
            let _asking = self.inner.runtime.spawn(async move {
                let answer = question.await;
                member.answered(answer);
            });
        }
    }

    fn answered(self: Arc<Self>, answer: Answer) {
        self.held().questions -= 1;
        let home = self.home.load(Ordering::Relaxed);
        let inbox = &self.inner.inboxes[home];
        inbox.push(Notice::Answered(Arc::clone(&self), answer));
    }

    /// Claims the fragments of the agent's generations, and gives back what it does not use.
    fn claim(self: &Arc<Self>, state: &State) {
        let Some(layers) = state.session.layers() else {
            return;
        };
        let current = &layers.ice.local_credentials().username_fragment;
        let mut held = self.held();
        // The usual case allocates nothing.
        if held.claims.len() == 1 && held.claims[0] == *current {
            return;
        }
        let claims = layers.ice.claims();
        if claims == held.claims {
            return;
        }
        let before = std::mem::replace(&mut held.claims, claims.clone());
        drop(held);
        let mut members = self.inner.members();
        for fragment in before.iter().filter(|it| !claims.contains(it)) {
            members.release(fragment, self);
        }
        for fragment in claims {
            members.claim(fragment, self);
        }
    }
}

/// Answers a request that is one too many.
fn refuse(state: &mut State, now: Instant, request: &ShellRequest) {
    match request {
        ShellRequest::Resolve { request, .. } => state.session.resolved(now, *request, &[]),
        ShellRequest::ConnectTcp { request, .. } | ShellRequest::ConnectDtls { request, .. } => {
            let refused = io::ErrorKind::QuotaExceeded.into();
            state.session.connect_failed(now, *request, &refused);
        }
        _ => {}
    }
}

impl Host for Member {
    fn wake(self: Arc<Self>) {
        Self::wake(&self);
    }
}

impl Settle for Member {
    fn settle(self: Arc<Self>, state: &mut State, now: Instant) {
        Self::settle(&self, state, now);
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
