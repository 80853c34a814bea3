use super::ChannelKey;
use crate::payload::Payload;
use bytes::Bytes;
use std::fmt;

/// What happened to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelEvent {
    /// The peer opened a channel (webrtc-pc §6.2.3, `datachannel`). [`Opened`](Self::Opened) follows.
    Incoming {
        /// Its key from now on.
        key: ChannelKey,
    },
    /// Messages may be sent (`open`). The stream's id is known.
    Opened {
        /// Which.
        key: ChannelKey,
    },
    /// The peer closes the channel (`closing`); our half is closed by itself. Not raised for
    /// [`Channels::close`](super::Channels::close).
    Closing {
        /// Which.
        key: ChannelKey,
    },
    /// The channel is closed; nothing of it comes after this.
    Closed {
        /// Which.
        key: ChannelKey,
        /// Why, if not by either side's wish (webrtc-pc §6.2.5).
        error: Option<ChannelError>,
    },
}

/// A message, or a part of one where [`Channels::receive_in_parts`](super::Channels::receive_in_parts)
/// asks for parts, and the bytes it holds of the receive window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// The channel.
    pub key: ChannelKey,
    /// Its stream.
    pub stream: u16,
    /// Text or bytes. Text is as received: the peer's word that it is UTF-8.
    pub payload: Payload,
    /// The message, or a part of it.
    pub data: Bytes,
    /// The first part, or all.
    pub first: bool,
    /// The last part, or all.
    pub last: bool,
    /// The rest will not come: the peer gave the message up. Only on a last part, without bytes,
    /// that is not the first.
    pub aborted: bool,
    /// How many bytes of the stream go back to the window when the user has taken the message.
    pub wire_len: usize,
}

/// What waits to be polled, in its order.
#[derive(Clone, Debug)]
pub(super) enum Output {
    Event(ChannelEvent),
    Message(ReceivedMessage),
}

/// Why a channel closed that nobody wanted to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// The transport failed (RFC 8831 §6.2).
    Transport,
    /// There is no stream left for it, or the transport does not have the stream agreed on
    /// (webrtc-pc §6.1.3.3).
    NoStream,
    /// The peer opened a channel on the stream of this one (RFC 8832 §6).
    StreamInUse,
    /// The peer sent a control message that is malformed or out of place (RFC 8832 §6).
    Control,
    /// The peer sent a payload protocol that channels do not have (RFC 8831 §6.6).
    PayloadProtocol(u32),
    /// The peer sent a message longer than was announced.
    MessageTooLong,
    /// Too many messages were under way at once ([`Config::max_partial_len`](super::Config::max_partial_len)).
    TooManyPartial,
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport => f.write_str("the transport failed"),
            Self::NoStream => f.write_str("there is no stream for the channel"),
            Self::StreamInUse => f.write_str("the peer opened a channel on a stream in use"),
            Self::Control => f.write_str("the peer sent a malformed control message"),
            Self::PayloadProtocol(id) => write!(f, "the peer sent unknown payload protocol {id}"),
            Self::MessageTooLong => f.write_str("the peer sent a message longer than announced"),
            Self::TooManyPartial => f.write_str("the peer sent too many messages at once"),
        }
    }
}

impl std::error::Error for ChannelError {}

/// Why a channel was not opened: the caller's mistakes (webrtc-pc §6.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The transport is closed.
    Closed,
    /// The label is longer than 65535 bytes.
    LabelTooLong,
    /// The subprotocol is longer than 65535 bytes.
    ProtocolTooLong,
    /// Both a lifetime and a number of retransmissions.
    TwoLimits,
    /// The stream is 65535 or one the transport does not have.
    StreamOutOfRange(u16),
    /// The stream has a channel, or one that is still being closed.
    StreamInUse(u16),
    /// Every stream of our parity is in use.
    NoStream,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the transport is closed"),
            Self::LabelTooLong => f.write_str("the label is longer than 65535 bytes"),
            Self::ProtocolTooLong => f.write_str("the protocol is longer than 65535 bytes"),
            Self::TwoLimits => f.write_str("lifetime and retransmissions exclude each other"),
            Self::StreamOutOfRange(stream) => write!(f, "stream {stream} is out of range"),
            Self::StreamInUse(stream) => write!(f, "stream {stream} is in use"),
            Self::NoStream => f.write_str("every stream is in use"),
        }
    }
}

impl std::error::Error for OpenError {}

/// Why a message was not sent (webrtc-pc §6.2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is not open.
    NotOpen,
    /// The message is longer than the peer takes.
    TooLong {
        /// The longest it takes, in bytes.
        max: usize,
    },
    /// A message in parts is under way and this is not its next part, or none is.
    OutOfTurn,
    /// A part of several has no bytes.
    EmptyPart,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("the channel is not open"),
            Self::TooLong { max } => write!(f, "the message is longer than {max} bytes"),
            Self::OutOfTurn => f.write_str("not the next part of the message under way"),
            Self::EmptyPart => f.write_str("a part of a message has no bytes"),
        }
    }
}

impl std::error::Error for SendError {}

/// Counters over all channels of an association.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Channels that came to be open (`dataChannelsOpened`).
    pub channels_opened: u64,
    /// Of these, how many are closed (`dataChannelsClosed`).
    pub channels_closed: u64,
    /// Channels of the peer that were refused by a reset (RFC 8832 §6).
    pub opens_refused: u64,
    /// Messages and fragments that had no channel to go to, or no room.
    pub messages_dropped: u64,
    /// Control messages that changed nothing: a second acknowledgement, one nobody waits for.
    pub control_ignored: u64,
}
