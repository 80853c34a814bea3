use super::Timestamp;
use crate::api::state::MediaKind;
use crate::parameters::RtpCodecParameters;

/// W3C `RTCCodecStats` (webrtc-stats §8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct CodecStats {
    /// Its payload type on the wire.
    pub payload_type: u8,
    /// The transport.
    pub transport_id: String,
    /// Its type: `video/VP8`.
    pub mime_type: String,
    /// Ticks of its clock in a second.
    pub clock_rate: u32,
    /// Audio channels.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub channels: Option<u16>,
    /// Its `a=fmtp` line, if it has one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub sdp_fmtp_line: Option<String>,
}

impl CodecStats {
    pub(crate) fn of(codec: &RtpCodecParameters, transport_id: &str) -> Self {
        let line = &codec.codec.sdp_fmtp_line;
        Self {
            payload_type: codec.payload_type,
            transport_id: transport_id.to_owned(),
            mime_type: codec.codec.mime_type.clone(),
            clock_rate: codec.codec.clock_rate,
            channels: codec.codec.channels,
            sdp_fmtp_line: (!line.is_empty()).then(|| line.clone()),
        }
    }
}

/// W3C `RTCInboundRtpStreamStats` (webrtc-stats §8.6), as far as it is not about decoding.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct InboundRtpStreamStats {
    /// The source.
    pub ssrc: u32,
    /// What it carries.
    #[cfg_attr(feature = "serde", serde(serialize_with = "kind"))]
    pub kind: MediaKind,
    /// The transport.
    pub transport_id: String,
    /// The codec that was negotiated first.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub codec_id: Option<String>,
    /// The id of the track.
    pub track_identifier: String,
    /// The section.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mid: Option<String>,
    /// The layer; not a member of the W3C's, whose browsers receive none.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rid: Option<String>,
    /// Packets that came, retransmissions included.
    pub packets_received: u64,
    /// Packets that did not come (RFC 3550 A.3).
    pub packets_lost: i64,
    /// The interarrival jitter, in seconds.
    pub jitter: f64,
    /// Bytes of payload.
    pub bytes_received: u64,
    /// Bytes of headers.
    pub header_bytes_received: u64,
    /// Packets that came again.
    pub retransmitted_packets_received: u64,
    /// Their bytes.
    pub retransmitted_bytes_received: u64,
    /// When the last packet came.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub last_packet_received_timestamp: Option<Timestamp>,
    /// NACK packets sent.
    pub nack_count: u64,
    /// PLI packets sent.
    pub pli_count: u64,
    /// FIR packets sent.
    pub fir_count: u64,
    /// The source of its retransmissions.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rtx_ssrc: Option<u32>,
}

/// W3C `RTCOutboundRtpStreamStats` (webrtc-stats §8.8), as far as it is not about encoding.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct OutboundRtpStreamStats {
    /// The source.
    pub ssrc: u32,
    /// What it carries.
    #[cfg_attr(feature = "serde", serde(serialize_with = "kind"))]
    pub kind: MediaKind,
    /// The transport.
    pub transport_id: String,
    /// The codec that was negotiated first.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub codec_id: Option<String>,
    /// The section.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mid: Option<String>,
    /// The layer.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rid: Option<String>,
    /// Its place among the encodings of the sender.
    pub encoding_index: usize,
    /// What the peer reports of it, once it has.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub remote_id: Option<String>,
    /// Whether it may be sent.
    pub active: bool,
    /// Packets sent, retransmissions included.
    pub packets_sent: u64,
    /// Bytes of payload.
    pub bytes_sent: u64,
    /// Bytes of headers.
    pub header_bytes_sent: u64,
    /// Packets sent again.
    pub retransmitted_packets_sent: u64,
    /// Their bytes.
    pub retransmitted_bytes_sent: u64,
    /// NACK packets received.
    pub nack_count: u64,
    /// PLI packets received.
    pub pli_count: u64,
    /// FIR packets received.
    pub fir_count: u64,
    /// The source of its retransmissions.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rtx_ssrc: Option<u32>,
}

/// W3C `RTCRemoteInboundRtpStreamStats` (webrtc-stats §8.7). Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct RemoteInboundRtpStreamStats {
    /// The source.
    pub ssrc: u32,
    /// What it carries.
    #[cfg_attr(feature = "serde", serde(serialize_with = "kind"))]
    pub kind: MediaKind,
    /// The transport.
    pub transport_id: String,
    /// What we know of it ourselves.
    pub local_id: String,
    /// Packets that the peer misses.
    pub packets_lost: i64,
    /// The jitter that the peer sees.
    pub jitter: f64,
    /// The part that was lost lately, 0 to 1.
    pub fraction_lost: f64,
    /// The latest round trip.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub round_trip_time: Option<f64>,
    /// All of them together.
    pub total_round_trip_time: f64,
    /// How many they were.
    pub round_trip_time_measurements: u64,
}

#[cfg(feature = "serde")]
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn kind<S: serde::Serializer>(kind: &MediaKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}
