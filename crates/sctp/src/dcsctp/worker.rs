//! The thread of one socket: it is made of cells that may not change threads, so that every call is
//! made in its own, and waited for.

use super::event::to_stats;
use ::dcsctp::api::{
    DcSctpSocket, Message, Options, SendError, SendOptions, Socket, SocketEvent, SocketState,
    SocketTime, StreamId,
};
use layer::SctpStats;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// A call, and where its answer goes is part of it.
type Call = Box<dyn FnOnce(&mut Socket) + Send>;

/// What a call left to be told.
pub(super) struct Turn {
    pub(super) events: Vec<SocketEvent>,
    pub(super) state: SocketState,
    /// Since the socket was made; `None` for never.
    pub(super) timeout: Option<Duration>,
    pub(super) streams: Option<(u16, u16)>,
    pub(super) messages: Vec<Message>,
}

/// Ends its thread when it is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    calls: SyncSender<Call>,
}

impl Worker {
    /// `None` if the system has no thread to give.
    pub(super) fn spawn(options: Options) -> Option<Self> {
        let (calls, queue): (_, Receiver<Call>) = sync_channel(1);
        let run = move || {
            let mut socket = Socket::new("muon", &options);
            while let Ok(call) = queue.recv() {
                call(&mut socket);
            }
        };
        let builder = thread::Builder::new().name("dcsctp".into());
        builder.spawn(run).ok()?;
        Some(Self { calls })
    }

    /// Calls the socket and waits; `None` if its thread is gone, which only a panic of the library
    /// can bring about.
    fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Socket) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = sync_channel(1);
        let call = Box::new(move |socket: &mut Socket| {
            // Nobody waits any more: nothing to tell.
            let _ = answer.send(call(socket));
        });
        self.calls.send(call).ok()?;
        answered.recv().ok()
    }

    /// Does something at a time since the socket was made, and collects what came of it: of messages
    /// little more than `room` bytes.
    pub(super) fn turn(
        &self,
        now: Duration,
        room: usize,
        work: impl FnOnce(&mut Socket) + Send + 'static,
    ) -> Option<Turn> {
        self.ask(move |socket| {
            let mut messages = Vec::new();
            // What has arrived is gone with the end of the association.
            fetch(socket, room, &mut messages);
            socket.advance_time(SocketTime::zero() + now);
            work(socket);
            fetch(socket, room, &mut messages);
            let mut events = Vec::new();
            while let Some(event) = socket.poll_event() {
                events.push(event);
            }
            let timeout = socket.poll_timeout();
            let never = timeout == SocketTime::infinite_future();
            let streams = socket.get_metrics().map(|metrics| {
                (
                    metrics.negotiated_maximum_incoming_streams,
                    metrics.negotiated_maximum_outgoing_streams,
                )
            });
            Turn {
                events,
                state: socket.state(),
                timeout: (!never).then(|| timeout - SocketTime::zero()),
                streams,
                messages,
            }
        })
    }

    pub(super) fn send(
        &self,
        now: Duration,
        message: Message,
        options: SendOptions,
    ) -> Option<Result<(), SendError>> {
        self.ask(move |socket| {
            socket.advance_time(SocketTime::zero() + now);
            socket.send(message, &options)
        })
    }

    pub(super) fn buffered(&self, streams: Vec<u16>) -> Vec<usize> {
        let buffered = self.ask(move |socket| {
            let streams = streams.into_iter();
            let of = |stream| socket.buffered_amount(StreamId(stream));
            streams.map(of).collect()
        });
        buffered.unwrap_or_default()
    }

    pub(super) fn stats(&self) -> Option<SctpStats> {
        self.ask(|socket| socket.get_metrics().map(|metrics| to_stats(&metrics)))
            .flatten()
    }
}

/// Takes messages until `room` bytes are taken; all when the association is about to end.
fn fetch(socket: &mut Socket, room: usize, messages: &mut Vec<Message>) {
    let mut taken = messages
        .iter()
        .map(|message| message.payload.len())
        .sum::<usize>();
    while (taken < room || socket.state() == SocketState::ShuttingDown)
        && let Some(message) = socket.get_next_message()
    {
        taken += message.payload.len();
        messages.push(message);
    }
}
