//! The task, and what it shares with the handles.

use super::now;
use super::state::State;
use layer::Datagrams;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until};

/// What UDP carries.
const MAX_DATAGRAM: usize = 65_535;

pub(super) struct Shared {
    pub(super) path: Box<dyn Datagrams>,
    state: Mutex<State>,
    pub(super) task: Arc<Task>,
    /// The session has changed its state.
    changed: Notify,
}

/// Wakes the task, also for a session that makes output by itself.
#[derive(Default)]
pub(super) struct Task(Mutex<Option<Waker>>);

/// The task: it ends with the session, when all has been sent.
pub(super) async fn drive(shared: Arc<Shared>) {
    let mut timer = pin!(sleep_until(now().into()));
    let mut buf = vec![0; MAX_DATAGRAM];
    poll_fn(|cx| shared.turn(cx, timer.as_mut(), &mut buf)).await;
}

impl Shared {
    pub(super) fn new(path: Box<dyn Datagrams>, state: State, task: Arc<Task>) -> Self {
        Self {
            path,
            state: Mutex::new(state),
            task,
            changed: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks again whenever the session has changed its state.
    pub(super) async fn wait<T>(&self, ask: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(answer) = ask(&self.lock()) {
                return answer;
            }
            changed.await;
        }
    }

    /// One turn of the task: receive, time, transmit, events, sleep.
    fn turn(&self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>, buf: &mut [u8]) -> Poll<()> {
        self.task.set(cx.waker());
        let mut state = self.lock();
        let has_path = state.receive(cx, &*self.path, buf);
        if state.is_abandoned || !has_path {
            state.session.close(now());
        }
        let is_flushed = state.transmit(cx, &*self.path, buf);
        let has_changed = state.collect(buf);
        let is_over = state.end.is_some() && (is_flushed || state.is_abandoned);
        let due = state.sleep(cx, timer);
        drop(state);
        if has_changed {
            self.changed.notify_waiters();
        }
        if is_over {
            return Poll::Ready(());
        }
        if due {
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
