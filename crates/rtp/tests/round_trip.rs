//! What is written is read as it was: packets, header extensions and RTCP made up by proptest.
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
use muonrtc_rtp::rtcp::{
    ApplicationDefined, CongestionControlFeedback, Dlrr, Ecn, ExtendedBlock, ExtendedReport,
    FullIntraEntry, FullIntraRequest, Goodbye, LossNotification, Nack, NackPair, NtpTimestamp,
    Packet as Rtcp, PacketMetric, PictureLossIndication, RapidResynchronizationRequest,
    ReceiverEstimatedMaxBitrate, ReceiverReport, ReferencePictureSelection, ReportBlock,
    SenderReport, Slice, SliceLossIndication, SourceChunk, SourceDescription, SourceItem,
    SourceItemType, StreamMetrics, TemporaryMaxBitrateEntry, TemporaryMaxBitrateNotification,
    TemporaryMaxBitrateRequest, TransportFeedback, Unknown, packets, write_compound,
};
use muonrtc_rtp::{CsrcList, Extensions, Header, Packet};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

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

prop_compose! {
    fn report_block()(
        ssrc: u32,
        fraction_lost: u8,
        cumulative_lost in -0x80_0000..0x80_0000,
        highest_sequence_number: u32,
        jitter: u32,
        last_sender_report: u32,
        delay_since_last_sender_report: u32,
    ) -> ReportBlock {
        ReportBlock {
            ssrc, fraction_lost, cumulative_lost, highest_sequence_number, jitter,
            last_sender_report, delay_since_last_sender_report,
        }
    }
}

fn report_blocks() -> impl Strategy<Value = Vec<ReportBlock>> {
    vec(report_block(), 0..=31)
}

fn reports() -> impl Strategy<Value = Rtcp> {
    let numbers: [_; 5] = std::array::from_fn(|_| any::<u32>());
    prop_oneof![
        (numbers, any::<u64>(), report_blocks()).prop_map(
            |([ssrc, rtp, packets, octets, _], ntp, reports)| {
                SenderReport {
                    ssrc,
                    ntp: NtpTimestamp(ntp),
                    rtp_timestamp: rtp,
                    packet_count: packets,
                    octet_count: octets,
                    reports: reports.into(),
                }
                .into()
            }
        ),
        (any::<u32>(), report_blocks()).prop_map(|(ssrc, reports)| {
            ReceiverReport {
                ssrc,
                reports: reports.into(),
            }
            .into()
        }),
        (any::<u32>(), vec(extended_block(), 0..5)).prop_map(|(sender_ssrc, blocks)| {
            ExtendedReport {
                sender_ssrc,
                blocks: blocks.into(),
            }
            .into()
        }),
    ]
}

fn extended_block() -> impl Strategy<Value = ExtendedBlock> {
    prop_oneof![
        any::<u64>().prop_map(|time| ExtendedBlock::ReceiverReferenceTime(NtpTimestamp(time))),
        vec(any::<[u32; 3]>(), 0..4).prop_map(|list| {
            let dlrr = |[ssrc, last_receiver_report, delay]: [u32; 3]| Dlrr {
                ssrc,
                last_receiver_report,
                delay,
            };
            ExtendedBlock::Dlrr(list.into_iter().map(dlrr).collect())
        }),
        (6_u8.., any::<u8>(), words(4)).prop_map(|(block_type, type_specific, contents)| {
            ExtendedBlock::Unknown {
                block_type,
                type_specific,
                contents: contents.into(),
            }
        }),
    ]
}

/// Bytes by the four.
fn words(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<[u8; 4]>(), 0..max).prop_map(|words| words.concat())
}

fn names() -> impl Strategy<Value = Rtcp> {
    let item = (1_u8.., vec(any::<u8>(), 0..=255)).prop_map(|(item_type, text)| SourceItem {
        item_type: SourceItemType(item_type),
        text: text.into(),
    });
    let chunk = (any::<u32>(), vec(item, 0..4)).prop_map(|(ssrc, items)| SourceChunk {
        ssrc,
        items: items.into(),
    });
    prop_oneof![
        vec(chunk, 0..5).prop_map(|chunks| SourceDescription {
            chunks: chunks.into()
        }
        .into()),
        (vec(any::<u32>(), 0..=31), vec(any::<u8>(), 0..=255)).prop_map(|(ssrcs, reason)| {
            Goodbye {
                ssrcs: ssrcs.into(),
                reason: reason.into(),
            }
            .into()
        }),
        (0_u8..32, any::<u32>(), any::<[u8; 4]>(), words(9)).prop_map(
            |(subtype, ssrc, name, data)| {
                ApplicationDefined {
                    subtype,
                    ssrc,
                    name,
                    data: data.into(),
                }
                .into()
            }
        ),
        (208_u8..=223, 0_u8..32, words(9)).prop_map(|(packet_type, count, body)| {
            Unknown {
                packet_type,
                count,
                body: body.into(),
            }
            .into()
        }),
    ]
}

fn payload_feedback() -> impl Strategy<Value = Rtcp> {
    let slice =
        (0_u16..0x2000, 0_u16..0x2000, 0_u8..64).prop_map(|(first, number, picture_id)| Slice {
            first,
            number,
            picture_id,
        });
    prop_oneof![
        any::<[u32; 2]>().prop_map(|[sender_ssrc, media_ssrc]| {
            PictureLossIndication {
                sender_ssrc,
                media_ssrc,
            }
            .into()
        }),
        any::<[u32; 2]>().prop_map(|[sender_ssrc, media_ssrc]| {
            RapidResynchronizationRequest {
                sender_ssrc,
                media_ssrc,
            }
            .into()
        }),
        (any::<[u32; 2]>(), vec(slice, 0..9)).prop_map(|([sender_ssrc, media_ssrc], slices)| {
            SliceLossIndication {
                sender_ssrc,
                media_ssrc,
                slices: slices.into(),
            }
            .into()
        }),
        (
            any::<[u32; 2]>(),
            0_u8..128,
            vec(any::<u8>(), 1..20),
            0_u8..8
        )
            .prop_map(
                |([sender_ssrc, media_ssrc], payload_type, mut bits, unused_bits)| {
                    *bits.last_mut().unwrap() &= 0xFF << unused_bits;
                    let bits = bits.into();
                    ReferencePictureSelection {
                        sender_ssrc,
                        media_ssrc,
                        payload_type,
                        bits,
                        unused_bits,
                    }
                    .into()
                }
            ),
        (any::<u32>(), vec(any::<(u32, u8)>(), 0..9)).prop_map(|(sender_ssrc, entries)| {
            let entry = |(ssrc, sequence_number)| FullIntraEntry {
                ssrc,
                sequence_number,
            };
            FullIntraRequest {
                sender_ssrc,
                entries: entries.into_iter().map(entry).collect(),
            }
            .into()
        }),
        (any::<u32>(), rate(18), vec(any::<u32>(), 0..=255)).prop_map(
            |(sender_ssrc, bitrate, ssrcs)| {
                ReceiverEstimatedMaxBitrate {
                    sender_ssrc,
                    bitrate,
                    ssrcs: ssrcs.into(),
                }
                .into()
            }
        ),
        (
            any::<[u32; 2]>(),
            any::<u16>(),
            0_u16..0x8000,
            any::<bool>()
        )
            .prop_map(
                |([sender_ssrc, media_ssrc], last_decoded, ahead, decodable)| {
                    let last_received = last_decoded.wrapping_add(ahead);
                    LossNotification {
                        sender_ssrc,
                        media_ssrc,
                        last_decoded,
                        last_received,
                        decodable,
                    }
                    .into()
                }
            ),
    ]
}

/// A rate that a mantissa of so many bits can say.
fn rate(bits: u32) -> impl Strategy<Value = u64> {
    (0..1_u64 << bits, 0..64 - bits).prop_map(|(mantissa, exponent)| mantissa << exponent)
}

fn limits() -> impl Strategy<Value = Vec<TemporaryMaxBitrateEntry>> {
    let entry = (any::<u32>(), rate(17), 0_u16..512);
    vec(
        entry.prop_map(|(ssrc, bitrate, overhead)| TemporaryMaxBitrateEntry {
            ssrc,
            bitrate,
            overhead,
        }),
        0..5,
    )
}

fn transport_feedback() -> impl Strategy<Value = Rtcp> {
    prop_oneof![
        (any::<[u32; 2]>(), vec(any::<[u16; 2]>(), 0..40)).prop_map(
            |([sender_ssrc, media_ssrc], pairs)| {
                let pair = |[packet_id, following]: [u16; 2]| NackPair {
                    packet_id,
                    following,
                };
                Nack {
                    sender_ssrc,
                    media_ssrc,
                    pairs: pairs.into_iter().map(pair).collect(),
                }
                .into()
            }
        ),
        (any::<u32>(), limits()).prop_map(|(sender_ssrc, entries)| {
            TemporaryMaxBitrateRequest {
                sender_ssrc,
                entries: entries.into(),
            }
            .into()
        }),
        (any::<u32>(), limits()).prop_map(|(sender_ssrc, entries)| {
            TemporaryMaxBitrateNotification {
                sender_ssrc,
                entries: entries.into(),
            }
            .into()
        }),
        (any::<[u32; 2]>(), vec(stream_metrics(), 0..5)).prop_map(
            |([sender_ssrc, timestamp], streams)| {
                CongestionControlFeedback {
                    sender_ssrc,
                    streams: streams.into(),
                    timestamp,
                }
                .into()
            }
        ),
        arrivals(),
    ]
}

fn stream_metrics() -> impl Strategy<Value = StreamMetrics> {
    let metric = prop_oneof![
        Just(PacketMetric::LOST),
        (0..4, proptest::option::of(0_u64..10_000)).prop_map(|(ecn, before)| {
            let ecn = [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce][ecn as usize];
            PacketMetric::received(ecn, before.map(Duration::from_millis))
        }),
    ];
    (any::<u32>(), any::<u16>(), vec(metric, 0..40)).prop_map(
        |(ssrc, begin_sequence_number, metrics)| StreamMetrics {
            ssrc,
            begin_sequence_number,
            metrics: metrics.into(),
        },
    )
}

/// Feedback about packets of which few or many are lost, that arrive in any order.
fn arrivals() -> impl Strategy<Value = Rtcp> {
    let gap = prop_oneof![10 => Just(1_u16), 2 => 1_u16..20, 1 => 1_u16..9_000];
    let step = prop_oneof![5 => 0_i64..60_000, 1 => -3_000_000_i64..3_000_000];
    (
        any::<u32>(),
        any::<u16>(),
        any::<u8>(),
        0_u64..1 << 40,
        vec((gap, step), 0..100),
    )
        .prop_map(|(ssrc, base, count, start, packets)| {
            let start = 10_000_000 + start.cast_signed();
            let micros = |time: i64| Duration::from_micros(time.unsigned_abs());
            let mut feedback = TransportFeedback::new(ssrc, ssrc, count, base, micros(start));
            let (mut number, mut arrival) = (base, start);
            for (gap, step) in packets {
                if !feedback.push(number, micros(arrival)) {
                    break;
                }
                number = number.wrapping_add(gap);
                arrival += step;
            }
            feedback.into()
        })
}

fn rtcp() -> impl Strategy<Value = Rtcp> {
    prop_oneof![reports(), names(), payload_feedback(), transport_feedback()]
}

proptest! {
    #[test]
    fn rtcp_is_read_as_it_was_written(packet in rtcp()) {
        let mut out = vec![0xFF; packet.encoded_len() + 4];
        let len = packet.write(&mut out).unwrap();
        prop_assert_eq!(len, packet.encoded_len());
        prop_assert_eq!(len % 4, 0);
        prop_assert_eq!(&out[len..], [0xFF; 4]);
        prop_assert!(packet.write(&mut out[..len - 1]).is_err());
        prop_assert_eq!(Rtcp::parse(&out).unwrap(), packet);
    }

    #[test]
    fn a_compound_is_read_as_it_was_written(list in vec(rtcp(), 0..6)) {
        let len: usize = list.iter().map(Rtcp::encoded_len).sum();
        let mut out = vec![0xFF; len];
        prop_assert_eq!(write_compound(&list, &mut out), Ok(len));
        let read: Vec<Rtcp> = packets(&out).map(Result::unwrap).collect();
        prop_assert_eq!(read, list);
    }

    // rtcp-017
    #[test]
    fn a_nack_names_what_it_was_given(start: u16, gaps in vec(1_u16..40, 0..60)) {
        let number = |number: &mut u16, gap: &u16| {
            *number = number.wrapping_add(*gap);
            Some(*number)
        };
        let wanted: Vec<u16> = gaps.iter().scan(start, number).collect();
        let nack = Nack::new(1, 2, wanted.iter().copied());
        prop_assert!(nack.sequence_numbers().eq(wanted));
    }

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
