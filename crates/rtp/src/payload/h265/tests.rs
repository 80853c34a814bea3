use super::{Depacketizer, FragmentHeader, NalHeader, Packetizer, kind};
use crate::DecodeError;
use crate::payload::{Depacketizer as _, Packetizer as _};
use bytes::{Bytes, BytesMut};

fn cut(frame: &[u8], max: usize) -> Vec<(Bytes, bool)> {
    let mut out = Vec::new();
    let frame = Bytes::copy_from_slice(frame);
    Packetizer::default()
        .packetize(&frame, max, &mut |payload, marker| {
            out.push((payload, marker))
        })
        .unwrap();
    out
}

fn put_together(payloads: &[(Bytes, bool)]) -> Result<Vec<u8>, DecodeError> {
    let mut depacketizer = Depacketizer::default();
    let mut frame = BytesMut::new();
    for (payload, last) in payloads {
        depacketizer.depacketize(payload, *last, &mut frame)?;
    }
    Ok(frame.to_vec())
}

fn expected<const N: usize>(payloads: [(&[u8], bool); N]) -> Vec<(Bytes, bool)> {
    let payloads = payloads.into_iter();
    payloads
        .map(|(payload, marker)| (Bytes::copy_from_slice(payload), marker))
        .collect()
}

/// A delimiter, VPS, SPS, PPS and the beginning of an IDR slice.
const KEY_FRAME: [u8; 37] = [
    0, 0, 0, 1, 0x46, 0x01, 0x50, 0, 0, 0, 1, 0x40, 0x01, 0x0C, 0, 0, 1, 0x42, 0x01, 0x01, 0, 0, 1,
    0x44, 0x01, 0xC1, 0, 0, 1, 0x26, 0x01, 0xAF, 1, 2, 3, 4, 5,
];

// media-027
#[test]
fn parameter_sets_share_a_packet_and_the_slice_is_fragmented() {
    let sets = [
        0x60, 0x01, 0, 3, 0x40, 0x01, 0x0C, 0, 3, 0x42, 0x01, 0x01, 0, 3, 0x44, 0x01, 0xC1,
    ];
    assert_eq!(
        cut(&KEY_FRAME, 17),
        expected([(&sets, false), (&[0x26, 0x01, 0xAF, 1, 2, 3, 4, 5], true)])
    );
    assert_eq!(
        cut(&KEY_FRAME, 6),
        expected([
            (&[0x40, 0x01, 0x0C], false),
            (&[0x42, 0x01, 0x01], false),
            (&[0x44, 0x01, 0xC1], false),
            (&[0x62, 0x01, 0x93, 0xAF, 1, 2], false),
            (&[0x62, 0x01, 0x53, 3, 4, 5], true),
        ])
    );
}

#[test]
fn an_access_unit_comes_out_with_long_start_codes() {
    let whole = [
        0, 0, 0, 1, 0x40, 0x01, 0x0C, 0, 0, 0, 1, 0x42, 0x01, 0x01, 0, 0, 0, 1, 0x44, 0x01, 0xC1,
        0, 0, 0, 1, 0x26, 0x01, 0xAF, 1, 2, 3, 4, 5,
    ];
    for max in 4..50 {
        let payloads = cut(&KEY_FRAME, max);
        assert!(payloads.iter().all(|(payload, _)| payload.len() <= max));
        assert_eq!(put_together(&payloads), Ok(whole.to_vec()), "{max}");
    }
}

#[test]
fn what_is_no_access_unit_or_does_not_fit_is_refused() {
    for (frame, max, error) in [
        (&[][..], 100, DecodeError::Value),
        (&[0x26, 0x01, 0xAF], 100, DecodeError::Value),
        (&[0, 0, 1, 0x46, 0x01, 0x50], 100, DecodeError::Value),
        (&[0, 0, 1, 0x26], 100, DecodeError::Truncated),
        (&KEY_FRAME, 3, DecodeError::Length),
    ] {
        let frame = Bytes::copy_from_slice(frame);
        let refused = Packetizer::default().packetize(&frame, max, &mut |_, _| panic!("emitted"));
        assert_eq!(refused, Err(error));
    }
}

// media-043
#[test]
fn a_unit_that_lacks_a_fragment_is_refused() {
    let fragments = cut(&KEY_FRAME[26..], 5);
    assert_eq!(fragments.len(), 3);
    assert!(put_together(&fragments).is_ok());
    assert_eq!(
        put_together(&fragments[1..]),
        Err(DecodeError::Value),
        "no start"
    );
    let mut no_end = fragments[..2].to_vec();
    no_end[1].1 = true;
    assert_eq!(put_together(&no_end), Err(DecodeError::Truncated), "no end");
    let single = (Bytes::from_static(&[0x02, 0x01, 0xD0]), true);
    let interrupted = [fragments[0].clone(), single];
    assert_eq!(put_together(&interrupted), Err(DecodeError::Value));
}

#[test]
fn an_aggregate_with_a_wrong_size_or_an_aggregate_inside_is_refused() {
    for (payload, error) in [
        (&[0x60, 0x01, 0, 3, 0x02, 1][..], DecodeError::Truncated),
        (&[0x60, 0x01, 0], DecodeError::Truncated),
        (&[0x60, 0x01, 0, 1, 0x02], DecodeError::Length),
        (&[0x60, 0x01, 0, 4, 0x60, 0x01, 0, 0], DecodeError::Value),
        (&[0x60, 0x01, 0, 3, 0x62, 0x01, 0x80], DecodeError::Value),
    ] {
        let payload = [(Bytes::copy_from_slice(payload), true)];
        assert_eq!(put_together(&payload), Err(error));
    }
}

// media-027
#[test]
fn the_information_in_a_paci_packet_is_passed_over() {
    // A slice (type 1) behind three bytes of extension.
    let single = [0x64, 0x01, 0x02, 0x38, 9, 9, 9, 0xD0, 1];
    let payload = [(Bytes::copy_from_slice(&single), true)];
    assert_eq!(
        put_together(&payload),
        Ok(vec![0, 0, 0, 1, 0x02, 0x01, 0xD0, 1])
    );
    // A first and a last fragment.
    let start = [0x64, 0x01, 0x62, 0x00, 0x81, 0xD0];
    let end = [0x62, 0x01, 0x41, 1];
    let payloads = expected([(&start, false), (&end, true)]);
    assert_eq!(
        put_together(&payloads),
        Ok(vec![0, 0, 0, 1, 0x02, 0x01, 0xD0, 1])
    );
    for (wrong, error) in [
        (&[0x64, 0x01, 0x64, 0x00, 1][..], DecodeError::Value),
        (&[0x64, 0x01, 0x02, 0x38, 9, 9], DecodeError::Truncated),
        (&[0x64, 0x01, 0x02], DecodeError::Truncated),
    ] {
        let payload = [(Bytes::copy_from_slice(wrong), true)];
        assert_eq!(put_together(&payload), Err(error));
    }
}

#[test]
fn an_aggregate_has_the_lowest_layers_of_its_units() {
    let frame = [0, 0, 1, 0x02, 0x0B, 1, 0, 0, 1, 0x82, 0x12, 1];
    let (header, _) = NalHeader::parse(&cut(&frame, 100)[0].0)
        .map(|(header, rest)| (header, rest.len()))
        .unwrap();
    assert_eq!((header.layer_id, header.tid), (1, 2));
    assert!(header.forbidden_zero);
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
    assert_eq!(is(&[0x40, 0x01, 0x0C]), (true, true), "VPS");
    assert_eq!(is(&[0x44, 0x01, 0xC1]), (false, false), "PPS");
    assert_eq!(is(&[0x26, 0x01, 0xAF]), (true, true), "IDR slice");
    assert_eq!(is(&[0x26, 0x01, 0x2F]), (false, false), "second IDR slice");
    assert_eq!(is(&[0x2A, 0x01, 0xAF]), (true, true), "CRA slice");
    assert_eq!(is(&[0x02, 0x01, 0xD0]), (true, false), "slice");
    assert_eq!(is(&[0x60, 0x01, 0, 2, 0x40, 0x01]), (true, true), "AP");
    assert_eq!(is(&[0x62, 0x01, 0x93, 0xAF]), (true, true), "first FU");
    assert_eq!(is(&[0x62, 0x01, 0x13, 0xAF]), (false, false), "FU");
    assert_eq!(is(&[0x64, 0x01, 0x26, 0x00, 0xAF]), (true, true), "PACI");
    assert_eq!(is(&[]), (false, false));
    assert_eq!(is(&[0x62]), (false, false));
}

#[test]
fn headers_are_read_and_written() {
    for word in 0..=u16::MAX {
        let bytes = word.to_be_bytes();
        let (header, _) = NalHeader::parse(&bytes).unwrap();
        assert_eq!(header.to_bytes(), bytes);
    }
    let (header, rest) = NalHeader::parse(&[0x62, 0x01, 0x93, 9]).unwrap();
    let (fragment, rest) = FragmentHeader::parse(header, rest).unwrap();
    assert_eq!((fragment.nal.kind, fragment.nal.tid), (kind::IDR_W_RADL, 1));
    assert!(fragment.start && !fragment.end);
    assert_eq!(fragment.to_bytes(), [0x62, 0x01, 0x93]);
    assert_eq!(rest, [9]);
}
