//! What the task owns, and the steps of its turn.

use super::now;
use layer::{Datagrams, Dtls, DtlsEvent, DtlsState, End};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::time::Sleep;

/// Messages that wait for [`Connection::recv`](super::Connection::recv); more are dropped, as a
/// full socket drops them.
const MAX_INBOX: usize = 256;
/// Datagrams that wait for the path; [`Connection::send`](super::Connection::send) waits beyond.
pub(super) const MAX_OUTBOX: usize = 64;
/// Datagrams that the task takes before it lets others run.
const BATCH: usize = 64;

pub(super) struct State {
    pub(super) session: Box<dyn Dtls>,
    pub(super) inbox: VecDeque<Vec<u8>>,
    pub(super) outbox: VecDeque<Vec<u8>>,
    pub(super) receiver: Option<Waker>,
    pub(super) sender: Option<Waker>,
    pub(super) end: Option<End>,
    pub(super) is_abandoned: bool,
}

impl State {
    pub(super) fn new(session: Box<dyn Dtls>) -> Self {
        Self {
            session,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            receiver: None,
            sender: None,
            end: None,
            is_abandoned: false,
        }
    }

    /// Takes what has arrived; `false` if nothing will come any more.
    pub(super) fn receive(
        &mut self,
        cx: &mut Context<'_>,
        path: &dyn Datagrams,
        buf: &mut [u8],
    ) -> bool {
        for _ in 0..BATCH {
            let len = match path.poll_recv(cx, buf) {
                Poll::Ready(Ok(len)) => len,
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    return false;
                }
                // A UDP socket tells so that the other one is not there yet.
                Poll::Ready(Err(_)) => continue,
                Poll::Pending => return true,
            };
            let datagram = &mut buf[..len];
            let opened = self.session.handle_input(now(), datagram);
            if let Some(range) = opened.plaintext {
                self.keep(&datagram[range]);
            }
        }
        cx.waker().wake_by_ref();
        true
    }

    /// Sends what the session and the users have, and says whether that was all.
    pub(super) fn transmit(
        &mut self,
        cx: &mut Context<'_>,
        path: &dyn Datagrams,
        buf: &mut [u8],
    ) -> bool {
        while self.outbox.len() < MAX_OUTBOX {
            let Some(len) = self.session.poll_transmit(now(), buf) else {
                break;
            };
            self.outbox.push_back(buf[..len].to_vec());
        }
        while let Some(datagram) = self.outbox.front() {
            // The path may lose it, and tells through `poll_recv` when it has ended.
            if path.poll_send(cx, datagram).is_pending() {
                return false;
            }
            self.outbox.pop_front();
        }
        true
    }

    /// Collects events and messages; says whether the state has changed.
    pub(super) fn collect(&mut self, buf: &mut [u8]) -> bool {
        let mut has_changed = false;
        while let Some(event) = self.session.poll_event() {
            has_changed = true;
            if let DtlsEvent::Ended(end) = event {
                self.end = Some(end);
                wake(&mut self.receiver);
            }
        }
        while let Some(len) = self.session.poll_message(buf) {
            self.keep(&buf[..len]);
        }
        let writable = self.session.state() == DtlsState::Connected && self.outbox.is_empty();
        if writable || self.end.is_some() {
            wake(&mut self.sender);
        }
        has_changed
    }

    fn keep(&mut self, message: &[u8]) {
        if self.inbox.len() < MAX_INBOX {
            self.inbox.push_back(message.to_vec());
        }
        wake(&mut self.receiver);
    }

    /// Sets the timer; when it is due, tells the session, and answers that there may be more to do.
    pub(super) fn sleep(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> bool {
        let Some(timeout) = self.session.poll_timeout() else {
            return false;
        };
        if timer.deadline() != timeout.into() {
            timer.as_mut().reset(timeout.into());
        }
        let due = timer.poll(cx).is_ready();
        if due {
            self.session.handle_timeout(now());
        }
        due
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
