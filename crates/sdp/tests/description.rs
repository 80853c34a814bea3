//! The lines of a description: which may stand where, and what they look like (RFC 8866 §5, §9).
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

use muonrtc_sdp::{
    Attribute, Description, MAX_DESCRIPTION_LEN, MAX_LINES, Media, Origin, ParseErrorKind, Timing,
};

const START: &str = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\n";

/// The error of a description, with its line.
fn error(text: &str) -> (usize, ParseErrorKind) {
    match Description::parse(text) {
        Ok(description) => panic!("{description}"),
        Err(error) => (error.line, error.kind),
    }
}

/// Every line that exists, in its order.
const FULL: &str = "\
v=0\r\n\
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n\
s=Call to John Smith\r\n\
i=SDP Offer #1\r\n\
u=http://www.jdoe.example.com/home.html\r\n\
e=Jane Doe <jane@jdoe.example.com>\r\n\
e=second@jdoe.example.com\r\n\
p=+1 617 555-6011\r\n\
c=IN IP4 198.51.100.1\r\n\
b=X-YZ:128\r\n\
b=AS:500\r\n\
t=3724394400 3724398000\r\n\
r=604800 3600 0 90000\r\n\
r=7d 1h 0 25h\r\n\
z=3730928400 -1h 3749680800 0\r\n\
t=0 0\r\n\
a=recvonly\r\n\
a=tool:a b: c\r\n\
m=audio 49170/2 RTP/AVP 0 8\r\n\
i=sound\r\n\
c=IN IP4 233.252.0.1/127\r\n\
c=IN IP4 233.252.0.2/127\r\n\
b=TIAS:64000\r\n\
a=sendonly\r\n\
m=video 51372 RTP/AVP 99\r\n\
c=IN IP6 2001:db8::2\r\n\
a=rtpmap:99 h263-1998/90000\r\n\
a=x-unknown:  kept as it is  \r\n";

// sdp-001, sdp-002
#[test]
fn every_line_is_kept_in_its_place() {
    let description = Description::parse(FULL).unwrap();
    assert_eq!(description.to_string(), FULL);
    assert_eq!(description.information.as_deref(), Some("SDP Offer #1"));
    assert_eq!(description.emails.len(), 2);
    assert_eq!(description.timings[0].repeats.len(), 2);
    assert_eq!(description.timings[1], Timing::default());
    let audio = &description.media[0];
    assert_eq!((audio.port, audio.port_count), (49170, Some(2)));
    assert_eq!(audio.connections.len(), 2);
    assert_eq!(description.attribute("tool"), Some("a b: c"));
    assert_eq!(
        description.media[1].attribute("x-unknown"),
        Some("  kept as it is  ")
    );
}

// sdp-001
#[test]
fn a_line_out_of_order_is_rejected_with_its_number() {
    let unexpected = |kind| ParseErrorKind::Unexpected(kind);
    let t = format!("{START}t=0 0\n");
    assert_eq!(error(&format!("{t}i=late\n")), (5, unexpected('i')));
    assert_eq!(error(&format!("{t}a=x\nb=AS:1\n")), (6, unexpected('b')));
    assert_eq!(error(&format!("{t}a=x\nt=0 0\n")), (6, unexpected('t')));
    assert_eq!(error(&format!("{t}v=0\n")), (5, unexpected('v')));
    assert_eq!(error(&format!("{START}s=-\n")), (4, unexpected('s')));
    assert_eq!(error(&format!("{START}r=1 1 1\n")), (4, unexpected('r')));
    assert_eq!(error(&format!("{START}q=1\n")), (4, unexpected('q')));
    let m = format!("{t}m=audio 9 UDP/TLS/RTP/SAVPF 0\n");
    assert_eq!(
        error(&format!("{m}a=x\nc=IN IP4 ::\n")),
        (7, unexpected('c'))
    );
    assert_eq!(error(&format!("{m}t=0 0\n")), (6, unexpected('t')));
    assert_eq!(error(&format!("{m}i=a\ni=b\n")), (7, unexpected('i')));
}

// dfx-009
#[test]
fn a_bandwidth_behind_the_attributes_is_read_and_put_in_its_place() {
    let section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    let edited = format!("{START}t=0 0\n{section}a=mid:1\nb=AS:500\na=sendrecv\n");
    let printed = Description::parse(&edited).unwrap().to_string();
    assert!(printed.ends_with(&format!("{section}b=AS:500\r\na=mid:1\r\na=sendrecv\r\n")));
}

#[test]
fn a_line_that_must_be_there_is_missed() {
    let missing = |kind| ParseErrorKind::Missing(kind);
    assert_eq!(error("o=- 1 1 IN IP4 ::\n"), (1, missing('v')));
    assert_eq!(error("v=0\ns=-\n"), (2, missing('o')));
    assert_eq!(error("v=0\no=- 1 1 IN IP4 ::\nt=0 0\n"), (3, missing('s')));
    assert_eq!(error(&format!("{START}a=x\n")), (4, missing('t')));
    assert_eq!(
        error(&format!("{START}m=audio 9 RTP/AVP 0\n")),
        (4, missing('t'))
    );
    assert_eq!(error(START), (4, missing('t')));
    assert_eq!(error("v=0\n"), (2, missing('o')));
    assert_eq!(error("v=0"), (2, missing('o')));
}

// dfx-014
#[test]
fn a_description_without_sections_is_one() {
    let empty = format!("{START}t=0 0\n");
    assert_eq!(Description::parse(&empty).unwrap().media, []);
    // A blank end is no line; a blank line elsewhere is malformed.
    assert!(Description::parse(&format!("{empty}\n\r\n")).is_ok());
    assert_eq!(
        error(&format!("{START}\nt=0 0\n")),
        (4, ParseErrorKind::NotALine)
    );
    assert_eq!(error(""), (1, ParseErrorKind::NotALine));
}

// sdp-002
#[test]
fn a_malformed_line_is_rejected_with_its_number() {
    let cases = [
        ("a", ParseErrorKind::NotALine),
        ("a x", ParseErrorKind::NotALine),
        ("a=x\0", ParseErrorKind::NotALine),
        ("a=x\ry", ParseErrorKind::NotALine),
        ("a=", ParseErrorKind::Malformed('a')),
        ("a=:value", ParseErrorKind::Malformed('a')),
        ("a=two words", ParseErrorKind::Malformed('a')),
        ("a=ключ:x", ParseErrorKind::Malformed('a')),
        ("m=audio 9 RTP/AVP", ParseErrorKind::Malformed('m')),
        ("m=audio x RTP/AVP 0", ParseErrorKind::Malformed('m')),
        ("m=audio -1 RTP/AVP 0", ParseErrorKind::Malformed('m')),
        ("m=audio 9/ RTP/AVP 0", ParseErrorKind::Malformed('m')),
        ("m=audio 9 RTP//AVP 0", ParseErrorKind::Malformed('m')),
        ("m=audio 65536 RTP/AVP 0", ParseErrorKind::OutOfRange('m')),
        ("m=audio 9/65536 RTP/AVP 0", ParseErrorKind::OutOfRange('m')),
    ];
    for (line, kind) in cases {
        assert_eq!(
            error(&format!("{START}t=0 0\n{line}\n")),
            (5, kind),
            "{line}"
        );
    }
    let cases = [
        ("c=IN IP4", ParseErrorKind::Malformed('c')),
        ("b=AS", ParseErrorKind::Malformed('b')),
        ("b=AS:-1", ParseErrorKind::Malformed('b')),
        ("b=AS:18446744073709551616", ParseErrorKind::OutOfRange('b')),
        ("i=", ParseErrorKind::Malformed('i')),
        ("t=0", ParseErrorKind::Malformed('t')),
        ("t=0 x", ParseErrorKind::Malformed('t')),
        ("t=0 99999999999999999999", ParseErrorKind::OutOfRange('t')),
        ("t=0 0\nr=1 1", ParseErrorKind::Malformed('r')),
        ("t=0 0\nz=1", ParseErrorKind::Malformed('z')),
        ("t=0 0\nk=", ParseErrorKind::Malformed('k')),
    ];
    for (lines, kind) in cases {
        let line = 3 + lines.lines().count();
        assert_eq!(error(&format!("{START}{lines}\n")), (line, kind), "{lines}");
    }
}

// sdp-008
#[test]
fn a_bad_origin_or_version_is_rejected() {
    let origin = |origin: &str| error(&format!("v=0\no={origin}\ns=-\nt=0 0\n"));
    let malformed = (2, ParseErrorKind::Malformed('o'));
    assert_eq!(origin("- 1 1 IN IP4"), malformed);
    assert_eq!(origin("- 1 1 IN IP4 :: more"), malformed);
    assert_eq!(origin("- x 1 IN IP4 ::"), malformed);
    assert_eq!(origin("- +1 1 IN IP4 ::"), malformed);
    assert_eq!(
        origin("- 18446744073709551616 1 IN IP4 ::"),
        (2, ParseErrorKind::OutOfRange('o'))
    );
    assert_eq!(error("v=1\n"), (1, ParseErrorKind::Version));
}

// sdp-003
#[test]
fn a_key_line_is_checked_and_discarded() {
    let text = format!("{START}t=0 0\nk=clear:secret\na=x\nm=audio 9 RTP/AVP 0\nk=prompt\n");
    let description = Description::parse(&text).unwrap();
    assert!(!description.to_string().contains("k="));
}

// sdp-003, sdp-004
#[test]
fn what_webrtc_begins_with_has_only_the_lines_that_must_be() {
    let description = Description::new(Origin::new(1 << 62, 3));
    assert_eq!(
        description.to_string(),
        "v=0\r\no=- 4611686018427387904 3 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    );
    assert_eq!(
        Media::data().to_string(),
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
    );
}

#[test]
fn a_value_cannot_begin_a_line_of_its_own() {
    let mut description = Description::default();
    description.push("tool", "x\r\na=setup:active\0");
    description.attributes.push(Attribute::flag("y\nm=audio"));
    let printed = description.to_string();
    assert!(printed.ends_with("a=tool:xa=setup:active\r\na=ym=audio\r\n"));
}

#[test]
fn attributes_are_pushed_and_removed() {
    let mut media = Media::data();
    media
        .push("mid", 0)
        .push_flag("bundle-only")
        .push("x", 1)
        .push("x", 2);
    assert_eq!(media.attributes("x").collect::<Vec<_>>(), ["1", "2"]);
    assert!(media.has_attribute("bundle-only"));
    assert_eq!(media.remove("x").attribute("x"), None);
    assert_eq!(media.attributes.len(), 2);
}

#[test]
fn the_input_has_bounds() {
    let mut text = format!("{START}t=0 0\n");
    text.push_str(&"a=x\n".repeat(MAX_LINES));
    assert_eq!(error(&text), (MAX_LINES + 1, ParseErrorKind::TooManyLines));
    let long = format!("{START}t=0 0\na=x:{}\n", "y".repeat(MAX_DESCRIPTION_LEN));
    assert_eq!(error(&long).1, ParseErrorKind::TooLong);
}
