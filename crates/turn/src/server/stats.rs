/// Counters of a [`Server`](super::Server). Every drop and every refusal has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Allocations now, those without a socket included.
    pub allocations: usize,
    /// Allocations that got as far as a success.
    pub allocated: u64,
    /// Requests that were authentic and were carried out.
    pub requests_served: u64,
    /// Binding requests answered.
    pub bindings: u64,
    /// Requests without credentials, which get a challenge: the ordinary beginning.
    pub challenges: u64,
    /// Requests with wrong credentials.
    pub unauthenticated: u64,
    /// Requests with an old nonce.
    pub stale_nonces: u64,
    /// Requests refused for a peer that the policy denies.
    pub denied_peers: u64,
    /// Requests refused for a quota or a bound.
    pub over_quota: u64,
    /// Requests refused for other reasons.
    pub refused: u64,
    /// Input that is neither STUN nor ChannelData, or that breaks a format.
    pub malformed: u64,
    /// Answers and indications that no server expects.
    pub unexpected: u64,
    /// Data from clients without allocation, channel or permission.
    pub unpermitted_to_peers: u64,
    /// Datagrams from peers without a permission.
    pub unpermitted_to_clients: u64,
    /// Answers that were not made because of [`Config::max_challenges_per_second`](super::Config::max_challenges_per_second).
    pub challenges_suppressed: u64,
    /// Answers dropped because [`Config::max_answers`](super::Config::max_answers) waited.
    pub answers_dropped: u64,
    /// Packets relayed, both ways.
    pub packets_relayed: u64,
    /// Their payloads' bytes.
    pub bytes_relayed: u64,
}
