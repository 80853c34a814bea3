//! What the task owns, and one turn of it.

use crate::{
    ChannelError, ChannelEvent, ChannelKey, ChannelState, Channels, ReceivedMessage, Reliability,
};
use layer::Streams;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
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
    queue: Queue,
    /// Streams that have a channel since, and its weight.
    weights: Vec<(u16, u16)>,
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

/// What waits for the association's send buffer, in its order.
#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<layer::Outgoing>,
    bytes: usize,
    /// How many of them go on with a message.
    continuations: usize,
}

impl Queue {
    fn push(&mut self, message: layer::Outgoing) {
        self.bytes += message.data.len();
        self.continuations += usize::from(!message.first);
        self.messages.push_back(message);
    }

    fn remove(&mut self, at: usize) {
        if let Some(message) = self.messages.remove(at) {
            self.bytes -= message.data.len();
            self.continuations -= usize::from(!message.first);
        }
    }

    fn has(&self, stream: u16) -> bool {
        self.messages.iter().any(|message| message.stream == stream)
    }

    /// Where each stream's next part is, of those that go on with a message.
    fn next_parts(&self) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let firsts = self.messages.iter().enumerate();
        let firsts = firsts.filter(|(_, message)| seen.insert(message.stream));
        let parts = firsts.filter(|(_, message)| !message.first);
        parts.map(|(at, _)| at).collect()
    }
}

/// What became of a message.
enum Sent {
    Taken,
    NoRoom,
}

/// The end of the association: `None` if it was graceful.
pub(super) type Ended = Option<io::Error>;

impl State {
    pub(super) fn new(channels: Channels) -> Self {
        Self {
            channels,
            slots: BTreeMap::new(),
            incoming: VecDeque::new(),
            queue: Queue::default(),
            weights: Vec::new(),
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

    /// Whether a channel may queue more.
    pub(super) fn has_room(&self, key: ChannelKey, most: usize) -> bool {
        let goes_on = || {
            let stream = self.channels.stream(key);
            self.channels.is_sending(key) && stream.is_some_and(|stream| !self.queue.has(stream))
        };
        self.queue.bytes < most || self.has_ended || goes_on()
    }

    pub(super) fn enqueue(&mut self, message: crate::Outgoing) {
        self.queue.push(to_layer(message));
        self.wake_task();
    }

    pub(super) fn turn(
        &mut self,
        cx: &mut Context<'_>,
        streams: &impl Streams,
    ) -> Result<(), Ended> {
        self.receive(cx, streams)?;
        for (stream, weight) in self.weights.drain(..) {
            streams.set_priority(stream, weight);
        }
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
        // RFC 8832 §6: control messages come before the data of their channel.
        while let Some(control) = self.channels.poll_outgoing() {
            if let Sent::NoRoom = self.send(cx, streams, to_layer(control.clone()))? {
                self.channels.put_back(control);
                self.transmit_parts(cx, streams)?;
                return Ok(false);
            }
        }
        while let Some(message) = self.queue.messages.front().cloned() {
            if let Sent::NoRoom = self.send(cx, streams, message)? {
                self.transmit_parts(cx, streams)?;
                return Ok(false);
            }
            self.queue.remove(0);
        }
        Ok(true)
    }

    /// There is no room: only what goes on with a message may have some, if the association waits
    /// for it and for nothing else.
    fn transmit_parts(
        &mut self,
        cx: &mut Context<'_>,
        streams: &impl Streams,
    ) -> Result<(), Ended> {
        let mut has_sent = true;
        while has_sent && self.queue.continuations > 0 {
            has_sent = false;
            for at in self.queue.next_parts().into_iter().rev() {
                let Some(message) = self.queue.messages.get(at).cloned() else {
                    continue;
                };
                if let Sent::Taken = self.send(cx, streams, message)? {
                    self.queue.remove(at);
                    has_sent = true;
                }
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        cx: &mut Context<'_>,
        streams: &impl Streams,
        message: layer::Outgoing,
    ) -> Result<Sent, Ended> {
        let stream = message.stream;
        match streams.poll_send(cx, &mut Some(message)) {
            Poll::Ready(Ok(())) => Ok(Sent::Taken),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                // The association has no such stream.
                self.channels.reset_failed(&[stream]);
                Ok(Sent::Taken)
            }
            Poll::Ready(Err(error)) => Err(Some(error)),
            Poll::Pending => Ok(Sent::NoRoom),
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
        self.queue = Queue::default();
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
        let has_work = !self.taken.is_empty() || !self.weights.is_empty();
        if has_work && !self.has_ended {
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
            // RFC 8831 §6.4: the weight that either side gave it.
            ChannelEvent::Opened { key } => {
                let info = self.channels.info(key);
                let weight = info.and_then(|info| Some((info.id?, info.init.priority)));
                self.weights.extend(weight);
            }
            ChannelEvent::Closing { .. } => {}
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
        self.is_abandoned && self.queue.messages.is_empty()
    }
}

fn to_layer(outgoing: crate::Outgoing) -> layer::Outgoing {
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
