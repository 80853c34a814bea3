//! Opening (RFC 8832 §6, webrtc-pc §6.1.2).

use super::channel::{Channel, Phase};
use super::{
    ChannelError, ChannelEvent, ChannelInit, ChannelKey, Channels, OpenError, Outgoing, Parity,
    Transport,
};
use crate::message::{Ack, Open};
use bytes::Bytes;

impl Channels {
    /// Opens a channel. It may be used after [`ChannelEvent::Opened`]: at once if the transport is
    /// up, else when it is. The peer's acknowledgement is not waited for (RFC 8832 §6).
    ///
    /// # Errors
    ///
    /// An [`OpenError`]; nothing has changed then.
    pub fn open(&mut self, init: ChannelInit) -> Result<ChannelKey, OpenError> {
        self.check(&init)?;
        let key = self.insert(Channel::new(init, false));
        if let Some(stream) = self.channels[&key].id {
            self.streams.insert(stream, key);
        }
        if self.max_channels().is_some() {
            self.open_one(key);
        }
        Ok(key)
    }

    /// webrtc-pc §6.1.2, the checks of `createDataChannel`.
    fn check(&self, init: &ChannelInit) -> Result<(), OpenError> {
        let longest = usize::from(u16::MAX);
        if self.transport == Transport::Closed {
            return Err(OpenError::Closed);
        }
        if init.label.len() > longest {
            return Err(OpenError::LabelTooLong);
        }
        if init.protocol.len() > longest {
            return Err(OpenError::ProtocolTooLong);
        }
        if init.max_packet_life_time.is_some() && init.max_retransmits.is_some() {
            return Err(OpenError::TwoLimits);
        }
        match init.negotiated {
            Some(stream) if stream >= self.stream_limit() => {
                Err(OpenError::StreamOutOfRange(stream))
            }
            Some(stream) if !self.is_free(stream) => Err(OpenError::StreamInUse(stream)),
            None if self.is_ready() && self.free_stream().is_none() => Err(OpenError::NoStream),
            _ => Ok(()),
        }
    }

    /// One more than the largest stream of a channel. 65535 is never one (RFC 8832 §6).
    pub(super) fn stream_limit(&self) -> u16 {
        self.max_channels().unwrap_or(u16::MAX)
    }

    pub(super) fn is_free(&self, stream: u16) -> bool {
        !self.streams.contains_key(&stream) && !self.retiring.contains_key(&stream)
    }

    /// The lowest free stream of our parity (RFC 8832 §6).
    fn free_stream(&self) -> Option<u16> {
        let parity = self.parity?;
        (self.lowest_free..self.stream_limit())
            .find(|stream| Parity::of(*stream) == parity && self.is_free(*stream))
    }

    /// The stream may be used again.
    pub(super) fn release(&mut self, stream: u16) {
        self.streams.remove(&stream);
        self.retiring.remove(&stream);
        self.lowest_free = self.lowest_free.min(stream);
    }

    fn is_ready(&self) -> bool {
        self.parity.is_some() && self.max_channels().is_some()
    }

    pub(super) fn insert(&mut self, channel: Channel) -> ChannelKey {
        let key = ChannelKey(self.next_key);
        self.next_key = self.next_key.wrapping_add(1);
        self.channels.insert(key, Box::new(channel));
        key
    }

    /// Opens what waits for the transport or for an id (webrtc-pc §6.1.3.3).
    pub(super) fn open_waiting(&mut self) {
        if self.max_channels().is_none() {
            return;
        }
        let waiting: Vec<ChannelKey> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.phase == Phase::Connecting)
            .map(|(key, _)| *key)
            .collect();
        for key in waiting {
            self.open_one(key);
        }
    }

    fn open_one(&mut self, key: ChannelKey) {
        let agreed = self.channels.get(&key).and_then(|channel| channel.id);
        let stream = match agreed {
            None if self.parity.is_none() => return,
            None => self.free_stream(),
            Some(stream) if stream < self.stream_limit() => Some(stream),
            Some(stream) => {
                self.release(stream);
                None
            }
        };
        let (Some(stream), Some(channel)) = (stream, self.channels.get_mut(&key)) else {
            self.finish(key, Some(ChannelError::NoStream));
            return;
        };
        self.streams.insert(stream, key);
        if agreed.is_none() {
            channel.id = Some(stream);
            // Every stream of our parity below this one is in use.
            self.lowest_free = stream + 1;
            let open = channel.init.to_open().encode();
            self.outgoing
                .push_back(Outgoing::control(stream, open.into()));
        }
        self.opened(key);
        self.replay_early(stream);
    }

    fn opened(&mut self, key: ChannelKey) {
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.phase = Phase::Open;
            channel.was_open = true;
            self.stats.channels_opened += 1;
            self.event(ChannelEvent::Opened { key });
        }
    }

    /// The peer opens a channel (RFC 8832 §6).
    pub(super) fn handle_open(&mut self, stream: u16, open: Open) {
        if let Some(&key) = self.streams.get(&stream) {
            // RFC 8832 §6: a stream in use. The channel that has it cannot be told apart any more.
            self.stats.opens_refused += 1;
            self.fail(key, ChannelError::StreamInUse);
            return;
        }
        let init = ChannelInit::from_open(open);
        if !self.may_be_opened(stream, &init) {
            self.refuse(stream);
            return;
        }
        self.peer_channels += 1;
        self.peer_text_len += init.text_len();
        let mut channel = Channel::new(init, true);
        channel.id = Some(stream);
        let key = self.insert(channel);
        self.streams.insert(stream, key);
        self.outgoing
            .push_back(Outgoing::control(stream, Bytes::from_owner(Ack.encode())));
        self.event(ChannelEvent::Incoming { key });
        self.opened(key);
        self.replay_early(stream);
    }

    /// RFC 8832 §6: an unused stream, of the peer's parity; and our own bounds.
    fn may_be_opened(&self, stream: u16, init: &ChannelInit) -> bool {
        stream < self.stream_limit()
            && self.parity != Some(Parity::of(stream))
            && self.peer_channels < self.config.max_peer_channels
            && self.peer_text_len + init.text_len() <= self.config.max_peer_text_len
    }

    /// RFC 8832 §6: the stream is reset, and no acknowledgement is sent.
    pub(super) fn refuse(&mut self, stream: u16) {
        self.stats.opens_refused += 1;
        self.retire(stream);
    }
}
