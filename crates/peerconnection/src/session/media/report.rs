//! The streams in a report of statistics (webrtc-stats §8.3 to §8.8).

use super::Transceivers;
use super::transceiver::Transceiver;
use crate::parameters::RtpCodecParameters;
use crate::session::stats::TRANSPORT;
use crate::stats::{
    CodecStats, InboundRtpStreamStats, OutboundRtpStreamStats, RemoteInboundRtpStreamStats,
    StatsBody, StatsReport, Timestamp, timestamp,
};
use interceptor::{Direction, StreamStats};

impl Transceivers {
    /// Adds what is known of the streams that flow.
    pub(crate) fn report(&self, now: Timestamp, report: &mut StatsReport) {
        for transceiver in &self.list {
            self.report_outgoing(now, transceiver, report);
            self.report_incoming(now, transceiver, report);
        }
    }

    fn report_outgoing(&self, now: Timestamp, own: &Transceiver, report: &mut StatsReport) {
        let codec_id = codec_entry(now, 'O', own, own.sender.codecs.first(), report);
        for (index, encoding) in own.sender.encodings.iter().enumerate() {
            if !encoding.bound {
                continue;
            }
            let ssrc = encoding.ssrc;
            let stats = self.stream_stats(Direction::Outgoing, ssrc);
            let local_id = format!("O{ssrc}");
            let remote_id = encoding.acknowledged.then(|| format!("RI{ssrc}"));
            if let Some(id) = remote_id.clone() {
                let body = RemoteInboundRtpStreamStats {
                    ssrc,
                    kind: own.kind,
                    transport_id: TRANSPORT.into(),
                    local_id: local_id.clone(),
                    packets_lost: stats.packets_lost,
                    jitter: stats.jitter.as_secs_f64(),
                    fraction_lost: stats.fraction_lost,
                    round_trip_time: stats.round_trip_time.map(|time| time.as_secs_f64()),
                    total_round_trip_time: stats.total_round_trip_time.as_secs_f64(),
                    round_trip_time_measurements: stats.round_trip_time_measurements,
                };
                report.add(now, id, StatsBody::RemoteInboundRtp(body));
            }
            let repairs = own
                .sender
                .codecs
                .iter()
                .any(|it| it.rtx_payload_type.is_some());
            let rid = &encoding.parameters.rid;
            let body = OutboundRtpStreamStats {
                ssrc,
                kind: own.kind,
                transport_id: TRANSPORT.into(),
                codec_id: codec_id.clone(),
                mid: own.mid.clone(),
                rid: (!rid.is_empty()).then(|| rid.clone()),
                encoding_index: index,
                remote_id,
                active: encoding.parameters.active && own.sends(),
                packets_sent: stats.packets,
                bytes_sent: stats.bytes,
                header_bytes_sent: stats.header_bytes,
                retransmitted_packets_sent: stats.retransmitted_packets,
                retransmitted_bytes_sent: stats.retransmitted_bytes,
                nack_count: stats.nack_count,
                pli_count: stats.pli_count,
                fir_count: stats.fir_count,
                rtx_ssrc: repairs.then_some(encoding.rtx_ssrc),
            };
            report.add(now, local_id, StatsBody::OutboundRtp(body));
        }
    }

    fn report_incoming(&self, now: Timestamp, own: &Transceiver, report: &mut StatsReport) {
        let receiver = &own.receiver;
        let codec_id = codec_entry(now, 'I', own, receiver.codecs.first(), report);
        for source in receiver.sources.iter().filter(|source| source.bound) {
            let stats = self.stream_stats(Direction::Incoming, source.ssrc);
            let body = InboundRtpStreamStats {
                ssrc: source.ssrc,
                kind: own.kind,
                transport_id: TRANSPORT.into(),
                codec_id: codec_id.clone(),
                track_identifier: receiver.track.clone(),
                mid: own.mid.clone(),
                rid: receiver.layers.get(usize::from(source.layer)).cloned(),
                packets_received: stats.packets,
                packets_lost: stats.packets_lost,
                jitter: stats.jitter.as_secs_f64(),
                bytes_received: stats.bytes,
                header_bytes_received: stats.header_bytes,
                retransmitted_packets_received: stats.retransmitted_packets,
                retransmitted_bytes_received: stats.retransmitted_bytes,
                last_packet_received_timestamp: self.wall_of(&stats),
                nack_count: stats.nack_count,
                pli_count: stats.pli_count,
                fir_count: stats.fir_count,
                rtx_ssrc: source.rtx_ssrc,
            };
            let id = format!("I{}", source.ssrc);
            report.add(now, id, StatsBody::InboundRtp(body));
        }
    }

    fn wall_of(&self, stats: &StreamStats) -> Option<Timestamp> {
        let since = stats.last_packet?.saturating_duration_since(self.start.now);
        Some(timestamp(self.start.wall + since))
    }
}

/// The entry of a codec, made when the first stream refers to it.
fn codec_entry(
    now: Timestamp,
    direction: char,
    own: &Transceiver,
    codec: Option<&RtpCodecParameters>,
    report: &mut StatsReport,
) -> Option<String> {
    let codec = codec?;
    let mid = own.mid.as_deref().unwrap_or_default();
    let id = format!("C{direction}{mid}_{}", codec.payload_type);
    let body = StatsBody::Codec(CodecStats::of(codec, TRANSPORT));
    report.add(now, id.clone(), body);
    Some(id)
}
