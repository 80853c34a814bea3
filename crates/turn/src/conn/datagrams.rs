//! A path that the caller brings.

use super::carrier::{Sent, is_passing};
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, ready};

/// Datagrams to one server and from nobody else, made by the caller: a DTLS session above all
/// (RFC 7350), which this crate does not know.
///
/// It has the shape of the trait of the same name in `muonrtc-layer`, so that whatever implements that
/// one is wrapped in a line for each method.
pub trait Datagrams: Send {
    /// Receives one datagram into `buf`, which is larger than any message, and returns its length.
    ///
    /// # Errors
    ///
    /// That the path has ended, or what a UDP socket reports and survives, such as
    /// [`io::ErrorKind::ConnectionRefused`].
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Sends one datagram. Like UDP, the path may lose it.
    ///
    /// # Errors
    ///
    /// As [`poll_recv`](Datagrams::poll_recv).
    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>>;
}

/// How many datagrams may wait for the path before senders of data wait too.
const MAX_WAITING: usize = 64;

/// A path, and what waits for it.
pub(super) struct Path {
    datagrams: Box<dyn Datagrams>,
    waiting: VecDeque<Vec<u8>>,
    /// Buffers of what was sent.
    spare: Vec<Vec<u8>>,
}

impl Path {
    pub(super) fn new(datagrams: Box<dyn Datagrams>) -> Self {
        Self {
            datagrams,
            waiting: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING
    }

    /// Takes a datagram to be sent by [`poll_flush`](Path::poll_flush).
    pub(super) fn send(&mut self, bytes: &[u8]) -> Sent {
        if self.is_full() {
            return Sent::Full;
        }
        let mut datagram = self.spare.pop().unwrap_or_default();
        datagram.clear();
        datagram.extend_from_slice(bytes);
        self.waiting.push_back(datagram);
        Sent::Taken
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(first) = self.waiting.front() {
            match ready!(self.datagrams.poll_send(cx, first)) {
                Err(error) if !is_passing(&error) => return Poll::Ready(Err(error)),
                _ => self.spare.extend(self.waiting.pop_front()),
            }
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        take: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<()>> {
        match ready!(self.datagrams.poll_recv(cx, scratch)) {
            Ok(len) => take(&scratch[..len.min(scratch.len())]),
            Err(error) if is_passing(&error) => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Ready(Ok(()))
    }
}
