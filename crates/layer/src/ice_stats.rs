//! What an agent tells of its pairs and its servers.

use crate::{Candidate, CandidateError, CandidatePair};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The state of a candidate pair (RFC 8445 §6.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PairState {
    /// Held back until a pair of the same foundation succeeds.
    Frozen,
    /// May be checked.
    Waiting,
    /// A check is on its way.
    InProgress,
    /// A check succeeded.
    Succeeded,
    /// A check failed.
    Failed,
}

/// What one pair has been through (webrtc-stats §8.23).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairStats {
    /// The pair.
    pub pair: CandidatePair,
    /// Its check state.
    pub state: PairState,
    /// Whether it is nominated.
    pub nominated: bool,
    /// Payload bytes sent on it, checks left out.
    pub bytes_sent: u64,
    /// Payload bytes received on it.
    pub bytes_received: u64,
    /// Payload packets sent.
    pub packets_sent: u64,
    /// Payload packets received.
    pub packets_received: u64,
    /// Checks sent, consent checks included.
    pub requests_sent: u64,
    /// Checks received.
    pub requests_received: u64,
    /// Answers to our checks.
    pub responses_received: u64,
    /// Answers we sent.
    pub responses_sent: u64,
    /// The sum of all measured round trips.
    pub total_round_trip_time: Duration,
    /// The latest one.
    pub current_round_trip_time: Option<Duration>,
    /// What went wrong last, even if a later check succeeded.
    pub last_failure: Option<PairFailure>,
}

/// Why a check of a pair came to nothing, or why the pair cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PairFailure {
    /// Nobody answered, however often we asked.
    TimedOut,
    /// The peer answered with this STUN error code.
    Refused {
        /// 300 to 699.
        code: u16,
    },
    /// The answer came back another way than the check went (RFC 8445 §7.2.5.2.1).
    Asymmetric,
    /// The answer was not one: it lacks what it must have, or has what nobody understands.
    Malformed,
    /// The TURN server does not relay to the peer.
    NotPermitted {
        /// Its STUN error code, if it gave one.
        code: Option<u16>,
    },
    /// The TCP connection was not made.
    Connect(io::ErrorKind),
    /// The socket, the connection or the relay is gone.
    Closed,
    /// The peer has not renewed its consent in time, or has taken it back (RFC 7675).
    ConsentLost,
}

impl fmt::Display for PairFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer",
            Self::Refused { code } => return write!(f, "refused with {code}"),
            Self::Asymmetric => "answered from another address",
            Self::Malformed => "the answer was malformed",
            Self::NotPermitted { code: None } => "the relay does not permit the peer",
            Self::NotPermitted { code: Some(code) } => {
                return write!(f, "the relay does not permit the peer: {code}");
            }
            Self::Connect(error) => return write!(f, "no connection: {error}"),
            Self::Closed => "the socket is gone",
            Self::ConsentLost => "consent has ended",
        })
    }
}

impl PairStats {
    /// A pair on which nothing has happened yet.
    #[must_use]
    pub fn new(pair: CandidatePair, state: PairState) -> Self {
        Self {
            pair,
            state,
            nominated: false,
            bytes_sent: 0,
            bytes_received: 0,
            packets_sent: 0,
            packets_received: 0,
            requests_sent: 0,
            requests_received: 0,
            responses_received: 0,
            responses_sent: 0,
            total_round_trip_time: Duration::ZERO,
            current_round_trip_time: None,
            last_failure: None,
        }
    }
}

/// What asking one server from one local address has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// The URL, as configured.
    pub url: String,
    /// The server's address, once its name is resolved.
    pub address: Option<SocketAddr>,
    /// The local address it is asked from, once there is one.
    pub local: Option<SocketAddr>,
    /// How far it has come.
    pub state: ServerState,
    /// Why it has failed, as the event told.
    pub failure: Option<CandidateError>,
}

impl ServerStats {
    /// A server that was not asked yet.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self {
            url,
            address: None,
            local: None,
            state: ServerState::Waiting,
            failure: None,
        }
    }
}

/// How far asking a server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerState {
    /// Waits for its turn, for an address to ask from, or for gathering to begin.
    Waiting,
    /// Its name is being resolved.
    Resolving,
    /// A connection to it is being made.
    Connecting,
    /// It is being asked.
    Asking,
    /// It has answered: a reflexive candidate, or an allocation that stands.
    Answered,
    /// It gives no candidate, or no longer.
    Failed,
}

/// Counters of an agent. Every drop has one, so that "why not connected" has an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IceStats {
    /// Every pair, highest priority first.
    pub pairs: Vec<PairStats>,
    /// The candidates of ours, those included that are not signalled.
    pub local_candidates: Vec<Candidate>,
    /// The candidates of the peer.
    pub remote_candidates: Vec<Candidate>,
    /// Each server, from each local address that asks it.
    pub servers: Vec<ServerStats>,
    /// Packets that looked like STUN and could not be parsed.
    pub malformed: u64,
    /// Requests and responses whose integrity or user name was wrong or missing.
    pub unauthenticated: u64,
    /// Responses that answer no transaction of ours.
    pub unmatched: u64,
    /// Data from a 5-tuple that no check has authenticated.
    pub unvalidated_data: u64,
    /// Requests that got no answer: too many of strangers, or too many at once.
    pub unanswered: u64,
    /// Remote candidates that could not be used, or for which there was no room.
    pub candidates_dropped: u64,
    /// Accepted streams that were closed because too many others had not passed a check either.
    pub refused_streams: u64,
    /// Role conflicts seen.
    pub role_conflicts: u64,
}
