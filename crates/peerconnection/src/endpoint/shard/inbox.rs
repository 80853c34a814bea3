//! What others have for a shard.

use crate::driver::answer::Answer;
use crate::endpoint::member::Member;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// News for a shard.
#[derive(Debug)]
pub(in crate::endpoint) enum Notice {
    /// A connection wants a turn. Each has at most one of these.
    Ready(Arc<Member>),
    /// A name is resolved or a connection made. Each connection has a bounded number of these.
    Answered(Arc<Member>, Answer),
    /// A stream of the shard may be read or written. Each has at most one of these.
    Stream(u64),
    /// A connection is gone.
    Ended(u64),
}

/// Where news wait, and whom they wake.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Inbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    notices: VecDeque<Notice>,
    waker: Option<Waker>,
}

impl Inbox {
    pub(in crate::endpoint) fn push(&self, notice: Notice) {
        let mut waiting = self.lock();
        waiting.notices.push_back(notice);
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(in crate::endpoint) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn register(&self, waker: &Waker) {
        let mut waiting = self.lock();
        match &mut waiting.waker {
            Some(registered) => registered.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Moves everything to the end of `to`.
    pub(super) fn take(&self, to: &mut VecDeque<Notice>) {
        to.append(&mut self.lock().notices);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
