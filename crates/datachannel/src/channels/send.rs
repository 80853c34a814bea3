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
    /// [`SendError::TooLong`] beyond [`set_max_send_len`](Self::set_max_send_len).
    pub fn send(
        &mut self,
        key: ChannelKey,
        payload: Payload,
        data: Bytes,
    ) -> Result<Outgoing, SendError> {
        let max = self.max_send_len;
        let channel = self.channels.get_mut(&key).ok_or(SendError::NotOpen)?;
        let (Phase::Open, Some(stream)) = (channel.phase, channel.id) else {
            return Err(SendError::NotOpen);
        };
        if data.len() > max {
            return Err(SendError::TooLong { max });
        }
        channel.stats.messages_sent += 1;
        channel.stats.bytes_sent += data.len() as u64;
        Ok(Outgoing {
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
