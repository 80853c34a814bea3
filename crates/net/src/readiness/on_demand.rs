use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A socket in tokio's selector, for reading alone. For writing it is there, under a second
/// descriptor, only while its send buffer is full.
///
/// A selector that watches a socket for writing wakes a thread for every packet whose memory the
/// system gives back, on Linux over the loopback interface inside of the very call that sends it.
/// That costs more than the sending.
#[derive(Debug)]
pub(crate) struct Registered {
    reading: AsyncFd<UdpSocket>,
    writing: Mutex<Option<AsyncFd<UdpSocket>>>,
    /// Whether there is anything in `writing`, without its lock.
    blocked: AtomicBool,
}

impl Registered {
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        Ok(Self {
            reading: register(socket, Interest::READABLE)?,
            writing: Mutex::new(None),
            blocked: AtomicBool::new(false),
        })
    }

    fn socket(&self) -> &UdpSocket {
        self.reading.get_ref()
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.reading.poll_read_ready(cx))?.retain_ready();
        Poll::Ready(Ok(()))
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.reading.readable().await?.retain_ready();
        Ok(())
    }

    /// `receive` says with what it got whether that was all: then the next try waits for the selector,
    /// and nobody has to ask the system once more to hear that there is nothing.
    pub(crate) fn try_receive<R>(
        &self,
        mut receive: impl FnMut(&UdpSocket) -> io::Result<(R, bool)>,
    ) -> io::Result<R> {
        let mut received = None;
        let outcome = self.reading.try_io(Interest::READABLE, |socket| {
            let (result, is_all) = receive(socket)?;
            received = Some(result);
            // Only so is the readiness taken back that was there before the call, and no later one.
            if is_all {
                Err(io::ErrorKind::WouldBlock.into())
            } else {
                Ok(())
            }
        });
        match (received, outcome) {
            (Some(result), _) => Ok(result),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(crate) fn try_send(&self, send: impl Fn(&UdpSocket) -> io::Result<()>) -> io::Result<()> {
        let sent = send(self.socket());
        if sent.is_ok() && self.blocked.load(Ordering::Relaxed) {
            self.release(&mut self.writing());
        }
        sent
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut writing = self.writing();
        let registered = match &mut *writing {
            Some(registered) => registered,
            none => {
                let socket = self.socket().try_clone()?;
                self.blocked.store(true, Ordering::Relaxed);
                none.insert(register(socket, Interest::WRITABLE)?)
            }
        };
        let writable = ready!(registered.poll_write_ready(cx)).map(|_| ());
        self.release(&mut writing);
        Poll::Ready(writable)
    }

    fn release(&self, writing: &mut Option<AsyncFd<UdpSocket>>) {
        *writing = None;
        self.blocked.store(false, Ordering::Relaxed);
    }

    fn writing(&self) -> MutexGuard<'_, Option<AsyncFd<UdpSocket>>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(
    deprecated,
    reason = "the other name is unsafe, for types whose descriptor may change or close; that of a \
              std socket does not"
)]
fn register(socket: UdpSocket, interest: Interest) -> io::Result<AsyncFd<UdpSocket>> {
    AsyncFd::with_interest(socket, interest)
}
