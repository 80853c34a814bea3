//! What a connection's handles and its driver share: one lock, and the wakers.

#[cfg(feature = "rtp")]
mod media;
#[cfg(feature = "rtp")]
mod outbox;
#[cfg(feature = "rtp")]
mod track;

#[cfg(feature = "rtp")]
pub(crate) use self::media::{MediaState, TrackChange};
#[cfg(feature = "rtp")]
pub(crate) use self::outbox::Outbox;
#[cfg(feature = "rtp")]
pub(crate) use self::track::TrackCore;
use crate::api::state::DataChannelState;
use crate::error::Error;
use crate::event::Event;
use crate::message::{DataChannelMessage, DataChannelPart};
pub(crate) use crate::owner::{DriverWake, Socket};
use crate::session::{Payload, Session, SessionEvent, ShellRequest};
use datachannel::ChannelKey;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Wake;
use std::time::Instant;
use tokio::sync::Notify;

/// Events of a connection that nobody has taken yet. At the bound the oldest change of state makes
/// room: the state itself can always be read.
const MAX_EVENTS: usize = 1024;

/// Bytes that the channels with limited reliability keep for readers who are slow. Beyond it the
/// oldest message of the fullest is given up and counted, so that a slow reader harms only itself:
/// half the window that an association begins with, which never closes because of them.
const MAX_UNRELIABLE_QUEUE: usize = 512 * 1024;

/// Bytes taken by readers before the driver is woken to tell the peer of the room; a small part
/// of SCTP's window, so that the peer never waits for it.
const CONSUMED_WAKE: usize = 64 * 1024;

/// [`send`](crate::DataChannel::send) waits while this many bytes of its channel are buffered.
pub(crate) const SEND_HIGH_WATER: usize = 1024 * 1024;

/// ... and goes on when they have come down to this many.
const SEND_LOW_WATER: usize = SEND_HIGH_WATER / 2;

/// One connection, between its handles and its driver.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The operations chain (webrtc-pc §4.4.1.2): fair, one operation at a time.
    pub(crate) chain: tokio::sync::Mutex<()>,
    /// Something about the connection itself has changed.
    pub(crate) changed: Notify,
    pub(crate) driver: Arc<DriverWake>,
    /// Set where the owner has many connections.
    settler: OnceLock<Weak<dyn Settle>>,
}

/// An owner that has what a session asks for at hand, and answers in the turn of whoever made it ask.
pub(crate) trait Settle: Send + Sync {
    /// Answers what is asked for.
    fn settle(self: Arc<Self>, state: &mut State, now: Instant);
}

/// Everything under the lock. It is held for a few lines and never across an await.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) session: Session,
    pub(crate) events: VecDeque<Event<SessionEvent>>,
    /// Boxed, because the nodes of a map have room for many and most connections have one.
    pub(crate) channels: BTreeMap<ChannelKey, Box<Slot>>,
    /// For the driver.
    pub(crate) requests: VecDeque<ShellRequest>,
    sequence: u64,
    consumed: usize,
    /// What waits for the readers of all channels with limited reliability.
    shedding: usize,
    /// Channels whose writers wait for room, and for how many bytes.
    waiting: Vec<(ChannelKey, usize)>,
    /// `negotiationneeded` waits for the chain to be empty.
    pub(crate) negotiation_waits: bool,
    /// The driver is gone.
    pub(crate) ended: bool,
    pub(crate) sockets: Vec<Socket>,
    #[cfg(feature = "rtp")]
    pub(crate) media: MediaState,
}

/// What waits for the readers and writers of one channel.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) events: VecDeque<Event<ChannelChange>>,
    pub(crate) messages: VecDeque<Event<Received>>,
    queued_bytes: usize,
    /// Its reliability is limited: messages may be given up.
    sheds: bool,
    /// Messages given up because the reader was slow.
    pub(crate) dropped: u64,
    pub(crate) signals: Arc<Signals>,
    /// There was a handle and there is none any more.
    orphaned: bool,
}

/// Wakes the tasks that wait on a channel.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) readable: Notify,
    pub(crate) writable: Notify,
}

/// A change in a channel's life.
#[derive(Clone, Debug)]
pub(crate) enum ChannelChange {
    Open,
    BufferedAmountLow,
    Error(Error),
    Closing,
    Close,
}

/// A message and what it counts in the window.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) message: DataChannelMessage,
    /// Whether it begins and ends its message.
    ends: (bool, bool),
    is_text: bool,
    aborted: bool,
    pub(crate) stream: u16,
    pub(crate) wire_len: usize,
}

impl Shared {
    pub(crate) fn new(session: Session, driver: Arc<DriverWake>) -> Self {
        Self {
            state: Mutex::new(State {
                session,
                events: VecDeque::new(),
                channels: BTreeMap::new(),
                requests: VecDeque::new(),
                sequence: 0,
                consumed: 0,
                shedding: 0,
                waiting: Vec::new(),
                negotiation_waits: false,
                ended: false,
                sockets: Vec::new(),
                #[cfg(feature = "rtp")]
                media: MediaState::default(),
            }),
            chain: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            driver,
            settler: OnceLock::new(),
        }
    }

    /// The connection has this owner from now on.
    pub(crate) fn settle_by(&self, settler: Weak<dyn Settle>) {
        // Once, when the connection is made.
        let _ = self.settler.set(settler);
    }

    /// A panic under the lock is a bug of ours; the state is still the best there is.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks, changes the session, hands on what that made happen, and wakes the driver.
    pub(crate) fn call<R>(&self, verb: impl FnOnce(&mut State, Instant) -> R) -> R {
        let now = now();
        let result = {
            let mut state = self.lock();
            let result = verb(&mut state, now);
            self.dispatch(&mut state);
            if let Some(settler) = self.settler.get().and_then(Weak::upgrade) {
                settler.settle(&mut state, now);
            }
            result
        };
        self.driver.wake_by_ref();
        result
    }

    /// The owner has let go: nothing is sent or received any more.
    pub(crate) fn end(&self, now: Instant) {
        let mut state = self.lock();
        state.ended = true;
        state.session.close(now);
        self.dispatch(&mut state);
        state.sockets.clear();
        drop(state);
        self.changed.notify_waiters();
        #[cfg(feature = "rtp")]
        self.wake_readers();
    }

    /// webrtc-pc §4.7.3: `negotiationneeded` waits until no operation is under way, and is not
    /// raised if the negotiation has happened meanwhile.
    pub(crate) fn release_negotiation(&self) {
        let Ok(_turn) = self.chain.try_lock() else {
            return;
        };
        let mut state = self.lock();
        if std::mem::take(&mut state.negotiation_waits) && state.session.is_negotiation_needed() {
            state.push_negotiation_needed();
            self.changed.notify_waiters();
        }
    }

    /// Hands events and messages to the queues of their objects.
    pub(crate) fn dispatch(&self, state: &mut State) {
        let mut told = false;
        loop {
            while let Some(event) = state.session.poll_event() {
                told |= state.dispatch_event(event);
            }
            if !state.dispatch_message() {
                break;
            }
        }
        #[cfg(feature = "rtp")]
        state.dispatch_packets();
        state.release_writers();
        if told {
            self.changed.notify_waiters();
        }
    }
}

impl State {
    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Whether the event was one of the connection itself.
    fn dispatch_event(&mut self, event: SessionEvent) -> bool {
        let sequence = self.next_sequence();
        #[cfg(feature = "rtp")]
        if self.dispatch_track_event(&event, sequence) {
            return false;
        }
        match event {
            SessionEvent::Request(request) => self.requests.push_back(request),
            SessionEvent::NegotiationNeeded => self.negotiation_waits = true,
            SessionEvent::ChannelOpen(key) => self.tell(key, sequence, ChannelChange::Open),
            SessionEvent::ChannelClosing(key) => self.tell(key, sequence, ChannelChange::Closing),
            SessionEvent::ChannelClose(key, error) => {
                if let Some(error) = error {
                    self.tell(key, sequence, ChannelChange::Error(error));
                }
                self.tell(key, sequence, ChannelChange::Close);
                self.forget_closed(key);
            }
            SessionEvent::BufferedAmountLow(key) => {
                self.tell(key, sequence, ChannelChange::BufferedAmountLow);
            }
            SessionEvent::Writable => {}
            event => {
                if let SessionEvent::DataChannel(key) = event {
                    self.channels.entry(key).or_default();
                }
                #[cfg(feature = "rtp")]
                if let SessionEvent::Track(key, layer) = event {
                    self.media.track(key, layer);
                }
                self.push_event(Event::new(sequence, event));
                return true;
            }
        }
        self.negotiation_waits
    }

    pub(crate) fn push_negotiation_needed(&mut self) {
        self.negotiation_waits = false;
        let sequence = self.next_sequence();
        self.push_event(Event::new(sequence, SessionEvent::NegotiationNeeded));
    }

    fn push_event(&mut self, event: Event<SessionEvent>) {
        if self.events.len() >= MAX_EVENTS {
            let is_state = |event: &Event<SessionEvent>| {
                !matches!(
                    event.kind,
                    SessionEvent::DataChannel(_) | SessionEvent::IceCandidate(_)
                ) && !is_track(&event.kind)
            };
            let oldest = self.events.iter().position(is_state).unwrap_or(0);
            self.events.remove(oldest);
        }
        self.events.push_back(event);
    }

    /// The slot of a channel: made with the first thing that concerns it.
    pub(crate) fn slot(&mut self, key: ChannelKey) -> &mut Slot {
        self.channels.entry(key).or_default()
    }

    fn tell(&mut self, key: ChannelKey, sequence: u64, change: ChannelChange) {
        let slot = self.slot(key);
        // Low events that nobody took say the same thing once.
        let repeated = matches!(change, ChannelChange::BufferedAmountLow)
            && slot
                .events
                .iter()
                .any(|e| matches!(e.kind, ChannelChange::BufferedAmountLow));
        if !repeated {
            slot.events.push_back(Event::new(sequence, change));
        }
        slot.signals.readable.notify_waiters();
        slot.signals.writable.notify_waiters();
    }

    /// Queues the next message, if there is one.
    fn dispatch_message(&mut self) -> bool {
        let Some(incoming) = self.session.poll_message() else {
            return false;
        };
        let sequence = self.next_sequence();
        let slot = self.channels.entry(incoming.key).or_default();
        if slot.orphaned {
            self.session
                .consume(now(), incoming.stream, incoming.wire_len);
            return true;
        }
        let (first, last) = (incoming.first, incoming.last);
        let (is_text, aborted) = (incoming.payload == Payload::Text, incoming.aborted);
        let message = match incoming.payload {
            // Characters may lie across the parts of a text.
            _ if !(first && last) => DataChannelMessage::Binary(incoming.data),
            Payload::Binary => DataChannelMessage::Binary(incoming.data),
            Payload::Text => {
                DataChannelMessage::Text(match String::from_utf8(incoming.data.into()) {
                    Ok(text) => text,
                    // webrtc-pc §6.2: decoded as UTF-8, errors replaced.
                    Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                })
            }
        };
        let (stream, wire_len) = (incoming.stream, incoming.wire_len);
        slot.queued_bytes += wire_len;
        slot.sheds = !incoming.reliable;
        slot.messages.push_back(Event::new(
            sequence,
            Received {
                message,
                ends: (first, last),
                is_text,
                aborted,
                stream,
                wire_len,
            },
        ));
        slot.signals.readable.notify_waiters();
        if !incoming.reliable {
            self.shedding += wire_len;
            self.shed(incoming.key);
        }
        true
    }

    /// The last handle of a channel is gone: what waits for a reader is given back to the window,
    /// and a closed channel is forgotten.
    pub(crate) fn orphan(&mut self, key: ChannelKey, now: Instant) {
        let Some(slot) = self.channels.get_mut(&key) else {
            return;
        };
        slot.orphaned = true;
        let queued = std::mem::take(&mut slot.queued_bytes);
        if slot.sheds {
            self.shedding -= queued;
        }
        for lost in std::mem::take(&mut slot.messages) {
            self.session
                .consume(now, lost.kind.stream, lost.kind.wire_len);
        }
        self.forget_closed(key);
    }

    /// Lets go of a channel that is closed and has no handle.
    fn forget_closed(&mut self, key: ChannelKey) {
        let orphaned = self.channels.get(&key).is_some_and(|slot| slot.orphaned);
        if orphaned && self.session.channel_state(key) == DataChannelState::Closed {
            self.channels.remove(&key);
            self.session.forget_channel(key);
        }
    }

    /// Gives up old messages of the channels with limited reliability beyond their bound, but never
    /// the newest of the channel that has just got one.
    fn shed(&mut self, newest: ChannelKey) {
        while self.shedding > MAX_UNRELIABLE_QUEUE {
            let slots = self.channels.iter_mut().filter(|(_, slot)| slot.sheds);
            let fullest = slots
                .filter(|(key, slot)| **key != newest || slot.messages.len() > 1)
                .max_by_key(|(_, slot)| slot.queued_bytes);
            let Some((_, slot)) = fullest else {
                return;
            };
            let Some(lost) = slot.messages.pop_front() else {
                return;
            };
            slot.queued_bytes -= lost.kind.wire_len;
            self.shedding -= lost.kind.wire_len;
            slot.dropped += 1;
            self.session
                .consume(now(), lost.kind.stream, lost.kind.wire_len);
        }
    }

    /// Takes the oldest message of a channel and gives its bytes back to the window; says whether
    /// the driver should hear of it.
    pub(crate) fn take_message(
        &mut self,
        key: ChannelKey,
        now: Instant,
    ) -> Option<(Event<DataChannelMessage>, bool)> {
        let (event, wake) = self.take_received(key, now)?;
        Some((event.map(|received| received.message), wake))
    }

    /// The same with what is told of parts.
    pub(crate) fn take_part(
        &mut self,
        key: ChannelKey,
        now: Instant,
    ) -> Option<(DataChannelPart, bool)> {
        let (event, wake) = self.take_received(key, now)?;
        let received = event.kind;
        let part = DataChannelPart {
            data: match received.message {
                DataChannelMessage::Binary(data) => data,
                DataChannelMessage::Text(text) => text.into_bytes().into(),
            },
            is_text: received.is_text,
            first: received.ends.0,
            last: received.ends.1,
            aborted: received.aborted,
        };
        Some((part, wake))
    }

    fn take_received(&mut self, key: ChannelKey, now: Instant) -> Option<(Event<Received>, bool)> {
        let slot = self.channels.get_mut(&key)?;
        let event = slot.messages.pop_front()?;
        let (stream, wire_len) = (event.kind.stream, event.kind.wire_len);
        slot.queued_bytes -= wire_len;
        if slot.sheds {
            self.shedding -= wire_len;
        }
        self.session.consume(now, stream, wire_len);
        self.consumed += wire_len;
        let wake = self.consumed >= CONSUMED_WAKE;
        if wake {
            self.consumed = 0;
        }
        Some((event, wake))
    }

    /// A writer of this channel waits for room for so many bytes.
    pub(crate) fn wait_for_room(&mut self, key: ChannelKey, bytes: usize) {
        match self.waiting.iter_mut().find(|(waiting, _)| *waiting == key) {
            Some((_, least)) => *least = bytes.min(*least),
            None => self.waiting.push((key, bytes)),
        }
    }

    /// Lets waiting writers go on whose channels have drained.
    fn release_writers(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let (session, channels) = (&self.session, &self.channels);
        let capacity = session.send_capacity();
        self.waiting.retain(|(key, bytes)| {
            if session.buffered_amount(*key) > SEND_LOW_WATER || capacity < *bytes {
                return true;
            }
            if let Some(slot) = channels.get(key) {
                slot.signals.writable.notify_waiters();
            }
            false
        });
    }
}

/// An event that hands an object over, and so is never given up.
#[cfg(feature = "rtp")]
fn is_track(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::Track(..))
}

#[cfg(not(feature = "rtp"))]
fn is_track(_: &SessionEvent) -> bool {
    false
}

/// The clock of tokio, so that paused time drives everything.
#[allow(clippy::disallowed_methods, reason = "the driver is where time enters")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
