use super::Reliability;
use crate::message::{ChannelType, Open};
use std::time::Duration;

/// Names a channel, from its opening until it is forgotten. Keys are not reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey(pub(super) u32);

impl ChannelKey {
    /// The number: 0 for the first channel, one more for each.
    #[must_use]
    pub fn index(self) -> u32 {
        self.0
    }
}

/// What a channel is to be (W3C `RTCDataChannelInit`, webrtc-pc §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelInit {
    /// Its name, at most 65535 bytes; need not be unique.
    pub label: String,
    /// The subprotocol, at most 65535 bytes.
    pub protocol: String,
    /// Whether messages keep their order. Default true.
    pub ordered: bool,
    /// Give a message up this many milliseconds after it was sent. Default never.
    pub max_packet_life_time: Option<u16>,
    /// Give a message up after this many retransmissions. Default never.
    pub max_retransmits: Option<u16>,
    /// The stream on which both ends have agreed elsewhere; then nothing is said in band
    /// (RFC 8831 §6.5). Default none: a stream is chosen, and DCEP opens the channel.
    pub negotiated: Option<u16>,
    /// The weight among channels (RFC 8831 §6.4): 128, 256, 512 or 1024. Default 256.
    pub priority: u16,
}

impl ChannelInit {
    /// An ordered and reliable channel of that name.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            protocol: String::new(),
            ordered: true,
            max_packet_life_time: None,
            max_retransmits: None,
            negotiated: None,
            priority: 256,
        }
    }

    /// What the peer's message asks for. Its 32-bit limits are kept as the 16 bits of the W3C's
    /// attributes; larger ones become 65535.
    pub(super) fn from_open(open: Open) -> Self {
        let clamp = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        let (max_retransmits, max_packet_life_time) = match open.channel_type {
            ChannelType::Reliable => (None, None),
            ChannelType::MaxRetransmits(count) => (Some(clamp(count)), None),
            ChannelType::MaxLifetime(milliseconds) => (None, Some(clamp(milliseconds))),
        };
        Self {
            label: open.label,
            protocol: open.protocol,
            ordered: open.ordered,
            max_packet_life_time,
            max_retransmits,
            negotiated: None,
            priority: open.priority,
        }
    }

    /// The message that asks the peer for it.
    pub(super) fn to_open(&self) -> Open {
        Open {
            channel_type: match (self.max_retransmits, self.max_packet_life_time) {
                (Some(count), _) => ChannelType::MaxRetransmits(count.into()),
                (None, Some(milliseconds)) => ChannelType::MaxLifetime(milliseconds.into()),
                (None, None) => ChannelType::Reliable,
            },
            ordered: self.ordered,
            priority: self.priority,
            label: self.label.clone(),
            protocol: self.protocol.clone(),
        }
    }

    /// The same, as the transport takes it.
    pub(super) fn reliability(&self) -> Reliability {
        match (self.max_retransmits, self.max_packet_life_time) {
            (Some(count), _) => Reliability::MaxRetransmits(count),
            (None, Some(milliseconds)) => {
                Reliability::MaxLifetime(Duration::from_millis(milliseconds.into()))
            }
            (None, None) => Reliability::Reliable,
        }
    }

    pub(super) fn text_len(&self) -> usize {
        self.label.len() + self.protocol.len()
    }
}

/// Where a channel stands (W3C `RTCDataChannelState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelState {
    /// The transport is not up, or the stream not chosen.
    Connecting,
    /// Messages may be sent.
    Open,
    /// One side has closed it.
    Closing,
    /// Both have.
    Closed,
}

/// What is known of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// As given by the end that opened it.
    pub init: ChannelInit,
    /// The stream; `None` until it is chosen.
    pub id: Option<u16>,
    /// Whether the peer opened it.
    pub is_incoming: bool,
    /// The state.
    pub state: ChannelState,
    /// Counters.
    pub stats: ChannelStats,
}

/// Counters of a channel (W3C `RTCDataChannelStats`); bytes are the user's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStats {
    /// Messages handed to the transport.
    pub messages_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Messages received whole.
    pub messages_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
}

/// The two halves of a stream on their way to be reset (RFC 8831 §6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Halves {
    /// The peer reset its outgoing half.
    pub(super) incoming: bool,
    /// The peer performed the reset of ours.
    pub(super) outgoing: bool,
}

impl Halves {
    pub(super) fn are_both_reset(self) -> bool {
        self.incoming && self.outgoing
    }
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) init: ChannelInit,
    pub(super) id: Option<u16>,
    pub(super) is_incoming: bool,
    pub(super) phase: Phase,
    /// RFC 8832 §6: whether anything has come from the peer, so that order may be given up.
    pub(super) is_heard: bool,
    pub(super) was_open: bool,
    /// Messages are given to the user in the parts in which they come.
    pub(super) in_parts: bool,
    /// A message is being received so.
    pub(super) is_receiving: bool,
    /// The bytes so far of the message that is being sent in parts.
    pub(super) sending: Option<usize>,
    pub(super) stats: ChannelStats,
}

/// Where a channel stands, with what only that state needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Open,
    Closing {
        halves: Halves,
        error: Option<super::ChannelError>,
    },
    Closed,
}

impl Channel {
    pub(super) fn new(init: ChannelInit, is_incoming: bool) -> Self {
        Self {
            id: init.negotiated,
            // RFC 8832 §6 binds the opener only: a peer that opened, or agreed, knows the channel.
            is_heard: is_incoming || init.negotiated.is_some(),
            init,
            is_incoming,
            phase: Phase::Connecting,
            was_open: false,
            in_parts: false,
            is_receiving: false,
            sending: None,
            stats: ChannelStats::default(),
        }
    }

    pub(super) fn state(&self) -> ChannelState {
        match self.phase {
            Phase::Connecting => ChannelState::Connecting,
            Phase::Open => ChannelState::Open,
            Phase::Closing { .. } => ChannelState::Closing,
            Phase::Closed => ChannelState::Closed,
        }
    }

    pub(super) fn info(&self) -> ChannelInfo {
        ChannelInfo {
            init: self.init.clone(),
            id: self.id,
            is_incoming: self.is_incoming,
            state: self.state(),
            stats: self.stats,
        }
    }
}
