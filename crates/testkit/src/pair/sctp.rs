use super::{Pair, Peer};
use crate::seed::layer_seed;
use crate::{Clock, Link, Wakes};
use layer::{Message, NewSctp, Sctp, SctpConfig, SctpConnect, SctpEvent, SctpState};
use std::fmt;
use std::time::{Duration, Instant};

/// The port that both ends of a [`Pair`] use (RFC 8841 §5 gives 5000 as its example).
const PORT: u16 = 5000;

/// An SCTP association at one end of a [`Pair`], and what came out of it.
pub struct SctpPeer {
    /// The association.
    pub machine: Box<dyn Sctp>,
    /// Every event so far; drain it as you like.
    pub events: Vec<SctpEvent>,
    /// Every message or fragment so far; drain it as you like.
    pub messages: Vec<Message>,
    /// Whether received bytes are returned to the window at once. Default `true`.
    pub consume: bool,
    /// For every event, how many messages had come before it.
    messages_before: Vec<usize>,
}

impl SctpPeer {
    /// Puts an association at one end.
    #[must_use]
    pub fn new(machine: Box<dyn Sctp>) -> Self {
        Self {
            machine,
            events: Vec::new(),
            messages: Vec::new(),
            consume: true,
            messages_before: Vec::new(),
        }
    }

    /// How many messages and fragments had been collected when the event of this index was; counted
    /// from the start, so ask before events or messages are drained.
    ///
    /// # Panics
    ///
    /// If there was no such event.
    #[must_use]
    pub fn messages_before_event(&self, index: usize) -> usize {
        self.messages_before[index]
    }

    /// Forgets the events so far.
    pub fn clear_events(&mut self) {
        self.events.clear();
        self.messages_before.clear();
    }

    /// The whole messages received so far, as (stream, payload protocol, bytes), in the order their
    /// last fragments came; they are taken out, beginnings of unfinished ones stay.
    ///
    /// # Panics
    ///
    /// If the fragments of one message do not follow each other in their stream.
    pub fn take_messages(&mut self) -> Vec<(u16, u32, Vec<u8>)> {
        let mut whole = Vec::new();
        let mut unfinished: Vec<Message> = Vec::new();
        for message in self.messages.drain(..) {
            let begun = unfinished.iter().any(|part| part.stream == message.stream);
            assert_ne!(
                begun, message.first,
                "a message begins or goes on in the middle of another on stream {}",
                message.stream
            );
            if message.last {
                let mut data = Vec::new();
                let of_it = |part: &mut Message| part.stream == message.stream;
                for part in unfinished.extract_if(.., of_it) {
                    data.extend_from_slice(&part.data);
                }
                data.extend_from_slice(&message.data);
                whole.push((message.stream, message.protocol, data));
            } else {
                unfinished.push(message);
            }
        }
        self.messages = unfinished;
        whole
    }

    /// Whether it has told its end.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, SctpEvent::Ended(_)))
    }
}

impl Peer for SctpPeer {
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) {
        self.machine.handle_input(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        self.machine.poll_transmit(now, buf)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn collect(&mut self, now: Instant) -> bool {
        let before = (self.events.len(), self.messages.len());
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
            self.messages_before.push(self.messages.len());
        }
        while let Some(message) = self.machine.poll_message() {
            if self.consume {
                self.machine
                    .consume(now, message.stream, message.data.len());
            }
            self.messages.push(message);
        }
        before != (self.events.len(), self.messages.len())
    }
}

impl fmt::Debug for SctpPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SctpPeer")
            .field("state", &self.machine.state())
            .field("events", &self.events)
            .field("messages", &self.messages.len())
            .field("stats", &self.machine.stats())
            .finish_non_exhaustive()
    }
}

impl Pair<SctpPeer> {
    /// Two new associations, `configure`d alike, made by two factories (which may be the same).
    #[must_use]
    pub fn sctp(
        factories: [&dyn NewSctp; 2],
        link: &Link,
        seed: u64,
        configure: impl Fn(&mut SctpConfig),
    ) -> Self {
        let clock = Clock::new();
        let wakes = Wakes::new();
        let peer = |factory: &dyn NewSctp, label| {
            let mut config = SctpConfig::new(wakes.waker());
            configure(&mut config);
            let start = clock.start(layer_seed(seed, label));
            SctpPeer::new(factory.new_sctp(start, config))
        };
        let a = peer(factories[0], b"sctp   a");
        let b = peer(factories[1], b"sctp   b");
        let mut pair = Self::new(clock, seed, link, a, b);
        pair.wakes = wakes;
        pair
    }

    /// Lets both ends start, as RFC 8841 §9.3 has it, without running.
    ///
    /// # Panics
    ///
    /// If an end refuses.
    pub fn start(&mut self) {
        let now = self.now();
        for end in [&mut self.a, &mut self.b] {
            let ports = SctpConnect::new(PORT, PORT);
            if let Err(error) = end.machine.connect(now, ports) {
                panic!("connect was refused: {error}");
            }
        }
        self.settle();
    }

    /// Starts both ends and runs until both are connected; `false` if they are not within `limit`.
    ///
    /// # Panics
    ///
    /// If an end refuses.
    #[must_use]
    pub fn connect(&mut self, limit: Duration) -> bool {
        self.start();
        self.run_until(limit, |pair| {
            let connected = |end: &SctpPeer| end.machine.state() == SctpState::Connected;
            connected(&pair.a) && connected(&pair.b)
        })
    }
}
