//! Why a connection is not connected: everything that is known, gathered in one place.

use super::Session;
use crate::api::transport::{dtls_state, ice_role};
use crate::connectivity::{ConnectivityReport, ConnectivityVerdict, HandshakeReport};
use layer::{DtlsState, IceState, PairFailure, PairState, PairStats};

impl Session {
    /// Why the connection is not connected, or by which way it is; see [`ConnectivityReport`].
    #[must_use]
    pub fn connectivity_report(&self) -> ConnectivityReport {
        let transport = self.transport.as_ref();
        ConnectivityReport {
            verdict: self.verdict(),
            connection_state: self.connection_state(),
            signaling_state: self.signaling_state(),
            ice_connection_state: self.ice_connection_state(),
            ice_gathering_state: self.ice_gathering_state(),
            ice_role: ice_role(transport.and_then(|transport| transport.ice.role())),
            ice: transport
                .map(|transport| transport.ice.stats())
                .unwrap_or_default(),
            handshake: transport.map(|transport| HandshakeReport {
                state: dtls_state(transport.dtls.state()),
                role: transport.dtls.role(),
                stats: transport.dtls.stats(),
                end: transport.dtls_end.clone(),
            }),
        }
    }

    /// The first of these questions whose answer is no: are there descriptions, candidates, pairs,
    /// answers, consent, and keys?
    fn verdict(&self) -> ConnectivityVerdict {
        if self.closed {
            return ConnectivityVerdict::Closed;
        }
        if self.negotiation.local().is_none() || self.negotiation.remote().is_none() {
            return ConnectivityVerdict::NotNegotiated;
        }
        let Some(transport) = &self.transport else {
            return ConnectivityVerdict::NothingAccepted;
        };
        if let Some(end) = &transport.dtls_end {
            return ConnectivityVerdict::Ended(end.clone());
        }
        let works = matches!(
            transport.ice.state(),
            IceState::Connected | IceState::Completed
        );
        match transport.dtls.state() {
            DtlsState::Connected if works => ConnectivityVerdict::Connected,
            _ if works => ConnectivityVerdict::Handshaking,
            _ => self.verdict_on_pairs(&transport.ice.stats()),
        }
    }

    fn verdict_on_pairs(&self, stats: &layer::IceStats) -> ConnectivityVerdict {
        let pairs = &stats.pairs;
        let failed = |pair: &PairStats| pair.state == PairState::Failed;
        let answered = |pair: &PairStats| pair.responses_received > 0;
        let unanswered = |pair: &PairStats| {
            let silent = [None, Some(PairFailure::TimedOut)].contains(&pair.last_failure);
            silent && !answered(pair)
        };
        if pairs.iter().any(answered) {
            let silent = pairs.iter().filter(|pair| answered(pair));
            let mut failures = silent.map(|pair| pair.last_failure);
            return match failures.any(|failure| failure == Some(PairFailure::ConsentLost)) {
                true => ConnectivityVerdict::ConsentLost,
                false => ConnectivityVerdict::Checking,
            };
        }
        let is_gathering = self.ice_gathering_state() != crate::IceGatheringState::Complete;
        if stats.local_candidates.is_empty() {
            return match is_gathering {
                true => ConnectivityVerdict::Gathering,
                false => ConnectivityVerdict::NoLocalCandidates,
            };
        }
        if stats.remote_candidates.is_empty() {
            return ConnectivityVerdict::NoRemoteCandidates;
        }
        if pairs.is_empty() {
            return ConnectivityVerdict::NoPairs;
        }
        if stats.unauthenticated > 0 {
            return ConnectivityVerdict::OtherCredentials;
        }
        if !pairs.iter().all(failed) {
            return ConnectivityVerdict::Checking;
        }
        match pairs.iter().all(unanswered) {
            true => ConnectivityVerdict::NoAnswer,
            false => ConnectivityVerdict::ChecksFailed,
        }
    }
}
