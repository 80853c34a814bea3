//! A firewall, played: on one machine there is none between two peers.

use muonrtc::SessionDescription;

/// What a peer would learn if no UDP could come through: nothing of it.
#[must_use]
pub fn without_udp(description: &SessionDescription) -> SessionDescription {
    let lines = description.sdp().lines();
    let kept = lines.filter(|line| !(is_candidate(line) && line.contains(" udp ")));
    let sdp: String = kept.map(|line| format!("{line}\r\n")).collect();
    SessionDescription::new(description.kind(), sdp)
}

/// Whether a line of a description is a candidate.
#[must_use]
pub fn is_candidate(line: &str) -> bool {
    line.starts_with("a=candidate:")
}
