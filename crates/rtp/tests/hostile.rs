//! Bytes nobody meant well with: never a panic, and never more memory than they are worth.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use bytes::Bytes;
use muonrtc_rtp::extension::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, ColorSpace, CsrcAudioLevel,
    DependencyDescriptor, Extension, Mid, NtpTime, PlayoutDelay, RepairedRtpStreamId, RtpStreamId,
    TransmissionOffset, TransportSequenceNumber, TransportSequenceNumber2, VideoContentType,
    VideoLayersAllocation, VideoOrientation, VideoTiming,
};
use muonrtc_rtp::rtcp::{self, check_compound, check_reduced_size, packets};
use muonrtc_rtp::{DecodeError, Header, Packet, is_rtcp};
use proptest::collection::vec;
use proptest::prelude::*;

/// Asks everything that can be asked.
fn interrogate(bytes: &[u8]) {
    let _ = (
        is_rtcp(bytes),
        check_compound(bytes),
        check_reduced_size(bytes),
    );
    for packet in packets(bytes).flatten() {
        let _ = packet.sender_ssrc();
        assert!(packet.destination_ssrcs().len() <= bytes.len());
        let mut out = vec![0; packet.encoded_len()];
        assert_eq!(packet.write(&mut out), Ok(out.len()), "{packet:?}");
    }
    if let Ok(packet) = Packet::parse(&Bytes::copy_from_slice(bytes)) {
        let mut out = vec![0; packet.encoded_len()];
        assert_eq!(packet.write(&mut out), Ok(out.len()), "{packet:?}");
        assert_eq!(Packet::parse(&out.into()), Ok(packet));
    }
    value(bytes);
}

fn value(bytes: &[u8]) {
    let _ = Mid::parse(bytes);
    let _ = RtpStreamId::parse(bytes);
    let _ = RepairedRtpStreamId::parse(bytes);
    let _ = AudioLevel::parse(bytes);
    let _ = CsrcAudioLevel::parse(bytes);
    let _ = AbsoluteSendTime::parse(bytes);
    let _ = AbsoluteCaptureTime::parse(bytes);
    let _ = NtpTime::parse(bytes);
    let _ = TransmissionOffset::parse(bytes);
    let _ = TransportSequenceNumber::parse(bytes);
    let _ = TransportSequenceNumber2::parse(bytes);
    let _ = PlayoutDelay::parse(bytes);
    let _ = VideoOrientation::parse(bytes);
    let _ = VideoContentType::parse(bytes);
    let _ = VideoLayersAllocation::parse(bytes);
    let _ = VideoTiming::parse(bytes);
    let _ = ColorSpace::parse(bytes);
    if let Ok(descriptor) = DependencyDescriptor::parse(bytes, None) {
        let written = descriptor.write(None).unwrap();
        assert_eq!(DependencyDescriptor::parse(&written, None), Ok(descriptor));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        interrogate(&bytes);
    }

    #[test]
    fn any_content_behind_a_right_header_is_read_or_refused(
        count in 0_u8..32,
        padded: bool,
        packet_type in 200_u8..=208,
        body in vec(any::<[u8; 4]>(), 0..50),
    ) {
        let words = u16::try_from(body.len()).unwrap().to_be_bytes();
        let first = 0x80 | u8::from(padded) << 5 | count;
        let mut bytes = vec![first, packet_type, words[0], words[1]];
        bytes.extend(body.concat());
        interrogate(&bytes);
    }

    #[test]
    fn any_header_extensions_are_read_or_refused(
        sources in 0_u8..16,
        padded: bool,
        profile in prop_oneof![Just(0xBEDE_u16), 0x1000_u16..0x1010, any::<u16>()],
        words in 0_u16..20,
        rest in vec(any::<u8>(), 0..120),
    ) {
        let first = 0x90 | u8::from(padded) << 5 | sources;
        let mut bytes = vec![first, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.resize(12 + 4 * usize::from(sources), 7);
        bytes.extend(profile.to_be_bytes());
        bytes.extend(words.to_be_bytes());
        bytes.extend(rest);
        interrogate(&bytes);
    }
}

// rtp-001
#[test]
fn a_field_beyond_the_packet_is_refused() {
    let whole = [
        0xB1, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, // header with one source, block and padding
        0, 0, 0, 4, // the source
        0xBE, 0xDE, 0, 1, 0x10, 0xFF, 0, 0, // the block
        9, 0, 0, 3, // payload and padding
    ];
    let (header, payload) = Header::parse(&whole).unwrap();
    assert_eq!(header.csrc[..], [4]);
    assert_eq!(header.extensions.get(1), Some(&[0xFF][..]));
    assert_eq!(whole[payload], [9]);
    for len in 0..24 {
        assert!(Header::parse(&whole[..len]).is_err(), "{len}");
    }
    let mut wrong = whole;
    wrong[27] = 5;
    assert_eq!(Header::parse(&wrong).unwrap_err(), DecodeError::Length);
    wrong[27] = 0;
    assert_eq!(Header::parse(&wrong).unwrap_err(), DecodeError::Length);
    wrong = whole;
    wrong[0] = 0x71;
    assert_eq!(Header::parse(&wrong).unwrap_err(), DecodeError::Version);
}

#[test]
fn a_packet_of_padding_alone_has_no_payload() {
    let mut packet = vec![0xA0, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.resize(12 + 255, 0);
    *packet.last_mut().unwrap() = 255;
    let (_, payload) = Header::parse(&packet).unwrap();
    assert!(payload.is_empty());
}

#[test]
fn thousands_of_header_extensions_cost_no_more_than_their_bytes() {
    // One element for every two bytes, all with the same id.
    let words = 16_000_u16;
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xBE, 0xDE];
    packet.extend(words.to_be_bytes());
    packet.extend([0x10, 7].repeat(2 * usize::from(words)));
    let (header, _) = Header::parse(&packet).unwrap();
    assert_eq!(header.extensions.iter().count(), 32_000);
    assert_eq!(header.encoded_len(), packet.len());
}

#[test]
fn the_largest_counts_in_small_packets_are_refused() {
    for (packet_type, format) in [(205, 11), (205, 15), (206, 15), (202, 31), (201, 31)] {
        let mut packet = vec![0x80 | format, packet_type, 0, 6];
        packet.resize(28, 0xFF);
        let _ = rtcp::Packet::parse(&packet);
        packet[12..16].copy_from_slice(b"REMB");
        let _ = rtcp::Packet::parse(&packet);
    }
}
