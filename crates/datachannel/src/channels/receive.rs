//! Receiving (RFC 8831 §6.6, RFC 8832 §6).

use super::assembly::{Fragment, Gathered, Kind, Whole};
use super::channel::{Halves, Phase};
use super::event::Output;
use super::{ChannelError, ChannelKey, Channels, ReceivedMessage};
use crate::message::ControlMessage;
use crate::payload::{Payload, PayloadProtocol};
use bytes::Bytes;
use std::collections::VecDeque;

/// What an early message counts beyond its bytes, so that small ones are bounded too.
const EARLY_OVERHEAD: usize = 64;

/// Messages for streams that have no channel yet, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Early {
    messages: VecDeque<(u16, Whole)>,
    /// Their bytes, with [`EARLY_OVERHEAD`].
    len: usize,
}

impl Early {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self, stream: u16) -> Vec<Whole> {
        if !self.messages.iter().any(|(of, _)| *of == stream) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        let mut kept = VecDeque::new();
        for (of, whole) in self.messages.drain(..) {
            if of == stream {
                self.len -= whole.data.len() + EARLY_OVERHEAD;
                taken.push(whole);
            } else {
                kept.push_back((of, whole));
            }
        }
        self.messages = kept;
        taken
    }
}

impl Channels {
    /// Takes a message of a stream, or a fragment of one; `first` and `last` mark its ends, and the
    /// fragments of one message follow each other on their stream.
    ///
    /// What the peer must not send closes the channel (RFC 8831 §6.6). A message for a stream
    /// without a channel is kept within [`Config::max_early_len`](super::Config::max_early_len)
    /// until a negotiated channel takes the stream, or dropped and counted.
    pub fn handle_message(
        &mut self,
        stream: u16,
        protocol: u32,
        first: bool,
        last: bool,
        data: Bytes,
    ) {
        let key = self.streams.get(&stream).copied();
        let Some(protocol) = PayloadProtocol::from_id(protocol) else {
            self.drop_message(stream, data.len());
            if let Some(key) = key {
                self.fail(key, ChannelError::PayloadProtocol(protocol));
            }
            return;
        };
        let fragment = Fragment {
            protocol,
            first,
            last,
            data,
        };
        if let Some(key) = key
            && self.takes_parts(key, stream, &fragment)
        {
            return self.deliver_part(key, stream, &fragment);
        }
        let max = self.config.max_message_len;
        let (gathered, credit) = self.assemblies.push(stream, fragment, max);
        self.consume(stream, credit);
        let error = match gathered {
            Gathered::Whole(whole) => return self.deliver(stream, whole),
            Gathered::Waiting => return,
            Gathered::Headless => None,
            Gathered::TooLong(Kind::Control) => Some(ChannelError::Control),
            Gathered::TooLong(Kind::User(_)) => Some(ChannelError::MessageTooLong),
            Gathered::NoRoom => Some(ChannelError::TooManyPartial),
        };
        self.stats.messages_dropped += 1;
        if let (Some(key), Some(error)) = (key, error) {
            self.fail(key, error);
        }
    }

    /// The rest of a message of a stream will not come, of which there was a part.
    pub fn handle_aborted(&mut self, stream: u16) {
        self.drop_partial(stream);
        let Some(&key) = self.streams.get(&stream) else {
            return;
        };
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        if std::mem::take(&mut channel.is_receiving) {
            self.output.push_back(Output::Message(ReceivedMessage {
                key,
                stream,
                payload: Payload::Binary,
                data: Bytes::new(),
                first: false,
                last: true,
                aborted: true,
                wire_len: 0,
            }));
        }
    }

    /// Gives the messages of a channel to the user in the parts in which they come, from the next
    /// one on, or whole again. In parts, a message may be longer than
    /// [`Config::max_message_len`](super::Config::max_message_len), and nothing of it is kept here.
    pub fn receive_in_parts(&mut self, key: ChannelKey, in_parts: bool) {
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.in_parts = in_parts;
        }
    }

    /// Whether a fragment goes to the user as it is. A message stays what it began as.
    fn takes_parts(&self, key: ChannelKey, stream: u16, fragment: &Fragment) -> bool {
        let Some(channel) = self.channels.get(&key) else {
            return false;
        };
        let begins = channel.in_parts && fragment.first && !self.assemblies.has(stream);
        (begins || channel.is_receiving && !fragment.first)
            && channel.phase == Phase::Open
            && fragment.is_plain()
    }

    fn deliver_part(&mut self, key: ChannelKey, stream: u16, fragment: &Fragment) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let (wire_len, data) = (fragment.data.len(), fragment.content());
        channel.is_heard = true;
        channel.is_receiving = !fragment.last;
        channel.stats.messages_received += u64::from(fragment.last);
        channel.stats.bytes_received += data.len() as u64;
        self.output.push_back(Output::Message(ReceivedMessage {
            key,
            stream,
            payload: fragment.payload(),
            data,
            first: fragment.first,
            last: fragment.last,
            aborted: false,
            wire_len,
        }));
    }

    fn deliver(&mut self, stream: u16, whole: Whole) {
        // The peer is done with closing and uses the stream again, while we still wait to hear that
        // it performed our reset: the message belongs to what comes next on the stream.
        if self.halves(stream).is_some_and(|halves| halves.incoming) {
            return self.keep_early(stream, whole);
        }
        match (self.streams.get(&stream).copied(), whole.kind) {
            (key, Kind::Control) => {
                self.consume(stream, whole.wire_len);
                self.handle_control(stream, key, &whole.data);
            }
            (Some(key), Kind::User(payload)) => self.deliver_to(key, stream, payload, whole),
            (None, Kind::User(_)) if self.retiring.contains_key(&stream) => {
                self.drop_message(stream, whole.wire_len);
            }
            (None, Kind::User(_)) => self.keep_early(stream, whole),
        }
    }

    /// How far the reset of a stream is, if it is being reset.
    fn halves(&self, stream: u16) -> Option<Halves> {
        if let Some(halves) = self.retiring.get(&stream) {
            return Some(*halves);
        }
        match self.channels.get(self.streams.get(&stream)?)?.phase {
            Phase::Closing { halves, .. } => Some(halves),
            _ => None,
        }
    }

    fn deliver_to(&mut self, key: ChannelKey, stream: u16, payload: Payload, whole: Whole) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        channel.is_heard = true;
        if channel.phase != Phase::Open {
            return self.drop_message(stream, whole.wire_len);
        }
        channel.stats.messages_received += 1;
        channel.stats.bytes_received += whole.data.len() as u64;
        self.output.push_back(Output::Message(ReceivedMessage {
            key,
            stream,
            payload,
            data: whole.data,
            first: true,
            last: true,
            aborted: false,
            wire_len: whole.wire_len,
        }));
    }

    fn handle_control(&mut self, stream: u16, key: Option<ChannelKey>, data: &[u8]) {
        match (ControlMessage::decode(data), key) {
            (Ok(ControlMessage::Open(open)), _) => self.handle_open(stream, open),
            (Ok(ControlMessage::Ack(_)), key) => self.handle_ack(key),
            // RFC 8832 §6: any problem with the message closes the channel.
            (Err(_), Some(key)) => self.fail(key, ChannelError::Control),
            (Err(_), None) => self.refuse(stream),
        }
    }

    fn handle_ack(&mut self, key: Option<ChannelKey>) {
        match key.and_then(|key| self.channels.get_mut(&key)) {
            Some(channel) if !channel.is_heard => channel.is_heard = true,
            _ => self.stats.control_ignored += 1,
        }
    }

    fn keep_early(&mut self, stream: u16, whole: Whole) {
        let len = whole.data.len() + EARLY_OVERHEAD;
        if stream >= self.stream_limit() || self.early.len + len > self.config.max_early_len {
            return self.drop_message(stream, whole.wire_len);
        }
        self.early.len += len;
        self.early.messages.push_back((stream, whole));
    }

    /// A channel has taken the stream, or the stream is free again.
    pub(super) fn replay_early(&mut self, stream: u16) {
        for whole in self.early.take(stream) {
            self.deliver(stream, whole);
        }
    }

    pub(super) fn drop_early(&mut self, stream: u16) {
        for whole in self.early.take(stream) {
            self.drop_message(stream, whole.wire_len);
        }
    }

    pub(super) fn drop_partial(&mut self, stream: u16) {
        let held = self.assemblies.remove(stream);
        self.consume(stream, held);
    }

    fn drop_message(&mut self, stream: u16, wire_len: usize) {
        self.stats.messages_dropped += 1;
        self.consume(stream, wire_len);
    }
}
