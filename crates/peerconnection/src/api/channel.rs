use crate::api::handle::Handle;
use crate::api::state::DataChannelState;
use crate::config::PriorityType;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::message::{DataChannelMessage, DataChannelPart};
use crate::session::Payload;
use crate::shared::{ChannelChange, SEND_HIGH_WATER, Signals, State};
use bytes::Bytes;
use datachannel::ChannelKey;
use std::fmt;
use std::sync::Arc;
use std::task::Wake;

/// What a [`DataChannel`] tells (webrtc-pc §6.2).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DataChannelEvent {
    /// Messages can be sent.
    Open,
    /// A message.
    Message(DataChannelMessage),
    /// The buffered amount has come down to the threshold.
    BufferedAmountLow,
    /// Something went wrong; `Close` follows.
    Error(Error),
    /// A close has begun.
    Closing,
    /// Closed; nothing comes after this.
    Close,
}

/// W3C `RTCDataChannel` (webrtc-pc §6.2): messages in both directions, with back-pressure.
///
/// A handle is cheap to clone and keeps the connection alive. Messages and events wait in the
/// channel until they are taken; what nobody takes closes SCTP's window, so that the peer waits,
/// except on channels with limited reliability, which keep the newest 512 KiB together.
#[derive(Clone)]
pub struct DataChannel {
    handle: Arc<Handle>,
    key: ChannelKey,
    signals: Arc<Signals>,
}

impl DataChannel {
    pub(crate) fn new(handle: Arc<Handle>, key: ChannelKey) -> Self {
        let signals = handle.shared.lock().slot(key).signals.clone();
        Self {
            handle,
            key,
            signals,
        }
    }

    /// The label.
    #[must_use]
    pub fn label(&self) -> String {
        self.lock().session.channel_info(self.key).label
    }

    /// The subprotocol.
    #[must_use]
    pub fn protocol(&self) -> String {
        self.lock().session.channel_info(self.key).protocol
    }

    /// Whether messages arrive in order.
    #[must_use]
    pub fn ordered(&self) -> bool {
        self.lock().session.channel_info(self.key).ordered
    }

    /// Milliseconds after which a message is given up.
    #[must_use]
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.lock()
            .session
            .channel_info(self.key)
            .max_packet_life_time
    }

    /// Retransmissions after which a message is given up.
    #[must_use]
    pub fn max_retransmits(&self) -> Option<u16> {
        self.lock().session.channel_info(self.key).max_retransmits
    }

    /// Whether both sides made it themselves.
    #[must_use]
    pub fn negotiated(&self) -> bool {
        self.lock().session.channel_info(self.key).negotiated
    }

    /// The stream; `None` until it is chosen, which needs the DTLS role.
    #[must_use]
    pub fn id(&self) -> Option<u16> {
        self.lock().session.channel_info(self.key).id
    }

    /// The share among the channels that send, as either side has asked for (webrtc-priority §4.3).
    #[must_use]
    pub fn priority(&self) -> PriorityType {
        self.lock().session.channel_info(self.key).priority
    }

    /// Where it stands.
    #[must_use]
    pub fn ready_state(&self) -> DataChannelState {
        self.lock().session.channel_state(self.key)
    }

    /// Bytes accepted and not yet handed to the network (webrtc-pc §6.2).
    #[must_use]
    pub fn buffered_amount(&self) -> u32 {
        let amount = self.lock().session.buffered_amount(self.key);
        u32::try_from(amount).unwrap_or(u32::MAX)
    }

    /// Received messages that were given up because nobody took them in time: only on a channel
    /// with limited reliability, beyond the 512 KiB that all such channels of a connection keep.
    #[must_use]
    pub fn messages_dropped(&self) -> u64 {
        self.lock().slot(self.key).dropped
    }

    /// At or below which amount `BufferedAmountLow` is told.
    #[must_use]
    pub fn buffered_amount_low_threshold(&self) -> u32 {
        self.lock().session.buffered_amount_low_threshold(self.key)
    }

    /// Sets [`buffered_amount_low_threshold`](Self::buffered_amount_low_threshold). Default 0.
    pub fn set_buffered_amount_low_threshold(&self, bytes: u32) {
        self.lock()
            .session
            .set_buffered_amount_low_threshold(self.key, bytes);
    }

    /// Sends bytes, waiting while more than 1 MiB of this channel is buffered or the connection's
    /// send buffer is full.
    ///
    /// Cancel safe: dropped while it waits, nothing was sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the channel is not open, [`ErrorKind::Type`] if the message
    /// is larger than the peer takes.
    pub async fn send(&self, data: Bytes) -> Result<(), Error> {
        self.send_waiting(Payload::Binary, data).await
    }

    /// Sends text, like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_text(&self, text: &str) -> Result<(), Error> {
        self.send_waiting(Payload::Text, Bytes::copy_from_slice(text.as_bytes()))
            .await
    }

    /// Sends bytes now or not at all: the W3C's synchronous `send`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`ErrorKind::Operation`] if the send buffer is full.
    pub fn try_send(&self, data: Bytes) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, now| state.session.send(now, self.key, Payload::Binary, &data))
    }

    /// Sends text now or not at all.
    ///
    /// # Errors
    ///
    /// As [`try_send`](Self::try_send).
    pub fn try_send_text(&self, text: &str) -> Result<(), Error> {
        let data = Bytes::copy_from_slice(text.as_bytes());
        self.handle
            .shared
            .call(|state, now| state.session.send(now, self.key, Payload::Text, &data))
    }

    /// Sends the next part of a binary message, which need not be in memory as a whole: the first
    /// part if none is under way, and with `last` the one that ends the message. It waits as
    /// [`send`](Self::send) does. Between the parts no other message can be sent on this channel;
    /// a message that is under way when the channel is closed may be finished.
    ///
    /// Cancel safe: dropped while it waits, nothing was sent.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), the length counted over all parts; [`ErrorKind::Type`] for a part of
    /// several without bytes.
    pub async fn send_part(&self, data: Bytes, last: bool) -> Result<(), Error> {
        let send = |state: &mut State, now| {
            let session = &mut state.session;
            session.send_part(now, self.key, Payload::Binary, last, &data)
        };
        self.send_when_there_is_room(data.len(), send).await
    }

    /// From the next message on, gives messages out in the parts in which they come, through
    /// [`recv_part`](Self::recv_part), or whole again. A message in parts may be longer than
    /// 256 KiB, up to the [configured](crate::Configuration::max_message_size) size, and is nowhere
    /// held as a whole. Returns whether it can: channels with limited reliability cannot.
    pub fn receive_in_parts(&self, in_parts: bool) -> bool {
        self.lock().session.receive_in_parts(self.key, in_parts)
    }

    /// The next part of a message, or a whole one; `None` once the channel is closed and its
    /// messages are taken.
    ///
    /// Cancel safe.
    pub async fn recv_part(&self) -> Option<DataChannelPart> {
        self.wait_for(|state, now| match state.take_part(self.key, now) {
            Some((part, wake)) => Some((Some(part), wake)),
            None => is_closed(state, self.key).then_some((None, false)),
        })
        .await
    }

    async fn send_waiting(&self, payload: Payload, data: Bytes) -> Result<(), Error> {
        let send = |state: &mut State, now| state.session.send(now, self.key, payload, &data);
        self.send_when_there_is_room(data.len(), send).await
    }

    async fn send_when_there_is_room(
        &self,
        len: usize,
        send: impl Fn(&mut State, std::time::Instant) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            // Made before the look, so that no wake-up between is lost.
            let writable = self.signals.writable.notified();
            let sent = self.handle.shared.call(|state, now| {
                let full = state.session.buffered_amount(self.key) > SEND_HIGH_WATER;
                if !full {
                    match send(state, now) {
                        Err(error) if error.kind() == ErrorKind::Operation => {}
                        sent => return Some(sent),
                    }
                }
                state.wait_for_room(self.key, len.max(1));
                None
            });
            match sent {
                Some(sent) => return sent,
                None => writable.await,
            }
        }
    }

    /// The next event, messages included; `None` after `Close`. Use this or [`recv`](Self::recv).
    ///
    /// Cancel safe.
    pub async fn next_event(&self) -> Option<Event<DataChannelEvent>> {
        self.wait_for(|state, now| {
            let slot = state.slot(self.key);
            let change = slot.events.front().map(|event| event.sequence);
            let message = slot.messages.front().map(|event| event.sequence);
            match (change, message) {
                (Some(change), message) if message.is_none_or(|message| change < message) => {
                    let event = slot.events.pop_front();
                    Some((event.map(|event| event.map(change_event)), false))
                }
                (_, Some(_)) => state
                    .take_message(self.key, now)
                    .map(|(event, wake)| (Some(event.map(DataChannelEvent::Message)), wake)),
                _ => is_closed(state, self.key).then_some((None, false)),
            }
        })
        .await
    }

    /// The next message; `None` once the channel is closed and its messages are taken. Events that
    /// are not messages stay where they are.
    ///
    /// Cancel safe.
    pub async fn recv(&self) -> Option<DataChannelMessage> {
        self.wait_for(|state, now| match state.take_message(self.key, now) {
            Some((event, wake)) => Some((Some(event.kind), wake)),
            None => is_closed(state, self.key).then_some((None, false)),
        })
        .await
    }

    /// Waits until `take` gives something; wakes the driver where it says so.
    async fn wait_for<T>(
        &self,
        mut take: impl FnMut(&mut State, std::time::Instant) -> Option<(T, bool)>,
    ) -> T {
        loop {
            let readable = self.signals.readable.notified();
            let taken = take(&mut self.lock(), crate::shared::now());
            match taken {
                Some((taken, wake)) => {
                    if wake {
                        self.handle.shared.driver.wake_by_ref();
                    }
                    return taken;
                }
                None => readable.await,
            }
        }
    }

    /// Waits until the channel is open.
    ///
    /// Cancel safe; takes no event.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if it closes instead.
    pub async fn opened(&self) -> Result<(), Error> {
        loop {
            let readable = self.signals.readable.notified();
            match self.ready_state() {
                DataChannelState::Open => return Ok(()),
                DataChannelState::Connecting => readable.await,
                _ => return Err(Error::new(ErrorKind::InvalidState, "the channel is closed")),
            }
        }
    }

    /// Closes it: what was sent is delivered first, then both sides reset their stream.
    pub fn close(&self) {
        self.handle
            .shared
            .call(|state, now| state.session.close_channel(now, self.key));
    }

    pub(crate) fn max_message_size(&self) -> usize {
        self.lock().session.max_message_size()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.handle.shared.lock()
    }
}

fn is_closed(state: &State, key: ChannelKey) -> bool {
    state.session.channel_state(key) == DataChannelState::Closed
}

fn change_event(change: ChannelChange) -> DataChannelEvent {
    match change {
        ChannelChange::Open => DataChannelEvent::Open,
        ChannelChange::BufferedAmountLow => DataChannelEvent::BufferedAmountLow,
        ChannelChange::Error(error) => DataChannelEvent::Error(error),
        ChannelChange::Closing => DataChannelEvent::Closing,
        ChannelChange::Close => DataChannelEvent::Close,
    }
}

/// Nobody can read what comes after the last handle of a channel is gone: it is taken and thrown
/// away, so that it does not close the window of the others.
impl Drop for DataChannel {
    fn drop(&mut self) {
        // Given back under the lock, so that of two handles dropped at once one is the last.
        let signals = std::mem::take(&mut self.signals);
        let mut state = self.lock();
        let is_last = Arc::strong_count(&signals) == HANDLE_AND_SLOT;
        if is_last {
            state.orphan(self.key, crate::shared::now());
        }
        drop(signals);
        drop(state);
        if is_last {
            // The peer may wait for the room that the unread messages took.
            self.handle.shared.driver.wake_by_ref();
        }
    }
}

/// The count of a channel's signals when one handle is left.
const HANDLE_AND_SLOT: usize = 2;

impl fmt::Debug for DataChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let info = state.session.channel_info(self.key);
        f.debug_struct("DataChannel")
            .field("label", &info.label)
            .field("id", &info.id)
            .field("ready_state", &state.session.channel_state(self.key))
            .finish_non_exhaustive()
    }
}
