//! The async front: channels over any [`Streams`], driven by one task.
//!
//! It is for those who want data channels without the rest of WebRTC: give it an association, and
//! [`open`](Connection::open) and [`accept`](Connection::accept) channels. Nothing else in the
//! family depends on it.

mod state;

use crate::{
    ChannelError, ChannelInfo, ChannelInit, ChannelKey, ChannelState, Channels, Config, OpenError,
    Outgoing, Parity, Payload, ReceivedMessage, SendError,
};
use bytes::Bytes;
use layer::Streams;
use state::{Slot, State};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::Notify;

/// Bytes that wait here for the association's send buffer; [`Channel::send`] waits beyond. A channel
/// that has a message in parts under way may have one more part: it may be what all wait for.
const MAX_QUEUED: usize = 256 * 1024;

/// The data channels of one association. Dropping it and all its channels ends the task, which
/// drops the association.
#[derive(Clone, Debug)]
pub struct Connection {
    owner: Arc<Owner>,
}

/// One data channel. Dropping it closes it.
#[derive(Debug)]
pub struct Channel {
    owner: Arc<Owner>,
    key: ChannelKey,
}

/// What every handle holds and the task does not.
#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something has changed that a user may wait for.
    changed: Notify,
}

impl Connection {
    /// Starts a task on the current runtime that drives channels over `streams`, an association that
    /// is up and has `stream_count` streams in each direction (65535 with most peers). `parity` is
    /// even at the DTLS client and odd at the server.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[allow(
        clippy::disallowed_methods,
        reason = "a front has no owner that could drive it"
    )]
    pub fn spawn(
        streams: impl Streams + 'static,
        parity: Parity,
        stream_count: u16,
        config: Config,
    ) -> Self {
        let mut channels = Channels::new(config);
        channels.set_parity(parity);
        channels.transport_connected(stream_count, stream_count);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(channels)),
            changed: Notify::new(),
        });
        let task = Arc::clone(&shared);
        tokio::spawn(async move { poll_fn(|cx| task.poll(cx, &streams)).await });
        Self {
            owner: Arc::new(Owner { shared }),
        }
    }

    /// Opens a channel; it can send at once.
    ///
    /// # Errors
    ///
    /// An [`OpenError`], as [`Channels::open`].
    pub fn open(&self, init: ChannelInit) -> Result<Channel, OpenError> {
        let mut state = self.owner.shared.lock();
        let key = state.channels.open(init)?;
        state.slots.insert(key, Slot::default());
        state.wake_task();
        drop(state);
        Ok(self.channel(key))
    }

    /// Waits for a channel that the peer opens; `None` at the end of the association. Cancel safe.
    pub async fn accept(&self) -> Option<Channel> {
        let shared = &self.owner.shared;
        let key = shared.wait(|state| match state.incoming.pop_front() {
            Some(key) => Poll::Ready(Some(key)),
            None if state.has_ended => Poll::Ready(None),
            None => Poll::Pending,
        });
        key.await.map(|key| self.channel(key))
    }

    /// The longest message that the peer takes, in bytes ([`Channels::set_max_send_len`]).
    pub fn set_max_send_len(&self, bytes: usize) {
        self.owner.shared.lock().channels.set_max_send_len(bytes);
    }

    fn channel(&self, key: ChannelKey) -> Channel {
        Channel {
            owner: Arc::clone(&self.owner),
            key,
        }
    }
}

impl Channel {
    /// Sends a message, as soon as there is room for it. Cancel safe: it is sent whole or not at all.
    ///
    /// # Errors
    ///
    /// A [`SendError`], as [`Channels::send`].
    pub async fn send(&self, payload: Payload, data: Bytes) -> Result<(), SendError> {
        self.send_when_there_is_room(|channels| {
            channels.send_part(self.key, payload, true, true, data.clone())
        })
        .await
    }

    /// Sends the next part of a message, which need not be in memory as a whole: the first part if
    /// none is under way, and with `last` the one that ends the message. A message that is under way
    /// when the channel is closed may be finished. Cancel safe, as [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// A [`SendError`], as [`Channels::send_part`].
    pub async fn send_part(
        &self,
        payload: Payload,
        data: Bytes,
        last: bool,
    ) -> Result<(), SendError> {
        self.send_when_there_is_room(|channels| {
            let first = !channels.is_sending(self.key);
            channels.send_part(self.key, payload, first, last, data.clone())
        })
        .await
    }

    async fn send_when_there_is_room(
        &self,
        send: impl Fn(&mut Channels) -> Result<Outgoing, SendError>,
    ) -> Result<(), SendError> {
        self.owner
            .shared
            .wait(|state| {
                if !state.has_room(self.key, MAX_QUEUED) {
                    return Poll::Pending;
                }
                Poll::Ready(send(&mut state.channels).map(|message| state.enqueue(message)))
            })
            .await
    }

    /// Receives a message; `None` when the channel is closed and everything was received. Where messages
    /// come [in parts](Self::receive_in_parts), use [`recv_part`](Self::recv_part). Cancel safe.
    pub async fn recv(&self) -> Option<(Payload, Bytes)> {
        let part = self.recv_part().await?;
        Some((part.payload, part.data))
    }

    /// From the next message on, gives messages out in the parts in which they come, through
    /// [`recv_part`](Self::recv_part), or whole again. A message in parts may be longer than
    /// [`Config::max_message_len`], and is nowhere held as a whole. Returns whether it can: channels
    /// with limited reliability cannot.
    ///
    /// The association must hand them out in fragments too
    /// ([`SctpConfig::partial_delivery`](layer::SctpConfig::partial_delivery)).
    pub fn receive_in_parts(&self, in_parts: bool) -> bool {
        let mut state = self.owner.shared.lock();
        let can = state.channels.is_reliable(self.key);
        if can {
            state.channels.receive_in_parts(self.key, in_parts);
        }
        can
    }

    /// Receives the next part of a message, or a whole one; `None` when the channel is closed and
    /// everything was received. Its `wire_len` is given back to the window already. Cancel safe.
    pub async fn recv_part(&self) -> Option<ReceivedMessage> {
        self.owner
            .shared
            .wait(|state| {
                let Some(slot) = state.slots.get_mut(&self.key) else {
                    return Poll::Ready(None);
                };
                if let Some(message) = slot.inbox.pop_front() {
                    state.taken.push((message.stream, message.wire_len));
                    state.wake_task();
                    return Poll::Ready(Some(message));
                }
                match state.channels.state(self.key) {
                    Some(ChannelState::Closed) | None => Poll::Ready(None),
                    _ => Poll::Pending,
                }
            })
            .await
    }

    /// Closes the channel, after what was sent. [`recv`](Self::recv) tells when the peer has closed too.
    pub fn close(&self) {
        let mut state = self.owner.shared.lock();
        state.channels.close(self.key);
        state.wake_task();
    }

    /// What is known of the channel.
    #[must_use]
    pub fn info(&self) -> Option<ChannelInfo> {
        self.owner.shared.lock().channels.info(self.key)
    }

    /// Why the channel closed, if nobody wanted it to.
    #[must_use]
    pub fn error(&self) -> Option<ChannelError> {
        self.owner.shared.lock().slots.get(&self.key)?.error
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let mut state = self.owner.shared.lock();
        state.channels.close(self.key);
        let Some(slot) = state.slots.get_mut(&self.key) else {
            return;
        };
        slot.is_dropped = true;
        let left: Vec<_> = slot.inbox.drain(..).collect();
        let taken = left
            .iter()
            .map(|message| (message.stream, message.wire_len));
        state.taken.extend(taken);
        state.forget_if_dropped(self.key);
        state.wake_task();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_abandoned = true;
        state.wake_task();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks again whenever something has changed.
    async fn wait<T>(&self, mut ask: impl FnMut(&mut State) -> Poll<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Poll::Ready(answer) = ask(&mut self.lock()) {
                return answer;
            }
            changed.await;
        }
    }

    /// One turn of the task; ready when everything is over.
    fn poll(&self, cx: &mut Context<'_>, streams: &impl Streams) -> Poll<()> {
        let mut state = self.lock();
        state.task = Some(cx.waker().clone());
        let result = state.turn(cx, streams);
        if let Err(error) = &result {
            state.end(error.as_ref());
        }
        state.collect();
        let is_over = state.has_ended || state.is_done();
        drop(state);
        self.changed.notify_waiters();
        if is_over {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
