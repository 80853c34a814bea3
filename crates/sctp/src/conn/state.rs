//! What the task owns, and the steps of its turn.

use super::now;
use layer::{Blame, Datagrams, End, Sctp, SctpEvent};
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::time::Sleep;

/// Datagrams that the task takes, or sends, before it lets others run.
const BATCH: usize = 64;

pub(super) struct State {
    pub(super) sctp: Box<dyn Sctp>,
    /// A packet that the path did not take yet.
    unsent: Vec<u8>,
    /// Streams that the peer has reset, until somebody asks.
    pub(super) incoming_resets: BTreeSet<u16>,
    pub(super) receiver: Option<Waker>,
    /// Tasks that wait for room.
    senders: Vec<Waker>,
    pub(super) reset_waiter: Option<Waker>,
    pub(super) end: Option<End>,
    pub(super) is_abandoned: bool,
}

impl State {
    pub(super) fn new(sctp: Box<dyn Sctp>) -> Self {
        Self {
            sctp,
            unsent: Vec::new(),
            incoming_resets: BTreeSet::new(),
            receiver: None,
            senders: Vec::new(),
            reset_waiter: None,
            end: None,
            is_abandoned: false,
        }
    }

    /// Remembers a task that found no room.
    pub(super) fn wait_for_room(&mut self, cx: &Context<'_>) {
        let waker = cx.waker();
        if !self.senders.iter().any(|other| other.will_wake(waker)) {
            self.senders.push(waker.clone());
        }
    }

    /// What a graceful end is to a reader, and any other.
    pub(super) fn graceful(end: &End) -> io::Result<()> {
        match end.blame {
            Blame::Local | Blame::Peer if end.code.is_none() => Ok(()),
            _ => Err(Self::aborted(end)),
        }
    }

    pub(super) fn aborted(end: &End) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionAborted, end.to_string())
    }

    /// Takes what has arrived; `false` if nothing will come any more.
    pub(super) fn receive(
        &mut self,
        cx: &mut Context<'_>,
        path: &dyn Datagrams,
        buf: &mut [u8],
    ) -> bool {
        for _ in 0..BATCH {
            match path.poll_recv(cx, buf) {
                Poll::Ready(Ok(len)) => self.sctp.handle_input(now(), &buf[..len]),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    return false;
                }
                // A UDP socket tells so that the other one is not there yet.
                Poll::Ready(Err(_)) => {}
                Poll::Pending => return true,
            }
        }
        cx.waker().wake_by_ref();
        true
    }

    /// Sends what the association has; says whether that was all.
    pub(super) fn transmit(
        &mut self,
        cx: &mut Context<'_>,
        path: &dyn Datagrams,
        buf: &mut [u8],
    ) -> bool {
        if !self.unsent.is_empty() {
            if path.poll_send(cx, &self.unsent).is_pending() {
                return false;
            }
            self.unsent.clear();
        }
        for _ in 0..BATCH {
            let Some(len) = self.sctp.poll_transmit(now(), buf) else {
                return true;
            };
            // The path may lose it, and tells through `poll_recv` when it has ended.
            if path.poll_send(cx, &buf[..len]).is_pending() {
                self.unsent.extend_from_slice(&buf[..len]);
                return false;
            }
        }
        cx.waker().wake_by_ref();
        false
    }

    /// Collects events and wakes who waits for them; says whether the state has changed.
    pub(super) fn collect(&mut self) -> bool {
        let mut has_changed = false;
        while let Some(event) = self.sctp.poll_event() {
            match event {
                SctpEvent::IncomingReset { streams } => {
                    self.incoming_resets.extend(streams);
                    wake(&mut self.reset_waiter);
                }
                SctpEvent::Writable => self.senders.drain(..).for_each(Waker::wake),
                SctpEvent::Connected { .. } => has_changed = true,
                SctpEvent::Ended(end) => {
                    has_changed = true;
                    self.end = Some(end);
                    self.senders.drain(..).for_each(Waker::wake);
                    wake(&mut self.reset_waiter);
                }
                _ => {}
            }
        }
        // Whether there is a message only `poll_message` tells.
        wake(&mut self.receiver);
        has_changed
    }

    /// Sets the timer; when it is due, tells the association, and answers that there may be more
    /// to do.
    pub(super) fn sleep(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> bool {
        let Some(timeout) = self.sctp.poll_timeout() else {
            return false;
        };
        if timer.deadline() != timeout.into() {
            timer.as_mut().reset(timeout.into());
        }
        let is_due = timer.poll(cx).is_ready();
        if is_due {
            self.sctp.handle_timeout(now());
        }
        is_due
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
