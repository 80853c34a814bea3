//! The answer to "why is it not connected": typed, and readable as it is printed.

use crate::api::state::{
    DtlsTransportState, IceConnectionState, IceGatheringState, IceRole, PeerConnectionState,
    SignalingState,
};
use layer::{Candidate, CandidateType, DtlsRole, DtlsStats, End, IceStats, PairStats, ServerStats};
use std::fmt;

/// Why a connection is not connected, or by which way it is.
///
/// [`PeerConnection::connectivity_report`](crate::PeerConnection::connectivity_report) makes it at any
/// time. Printed with `{}` it is meant to be read, and to be pasted into a bug report: it holds
/// addresses, but neither passwords nor keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectivityReport {
    /// In a word.
    pub verdict: ConnectivityVerdict,
    /// W3C `connectionState`.
    pub connection_state: PeerConnectionState,
    /// W3C `signalingState`.
    pub signaling_state: SignalingState,
    /// W3C `iceConnectionState`.
    pub ice_connection_state: IceConnectionState,
    /// W3C `iceGatheringState`.
    pub ice_gathering_state: IceGatheringState,
    /// Who nominates.
    pub ice_role: IceRole,
    /// Each server with its failure, each candidate of both sides, each pair with its checks, and what
    /// was dropped and why.
    pub ice: IceStats,
    /// The handshake; `None` before there is a transport.
    pub handshake: Option<HandshakeReport>,
}

/// How far the DTLS handshake has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HandshakeReport {
    /// Its state.
    pub state: DtlsTransportState,
    /// Ours, once known.
    pub role: Option<DtlsRole>,
    /// Datagrams sent, received and dropped.
    pub stats: DtlsStats,
    /// How it ended, if it did.
    pub end: Option<End>,
}

/// The reason that a [`ConnectivityReport`] comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectivityVerdict {
    /// It is connected.
    Connected,
    /// It was closed here.
    Closed,
    /// There is no local or no remote description.
    NotNegotiated,
    /// The descriptions agree on nothing: every section was rejected.
    NothingAccepted,
    /// We have no candidate yet.
    Gathering,
    /// There is no interface, and no server gave a candidate.
    NoLocalCandidates,
    /// The peer has signalled no candidate, and none of its checks has arrived.
    NoRemoteCandidates,
    /// No candidate of ours fits one of the peer's: other address families, or other transports.
    NoPairs,
    /// Checks are under way.
    Checking,
    /// Checks arrive, but not for the credentials of our description: the peer talks to another
    /// connection, or with a description of another generation.
    OtherCredentials,
    /// Every pair was checked and nobody has ever answered: a firewall or a NAT is in between, and no
    /// relay that both sides reach.
    NoAnswer,
    /// Every pair has failed; the pairs say why.
    ChecksFailed,
    /// It was connected, and the peer no longer answers (RFC 7675).
    ConsentLost,
    /// There is a path, and the DTLS handshake is under way on it.
    Handshaking,
    /// The DTLS transport has ended: the handshake failed, or one side has closed it.
    Ended(End),
}

impl fmt::Display for ConnectivityVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::Closed => "closed here",
            Self::NotNegotiated => "an offer or an answer is missing",
            Self::NothingAccepted => "offer and answer agree on nothing",
            Self::Gathering => "no local candidate yet",
            Self::NoLocalCandidates => "no local candidate",
            Self::NoRemoteCandidates => "no candidate of the peer, and no check from it",
            Self::NoPairs => "no local candidate fits one of the peer's",
            Self::Checking => "checks are under way",
            Self::OtherCredentials => "checks arrive for other credentials than ours",
            Self::NoAnswer => "no check was ever answered",
            Self::ChecksFailed => "all checks failed",
            Self::ConsentLost => "the peer no longer answers",
            Self::Handshaking => "the handshake is under way",
            Self::Ended(end) => return write!(f, "the secure transport has ended: {end}"),
        })
    }
}

impl fmt::Display for ConnectivityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.verdict)?;
        writeln!(
            f,
            "  connection {}, signaling {}, ICE {} as {}, gathering {}",
            self.connection_state,
            self.signaling_state,
            self.ice_connection_state,
            self.ice_role,
            self.ice_gathering_state
        )?;
        self.write_servers(f)?;
        write_candidates(f, "local", &self.ice.local_candidates)?;
        write_candidates(f, "remote", &self.ice.remote_candidates)?;
        self.write_pairs(f)?;
        self.write_handshake(f)?;
        self.write_dropped(f)
    }
}

impl ConnectivityReport {
    fn write_servers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ServerStats {
            url,
            address,
            local,
            state,
            failure,
            ..
        } in &self.ice.servers
        {
            write!(f, "  server {url}")?;
            if let Some(address) = address {
                write!(f, " at {address}")?;
            }
            if let Some(local) = local {
                write!(f, " from {local}")?;
            }
            write!(f, ": {}", lower(state))?;
            if let Some(failure) = failure {
                write!(f, ", {} ({})", failure.text, failure.code)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_pairs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ice.pairs.is_empty() {
            return writeln!(f, "  no pairs");
        }
        for pair in &self.ice.pairs {
            let PairStats { state, .. } = pair;
            let (local, remote) = (Short(&pair.pair.local), Short(&pair.pair.remote));
            write!(f, "  pair {local} to {remote}: {}", lower(state))?;
            if pair.nominated {
                f.write_str(", nominated")?;
            }
            write!(
                f,
                ", {} of {} checks answered, {} received",
                pair.responses_received, pair.requests_sent, pair.requests_received
            )?;
            if let Some(round_trip) = pair.current_round_trip_time {
                write!(f, ", round trip {round_trip:.1?}")?;
            }
            if let Some(failure) = pair.last_failure {
                write!(f, ", last failure: {failure}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_handshake(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(handshake) = &self.handshake else {
            return writeln!(f, "  no transport");
        };
        write!(f, "  DTLS {}", handshake.state)?;
        if let Some(role) = handshake.role {
            write!(f, " as {}", lower(&role))?;
        }
        let stats = &handshake.stats;
        write!(
            f,
            ", {} datagrams sent, {} received, {} dropped",
            stats.datagrams_sent, stats.datagrams_received, stats.dropped
        )?;
        if let Some(end) = &handshake.end {
            write!(f, ", {end}")?;
        }
        writeln!(f)
    }

    /// What came and could not be used, as far as there was any.
    fn write_dropped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ice = &self.ice;
        let counts = [
            (
                ice.candidates_dropped,
                "candidates of the peer were unusable",
            ),
            (ice.malformed, "STUN packets were malformed"),
            (ice.unauthenticated, "STUN packets had other credentials"),
            (ice.unmatched, "STUN answers were to no question of ours"),
            (ice.unanswered, "STUN requests were too many to answer"),
            (
                ice.unvalidated_data,
                "packets came from unchecked addresses",
            ),
            (ice.refused_streams, "streams of strangers were too many"),
            (ice.role_conflicts, "role conflicts"),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            writeln!(f, "  {count} {what}")?;
        }
        Ok(())
    }
}

fn write_candidates(
    f: &mut fmt::Formatter<'_>,
    side: &str,
    candidates: &[Candidate],
) -> fmt::Result {
    if candidates.is_empty() {
        return writeln!(f, "  no {side} candidates");
    }
    for candidate in candidates {
        write!(f, "  {side} {}", Short(candidate))?;
        if let Some(url) = &candidate.url {
            write!(f, " by {url}")?;
        }
        writeln!(f, ", priority {}", candidate.priority)?;
    }
    Ok(())
}

/// Type, transport and address of a candidate.
struct Short<'a>(&'a Candidate);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0.candidate_type {
            CandidateType::Host => "host",
            CandidateType::ServerReflexive => "srflx",
            CandidateType::PeerReflexive => "prflx",
            CandidateType::Relayed => "relay",
            _ => "other",
        };
        write!(f, "{kind} {} {}", lower(&self.0.protocol), self.0.address)
    }
}

/// The name of a variant, in lower case.
fn lower(variant: &impl fmt::Debug) -> String {
    format!("{variant:?}").to_lowercase()
}
