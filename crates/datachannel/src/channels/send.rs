//! Sending (RFC 8831 §6.6, RFC 8832 §6).

use super::channel::Phase;
use super::{ChannelKey, Channels, SendError};
use crate::payload::{Payload, PayloadProtocol};
use bytes::Bytes;
use std::time::Duration;

/// A message for the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The stream.
    pub stream: u16,
    /// The payload protocol identifier.
    pub protocol: u32,
    /// Whether it may overtake and be overtaken.
    pub unordered: bool,
    /// When to give it up.
    pub reliability: Reliability,
    /// The first part of its message, or all of it.
    pub first: bool,
    /// The last part, or all.
    pub last: bool,
    /// The bytes, at least one.
    pub data: Bytes,
}

impl Outgoing {
    /// RFC 8832 §6: messages of DCEP are ordered and reliable.
    pub(super) fn control(stream: u16, data: Bytes) -> Self {
        Self {
            stream,
            protocol: PayloadProtocol::Control.id(),
            unordered: false,
            reliability: Reliability::Reliable,
            first: true,
            last: true,
            data,
        }
    }
}

/// When the transport may give a message up (RFC 8831 §6.6, RFC 3758, RFC 7496).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reliability {
    /// Never.
    #[default]
    Reliable,
    /// After this many retransmissions.
    MaxRetransmits(u16),
    /// This long after it was sent.
    MaxLifetime(Duration),
}

impl Channels {
    /// Makes the message that the transport is to send. It is counted as sent; if the transport
    /// refuses it for now, keep it rather than make it again.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] before [`Opened`](super::ChannelEvent::Opened) and after a close,
    /// [`SendError::TooLong`] beyond [`set_max_send_len`](Self::set_max_send_len),
    /// [`SendError::OutOfTurn`] between the parts of another message.
    pub fn send(
        &mut self,
        key: ChannelKey,
        payload: Payload,
        data: Bytes,
    ) -> Result<Outgoing, SendError> {
        self.send_part(key, payload, true, true, data)
    }

    /// Makes a part of a message, so that a message need not be in memory as a whole; `first` and
    /// `last` mark its ends. The parts of one message follow each other on their channel.
    ///
    /// A message that is under way when the channel is closed may be finished; the stream is reset
    /// after it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); the length counts over all parts. [`SendError::OutOfTurn`] if this is
    /// a first part while a message is under way, or another one while none is,
    /// [`SendError::EmptyPart`] if a part of several has no bytes.
    pub fn send_part(
        &mut self,
        key: ChannelKey,
        payload: Payload,
        first: bool,
        last: bool,
        data: Bytes,
    ) -> Result<Outgoing, SendError> {
        let max = self.max_send_len;
        let channel = self.channels.get_mut(&key).ok_or(SendError::NotOpen)?;
        let is_finishing = matches!(channel.phase, Phase::Closing { .. }) && !first;
        let may_send = channel.phase == Phase::Open || is_finishing;
        let Some(stream) = channel.id.filter(|_| may_send) else {
            return Err(SendError::NotOpen);
        };
        if first == channel.sending.is_some() {
            return Err(SendError::OutOfTurn);
        }
        if data.is_empty() && !(first && last) {
            return Err(SendError::EmptyPart);
        }
        let len = channel.sending.unwrap_or(0).saturating_add(data.len());
        if len > max {
            return Err(SendError::TooLong { max });
        }
        channel.sending = (!last).then_some(len);
        channel.stats.messages_sent += u64::from(first);
        channel.stats.bytes_sent += data.len() as u64;
        Ok(Outgoing {
            first,
            last,
            stream,
            protocol: PayloadProtocol::of(payload, data.is_empty()).id(),
            // RFC 8832 §6: ordered until the peer is known to have the channel.
            unordered: !channel.init.ordered && channel.is_heard,
            reliability: channel.init.reliability(),
            // RFC 8831 §6.6: an empty message is one zero byte.
            data: if data.is_empty() {
                Bytes::from_static(&[0])
            } else {
                data
            },
        })
    }
}
