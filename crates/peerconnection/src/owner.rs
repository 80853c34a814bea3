//! What a connection knows of its owner: how to wake it, and which sockets it has lent.

use layer::{SocketId, Transmit};
use net::UdpSocket;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Wake, Waker};

/// An owner of many connections, which gives them turns.
pub(crate) trait Host: Send + Sync {
    /// The connection wants its turn.
    fn wake(self: Arc<Self>);
}

/// Wakes the owner, whoever asks: a verb, a reader, or a layer that made output by itself. It has
/// a lock of its own, so that a layer may wake the owner while the connection is locked.
#[derive(Default)]
pub(crate) struct DriverWake {
    waker: Mutex<Option<Waker>>,
    /// Set where the owner has many connections.
    host: OnceLock<Weak<dyn Host>>,
}

impl DriverWake {
    /// Whom to wake next time.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Some(registered) => registered.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// The connection has this owner from now on.
    pub(crate) fn join(&self, host: Weak<dyn Host>) {
        // Once, when the connection is made.
        let _ = self.host.set(host);
    }
}

impl Wake for DriverWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(host) = self.host.get().and_then(Weak::upgrade) {
            return host.wake();
        }
        let waker = self
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for DriverWake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverWake").finish_non_exhaustive()
    }
}

/// A UDP socket of the connection. The owner receives from it; whoever writes a packet may send.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) id: SocketId,
    pub(crate) local: SocketAddr,
    pub(crate) udp: Arc<UdpSocket>,
}

impl Socket {
    /// Sends one packet or run.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if the socket is full, or what the system says.
    pub(crate) fn try_send(&self, transmit: &Transmit, bytes: &[u8]) -> io::Result<()> {
        let segment_size = transmit.segment_size;
        self.udp
            .try_send(transmit.remote, bytes, segment_size, None, None)
    }
}
