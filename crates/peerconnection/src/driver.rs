//! The owner of one connection: sockets, clock and session, in one task.
//!
//! A turn is five verbs: receive, perform what was asked, handle the time, transmit, sleep. Nothing
//! is queued between layers, and the lock is taken once for each batch.

pub(crate) mod answer;
mod burst;
pub(crate) mod guest;
pub(crate) mod interface;
pub(crate) mod peek;
mod secured;
pub(crate) mod stream;

pub(crate) use self::burst::transmit_burst;

use self::answer::{Answer, Answering, Names};
use self::guest::{Guest, Introduction};
use self::stream::{Carrier, Opened, Stream};
use crate::session::{Session, ShellRequest};
use crate::shared::{Shared, Socket, now};
use layer::{Bound, Input, Interface, RequestId, SocketId, Transmit};
use net::{Batch, Connector, PacketListener, StreamBuffer, UdpSocket};
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::time::Sleep;

/// Batches taken from one socket before the others and the output have their turn.
const MAX_BATCHES: usize = 4;

/// Turns before other tasks of the runtime have theirs.
const MAX_TURNS: usize = 32;

/// Room for one run of datagrams, and for the packet that is sealed next.
const TRANSMIT_BUFFER: usize = 64 * 1024;

/// Streams of one connection, those included that have not said what they want. For one more the
/// stream leaves that has not said so for longest, or else itself.
const MAX_STREAMS: usize = 32;

/// What a thread lends to whichever driver or shard runs on it.
pub(crate) struct Buffers {
    pub(crate) batch: Batch,
    pub(crate) stream: StreamBuffer,
    pub(crate) transmit: Vec<u8>,
}

thread_local! {
    pub(crate) static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        batch: Batch::new(),
        stream: StreamBuffer::new(),
        transmit: vec![0; TRANSMIT_BUFFER],
    });
}

/// A socket that accepts streams for a passive candidate.
#[derive(Debug)]
struct Listener {
    id: SocketId,
    request: RequestId,
    socket: PacketListener,
}

/// The task of a connection; it ends when the connection is closed and has said so.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    /// Wakes this task; what streams are polled with.
    waker: Waker,
    connector: Arc<Connector>,
    sockets: Vec<Socket>,
    listeners: Vec<Listener>,
    guests: Vec<(RequestId, Guest)>,
    streams: Vec<(SocketId, Arc<Stream>)>,
    next_socket: u32,
    answering: Answering,
    names: Names,
    /// Who wants to hear of interfaces, and what it heard last.
    listing: Option<(RequestId, Arc<[Interface]>)>,
    looked: Instant,
    sleep: Pin<Box<Sleep>>,
    /// What a full socket did not take.
    blocked: Option<(Transmit, Vec<u8>)>,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, connector: Arc<Connector>) -> Self {
        let now = now();
        Self {
            waker: Waker::from(Arc::clone(&shared.driver)),
            shared,
            connector,
            sockets: Vec::new(),
            listeners: Vec::new(),
            guests: Vec::new(),
            streams: Vec::new(),
            next_socket: 0,
            answering: Answering::default(),
            names: Names::default(),
            listing: None,
            looked: now,
            sleep: Box::pin(tokio::time::sleep_until(now.into())),
            blocked: None,
        }
    }

    /// One turn; whether anything was done.
    fn turn(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let received = self.receive(cx, &mut buffers.batch);
        let accepted = self.accept(buffers);
        let read = self.read_streams(buffers);
        let answered = self.take_answers(cx);
        let performed = self.perform();
        let timed = self.handle_time(cx);
        let sent = self.transmit(cx, &mut buffers.transmit);
        received || accepted || read || answered || performed || timed || sent
    }

    /// Takes what the sockets have.
    fn receive(&mut self, cx: &mut Context<'_>, batch: &mut Batch) -> bool {
        let mut worked = false;
        let mut broken = Vec::new();
        for socket in &self.sockets {
            for _ in 0..MAX_BATCHES {
                match socket.udp.poll_recv(cx, batch) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(local = %socket.local, %error, "a socket failed");
                        broken.push(socket.id);
                        break;
                    }
                }
                worked = true;
                let mut state = self.shared.lock();
                let now = now();
                for datagram in batch.datagrams() {
                    let bytes = datagram.bytes;
                    let input = Input::new(socket.id, socket.local, datagram.remote, bytes);
                    state.session.handle_input(now, input);
                }
                self.shared.dispatch(&mut state);
            }
        }
        for id in broken {
            self.lose_socket(id);
        }
        worked
    }

    /// Accepts streams, and introduces to the session those that want it.
    fn accept(&mut self, buffers: &mut Buffers) -> bool {
        if self.listeners.is_empty() && self.guests.is_empty() {
            return false;
        }
        let (now, mut cx) = (now(), Context::from_waker(&self.waker));
        let mut worked = false;
        for listener in &self.listeners {
            while let Poll::Ready(accepted) = listener.socket.poll_accept(&mut cx) {
                worked = true;
                match accepted {
                    Ok(stream) => {
                        if self.guests.len() + self.streams.len() >= MAX_STREAMS {
                            if self.guests.is_empty() {
                                continue;
                            }
                            // Whoever has been silent for longest makes room.
                            self.guests.remove(0);
                        }
                        let carrier = Carrier::Tcp(stream);
                        let stream = Arc::new(Stream::new(carrier, self.waker.clone()));
                        self.guests
                            .push((listener.request, Guest::new(stream, now)));
                    }
                    Err(error) => tracing::debug!(%error, "no stream was accepted"),
                }
            }
        }
        for (request, guest) in std::mem::take(&mut self.guests) {
            match guest.poll(now, buffers) {
                Introduction::Waits => self.guests.push((request, guest)),
                Introduction::Leaves => worked = true,
                Introduction::Wants(fragment) => {
                    worked = true;
                    if self.claims(&fragment) {
                        self.introduce(request, guest.stream, buffers);
                    }
                }
            }
        }
        worked
    }

    fn claims(&self, fragment: &str) -> bool {
        let state = self.shared.lock();
        let layers = state.session.layers();
        layers.is_some_and(|layers| layers.ice.claims().iter().any(|own| own == fragment))
    }

    /// Tells the session of a stream, and of the packets it has brought.
    fn introduce(&mut self, request: RequestId, stream: Arc<Stream>, buffers: &mut Buffers) {
        let id = self.new_socket();
        self.streams.push((id, Arc::clone(&stream)));
        self.answer(|session, now| {
            session.tcp_connected(now, request, Ok(Bound::new(id, stream.local)));
            stream::deliver(session, now, id, &stream, buffers);
        });
    }

    /// Takes what the streams have, and writes what waits for them.
    fn read_streams(&mut self, buffers: &mut Buffers) -> bool {
        let mut worked = false;
        let mut broken = Vec::new();
        for (id, stream) in &self.streams {
            for _ in 0..MAX_BATCHES {
                match stream.poll_recv(buffers) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(remote = %stream.remote, %error, "a stream ended");
                        broken.push(*id);
                        break;
                    }
                }
                worked = true;
                self.answer(|session, now| stream::deliver(session, now, *id, stream, buffers));
            }
            if stream.flush().is_err() && !broken.contains(id) {
                broken.push(*id);
            }
        }
        for id in broken {
            worked = true;
            self.lose_socket(id);
        }
        worked
    }

    /// Does what the session asked of the system.
    fn perform(&mut self) -> bool {
        let mut worked = false;
        loop {
            let request = self.shared.lock().requests.pop_front();
            let Some(request) = request else {
                return worked;
            };
            worked = true;
            self.perform_one(request);
        }
    }

    fn perform_one(&mut self, request: ShellRequest) {
        match request {
            ShellRequest::ListInterfaces { request } => {
                let list = interface::interfaces(now());
                self.listing = Some((request, Arc::clone(&list)));
                self.answer(|session, now| session.interfaces_listed(now, request, &list));
            }
            ShellRequest::Bind {
                request,
                local,
                ports,
            } => {
                let result = self.bind(local, ports);
                self.answer(|session, now| session.bound(now, request, result));
            }
            ShellRequest::ListenTcp {
                request,
                local,
                ports,
            } => {
                let result = self.listen(request, local, ports);
                self.answer(|session, now| session.bound(now, request, result));
            }
            ShellRequest::ConnectTcp { .. }
            | ShellRequest::ConnectDtls { .. }
            | ShellRequest::Resolve { .. } => {
                let begun = {
                    let session = &mut self.shared.lock().session;
                    self.answering.begin(request, &self.connector, session)
                };
                if let Err(refused) = begun {
                    self.take_answer(refused);
                }
            }
            ShellRequest::PublishName { host, address } => {
                let runtime = tokio::runtime::Handle::current();
                self.names.publish(&runtime, host, address);
            }
            ShellRequest::CloseSocket { socket } => self.close_socket(socket),
        }
    }

    fn answer(&self, verb: impl FnOnce(&mut Session, Instant)) {
        let mut state = self.shared.lock();
        verb(&mut state.session, now());
        self.shared.dispatch(&mut state);
    }

    fn new_socket(&mut self) -> SocketId {
        let id = SocketId(self.next_socket);
        self.next_socket += 1;
        id
    }

    fn bind(
        &mut self,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let udp = at_a_port(local, ports, UdpSocket::bind).map_err(|error| error.kind())?;
        let (id, local) = (self.new_socket(), udp.local_addr());
        let udp = Arc::new(udp);
        let socket = Socket { id, local, udp };
        self.sockets.push(socket.clone());
        self.shared.lock().sockets.push(socket);
        Ok(Bound::new(id, local))
    }

    fn listen(
        &mut self,
        request: RequestId,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let socket = at_a_port(local, ports, PacketListener::bind).map_err(|error| error.kind())?;
        let (id, local) = (self.new_socket(), socket.local_addr());
        self.listeners.push(Listener {
            id,
            request,
            socket,
        });
        Ok(Bound::new(id, local))
    }

    fn close_socket(&mut self, id: SocketId) {
        self.sockets.retain(|socket| socket.id != id);
        self.shared.lock().sockets.retain(|socket| socket.id != id);
        self.streams.retain(|(stream, _)| *stream != id);
        self.listeners.retain(|listener| listener.id != id);
    }

    /// A socket is gone without having been asked to.
    fn lose_socket(&mut self, id: SocketId) {
        self.close_socket(id);
        self.answer(|session, now| session.socket_closed(now, id));
    }

    /// Takes what names and outgoing connections have come to.
    fn take_answers(&mut self, cx: &mut Context<'_>) -> bool {
        let mut worked = false;
        while let Some(answer) = self.answering.poll(cx) {
            worked = true;
            self.take_answer(answer);
        }
        worked
    }

    fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Resolved(request, addresses) => {
                self.answer(|session, now| session.resolved(now, request, &addresses));
            }
            Answer::Connected(request, Ok(carrier)) => {
                let opened = self.open_stream(*carrier);
                self.answer(|session, now| opened.tell(session, now, request));
            }
            Answer::Connected(request, Err(error)) => {
                tracing::debug!(%error, "no stream was made");
                self.answer(|session, now| session.connect_failed(now, request, &error));
            }
        }
    }

    fn open_stream(&mut self, carrier: Carrier) -> Opened {
        let id = self.new_socket();
        let stream = Arc::new(Stream::new(carrier, self.waker.clone()));
        let opened = stream.opened(id);
        self.streams.push((id, stream));
        opened
    }

    /// Hands the time on when it is due, and sleeps until it is due again.
    ///
    /// Deadlines move with almost every packet. A sleep that ends too early costs one look at the
    /// clock, so it is only set anew when it would end too late.
    fn handle_time(&mut self, cx: &mut Context<'_>) -> bool {
        self.look_at_interfaces();
        let deadline = {
            let mut state = self.shared.lock();
            let deadline = state.session.poll_timeout();
            let now = now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                state.session.handle_timeout(now);
                self.shared.dispatch(&mut state);
                return true;
            }
            deadline
        };
        let look = self.listing.as_ref();
        let look = look.map(|_| self.looked + interface::LONGEST_SLEEP);
        let guest = self.guests.iter().map(|(_, guest)| guest.until()).min();
        let Some(deadline) = [deadline, look, guest].into_iter().flatten().min() else {
            return false;
        };
        let deadline = tokio::time::Instant::from_std(deadline);
        if self.sleep.is_elapsed() || self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
        // Ready: it was set for an earlier deadline that has moved; the next turn sets it anew.
        self.sleep.as_mut().poll(cx).is_ready()
    }

    /// Tells the session when addresses have come or gone (RFC 8445 §8.1, continual gathering).
    fn look_at_interfaces(&mut self) {
        let now = now();
        let due = now.saturating_duration_since(self.looked) >= interface::LOOK_INTERVAL;
        let Some((request, known)) = self.listing.as_mut().filter(|_| due) else {
            return;
        };
        self.looked = now;
        let list = interface::interfaces(now);
        if list == *known {
            return;
        }
        *known = Arc::clone(&list);
        let request = *request;
        tracing::debug!("the addresses of this host have changed");
        self.answer(|session, now| session.interfaces_listed(now, request, &list));
    }

    /// Sends what there is, within one burst.
    fn transmit(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> bool {
        if let Some((transmit, bytes)) = self.blocked.take()
            && !self.send(cx, &transmit, &bytes)
        {
            self.blocked = Some((transmit, bytes));
            return false;
        }
        let max_datagrams = self.sockets.first().map_or(1, |s| s.udp.max_gso_segments());
        let shared = Arc::clone(&self.shared);
        let burst = transmit_burst(&shared, max_datagrams, buf, |transmit, bytes| {
            self.send(cx, transmit, bytes)
        });
        self.blocked = burst.blocked;
        burst.sent || !self.shared.lock().requests.is_empty()
    }

    /// Sends one packet or run; false if the socket is full. A packet that the system refuses is
    /// lost, as on any path.
    fn send(&self, cx: &mut Context<'_>, transmit: &Transmit, bytes: &[u8]) -> bool {
        let mut sockets = self.sockets.iter();
        let Some(socket) = sockets.find(|socket| socket.id == transmit.socket) else {
            let mut streams = self.streams.iter();
            let stream = streams.find(|(id, _)| *id == transmit.socket);
            return stream.is_none_or(|(_, it)| it.send(bytes, transmit.segment_size));
        };
        loop {
            match socket.try_send(transmit, bytes) {
                Ok(()) => return true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if socket.udp.poll_writable(cx).is_pending() {
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

    /// Closed, and everything said.
    fn is_finished(&self) -> bool {
        self.blocked.is_none() && self.shared.lock().session.is_closed()
    }
}

/// Binds where it was asked to, or where it may: the first port that is free.
fn at_a_port<S>(
    local: SocketAddr,
    ports: Option<(u16, u16)>,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    match ports {
        Some((first, last)) if local.port() == 0 => (first..=last)
            .map(|port| bind(SocketAddr::new(local.ip(), port)))
            .find(Result::is_ok)
            .unwrap_or_else(|| Err(io::ErrorKind::AddrInUse.into())),
        _ => bind(local),
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        BUFFERS.with_borrow_mut(|buffers| {
            for _ in 0..MAX_TURNS {
                // Before the turn, so that no wake-up during it is lost.
                this.shared.driver.register(cx.waker());
                if this.turn(cx, buffers) {
                    continue;
                }
                if this.is_finished() {
                    return Poll::Ready(());
                }
                return Poll::Pending;
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(now());
    }
}
