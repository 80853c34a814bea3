use super::frame::FrameHeader;
use super::{
    Config, Depacketizer, Descriptor, GroupPicture, LayerIndices, Packetizer, Resolution,
    ScalabilityStructure,
};
use crate::payload::{Depacketizer as _, Packetizer as _, PictureId};
use crate::{DecodeError, EncodeError};
use bytes::{Bytes, BytesMut};

/// The beginning of a key frame of 320 by 240 pixels, as libvpx made it.
const KEY_FRAME: [u8; 12] = [
    0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xF0, 0x0E, 0xF6, 0x06, 0x38, 0x24,
];

/// The beginning of a frame that refers to others.
const INTER_FRAME: [u8; 6] = [0x86, 0x00, 0x40, 0x92, 0x9C, 0x40];

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

/// Descriptors as they are on the wire.
fn samples() -> Vec<(&'static [u8], Descriptor)> {
    let layers = Descriptor {
        picture_id: Some(PictureId::Long(0x1234)),
        layer: Some(LayerIndices {
            temporal: 2,
            switching_up: true,
            spatial: 1,
            inter_layer_predicted: true,
        }),
        ..Descriptor::default()
    };
    vec![
        (&[0x00], Descriptor::default()),
        (
            &[0x8C, 0x11],
            Descriptor {
                picture_id: Some(PictureId::Short(0x11)),
                start_of_frame: true,
                end_of_frame: true,
                ..Descriptor::default()
            },
        ),
        (
            &[0xE1, 0x92, 0x34, 0x53, 0x63],
            Descriptor {
                inter_predicted: true,
                not_reference: true,
                tl0_pic_idx: Some(0x63),
                ..layers.clone()
            },
        ),
        (
            &[0xF0, 0x92, 0x34, 0x53, 0x03, 0x05, 0xFE],
            Descriptor {
                inter_predicted: true,
                flexible: true,
                references: [1, 2, 127],
                ..layers.clone()
            },
        ),
        // A key picture of three spatial layers and two temporal ones.
        (
            &[
                0x8A, 0x92, 0x34, 0x58, 1, 64, 0, 180, 2, 128, 1, 104, 5, 0, 2, 208, 2, 0x10, 0x34,
                1,
            ],
            Descriptor {
                picture_id: Some(PictureId::Long(0x1234)),
                start_of_frame: true,
                structure: Some(ScalabilityStructure {
                    spatial_layers: 3,
                    resolutions: [(320, 180), (640, 360), (1280, 720)]
                        .map(|(width, height)| Resolution { width, height })
                        .to_vec(),
                    group: Some(vec![
                        GroupPicture {
                            switching_up: true,
                            ..GroupPicture::default()
                        },
                        GroupPicture {
                            temporal: 1,
                            switching_up: true,
                            references: [1, 0, 0],
                        },
                    ]),
                }),
                ..Descriptor::default()
            },
        ),
    ]
}

// media-016
#[test]
fn every_field_is_read_and_written_again() {
    for (wire, descriptor) in samples() {
        let payload = [wire, &[1, 2, 3]].concat();
        assert_eq!(
            Descriptor::parse(&payload),
            Ok((descriptor.clone(), &[1, 2, 3][..]))
        );
        let mut out = [0; 64];
        let len = descriptor.write(&mut out).unwrap();
        assert_eq!(&out[..len], wire);
        for short in 0..wire.len() {
            let parsed = Descriptor::parse(&wire[..short]);
            assert_eq!(parsed, Err(DecodeError::Truncated));
            let written = descriptor.write(&mut out[..short]);
            assert_eq!(written, Err(EncodeError::TooSmall));
        }
    }
}

// media-016
#[test]
fn flexible_mode_without_picture_id_is_ignored() {
    let (descriptor, rest) = Descriptor::parse(&[0x50, 9]).unwrap();
    assert!(!descriptor.flexible && descriptor.inter_predicted);
    assert_eq!(rest, [9]);
}

#[test]
fn a_reference_to_itself_and_a_fourth_one_are_refused() {
    let itself = Descriptor::parse(&[0xD0, 0x11, 0x00, 9]);
    assert_eq!(itself, Err(DecodeError::Value));
    let fourth = Descriptor::parse(&[0xD0, 0x11, 3, 3, 3, 2, 9]);
    assert_eq!(fourth, Err(DecodeError::Value));
}

#[test]
fn a_descriptor_that_contradicts_itself_is_not_written() {
    let flexible = Descriptor {
        picture_id: Some(PictureId::Short(1)),
        flexible: true,
        inter_predicted: true,
        ..Descriptor::default()
    };
    let wrong = [
        flexible.clone(),
        Descriptor {
            references: [128, 0, 0],
            ..flexible.clone()
        },
        Descriptor {
            picture_id: None,
            references: [1, 0, 0],
            ..flexible
        },
        Descriptor {
            tl0_pic_idx: Some(1),
            ..Descriptor::default()
        },
        Descriptor {
            layer: Some(LayerIndices::default()),
            ..Descriptor::default()
        },
        Descriptor {
            structure: Some(ScalabilityStructure {
                spatial_layers: 2,
                resolutions: vec![Resolution::default()],
                group: None,
            }),
            ..Descriptor::default()
        },
    ];
    for descriptor in wrong {
        let written = descriptor.write(&mut [0; 64]);
        assert_eq!(written, Err(EncodeError::Value), "{descriptor:?}");
    }
}

#[test]
fn the_size_is_read_from_a_key_frame() {
    let header = FrameHeader::parse(&KEY_FRAME).unwrap();
    let resolution = Resolution {
        width: 320,
        height: 240,
    };
    assert_eq!(header.resolution, Some(resolution));
    assert!(!FrameHeader::parse(&INTER_FRAME).unwrap().keyframe);
    // show_existing_frame.
    assert!(!FrameHeader::parse(&[0x88]).unwrap().keyframe);
    assert_eq!(FrameHeader::parse(&[0x42]), Err(DecodeError::Value));
    assert_eq!(
        FrameHeader::parse(&[0x82, 0, 0, 0]),
        Err(DecodeError::Value)
    );
    assert_eq!(
        FrameHeader::parse(&KEY_FRAME[..8]),
        Err(DecodeError::Truncated)
    );
}

// media-016, media-017
#[test]
fn a_key_frame_tells_the_structure_in_its_first_packet() {
    let mut packetizer = Packetizer::new(Config {
        picture_id: PictureId::Long(0x7FFF),
        ..Config::default()
    });
    let payloads = cut(&mut packetizer, &KEY_FRAME, 20);
    let structure = [0x18, 1, 64, 0, 240, 1, 0x04, 1];
    let first = [&[0x8A, 0xFF, 0xFF][..], &structure, &KEY_FRAME[..6]].concat();
    let second = [&[0x84, 0xFF, 0xFF][..], &KEY_FRAME[6..]].concat();
    assert_eq!(payloads, [(first.into(), false), (second.into(), true)]);
    let payloads = cut(&mut packetizer, &INTER_FRAME, 20);
    let only = [&[0xCC, 0x80, 0x00][..], &INTER_FRAME].concat();
    assert_eq!(payloads, [(only.into(), true)]);
}

// media-016
#[test]
fn flexible_mode_refers_to_the_frame_before() {
    let mut packetizer = Packetizer::new(Config {
        flexible: true,
        ..Config::default()
    });
    let payloads = cut(&mut packetizer, &KEY_FRAME, 100);
    assert_eq!(payloads[0].0[..8], [0x9E, 0x80, 0x00, 0x10, 1, 64, 0, 240]);
    let payloads = cut(&mut packetizer, &INTER_FRAME, 100);
    assert_eq!(payloads[0].0[..4], [0xDC, 0x80, 0x01, 0x02]);
}

#[test]
fn what_is_no_frame_or_does_not_fit_is_refused() {
    for (frame, max, error) in [
        (&[][..], 100, DecodeError::Truncated),
        (&[0x12, 0x34], 100, DecodeError::Value),
        (&INTER_FRAME, 3, DecodeError::Length),
        (&KEY_FRAME, 11, DecodeError::Length),
    ] {
        let frame = Bytes::copy_from_slice(frame);
        let refused = Packetizer::default().packetize(&frame, max, &mut |_, _| panic!("emitted"));
        assert_eq!(refused, Err(error));
    }
}

// media-017, media-043
#[test]
fn a_picture_is_the_frames_of_its_layers_and_each_must_be_whole() {
    let packet = |first: u8, spatial: u8, data: u8| {
        Bytes::from(vec![first | 0xA0, 0x11, spatial << 1, 0x01, data])
    };
    let (whole, start, end) = (0x0C, 0x08, 0x04);
    let together = |packets: &[Bytes]| {
        let mut depacketizer = Depacketizer::default();
        let mut frame = BytesMut::new();
        for (index, packet) in packets.iter().enumerate() {
            depacketizer.depacketize(packet, index + 1 == packets.len(), &mut frame)?;
        }
        Ok(frame.to_vec())
    };
    let picture = [packet(whole, 0, 1), packet(start, 1, 2), packet(end, 1, 3)];
    assert_eq!(together(&picture), Ok(vec![1, 2, 3]));
    assert_eq!(together(&picture[..2]), Err(DecodeError::Truncated));
    assert_eq!(together(&picture[2..]), Err(DecodeError::Value));
    let twice = [picture[1].clone(), picture[1].clone()];
    assert_eq!(together(&twice), Err(DecodeError::Value));

    let depacketizer = Depacketizer::default();
    assert!(depacketizer.is_keyframe(&picture[0]));
    assert!(depacketizer.is_frame_start(&picture[0]));
    assert!(!depacketizer.is_frame_start(&picture[1]), "a higher layer");
    assert!(!depacketizer.is_keyframe(&picture[1]));
    assert!(!depacketizer.is_keyframe(&packet(whole | 0x40, 0, 1)));
}
