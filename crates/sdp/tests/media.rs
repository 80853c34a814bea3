//! What the attributes of an audio or video section say (RFC 8285, 8830, 5576, 8851, 8853, 4585).
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod sample;

use muonrtc_sdp::{
    AttributeErrorKind, Description, Direction, ExtMap, FormatParameters, Media, Msid, Rid,
    RidDirection, RtcpFeedback, Simulcast, SimulcastStream, SsrcAttribute, SsrcGroup,
    format_parameters,
};
use sample::{CHROMIUM_ANSWER, FIREFOX_ANSWER, FIREFOX_SIMULCAST_OFFER};
use std::fmt::{Debug, Display};

fn video(lines: &[&str]) -> Media {
    let mut media = Media::rtp("video", [96, 97, 98]);
    for line in lines {
        match line.split_once(':') {
            Some((key, value)) => media.push(key, value),
            None => media.push_flag(*line),
        };
    }
    media
}

fn kind<T: Debug>(result: Result<T, muonrtc_sdp::AttributeError>) -> AttributeErrorKind {
    result.unwrap_err().kind
}

fn printed<T: Display>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

#[test]
fn a_section_begins_as_webrtc_wants_it() {
    let mut offer = Description::default();
    offer.media.push(Media::rtp("video", [96, 97]));
    assert!(offer.to_string().ends_with(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    ));
    let media = &offer.media[0];
    assert_eq!(media.rtcp_port().unwrap(), Some(9));
    assert!(media.is_rtp() && !media.is_data() && !Media::data().is_rtp());
    assert!(!media.is_rtcp_mux() && !media.is_rtcp_mux_only() && !media.is_rtcp_rsize());
    let media = video(&["rtcp-mux", "rtcp-mux-only", "rtcp-rsize"]);
    assert!(media.is_rtcp_mux() && media.is_rtcp_mux_only() && media.is_rtcp_rsize());
}

// ice-019
#[test]
fn an_address_takes_the_place_of_the_one_there_was() {
    let mut media = Media::data();
    for (address, lines) in [
        (
            "192.0.2.7:4000",
            ["m=application 4000 ", "c=IN IP4 192.0.2.7\r\n"],
        ),
        (
            "[2001:db8::7]:5000",
            ["m=application 5000 ", "c=IN IP6 2001:db8::7\r\n"],
        ),
    ] {
        media.set_address(address.parse().unwrap());
        let mut description = Description::default();
        description.media.push(media.clone());
        let text = description.to_string();
        assert!(lines.iter().all(|line| text.contains(line)), "{text}");
        assert_eq!(text.matches("c=").count(), 1);
    }
}

// sdp-014
#[test]
fn every_name_of_rtp_in_an_offer_is_known() {
    for (protocol, is_rtp) in [
        ("RTP/AVP", true),
        ("RTP/SAVPF", true),
        ("TCP/DTLS/RTP/SAVPF", true),
        ("UDP/TLS/RTP/SAVP", true),
        ("UDP/DTLS/SCTP", false),
        ("UDP/TLS/RTP/SAVPFX", false),
    ] {
        assert_eq!(Media::new("audio", protocol, ["0"]).is_rtp(), is_rtp);
    }
    assert!(!Media::new("application", "RTP/AVP", ["0"]).is_rtp());
}

// sdp-044
#[test]
fn header_extensions_are_read_and_printed() {
    let lines = [
        "1 urn:ietf:params:rtp-hdrext:toffset",
        "2/sendonly URI-toffset",
        "3 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:smpte-tc 25@600/24",
        "4096 URI-gps-string",
        "4096 URI-gps-binary",
    ];
    let mut media = Media::rtp("video", [96]);
    for line in lines {
        media.push("extmap", line);
    }
    let maps = media.ext_maps().unwrap();
    assert_eq!(printed(&maps), lines);
    assert_eq!(
        maps[0],
        ExtMap::new(1, "urn:ietf:params:rtp-hdrext:toffset")
    );
    assert_eq!(maps[1].direction, Some(Direction::SendOnly));
    assert_eq!(
        maps[2].attributes.as_deref(),
        Some("urn:ietf:params:rtp-hdrext:smpte-tc 25@600/24")
    );
    for (line, expected) in [
        ("1 again", AttributeErrorKind::Duplicate),
        ("0 zero", AttributeErrorKind::OutOfRange),
        ("65536 large", AttributeErrorKind::OutOfRange),
        ("9", AttributeErrorKind::Malformed),
        ("9 ", AttributeErrorKind::Malformed),
        ("9/both x", AttributeErrorKind::Malformed),
        ("x y", AttributeErrorKind::Malformed),
    ] {
        let mut media = media.clone();
        media.push("extmap", line);
        assert_eq!(kind(media.ext_maps()), expected, "{line}");
    }
}

// sdp-044
#[test]
fn mixed_extensions_are_allowed_at_either_level() {
    let mut session = Description::default();
    assert!(!video(&[]).allows_mixed_ext_maps(&session));
    assert!(video(&["extmap-allow-mixed"]).allows_mixed_ext_maps(&session));
    session.push_flag("extmap-allow-mixed");
    session.push("extmap", ExtMap::new(3, "x"));
    assert!(video(&[]).allows_mixed_ext_maps(&session));
    assert_eq!(session.ext_maps().unwrap(), [ExtMap::new(3, "x")]);
}

// sdp-036
#[test]
fn streams_and_tracks_are_read_and_printed() {
    let media = video(&["msid:examplefoo examplebar", "msid:other", "msid:- track"]);
    let msids = media.msids().unwrap();
    assert_eq!(
        printed(&msids),
        ["examplefoo examplebar", "other", "- track"]
    );
    assert_eq!(msids[0].stream(), Some("examplefoo"));
    assert_eq!(msids[0].track.as_deref(), Some("examplebar"));
    assert_eq!((msids[1].track.as_ref(), msids[2].stream()), (None, None));
    for line in ["msid:", "msid:a b c", "msid"] {
        assert_eq!(kind(video(&[line]).msids()), AttributeErrorKind::Malformed);
    }
    let firefox = Description::parse(FIREFOX_ANSWER).unwrap();
    let [msid] = &firefox.media[0].msids().unwrap()[..] else {
        panic!();
    };
    assert_eq!(msid.stream, Msid::NO_STREAM);
}

// sdp-037
#[test]
fn sources_and_their_groups_are_read_and_printed() {
    let answer = Description::parse(CHROMIUM_ANSWER).unwrap();
    let video = &answer.media[1];
    let expected = SsrcAttribute::cname(3_780_122_595, "VVWJpvLSl2cEi5hs");
    assert_eq!(video.ssrcs().unwrap()[0], expected);
    assert_eq!(expected.to_string(), video.attribute("ssrc").unwrap());
    let group = SsrcGroup::new(SsrcGroup::FID, [3_780_122_595, 923_583_340]);
    assert_eq!(video.ssrc_groups().unwrap(), [group]);
}

// sdp-036
#[test]
fn the_older_stream_lines_of_a_source_are_read() {
    let media = video(&[
        "ssrc:1 msid:stream track",
        "ssrc:1 flag",
        "ssrc-group:SIM 1 2 3",
        "ssrc-group:FEC-FR",
    ]);
    let ssrcs = media.ssrcs().unwrap();
    assert_eq!(printed(&ssrcs), ["1 msid:stream track", "1 flag"]);
    assert_eq!(ssrcs[0].msid().unwrap().to_string(), "stream track");
    assert_eq!((ssrcs[1].msid(), ssrcs[1].value.as_ref()), (None, None));
    let groups = media.ssrc_groups().unwrap();
    assert_eq!(printed(&groups), ["SIM 1 2 3", "FEC-FR"]);
    for (line, expected) in [
        ("ssrc:4294967296 cname:x", AttributeErrorKind::OutOfRange),
        ("ssrc:1", AttributeErrorKind::Malformed),
        ("ssrc:1 ", AttributeErrorKind::Malformed),
        ("ssrc:x cname:x", AttributeErrorKind::Malformed),
    ] {
        assert_eq!(kind(video(&[line]).ssrcs()), expected, "{line}");
    }
    for (line, expected) in [
        ("ssrc-group:FID 4294967296", AttributeErrorKind::OutOfRange),
        ("ssrc-group:", AttributeErrorKind::Malformed),
        ("ssrc-group:FID a", AttributeErrorKind::Malformed),
    ] {
        assert_eq!(kind(video(&[line]).ssrc_groups()), expected, "{line}");
    }
}

// sdp-039, sdp-040
#[test]
fn restricted_streams_are_read_and_printed() {
    let lines = [
        "1 send pt=96,98;max-width=1280;max-height=720;depend=2,3",
        "hi_-7 recv max-fps",
        "q send",
    ];
    let mut media = Media::rtp("video", [96, 97, 98]);
    for line in lines {
        media.push("rid", line);
    }
    let rids = media.rids();
    assert_eq!(printed(&rids), lines);
    assert_eq!(rids[0].formats, ["96", "98"]);
    assert_eq!(rids[0].restriction("max-width"), Some("1280"));
    assert_eq!(rids[1].restrictions, [("max-fps".into(), None)]);
    assert_eq!(rids[1].direction.reversed(), RidDirection::Send);
    assert_eq!(rids[2], Rid::new("q", RidDirection::Send));
}

// sdp-039
#[test]
fn a_restricted_stream_that_cannot_be_is_discarded() {
    let left = |lines: &[&str]| printed(&video(lines).rids());
    assert_eq!(
        left(&["rid:a send", "rid:b send", "rid:a recv"]),
        ["b send"]
    );
    assert_eq!(left(&["rid:a send pt=96,50"]), ["a send pt=96"]);
    assert_eq!(
        left(&["rid:a send pt=96; max-br=9"]),
        ["a send pt=96;max-br=9"]
    );
    for line in [
        "rid:a send pt=50",
        "rid:a",
        "rid",
        "rid:a both",
        "rid:a! send",
        "rid:a send max-width=1;pt=96",
        "rid:a send =7",
        "rid:a send pt",
        "rid:a send pt=",
    ] {
        assert_eq!(left(&[line]), [""; 0], "{line}");
    }
}

// sdp-041
#[test]
fn simulcast_is_read_and_printed() {
    for line in ["send 1,~4;2;3 recv c", "recv 1;~2,3", "send f;h;q"] {
        let media = video(&[&format!("simulcast:{line}")]);
        assert_eq!(media.simulcast().unwrap().unwrap().to_string(), line);
    }
    let media = video(&["simulcast:recv c send 1,~4;2"]);
    let paused = SimulcastStream {
        rid: "4".into(),
        paused: true,
    };
    let expected = Simulcast {
        send: vec![
            vec![SimulcastStream::new("1"), paused],
            vec![SimulcastStream::new("2")],
        ],
        recv: vec![vec![SimulcastStream::new("c")]],
    };
    assert_eq!(media.simulcast().unwrap(), Some(expected));
}

// sdp-037, sdp-041, sdp-043, sdp-044
#[test]
fn firefoxs_offer_of_three_layers_is_understood() {
    let offer = Description::parse(FIREFOX_SIMULCAST_OFFER).unwrap();
    assert_eq!(offer.to_string(), FIREFOX_SIMULCAST_OFFER);
    let [video] = &offer.media[..] else { panic!() };
    let simulcast = video.simulcast().unwrap().unwrap();
    let layers: Vec<&str> = simulcast
        .send
        .iter()
        .map(|layer| layer[0].rid.as_str())
        .collect();
    let rids: Vec<String> = video.rids().into_iter().map(|rid| rid.id).collect();
    assert_eq!((layers, simulcast.recv.len()), (vec!["q", "h", "f"], 0));
    assert_eq!(rids, ["q", "h", "f"]);
    let maps = video.ext_maps().unwrap();
    let rid = maps.iter().find(|map| map.uri.ends_with(":rtp-stream-id"));
    assert_eq!(rid.unwrap().direction, Some(Direction::SendOnly));
    assert!(video.allows_mixed_ext_maps(&offer));
    assert_eq!(
        printed(&video.rtp_maps().unwrap()),
        ["120 VP8/90000", "124 rtx/90000"]
    );
    let feedback: Vec<&str> = video.rtcp_feedback(120).collect();
    assert_eq!(
        feedback,
        ["nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"]
    );
    assert_eq!(video.rtcp_feedback_lines().unwrap().len(), 10);
    let groups = video.ssrc_groups().unwrap();
    assert_eq!(groups.len(), 3);
    assert_eq!(video.ssrcs().unwrap()[1].ssrc, groups[0].ssrcs[1]);
}

// sdp-042
#[test]
fn two_simulcast_lines_or_none_are_no_simulcast() {
    assert_eq!(video(&[]).simulcast().unwrap(), None);
    let twice = video(&["simulcast:send 1", "simulcast:send 1"]);
    assert_eq!(twice.simulcast().unwrap(), None);
    for line in [
        "simulcast",
        "simulcast:send",
        "simulcast:both 1",
        "simulcast:send 1;",
        "simulcast:send 1,,2",
        "simulcast:send 1 send 2",
        "simulcast:send ~",
        "simulcast: send rid=1;2",
    ] {
        let result = video(&[line]).simulcast();
        assert_eq!(kind(result), AttributeErrorKind::Malformed, "{line}");
    }
}

// sdp-006
#[test]
fn feedback_is_read_and_printed() {
    let media = video(&["rtcp-fb:* nack", "rtcp-fb:96 ccm fir"]);
    let lines = media.rtcp_feedback_lines().unwrap();
    assert_eq!(printed(&lines), ["* nack", "96 ccm fir"]);
    assert_eq!(lines[0].payload_type, None);
    assert_eq!(lines[1], RtcpFeedback::new(96, "ccm fir"));
    for (line, expected) in [
        ("rtcp-fb:96", AttributeErrorKind::Malformed),
        ("rtcp-fb:96 ", AttributeErrorKind::Malformed),
        ("rtcp-fb:x nack", AttributeErrorKind::Malformed),
        ("rtcp-fb:128 nack", AttributeErrorKind::OutOfRange),
    ] {
        let result = video(&[line]).rtcp_feedback_lines();
        assert_eq!(kind(result), expected, "{line}");
    }
}

// sdp-006
#[test]
fn format_parameters_are_split_where_the_codec_splits_them() {
    let media = video(&["fmtp:96 Profile-Level-Id=42e01f; packetization-mode=1;;x"]);
    let lines = media.format_parameter_lines().unwrap();
    let [h264] = &lines[..] else { panic!() };
    assert_eq!(h264.get("profile-level-id"), Some("42e01f"));
    assert_eq!(h264.get("packetization-mode"), Some("1"));
    assert_eq!((h264.get("x"), h264.get("y")), (Some(""), None));
    assert_eq!(h264.to_string(), media.attribute("fmtp").unwrap());
    let red: Vec<_> = format_parameters("111/111").collect();
    assert_eq!(red, [("111/111", None)]);
    assert_eq!(FormatParameters::new(97, "apt=96").get("APT"), Some("96"));
    assert!(video(&["fmtp:96"]).format_parameter_lines().is_err());
}

// sdp-046
#[test]
fn a_limit_in_bits_wins_over_one_in_kilobits() {
    let mut media = Media::rtp("video", [96]);
    assert_eq!(media.bandwidth(), None);
    media.push_application_specific(500);
    assert_eq!(media.bandwidth(), Some(500_000));
    media.push_tias(480_000);
    assert_eq!(media.bandwidth(), Some(480_000));
    assert_eq!(media.application_specific(), Some(500));
    assert_eq!(media.bandwidths, ["AS:500", "TIAS:480000"]);
}

// sdp-047
#[test]
fn packet_times_are_read() {
    let media = video(&["ptime:20", "maxptime:120.5"]);
    assert_eq!(media.ptime().unwrap(), Some(20));
    assert_eq!(media.maxptime().unwrap(), Some(120));
    assert_eq!(video(&[]).ptime().unwrap(), None);
    assert_eq!(
        kind(video(&["ptime:x"]).ptime()),
        AttributeErrorKind::Malformed
    );
    assert_eq!(
        kind(video(&["ptime:1.x"]).ptime()),
        AttributeErrorKind::Malformed
    );
}
