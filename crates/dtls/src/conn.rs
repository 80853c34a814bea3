//! The async front: a session over any [`Datagrams`], itself [`Datagrams`], driven by one task.
//!
//! It is for those who want DTLS without the rest of WebRTC. Nothing else in the family depends on
//! it.

mod state;
mod task;

use bytes::Bytes;
use crypto::Provider;
use layer::{
    Datagrams, DtlsConfig, DtlsError, DtlsRole, DtlsState, End, ExportError, Fingerprint, NewDtls,
    Security, Seed, Start,
};
use state::{MAX_OUTBOX, State};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Instant, SystemTime};
use task::{Shared, Task, drive};

/// A DTLS session over a path. When the last clone is dropped, the session says goodbye and ends.
#[derive(Clone)]
pub struct Connection {
    owner: Arc<Owner>,
}

/// What every handle holds and the task does not.
struct Owner {
    shared: Arc<Shared>,
}

/// The present and a seed from the provider, for [`Connection::spawn`] and for certificates.
///
/// # Errors
///
/// [`crypto::Error::Random`] if the random source fails.
#[allow(
    clippy::disallowed_methods,
    reason = "a front has no owner that could tell the time"
)]
pub fn start(provider: &Provider) -> Result<Start, crypto::Error> {
    let mut seed = [0; 32];
    provider.random.fill(&mut seed)?;
    let now = tokio::time::Instant::now().into_std();
    Ok(Start::new(now, SystemTime::now(), Seed::new(seed)))
}

impl Connection {
    /// Starts a task on the current runtime that drives a new session over `path`. The waker in
    /// `config` is not used. Fingerprints may also come later, through
    /// [`set_remote_fingerprints`](Self::set_remote_fingerprints).
    ///
    /// # Errors
    ///
    /// A [`DtlsError`], as [`NewDtls::new_dtls`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[allow(
        clippy::disallowed_methods,
        reason = "a front has no owner that could drive it"
    )]
    pub fn spawn(
        path: impl Datagrams + 'static,
        factory: &dyn NewDtls,
        start: Start,
        mut config: DtlsConfig,
        role: DtlsRole,
        fingerprints: &[Fingerprint],
    ) -> Result<Self, DtlsError> {
        let task = Arc::<Task>::default();
        config.waker = Waker::from(Arc::clone(&task));
        config.max_datagram = config.max_datagram.min(path.max_datagram());
        let mut session = factory.new_dtls(start, config)?;
        session.set_remote_fingerprints(start.now, fingerprints);
        session.set_role(start.now, role)?;
        let shared = Arc::new(Shared::new(Box::new(path), State::new(session), task));
        tokio::spawn(drive(Arc::clone(&shared)));
        Ok(Self {
            owner: Arc::new(Owner { shared }),
        })
    }

    /// Adds fingerprints that the peer signalled.
    pub fn set_remote_fingerprints(&self, fingerprints: &[Fingerprint]) {
        let shared = &self.owner.shared;
        shared
            .lock()
            .session
            .set_remote_fingerprints(now(), fingerprints);
        shared.task.wake_by_ref();
    }

    /// Waits until the peer is known to be who it said. Cancel safe.
    ///
    /// # Errors
    ///
    /// How the session ended.
    pub async fn connected(&self) -> Result<(), End> {
        self.owner
            .shared
            .wait(|state| match (&state.end, state.session.state()) {
                (Some(end), _) => Some(Err(end.clone())),
                (None, DtlsState::Connected) => Some(Ok(())),
                _ => None,
            })
            .await
    }

    /// Waits for the end of the session. Cancel safe.
    pub async fn closed(&self) -> End {
        self.owner.shared.wait(|state| state.end.clone()).await
    }

    /// Receives one message into `buf` and returns its length; a longer one is cut. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`Datagrams::poll_recv`].
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_recv(cx, buf)).await
    }

    /// Sends one message as soon as the session is connected and the path takes it. Cancel safe: it
    /// is sent whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Datagrams::poll_send`].
    pub async fn send(&self, message: &[u8]) -> io::Result<()> {
        poll_fn(|cx| self.poll_send(cx, message)).await
    }

    /// Says goodbye and ends the session.
    pub fn close(&self) {
        self.owner.shared.lock().session.close(now());
        self.owner.shared.task.wake_by_ref();
    }

    /// What was negotiated, once the handshake is over.
    #[must_use]
    pub fn security(&self) -> Option<Security> {
        self.owner.shared.lock().session.security()
    }

    /// The peer's certificates (DER, the leaf first).
    #[must_use]
    pub fn remote_certificates(&self) -> Vec<Bytes> {
        let state = self.owner.shared.lock();
        state.session.remote_certificates().to_vec()
    }

    /// Fills `out` with keying material.
    ///
    /// # Errors
    ///
    /// An [`ExportError`], as [`layer::Dtls::export`].
    pub fn export(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        let state = self.owner.shared.lock();
        state.session.export(label, context, out)
    }
}

impl Datagrams for Connection {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.owner.shared.lock();
        if let Some(message) = state.inbox.pop_front() {
            let len = message.len().min(buf.len());
            buf[..len].copy_from_slice(&message[..len]);
            return Poll::Ready(Ok(len));
        }
        if let Some(end) = &state.end {
            return Poll::Ready(Err(aborted(end)));
        }
        state.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        let shared = &self.owner.shared;
        let mut state = shared.lock();
        if let Some(end) = &state.end {
            return Poll::Ready(Err(aborted(end)));
        }
        let connected = state.session.state() == DtlsState::Connected;
        if !connected || state.outbox.len() >= MAX_OUTBOX {
            state.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let mut sealed = vec![0; datagram.len() + state.session.overhead()];
        let len = match state.session.seal_into(now(), datagram, &mut sealed) {
            Ok(len) => len,
            Err(error) => {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, error)));
            }
        };
        sealed.truncate(len);
        state.outbox.push_back(sealed);
        shared.task.wake_by_ref();
        Poll::Ready(Ok(()))
    }

    fn max_datagram(&self) -> usize {
        let overhead = self.owner.shared.lock().session.overhead();
        self.owner
            .shared
            .path
            .max_datagram()
            .saturating_sub(overhead)
    }
}

fn aborted(end: &End) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, end.to_string())
}

#[allow(
    clippy::disallowed_methods,
    reason = "a front has no owner that could tell the time"
)]
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.lock().is_abandoned = true;
        self.shared.task.wake_by_ref();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.owner.shared.lock();
        f.debug_struct("Connection")
            .field("state", &state.session.state())
            .field("end", &state.end)
            .finish_non_exhaustive()
    }
}
