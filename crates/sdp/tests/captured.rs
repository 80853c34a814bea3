//! Descriptions of real stacks: constants, and the shared vectors where they are at hand.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod sample;

use muonrtc_sdp::{Description, Direction, Media, Setup};
use sample::{CHROMIUM_ANSWER, FIREFOX_ANSWER, LIBDATACHANNEL_OFFER};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder of the shared vectors, sorted; empty where the folder is absent.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors")
        .join(folder);
    let Ok(entries) = fs::read_dir(&path) else {
        println!("left out: {}", path.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

// sdp-001
#[test]
fn a_captured_description_prints_byte_for_byte() {
    for text in [LIBDATACHANNEL_OFFER, CHROMIUM_ANSWER, FIREFOX_ANSWER] {
        assert_eq!(Description::parse(text).unwrap().to_string(), text);
        let with_lf = text.replace("\r\n", "\n");
        assert_eq!(Description::parse(&with_lf).unwrap().to_string(), text);
    }
}

// sdp-005, sdp-048, sdp-049, sdp-050
#[test]
fn libdatachannels_offer_is_understood() {
    let offer = Description::parse(LIBDATACHANNEL_OFFER).unwrap();
    let [data] = offer.media.as_slice() else {
        panic!();
    };
    assert_eq!(offer.bundle().unwrap().unwrap().mids, ["0"]);
    assert!(data.is_data());
    assert_eq!(data.checked_mid().unwrap(), Some("0"));
    assert_eq!(data.sctp_port().unwrap(), Some(5000));
    assert_eq!(data.max_message_size().unwrap(), Some(262_144));
    assert_eq!(data.setup(&offer).unwrap(), Some(Setup::ActPass));
    assert_eq!(data.ice_ufrag(&offer).unwrap(), Some("PbYF"));
    assert_eq!(
        data.ice_pwd(&offer).unwrap(),
        Some("xZUA6rheapTloTCTMLkV8N")
    );
    let [fingerprint] = &data.fingerprints(&offer).unwrap()[..] else {
        panic!();
    };
    assert_eq!(fingerprint.algorithm, "sha-256");
    assert_eq!(fingerprint.bytes.len(), 32);
    assert!(data.end_of_candidates(&offer));
    let candidates: Vec<_> = data.candidates().map(Result::unwrap).collect();
    assert_eq!(candidates[0].address, "fd00::2");
    assert_eq!(candidates[1].port, 33111);
}

// dfx-003, dfx-006
#[test]
fn chromiums_answer_is_understood() {
    let answer = Description::parse(CHROMIUM_ANSWER).unwrap();
    assert_eq!(answer.origin.session_id, 3_466_059_803_159_217_666);
    assert_eq!(answer.origin.address, "IN IP4 127.0.0.1");
    assert_eq!(answer.attribute("msid-semantic"), Some(" WMS"));
    assert_eq!(answer.bundle().unwrap().unwrap().mids, ["0", "1", "2"]);
    let [audio, video, data] = answer.media.as_slice() else {
        panic!();
    };
    for media in &answer.media {
        assert_eq!(media.setup(&answer).unwrap(), Some(Setup::Active));
        assert_eq!(media.ice_options(&answer), ["trickle"]);
        assert_eq!(media.tls_id(&answer).unwrap(), None);
        assert!(!media.is_rejected());
    }
    assert_eq!(audio.candidates().filter(Result::is_ok).count(), 2);
    assert_eq!(video.attributes("ssrc").count(), 2);
    assert!(data.is_data() && !audio.is_data());
    assert_eq!(answer.media_by_mid("2"), Some(data));
    assert_eq!(answer.media_by_mid("3"), None);
}

// dfx-007, sdp-005, sdp-051
#[test]
fn firefoxs_answer_is_understood() {
    let answer = Description::parse(FIREFOX_ANSWER).unwrap();
    assert_eq!(answer.origin.username, "mozilla...THIS_IS_SDPARTA-99.0");
    let data = answer.media_by_mid("2").unwrap();
    assert_eq!(data.fingerprints(&answer).unwrap().len(), 1);
    assert_eq!(data.ice_options(&answer), ["trickle"]);
    assert_eq!(data.max_message_size().unwrap(), Some(1_073_741_823));
    assert_eq!(data.direction(&answer).unwrap(), Direction::SendRecv);
    let audio = &answer.media[0];
    let tcp: Vec<_> = audio
        .candidates()
        .map(Result::unwrap)
        .filter(|candidate| candidate.tcp_type() == Some("active"))
        .collect();
    assert_eq!(tcp.len(), 2);
    assert!(audio.end_of_candidates(&answer));
    assert!(!data.end_of_candidates(&answer));
}

#[test]
fn what_real_stacks_wrote_prints_byte_for_byte() {
    for path in files("sdp/captured") {
        let text = fs::read_to_string(&path).unwrap();
        let description =
            Description::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let normal = text.replace("\r\n", "\n").replace('\n', "\r\n");
        assert!(description.to_string() == normal, "{}", path.display());
    }
}

/// What an audio or video section says.
fn read_rtp(media: &Media) {
    let _ = (media.ext_maps(), media.msids(), media.rids());
    let _ = (media.ssrcs(), media.ssrc_groups(), media.simulcast());
    let _ = (media.rtcp_feedback_lines(), media.format_parameter_lines());
    let _ = (media.rtcp_port(), media.ptime(), media.maxptime());
    let _ = (media.bandwidth(), media.is_rtp());
}

// sdp-036, sdp-037, sdp-041, sdp-044
#[test]
fn what_real_stacks_say_of_media_is_read_without_error() {
    for path in files("sdp/captured").into_iter().chain(files("sdp/jsep")) {
        let text = fs::read_to_string(&path).unwrap();
        let description = Description::parse(&text).unwrap();
        for media in description.media.iter().filter(|media| media.is_rtp()) {
            let name = path.display();
            assert!(!media.rtp_maps().unwrap().is_empty(), "{name}");
            assert_eq!(media.ext_maps().map(drop), Ok(()), "{name}");
            assert_eq!(media.msids().map(drop), Ok(()), "{name}");
            assert_eq!(media.ssrcs().map(drop), Ok(()), "{name}");
            assert_eq!(media.ssrc_groups().map(drop), Ok(()), "{name}");
            assert_eq!(media.simulcast().map(drop), Ok(()), "{name}");
            assert_eq!(media.rtcp_feedback_lines().map(drop), Ok(()), "{name}");
            assert_eq!(media.format_parameter_lines().map(drop), Ok(()), "{name}");
            assert_eq!(media.rtcp_port().map(drop), Ok(()), "{name}");
        }
    }
}

/// Every accessor, so that none panics on what others wrote.
fn read_all(description: &Description) {
    let _ = description.groups();
    let _ = description.is_ice_lite();
    for media in &description.media {
        let _ = (media.checked_mid(), media.sctp_port(), media.rtp_maps());
        let _ = (media.max_message_size(), media.setup(description));
        let _ = (media.ice_ufrag(description), media.ice_pwd(description));
        let _ = (media.fingerprints(description), media.tls_id(description));
        let _ = media.direction(description);
        let _ = media.candidates().count();
        read_rtp(media);
    }
}

#[test]
fn what_parses_prints_to_what_parses_equal() {
    let mut parsed = 0;
    let folders = [
        "sdp/captured",
        "sdp/jsep",
        "sdp/mozilla",
        "fuzz/libwebrtc/sdp-corpus",
    ];
    for path in folders.into_iter().flat_map(files) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let Ok(description) = Description::parse(&text) else {
            continue;
        };
        read_all(&description);
        let printed = description.to_string();
        let again = Description::parse(&printed);
        assert!(again.as_ref() == Ok(&description), "{}", path.display());
        parsed += 1;
    }
    println!("{parsed} descriptions parsed");
}

// sdp-002: comments and fragments are the only ones of the shared sets that do not parse.
#[test]
fn every_description_of_the_shared_sets_parses() {
    for path in files("sdp/jsep").into_iter().chain(files("sdp/mozilla")) {
        let text = fs::read_to_string(&path).unwrap();
        let has_comments = text.starts_with(';');
        let result = Description::parse(&text);
        assert_eq!(result.is_ok(), !has_comments, "{}", path.display());
    }
}
