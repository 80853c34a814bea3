//! What is written is read as it was: packets and header extensions made up by proptest.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

use bytes::Bytes;
use muonrtc_rtp::extension::{
    DecodeTargetIndication, DependencyDescriptor, Extension, Template, TemplateStructure,
    VideoLayersAllocation,
};
use muonrtc_rtp::{CsrcList, Extensions, Header, Packet};
use proptest::collection::vec;
use proptest::prelude::*;

fn extensions() -> impl Strategy<Value = Extensions> {
    let element = (1_u8..=255, vec(any::<u8>(), 0..40));
    vec(element, 0..8).prop_map(|elements| {
        let mut extensions = Extensions::default();
        for (id, data) in elements {
            extensions.set(id, &data).unwrap();
        }
        extensions
    })
}

prop_compose! {
    fn header()(
        marker: bool,
        payload_type in 0_u8..128,
        sequence_number: u16,
        timestamp: u32,
        ssrc: u32,
        sources in vec(any::<u32>(), 0..=15),
        extensions in extensions(),
    ) -> Header {
        let mut csrc = CsrcList::new();
        assert!(sources.into_iter().all(|source| csrc.push(source)));
        Header { marker, payload_type, sequence_number, timestamp, ssrc, csrc, extensions }
    }
}

proptest! {
    // rtp-001, rtp-013, rtp-015, rtp-017
    #[test]
    fn a_packet_is_read_as_it_was_written(header in header(), payload in vec(any::<u8>(), 0..64)) {
        let packet = Packet::new(header, payload);
        let mut out = vec![0xFF; packet.encoded_len() + 1];
        let len = packet.write(&mut out).unwrap();
        prop_assert_eq!(len, packet.encoded_len());
        out.truncate(len);
        prop_assert!(packet.write(&mut out[..len - 1]).is_err());
        prop_assert_eq!(Packet::parse(&Bytes::from(out)).unwrap(), packet);
    }

    #[test]
    fn what_was_set_last_is_what_stands(sets in vec((1_u8..6, vec(any::<u8>(), 0..20)), 0..20)) {
        let mut extensions = Extensions::default();
        let mut model = std::collections::BTreeMap::new();
        for (id, data) in sets {
            extensions.set(id, &data).unwrap();
            if data.len() == 7 {
                prop_assert!(extensions.remove(id));
                model.remove(&id);
            } else {
                model.insert(id, data);
            }
            prop_assert_eq!(extensions.iter().count(), model.len());
            for (id, data) in &model {
                prop_assert_eq!(extensions.get(*id), Some(&data[..]));
            }
        }
    }
}

proptest! {
    #[test]
    fn a_structure_is_read_as_it_was_written(structure in structure(), active: u32) {
        let mask = active & structure.all_decode_targets();
        let descriptor = DependencyDescriptor {
            template_id: structure.template_id_offset,
            structure: Some(structure),
            active_decode_targets: Some(mask),
            ..DependencyDescriptor::default()
        };
        let value = descriptor.write(None).unwrap();
        prop_assert_eq!(DependencyDescriptor::parse(&value, None).unwrap(), descriptor);
    }
}

prop_compose! {
    fn structure()(targets in 1_u8..=32)(
        template_id_offset in 0_u8..64,
        decode_target_count in Just(targets),
        steps in vec(0_u8..3, 0..20),
        chains in 0..=targets,
        seed in vec(any::<u8>(), 64),
        with_resolutions in any::<bool>(),
    ) -> TemplateStructure {
        let mut place = (0_u8, 0_u8);
        let mut noise = seed.into_iter().cycle();
        let mut below = |bound: u8| noise.next().unwrap() % bound;
        let mut templates = Vec::new();
        for step in std::iter::once(0).chain(steps) {
            match step {
                1 if place.1 < 7 => place.1 += 1,
                2 if place.0 < 3 => place = (place.0 + 1, 0),
                _ => {}
            }
            let indication = |bits| match bits {
                0 => DecodeTargetIndication::NotPresent,
                1 => DecodeTargetIndication::Discardable,
                2 => DecodeTargetIndication::Switch,
                _ => DecodeTargetIndication::Required,
            };
            templates.push(Template {
                spatial_id: place.0,
                temporal_id: place.1,
                decode_target_indications: (0..decode_target_count).map(|_| indication(below(4))).collect(),
                frame_differences: (0..below(4)).map(|_| u16::from(below(16)) + 1).collect(),
                chain_differences: (0..chains).map(|_| below(16)).collect(),
            });
        }
        let protected = if chains == 0 { 0 } else { decode_target_count };
        let layers = if with_resolutions { place.0 + 1 } else { 0 };
        TemplateStructure {
            template_id_offset,
            decode_target_count,
            templates,
            protected_by: (0..protected).map(|_| below(chains)).collect(),
            resolutions: (0..layers).map(|_| (u32::from(below(255)) + 1, 65_536)).collect(),
        }
    }
}

proptest! {
    #[test]
    fn layers_that_are_read_are_written_the_same(value in vec(any::<u8>(), 0..60)) {
        if let Ok(layers) = VideoLayersAllocation::parse(&value) {
            let written = layers.write().unwrap();
            prop_assert_eq!(VideoLayersAllocation::parse(&written).unwrap(), layers);
        }
    }
}
