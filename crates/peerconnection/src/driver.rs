//! The owner of one connection: sockets, clock and session, in one task.
//!
//! A turn is five verbs: receive, perform what was asked, handle the time, transmit, sleep. Nothing
//! is queued between layers, and the lock is taken once for each batch.

use crate::session::ShellRequest;
use crate::shared::{Shared, Socket, now};
use layer::{Bound, Input, Interface, RequestId, SocketId, Transmit};
use net::{Batch, UdpSocket};
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::Sleep;

/// Batches taken from one socket before the others and the output have their turn.
const MAX_BATCHES: usize = 4;

/// Bytes sent before incoming packets have their turn again: a part of a default socket buffer,
/// so that a burst does not overflow the receiver.
const MAX_BURST: usize = 64 * 1024;

/// Turns before other tasks of the runtime have theirs.
const MAX_TURNS: usize = 32;

/// Room for one run of datagrams.
const TRANSMIT_BUFFER: usize = 48 * 1024;

/// What a thread lends to whichever driver runs on it.
struct Buffers {
    batch: Batch,
    transmit: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        batch: Batch::new(),
        transmit: vec![0; TRANSMIT_BUFFER],
    });
}

type Resolving = Pin<Box<dyn Future<Output = (RequestId, Vec<IpAddr>)> + Send>>;

/// The task of a connection; it ends when the connection is closed and has said so.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    sockets: Vec<Socket>,
    next_socket: u32,
    resolving: Vec<Resolving>,
    sleep: Pin<Box<Sleep>>,
    /// What a full socket did not take.
    blocked: Option<(Transmit, Vec<u8>)>,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            sockets: Vec::new(),
            next_socket: 0,
            resolving: Vec::new(),
            sleep: Box::pin(tokio::time::sleep_until(now().into())),
            blocked: None,
        }
    }

    /// One turn; whether anything was done.
    fn turn(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let received = self.receive(cx, &mut buffers.batch);
        let resolved = self.poll_resolving(cx);
        let performed = self.perform();
        let timed = self.handle_time(cx);
        let sent = self.transmit(cx, &mut buffers.transmit);
        received || resolved || performed || timed || sent
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
            self.close_socket(id);
            self.answer(|session, now| session.socket_closed(now, id));
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
            match request {
                ShellRequest::ListInterfaces { request } => {
                    let interfaces = list_interfaces();
                    self.answer(|session, now| {
                        session.interfaces_listed(now, request, &interfaces);
                    });
                }
                ShellRequest::Bind {
                    request,
                    local,
                    ports,
                } => {
                    let result = self.bind(local, ports);
                    self.answer(|session, now| session.bound(now, request, result));
                }
                ShellRequest::ConnectTcp { request, .. } => {
                    let refused = Err(io::ErrorKind::Unsupported);
                    self.answer(|session, now| session.tcp_connected(now, request, refused));
                }
                ShellRequest::ListenTcp { request, .. } => {
                    let refused = Err(io::ErrorKind::Unsupported);
                    self.answer(|session, now| session.bound(now, request, refused));
                }
                ShellRequest::Resolve { request, host } => self.resolve(request, host),
                ShellRequest::CloseSocket { socket } => self.close_socket(socket),
            }
        }
    }

    fn answer(&self, verb: impl FnOnce(&mut crate::Session, Instant)) {
        let mut state = self.shared.lock();
        verb(&mut state.session, now());
        self.shared.dispatch(&mut state);
    }

    fn bind(
        &mut self,
        local: SocketAddr,
        ports: Option<(u16, u16)>,
    ) -> Result<Bound, io::ErrorKind> {
        let udp = match ports {
            Some((first, last)) if local.port() == 0 => (first..=last)
                .map(|port| UdpSocket::bind(SocketAddr::new(local.ip(), port)))
                .find(Result::is_ok)
                .unwrap_or_else(|| Err(io::ErrorKind::AddrInUse.into())),
            _ => UdpSocket::bind(local),
        };
        let udp = udp.map_err(|error| error.kind())?;
        let (id, local) = (SocketId(self.next_socket), udp.local_addr());
        self.next_socket += 1;
        let socket = Socket {
            id,
            local,
            udp: Arc::new(udp),
        };
        self.sockets.push(socket.clone());
        self.shared.lock().sockets.push(socket);
        Ok(Bound::new(id, local))
    }

    fn close_socket(&mut self, id: SocketId) {
        self.sockets.retain(|socket| socket.id != id);
        self.shared.lock().sockets.retain(|socket| socket.id != id);
    }

    /// A `.local` name is for multicast DNS alone (ice-071), which this driver does not speak; the
    /// peer's checks still reach us and make the pair.
    fn resolve(&mut self, request: RequestId, host: String) {
        if host.ends_with(".local") {
            self.answer(|session, now| session.resolved(now, request, &[]));
            return;
        }
        self.resolving.push(Box::pin(async move {
            (request, net::resolve(&host).await.unwrap_or_default())
        }));
    }

    fn poll_resolving(&mut self, cx: &mut Context<'_>) -> bool {
        let mut done = Vec::new();
        self.resolving
            .retain_mut(|resolving| match resolving.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(answer) => {
                    done.push(answer);
                    false
                }
            });
        for (request, addresses) in &done {
            self.answer(|session, now| session.resolved(now, *request, addresses));
        }
        !done.is_empty()
    }

    /// Hands the time on when it is due, and sleeps until it is due again.
    ///
    /// Deadlines move with almost every packet. A sleep that ends too early costs one look at the
    /// clock, so it is only set anew when it would end too late.
    fn handle_time(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = {
            let mut state = self.shared.lock();
            let Some(deadline) = state.session.poll_timeout() else {
                return false;
            };
            let now = now();
            if deadline <= now {
                state.session.handle_timeout(now);
                self.shared.dispatch(&mut state);
                return true;
            }
            tokio::time::Instant::from_std(deadline)
        };
        if self.sleep.is_elapsed() || self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
        // Ready: it was set for an earlier deadline that has moved; the next turn sets it anew.
        self.sleep.as_mut().poll(cx).is_ready()
    }

    /// Sends what there is, within one burst.
    fn transmit(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> bool {
        if let Some((transmit, bytes)) = self.blocked.take()
            && !self.send(cx, &transmit, &bytes)
        {
            self.blocked = Some((transmit, bytes));
            return false;
        }
        #[cfg(feature = "rtp")]
        if !self.transmit_blocked(cx) {
            return false;
        }
        let mut burst = 0;
        while burst < MAX_BURST {
            let transmit = {
                let mut state = self.shared.lock();
                let max_datagrams = self.sockets.first().map_or(1, |s| s.udp.max_gso_segments());
                let transmit = state.session.poll_transmit(now(), buf, max_datagrams);
                if transmit.is_none() {
                    // Under the same lock: a layer with tasks of its own may have told something.
                    self.shared.dispatch(&mut state);
                }
                transmit
            };
            let Some(transmit) = transmit else { break };
            let bytes = &buf[..transmit.len];
            burst += bytes.len();
            if !self.send(cx, &transmit, bytes) {
                self.blocked = Some((transmit, bytes.to_vec()));
                break;
            }
        }
        // What was handed to the network is no longer buffered.
        let mut state = self.shared.lock();
        self.shared.dispatch(&mut state);
        burst > 0 || !state.requests.is_empty()
    }

    /// Sends written packets that a full socket did not take; false if it is still full.
    #[cfg(feature = "rtp")]
    fn transmit_blocked(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            let waiting = self.shared.lock().take_blocked();
            let Some((transmit, bytes)) = waiting else {
                return true;
            };
            if !self.send(cx, &transmit, &bytes) {
                self.blocked = Some((transmit, bytes));
                return false;
            }
        }
    }

    /// Sends one packet or run; false if the socket is full. A packet that the system refuses is
    /// lost, as on any path.
    fn send(&self, cx: &mut Context<'_>, transmit: &Transmit, bytes: &[u8]) -> bool {
        let Some(socket) = self
            .sockets
            .iter()
            .find(|socket| socket.id == transmit.socket)
        else {
            return true;
        };
        loop {
            let sent =
                socket
                    .udp
                    .try_send(transmit.remote, bytes, transmit.segment_size, None, None);
            match sent {
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
        let mut state = self.shared.lock();
        state.ended = true;
        state.session.close(now());
        self.shared.dispatch(&mut state);
        state.sockets.clear();
        drop(state);
        self.shared.changed.notify_waiters();
        #[cfg(feature = "rtp")]
        self.shared.wake_readers();
    }
}

fn list_interfaces() -> Vec<Interface> {
    let listed = net::interfaces().unwrap_or_else(|error| {
        tracing::debug!(%error, "the interfaces could not be listed");
        Vec::new()
    });
    listed
        .into_iter()
        .map(|found| {
            let mut interface = Interface::new(found.name, found.address);
            interface.index = found.index;
            interface.loopback = found.loopback;
            interface
        })
        .collect()
}
