use std::fmt;

/// What the caller of [`permit`](super::Client::permit), [`bind_channel`](super::Client::bind_channel)
/// or [`connect`](super::Client::connect) did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerError {
    /// There is no allocation.
    NotAllocated,
    /// The peer's address is not of the family of the relayed one (RFC 8656 §10).
    Family,
    /// Channels are for allocations that relay UDP, connections for those that relay TCP
    /// (RFC 6062 §4).
    Transport,
    /// More peers than the configuration allows.
    TooMany,
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllocated => "there is no allocation",
            Self::Family => "the peer's address family is not the relay's",
            Self::Transport => "the allocation does not relay this protocol",
            Self::TooMany => "the client keeps no more peers",
        })
    }
}

impl std::error::Error for PeerError {}

/// Why a payload was not wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrapError {
    /// There is no allocation.
    NotAllocated,
    /// The allocation relays TCP: data goes over connections of its own (RFC 6062 §4).
    Transport,
    /// The peer is not permitted (yet): the server would drop the payload.
    NotPermitted,
    /// The buffer has not the room around the payload that [`Client::room`](super::Client::room)
    /// says, or the payload is longer than 65535 bytes.
    NoRoom,
}

impl fmt::Display for WrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllocated => "there is no allocation",
            Self::Transport => "the allocation does not relay datagrams",
            Self::NotPermitted => "the peer is not permitted",
            Self::NoRoom => "the buffer has no room around the payload",
        })
    }
}

impl std::error::Error for WrapError {}
