use crate::transport::Transport;
use crate::{Framing, PacketStream};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::net::TcpListener;

/// Connections that the system keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Failed accepts that one poll skips before its caller has its turn.
const MAX_SKIPPED: usize = 16;

/// The longest packet that a stranger may send, in bytes: more than ICE, DTLS and SRTP make.
const MAX_STRANGER_PACKET: usize = 8 * 1024;

/// Accepts streams of packets, each behind a length (RFC 4571).
#[derive(Debug)]
pub struct PacketListener {
    listener: TcpListener,
    local: SocketAddr,
}

impl PacketListener {
    /// Listens on `local`; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// What the system says, such as [`io::ErrorKind::AddrInUse`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        Self::listen(local, false)
    }

    /// Like [`bind`](Self::bind), on a port that several sockets of this process share where the
    /// system can ([`can_share_ports`](crate::can_share_ports)); it spreads connections over them.
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn bind_shared(local: SocketAddr) -> io::Result<Self> {
        Self::listen(local, true)
    }

    fn listen(local: SocketAddr, shared: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(local), Type::STREAM, None)?;
        if local.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // A port whose last connections are still closing may be bound again; on Windows the
        // option means something else.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        if shared {
            crate::udp::share_port(&socket)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&local.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        Ok(Self {
            local: listener.local_addr()?,
            listener,
        })
    }

    /// The address it listens on, with its port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The next stream. Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// What the system says, such as that there are no more descriptors. The listener is well.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<PacketStream>> {
        for _ in 0..MAX_SKIPPED {
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, remote)) => {
                    let local = stream.local_addr()?;
                    // Packets are small and urgent: they are not to wait for each other.
                    stream.set_nodelay(true)?;
                    let transport = Transport::Tcp(stream);
                    let stream = PacketStream::new(transport, Framing::Length, local, remote);
                    return Poll::Ready(Ok(stream.with_max_packet(MAX_STRANGER_PACKET)));
                }
                // It was gone before it was accepted.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
