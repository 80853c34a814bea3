/// Limits. All of them bound what a peer can make us keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The longest message to receive, in bytes; what `a=max-message-size` announces (RFC 8841 §6.1).
    /// A longer one closes its channel. Default 256 KiB, as Chromium and Safari have it.
    pub max_message_len: usize,
    /// The longest message to send, in bytes, until the peer's limit is known. Default 64 KiB, what
    /// no announcement means (RFC 8841 §6.1).
    pub max_send_len: usize,
    /// Bytes of messages that have not arrived whole, over all streams. The channel whose fragment
    /// goes beyond is closed. Default 8 MiB: 32 messages of full length, interleaved.
    pub max_partial_len: usize,
    /// How many channels of the peer may exist at once, forgotten ones not counted. One more is
    /// refused by a reset. Default 1024.
    pub max_peer_channels: usize,
    /// Label and protocol bytes of all these channels together. One more is refused. Default 1 MiB.
    pub max_peer_text_len: usize,
    /// Bytes of messages for streams that have no channel yet, over all streams, since the peer of a
    /// negotiated channel may be faster than we are. More are dropped and counted. Default 64 KiB.
    pub max_early_len: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message_len: 256 * 1024,
            max_send_len: 64 * 1024,
            max_partial_len: 8 * 1024 * 1024,
            max_peer_channels: 1024,
            max_peer_text_len: 1024 * 1024,
            max_early_len: 64 * 1024,
        }
    }
}

/// Which half of the stream ids an end gives to its channels (RFC 8832 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// The DTLS client's: 0, 2, 4, …
    Even,
    /// The DTLS server's: 1, 3, 5, …
    Odd,
}

impl Parity {
    /// The parity of a stream.
    #[must_use]
    pub fn of(stream: u16) -> Self {
        if stream.is_multiple_of(2) {
            Self::Even
        } else {
            Self::Odd
        }
    }
}
