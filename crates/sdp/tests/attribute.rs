//! What the attributes of a transport and of a data section say (RFC 8839, 8122, 8841, 8842, 9143).
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

use muonrtc_sdp::{
    AttributeErrorKind, Description, Direction, Fingerprint, Group, Media, RtpMap, Setup,
};

const UFRAG: &str = "8hhY";
const PWD: &str = "asd88fgpdd777uzjYhagZg";
const SHA_1: &str = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";

fn description(session: &[(&str, &str)]) -> Description {
    let mut description = Description::default();
    for (key, value) in session {
        description.push(*key, value);
    }
    description
}

fn media(attributes: &[(&str, &str)]) -> Media {
    let mut media = Media::data();
    for (key, value) in attributes {
        media.push(*key, value);
    }
    media
}

fn kind<T: std::fmt::Debug>(result: Result<T, muonrtc_sdp::AttributeError>) -> AttributeErrorKind {
    result.unwrap_err().kind
}

// sdp-005
#[test]
fn a_section_wins_over_the_session() {
    let session = description(&[
        ("ice-ufrag", "sess"),
        ("ice-pwd", PWD),
        ("ice-options", "trickle"),
        ("setup", "actpass"),
        ("fingerprint", SHA_1),
        ("tls-id", "abcdefghijklmnopqrst"),
    ]);
    let plain = media(&[]);
    assert_eq!(plain.ice_ufrag(&session).unwrap(), Some("sess"));
    assert_eq!(plain.ice_pwd(&session).unwrap(), Some(PWD));
    assert_eq!(plain.ice_options(&session), ["trickle"]);
    assert_eq!(plain.setup(&session).unwrap(), Some(Setup::ActPass));
    assert_eq!(plain.fingerprints(&session).unwrap().len(), 1);
    assert_eq!(
        plain.tls_id(&session).unwrap(),
        Some("abcdefghijklmnopqrst")
    );

    let own = media(&[
        ("ice-ufrag", UFRAG),
        ("ice-options", "ice2 trickle"),
        ("setup", "passive"),
        ("fingerprint", SHA_1),
        ("fingerprint", &SHA_1.replace("sha-1 4A", "SHA-1 4b")),
    ]);
    assert_eq!(own.ice_ufrag(&session).unwrap(), Some(UFRAG));
    assert_eq!(own.ice_options(&session), ["ice2", "trickle"]);
    assert_eq!(own.setup(&session).unwrap(), Some(Setup::Passive));
    let fingerprints = own.fingerprints(&session).unwrap();
    assert_eq!(fingerprints[1].algorithm, "sha-1");
    assert_eq!(fingerprints[1].bytes[0], 0x4B);
}

// sdp-008
#[test]
fn what_may_stand_once_and_stands_twice_is_an_error() {
    let none = Description::default();
    let twice = |key: &str, value: &str| media(&[(key, value), (key, value)]);
    let duplicate = AttributeErrorKind::Duplicate;
    assert_eq!(kind(twice("ice-ufrag", UFRAG).ice_ufrag(&none)), duplicate);
    assert_eq!(kind(twice("ice-pwd", PWD).ice_pwd(&none)), duplicate);
    assert_eq!(kind(twice("setup", "active").setup(&none)), duplicate);
    assert_eq!(kind(twice("mid", "0").checked_mid()), duplicate);
    assert_eq!(kind(twice("sctp-port", "5000").sctp_port()), duplicate);
    assert_eq!(
        kind(twice("max-message-size", "1").max_message_size()),
        duplicate
    );
    // Once at each level is no repetition.
    let session = description(&[("setup", "active")]);
    let own = media(&[("setup", "passive")]);
    assert_eq!(own.setup(&session).unwrap(), Some(Setup::Passive));
}

// sdp-008, sdp-049, sdp-050
#[test]
fn numbers_of_the_data_section_do_not_wrap() {
    let port = |text: &str| media(&[("sctp-port", text)]).sctp_port();
    assert_eq!(port("0").unwrap(), Some(0));
    assert_eq!(port("65535").unwrap(), Some(65535));
    assert_eq!(kind(port("65536")), AttributeErrorKind::OutOfRange);
    for text in ["", " 1", "+1", "-1", "0x10", "5000 "] {
        assert_eq!(kind(port(text)), AttributeErrorKind::Malformed, "{text}");
    }
    assert_eq!(media(&[]).sctp_port().unwrap(), None);

    let size = |text: &str| media(&[("max-message-size", text)]).max_message_size();
    assert_eq!(size("0").unwrap(), Some(0));
    assert_eq!(size("18446744073709551615").unwrap(), Some(u64::MAX));
    assert_eq!(
        kind(size("18446744073709551616")),
        AttributeErrorKind::OutOfRange
    );
    assert_eq!(media(&[]).max_message_size().unwrap(), None);
}

// sdp-048, sdp-015
#[test]
fn a_data_section_has_one_format() {
    let is_data = |protocol: &str, formats: &[&str]| {
        Media::new("application", protocol, formats.iter().copied()).is_data()
    };
    assert!(is_data("UDP/DTLS/SCTP", &["webrtc-datachannel"]));
    assert!(is_data("TCP/DTLS/SCTP", &["webrtc-datachannel"]));
    assert!(!is_data("UDP/DTLS/SCTP", &["webrtc-datachannel", "x"]));
    assert!(!is_data("UDP/DTLS/SCTP", &["other"]));
    assert!(!is_data("UDP/TLS/RTP/SAVPF", &["webrtc-datachannel"]));
    let older = Media::new("application", "DTLS/SCTP", ["5001"]);
    assert!(older.is_data());
    assert_eq!(older.sctp_port().unwrap(), Some(5001));
}

// sdp-010
#[test]
fn port_zero_rejects_unless_bundle_only() {
    let mut section = media(&[]);
    assert!(!section.is_rejected());
    section.port = 0;
    assert!(section.is_rejected());
    section.push_flag("bundle-only");
    assert!(!section.is_rejected());
    assert!(section.is_bundle_only());
}

// sdp-018
#[test]
fn the_four_setups_are_read_in_any_case() {
    let none = Description::default();
    let setup = |text: &str| media(&[("setup", text)]).setup(&none);
    for known in [
        Setup::Active,
        Setup::Passive,
        Setup::ActPass,
        Setup::HoldConn,
    ] {
        assert_eq!(setup(known.as_str()).unwrap(), Some(known));
        assert_eq!(
            setup(&known.to_string().to_uppercase()).unwrap(),
            Some(known)
        );
    }
    assert_eq!(kind(setup("both")), AttributeErrorKind::Malformed);
    assert_eq!(media(&[]).setup(&none).unwrap(), None);
}

// sdp-019, dfx-044
#[test]
fn a_fingerprint_is_a_hash_and_hex_pairs() {
    let none = Description::default();
    let read = |text: &str| media(&[("fingerprint", text)]).fingerprints(&none);
    let fingerprint: Fingerprint = read(SHA_1).unwrap().remove(0);
    assert_eq!(fingerprint.to_string(), SHA_1);
    assert_eq!(read(&SHA_1.to_lowercase()).unwrap(), [fingerprint]);
    for text in [
        "",
        "sha-1",
        "sha-1 ",
        "sha-1 4",
        "sha-1 4A:",
        "sha-1 4A:+B",
        "sha-1 4AAD",
        "sha-1 é",
        "sha-1 4A 4B",
        "sh:a 4A",
    ] {
        assert_eq!(kind(read(text)), AttributeErrorKind::Malformed, "{text}");
    }
}

// sdp-021
#[test]
fn ice_credentials_have_their_lengths_and_letters() {
    let none = Description::default();
    let ufrag = |text: &str| {
        let media = media(&[("ice-ufrag", text)]);
        media.ice_ufrag(&none).map(|text| text.map(str::len))
    };
    assert_eq!(ufrag(&"x".repeat(256)).unwrap(), Some(256));
    assert_eq!(kind(ufrag("abc")), AttributeErrorKind::OutOfRange);
    assert_eq!(
        kind(ufrag(&"x".repeat(257))),
        AttributeErrorKind::OutOfRange
    );
    assert_eq!(kind(ufrag("ab:cd")), AttributeErrorKind::Malformed);
    assert_eq!(kind(ufrag("ab cd")), AttributeErrorKind::Malformed);
    let short = media(&[("ice-pwd", &PWD[1..])]);
    assert_eq!(kind(short.ice_pwd(&none)), AttributeErrorKind::OutOfRange);
    let mut lite = Description::default();
    lite.push_flag("ice-lite");
    assert!(lite.is_ice_lite() && !none.is_ice_lite());
    // ice-029
    assert_eq!(none.ice_pacing(), Ok(None));
    for (text, pacing) in [("50", Some(50)), ("9999999999", Some(9_999_999_999))] {
        let mut paced = lite.clone();
        paced.push("ice-pacing", text);
        assert_eq!(paced.ice_pacing(), Ok(pacing));
    }
    for wrong in ["", "-1", "fast", "5 0", "10000000000"] {
        let mut paced = lite.clone();
        paced.push("ice-pacing", wrong);
        assert!(paced.ice_pacing().is_err(), "{wrong}");
    }
}

// sdp-020
#[test]
fn a_tls_id_has_its_length_and_letters() {
    let none = Description::default();
    let id = |text: &str| {
        let media = media(&[("tls-id", text)]);
        media.tls_id(&none).map(|id| id.is_some())
    };
    assert!(id("abc3de65cddef001be82").unwrap());
    assert_eq!(kind(id("short")), AttributeErrorKind::Malformed);
    assert_eq!(kind(id(&"x".repeat(256))), AttributeErrorKind::Malformed);
}

// sdp-024, sdp-025, dfx-016
#[test]
fn groups_list_mids_in_order() {
    let session = description(&[
        ("group", "LS a b"),
        ("group", "BUNDLE audio 1 {x}"),
        ("group", "BUNDLE"),
    ]);
    let groups = session.groups().unwrap();
    assert_eq!(groups[0].semantics, "LS");
    assert_eq!(
        session.bundle().unwrap(),
        Some(Group::bundle(["audio", "1", "{x}"]))
    );
    assert_eq!(groups[1].to_string(), "BUNDLE audio 1 {x}");
    assert_eq!(groups[2].mids, [""; 0]);
    let broken = description(&[("group", "BUNDLE a:b")]);
    assert_eq!(kind(broken.groups()), AttributeErrorKind::Malformed);
    assert_eq!(
        kind(description(&[("group", "")]).groups()),
        AttributeErrorKind::Malformed
    );
    assert_eq!(
        kind(media(&[("mid", "a b")]).checked_mid()),
        AttributeErrorKind::Malformed
    );
}

#[test]
fn a_direction_is_the_sections_then_the_sessions() {
    let mut session = Description::default();
    let mut section = Media::new("audio", "UDP/TLS/RTP/SAVPF", ["0"]);
    assert_eq!(section.direction(&session).unwrap(), Direction::SendRecv);
    session.push_flag("recvonly");
    assert_eq!(section.direction(&session).unwrap(), Direction::RecvOnly);
    section.push_flag("sendonly");
    assert_eq!(section.direction(&session).unwrap(), Direction::SendOnly);
    assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
    assert_eq!(Direction::Inactive.reversed(), Direction::Inactive);
    section.push_flag("inactive");
    assert_eq!(
        kind(section.direction(&session)),
        AttributeErrorKind::Duplicate
    );
}

// sdp-006, sdp-007
#[test]
fn payload_types_are_mapped_by_lines_or_by_the_static_table() {
    let mut audio = Media::new(
        "audio",
        "UDP/TLS/RTP/SAVPF",
        ["111", "0", "8", "9", "13", "77"],
    );
    audio
        .push("rtpmap", "111 opus/48000/2")
        .push("rtpmap", "9 G722/8000/1")
        .push("rtpmap", "50 unused/1")
        .push("fmtp", "111 minptime=10; useinbandfec=1")
        .push("rtcp-fb", "* nack")
        .push("rtcp-fb", "111 transport-cc")
        .push("fmtp", "* x=1");
    let maps = audio.rtp_maps().unwrap();
    let text: Vec<String> = maps.iter().map(RtpMap::to_string).collect();
    assert_eq!(
        text,
        [
            "111 opus/48000/2",
            "0 PCMU/8000",
            "8 PCMA/8000",
            "9 G722/8000",
            "13 CN/8000"
        ]
    );
    assert_eq!(
        audio.format_parameters(111),
        Some("minptime=10; useinbandfec=1")
    );
    assert_eq!(audio.format_parameters(0), None);
    let feedback: Vec<&str> = audio.rtcp_feedback(111).collect();
    assert_eq!(feedback, ["nack", "transport-cc"]);
    assert_eq!(audio.rtcp_feedback(0).count(), 1);

    for (line, expected) in [
        ("128 x/8000", AttributeErrorKind::OutOfRange),
        ("96 x/4294967296", AttributeErrorKind::OutOfRange),
        ("96 x", AttributeErrorKind::Malformed),
        ("96 x/1/2/3", AttributeErrorKind::Malformed),
        ("96", AttributeErrorKind::Malformed),
        ("111 again/8000", AttributeErrorKind::Duplicate),
    ] {
        let mut audio = audio.clone();
        audio.push("rtpmap", line);
        assert_eq!(kind(audio.rtp_maps()), expected, "{line}");
    }
}
