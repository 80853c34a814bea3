//! What one end has to know of the other, in the words of ORTC (<https://draft.ortc.org/>): a
//! dictionary for each transport. As JSON it is what would otherwise stand in a description.

use examples::Outcome;
use ice::conn::{Candidate, CandidateAddress, CandidateType, Credentials, Description, Protocol};
use layer::{Fingerprint, HashAlgorithm};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Everything, for all transports of one end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Parameters {
    pub(crate) ice: IceParameters,
    pub(crate) candidates: Vec<IceCandidate>,
    pub(crate) dtls: DtlsParameters,
    pub(crate) sctp: SctpCapabilities,
}

/// `RTCIceParameters`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IceParameters {
    username_fragment: String,
    password: String,
}

/// `RTCIceCandidate`; `ip` may be a name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IceCandidate {
    foundation: String,
    priority: u32,
    ip: String,
    protocol: String,
    port: u16,
    #[serde(rename = "type")]
    kind: String,
}

/// `RTCDtlsParameters`; the role follows from that of ICE.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DtlsParameters {
    pub(crate) fingerprints: Vec<DtlsFingerprint>,
}

/// `RTCDtlsFingerprint`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DtlsFingerprint {
    algorithm: String,
    value: String,
}

/// `RTCSctpCapabilities`, and the port.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SctpCapabilities {
    pub(crate) port: u16,
    pub(crate) max_message_size: usize,
}

/// The types of candidates that are signalled.
const TYPES: [(CandidateType, &str); 3] = [
    (CandidateType::Host, "host"),
    (CandidateType::ServerReflexive, "srflx"),
    (CandidateType::Relayed, "relay"),
];

impl Parameters {
    pub(crate) fn new(
        description: &Description,
        fingerprints: &[Fingerprint],
        sctp: SctpCapabilities,
    ) -> Self {
        let Credentials {
            username_fragment,
            password,
            ..
        } = description.credentials.clone();
        let fingerprints = fingerprints.iter().map(|it| DtlsFingerprint {
            algorithm: it.algorithm.name().to_owned(),
            value: it.to_hex(),
        });
        Self {
            ice: IceParameters {
                username_fragment,
                password,
            },
            candidates: description.candidates.iter().filter_map(told).collect(),
            dtls: DtlsParameters {
                fingerprints: fingerprints.collect(),
            },
            sctp,
        }
    }

    /// What ICE wants of it.
    pub(crate) fn description(&self) -> Description {
        let ice = &self.ice;
        Description {
            credentials: Credentials::new(&ice.username_fragment, &ice.password),
            candidates: self.candidates.iter().filter_map(understood).collect(),
        }
    }

    /// What DTLS wants of it.
    pub(crate) fn fingerprints(&self) -> Outcome<Vec<Fingerprint>> {
        let read = |it: &DtlsFingerprint| {
            let algorithm = HashAlgorithm::from_name(&it.algorithm)?;
            Fingerprint::from_hex(algorithm, &it.value)
        };
        let found: Vec<_> = self.dtls.fingerprints.iter().filter_map(read).collect();
        if found.is_empty() {
            return Err("no fingerprint that can be read".into());
        }
        Ok(found)
    }
}

fn told(candidate: &Candidate) -> Option<IceCandidate> {
    let mut types = TYPES.iter();
    let (_, name) = types.find(|(kind, _)| *kind == candidate.candidate_type)?;
    let address = candidate.socket_addr()?;
    Some(IceCandidate {
        foundation: candidate.foundation.clone(),
        priority: candidate.priority,
        ip: address.ip().to_string(),
        protocol: "udp".to_owned(),
        port: address.port(),
        kind: (*name).to_owned(),
    })
}

/// `None` for what is of no use here: TCP.
fn understood(candidate: &IceCandidate) -> Option<Candidate> {
    if candidate.protocol != "udp" {
        return None;
    }
    let (kind, _) = TYPES.iter().find(|(_, name)| *name == candidate.kind)?;
    let (host, port) = (candidate.ip.clone(), candidate.port);
    let address = match host.parse() {
        Ok(ip) => CandidateAddress::Socket(SocketAddr::new(ip, port)),
        Err(_) => CandidateAddress::Name { host, port },
    };
    let IceCandidate {
        foundation,
        priority,
        ..
    } = candidate;
    let candidate = Candidate::new(foundation, *kind, Protocol::Udp, *priority, address);
    Some(candidate)
}
