use super::{Event, EventSet, FORMAT, Report, Tone, code, digit};
use crate::DecodeError;
use crate::payload::Depacketizer as _;
use bytes::{Bytes, BytesMut};

// RFC 4733 §2.3 and the table in §5: digit 1, volume 10, 400 units so far; and its end.
#[test]
fn an_event_is_read_and_written() {
    let wire = [1, 0x8A, 0x03, 0x20, 9];
    let (event, rest) = Event::parse(&wire).unwrap();
    let expected = Event {
        code: 1,
        end: true,
        volume: 10,
        duration: 800,
    };
    assert_eq!(event, expected);
    assert_eq!(rest, [9]);
    assert_eq!(event.to_bytes(), wire[..4]);
    assert_eq!(Event::parse(&wire[..3]), Err(DecodeError::Truncated));
    // The reserved bit is ignored.
    let (event, _) = Event::parse(&[1, 0x4A, 0, 1]).unwrap();
    assert_eq!((event.end, event.volume), (false, 10));
}

#[test]
fn a_payload_holds_whole_events() {
    let mut frame = BytesMut::new();
    let two = Bytes::from_static(&[1, 0x8A, 3, 0x20, 2, 0x0A, 1, 0x90]);
    let mut format = FORMAT;
    assert_eq!(format.depacketize(&two, false, &mut frame), Ok(()));
    assert_eq!(frame, two);
    let odd = two.slice(..5);
    let refused = format.depacketize(&odd, false, &mut frame);
    assert_eq!(refused, Err(DecodeError::Length));
}

// media-039
#[test]
fn digits_have_codes() {
    for (expected, character) in "0123456789*#ABCD".chars().enumerate() {
        let own = code(character).unwrap();
        assert_eq!(usize::from(own), expected);
        assert_eq!(digit(own), Some(character));
    }
    assert_eq!(code('d'), Some(15));
    assert_eq!(code('E'), None);
    assert_eq!(code('é'), None);
    assert_eq!(digit(16), None);
}

/// When, timestamp, marker, end, duration.
fn short(report: Report) -> (u32, u32, bool, bool, u16) {
    let Report {
        at,
        timestamp,
        marker,
        event,
    } = report;
    (at, timestamp, marker, event.end, event.duration)
}

// media-037
#[test]
fn an_event_grows_and_its_end_is_sent_three_times() {
    let reports: Vec<_> = Tone::new(5, 10, 1000, 400).map(short).collect();
    assert_eq!(
        reports,
        [
            (400, 0, true, false, 400),
            (800, 0, false, false, 800),
            (1000, 0, false, true, 1000),
            (1400, 0, false, true, 1000),
            (1800, 0, false, true, 1000),
        ]
    );
}

// media-037
#[test]
fn a_long_event_is_parted_into_segments_that_have_no_marker() {
    let reports: Vec<_> = Tone::new(5, 10, 100_000, 30_000).map(short).collect();
    assert_eq!(
        reports,
        [
            (30_000, 0, true, false, 30_000),
            (60_000, 0, false, false, 60_000),
            (65_535, 0, false, false, 65_535),
            (95_535, 65_535, false, false, 30_000),
            (95_535, 0, false, false, 65_535),
            (100_000, 65_535, false, true, 34_465),
            (100_000, 0, false, false, 65_535),
            (130_000, 65_535, false, true, 34_465),
            (160_000, 65_535, false, true, 34_465),
        ]
    );
    let exact: Vec<_> = Tone::new(5, 10, 65_535, 65_535).map(short).collect();
    assert_eq!(exact[0], (65_535, 0, true, true, 65_535));
    assert_eq!(exact.len(), 3);
}

// media-038
#[test]
fn the_events_of_a_peer_are_read_from_its_list() {
    let set: EventSet = "0-11,66,70,255".parse().unwrap();
    assert!(set.contains(0) && set.contains(11) && set.contains(70) && set.contains(255));
    assert!(!set.contains(12) && !set.contains(67));
    assert_eq!(set.to_string(), "0-11,66,70,255");
    assert_eq!("9,1,2-3".parse::<EventSet>().unwrap().to_string(), "1-3,9");
    assert_eq!(EventSet::default().to_string(), "0-15");
    for wrong in ["", "0-", "3-1", "256", "0, 1", "a"] {
        assert_eq!(
            wrong.parse::<EventSet>(),
            Err(DecodeError::Value),
            "{wrong}"
        );
    }
}
