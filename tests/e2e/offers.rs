//! What a description says of audio and video: codecs, payload types, extensions and bundles, of our
//! own peers and of other people's.

use crate::calls::{edited, formats, near, numbered, parsed};
use crate::pair::SessionPair;
use layer::Transmit;
use peerconnection::{
    Capabilities, Configuration, ErrorKind, LocalSessionDescription, MediaKind, RtpCodec,
    RtpEncodingParameters, RtpTransceiverDirection, RtpTransceiverInit, SdpType,
    SessionDescription, Stack,
};
use sdp::{Description, Media};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Link, Side};

use MediaKind::{Audio, Video};
use RtpTransceiverDirection::{RecvOnly, SendOnly, SendRecv};

/// A pair whose sides have capabilities of their own.
fn pair_of(a: Capabilities, b: Capabilities) -> SessionPair {
    let link = Link::delayed(Duration::from_millis(5));
    let mut pair = near(1);
    for (side, capabilities) in [(Side::A, a), (Side::B, b)] {
        let mut configuration = Configuration::default();
        configuration.capabilities = Arc::new(capabilities);
        let stacks = [Stack::default(), Stack::default()];
        let other = SessionPair::with_configuration(stacks, &link, 1, &configuration);
        match side {
            Side::A => pair.a = other.a,
            Side::B => pair.b = other.b,
        }
    }
    pair
}

fn local(pair: &mut SessionPair, side: Side) -> Description {
    parsed(&pair.end(side).session.local_description().unwrap())
}

/// The ids of a section's extensions.
fn ids(section: &Media) -> BTreeMap<String, u16> {
    let lines = section.ext_maps().unwrap().into_iter();
    lines.map(|line| (line.uri, line.id)).collect()
}

/// The capabilities with every number another one.
fn renumbered() -> Capabilities {
    let mut other = Capabilities::default();
    let numbers = [96, 98, 100, 102, 104, 106, 108, 110, 112, 114, 116];
    for (codec, number) in other.video.iter_mut().rev().zip(numbers) {
        codec.payload_type = number;
        codec.rtx_payload_type = Some(number + 1);
    }
    other.audio[0].payload_type = 126;
    other.audio.truncate(5);
    for extension in &mut other.header_extensions {
        extension.id = 15 - extension.id;
    }
    other
}

/// Every payload type and every extension id of a description means one thing.
fn check_one_meaning(description: &Description) {
    let (mut numbers, mut names) = (BTreeMap::new(), BTreeMap::new());
    for section in &description.media {
        for map in section.rtp_maps().unwrap() {
            let fmtp = section.format_parameters(map.payload_type).unwrap_or("");
            let meaning = format!("{} {} {fmtp}", map.encoding, map.clock_rate);
            let before = numbers.insert(map.payload_type, meaning.clone());
            assert!(before.is_none_or(|before| before == meaning), "{meaning}");
        }
        for line in section.ext_maps().unwrap() {
            let before = names.insert(line.id, line.uri.clone());
            assert!(before.is_none_or(|before| before == line.uri), "{line:?}");
        }
    }
}

/// sdp-013, rtp-028, dfx-004: the numbers of the offer are those of the answer and of all later
/// offers, of either side; extensions likewise (RFC 8285 §6).
#[test]
fn the_numbers_of_the_first_offer_stay() {
    let mut pair = pair_of(Capabilities::default(), renumbered());
    pair.add(Side::B, Video, SendRecv);
    pair.add(Side::B, Audio, SendRecv);
    pair.negotiate(Side::B);
    let offered = local(&mut pair, Side::B);
    let answered = local(&mut pair, Side::A);
    for (offered, answered) in offered.media.iter().zip(&answered.media) {
        assert!(
            formats(answered)
                .iter()
                .all(|own| formats(offered).contains(own))
        );
        assert_eq!(ids(offered), ids(answered));
    }
    pair.add(Side::A, Video, SendRecv);
    pair.negotiate(Side::A);
    let again = local(&mut pair, Side::A);
    for (before, now) in answered.media.iter().zip(&again.media) {
        let (before, now) = (formats(before), formats(now));
        assert_eq!(
            now[..before.len()],
            before,
            "first in the order of the answer"
        );
    }
    assert_eq!(ids(&again.media[2]), ids(&offered.media[0]));
    check_one_meaning(&again);
    check_one_meaning(&offered);
}

/// rtp-028: an offer that was taken back binds nobody, also when the peer's own uses the same
/// numbers for other things.
#[test]
fn numbers_that_were_only_offered_do_not_bind() {
    let mut pair = pair_of(Capabilities::default(), renumbered());
    pair.add(Side::A, Video, SendRecv);
    pair.add(Side::B, Video, SendRecv);
    let _ = pair.describe(Side::A);
    let offer = pair.describe(Side::B);
    // A is the polite one.
    pair.hand(Side::A, &offer);
    let answer = pair.describe(Side::A);
    pair.hand(Side::B, &answer);
    pair.negotiate(Side::A);
    let (answered, again) = (parsed(&answer), local(&mut pair, Side::A));
    check_one_meaning(&again);
    assert_eq!(again.media.len(), 2);
    for section in &again.media {
        for own in formats(&answered.media[0]) {
            assert!(formats(section).contains(&own), "{own} was agreed on");
        }
        for (uri, id) in ids(&answered.media[0]) {
            assert_eq!(ids(section)[&uri], id, "{uri}");
        }
    }
}

/// rtp-028: what a number means to the peer alone is never used by us for something else.
#[test]
fn numbers_of_what_is_not_spoken_here_are_left_alone() {
    let mut pair = near(2);
    pair.add(Side::A, Audio, SendRecv);
    let offer = pair.describe(Side::A);
    let offer = edited(&offer, |sdp| {
        let all = "UDP/TLS/RTP/SAVPF 96 98 45 ";
        let maps = "a=rtpmap:96 red/48000/2\r\na=rtpmap:98 exotic/48000\r\na=rtpmap:45 ulpfec/8000\r\na=rtpmap:";
        sdp.replacen("UDP/TLS/RTP/SAVPF ", all, 1)
            .replacen("a=rtpmap:", maps, 1)
    });
    pair.hand(Side::B, &offer);
    let answer = pair.describe(Side::B);
    assert!(!answer.sdp().contains("exotic"));
    pair.hand(Side::A, &answer);
    pair.add(Side::B, Video, SendRecv);
    let again = parsed(&pair.describe(Side::B));
    let used = formats(&again.media[1]);
    for taken in ["96 ", "98 ", "45 "] {
        assert!(!used.iter().any(|own| own.starts_with(taken)), "{used:?}");
    }
}

/// RFC 8285 §6: packets cross between sides that number extensions and codecs in their own ways.
#[test]
fn packets_cross_between_other_numbers() {
    let mut pair = pair_of(Capabilities::default(), renumbered());
    let key = pair.add(Side::A, Video, SendOnly);
    pair.negotiate(Side::A);
    pair.connect();
    let mut packet = numbered(96, 7, 100);
    packet.header.extensions.set(13, &[1]).unwrap();
    assert!(pair.write(Side::A, key, 0, &packet));
    pair.run_for(Duration::from_millis(20));
    let incoming = pair.b.session.poll_rtp().unwrap();
    let vp8 = renumbered().video[0].payload_type;
    assert_eq!(incoming.packet.header.payload_type, vp8);
    let extensions = &incoming.packet.header.extensions;
    assert_eq!(extensions.get(2), Some(&[1][..]), "video-orientation");
    assert_eq!(
        extensions.iter().count(),
        1,
        "what is hop by hop is not seen"
    );
}

/// sdp-010, sdp-012: a section without a common codec is rejected, and the others live.
#[test]
fn a_section_without_a_common_codec_is_rejected_alone() {
    let mut narrow = Capabilities::default();
    narrow
        .video
        .retain(|own| own.codec.mime_type == "video/AV1");
    let mut other = Capabilities::default();
    other.video.retain(|own| own.codec.mime_type == "video/VP8");
    let mut pair = pair_of(narrow, other);
    pair.add(Side::A, Video, SendRecv);
    pair.add(Side::A, Audio, SendRecv);
    pair.negotiate(Side::A);
    pair.connect();
    let answer = local(&mut pair, Side::B);
    assert!(answer.media[0].is_rejected() && !answer.media[1].is_rejected());
    assert_eq!(answer.bundle().unwrap().unwrap().mids, ["1"]);
    assert_eq!(pair.infos(Side::A).len(), 1);
    assert!(pair.is_content());
    // The section is used again at once (RFC 9429 §5.2.2).
    pair.add(Side::B, Audio, SendOnly);
    pair.negotiate(Side::B);
    let kinds: Vec<String> = local(&mut pair, Side::A)
        .media
        .iter()
        .map(|section| section.kind.clone())
        .collect();
    assert_eq!(kinds, ["audio", "audio"]);
    assert!(pair.is_content());
}

/// A connection without codecs of a kind does not ask for an exchange again and again.
#[test]
fn a_kind_without_codecs_needs_no_negotiation() {
    let mut mute = Capabilities::default();
    mute.video.clear();
    let mut pair = pair_of(mute, Capabilities::default());
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    pair.negotiate(Side::A);
    assert!(pair.is_content());
}

/// pc-026: preferences filter and order offers and answers, and reset when empty.
#[test]
fn preferences_filter_and_order() {
    let mut pair = near(3);
    let key = pair.add(Side::A, Video, SendRecv);
    let codec = |name: &str| RtpCodec::new(format!("video/{name}"), 90_000);
    let wanted = vec![codec("AV1"), codec("VP8")];
    let session = &mut pair.a.session;
    session.set_codec_preferences(key, wanted).unwrap();
    let unknown = session.set_codec_preferences(key, vec![codec("H263")]);
    let kind = unknown.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::InvalidModification);
    let offer = pair.describe(Side::A);
    assert_eq!(
        formats(&parsed(&offer).media[0]),
        ["45 AV1", "46 rtx", "96 VP8", "97 rtx"]
    );
    pair.hand(Side::B, &offer);
    let other = pair.b.session.transceivers()[0];
    let turned = vec![codec("VP8"), codec("AV1")];
    pair.b.session.set_codec_preferences(other, turned).unwrap();
    let answer = pair.describe(Side::B);
    assert_eq!(formats(&parsed(&answer).media[0])[0], "96 VP8");
    pair.hand(Side::A, &answer);
    pair.a.session.set_codec_preferences(key, vec![]).unwrap();
    let all = pair.describe(Side::A);
    assert!(formats(&parsed(&all).media[0]).len() > 10);
}

/// sdp-032: of sections that share no transport only the first is accepted; an answer that accepts
/// more is refused.
#[test]
fn without_a_bundle_one_section_is_carried() {
    let mut pair = near(4);
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    let offer = pair.describe(Side::A);
    let apart = |sdp: &str| sdp.replace("a=group:BUNDLE 0 1\r\n", "");
    pair.hand(Side::B, &edited(&offer, apart));
    let answer = pair.describe(Side::B);
    let sections = parsed(&answer).media;
    assert!(!sections[0].is_rejected() && sections[1].is_rejected());
    let both = edited(&answer, |sdp| {
        apart(sdp)
            .replace("m=video 0", "m=video 9")
            .replace("a=inactive", "a=rtcp-mux")
    });
    let now = pair.now();
    let refused = pair.a.session.set_remote_description(now, &both);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidAccess);
    pair.hand(Side::A, &answer);
    pair.connect();
}

/// sdp-027, sdp-035: later descriptions may describe the transport in the first section alone
/// (RFC 9143 §7.1.3), `rtcp-mux` included.
#[test]
fn bundled_sections_may_leave_the_transport_out() {
    let mut pair = near(5);
    pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    let bare = |sdp: &str| {
        let (head, rest) = sdp.split_once("m=video").unwrap();
        let transport = [
            "ice-",
            "fingerprint",
            "setup",
            "tls-id",
            "rtcp-mux",
            "rtcp-rsize",
        ];
        let kept = rest.split_inclusive("\r\n").filter(|line| {
            let value = line.strip_prefix("a=").unwrap_or("");
            !transport.iter().any(|name| value.starts_with(name))
        });
        format!("{head}m=video{}", kept.collect::<String>())
    };
    let offer = pair.describe(Side::A);
    pair.hand(Side::B, &edited(&offer, bare));
    let answer = pair.describe(Side::B);
    assert!(!parsed(&answer).media[1].is_rejected());
    pair.hand(Side::A, &edited(&answer, bare));
    pair.connect();
    // On its own a section must have it (RFC 9429 §5.8.3).
    let without = edited(&offer, |sdp| sdp.replacen("a=rtcp-mux\r\n", "", 1));
    let mut other = near(5);
    let now = other.now();
    let refused = other.b.session.set_remote_description(now, &without);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidAccess);
}

/// RFC 3264 §8, RFC 9429 §5.2.2: a section that lives keeps its kind and its name.
#[test]
fn a_living_section_keeps_its_name() {
    for (from, to) in [("a=mid:0", "a=mid:7"), ("m=audio", "m=video")] {
        let mut pair = near(6);
        pair.add(Side::A, Audio, SendRecv);
        pair.negotiate(Side::A);
        let before = pair.infos(Side::B);
        let offer = pair.describe(Side::A);
        let moved = edited(&offer, |sdp| {
            sdp.replace(from, to)
                .replace("BUNDLE 0", &format!("BUNDLE {}", &to[6..]))
        });
        let now = pair.now();
        let refused = pair.b.session.set_remote_description(now, &moved);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidAccess);
        assert_eq!(pair.infos(Side::B), before, "pc-017");
        pair.hand(Side::B, &offer);
        assert_eq!(pair.infos(Side::B), before);
    }
}

/// sdp-041, pc-038: an answer takes layers or drops them, and never adds any.
#[test]
fn an_answer_takes_or_drops_layers() {
    for (taken, left) in [("h;l", 2), ("l", 1), ("", 1)] {
        let mut pair = near(7);
        let mut init = RtpTransceiverInit::with_direction(SendOnly);
        init.send_encodings = ["h", "l"].map(RtpEncodingParameters::layer).to_vec();
        let key = pair.a.session.add_transceiver(Video, init).unwrap();
        let offer = pair.describe(Side::A);
        assert!(offer.sdp().contains("a=simulcast:send h;l\r\n"));
        pair.hand(Side::B, &offer);
        let answer = pair.describe(Side::B);
        assert!(answer.sdp().contains("a=simulcast:recv h;l\r\n"));
        let answer = edited(&answer, |sdp| match taken {
            "" => sdp.replace("a=simulcast:recv h;l\r\n", ""),
            _ => sdp.replace("a=simulcast:recv h;l", &format!("a=simulcast:recv {taken}")),
        });
        pair.hand(Side::A, &answer);
        pair.connect();
        let sent: Vec<bool> = (0..2)
            .map(|layer| pair.write(Side::A, key, layer, &numbered(96, 1, 20)))
            .collect();
        assert_eq!(sent.iter().filter(|sent| **sent).count(), left, "{taken}");
        // A later offer of the peer without layers is not answered with any.
        let offer = pair.describe(Side::B);
        let plain = edited(&offer, |sdp| {
            let lines = sdp.split_inclusive("\r\n");
            let kept = lines.filter(|line| !line.contains("a=rid") && !line.contains("simulcast"));
            kept.collect()
        });
        pair.hand(Side::A, &plain);
        let answer = pair.describe(Side::A);
        assert!(!answer.sdp().contains("a=simulcast"), "{}", answer.sdp());
    }
}

/// RFC 3711 §9.1: no two encodings send from one source.
#[test]
fn a_source_is_of_one_encoding() {
    let mut pair = near(8);
    let layer = |rid: &str, ssrc| {
        let mut layer = RtpEncodingParameters::layer(rid);
        layer.ssrc = ssrc;
        layer
    };
    let mut init = RtpTransceiverInit::with_direction(SendOnly);
    init.send_encodings = vec![layer("h", 5), layer("l", 5)];
    let session = &mut pair.a.session;
    let refused = session.add_transceiver(Video, init.clone());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidAccess);
    init.send_encodings.truncate(1);
    session.add_transceiver(Video, init.clone()).unwrap();
    let refused = session.add_transceiver(Video, init);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidAccess);
}

fn folder(path: &str) -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/vectors")
        .join(path);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("left out: {} is not here", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    Some(paths)
}

/// Answers an offer of somebody else; what was accepted must be as it was offered.
fn answer_foreign(name: &str, text: &str) -> Option<Description> {
    let mut pair = near(9);
    let now = pair.now();
    let offer = SessionDescription::new(SdpType::Offer, text.to_owned());
    let session = &mut pair.a.session;
    if let Err(error) = session.set_remote_description(now, &offer) {
        println!("{name}: {error}");
        return None;
    }
    session
        .set_local_description(now, LocalSessionDescription::default())
        .unwrap();
    let (offer, answer) = (parsed(&offer), local(&mut pair, Side::A));
    assert_eq!(offer.media.len(), answer.media.len(), "{name}");
    for (offered, answered) in offer.media.iter().zip(&answer.media) {
        assert_eq!(
            (&offered.kind, offered.mid()),
            (&answered.kind, answered.mid()),
            "{name}"
        );
        if answered.is_rejected() || !answered.is_rtp() {
            continue;
        }
        assert!(answered.is_rtcp_mux(), "{name}");
        let asked = formats(offered);
        for own in formats(answered) {
            assert!(
                asked.iter().any(|one| one.eq_ignore_ascii_case(&own)),
                "{name}: {own}"
            );
        }
        for (uri, id) in ids(answered) {
            assert_eq!(ids(offered).get(&uri), Some(&id), "{name}");
        }
        let directions = (offered.direction(&offer), answered.direction(&answer));
        let (theirs, ours) = (directions.0.unwrap(), directions.1.unwrap());
        let expected = match theirs {
            sdp::Direction::SendRecv | sdp::Direction::SendOnly => sdp::Direction::RecvOnly,
            _ => sdp::Direction::Inactive,
        };
        assert_eq!(ours, expected, "{name}");
    }
    assert!(!pair.a.session.is_negotiation_needed(), "{name}");
    // And an offer of ours after it: the same sections, the same meanings.
    pair.add(Side::A, Video, RecvOnly);
    let again = pair
        .a
        .session
        .create_offer(peerconnection::OfferOptions::default());
    check_one_meaning(&parsed(&again.unwrap()));
    Some(answer)
}

/// What ten stacks and the examples of JSEP offer is answered: every section of audio and video
/// that shares the transport is accepted.
#[test]
fn offers_of_other_stacks_are_answered() {
    let Some(paths) = folder("sdp/captured") else {
        return;
    };
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with("offer.sdp") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let answer = answer_foreign(&name, &text).unwrap_or_else(|| panic!("{name} is refused"));
        let offer = Description::parse(&text).unwrap();
        for (offered, answered) in offer.media.iter().zip(&answer.media) {
            assert_eq!(offered.is_rejected(), answered.is_rejected(), "{name}");
        }
    }
    for path in folder("sdp/jsep").into_iter().flatten() {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("a=setup:actpass") {
            let name = path.display().to_string();
            assert!(answer_foreign(&name, &text).is_some(), "{name}");
        }
    }
}

/// Whatever a description in the wild says, it is answered or refused.
#[test]
fn odd_descriptions_are_answered_or_refused() {
    for path in folder("sdp/mozilla").into_iter().flatten() {
        let text = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&text);
        let name = path.display().to_string();
        answer_foreign(&name, &text);
        // Most of them are not of WebRTC; with a transport more of what they say is looked at.
        let print = vec!["AB"; 32].join(":");
        let transport = format!(
            "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {print}\r\na=setup:actpass\r\n"
        );
        if let Some(at) = text.find("m=") {
            let (head, rest) = text.split_at(at);
            let rest = rest.replace("\nm=", "\na=rtcp-mux\nm=");
            let whole = format!("{head}{transport}{rest}a=rtcp-mux\r\n");
            answer_foreign(&name, &whole);
        }
    }
}

/// A description of the peer makes no unbounded number of transceivers, and none if it is refused.
#[test]
fn a_description_with_thousands_of_sections_is_refused() {
    let mut pair = near(11);
    pair.add(Side::A, Audio, SendRecv);
    let offer = pair.describe(Side::A);
    let offer_of = |count: usize| {
        edited(&offer, |sdp| {
            let (_, section) = sdp.split_once("m=").unwrap();
            let mids: Vec<String> = (0..count).map(|mid| mid.to_string()).collect();
            let mut text = sdp.replace("BUNDLE 0", &format!("BUNDLE {}", mids.join(" ")));
            for mid in &mids[1..] {
                let wanted = [
                    "audio ",
                    "c=",
                    "a=mid",
                    "a=rtcp-mux",
                    "a=rtpmap:111",
                    "a=ice",
                    "a=setup",
                ];
                let lines = section.split_inclusive("\r\n");
                let kept = lines.filter(|line| wanted.iter().any(|own| line.starts_with(own)));
                let other: String = kept.collect();
                text += &format!("m={other}").replace("a=mid:0", &format!("a=mid:{mid}"));
            }
            text
        })
    };
    let now = pair.now();
    let refused = pair.b.session.set_remote_description(now, &offer_of(1025));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Operation);
    assert!(pair.infos(Side::B).is_empty());
    pair.hand(Side::B, &offer_of(1024));
    let answer = pair.describe(Side::B);
    assert_eq!(parsed(&answer).bundle().unwrap().unwrap().mids.len(), 1024);
}

/// A packet is written only where there is a route and a direction that sends.
#[test]
fn nothing_is_written_before_there_is_a_way() {
    let mut pair = near(10);
    let key = pair.add(Side::A, Audio, SendRecv);
    let packet = numbered(111, 1, 20);
    assert!(!pair.write(Side::A, key, 0, &packet));
    pair.negotiate(Side::A);
    let mut buffer = [0; 8];
    pair.connect();
    let now = pair.now();
    let small: Option<Transmit> = pair.a.session.write_rtp(now, key, 0, &packet, &mut buffer);
    assert!(small.is_none(), "the buffer is too small");
    assert!(pair.write(Side::A, key, 0, &packet));
    assert!(
        !pair.write(Side::A, key, 1, &packet),
        "there is one encoding"
    );
    assert!(
        !pair.write(Side::A, key, 0, &numbered(99, 1, 20)),
        "not a codec of audio"
    );
}
