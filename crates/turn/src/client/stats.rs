/// Counters of a [`Client`](super::Client). Every drop has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests sent, repetitions included.
    pub requests_sent: u64,
    /// Answers that were taken.
    pub responses_received: u64,
    /// Stale nonces that were replaced.
    pub stale_nonces: u64,
    /// Payloads wrapped.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Payloads unwrapped.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Input from another address than the server's.
    pub foreign: u64,
    /// Input that is neither STUN nor ChannelData, or breaks their format.
    pub malformed: u64,
    /// Answers to nothing that was asked.
    pub unmatched: u64,
    /// Answers whose integrity was wrong or missing, or that hide a feature that their nonce tells.
    pub unauthenticated: u64,
    /// Data from peers that are not permitted, or of unknown channels (RFC 8656 §11.4, §12.6).
    pub not_permitted: u64,
}
