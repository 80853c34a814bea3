//! What is written is read as it was: RTCP made up by proptest.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

use muonrtc_rtp::rtcp::{
    ApplicationDefined, CongestionControlFeedback, Dlrr, Ecn, ExtendedBlock, ExtendedReport,
    FullIntraEntry, FullIntraRequest, Goodbye, LossNotification, Nack, NackPair, NtpTimestamp,
    Packet as Rtcp, PacketMetric, PictureLossIndication, RapidResynchronizationRequest,
    ReceiverEstimatedMaxBitrate, ReceiverReport, ReferencePictureSelection, ReportBlock,
    SenderReport, Slice, SliceLossIndication, SourceChunk, SourceDescription, SourceItem,
    SourceItemType, StreamMetrics, TemporaryMaxBitrateEntry, TemporaryMaxBitrateNotification,
    TemporaryMaxBitrateRequest, TransportFeedback, Unknown, packets, write_compound,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

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

fn losses() -> impl Strategy<Value = Rtcp> {
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
    ]
}

fn requests() -> impl Strategy<Value = Rtcp> {
    prop_oneof![
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
    prop_oneof![
        reports(),
        names(),
        losses(),
        requests(),
        transport_feedback()
    ]
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
}
