//! Two machines and a link between them that keeps the order of each stream.

use bytes::Bytes;
use muonrtc_datachannel::{
    ChannelEvent, ChannelInit, ChannelKey, Channels, Config, Outgoing, Parity, Payload,
};

/// One machine, and what came out of it in its order.
#[derive(Debug)]
pub struct End {
    pub channels: Channels,
    pub log: Vec<Entry>,
    /// Bytes that went back to the window.
    pub consumed: usize,
    /// Bytes that arrived.
    pub arrived: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Event(ChannelEvent),
    Message(ChannelKey, Payload, Bytes),
}

impl End {
    pub fn new(config: Config, parity: Parity) -> Self {
        let mut channels = Channels::new(config);
        channels.set_parity(parity);
        Self {
            channels,
            log: Vec::new(),
            consumed: 0,
            arrived: 0,
        }
    }

    /// A connected end without a peer.
    pub fn connected(parity: Parity) -> Self {
        let mut end = Self::new(Config::default(), parity);
        end.channels.transport_connected(1024, 1024);
        end
    }

    pub fn receive(&mut self, stream: u16, protocol: u32, data: impl Into<Bytes>) {
        self.receive_part(stream, protocol, true, true, data);
    }

    pub fn receive_part(
        &mut self,
        stream: u16,
        protocol: u32,
        first: bool,
        last: bool,
        data: impl Into<Bytes>,
    ) {
        let data = data.into();
        self.arrived += data.len();
        self.channels
            .handle_message(stream, protocol, first, last, data);
        self.poll();
    }

    pub fn poll(&mut self) {
        while let Some((_, bytes)) = self.channels.poll_consumed() {
            self.consumed += bytes;
        }
        loop {
            if let Some(event) = self.channels.poll_event() {
                self.log.push(Entry::Event(event));
            } else if let Some(message) = self.channels.poll_message() {
                self.consumed += message.wire_len;
                self.log
                    .push(Entry::Message(message.key, message.payload, message.data));
            } else {
                break;
            }
        }
    }

    pub fn outgoing(&mut self) -> Vec<Outgoing> {
        std::iter::from_fn(|| self.channels.poll_outgoing()).collect()
    }

    pub fn resets(&mut self) -> Vec<u16> {
        std::iter::from_fn(|| self.channels.poll_reset()).collect()
    }

    pub fn events(&mut self) -> Vec<ChannelEvent> {
        self.poll();
        self.log
            .drain(..)
            .filter_map(|entry| match entry {
                Entry::Event(event) => Some(event),
                Entry::Message(..) => None,
            })
            .collect()
    }

    pub fn messages(&mut self) -> Vec<(Payload, Bytes)> {
        self.poll();
        self.log
            .drain(..)
            .filter_map(|entry| match entry {
                Entry::Message(_, payload, data) => Some((payload, data)),
                Entry::Event(_) => None,
            })
            .collect()
    }

    pub fn open(&mut self, init: ChannelInit) -> ChannelKey {
        self.channels.open(init).unwrap()
    }
}

/// Two ends whose transport is up.
pub fn pair() -> (End, End) {
    (End::connected(Parity::Even), End::connected(Parity::Odd))
}

/// Carries everything across until nothing is left.
pub fn settle(a: &mut End, b: &mut End) {
    while carry(a, b) | carry(b, a) {}
    a.poll();
    b.poll();
}

/// One way: messages, then resets, which the transport performs at once.
pub fn carry(from: &mut End, to: &mut End) -> bool {
    let mut moved = false;
    for message in from.outgoing() {
        to.receive(message.stream, message.protocol, message.data);
        moved = true;
    }
    for stream in from.resets() {
        to.channels.incoming_reset(&[stream]);
        from.channels.outgoing_reset(&[stream]);
        moved = true;
    }
    moved
}
