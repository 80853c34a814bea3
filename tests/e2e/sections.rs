//! What stands in which section of a description, and what others may write there.

use crate::calls::{edited, near, numbered, parsed};
use peerconnection::{
    ErrorKind, IceCandidate, IceCandidateInit, MediaKind, PeerConnectionState,
    RtpTransceiverDirection,
};
use sdp::Media;
use std::time::Duration;
use testkit::{Record, Side};

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

/// srtp-002: keys come from DTLS alone. What is offered for them beside it is not answered, and an
/// offer with nothing else is refused, of the plain profiles too.
#[test]
fn keys_in_a_description_are_neither_offered_nor_taken() {
    const KEYS: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
        inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    let mut pair = near(8);
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    let offer = pair.describe(Side::A);
    assert!(!offer.sdp().contains("a=crypto"));
    let both = |sdp: &str| sdp.replace("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\n{KEYS}"));
    for profile in ["UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/AVP"] {
        let alone = edited(&offer, |sdp| {
            let lines = both(sdp).replace("UDP/TLS/RTP/SAVPF", profile);
            let lines = lines.split_inclusive("\r\n");
            let kept = lines.filter(|line| !line.starts_with("a=fingerprint"));
            kept.collect()
        });
        let now = pair.now();
        let refused = pair.b.session.set_remote_description(now, &alone);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidAccess);
    }
    pair.hand(Side::B, &edited(&offer, both));
    let answer = pair.describe(Side::B);
    assert!(!answer.sdp().contains("a=crypto"));
    for section in parsed(&answer).media {
        assert!(section.has_attribute("fingerprint") && !section.is_rejected());
    }
    pair.hand(Side::A, &answer);
    pair.connect();
}

/// srtp-002: nothing is written before there are keys, and nothing in the clear after it.
#[test]
fn no_payload_is_seen_on_the_way() {
    let mut pair = near(9);
    pair.record = Some(Record::default());
    let key = pair.add(Side::A, Audio, SendRecv);
    let packet = |number| numbered(111, number, 200);
    let clear = &packet(0).payload[4..36];
    assert!(!pair.write(Side::A, key, 0, &packet(0)));
    pair.negotiate(Side::A);
    let (mut written, mut before) = (0, 0);
    for number in 1..100 {
        let is_up = pair.a.session.connection_state() == PeerConnectionState::Connected;
        let is_written = pair.write(Side::A, key, 0, &packet(number));
        assert!(!is_written || is_up, "written before the keys");
        written += u32::from(is_written);
        before += u32::from(!is_up);
        pair.run_for(Duration::from_millis(5));
    }
    assert!(before > 0 && written > 50, "{before} {written}");
    assert!(pair.b.session.poll_rtp().is_some());
    let record = pair.record.unwrap();
    let shows = |datagram: &[u8]| datagram.windows(clear.len()).any(|part| part == clear);
    assert!(record.datagrams().len() > 50);
    assert!(!record.datagrams().iter().any(|sent| shows(&sent.bytes)));
}

/// sdp-016: every section multiplexes RTCP and must (`without_a_bundle_one_section_is_carried` and
/// `bundled_sections_may_leave_the_transport_out` refuse what does not). A new section says that it
/// can do nothing else (RFC 8858 §4); answers and later offers do not.
#[test]
fn every_section_multiplexes_and_a_new_one_does_nothing_else() {
    let mut pair = near(10);
    let only = |description: &peerconnection::SessionDescription| -> Vec<bool> {
        let media = parsed(description).media;
        assert!(media.iter().all(Media::is_rtcp_mux));
        media.iter().map(Media::is_rtcp_mux_only).collect()
    };
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    let offer = pair.describe(Side::A);
    assert_eq!(only(&offer), [true, true]);
    pair.hand(Side::B, &offer);
    let answer = pair.describe(Side::B);
    assert_eq!(only(&answer), [false, false]);
    pair.hand(Side::A, &answer);
    pair.add(Side::A, Audio, SendRecv);
    assert_eq!(only(&pair.describe(Side::A)), [false, false, true]);
}

/// media-005: Opus is `opus/48000/2`, whatever is said of channels and rates beside it. media-006,
/// media-007: that is what the offerer wants to receive. It takes no codec away, the answer says
/// what we want, and what nobody here knows and how long the offerer's packets are stay out of it.
#[test]
fn parameters_of_opus_are_wishes_of_the_one_who_says_them() {
    const OURS: &str = "minptime=10;useinbandfec=1";
    for theirs in [
        "",
        "useinbandfec=0;usedtx=1;cbr=1;minptime=3",
        "stereo=1;sprop-stereo=1;maxplaybackrate=16000;sprop-maxcapturerate=8000",
        "maxaveragebitrate=20000;x-unknown=7;another",
    ] {
        let mut pair = near(11);
        pair.add(Side::A, Audio, SendRecv);
        let offer = pair.describe(Side::A);
        let line = format!("a=fmtp:111 {OURS}\r\n");
        assert!(offer.sdp().contains("a=rtpmap:111 opus/48000/2\r\n"));
        assert!(offer.sdp().contains(&line));
        let offer = edited(&offer, |sdp| {
            let own = match theirs {
                "" => String::new(),
                _ => format!("a=fmtp:111 {theirs}\r\n"),
            };
            sdp.replace(&line, &own) + "a=ptime:60\r\na=maxptime:120\r\n"
        });
        pair.hand(Side::B, &offer);
        let answer = pair.describe(Side::B);
        let section = &parsed(&answer).media[0];
        assert!(answer.sdp().contains("a=rtpmap:111 opus/48000/2\r\n"));
        assert_eq!(section.format_parameters(111), Some(OURS), "{theirs}");
        assert_eq!((section.ptime(), section.maxptime()), (Ok(None), Ok(None)));
        pair.hand(Side::A, &answer);
        pair.connect();
    }
}
