use crate::api::candidate::IceCandidate;
use crate::api::state::{
    DtlsTransportState, IceCandidateType, IceProtocol, IceRole, IceTcpCandidateType,
    IceTransportState,
};
use layer::{Fingerprint, PairState};

/// W3C `RTCTransportStats` (webrtc-stats §8.20).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct TransportStats {
    /// Packets sent over all its pairs, checks left out.
    pub packets_sent: u64,
    /// Packets received, likewise.
    pub packets_received: u64,
    /// Bytes of payload sent.
    pub bytes_sent: u64,
    /// Bytes of payload received.
    pub bytes_received: u64,
    /// Our role in ICE.
    pub ice_role: IceRole,
    /// Our user name fragment.
    pub ice_local_username_fragment: String,
    /// The state of ICE.
    pub ice_state: IceTransportState,
    /// The state of DTLS.
    pub dtls_state: DtlsTransportState,
    /// The pair in use.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub selected_candidate_pair_id: Option<String>,
    /// What we present.
    pub local_certificate_id: String,
    /// What the peer presents, after the handshake.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub remote_certificate_id: Option<String>,
    /// The version of TLS that DTLS stands for, in hexadecimal: `FEFD` for 1.2, `FEFC` for 1.3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tls_version: Option<String>,
    /// The cipher suite, by its IANA number in hexadecimal.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub dtls_cipher: Option<String>,
    /// `client`, `server` or `unknown`.
    pub dtls_role: String,
    /// The SRTP profile, if one was negotiated.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub srtp_cipher: Option<String>,
}

/// W3C `RTCIceCandidatePairStats` (webrtc-stats §8.23). Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct CandidatePairStats {
    /// The transport.
    pub transport_id: String,
    /// Our candidate.
    pub local_candidate_id: String,
    /// The peer's candidate.
    pub remote_candidate_id: String,
    /// `frozen`, `waiting`, `in-progress`, `failed` or `succeeded`.
    pub state: String,
    /// Whether it was nominated.
    pub nominated: bool,
    /// Packets of payload sent.
    pub packets_sent: u64,
    /// Packets of payload received.
    pub packets_received: u64,
    /// Bytes of payload sent.
    pub bytes_sent: u64,
    /// Bytes of payload received.
    pub bytes_received: u64,
    /// All round trips together.
    pub total_round_trip_time: f64,
    /// The latest one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub current_round_trip_time: Option<f64>,
    /// Checks received.
    pub requests_received: u64,
    /// Checks sent.
    pub requests_sent: u64,
    /// Answers received.
    pub responses_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
}

/// W3C `RTCIceCandidateStats` (webrtc-stats §8.21).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct CandidateStats {
    /// The transport.
    pub transport_id: String,
    /// Its address, or name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<String>,
    /// Its port.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub port: Option<u16>,
    /// Its transport protocol.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub protocol: Option<IceProtocol>,
    /// Its type.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub candidate_type: Option<IceCandidateType>,
    /// Its priority.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub priority: Option<u32>,
    /// Its foundation.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub foundation: Option<String>,
    /// The address it was learned from.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub related_address: Option<String>,
    /// Its port.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub related_port: Option<u16>,
    /// The generation it belongs to.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub username_fragment: Option<String>,
    /// How it uses TCP.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tcp_type: Option<IceTcpCandidateType>,
    /// The server it came from.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub url: Option<String>,
}

/// W3C `RTCCertificateStats` (webrtc-stats §8.24).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct CertificateStats {
    /// The fingerprint, as it is signalled.
    pub fingerprint: String,
    /// Its hash: `sha-256`.
    pub fingerprint_algorithm: String,
    /// The certificate, DER in base64.
    pub base64_certificate: String,
}

impl CandidateStats {
    pub(crate) fn of(candidate: &IceCandidate, transport_id: &str) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            transport_id: transport_id.to_owned(),
            address: owned(candidate.address()),
            port: candidate.port(),
            protocol: candidate.protocol(),
            candidate_type: candidate.candidate_type(),
            priority: candidate.priority(),
            foundation: owned(candidate.foundation()),
            related_address: owned(candidate.related_address()),
            related_port: candidate.related_port(),
            username_fragment: owned(candidate.username_fragment()),
            tcp_type: candidate.tcp_type(),
            url: owned(candidate.url()),
        }
    }
}

impl CertificateStats {
    pub(crate) fn of(der: &[u8], fingerprint: &Fingerprint) -> Self {
        Self {
            fingerprint: fingerprint.to_hex(),
            fingerprint_algorithm: fingerprint.algorithm.name().to_owned(),
            base64_certificate: base64(der),
        }
    }
}

/// The W3C's word for the state of a pair.
pub(crate) fn pair_state(state: PairState) -> &'static str {
    match state {
        PairState::Frozen => "frozen",
        PairState::Waiting => "waiting",
        PairState::InProgress => "in-progress",
        PairState::Succeeded => "succeeded",
        _ => "failed",
    }
}

/// The id of a candidate: what makes it another one than the others.
fn candidate_id(side: char, candidate: &layer::Candidate) -> String {
    format!(
        "{side}:{}:{:?}:{:?}:{}",
        candidate.username_fragment.as_deref().unwrap_or_default(),
        candidate.candidate_type,
        candidate.protocol,
        candidate.address
    )
}

pub(crate) fn local_candidate_id(candidate: &layer::Candidate) -> String {
    candidate_id('L', candidate)
}

pub(crate) fn remote_candidate_id(candidate: &layer::Candidate) -> String {
    candidate_id('R', candidate)
}

pub(crate) fn pair_id(pair: &layer::CandidatePair) -> String {
    let (local, remote) = (
        local_candidate_id(&pair.local),
        remote_candidate_id(&pair.remote),
    );
    format!("P:{local}/{remote}")
}

pub(crate) fn certificate_id(fingerprint: &Fingerprint) -> String {
    format!("CF:{}", fingerprint.to_hex())
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for digit in 0..4 {
            let sextet = (word >> (18 - 6 * digit)) & 63;
            let letter = usize::try_from(sextet).map_or('=', |at| char::from(DIGITS[at]));
            text.push(if digit <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn base64_is_padded() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
