use super::{AggregationHeader, Depacketizer, ObuExtension, ObuHeader, Packetizer, kind};
use crate::DecodeError;
use crate::payload::{Depacketizer as _, Packetizer as _};
use bytes::{Bytes, BytesMut};

fn cut(unit: &[u8], max: usize) -> Vec<(Bytes, bool)> {
    let mut out = Vec::new();
    let unit = Bytes::copy_from_slice(unit);
    Packetizer::default()
        .packetize(&unit, max, &mut |payload, marker| {
            out.push((payload, marker))
        })
        .unwrap();
    out
}

fn put_together(payloads: &[(Bytes, bool)]) -> Result<Vec<u8>, DecodeError> {
    let mut depacketizer = Depacketizer::default();
    let mut unit = BytesMut::new();
    for (payload, last) in payloads {
        depacketizer.depacketize(payload, *last, &mut unit)?;
    }
    Ok(unit.to_vec())
}

fn expected<const N: usize>(payloads: [(&[u8], bool); N]) -> Vec<(Bytes, bool)> {
    let payloads = payloads.into_iter();
    payloads
        .map(|(payload, marker)| (Bytes::copy_from_slice(payload), marker))
        .collect()
}

/// A temporal delimiter, a sequence header, and a key frame.
const KEY_UNIT: [u8; 17] = [
    0x12, 0x00, 0x0A, 0x04, 1, 2, 3, 4, 0x32, 0x07, 0x10, 11, 12, 13, 14, 15, 16,
];

// media-030, media-031, media-034
#[test]
fn sizes_and_delimiters_are_not_sent_and_n_marks_a_new_sequence() {
    let whole = [
        0x28, 5, 0x08, 1, 2, 3, 4, 0x30, 0x10, 11, 12, 13, 14, 15, 16,
    ];
    assert_eq!(cut(&KEY_UNIT, 15), expected([(&whole, true)]));
    assert_eq!(
        cut(&KEY_UNIT, 10),
        expected([
            (&[0x18, 0x08, 1, 2, 3, 4], false),
            (&[0x10, 0x30, 0x10, 11, 12, 13, 14, 15, 16], true),
        ])
    );
    assert_eq!(
        cut(&KEY_UNIT, 8),
        expected([
            (&[0x68, 5, 0x08, 1, 2, 3, 4, 0x30], false),
            (&[0x90, 0x10, 11, 12, 13, 14, 15, 16], true),
        ])
    );
    let inter = [0x12, 0x00, 0x32, 0x02, 0x30, 1];
    assert_eq!(cut(&inter, 100), expected([(&[0x10, 0x30, 0x30, 1], true)]));
}

// media-030
#[test]
fn a_temporal_unit_comes_out_as_it_was() {
    for max in 2..40 {
        let payloads = cut(&KEY_UNIT, max);
        assert!(payloads.iter().all(|(payload, _)| payload.len() <= max));
        assert_eq!(put_together(&payloads), Ok(KEY_UNIT.to_vec()), "{max}");
    }
}

#[test]
fn an_obu_without_size_goes_to_the_end_of_its_unit() {
    let unit = [0x0A, 0x01, 9, 0x30, 0x10, 1, 2];
    let payloads = cut(&unit, 100);
    assert_eq!(
        payloads,
        expected([(&[0x28, 2, 0x08, 9, 0x30, 0x10, 1, 2], true)])
    );
    let with_sizes = [0x12, 0x00, 0x0A, 0x01, 9, 0x32, 0x03, 0x10, 1, 2];
    assert_eq!(put_together(&payloads), Ok(with_sizes.to_vec()));
}

// AV1 RTP §5.1: the layers of the example go into packets of their own.
#[test]
fn layers_do_not_share_a_packet_and_a_sequence_header_comes_first() {
    let unit = [
        0x12, 0x00, 0x0A, 0x01, 1, 0x36, 0x00, 0x01, 2, 0x36, 0x08, 0x01, 3, 0x0A, 0x01, 4,
    ];
    assert_eq!(
        cut(&unit, 100),
        expected([
            (&[0x20 | 0x08, 2, 0x08, 1, 0x34, 0x00, 2], false),
            (&[0x10, 0x34, 0x08, 3], false),
            (&[0x10, 0x08, 4], true),
        ])
    );
}

#[test]
fn tile_lists_are_neither_sent_nor_received() {
    let unit = [0x12, 0x00, 0x42, 0x01, 9, 0x32, 0x01, 0x30];
    assert_eq!(cut(&unit, 100), expected([(&[0x10, 0x30, 0x30], true)]));
    let received = expected([(&[0x30, 1, 0x10, 2, 0x40, 9, 0x30, 0x30], true)]);
    assert_eq!(
        put_together(&received),
        Ok(vec![0x12, 0x00, 0x32, 0x01, 0x30])
    );
}

// AV1 RTP §4.5: with W = 0 every element has its size; an OBU may keep its own too.
#[test]
fn elements_with_sizes_of_either_kind_are_read() {
    let received = expected([(
        &[0x00, 2, 0x30, 1, 3, 0x32, 0x01, 2, 2, 0x30, 3, 2, 0x30, 4],
        true,
    )]);
    let unit = [0x12, 0x00, 0x32, 1, 1, 0x32, 1, 2, 0x32, 1, 3, 0x32, 1, 4];
    assert_eq!(put_together(&received), Ok(unit.to_vec()));
}

// media-043
#[test]
fn an_obu_that_lacks_a_part_is_refused() {
    let payloads = cut(&KEY_UNIT, 4);
    assert!(payloads.len() > 4);
    assert!(put_together(&payloads).is_ok());
    assert_eq!(put_together(&payloads[1..]), Err(DecodeError::Value));
    let without_end = [
        payloads[0].clone(),
        (Bytes::from_static(&[0x10, 0x30, 0x30]), true),
    ];
    assert_eq!(put_together(&without_end), Err(DecodeError::Value));
    let only_start = [(payloads[0].0.clone(), true)];
    assert_eq!(put_together(&only_start), Err(DecodeError::Truncated));
}

#[test]
fn a_payload_that_contradicts_itself_is_refused() {
    for (payload, error) in [
        (&[0x88, 0x30][..], DecodeError::Value),
        (&[0x20, 5, 0x30], DecodeError::Truncated),
        (&[0x20, 0x80], DecodeError::Truncated),
        (&[0x10, 0xB0, 1], DecodeError::Value),
        (&[0x10, 0x32, 9, 1], DecodeError::Truncated),
        (&[0x10, 0x34], DecodeError::Truncated),
    ] {
        let payload = [(Bytes::copy_from_slice(payload), true)];
        assert_eq!(put_together(&payload), Err(error), "{payload:?}");
    }
}

#[test]
fn what_is_no_temporal_unit_or_does_not_fit_is_refused() {
    for (unit, max, error) in [
        (&[][..], 100, DecodeError::Truncated),
        (&[0x12, 0x00], 100, DecodeError::Truncated),
        (&[0x32, 0x05, 1], 100, DecodeError::Truncated),
        (&[0x80, 0x05, 1], 100, DecodeError::Value),
        (&KEY_UNIT, 1, DecodeError::Length),
    ] {
        let unit = Bytes::copy_from_slice(unit);
        let refused = Packetizer::default().packetize(&unit, max, &mut |_, _| panic!("emitted"));
        assert_eq!(refused, Err(error));
    }
}

#[test]
fn starts_and_key_frames_are_seen() {
    let depacketizer = Depacketizer::default();
    let is = |payload: &[u8]| {
        (
            depacketizer.is_frame_start(payload),
            depacketizer.is_keyframe(payload),
        )
    };
    assert_eq!(
        is(&[0x18, 0x08, 1]),
        (true, true),
        "N and a sequence header"
    );
    assert_eq!(is(&[0x10, 0x08, 1]), (true, true), "a sequence header");
    assert_eq!(is(&[0x10, 0x30, 0x30]), (true, false), "a frame");
    assert_eq!(is(&[0x90, 0x30, 0x30]), (false, false), "within an OBU");
    assert_eq!(is(&[0x10, 0x34, 0x08, 1]), (false, false), "a higher layer");
    assert_eq!(is(&[0x10, 0x20, 1]), (false, false), "a tile group");
    assert_eq!(is(&[]), (false, false));
}

#[test]
fn headers_are_read_and_written() {
    for byte in (0..=255_u8).filter(|byte| byte & 0x07 == 0 && byte & 0x88 != 0x88) {
        let payload = [byte, 7];
        let (header, rest) = AggregationHeader::parse(&payload).unwrap();
        assert_eq!(header.to_byte(), byte);
        assert_eq!(rest, [7]);
    }
    let (header, rest) = ObuHeader::parse(&[0x36, 0x48, 7]).unwrap();
    let extension = ObuExtension {
        temporal: 2,
        spatial: 1,
    };
    assert_eq!(
        (header.kind, header.extension),
        (kind::FRAME, Some(extension))
    );
    assert!(header.has_size);
    assert_eq!(header.to_bytes(), [0x36, 0x48]);
    assert_eq!(rest, [7]);
}
