//! The library's words in those of the layer.

use ::dcsctp::api::{ErrorKind, Metrics, StreamId};
use layer::{Blame, End, SctpStats};

/// How an abort of the library is to be understood.
pub(super) fn aborted(kind: ErrorKind) -> End {
    match kind {
        ErrorKind::TooManyRetries => End::new(Blame::Timeout, "the peer does not answer"),
        ErrorKind::PeerReported => End::new(Blame::Peer, "aborted by the peer"),
        ErrorKind::ParseFailed | ErrorKind::WrongSequence | ErrorKind::ProtocolViolation => {
            End::new(Blame::Protocol, "the peer broke the protocol")
        }
        _ => End::new(Blame::Peer, "aborted"),
    }
}

pub(super) fn numbers(streams: Vec<StreamId>) -> Vec<u16> {
    streams.into_iter().map(|stream| stream.0).collect()
}

pub(super) fn to_stats(metrics: &Metrics) -> SctpStats {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let mut stats = SctpStats::default();
    stats.packets_sent = count(metrics.tx_packets_count);
    stats.packets_received = count(metrics.rx_packets_count);
    stats.retransmissions = count(metrics.rtx_packets_count);
    stats.congestion_window = metrics.cwnd_bytes;
    stats.receiver_window = usize::try_from(metrics.peer_rwnd_bytes).unwrap_or(usize::MAX);
    stats.smoothed_round_trip = (!metrics.srtt.is_zero()).then_some(metrics.srtt);
    stats
}
