mod assembly;
mod channel;
mod close;
mod config;
mod event;
mod open;
mod receive;
mod send;

pub use channel::{ChannelInfo, ChannelInit, ChannelKey, ChannelState, ChannelStats};
pub use config::{Config, Parity};
pub use event::{ChannelError, ChannelEvent, OpenError, ReceivedMessage, SendError, Stats};
pub use send::{Outgoing, Reliability};

use assembly::Assemblies;
use channel::{Channel, Halves};
use event::Output;
use receive::Early;
use std::collections::{BTreeMap, VecDeque};

/// The data channels of one association (RFC 8831, RFC 8832): a sans-IO machine.
///
/// # Driving it
///
/// | family | methods |
/// |---|---|
/// | input | [`handle_message`](Self::handle_message), [`incoming_reset`](Self::incoming_reset), [`outgoing_reset`](Self::outgoing_reset), [`reset_failed`](Self::reset_failed), [`transport_connected`](Self::transport_connected), [`transport_closed`](Self::transport_closed) |
/// | verbs | [`open`](Self::open), [`send`](Self::send), [`close`](Self::close), [`forget`](Self::forget), [`set_parity`](Self::set_parity), [`set_max_send_len`](Self::set_max_send_len) |
/// | output | [`poll_outgoing`](Self::poll_outgoing), [`poll_reset`](Self::poll_reset), [`poll_consumed`](Self::poll_consumed), [`poll_event`](Self::poll_event), [`poll_message`](Self::poll_message) |
/// | questions | [`info`](Self::info), [`stats`](Self::stats) |
///
/// After every input and every verb the outputs are polled. The first three are independent of the
/// rest; `poll_outgoing` goes before `poll_reset`, because a stream is reset after what was sent on it.
/// Events and messages share one order: `poll_event` gives nothing while a message is next, and
/// `poll_message` gives nothing while an event is next. Poll both in turns until neither gives:
///
/// ```
/// # let mut channels = muonrtc_datachannel::Channels::new(Default::default());
/// loop {
///     if let Some(event) = channels.poll_event() {
///         // …
///     } else if let Some(message) = channels.poll_message() {
///         // …
///     } else {
///         break;
///     }
/// }
/// ```
///
/// So a channel's [`Opened`](ChannelEvent::Opened) comes before its first message and its
/// [`Closed`](ChannelEvent::Closed) after its last (webrtc-pc §6.2.2).
///
/// # Back-pressure
///
/// Received bytes belong to the association's window until they are returned to it:
/// [`ReceivedMessage::wire_len`] when the user has taken the message, and what `poll_consumed` gives
/// at once. What is queued here is therefore bounded by that window and by [`Config`].
#[derive(Debug)]
pub struct Channels {
    config: Config,
    parity: Option<Parity>,
    transport: Transport,
    max_send_len: usize,
    next_key: u32,
    /// Boxed, because the nodes of a map have room for many and most connections have one.
    channels: BTreeMap<ChannelKey, Box<Channel>>,
    /// Who has a stream. A stream is free if it is in neither map.
    streams: BTreeMap<u16, ChannelKey>,
    /// Streams without a channel that wait for their resets (RFC 8831 §6.7).
    retiring: BTreeMap<u16, Halves>,
    /// No stream of our parity below this one is free.
    lowest_free: u16,
    assemblies: Assemblies,
    early: Early,
    outgoing: VecDeque<Outgoing>,
    resets: VecDeque<u16>,
    consumed: VecDeque<(u16, usize)>,
    output: VecDeque<Output>,
    /// Label and protocol bytes of the channels that the peer opened.
    peer_text_len: usize,
    /// How many channels the peer opened that are not forgotten.
    peer_channels: usize,
    stats: Stats,
}

/// What is known of the streams below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    /// Not up yet.
    Waiting,
    /// Up: streams below this number may be used (webrtc-pc §6.1.3.3).
    Connected { streams: u16 },
    /// Over.
    Closed,
}

impl Channels {
    /// A machine without channels, whose transport is not up.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            max_send_len: config.max_send_len,
            assemblies: Assemblies::new(&config),
            early: Early::default(),
            config,
            parity: None,
            transport: Transport::Waiting,
            next_key: 0,
            channels: BTreeMap::new(),
            streams: BTreeMap::new(),
            retiring: BTreeMap::new(),
            lowest_free: 0,
            outgoing: VecDeque::new(),
            resets: VecDeque::new(),
            consumed: VecDeque::new(),
            output: VecDeque::new(),
            peer_text_len: 0,
            peer_channels: 0,
            stats: Stats::default(),
        }
    }

    /// Says which half of the stream ids is ours: even for the DTLS client, odd for the server
    /// (RFC 8832 §6). Channels that wait for an id get theirs, in the order of their opening.
    pub fn set_parity(&mut self, parity: Parity) {
        self.parity = Some(parity);
        self.lowest_free = 0;
        self.open_waiting();
    }

    /// The longest message that the peer takes, in bytes: `max-message-size` (RFC 8841 §6.1), where 0
    /// means any and so [`usize::MAX`] here. At first [`Config::max_send_len`].
    pub fn set_max_send_len(&mut self, bytes: usize) {
        self.max_send_len = bytes;
    }

    /// The transport is up with that many streams in each direction. Every channel that waits
    /// opens (webrtc-pc §6.1.3.3); one whose id the transport does not have closes.
    pub fn transport_connected(&mut self, incoming: u16, outgoing: u16) {
        let streams = incoming.min(outgoing);
        self.transport = Transport::Connected { streams };
        self.open_waiting();
    }

    /// The next message of DCEP to send. Such a message must not be lost: if the transport cannot
    /// take it now, [put it back](Self::put_back) and send nothing else until it can.
    #[must_use]
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// Puts a message back that [`poll_outgoing`](Self::poll_outgoing) gave and the transport had no
    /// room for: it is the next one again.
    pub fn put_back(&mut self, outgoing: Outgoing) {
        self.outgoing.push_front(outgoing);
    }

    /// The next stream whose outgoing half is to be reset (RFC 8831 §6.7), after everything that
    /// was sent on it.
    #[must_use]
    pub fn poll_reset(&mut self) -> Option<u16> {
        self.resets.pop_front()
    }

    /// Bytes of a stream that go back to the receive window at once: control messages and what was
    /// dropped.
    #[must_use]
    pub fn poll_consumed(&mut self) -> Option<(u16, usize)> {
        self.consumed.pop_front()
    }

    /// The next event; `None` also while a message is next.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ChannelEvent> {
        match self.output.pop_front() {
            Some(Output::Event(event)) => Some(event),
            Some(message) => {
                self.output.push_front(message);
                None
            }
            None => None,
        }
    }

    /// The next message of the user; `None` also while an event is next.
    #[must_use]
    pub fn poll_message(&mut self) -> Option<ReceivedMessage> {
        match self.output.pop_front() {
            Some(Output::Message(message)) => Some(message),
            Some(event) => {
                self.output.push_front(event);
                None
            }
            None => None,
        }
    }

    /// What is known of a channel, until it is [forgotten](Self::forget).
    #[must_use]
    pub fn info(&self, key: ChannelKey) -> Option<ChannelInfo> {
        self.channels.get(&key).map(|channel| channel.info())
    }

    /// The state of a channel, until it is [forgotten](Self::forget).
    #[must_use]
    pub fn state(&self, key: ChannelKey) -> Option<ChannelState> {
        self.channels.get(&key).map(|channel| channel.state())
    }

    /// The stream of a channel, once it has one.
    #[must_use]
    pub fn stream(&self, key: ChannelKey) -> Option<u16> {
        self.channels.get(&key)?.id
    }

    /// The channel that has a stream.
    #[must_use]
    pub fn channel_of(&self, stream: u16) -> Option<ChannelKey> {
        self.streams.get(&stream).copied()
    }

    /// Whether a channel never gives a message up.
    #[must_use]
    pub fn is_reliable(&self, key: ChannelKey) -> bool {
        self.channels
            .get(&key)
            .is_none_or(|channel| channel.init.reliability() == Reliability::Reliable)
    }

    /// Whether a message in parts is being sent on a channel.
    #[must_use]
    pub fn is_sending(&self, key: ChannelKey) -> bool {
        let channel = self.channels.get(&key);
        channel.is_some_and(|channel| channel.sending.is_some())
    }

    /// Whether a message of the user has been sent on a channel: until then all that left it was
    /// control.
    #[must_use]
    pub fn has_sent(&self, key: ChannelKey) -> bool {
        self.channels
            .get(&key)
            .is_some_and(|channel| channel.stats.messages_sent > 0)
    }

    /// The channels that are not forgotten, in the order of their opening.
    pub fn keys(&self) -> impl Iterator<Item = ChannelKey> + '_ {
        self.channels.keys().copied()
    }

    /// How many channels can exist at once: the smaller number of streams (webrtc-pc §6.1.3.3).
    /// `None` until the transport is up.
    #[must_use]
    pub fn max_channels(&self) -> Option<u16> {
        match self.transport {
            Transport::Connected { streams } => Some(streams),
            Transport::Waiting | Transport::Closed => None,
        }
    }

    /// Counters over all channels.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn event(&mut self, event: ChannelEvent) {
        self.output.push_back(Output::Event(event));
    }

    fn consume(&mut self, stream: u16, bytes: usize) {
        if bytes > 0 {
            self.consumed.push_back((stream, bytes));
        }
    }
}
