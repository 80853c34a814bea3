//! Streams that were accepted and have not said whom they want.

use super::Buffers;
use super::peek::{Peeked, peek};
use super::stream::Stream;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// How long a stream may take to its first packet.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream whose first packet has not come whole.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) stream: Arc<Stream>,
    until: Instant,
}

/// What a guest has come to.
#[derive(Debug)]
pub(crate) enum Introduction {
    /// Nothing yet.
    Waits,
    /// Its first packets are in the buffer: a request for this fragment.
    Wants(String),
    /// It has left, took too long, or wants nobody.
    Leaves,
}

impl Guest {
    pub(crate) fn new(stream: Arc<Stream>, now: Instant) -> Self {
        Self {
            stream,
            until: now + PATIENCE,
        }
    }

    /// When it has to have said whom it wants.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// Reads what it says.
    pub(crate) fn poll(&self, now: Instant, buffers: &mut Buffers) -> Introduction {
        loop {
            match self.stream.poll_recv(buffers) {
                Poll::Pending if now < self.until => return Introduction::Waits,
                Poll::Pending | Poll::Ready(Err(_)) => return Introduction::Leaves,
                Poll::Ready(Ok(0)) => {}
                Poll::Ready(Ok(_)) => break,
            }
        }
        let first = buffers.stream.packets().next();
        match first.map(|packet| peek(packet)) {
            Some(Peeked::Request {
                fragment: Some(fragment),
                ..
            }) => Introduction::Wants(fragment.to_owned()),
            _ => Introduction::Leaves,
        }
    }
}
