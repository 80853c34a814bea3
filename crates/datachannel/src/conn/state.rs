//! What the task owns, and one turn of it.

use crate::{
    ChannelError, ChannelEvent, ChannelKey, ChannelState, Channels, ReceivedMessage, Reliability,
};
use layer::Streams;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::task::{Context, Poll, Waker};

/// Messages that the task receives before it lets others run.
const BATCH: usize = 64;

#[derive(Debug)]
pub(super) struct State {
    pub(super) channels: Channels,
    pub(super) slots: BTreeMap<ChannelKey, Slot>,
    /// Channels of the peer that nobody has accepted.
    pub(super) incoming: VecDeque<ChannelKey>,
    pub(super) queue: VecDeque<layer::Outgoing>,
    pub(super) queued: usize,
    /// What users took: stream and bytes.
    pub(super) taken: Vec<(u16, usize)>,
    pub(super) task: Option<Waker>,
    pub(super) has_ended: bool,
    pub(super) is_abandoned: bool,
}

/// What the front keeps of a channel.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Bounded by the association's window, to which taking a message returns its bytes.
    pub(super) inbox: VecDeque<ReceivedMessage>,
    pub(super) error: Option<ChannelError>,
    pub(super) is_dropped: bool,
}

/// The end of the association: `None` if it was graceful.
pub(super) type Ended = Option<io::Error>;

impl State {
    pub(super) fn new(channels: Channels) -> Self {
        Self {
            channels,
            slots: BTreeMap::new(),
            incoming: VecDeque::new(),
            queue: VecDeque::new(),
            queued: 0,
            taken: Vec::new(),
            task: None,
            has_ended: false,
            is_abandoned: false,
        }
    }

    pub(super) fn wake_task(&self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }

    pub(super) fn turn(
        &mut self,
        cx: &mut Context<'_>,
        streams: &impl Streams,
    ) -> Result<(), Ended> {
        self.receive(cx, streams)?;
        for (stream, bytes) in self.taken.drain(..) {
            streams.consume(stream, bytes);
        }
        while let Some((stream, bytes)) = self.channels.poll_consumed() {
            streams.consume(stream, bytes);
        }
        // RFC 8831 §6.7: a stream is reset after what was sent on it.
        if self.transmit(cx, streams)? {
            self.reset(streams);
        }
        Ok(())
    }

    /// Messages first: a reset comes after them (RFC 6525 §5.2.2).
    fn receive(&mut self, cx: &mut Context<'_>, streams: &impl Streams) -> Result<(), Ended> {
        for _ in 0..BATCH {
            let Poll::Ready(message) = streams.poll_message(cx) else {
                while let Poll::Ready(stream) = streams.poll_incoming_reset(cx) {
                    self.channels.incoming_reset(&[stream.map_err(Some)?]);
                }
                return Ok(());
            };
            let message = message.map_err(Some)?.ok_or(None)?;
            let layer::Message {
                stream,
                protocol,
                first,
                last,
                data,
                aborted,
                ..
            } = message;
            if aborted {
                self.channels.handle_aborted(stream);
                continue;
            }
            self.channels
                .handle_message(stream, protocol, first, last, data);
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Sends what is queued, and says whether that was all.
    fn transmit(&mut self, cx: &mut Context<'_>, streams: &impl Streams) -> Result<bool, Ended> {
        loop {
            // RFC 8832 §6: control messages come before the data of their channel.
            let (control, message) = match self.channels.poll_outgoing() {
                Some(control) => (Some(control.clone()), Some(to_layer(control))),
                None => (None, self.queue.pop_front()),
            };
            let Some(message) = message else {
                return Ok(true);
            };
            let (stream, len) = (message.stream, message.data.len());
            let is_control = control.is_some();
            let mut message = Some(message);
            let sent = streams.poll_send(cx, &mut message);
            if !is_control && sent.is_ready() {
                self.queued -= len;
            }
            match (sent, control, message) {
                (Poll::Ready(Ok(())), ..) => {}
                (Poll::Ready(Err(error)), ..) if error.kind() == io::ErrorKind::InvalidInput => {
                    // The association has no such stream.
                    self.channels.reset_failed(&[stream]);
                }
                (Poll::Ready(Err(error)), ..) => return Err(Some(error)),
                (Poll::Pending, Some(control), _) => {
                    self.channels.put_back(control);
                    return Ok(false);
                }
                (Poll::Pending, None, message) => {
                    if let Some(message) = message {
                        self.queue.push_front(message);
                    }
                    return Ok(false);
                }
            }
        }
    }

    /// [`Streams`] performs a reset by itself and does not tell when; the channel's end is the peer's
    /// reset, which answers ours.
    fn reset(&mut self, streams: &impl Streams) {
        while let Some(stream) = self.channels.poll_reset() {
            match streams.reset(stream) {
                Ok(()) => self.channels.outgoing_reset(&[stream]),
                Err(_) => self.channels.reset_failed(&[stream]),
            }
        }
    }

    pub(super) fn end(&mut self, error: Option<&io::Error>) {
        self.has_ended = true;
        self.queue.clear();
        self.channels
            .transport_closed(error.map(|_| ChannelError::Transport));
    }

    /// Hands out what the machine has.
    pub(super) fn collect(&mut self) {
        loop {
            if let Some(event) = self.channels.poll_event() {
                self.handle_event(event);
            } else if let Some(message) = self.channels.poll_message() {
                match self.slots.get_mut(&message.key) {
                    Some(slot) if !slot.is_dropped => slot.inbox.push_back(message),
                    _ => self.taken.push((message.stream, message.wire_len)),
                }
            } else {
                break;
            }
        }
        if !self.taken.is_empty() && !self.has_ended {
            self.wake_task();
        }
    }

    fn handle_event(&mut self, event: ChannelEvent) {
        match event {
            ChannelEvent::Incoming { key } => {
                self.slots.insert(key, Slot::default());
                self.incoming.push_back(key);
            }
            ChannelEvent::Closed { key, error } => {
                if let Some(slot) = self.slots.get_mut(&key) {
                    slot.error = error;
                }
                self.forget_if_dropped(key);
            }
            ChannelEvent::Opened { .. } | ChannelEvent::Closing { .. } => {}
        }
    }

    /// Lets go of a channel that is closed and that nobody holds.
    pub(super) fn forget_if_dropped(&mut self, key: ChannelKey) {
        let is_dropped = self.slots.get(&key).is_some_and(|slot| slot.is_dropped);
        if is_dropped && self.channels.state(key) == Some(ChannelState::Closed) {
            self.channels.forget(key);
            self.slots.remove(&key);
        }
    }

    /// Nobody holds a handle, and what was sent is on its way.
    pub(super) fn is_done(&self) -> bool {
        self.is_abandoned && self.queue.is_empty()
    }
}

pub(super) fn to_layer(outgoing: crate::Outgoing) -> layer::Outgoing {
    let mut message = layer::Outgoing::new(outgoing.stream, outgoing.protocol, outgoing.data);
    message.unordered = outgoing.unordered;
    (message.first, message.last) = (outgoing.first, outgoing.last);
    message.reliability = match outgoing.reliability {
        Reliability::Reliable => layer::Reliability::Reliable,
        Reliability::MaxRetransmits(count) => layer::Reliability::MaxRetransmits(count),
        Reliability::MaxLifetime(lifetime) => layer::Reliability::MaxLifetime(lifetime),
    };
    message
}
