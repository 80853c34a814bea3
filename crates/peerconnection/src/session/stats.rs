//! Where the numbers of a report come from (webrtc-stats §8).

use super::Session;
use super::transports::Transport;
use crate::api::state::DtlsTransportState;
use crate::api::transport::{dtls_state, ice_role, ice_state};
use crate::stats::{
    CandidatePairStats, CandidateStats, CertificateStats, DataChannelStats, PeerConnectionStats,
    StatsBody, StatsReport, Timestamp, TransportStats, certificate_id, local_candidate_id, pair_id,
    pair_state, remote_candidate_id, timestamp,
};
use layer::{DtlsRole, DtlsVersion, Fingerprint, PairStats};
use std::time::Instant;

/// The transport, of which there is one.
pub(super) const TRANSPORT: &str = "T";

impl Session {
    /// W3C `getStats`: what all objects of the connection have counted until now.
    #[must_use]
    pub fn stats(&self, now: Instant) -> StatsReport {
        let wall = self.start.wall + now.saturating_duration_since(self.start.now);
        let now = timestamp(wall);
        let mut report = StatsReport::default();
        let connection = PeerConnectionStats {
            data_channels_opened: self.channels_opened,
            data_channels_closed: self.channels_closed,
        };
        report.add(now, "PC".into(), StatsBody::PeerConnection(connection));
        self.report_channels(now, &mut report);
        if let Some(transport) = &self.transport {
            self.report_transport(now, transport, &mut report);
            self.report_candidates(now, transport, &mut report);
            #[cfg(feature = "rtp")]
            self.media.report(now, &mut report);
        }
        report
    }

    fn report_channels(&self, now: Timestamp, report: &mut StatsReport) {
        for key in self.channels.keys() {
            let Some(info) = self.channels.info(key) else {
                continue;
            };
            let body = DataChannelStats {
                label: info.init.label,
                protocol: info.init.protocol,
                data_channel_identifier: info.id,
                state: self.channel_state(key),
                messages_sent: info.stats.messages_sent,
                bytes_sent: info.stats.bytes_sent,
                messages_received: info.stats.messages_received,
                bytes_received: info.stats.bytes_received,
            };
            let id = format!("D{}", key.index());
            report.add(now, id, StatsBody::DataChannel(body));
        }
    }

    fn report_transport(&self, now: Timestamp, transport: &Transport, report: &mut StatsReport) {
        let pairs = transport.ice.stats().pairs;
        let sum = |count: fn(&PairStats) -> u64| pairs.iter().map(count).sum();
        let security = transport.dtls.security();
        let theirs = self.remote_fingerprint();
        let der = transport.dtls.remote_certificates().first();
        let ours = self.certificate.fingerprints();
        let remote = theirs.as_ref().zip(der);
        for (fingerprint, der) in ours
            .first()
            .map(|print| (print, self.certificate.der()))
            .into_iter()
            .chain(remote.map(|(print, der)| (print, &der[..])))
        {
            let body = StatsBody::Certificate(CertificateStats::of(der, fingerprint));
            report.add(now, certificate_id(fingerprint), body);
        }
        let connected = dtls_state(transport.dtls.state()) == DtlsTransportState::Connected;
        let body = TransportStats {
            packets_sent: sum(|pair| pair.packets_sent),
            packets_received: sum(|pair| pair.packets_received),
            bytes_sent: sum(|pair| pair.bytes_sent),
            bytes_received: sum(|pair| pair.bytes_received),
            ice_role: ice_role(transport.ice.role()),
            ice_local_username_fragment: transport
                .ice
                .local_credentials()
                .username_fragment
                .clone(),
            ice_state: ice_state(transport.ice.state()),
            dtls_state: dtls_state(transport.dtls.state()),
            selected_candidate_pair_id: transport.ice.selected_pair().as_ref().map(pair_id),
            local_certificate_id: ours.first().map(certificate_id).unwrap_or_default(),
            remote_certificate_id: remote.map(|(print, _)| certificate_id(print)),
            tls_version: security.as_ref().filter(|_| connected).map(|it| {
                let version = match it.version {
                    DtlsVersion::V1_2 => "FEFD",
                    _ => "FEFC",
                };
                version.to_owned()
            }),
            dtls_cipher: security
                .as_ref()
                .and_then(|it| it.cipher_suite)
                .map(|suite| format!("{suite:04X}")),
            dtls_role: match transport.dtls.role() {
                Some(DtlsRole::Client) => "client".into(),
                Some(DtlsRole::Server) => "server".into(),
                _ => "unknown".into(),
            },
            srtp_cipher: security
                .and_then(|it| it.srtp_profile)
                .map(|profile| profile.name().to_owned()),
        };
        report.add(now, TRANSPORT.into(), StatsBody::Transport(body));
    }

    fn report_candidates(&self, now: Timestamp, transport: &Transport, report: &mut StatsReport) {
        let stats = |candidate: &layer::Candidate| {
            CandidateStats::of(&self.shown_candidate(candidate), TRANSPORT)
        };
        for candidate in transport.ice.local_candidates() {
            let body = StatsBody::LocalCandidate(stats(&candidate));
            report.add(now, local_candidate_id(&candidate), body);
        }
        for candidate in transport.ice.remote_candidates() {
            let body = StatsBody::RemoteCandidate(stats(&candidate));
            report.add(now, remote_candidate_id(&candidate), body);
        }
        for own in transport.ice.stats().pairs {
            // What a check has taught us of either side stands in its pair alone.
            let (local, remote) = (&own.pair.local, &own.pair.remote);
            for (id, body) in [
                (
                    local_candidate_id(local),
                    StatsBody::LocalCandidate(stats(local)),
                ),
                (
                    remote_candidate_id(remote),
                    StatsBody::RemoteCandidate(stats(remote)),
                ),
            ] {
                if report.get(&id).is_none() {
                    report.add(now, id, body);
                }
            }
            let id = pair_id(&own.pair);
            report.add(now, id, StatsBody::CandidatePair(pair_stats(&own)));
        }
    }

    /// The fingerprint that the peer signalled first.
    fn remote_fingerprint(&self) -> Option<Fingerprint> {
        let remote = self.negotiation.remote()?;
        let section = &remote.description.media[remote.transport_section()?];
        let prints = section.fingerprints(&remote.description).ok()?;
        prints.into_iter().find_map(|print| {
            let algorithm = layer::HashAlgorithm::from_name(&print.algorithm)?;
            Fingerprint::new(algorithm, print.bytes)
        })
    }
}

fn pair_stats(own: &PairStats) -> CandidatePairStats {
    CandidatePairStats {
        transport_id: TRANSPORT.into(),
        local_candidate_id: local_candidate_id(&own.pair.local),
        remote_candidate_id: remote_candidate_id(&own.pair.remote),
        state: pair_state(own.state).into(),
        nominated: own.nominated,
        packets_sent: own.packets_sent,
        packets_received: own.packets_received,
        bytes_sent: own.bytes_sent,
        bytes_received: own.bytes_received,
        total_round_trip_time: own.total_round_trip_time.as_secs_f64(),
        current_round_trip_time: own.current_round_trip_time.map(|time| time.as_secs_f64()),
        requests_received: own.requests_received,
        requests_sent: own.requests_sent,
        responses_received: own.responses_received,
        responses_sent: own.responses_sent,
    }
}
