//! The report of statistics (webrtc-pc §8, webrtc-stats): one entry for each object there is.

mod channel;
mod network;
#[cfg(feature = "rtp")]
mod stream;

pub use self::channel::{DataChannelStats, PeerConnectionStats};
pub use self::network::{CandidatePairStats, CandidateStats, CertificateStats, TransportStats};
#[cfg(feature = "rtp")]
pub use self::stream::{
    CodecStats, InboundRtpStreamStats, OutboundRtpStreamStats, RemoteInboundRtpStreamStats,
};

pub(crate) use self::network::{
    certificate_id, local_candidate_id, pair_id, pair_state, remote_candidate_id,
};

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Milliseconds since the Unix epoch (the W3C's `DOMHighResTimeStamp`).
pub type Timestamp = f64;

/// W3C `RTCStatsReport`: entries by their id, which stays the same from one report to the next.
///
/// With the feature `serde` it serialises to what a browser gives.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct StatsReport {
    entries: BTreeMap<String, StatsEntry>,
}

/// W3C `RTCStats`: one object at one time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StatsEntry {
    /// Names the object in this and later reports of the connection.
    pub id: String,
    /// When it was so.
    pub timestamp: Timestamp,
    /// What is told of it.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub body: StatsBody,
}

/// The dictionaries of webrtc-stats, by their `type`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "type", rename_all = "kebab-case"))]
pub enum StatsBody {
    /// The connection.
    PeerConnection(PeerConnectionStats),
    /// A data channel.
    DataChannel(DataChannelStats),
    /// The transport that everything goes over.
    Transport(TransportStats),
    /// A pair of candidates.
    CandidatePair(CandidatePairStats),
    /// A candidate of ours.
    LocalCandidate(CandidateStats),
    /// A candidate of the peer.
    RemoteCandidate(CandidateStats),
    /// A certificate of either side.
    Certificate(CertificateStats),
    /// A negotiated codec that is in use.
    #[cfg(feature = "rtp")]
    Codec(CodecStats),
    /// A stream that we receive.
    #[cfg(feature = "rtp")]
    InboundRtp(InboundRtpStreamStats),
    /// A stream that we send.
    #[cfg(feature = "rtp")]
    OutboundRtp(OutboundRtpStreamStats),
    /// What the peer reports of a stream that we send.
    #[cfg(feature = "rtp")]
    RemoteInboundRtp(RemoteInboundRtpStreamStats),
}

impl StatsReport {
    /// The entries in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &StatsEntry> {
        self.entries.values()
    }

    /// The entry with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&StatsEntry> {
        self.entries.get(id)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn add(&mut self, timestamp: Timestamp, id: String, body: StatsBody) {
        let entry = StatsEntry {
            id: id.clone(),
            timestamp,
            body,
        };
        self.entries.insert(id, entry);
    }
}

pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0
}
