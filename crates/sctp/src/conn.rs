//! The async front: an association over any [`Datagrams`], itself [`Streams`], driven by one task.
//!
//! It is for those who want SCTP without the rest of WebRTC. Nothing else in the family depends on
//! it.

mod state;

use layer::{
    Datagrams, End, Message, NewSctp, Outgoing, SctpConfig, SctpConnect, SctpError, SctpState,
    SctpStats, Start, Streams,
};
use state::State;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until};

/// What UDP carries.
const MAX_DATAGRAM: usize = 65_535;

/// An association over a path. When the last clone is dropped, it is aborted; call
/// [`shutdown`](Self::shutdown) and wait for [`closed`](Self::closed) to have everything delivered.
#[derive(Clone)]
pub struct Connection {
    owner: Arc<Owner>,
}

/// What every handle holds and the task does not.
struct Owner {
    shared: Arc<Shared>,
}

struct Shared {
    path: Box<dyn Datagrams>,
    state: Mutex<State>,
    task: Arc<Task>,
    /// The association has changed its state.
    changed: Notify,
}

/// Wakes the task, also for an association that makes output by itself.
#[derive(Default)]
struct Task(Mutex<Option<Waker>>);

impl Connection {
    /// Starts a task on the current runtime that drives a new association over `path`. The peer
    /// does the same. `start` holds the present and 32 fresh random bytes; the waker in `config` is
    /// not used.
    ///
    /// # Errors
    ///
    /// [`SctpError::Port`] if a port is 0.
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
        factory: &dyn NewSctp,
        start: Start,
        mut config: SctpConfig,
        ports: SctpConnect,
    ) -> Result<Self, SctpError> {
        let task = Arc::<Task>::default();
        config.waker = Waker::from(Arc::clone(&task));
        config.max_packet = config.max_packet.min(path.max_datagram());
        let mut sctp = factory.new_sctp(start, config);
        sctp.connect(start.now, ports)?;
        let shared = Arc::new(Shared {
            path: Box::new(path),
            state: Mutex::new(State::new(sctp)),
            task,
            changed: Notify::new(),
        });
        tokio::spawn(drive(Arc::clone(&shared)));
        Ok(Self {
            owner: Arc::new(Owner { shared }),
        })
    }

    /// Waits until the association is up; returns how many streams there are, incoming and
    /// outgoing. Cancel safe.
    ///
    /// # Errors
    ///
    /// How the association ended.
    pub async fn connected(&self) -> Result<(u16, u16), End> {
        self.owner
            .shared
            .wait(|state| match (&state.end, state.sctp.streams()) {
                (Some(end), _) => Some(Err(end.clone())),
                (None, Some(streams)) if state.sctp.state() != SctpState::Connecting => {
                    Some(Ok(streams))
                }
                (None, _) => None,
            })
            .await
    }

    /// Waits for the end of the association. Cancel safe.
    pub async fn closed(&self) -> End {
        self.owner.shared.wait(|state| state.end.clone()).await
    }

    /// Sends a message or a fragment, as soon as there is room for it; any number of tasks may, the
    /// fragments of one message after each other. Cancel safe: it is taken whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Streams::poll_send`].
    pub async fn send(&self, message: Outgoing) -> io::Result<()> {
        let mut message = Some(message);
        poll_fn(|cx| self.poll_send(cx, &mut message)).await
    }

    /// Receives the next message, of whichever stream, and gives its bytes back to the window;
    /// `None` after a graceful end. With [`SctpConfig::partial_delivery`] long messages come in
    /// fragments. One task at a time. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`Streams::poll_message`].
    pub async fn recv(&self) -> io::Result<Option<Message>> {
        let message = poll_fn(|cx| self.poll_message(cx)).await?;
        if let Some(message) = &message {
            self.consume(message.stream, message.data.len());
        }
        Ok(message)
    }

    /// Ends gracefully: what was sent is delivered first.
    pub fn shutdown(&self) {
        self.owner.shared.lock().sctp.shutdown(now());
        self.owner.shared.task.wake_by_ref();
    }

    /// Counters and the state of the path.
    #[must_use]
    pub fn stats(&self) -> SctpStats {
        self.owner.shared.lock().sctp.stats()
    }
}

impl Streams for Connection {
    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Message>>> {
        let mut state = self.owner.shared.lock();
        if let Some(message) = state.sctp.poll_message() {
            return Poll::Ready(Ok(Some(message)));
        }
        if let Some(end) = &state.end {
            return Poll::Ready(State::graceful(end).map(|()| None));
        }
        state.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.owner.shared.lock();
        let Some(outgoing) = message.clone() else {
            return Poll::Ready(Ok(()));
        };
        match state.sctp.send(now(), outgoing) {
            Ok(()) => *message = None,
            Err(SctpError::BufferFull) => {
                state.wait_for_room(cx);
                return Poll::Pending;
            }
            Err(error) => return Poll::Ready(Err(refused(error))),
        }
        drop(state);
        self.owner.shared.task.wake_by_ref();
        Poll::Ready(Ok(()))
    }

    fn consume(&self, stream: u16, bytes: usize) {
        self.owner.shared.lock().sctp.consume(now(), stream, bytes);
        self.owner.shared.task.wake_by_ref();
    }

    fn set_priority(&self, stream: u16, priority: u16) {
        self.owner.shared.lock().sctp.set_priority(stream, priority);
    }

    fn reset(&self, stream: u16) -> io::Result<()> {
        let reset = self.owner.shared.lock().sctp.reset(now(), &[stream]);
        self.owner.shared.task.wake_by_ref();
        reset.map_err(refused)
    }

    fn poll_incoming_reset(&self, cx: &mut Context<'_>) -> Poll<io::Result<u16>> {
        let mut state = self.owner.shared.lock();
        if let Some(stream) = state.incoming_resets.pop_first() {
            return Poll::Ready(Ok(stream));
        }
        if let Some(end) = &state.end {
            return Poll::Ready(Err(State::aborted(end)));
        }
        state.reset_waiter = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn refused(error: SctpError) -> io::Error {
    let kind = match error {
        SctpError::State(_) => io::ErrorKind::NotConnected,
        _ => io::ErrorKind::InvalidInput,
    };
    io::Error::new(kind, error)
}

#[allow(
    clippy::disallowed_methods,
    reason = "a front has no owner that could tell the time"
)]
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The task: it ends with the association, when all has been sent.
async fn drive(shared: Arc<Shared>) {
    let mut timer = pin!(sleep_until(now().into()));
    let mut buf = vec![0; MAX_DATAGRAM];
    poll_fn(|cx| shared.turn(cx, timer.as_mut(), &mut buf)).await;
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks again whenever the association has changed its state.
    async fn wait<T>(&self, ask: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(answer) = ask(&self.lock()) {
                return answer;
            }
            changed.await;
        }
    }

    /// One turn of the task: receive, transmit, time, events, sleep.
    fn turn(&self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>, buf: &mut [u8]) -> Poll<()> {
        self.task.set(cx.waker());
        let mut state = self.lock();
        if !state.receive(cx, &*self.path, buf) {
            state.sctp.abort(now(), "the path is closed");
        }
        if state.is_abandoned {
            state.sctp.abort(now(), "dropped");
        }
        let is_flushed = state.transmit(cx, &*self.path, buf);
        let is_due = state.sleep(cx, timer);
        let has_changed = state.collect();
        let is_over = state.end.is_some() && (is_flushed || state.is_abandoned);
        drop(state);
        if has_changed {
            self.changed.notify_waiters();
        }
        if is_over {
            return Poll::Ready(());
        }
        if is_due {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Task {
    fn set(&self, waker: &Waker) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(waker.clone());
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }
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
            .field("state", &state.sctp.state())
            .finish_non_exhaustive()
    }
}
