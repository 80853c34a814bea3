mod many;

use crate::readiness::Registered;
use crate::{Batch, Ecn};
use quinn_udp::{Transmit, UdpSocketState};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

/// What a socket asks the system for as its receive and its send buffer, in bytes. The usual
/// defaults of 200 KiB are filled in 2 ms at 100 MB/s, less than a scheduler's turn.
pub const BUFFER_SIZE: usize = 4 * 1024 * 1024;

/// Below this a buffer is left as the system made it.
const SMALLEST_BUFFER: usize = 256 * 1024;

/// The most bytes that go out in one system call: the largest payload of an IPv4 datagram, which
/// also bounds a run of datagrams that the kernel is to split.
const MAX_RUN: usize = 65_507;

/// How many errors of earlier sends one receive skips before it gives its caller a turn.
const MAX_SKIPPED_ERRORS: usize = 16;

/// A UDP socket registered with tokio: many datagrams per system call, in both directions.
///
/// Fragmentation by IP is switched off: a datagram beyond the path MTU is refused
/// ([`is_too_large`]) or lost. An IPv6 socket takes no IPv4 traffic. All methods take `&self`; the
/// socket may be shared between a receiving and a sending task.
#[derive(Debug)]
pub struct UdpSocket {
    io: Registered,
    state: UdpSocketState,
    local: SocketAddr,
    buffers: BufferSizes,
}

/// What the system granted, in bytes of payload when that comes in datagrams of about 1200 bytes.
/// Larger ones and runs need less of it; small ones need more, of 100 bytes only a quarter fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferSizes {
    /// What may arrive before the socket is read; what comes beyond it is lost.
    pub receive: usize,
    /// What may be sent before sending blocks.
    pub send: usize,
}

impl UdpSocket {
    /// Binds to `local`; port 0 takes any free one. Asks for buffers of [`BUFFER_SIZE`] and takes
    /// what it gets.
    ///
    /// # Errors
    ///
    /// What the system says, such as [`io::ErrorKind::AddrInUse`] and
    /// [`io::ErrorKind::AddrNotAvailable`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        Self::open(local, false)
    }

    /// Like [`bind`](Self::bind), on a port that several sockets of this process share where the
    /// system can ([`can_share_ports`]): it spreads peers over the sockets, and gives what comes
    /// from one address always to the same.
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn bind_shared(local: SocketAddr) -> io::Result<Self> {
        Self::open(local, true)
    }

    fn open(local: SocketAddr, shared: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(local), Type::DGRAM, None)?;
        if local.is_ipv6() {
            // An address of one family stands for each candidate; a dual-stack socket would show
            // IPv4 peers as mapped addresses.
            socket.set_only_v6(true)?;
        }
        if shared {
            share_port(&socket)?;
        }
        socket.set_nonblocking(true)?;
        enlarge(|size| socket.set_recv_buffer_size(size));
        enlarge(|size| socket.set_send_buffer_size(size));
        socket.bind(&local.into())?;
        let state = UdpSocketState::new((&socket).into())?;
        let buffers = granted(&socket)?;
        let socket = std::net::UdpSocket::from(socket);
        Ok(Self {
            local: socket.local_addr()?,
            io: Registered::new(socket)?,
            state,
            buffers,
        })
    }

    /// The address it is bound to, with its port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The buffers the system granted: who sends to a socket of this host paces below `receive`.
    #[must_use]
    pub fn buffer_sizes(&self) -> BufferSizes {
        self.buffers
    }

    /// How many datagrams one [`try_send`](Self::try_send) can hand to the system at once: 64 on
    /// Linux, 1 where there is no segmentation offload. It falls to 1 for good when the network
    /// card turns out not to do it.
    #[must_use]
    pub fn max_gso_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Receives what is there into `batch`, without waiting, and returns the number of datagrams,
    /// which is 0 when only empty ones came.
    ///
    /// That an earlier datagram of ours reached nobody (ICMP port unreachable) is no error of a
    /// socket with many peers, and is skipped.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when there is nothing; otherwise what the system says, after
    /// which the socket is of no more use.
    pub fn try_recv(&self, batch: &mut Batch) -> io::Result<usize> {
        for _ in 0..MAX_SKIPPED_ERRORS {
            let received = self.io.try_receive(|socket| {
                let count =
                    batch.fill(|slots, metas| self.state.recv(socket.into(), slots, metas))?;
                Ok((count, batch.has_room()))
            });
            match received {
                Err(e) if is_unreachable(&e) => {}
                other => return other,
            }
        }
        Ok(0)
    }

    /// Like [`try_recv`](Self::try_recv), and wakes `cx` when there is something to receive. Only
    /// the task that polled last is woken.
    pub fn poll_recv(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_readable(cx))?;
            match self.try_recv(batch) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }

    /// Like [`try_recv`](Self::try_recv), waiting for at least one datagram.
    ///
    /// Cancel safe: when it is dropped before it is done, nothing has been received.
    ///
    /// # Errors
    ///
    /// What the system says; never [`io::ErrorKind::WouldBlock`].
    pub async fn recv(&self, batch: &mut Batch) -> io::Result<usize> {
        loop {
            self.io.readable().await?;
            match self.try_recv(batch) {
                Ok(0) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }

    /// Sends `bytes` to `remote`, without waiting: one datagram, or with `segment_size` a run of
    /// datagrams of that size, the last of which may be shorter.
    ///
    /// A run of any length is taken; one of up to [`max_gso_segments`](Self::max_gso_segments) and
    /// 65 507 bytes costs one system call and goes out whole or not at all. `src_ip` is the
    /// address to send from when the socket is bound to an unspecified one.
    ///
    /// # Errors
    ///
    /// - [`io::ErrorKind::WouldBlock`] when the send buffer is full: wait with
    ///   [`writable`](Self::writable) and send the same again. Of a run that took several system
    ///   calls the first datagrams may have gone out by then; they will be duplicates.
    /// - An error for which [`is_too_large`] holds: beyond the path MTU.
    /// - Anything else the system says of this destination. The datagram is lost, the socket is
    ///   well.
    pub fn try_send(
        &self,
        remote: SocketAddr,
        bytes: &[u8],
        segment_size: Option<usize>,
        ecn: Option<Ecn>,
        src_ip: Option<IpAddr>,
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination: remote,
            ecn: ecn.map(Into::into),
            contents: bytes,
            segment_size: None,
            src_ip,
        };
        match segment_size {
            Some(size) if (1..bytes.len()).contains(&size) => self.send_run(transmit, size),
            _ if ecn.is_none() && src_ip.is_none() => self.send_plain(remote, bytes),
            _ => self.send_once(&transmit),
        }
    }

    /// Wakes `cx` when sending is worth another try. Only the task that polled last is woken.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_writable(cx)
    }

    /// Waits until sending is worth another try. Cancel safe.
    ///
    /// # Errors
    ///
    /// When the runtime shuts down.
    pub async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_writable(cx)).await
    }

    /// Sends `transmit.contents` in as few calls as the system allows. When a card refuses to
    /// segment, `state` notes it, and what is left goes out one by one.
    fn send_run(&self, mut transmit: Transmit<'_>, size: usize) -> io::Result<()> {
        let mut rest = transmit.contents;
        while !rest.is_empty() {
            let segments = self.max_gso_segments().min(MAX_RUN / size).max(1);
            let (run, tail) = rest.split_at(rest.len().min(segments * size));
            transmit.contents = run;
            transmit.segment_size = (segments > 1).then_some(size);
            match self.send_once(&transmit) {
                Err(_) if segments > 1 && self.max_gso_segments() == 1 => continue,
                other => other?,
            }
            rest = tail;
        }
        Ok(())
    }

    /// A datagram of which nothing is to be told but where it goes: the shorter system call, which
    /// takes a tenth less time than the one with control messages.
    fn send_plain(&self, remote: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        let remote = SockAddr::from(remote);
        self.io.try_send(|socket| {
            once_more(|| SockRef::from(socket).send_to(bytes, &remote).map(|_| ()))
        })
    }

    fn send_once(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io
            .try_send(|socket| once_more(|| self.state.try_send(socket.into(), transmit)))
    }
}

/// One system call, or two when an earlier datagram went wrong.
fn once_more(send: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match send() {
        // An error of an earlier datagram, told now instead of sending this one.
        Err(e) if is_unreachable(&e) => send(),
        // The queue of the interface is full. It is not the socket's, so waiting for the socket
        // would spin: the datagram is lost as on any full queue of the path.
        Err(e) if is_no_buffers(&e) => Ok(()),
        other => other,
    }
}

/// Whether several sockets can be bound to one port, with the system spreading what comes
/// (`SO_REUSEPORT` of Linux). Elsewhere the option is missing, or gives all to one of them.
#[must_use]
pub const fn can_share_ports() -> bool {
    cfg!(any(target_os = "linux", target_os = "android"))
}

/// Before the socket is bound.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_reuse_port(true)?;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = socket;
    Ok(())
}

/// Whether sending failed because the datagram is larger than the path or the system takes
/// (`EMSGSIZE`): send smaller ones.
#[must_use]
pub fn is_too_large(error: &io::Error) -> bool {
    quinn_udp::is_msg_size_err(error)
}

/// ICMP's answer to an earlier datagram, told as the result of an unrelated call: Unix says
/// refused, Windows says reset.
fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

/// `ENOBUFS`, for which std has no kind.
fn is_no_buffers(error: &io::Error) -> bool {
    const ENOBUFS: i32 = if cfg!(windows) {
        10_055
    } else if cfg!(any(target_os = "linux", target_os = "android")) {
        105
    } else {
        55
    };
    error.raw_os_error() == Some(ENOBUFS)
}

/// Linux grants the largest size it may; others refuse what is too much, and are asked for less.
fn enlarge(set: impl Fn(usize) -> io::Result<()>) {
    let mut size = BUFFER_SIZE;
    while size >= SMALLEST_BUFFER && set(size).is_err() {
        size /= 2;
    }
}

fn granted(socket: &Socket) -> io::Result<BufferSizes> {
    // Linux doubles what is set, to make room for its own bookkeeping, and reports the double.
    let divisor = if cfg!(any(target_os = "linux", target_os = "android")) {
        2
    } else {
        1
    };
    Ok(BufferSizes {
        receive: socket.recv_buffer_size()? / divisor,
        send: socket.send_buffer_size()? / divisor,
    })
}
