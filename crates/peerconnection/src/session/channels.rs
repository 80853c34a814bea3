//! Data channels: the W3C's rules on top of the bookkeeping of RFC 8831.

use super::{Session, SessionEvent};
use crate::api::state::DataChannelState;
use crate::config::{DataChannelInit, PriorityType};
use crate::error::{Error, ErrorKind};
use bytes::Bytes;
use datachannel::{
    ChannelError, ChannelEvent, ChannelInit, ChannelKey, ChannelState, OpenError, SendError,
};
use layer::{Message, Outgoing, Reliability, SctpError};
use std::time::Instant;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Text.
    Text,
    /// Bytes.
    Binary,
}

/// A message that a channel received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IncomingMessage {
    /// The channel.
    pub key: ChannelKey,
    /// The stream and the bytes to hand to [`Session::consume`] when it has been taken.
    pub stream: u16,
    /// What it counts in the window; more than its bytes for an empty one.
    pub wire_len: usize,
    /// Text or bytes.
    pub payload: Payload,
    /// Whether the channel never gives a message up.
    pub reliable: bool,
    /// The first part of its message, or all of it.
    pub first: bool,
    /// The last part, or all.
    pub last: bool,
    /// The rest of the message will not come; there are no bytes.
    pub aborted: bool,
    /// The bytes.
    pub data: Bytes,
}

/// What a channel was made with, and its stream.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DataChannelInfo {
    /// The label.
    pub label: String,
    /// The subprotocol.
    pub protocol: String,
    /// Whether messages arrive in order.
    pub ordered: bool,
    /// Milliseconds after which a message is given up.
    pub max_packet_life_time: Option<u16>,
    /// Retransmissions after which a message is given up.
    pub max_retransmits: Option<u16>,
    /// Whether both sides made it themselves.
    pub negotiated: bool,
    /// The stream, once chosen.
    pub id: Option<u16>,
    /// The share of the channel among those that send.
    pub priority: PriorityType,
}

impl Session {
    /// W3C `createDataChannel` (webrtc-pc §6.1.2).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] for a label or protocol beyond 65 535 bytes, both limits at once, a
    /// negotiated channel without id, or id 65 535; [`ErrorKind::Operation`] if the id is taken or
    /// none is left; [`ErrorKind::InvalidState`] after [`close`](Session::close).
    pub fn create_data_channel(
        &mut self,
        now: Instant,
        label: &str,
        init: DataChannelInit,
    ) -> Result<ChannelKey, Error> {
        self.check_open()?;
        let mut channel = ChannelInit::new(label);
        channel.protocol = init.protocol;
        channel.ordered = init.ordered;
        channel.max_packet_life_time = init.max_packet_life_time;
        channel.max_retransmits = init.max_retransmits;
        channel.priority = init.priority.weight();
        channel.negotiated = match (init.negotiated, init.id) {
            (true, None) => {
                return Err(Error::new(
                    ErrorKind::Type,
                    "a negotiated channel needs an id",
                ));
            }
            (true, id) => id,
            // webrtc-pc §6.1.2: without negotiated the id is ignored.
            (false, _) => None,
        };
        let key = self.channels.open(channel).map_err(|error| {
            let kind = match error {
                OpenError::Closed => ErrorKind::InvalidState,
                OpenError::StreamInUse(_) | OpenError::NoStream => ErrorKind::Operation,
                _ => ErrorKind::Type,
            };
            Error::new(kind, "the channel cannot be opened").with_source(error)
        })?;
        self.wants_data = true;
        self.pump_channels(now);
        self.update_negotiation_needed();
        Ok(key)
    }

    /// Sends a message on an open channel.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the channel is not open, [`ErrorKind::Type`] if the message
    /// is larger than the peer takes, [`ErrorKind::Operation`] if the send buffer is full;
    /// [`SessionEvent::Writable`] tells when there is room.
    pub fn send(
        &mut self,
        now: Instant,
        key: ChannelKey,
        payload: Payload,
        data: &Bytes,
    ) -> Result<(), Error> {
        if self.channels.state(key) != Some(ChannelState::Open) {
            return Err(Error::new(
                ErrorKind::InvalidState,
                "the channel is not open",
            ));
        }
        let (len, max) = (data.len(), self.max_message_size());
        if len > max {
            return Err(Error::new(
                ErrorKind::Type,
                format!("the message has {len} bytes, the peer takes {max}"),
            ));
        }
        self.send_checked(now, key, payload, (true, true), data)
    }

    /// Sends the next part of a message, which need not be in memory as a whole: the first if none
    /// is under way, and with `last` the one that ends it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), the length counted over all parts. [`ErrorKind::Type`] for a part of
    /// several without bytes.
    pub fn send_part(
        &mut self,
        now: Instant,
        key: ChannelKey,
        payload: Payload,
        last: bool,
        data: &Bytes,
    ) -> Result<(), Error> {
        let first = !self.channels.is_sending(key);
        self.send_checked(now, key, payload, (first, last), data)
    }

    /// Gives the messages of a reliable channel out in the parts in which they come, from the next
    /// one on, or whole again. Returns whether it can: where messages may be given up, they are
    /// given out whole.
    pub fn receive_in_parts(&mut self, key: ChannelKey, in_parts: bool) -> bool {
        let can = self.channels.is_reliable(key);
        if can {
            self.channels.receive_in_parts(key, in_parts);
        }
        can
    }

    fn send_checked(
        &mut self,
        now: Instant,
        key: ChannelKey,
        payload: Payload,
        (first, last): (bool, bool),
        data: &Bytes,
    ) -> Result<(), Error> {
        let len = data.len();
        let Some(transport) = &mut self.transport else {
            return Err(Error::closed());
        };
        if transport.sctp.send_capacity() < len.max(1) {
            return Err(Error::new(ErrorKind::Operation, "the send buffer is full"));
        }
        let payload = match payload {
            Payload::Text => datachannel::Payload::Text,
            Payload::Binary => datachannel::Payload::Binary,
        };
        let outgoing = self
            .channels
            .send_part(key, payload, first, last, data.clone())
            .map_err(|error| {
                let kind = match error {
                    SendError::TooLong { .. } | SendError::EmptyPart => ErrorKind::Type,
                    _ => ErrorKind::InvalidState,
                };
                Error::new(kind, "the message was not sent").with_source(error)
            })?;
        transport
            .sctp
            .send(now, layer_message(outgoing))
            .map_err(|error| {
                let kind = match error {
                    SctpError::BufferFull => ErrorKind::Operation,
                    // The association is ending, as after the peer's SHUTDOWN: waiting is no use.
                    _ => ErrorKind::InvalidState,
                };
                Error::new(kind, "the message was not sent").with_source(error)
            })
    }

    /// Closes a channel: what was sent is delivered, then both sides reset their stream.
    pub fn close_channel(&mut self, now: Instant, key: ChannelKey) {
        self.channels.close(key);
        self.pump_channels(now);
    }

    /// Lets go of a closed channel; its key means nothing afterwards.
    pub fn forget_channel(&mut self, key: ChannelKey) {
        self.channels.forget(key);
        self.low_thresholds.remove(&key);
    }

    /// The next received message. Call it when [`poll_event`](Session::poll_event) has no more
    /// events, and that one again afterwards: the two keep the order of things between them.
    pub fn poll_message(&mut self) -> Option<IncomingMessage> {
        let received = self.channels.poll_message()?;
        Some(IncomingMessage {
            key: received.key,
            stream: received.stream,
            wire_len: received.wire_len,
            payload: match received.payload {
                datachannel::Payload::Text => Payload::Text,
                datachannel::Payload::Binary => Payload::Binary,
            },
            reliable: self.channels.is_reliable(received.key),
            first: received.first,
            last: received.last,
            aborted: received.aborted,
            data: received.data,
        })
    }

    /// Returns a taken message's bytes to SCTP's window.
    pub fn consume(&mut self, now: Instant, stream: u16, wire_len: usize) {
        if let Some(transport) = &mut self.transport {
            transport.sctp.consume(now, stream, wire_len);
        }
    }

    /// What a channel was made with.
    #[must_use]
    pub fn channel_info(&self, key: ChannelKey) -> DataChannelInfo {
        let Some(info) = self.channels.info(key) else {
            return DataChannelInfo::default();
        };
        DataChannelInfo {
            label: info.init.label,
            protocol: info.init.protocol,
            ordered: info.init.ordered,
            max_packet_life_time: info.init.max_packet_life_time,
            max_retransmits: info.init.max_retransmits,
            negotiated: info.init.negotiated.is_some(),
            id: info.id,
            priority: PriorityType::of(info.init.priority),
        }
    }

    /// W3C `readyState`.
    #[must_use]
    pub fn channel_state(&self, key: ChannelKey) -> DataChannelState {
        match self.channels.state(key) {
            Some(ChannelState::Connecting) => DataChannelState::Connecting,
            Some(ChannelState::Open) => DataChannelState::Open,
            Some(ChannelState::Closing) => DataChannelState::Closing,
            Some(ChannelState::Closed) | None => DataChannelState::Closed,
        }
    }

    /// W3C `bufferedAmount`, in bytes.
    #[must_use]
    pub fn buffered_amount(&self, key: ChannelKey) -> usize {
        match (&self.transport, self.own_stream(key)) {
            (Some(transport), Some(stream)) => transport.sctp.buffered_amount(stream),
            _ => 0,
        }
    }

    /// The stream of a channel, unless it is free again and so perhaps another channel's.
    fn own_stream(&self, key: ChannelKey) -> Option<u16> {
        let stream = self.channels.stream(key)?;
        (self.channels.channel_of(stream) == Some(key)).then_some(stream)
    }

    /// How many more bytes the send buffer takes.
    #[must_use]
    pub fn send_capacity(&self) -> usize {
        self.transport
            .as_ref()
            .map_or(0, |transport| transport.sctp.send_capacity())
    }

    /// W3C `bufferedAmountLowThreshold`.
    #[must_use]
    pub fn buffered_amount_low_threshold(&self, key: ChannelKey) -> u32 {
        self.low_thresholds.get(&key).copied().unwrap_or(0)
    }

    /// Sets it.
    pub fn set_buffered_amount_low_threshold(&mut self, key: ChannelKey, bytes: u32) {
        self.low_thresholds.insert(key, bytes);
        self.apply_low_threshold(key);
    }

    /// A threshold set before the stream was chosen takes effect when it is; a stream that was
    /// another channel's loses that one's.
    fn apply_low_threshold(&mut self, key: ChannelKey) {
        let bytes = self.buffered_amount_low_threshold(key);
        let stream = self.own_stream(key);
        if let (Some(transport), Some(stream)) = (&mut self.transport, stream) {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            transport
                .sctp
                .set_buffered_amount_low_threshold(stream, bytes);
        }
    }

    /// dc-013: the weight that either side gave the channel (RFC 8832 §5.1).
    fn apply_priority(&mut self, key: ChannelKey) {
        let info = self.channels.info(key);
        if let Some((weight, stream)) = info.and_then(|info| Some((info.init.priority, info.id?)))
            && let Some(transport) = &mut self.transport
        {
            transport.sctp.set_priority(stream, weight);
        }
    }

    /// Hands what SCTP received to the channels.
    pub(super) fn pump_messages(&mut self) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        while let Some(message) = transport.sctp.poll_message() {
            let Message {
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
    }

    /// Hands what the channels want to SCTP.
    pub(super) fn pump_channels(&mut self, now: Instant) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        while let Some(outgoing) = self.channels.poll_outgoing() {
            if transport
                .sctp
                .send(now, layer_message(outgoing.clone()))
                .is_err()
            {
                // A control message is never lost: it goes when there is room.
                self.channels.put_back(outgoing);
                break;
            }
        }
        while let Some((stream, bytes)) = self.channels.poll_consumed() {
            transport.sctp.consume(now, stream, bytes);
        }
        while let Some(stream) = self.channels.poll_reset() {
            if transport.sctp.reset(now, &[stream]).is_err() {
                self.channels.reset_failed(&[stream]);
            }
        }
    }

    /// The next event of a channel, in the words of the W3C.
    pub(super) fn poll_channel_event(&mut self) -> Option<SessionEvent> {
        Some(match self.channels.poll_event()? {
            ChannelEvent::Incoming { key } => SessionEvent::DataChannel(key),
            ChannelEvent::Opened { key } => {
                self.channels_opened += 1;
                self.apply_low_threshold(key);
                self.apply_priority(key);
                SessionEvent::ChannelOpen(key)
            }
            ChannelEvent::Closing { key } => SessionEvent::ChannelClosing(key),
            ChannelEvent::Closed { key, error } => {
                // One that never opened does not count (webrtc-stats §8.18).
                if self.channels_closed < self.channels_opened {
                    self.channels_closed += 1;
                }
                SessionEvent::ChannelClose(key, error.map(channel_error))
            }
            _ => return self.poll_channel_event(),
        })
    }
}

/// dc-012: what a channel that did not close in peace says.
fn channel_error(error: ChannelError) -> Error {
    let kind = match error {
        ChannelError::Transport => ErrorKind::SctpFailure,
        _ => ErrorKind::DataChannelFailure,
    };
    Error::new(kind, "the channel failed").with_source(error)
}

fn layer_message(outgoing: datachannel::Outgoing) -> Outgoing {
    let mut message = Outgoing::new(outgoing.stream, outgoing.protocol, outgoing.data);
    message.unordered = outgoing.unordered;
    (message.first, message.last) = (outgoing.first, outgoing.last);
    message.reliability = match outgoing.reliability {
        datachannel::Reliability::MaxRetransmits(count) => Reliability::MaxRetransmits(count),
        datachannel::Reliability::MaxLifetime(lifetime) => Reliability::MaxLifetime(lifetime),
        _ => Reliability::Reliable,
    };
    message
}
