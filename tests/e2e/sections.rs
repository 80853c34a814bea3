//! What stands in which section of a description, and what others may write there.

use crate::calls::{edited, near, parsed};
use peerconnection::{
    ErrorKind, IceCandidate, IceCandidateInit, MediaKind, RtpTransceiverDirection,
};
use sdp::Media;
use testkit::Side;

use MediaKind::{Audio, Video};
use RtpTransceiverDirection::SendRecv;

/// sdp-022: candidates stand where the transport is described, and nowhere else.
#[test]
fn candidates_stand_in_the_section_of_the_transport_alone() {
    let mut pair = near(1);
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    let offer = pair.describe(Side::A);
    pair.hand(Side::B, &offer);
    let answer = pair.describe(Side::B);
    for description in [parsed(&offer), parsed(&answer)] {
        let has = |section: &Media, name: &str| section.has_attribute(name);
        for name in ["candidate", "end-of-candidates"] {
            assert!(has(&description.media[0], name), "{name}");
            assert!(!has(&description.media[1], name), "{name}");
        }
    }
}

/// sdp-023: an address that no candidate has is no mismatch where it is a placeholder.
#[test]
fn a_placeholder_address_is_no_mismatch() {
    let mut pair = near(2);
    pair.add(Side::A, Audio, SendRecv);
    let offer = pair.describe(Side::A);
    let mut placeholder = parsed(&offer);
    placeholder.media[0].set_address("0.0.0.0:9".parse().unwrap());
    assert!(placeholder.media[0].has_attribute("candidate"));
    pair.hand(Side::B, &edited(&offer, |_| placeholder.to_string()));
    let answer = pair.describe(Side::B);
    assert!(!answer.sdp().contains("ice-mismatch"));
    assert!(!parsed(&answer).media[0].is_rejected());
    pair.hand(Side::A, &answer);
    pair.connect();
}

/// sdp-034: what is bundled is of one protocol, and its packets name their section.
#[test]
fn bundled_sections_are_of_one_protocol_and_name_themselves() {
    let mut pair = near(3);
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    let offer = pair.describe(Side::A);
    pair.hand(Side::B, &offer);
    let answer = pair.describe(Side::B);
    for description in [parsed(&offer), parsed(&answer)] {
        for section in &description.media {
            assert_eq!(section.protocol, "UDP/TLS/RTP/SAVPF");
            let maps = section.ext_maps().unwrap();
            assert!(maps.iter().any(|map| map.uri.ends_with(":sdes:mid")));
        }
    }
}

/// dfx-001: the longer extensions are allowed at the level where the offer allows them.
#[test]
fn mixed_extensions_are_answered_at_the_level_of_the_offer() {
    const LINE: &str = "a=extmap-allow-mixed\r\n";
    for at_session in [true, false] {
        let mut pair = near(4);
        pair.add(Side::A, Audio, SendRecv);
        let offer = pair.describe(Side::A);
        let offer = edited(&offer, |sdp| match at_session {
            true => sdp.to_owned(),
            false => sdp.replace(LINE, "") + LINE,
        });
        pair.hand(Side::B, &offer);
        let answer = parsed(&pair.describe(Side::B));
        assert_eq!(answer.has_attribute("extmap-allow-mixed"), at_session);
        let section = &answer.media[0];
        assert_eq!(section.has_attribute("extmap-allow-mixed"), !at_session);
    }
}

/// sdp-017: an answer takes RTCP of reduced size where it is offered, and nowhere else.
#[test]
fn reduced_size_is_answered_where_it_is_offered() {
    for is_offered in [true, false] {
        let mut pair = near(7);
        pair.add(Side::A, Audio, SendRecv);
        let offer = pair.describe(Side::A);
        assert!(parsed(&offer).media[0].is_rtcp_rsize());
        let offer = edited(&offer, |sdp| match is_offered {
            true => sdp.to_owned(),
            false => sdp.replace("a=rtcp-rsize\r\n", ""),
        });
        pair.hand(Side::B, &offer);
        let answer = parsed(&pair.describe(Side::B));
        assert_eq!(answer.media[0].is_rtcp_rsize(), is_offered);
    }
}

/// pc-032: a candidate comes back from JSON as it was; one that does not parse is an error.
#[test]
fn a_candidate_is_signalled_as_json() {
    let line = "candidate:1 1 udp 2113937151 192.0.2.9 40000 typ host";
    let mut init = IceCandidateInit::new(line, "0");
    init.sdp_mline_index = Some(0);
    init.username_fragment = Some("abcd".into());
    let candidate = IceCandidate::new(init).unwrap();
    let json = serde_json::to_value(candidate.to_init()).unwrap();
    let expected = serde_json::json!({
        "candidate": line,
        "sdpMid": "0",
        "sdpMLineIndex": 0,
        "usernameFragment": "abcd",
    });
    assert_eq!(json, expected);
    let back: IceCandidateInit = serde_json::from_value(json).unwrap();
    assert_eq!(IceCandidate::new(back).unwrap(), candidate);
    let refused = IceCandidate::new(IceCandidateInit::new("candidate:what", "0"));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Operation);
}

/// dfx-042: the choice is answered with `active`; a peer that will be the client itself is answered
/// with `passive`, and both connect.
#[test]
fn an_answer_is_active_where_it_may_be_and_passive_where_it_must() {
    for (offered, answered) in [("actpass", "active"), ("active", "passive")] {
        let mut pair = near(5);
        pair.add(Side::A, Audio, SendRecv);
        let offer = pair.describe(Side::A);
        let offer = edited(&offer, |sdp| {
            sdp.replace("a=setup:actpass", &format!("a=setup:{offered}"))
        });
        pair.hand(Side::B, &offer);
        let answer = pair.describe(Side::B);
        let line = format!("a=setup:{answered}\r\n");
        assert!(answer.sdp().contains(&line), "{}", answer.sdp());
        pair.hand(Side::A, &answer);
        pair.connect();
    }
}

/// pc-028: several tracks in one section without mid, told apart by their sources, are one track.
#[test]
fn tracks_that_share_a_section_are_one() {
    let mut pair = near(6);
    pair.add(Side::A, Video, SendRecv);
    let offer = pair.describe(Side::A);
    let offer = edited(&offer, |sdp| {
        let lines = sdp.split_inclusive("\r\n");
        let modern = ["a=mid:", "a=group:", "a=msid:", "a=ssrc"];
        let kept = lines.filter(|line| !modern.iter().any(|begin| line.starts_with(begin)));
        let tracks = [1, 2, 3].map(|ssrc| {
            format!("a=ssrc:{ssrc} cname:c\r\na=ssrc:{ssrc} msid:stream{ssrc} track{ssrc}\r\n")
        });
        kept.collect::<String>() + &tracks.concat()
    });
    pair.hand(Side::B, &offer);
    assert_eq!(pair.infos(Side::B).len(), 1);
    assert_eq!(pair.track_events(Side::B), ["track 0 0"]);
    let answer = parsed(&pair.describe(Side::B));
    assert_eq!(answer.media.len(), 1);
}
