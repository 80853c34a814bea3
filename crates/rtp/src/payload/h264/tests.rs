use super::{Config, Depacketizer, FragmentHeader, NalHeader, PacketizationMode, Packetizer, kind};
use crate::DecodeError;
use crate::payload::{Depacketizer as _, Packetizer as _};
use bytes::{Bytes, BytesMut};

fn cut(packetizer: &mut Packetizer, frame: &[u8], max: usize) -> Vec<(Bytes, bool)> {
    let mut out = Vec::new();
    packetizer
        .packetize(
            &Bytes::copy_from_slice(frame),
            max,
            &mut |payload, marker| {
                out.push((payload, marker));
            },
        )
        .unwrap();
    out
}

fn put_together(payloads: &[(Bytes, bool)]) -> Result<BytesMut, DecodeError> {
    let mut depacketizer = Depacketizer::default();
    let mut frame = BytesMut::new();
    for (payload, last) in payloads {
        depacketizer.depacketize(payload, *last, &mut frame)?;
    }
    Ok(frame)
}

/// SPS, PPS and the beginning of an IDR slice.
const KEY_FRAME: [u8; 26] = [
    0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x1F, 0, 0, 1, 0x48, 0xCE, 0x3C, 0x80, 0, 0, 1, 0x65, 0x88, 1, 2,
    3, 4, 5, 6,
];

// media-020, media-022, media-024, media-025
#[test]
fn parameter_sets_share_a_packet_and_the_slice_is_fragmented() {
    let payloads = cut(&mut Packetizer::default(), &KEY_FRAME, 8 + 5);
    let expected: [(&[u8], bool); 2] = [
        (
            &[
                0x78, 0, 4, 0x67, 0x42, 0xC0, 0x1F, 0, 4, 0x48, 0xCE, 0x3C, 0x80,
            ],
            false,
        ),
        (&[0x65, 0x88, 1, 2, 3, 4, 5, 6], true),
    ];
    assert_eq!(
        payloads,
        expected.map(|(bytes, marker)| (Bytes::copy_from_slice(bytes), marker))
    );
    let fragments = cut(&mut Packetizer::default(), &KEY_FRAME, 6);
    let expected: [(&[u8], bool); 4] = [
        (&[0x67, 0x42, 0xC0, 0x1F], false),
        (&[0x48, 0xCE, 0x3C, 0x80], false),
        (&[0x7C, 0x85, 0x88, 1, 2, 3], false),
        (&[0x7C, 0x45, 4, 5, 6], true),
    ];
    assert_eq!(
        fragments,
        expected.map(|(bytes, marker)| (Bytes::copy_from_slice(bytes), marker))
    );
}

#[test]
fn an_access_unit_comes_out_with_long_start_codes() {
    let whole = [
        0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x1F, 0, 0, 0, 1, 0x48, 0xCE, 0x3C, 0x80, 0, 0, 0, 1, 0x65,
        0x88, 1, 2, 3, 4, 5, 6,
    ];
    for max in 3..40 {
        let payloads = cut(&mut Packetizer::default(), &KEY_FRAME, max);
        assert!(payloads.iter().all(|(payload, _)| payload.len() <= max));
        assert_eq!(put_together(&payloads).unwrap(), whole[..], "{max}");
    }
}

// media-020
#[test]
fn in_mode_0_every_unit_is_a_packet_and_a_large_one_is_refused() {
    let mut packetizer = Packetizer::new(Config {
        mode: PacketizationMode::SingleNal,
    });
    let payloads = cut(&mut packetizer, &KEY_FRAME, 8);
    let sizes: Vec<_> = payloads.iter().map(|(payload, _)| payload.len()).collect();
    assert_eq!(sizes, [4, 4, 8]);
    let frame = Bytes::from_static(&KEY_FRAME);
    let refused = packetizer.packetize(&frame, 7, &mut |_, _| panic!("emitted"));
    assert_eq!(refused, Err(DecodeError::Length));
}

#[test]
fn delimiters_and_filler_are_not_sent_and_what_is_no_access_unit_is_refused() {
    let frame = [
        0, 0, 1, 9, 0xF0, 0, 0, 1, 0x41, 0x9A, 0, 0, 1, 12, 0xFF, 0x80,
    ];
    let payloads = cut(&mut Packetizer::default(), &frame, 100);
    assert_eq!(payloads, [(Bytes::from_static(&[0x41, 0x9A]), true)]);
    for frame in [
        &[][..],
        &[0x65, 1, 2, 3],
        &[0, 0, 1, 9, 0xF0],
        &[0, 0, 1, 0x7C, 0x85, 1],
    ] {
        let refused =
            Packetizer::default().packetize(&Bytes::copy_from_slice(frame), 100, &mut |_, _| {
                panic!("emitted")
            });
        assert_eq!(refused, Err(DecodeError::Value));
    }
}

// media-021, media-043
#[test]
fn a_unit_that_lacks_a_fragment_is_refused() {
    let fragments = cut(&mut Packetizer::default(), &KEY_FRAME[15..], 4);
    assert_eq!(fragments.len(), 4);
    assert!(put_together(&fragments).is_ok());
    assert_eq!(
        put_together(&fragments[1..]),
        Err(DecodeError::Value),
        "no start"
    );
    let mut no_end = fragments[..3].to_vec();
    no_end[2].1 = true;
    assert_eq!(put_together(&no_end), Err(DecodeError::Truncated), "no end");
    let single = (Bytes::from_static(&[0x41, 0x9A]), true);
    let interrupted = [fragments[0].clone(), single];
    assert_eq!(put_together(&interrupted), Err(DecodeError::Value));
    let twice = [fragments[0].clone(), fragments[0].clone()];
    assert_eq!(
        put_together(&twice),
        Err(DecodeError::Value),
        "a start within"
    );
}

// media-022
#[test]
fn an_aggregate_with_a_wrong_size_or_an_aggregate_inside_is_refused() {
    for (payload, error) in [
        (&[0x78, 0, 3, 0x41, 1][..], DecodeError::Truncated),
        (&[0x78, 0][..], DecodeError::Truncated),
        (&[0x78, 0, 0][..], DecodeError::Length),
        (&[0x78, 0, 4, 0x78, 0, 1, 0x41][..], DecodeError::Value),
        (&[0x78, 0, 3, 0x7C, 0x85, 1][..], DecodeError::Value),
    ] {
        let payload = (Bytes::copy_from_slice(payload), true);
        assert_eq!(put_together(&[payload]), Err(error));
    }
}

// media-022
#[test]
fn an_aggregate_is_as_important_and_as_damaged_as_any_of_its_units() {
    let frame = [0, 0, 1, 0x86, 1, 0, 0, 1, 0x21, 1];
    let payloads = cut(&mut Packetizer::default(), &frame, 100);
    assert_eq!(payloads[0].0[0], 0x80 | 1 << 5 | kind::STAP_A);
}

// media-026
#[test]
fn interleaved_payloads_are_refused_and_reserved_ones_ignored() {
    for kind in [kind::STAP_B, kind::MTAP16, kind::MTAP24, kind::FU_B] {
        let payload = (Bytes::from(vec![0x60 | kind, 0, 1, 2, 3]), true);
        assert_eq!(put_together(&[payload]), Err(DecodeError::Unsupported));
    }
    for kind in [0, 30, 31] {
        let payload = (Bytes::from(vec![0x60 | kind, 0, 1, 2, 3]), true);
        assert_eq!(put_together(&[payload]), Ok(BytesMut::new()));
    }
}

#[test]
fn key_frames_and_frame_starts_are_seen_in_every_kind_of_payload() {
    let depacketizer = Depacketizer::default();
    let is = |payload: &[u8]| {
        (
            depacketizer.is_frame_start(payload),
            depacketizer.is_keyframe(payload),
        )
    };
    assert_eq!(is(&[0x67, 0x42]), (true, true), "SPS");
    assert_eq!(is(&[0x68, 0xCE]), (false, false), "PPS");
    assert_eq!(is(&[0x65, 0x88]), (true, true), "IDR slice");
    assert_eq!(is(&[0x65, 0x48]), (false, false), "second IDR slice");
    assert_eq!(is(&[0x41, 0x9A]), (true, false), "slice");
    assert_eq!(is(&[0x41, 0x4A]), (false, false), "second slice");
    assert_eq!(is(&[0x09, 0xF0]), (true, false), "delimiter");
    assert_eq!(
        is(&[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1]),
        (true, true),
        "STAP-A"
    );
    assert_eq!(is(&[0x78, 0, 2, 9, 0xF0, 0, 2, 0x65, 0x80]), (true, true));
    assert_eq!(is(&[0x7C, 0x85, 0x88]), (true, true), "first FU-A");
    assert_eq!(is(&[0x7C, 0x05, 0x88]), (false, false), "FU-A");
    assert_eq!(
        is(&[0x5C, 0x81, 0x88]),
        (true, false),
        "first FU-A of a slice"
    );
    assert_eq!(is(&[]), (false, false));
    assert_eq!(is(&[0x7C]), (false, false));
}

#[test]
fn headers_are_read_and_written() {
    for byte in 0..=255 {
        assert_eq!(u8::from(NalHeader::from(byte)), byte);
    }
    let (header, fragment) = FragmentHeader::parse(&[0x7C, 0x85, 9]).unwrap();
    assert_eq!((header.nal.kind, header.nal.ref_idc), (kind::IDR_SLICE, 3));
    assert!(header.start && !header.end);
    assert_eq!(fragment, [9]);
    assert_eq!(header.to_bytes(), [0x7C, 0x85]);
}
