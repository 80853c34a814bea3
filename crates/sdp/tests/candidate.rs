//! Candidate lines (RFC 8839 §5.1, RFC 6544 §4.5).
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

use muonrtc_sdp::{Candidate, CandidateError};

fn parse(line: &str) -> Result<Candidate, CandidateError> {
    line.parse()
}

// ice-016
#[test]
fn the_example_of_the_rfc_is_read() {
    let line =
        "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998";
    let candidate = parse(line).unwrap();
    assert_eq!(candidate.foundation, "2");
    assert_eq!(candidate.component, 1);
    assert_eq!(candidate.transport, "UDP");
    assert_eq!(candidate.priority, 1_694_498_815);
    assert_eq!(candidate.address, "192.0.2.3");
    assert_eq!(candidate.port, 45664);
    assert_eq!(candidate.kind, "srflx");
    assert_eq!(candidate.related_address.as_deref(), Some("203.0.113.141"));
    assert_eq!(candidate.related_port, Some(8998));
    assert_eq!(candidate.to_string(), line);
}

#[test]
fn the_prefix_may_be_there_or_not() {
    let line = "1 1 udp 1 fd00::2 9 typ host";
    let expected = parse(line).unwrap();
    for before in ["candidate:", "a=candidate:", ""] {
        for after in ["", "\r\n", "\n"] {
            assert_eq!(parse(&format!("{before}{line}{after}")).unwrap(), expected);
        }
    }
}

#[test]
fn what_stacks_write_prints_the_same() {
    for line in [
        // Chromium, UDP and TCP, with a name of multicast DNS.
        "candidate:3077952869 1 udp 2122265343 fd00::2 41386 typ host generation 0 network-id 2",
        "candidate:2398920056 1 tcp 1518214911 192.0.2.2 46633 typ host tcptype passive generation 0 ufrag zZOs network-id 1 network-cost 10",
        "candidate:1 1 udp 2113937151 2f4712db-ea17-4bcf-a596-105139dfd8bf.local 54596 typ host generation 0 ufrag EsAT network-cost 999",
        // Firefox.
        "candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active",
        // aiortc, a foundation of full length.
        "candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 37630 typ host",
        // A relayed candidate that hides its related address (RFC 8839 §5.1).
        "candidate:4 2 udp 41885695 192.0.2.150 52389 typ relay raddr 0.0.0.0 rport 9 generation 0",
        // An unknown type and unknown extensions are kept.
        "candidate:a+/b 256 dccp 1 name.example 0 typ x-new some thing other",
    ] {
        let printed = parse(line).unwrap().to_string();
        assert_eq!(printed.trim_end(), line);
        assert_eq!(parse(&printed).unwrap(), parse(line).unwrap());
    }
}

#[test]
fn extensions_are_found_by_name_and_kept_in_order() {
    let line = "candidate:1 1 tcp 1 192.0.2.2 9 typ host ufrag EsAT tcptype so x y";
    let candidate = parse(line).unwrap();
    assert_eq!(candidate.tcp_type(), Some("so"));
    assert_eq!(candidate.ufrag(), Some("EsAT"));
    assert_eq!(candidate.extension("x"), Some("y"));
    assert_eq!(candidate.extension("z"), None);
    assert_eq!(candidate.extensions.len(), 3);
}

// sdp-008
#[test]
fn what_is_malformed_or_out_of_range_is_refused() {
    let too_long = format!("1 1 udp 1 192.0.2.2 9 typ host x {}", "y".repeat(4096));
    let long_foundation = format!("{} 1 udp 1 192.0.2.2 9 typ host", "f".repeat(33));
    for (line, error) in [
        ("", CandidateError::Truncated),
        ("1 1 udp 1 192.0.2.2 9", CandidateError::Truncated),
        ("1 1 udp 1 192.0.2.2 9 typ", CandidateError::Truncated),
        ("1 1 udp 1 192.0.2.2 9 host typ", CandidateError::Type),
        (
            "1:2 1 udp 1 192.0.2.2 9 typ host",
            CandidateError::Foundation,
        ),
        (long_foundation.as_str(), CandidateError::Foundation),
        ("1 0 udp 1 192.0.2.2 9 typ host", CandidateError::Component),
        (
            "1 257 udp 1 192.0.2.2 9 typ host",
            CandidateError::Component,
        ),
        ("1 x udp 1 192.0.2.2 9 typ host", CandidateError::Component),
        ("1 1 u,p 1 192.0.2.2 9 typ host", CandidateError::Transport),
        ("1 1 udp 0 192.0.2.2 9 typ host", CandidateError::Priority),
        (
            "1 1 udp 2147483648 192.0.2.2 9 typ host",
            CandidateError::Priority,
        ),
        ("1 1 udp -1 192.0.2.2 9 typ host", CandidateError::Priority),
        ("1 1 udp 1 192.0.2.2 65536 typ host", CandidateError::Port),
        (
            "1 1 udp 1 192.0.2.2 9 typ srflx raddr 192.0.2.3 rport 65536",
            CandidateError::Port,
        ),
        (
            "1 1 udp 1 192.0.2.2 9 typ srflx raddr",
            CandidateError::Truncated,
        ),
        (
            "1 1 udp 1 192.0.2.2 9 typ host a\tb c",
            CandidateError::Extension,
        ),
        (
            "1 1 udp 1 192.0.2.2 9 typ host a:b c",
            CandidateError::Extension,
        ),
        (too_long.as_str(), CandidateError::TooLong),
    ] {
        assert_eq!(parse(line), Err(error), "{line}");
    }
}
