use super::{Config, Depacketizer, Descriptor, Packetizer, TemporalLayer};
use crate::payload::{Depacketizer as _, Packetizer as _, PictureId};
use crate::{DecodeError, EncodeError};
use bytes::{Bytes, BytesMut};

// media-012
#[test]
fn every_field_is_read_and_written_again() {
    let samples: [(&[u8], Descriptor); 6] = [
        (&[0x00], Descriptor::default()),
        // RFC 7741 §4.6.1: a key frame, X and I, a short picture id.
        (
            &[0x90, 0x80, 0x11],
            Descriptor {
                start_of_partition: true,
                picture_id: Some(PictureId::Short(0x11)),
                ..Descriptor::default()
            },
        ),
        // §4.6.2: a discardable interframe without picture id.
        (
            &[0x30],
            Descriptor {
                non_reference: true,
                start_of_partition: true,
                ..Descriptor::default()
            },
        ),
        // §4.6.5: a long picture id.
        (
            &[0x90, 0x80, 0x81, 0x11],
            Descriptor {
                start_of_partition: true,
                picture_id: Some(PictureId::Long(0x0111)),
                ..Descriptor::default()
            },
        ),
        // What a browser sends with temporal layers.
        (
            &[0x90, 0xF0, 0xFF, 0xFF, 0x07, 0xBF],
            Descriptor {
                start_of_partition: true,
                picture_id: Some(PictureId::Long(0x7FFF)),
                tl0_pic_idx: Some(7),
                temporal: Some(TemporalLayer { id: 2, sync: true }),
                key_idx: Some(31),
                ..Descriptor::default()
            },
        ),
        (
            &[0x85, 0x10, 0x03],
            Descriptor {
                partition: 5,
                key_idx: Some(3),
                ..Descriptor::default()
            },
        ),
    ];
    for (wire, descriptor) in samples {
        let payload = [wire, &[1, 2, 3]].concat();
        assert_eq!(
            Descriptor::parse(&payload),
            Ok((descriptor, &[1, 2, 3][..]))
        );
        let mut out = [0; Descriptor::MAX_LEN];
        let len = descriptor.write(&mut out).unwrap();
        assert_eq!(&out[..len], wire);
        for short in 0..wire.len() {
            assert_eq!(
                Descriptor::parse(&wire[..short]),
                Err(DecodeError::Truncated)
            );
            assert_eq!(
                descriptor.write(&mut out[..short]),
                Err(EncodeError::TooSmall)
            );
        }
    }
}

#[test]
fn reserved_bits_are_ignored() {
    let (descriptor, rest) = Descriptor::parse(&[0xC8, 0x0F, 9]).unwrap();
    assert_eq!(descriptor, Descriptor::default());
    assert_eq!(rest, [9]);
}

#[test]
fn a_number_that_does_not_fit_is_not_written() {
    let wrong = [
        Descriptor {
            partition: 8,
            ..Descriptor::default()
        },
        Descriptor {
            picture_id: Some(PictureId::Short(0x80)),
            ..Descriptor::default()
        },
        Descriptor {
            picture_id: Some(PictureId::Long(0x8000)),
            ..Descriptor::default()
        },
        Descriptor {
            temporal: Some(TemporalLayer { id: 4, sync: false }),
            ..Descriptor::default()
        },
        Descriptor {
            key_idx: Some(32),
            ..Descriptor::default()
        },
    ];
    for descriptor in wrong {
        assert_eq!(descriptor.write(&mut [0; 6]), Err(EncodeError::Value));
    }
}

// media-015
#[test]
fn a_forwarder_changes_numbers_in_place() {
    let mut payload = [0x90, 0xE0, 0x81, 0x11, 0x07, 0x40, 0xAA];
    let (mut descriptor, _) = Descriptor::parse(&payload).unwrap();
    descriptor.picture_id = Some(PictureId::Long(0x1234));
    descriptor.tl0_pic_idx = Some(8);
    descriptor.write(&mut payload).unwrap();
    assert_eq!(payload, [0x90, 0xE0, 0x92, 0x34, 0x08, 0x40, 0xAA]);
}

fn cut(packetizer: &mut Packetizer, frame: &[u8], max: usize) -> Vec<(Bytes, bool)> {
    let mut out = Vec::new();
    let frame = Bytes::copy_from_slice(frame);
    packetizer
        .packetize(&frame, max, &mut |payload, marker| {
            out.push((payload, marker))
        })
        .unwrap();
    out
}

// media-013
#[test]
fn a_frame_is_cut_with_s_at_the_start_and_the_marker_at_the_end() {
    let mut packetizer = Packetizer::new(Config {
        picture_id: Some(PictureId::Long(0x7FFF)),
    });
    let payloads = cut(&mut packetizer, &[0x10, 1, 2, 3, 4], 7);
    let expected: [(&[u8], bool); 2] = [
        (&[0x90, 0x80, 0xFF, 0xFF, 0x10, 1, 2], false),
        (&[0x80, 0x80, 0xFF, 0xFF, 3, 4], true),
    ];
    assert_eq!(
        payloads,
        expected.map(|(p, marker)| (Bytes::copy_from_slice(p), marker))
    );
    // The next frame has the next number.
    let next = cut(&mut packetizer, &[0x11], 7);
    assert_eq!(
        next,
        [(Bytes::from_static(&[0x90, 0x80, 0x80, 0x00, 0x11]), true)]
    );
    let depacketizer = Depacketizer::default();
    assert!(depacketizer.is_keyframe(&payloads[0].0));
    assert!(!depacketizer.is_keyframe(&payloads[1].0));
    assert!(depacketizer.is_frame_start(&next[0].0));
    assert!(!depacketizer.is_keyframe(&next[0].0));
}

// media-043
#[test]
fn a_frame_without_its_start_or_with_another_inside_is_refused() {
    let payloads = cut(&mut Packetizer::default(), &[7; 100], 24);
    let mut depacketizer = Depacketizer::default();
    let mut frame = BytesMut::new();
    let (first, last) = (&payloads[0].0, &payloads[4].0);
    let refused = depacketizer.depacketize(last, true, &mut frame);
    assert_eq!(refused, Err(DecodeError::Value));
    assert_eq!(depacketizer.depacketize(first, false, &mut frame), Ok(()));
    let refused = depacketizer.depacketize(first, false, &mut frame);
    assert_eq!(refused, Err(DecodeError::Value));
    depacketizer.reset();
    assert_eq!(depacketizer.depacketize(first, true, &mut frame), Ok(()));
}

#[test]
fn a_payload_too_small_for_a_byte_of_the_frame_is_refused() {
    let frame = Bytes::from_static(&[0x10; 10]);
    let refused = Packetizer::default().packetize(&frame, 4, &mut |_, _| panic!("emitted"));
    assert_eq!(refused, Err(DecodeError::Length));
}
