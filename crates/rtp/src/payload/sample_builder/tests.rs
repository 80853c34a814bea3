use super::{Config, SampleBuilder, Stats};
use crate::payload::{Packetizer as _, depacketizer, vp8};
use crate::{Header, Packet, Sample};
use bytes::Bytes;
use std::time::Duration;

const FRAME_CLOCK: u32 = 3_000;

/// Sends frames of VP8 as packets.
struct Sender {
    packetizer: vp8::Packetizer,
    number: u16,
    timestamp: u32,
    marker: bool,
}

impl Sender {
    fn new() -> Self {
        Self {
            packetizer: vp8::Packetizer::default(),
            // Both wrap within the first frames.
            number: u16::MAX - 5,
            timestamp: u32::MAX - FRAME_CLOCK,
            marker: true,
        }
    }

    /// A frame in `count` packets; its bytes are `fill`, even for a key frame.
    fn frame(&mut self, fill: u8, count: usize) -> Vec<Packet> {
        let frame = Bytes::from(vec![fill; 10 * count]);
        let mut packets = Vec::new();
        (self.packetizer)
            .packetize(&frame, 14, &mut |payload, marker| {
                let header = Header {
                    marker: marker && self.marker,
                    sequence_number: self.number,
                    timestamp: self.timestamp,
                    ..Header::default()
                };
                self.number = self.number.wrapping_add(1);
                packets.push(Packet::new(header, payload));
            })
            .unwrap();
        assert_eq!(packets.len(), count);
        self.timestamp = self.timestamp.wrapping_add(FRAME_CLOCK);
        packets
    }

    /// A packet of padding, as it is sent behind a frame.
    fn padding(&mut self) -> Packet {
        let header = Header {
            sequence_number: self.number,
            timestamp: self.timestamp.wrapping_sub(FRAME_CLOCK),
            ..Header::default()
        };
        self.number = self.number.wrapping_add(1);
        Packet::new(header, Bytes::new())
    }
}

fn builder() -> SampleBuilder {
    SampleBuilder::new(depacketizer("vp8").unwrap(), Config::new(90_000))
}

/// The samples after all packets: their first bytes, lengths and losses.
fn samples(builder: &mut SampleBuilder, packets: impl IntoIterator<Item = Packet>) -> Vec<Sample> {
    let mut out = Vec::new();
    for packet in packets {
        builder.push(packet);
        out.extend(std::iter::from_fn(|| builder.pop()));
    }
    out
}

fn short(samples: &[Sample]) -> Vec<(u8, usize, u16)> {
    let short = samples.iter();
    short
        .map(|sample| (sample.data[0], sample.data.len(), sample.lost_before))
        .collect()
}

#[test]
fn packets_in_any_order_become_samples_in_order() {
    let mut sender = Sender::new();
    let mut packets: Vec<_> = (0..6).flat_map(|fill| sender.frame(fill, 3)).collect();
    packets.reverse();
    packets.chunks_mut(5).for_each(<[Packet]>::reverse);
    packets.reverse();
    let mut builder = builder();
    let out = samples(&mut builder, packets);
    assert_eq!(
        short(&out),
        (0..6).map(|fill| (fill, 30, 0)).collect::<Vec<_>>()
    );
    assert_eq!(out[0].timestamp, Some(u32::MAX - FRAME_CLOCK));
    assert_eq!(out[0].duration, Duration::ZERO);
    assert_eq!(out[2].timestamp, Some(FRAME_CLOCK - 1));
    assert_eq!(out[2].duration.as_micros(), 33_333);
    assert!(out[0].keyframe && !out[1].keyframe && out[2].keyframe);
}

#[test]
fn the_first_packet_may_come_second() {
    let mut sender = Sender::new();
    let mut packets = sender.frame(0, 3);
    packets.rotate_left(1);
    assert_eq!(short(&samples(&mut builder(), packets)), [(0, 30, 0)]);
}

#[test]
fn the_frame_before_the_first_to_arrive_may_still_come() {
    let mut sender = Sender::new();
    let first = sender.frame(0, 2);
    let second = sender.frame(1, 3);
    let order = [&second[0], &second[1], &first[0], &first[1], &second[2]];
    let out = samples(&mut builder(), order.map(Packet::clone));
    assert_eq!(short(&out), [(0, 20, 0), (1, 30, 0)]);
}

// media-043
#[test]
fn a_frame_that_lacks_a_packet_is_dropped_whole_and_counted() {
    for missing in 0..3 {
        let mut sender = Sender::new();
        let mut packets = sender.frame(0, 3);
        let mut broken = sender.frame(1, 3);
        broken.remove(missing);
        packets.extend(broken);
        packets.extend((2..4).flat_map(|fill| sender.frame(fill, 3)));
        let mut builder = builder();
        let mut out = samples(&mut builder, packets);
        assert_eq!(short(&out), [(0, 30, 0)], "it is waited for");
        builder.flush();
        out.extend(std::iter::from_fn(|| builder.pop()));
        assert_eq!(short(&out), [(0, 30, 0), (2, 30, 1), (3, 30, 0)]);
        assert_eq!(out[1].duration.as_micros(), 66_666);
        let expected = Stats {
            samples: 3,
            dropped_frames: 1,
            lost_packets: 1,
            ..Stats::default()
        };
        assert_eq!(builder.stats(), expected);
    }
}

#[test]
fn a_packet_that_comes_in_time_is_no_loss() {
    let mut sender = Sender::new();
    let mut packets: Vec<_> = (0..50).flat_map(|fill| sender.frame(fill, 5)).collect();
    let late = packets.remove(7);
    packets.push(late);
    let mut builder = builder();
    let out = samples(&mut builder, packets);
    // 500 ms of the media clock are fifteen frames: the packet came far too late.
    assert_eq!(builder.stats().late_packets, 1);
    assert_eq!(out.len(), 49);
    assert_eq!(out[1].lost_before, 1);

    let mut sender = Sender::new();
    let mut packets: Vec<_> = (0..10).flat_map(|fill| sender.frame(fill, 5)).collect();
    let late = packets.remove(7);
    packets.push(late);
    let mut builder = self::builder();
    assert_eq!(samples(&mut builder, packets).len(), 10);
    assert_eq!(builder.stats().lost_packets, 0);
}

#[test]
fn a_missing_packet_is_given_up_after_a_number_of_packets() {
    let mut sender = Sender::new();
    let first = sender.frame(0, 1);
    sender.frame(1, 1);
    // One long frame goes nowhere on the media clock.
    let long = sender.frame(2, 300);
    let mut config = Config::new(90_000);
    config.max_late = 100;
    let mut builder = SampleBuilder::new(depacketizer("VP8").unwrap(), config);
    let out = samples(&mut builder, first.into_iter().chain(long));
    assert_eq!(short(&out), [(0, 10, 0), (2, 3000, 1)]);
}

#[test]
fn without_a_marker_another_timestamp_ends_the_frame() {
    let mut sender = Sender::new();
    sender.marker = false;
    let packets: Vec<_> = (0..3).flat_map(|fill| sender.frame(fill, 2)).collect();
    let mut builder = builder();
    assert_eq!(
        short(&samples(&mut builder, packets)),
        [(0, 20, 0), (1, 20, 0)]
    );
    builder.flush();
    assert_eq!(builder.pop().map(|sample| sample.data[0]), Some(2));
    assert_eq!(builder.pop(), None);
}

#[test]
fn padding_is_neither_loss_nor_sample() {
    let mut sender = Sender::new();
    let mut packets = vec![sender.padding()];
    for fill in 0..4 {
        packets.extend(sender.frame(fill, 2));
        packets.extend([sender.padding(), sender.padding()]);
    }
    let mut builder = builder();
    let out = samples(&mut builder, packets);
    assert_eq!(
        short(&out),
        (0..4).map(|fill| (fill, 20, 0)).collect::<Vec<_>>()
    );
    assert_eq!(builder.stats().lost_packets, 0);
}

#[test]
fn what_comes_twice_is_used_once() {
    let mut sender = Sender::new();
    let packets: Vec<_> = (0..4).flat_map(|fill| sender.frame(fill, 2)).collect();
    let doubled = packets
        .into_iter()
        .flat_map(|packet| [packet.clone(), packet]);
    let mut builder = builder();
    assert_eq!(samples(&mut builder, doubled).len(), 4);
    let stats = builder.stats();
    assert_eq!(stats.duplicate_packets + stats.late_packets, 8);
}

#[test]
fn every_packet_of_audio_is_a_sample_whatever_its_marker() {
    let mut builder = SampleBuilder::new(depacketizer("opus").unwrap(), Config::new(48_000));
    let mut packets: Vec<_> = (0..10_u16)
        .map(|number| {
            let header = Header {
                marker: number == 4,
                sequence_number: number.wrapping_sub(3),
                timestamp: u32::from(number) * 960,
                ..Header::default()
            };
            Packet::new(header, vec![0xFC, 0, number.to_be_bytes()[1]])
        })
        .collect();
    packets.swap(2, 3);
    packets.remove(6);
    let mut out = samples(&mut builder, packets);
    assert_eq!(out.len(), 6);
    builder.flush();
    out.extend(std::iter::from_fn(|| builder.pop()));
    let seen: Vec<_> = out
        .iter()
        .map(|sample| (sample.data[2], sample.lost_before))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 0),
            (1, 0),
            (2, 0),
            (3, 0),
            (4, 0),
            (5, 0),
            (7, 1),
            (8, 0),
            (9, 0)
        ]
    );
    assert_eq!(out[6].duration, Duration::from_millis(40));
}

#[test]
fn a_stream_that_goes_on_elsewhere_is_followed() {
    let mut sender = Sender::new();
    let mut packets: Vec<_> = (0..2).flat_map(|fill| sender.frame(fill, 2)).collect();
    sender.number = sender.number.wrapping_add(20_000);
    packets.extend((2..6).flat_map(|fill| sender.frame(fill, 2)));
    let mut builder = builder();
    let mut out = samples(&mut builder, packets);
    builder.flush();
    out.extend(std::iter::from_fn(|| builder.pop()));
    // The first packet far away is not believed, and its frame is lost with it.
    assert_eq!(
        short(&out),
        [
            (0, 20, 0),
            (1, 20, 0),
            (3, 20, 20_001),
            (4, 20, 0),
            (5, 20, 0)
        ]
    );
}

#[test]
fn one_packet_from_far_away_changes_nothing() {
    let mut sender = Sender::new();
    let mut packets: Vec<_> = (0..3).flat_map(|fill| sender.frame(fill, 2)).collect();
    let mut stray = packets[2].clone();
    stray.header.sequence_number = stray.header.sequence_number.wrapping_add(12_345);
    packets.insert(3, stray);
    let mut builder = builder();
    assert_eq!(samples(&mut builder, packets).len(), 3);
    assert_eq!(builder.stats().lost_packets, 0);
}

#[test]
fn a_frame_longer_than_all_there_is_room_for_is_dropped() {
    let mut sender = Sender::new();
    let mut packets = sender.frame(0, 1);
    packets.extend(sender.frame(1, 200));
    packets.extend((2..8).flat_map(|fill| sender.frame(fill, 2)));
    let mut config = Config::new(90_000);
    config.max_packets = 64;
    let mut builder = SampleBuilder::new(depacketizer("VP8").unwrap(), config);
    let out = samples(&mut builder, packets);
    assert_eq!(out.first().map(|sample| sample.data[0]), Some(0));
    assert_eq!(out.last().map(|sample| sample.data[0]), Some(7));
    assert!(out.iter().all(|sample| sample.data[0] != 1));
    assert!(builder.slots.len() <= 64);
}
