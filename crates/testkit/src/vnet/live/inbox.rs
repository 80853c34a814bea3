//! What has come to a socket and was not taken yet.

use crate::vnet::{Arrival, Delivery};
use layer::SocketId;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// Bytes of datagrams that wait for a reader; what comes beyond is lost, as with a real socket.
const MAX_DATAGRAM_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a stream that wait for a reader. Streams of the network have no receive window that would
/// hold a writer up, so one whose reader lags this far behind is a mistake of the test and is reset.
const MAX_STREAM_BYTES: usize = 64 * 1024 * 1024;

/// Streams that wait to be accepted; further ones are reset.
const MAX_BACKLOG: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    arrivals: VecDeque<Delivery>,
    bytes: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Inbox {
    /// Takes something in; whether there was room.
    pub(super) fn push(&mut self, delivery: Delivery) -> bool {
        let (len, fits) = match &delivery.arrival {
            Arrival::Datagram(bytes) => (bytes.len(), self.bytes < MAX_DATAGRAM_BYTES),
            Arrival::Bytes(bytes) => (bytes.len(), self.bytes < MAX_STREAM_BYTES),
            Arrival::Accepted { .. } => (0, self.arrivals.len() < MAX_BACKLOG),
            _ => (0, true),
        };
        if fits {
            self.bytes += len;
            self.arrivals.push_back(delivery);
        } else if let Arrival::Bytes(_) = delivery.arrival {
            self.arrivals.push_back(Delivery {
                arrival: Arrival::Reset,
                ..delivery
            });
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        self.wake_writer();
        fits
    }

    /// The next thing, or wakes the task when there is one.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Delivery> {
        match self.arrivals.pop_front() {
            Some(delivery) => {
                if let Arrival::Datagram(bytes) | Arrival::Bytes(bytes) = &delivery.arrival {
                    self.bytes -= bytes.len();
                }
                Poll::Ready(delivery)
            }
            None => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Puts back what was not read of some bytes.
    pub(super) fn unread(&mut self, delivery: Delivery) {
        if let Arrival::Bytes(bytes) = &delivery.arrival {
            self.bytes += bytes.len();
        }
        self.arrivals.push_front(delivery);
    }

    /// The streams that nobody has accepted.
    pub(super) fn backlog(&self) -> Vec<SocketId> {
        let arrivals = self.arrivals.iter();
        let accepted = arrivals.filter(|it| matches!(it.arrival, Arrival::Accepted { .. }));
        accepted.map(|it| it.socket).collect()
    }

    /// Wakes the task when the stream takes bytes again.
    pub(super) fn wait_for_room(&mut self, cx: &mut Context<'_>) {
        self.writer = Some(cx.waker().clone());
    }

    pub(super) fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}
