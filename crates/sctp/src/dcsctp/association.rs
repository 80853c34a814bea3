use super::worker::{Turn, Worker};
use super::{Factory, event};
use ::dcsctp::api::{
    DcSctpSocket, ErrorKind, LifecycleId, Message as Whole, PpId, SendError, SendOptions,
    SocketEvent, SocketState, StreamId,
};
use bytes::{Bytes, BytesMut};
use layer::{
    Blame, End, Message, Outgoing, Reliability, Sctp, SctpConfig, SctpConnect, SctpError,
    SctpEvent, SctpState, SctpStats, Start,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// How many packets are kept that come before `connect`.
const MAX_EARLY_PACKETS: usize = 16;

/// One association of the library.
pub(super) struct Association {
    settings: Factory,
    start: Instant,
    config: SctpConfig,
    /// The bound on what the owner has taken and not consumed.
    window: usize,
    worker: Option<Worker>,
    state: SctpState,
    streams: Option<(u16, u16)>,
    timeout: Option<Duration>,
    /// Packets and messages from before `connect`.
    early: VecDeque<Vec<u8>>,
    waiting: VecDeque<Outgoing>,
    /// Messages whose last fragment has not come.
    open: BTreeMap<u16, (Outgoing, BytesMut)>,
    thresholds: BTreeMap<u16, usize>,
    priorities: BTreeMap<u16, u16>,
    /// Streams that were sent on.
    used: BTreeSet<u16>,
    /// Streams to be reset when what is queued has left.
    resets: BTreeSet<u16>,
    /// The streams of messages that are neither delivered nor given up.
    undelivered: BTreeMap<u64, u16>,
    /// Shut down when there are none: the library by itself forgets those it would send again.
    shuts_down: bool,
    next_id: u64,
    /// How many bytes a refused `send` had.
    refused: Option<usize>,
    unconsumed: usize,
    /// Messages that the owner has not taken, and their bytes.
    fetched: VecDeque<Whole>,
    fetched_len: usize,
    /// We have shut it down.
    is_ours: bool,
    dropped: u64,
    abandoned: u64,
    packets: VecDeque<Vec<u8>>,
    events: VecDeque<SctpEvent>,
}

impl Association {
    pub(super) fn new(settings: Factory, start: Start, config: SctpConfig) -> Self {
        Self {
            start: start.now,
            window: settings.receive_window.max(config.max_message),
            settings,
            config,
            worker: None,
            state: SctpState::New,
            streams: None,
            timeout: None,
            early: VecDeque::new(),
            waiting: VecDeque::new(),
            open: BTreeMap::new(),
            thresholds: BTreeMap::new(),
            priorities: BTreeMap::new(),
            used: BTreeSet::new(),
            resets: BTreeSet::new(),
            undelivered: BTreeMap::new(),
            shuts_down: false,
            next_id: 0,
            refused: None,
            unconsumed: 0,
            fetched: VecDeque::new(),
            fetched_len: 0,
            is_ours: false,
            dropped: 0,
            abandoned: 0,
            packets: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// One call of the socket, and everything that follows.
    fn turn(&mut self, now: Instant, work: impl FnOnce(&mut dyn DcSctpSocket) + Send + 'static) {
        let age = self.age(now);
        let Some(worker) = &self.worker else { return };
        let room = self
            .window
            .saturating_sub(self.unconsumed + self.fetched_len);
        match worker.turn(age, room, |socket| work(socket)) {
            Some(turn) => self.take(turn),
            None => self.end(End::new(Blame::Local, "the library has failed")),
        }
        self.follow(now);
    }

    fn take(&mut self, turn: Turn) {
        self.timeout = turn.timeout;
        self.streams = turn.streams.or(self.streams);
        for message in turn.messages {
            self.fetched_len += message.payload.len();
            self.fetched.push_back(message);
        }
        for event in turn.events {
            self.take_event(event);
        }
        if self.state != SctpState::Closed {
            self.state = match turn.state {
                SocketState::Connected if !self.is_ours => SctpState::Connected,
                SocketState::ShuttingDown => SctpState::ShuttingDown,
                _ => self.state,
            };
        }
    }

    fn take_event(&mut self, event: SocketEvent) {
        let told = match event {
            SocketEvent::SendPacket(packet) => {
                self.packets.push_back(packet);
                return;
            }
            SocketEvent::OnConnected() => {
                let (incoming_streams, outgoing_streams) = self.streams.unwrap_or((0, 0));
                SctpEvent::Connected {
                    incoming_streams,
                    outgoing_streams,
                }
            }
            SocketEvent::OnClosed() => {
                let blame = if self.is_ours {
                    Blame::Local
                } else {
                    Blame::Peer
                };
                return self.end(End::new(blame, "shut down"));
            }
            SocketEvent::OnAborted(kind, _) => return self.end(event::aborted(kind)),
            SocketEvent::OnConnectionRestarted() => SctpEvent::Restarted,
            SocketEvent::OnBufferedAmountLow(StreamId(stream)) => {
                SctpEvent::BufferedAmountLow { stream }
            }
            SocketEvent::OnStreamsResetFailed(streams) => SctpEvent::ResetFailed {
                streams: event::numbers(streams),
            },
            SocketEvent::OnStreamsResetPerformed(streams) => SctpEvent::OutgoingReset {
                streams: event::numbers(streams),
            },
            SocketEvent::OnIncomingStreamReset(streams) => SctpEvent::IncomingReset {
                streams: event::numbers(streams),
            },
            SocketEvent::OnLifecycleMessageMaybeExpired(id)
            | SocketEvent::OnLifecycleMessageExpired(id) => {
                let Some(stream) = self.undelivered.remove(&id.value()) else {
                    return;
                };
                self.abandoned += 1;
                SctpEvent::Abandoned { stream }
            }
            SocketEvent::OnError(ErrorKind::ParseFailed, _) => {
                self.dropped += 1;
                return;
            }
            SocketEvent::OnLifecycleEnd(id) => {
                self.undelivered.remove(&id.value());
                return;
            }
            _ => return,
        };
        self.events.push_back(told);
    }

    fn end(&mut self, end: End) {
        if self.state != SctpState::Closed {
            self.state = SctpState::Closed;
            self.timeout = None;
            self.events.push_back(SctpEvent::Ended(end));
        }
    }

    /// Shuts down or resets what has run dry, and tells of room.
    fn follow(&mut self, now: Instant) {
        if self.shuts_down && self.undelivered.is_empty() {
            self.shuts_down = false;
            self.turn(now, |socket| socket.shutdown());
        }
        if self.state == SctpState::Connected && !self.resets.is_empty() {
            let wanted: Vec<u16> = self.resets.iter().copied().collect();
            let dry: Vec<StreamId> = wanted
                .into_iter()
                .filter(|stream| self.buffered_amount(*stream) == 0)
                .map(StreamId)
                .collect();
            if !dry.is_empty() {
                dry.iter().for_each(|stream| {
                    self.resets.remove(&stream.0);
                });
                self.turn(now, move |socket| {
                    // An association that is up and resets streams, as ours all do.
                    let _ = socket.reset_streams(&dry);
                });
            }
        }
        if let Some(refused) = self.refused {
            let capacity = self.send_capacity();
            if capacity >= refused || capacity >= self.settings.send_buffer {
                self.refused = None;
                self.events.push_back(SctpEvent::Writable);
            }
        }
    }

    /// Gathers fragments; a message that is whole by now.
    fn gather(&mut self, message: Outgoing) -> Result<Option<Outgoing>, SctpError> {
        let stream = message.stream;
        if message.first == self.open.contains_key(&stream) {
            return Err(SctpError::Stream(stream));
        }
        if message.first && message.last {
            return Ok(Some(message));
        }
        let data = message.data.clone();
        let last = message.last;
        let new = || (message, BytesMut::new());
        let (_, gathered) = self.open.entry(stream).or_insert_with(new);
        gathered.extend_from_slice(&data);
        if !last {
            return Ok(None);
        }
        let whole = self.open.remove(&stream);
        Ok(whole.map(|(mut message, gathered)| {
            message.data = gathered.freeze();
            message
        }))
    }

    fn queue(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError> {
        let Some(worker) = &self.worker else {
            self.waiting.push_back(message);
            return Ok(());
        };
        let mut options = SendOptions {
            unordered: message.unordered,
            ..SendOptions::default()
        };
        match message.reliability {
            Reliability::MaxRetransmits(count) => options.max_retransmissions = Some(count),
            Reliability::MaxLifetime(time) => options.lifetime = Some(time),
            _ => {}
        }
        self.next_id += 1;
        options.lifecycle_id = LifecycleId::new(self.next_id);
        let stream = StreamId(message.stream);
        let whole = Whole::new(stream, PpId(message.protocol), message.data.to_vec());
        self.used.insert(message.stream);
        match worker.send(self.age(now), whole, options) {
            Some(Ok(())) => {
                self.undelivered.insert(self.next_id, message.stream);
            }
            Some(Err(SendError::ShuttingDown)) | None => {
                return Err(SctpError::State(self.state));
            }
            Some(Err(SendError::EmptyPayload)) => return Err(SctpError::Empty),
            Some(Err(_)) => return Err(SctpError::BufferFull),
        }
        self.turn(now, |_| {});
        Ok(())
    }
}

impl Sctp for Association {
    fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        if self.worker.is_none() {
            if self.early.len() < MAX_EARLY_PACKETS {
                self.early.push_back(packet.to_vec());
            }
            return;
        }
        let packet = packet.to_vec();
        self.turn(now, move |socket| socket.handle_input(&packet));
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.turn(now, |_| {});
    }

    fn connect(&mut self, now: Instant, connect: SctpConnect) -> Result<(), SctpError> {
        if self.state != SctpState::New {
            return Err(SctpError::State(self.state));
        }
        if connect.local_port == 0 || connect.remote_port == 0 {
            return Err(SctpError::Port);
        }
        if connect.remote_init.is_some() {
            return Err(SctpError::Init);
        }
        let options = self.settings.options(&self.config, &connect);
        let Some(worker) = Worker::spawn(options) else {
            self.end(End::new(Blame::Local, "there is no thread for it"));
            return Ok(());
        };
        self.worker = Some(worker);
        self.state = SctpState::Connecting;
        let (thresholds, priorities) = (self.thresholds.clone(), self.priorities.clone());
        let early = std::mem::take(&mut self.early);
        self.turn(now, move |socket| {
            for (stream, bytes) in thresholds {
                socket.set_buffered_amount_low_threshold(StreamId(stream), bytes);
            }
            for (stream, priority) in priorities {
                socket.set_stream_priority(StreamId(stream), priority);
            }
            socket.connect();
            early.iter().for_each(|packet| socket.handle_input(packet));
        });
        for message in std::mem::take(&mut self.waiting) {
            // It was accepted within the bound.
            let _ = self.queue(now, message);
        }
        Ok(())
    }

    fn send(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError> {
        if matches!(self.state, SctpState::ShuttingDown | SctpState::Closed) {
            return Err(SctpError::State(self.state));
        }
        if message.data.is_empty() {
            return Err(SctpError::Empty);
        }
        let known = self.streams.map_or(u16::MAX, |(_, outgoing)| outgoing);
        if message.stream >= known || self.resets.contains(&message.stream) {
            return Err(SctpError::Stream(message.stream));
        }
        let len = message.data.len();
        let capacity = self.send_capacity();
        if len > capacity && capacity < self.settings.send_buffer {
            self.refused = Some(len);
            return Err(SctpError::BufferFull);
        }
        match self.gather(message)? {
            Some(whole) => self.queue(now, whole),
            None => Ok(()),
        }
    }

    fn consume(&mut self, now: Instant, _: u16, bytes: usize) {
        let was_full = self.unconsumed + self.fetched_len >= self.window;
        self.unconsumed = self.unconsumed.saturating_sub(bytes);
        if was_full {
            self.turn(now, |_| {});
        }
    }

    fn reset(&mut self, now: Instant, streams: &[u16]) -> Result<(), SctpError> {
        if self.state == SctpState::Closed {
            return Err(SctpError::State(self.state));
        }
        let known = self.streams.map_or(u16::MAX, |(_, outgoing)| outgoing);
        if let Some(&stream) = streams.iter().find(|stream| **stream >= known) {
            return Err(SctpError::Stream(stream));
        }
        self.resets.extend(streams);
        self.turn(now, |_| {});
        Ok(())
    }

    fn set_priority(&mut self, stream: u16, priority: u16) {
        self.priorities.insert(stream, priority);
        let now = self.start;
        self.turn(now, move |socket| {
            socket.set_stream_priority(StreamId(stream), priority);
        });
    }

    fn set_buffered_amount_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.thresholds.insert(stream, bytes);
        let now = self.start;
        self.turn(now, move |socket| {
            socket.set_buffered_amount_low_threshold(StreamId(stream), bytes);
        });
    }

    fn shutdown(&mut self, now: Instant) {
        if self.worker.is_none() {
            return self.end(End::new(Blame::Local, "shut down"));
        }
        if matches!(self.state, SctpState::Connecting | SctpState::Connected) {
            self.state = SctpState::ShuttingDown;
            self.is_ours = true;
            self.shuts_down = true;
            self.turn(now, |_| {});
        }
    }

    fn abort(&mut self, now: Instant, _: &str) {
        self.end(End::new(Blame::Local, "aborted"));
        self.turn(now, |socket| socket.close());
    }

    fn set_max_packet(&mut self, bytes: usize) {
        self.config.max_packet = bytes;
    }

    fn poll_transmit(&mut self, _: Instant, buf: &mut [u8]) -> Option<usize> {
        let packet = self.packets.pop_front()?;
        buf.get_mut(..packet.len())?.copy_from_slice(&packet);
        Some(packet.len())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.start.checked_add(self.timeout?)
    }

    fn poll_event(&mut self) -> Option<SctpEvent> {
        self.events.pop_front()
    }

    fn poll_message(&mut self) -> Option<Message> {
        // The library takes what was fetched for consumed; the rest stays in its window.
        let whole = self.fetched.pop_front()?;
        self.fetched_len -= whole.payload.len();
        self.unconsumed += whole.payload.len();
        let data = Bytes::from(whole.payload);
        Some(Message::new(whole.stream_id.0, whole.ppid.0, data))
    }

    fn state(&self) -> SctpState {
        self.state
    }

    fn buffered_amount(&self, stream: u16) -> usize {
        let gathered = self.open.get(&stream).map_or(0, |(_, bytes)| bytes.len());
        let of_stream = |message: &&Outgoing| message.stream == stream;
        let waiting = self.waiting.iter().filter(of_stream);
        let waiting = waiting.map(|message| message.data.len()).sum::<usize>();
        let worker = self.worker.as_ref();
        let queued = worker.map_or(0, |worker| worker.buffered(vec![stream]).iter().sum());
        gathered + waiting + queued
    }

    fn send_capacity(&self) -> usize {
        let gathered = self.open.values().map(|(_, bytes)| bytes.len());
        let waiting = self.waiting.iter().map(|message| message.data.len());
        let held = gathered.chain(waiting).sum::<usize>();
        let worker = self.worker.as_ref();
        let queued: usize = worker.map_or(0, |worker| {
            let streams = self.used.iter().copied().collect();
            worker.buffered(streams).iter().sum()
        });
        self.settings.send_buffer.saturating_sub(held + queued)
    }

    fn streams(&self) -> Option<(u16, u16)> {
        self.streams
    }

    fn stats(&self) -> SctpStats {
        let worker = self.worker.as_ref();
        let mut stats = worker.and_then(Worker::stats).unwrap_or_default();
        stats.max_packet = self.config.max_packet;
        stats.packets_dropped = self.dropped;
        stats.messages_abandoned = self.abandoned;
        stats
    }
}
