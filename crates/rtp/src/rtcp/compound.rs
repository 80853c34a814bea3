//! Datagrams of several RTCP packets (RFC 3550 §6.1, RFC 5506).

use super::Packet;
use super::frame::Frame;
use crate::{DecodeError, EncodeError};

/// The packets of a datagram, in order.
///
/// A packet that cannot be read is an error and the next one follows; when not even its length is
/// known, the error is the last item. Types that are not spoken here come as
/// [`Packet::Unknown`] (RFC 3550 §6.1).
pub fn packets(datagram: &[u8]) -> impl Iterator<Item = Result<Packet, DecodeError>> {
    frames(datagram).map(|frame| frame.and_then(Packet::parse_frame))
}

fn frames(datagram: &[u8]) -> impl Iterator<Item = Result<Frame<'_>, DecodeError>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = Frame::split(rest);
        rest = split.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(split.map(|(frame, _)| frame))
    })
}

/// Checks the frame of a compound: every packet has version 2, lengths add up to the datagram's,
/// only the last packet is padded, and the first is a sender or receiver report
/// (RFC 3550 §6.1, A.2).
///
/// # Errors
///
/// [`DecodeError::Value`] if the first packet is not a report, otherwise what is wrong with a
/// length, a version or padding.
pub fn check_compound(datagram: &[u8]) -> Result<(), DecodeError> {
    check_reduced_size(datagram)?;
    match datagram {
        [
            _,
            super::sender_report::TYPE | super::receiver_report::TYPE,
            ..,
        ] => Ok(()),
        _ => Err(DecodeError::Value),
    }
}

/// Checks the frame of reduced-size RTCP: as [`check_compound`], except that any packet may come
/// first (RFC 5506 §4.1). Only to be accepted where `a=rtcp-rsize` is negotiated.
///
/// # Errors
///
/// A [`DecodeError`] saying what is wrong with a length, a version or padding.
pub fn check_reduced_size(datagram: &[u8]) -> Result<(), DecodeError> {
    if datagram.is_empty() {
        return Err(DecodeError::Truncated);
    }
    let mut padded = false;
    for frame in frames(datagram) {
        // A.2: padding is only on the last packet.
        if padded {
            return Err(DecodeError::Length);
        }
        padded = frame?.padded;
    }
    Ok(())
}

/// Writes packets one after the other and returns their length together. The order is the
/// caller's: a report first, SDES with a CNAME, BYE last (RFC 3550 §6.1).
///
/// # Errors
///
/// As [`Packet::write`]; the content of `out` is unspecified then.
pub fn write_compound<'a>(
    packets: impl IntoIterator<Item = &'a Packet>,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let mut len = 0;
    for packet in packets {
        len += packet.write(&mut out[len..])?;
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{PictureLossIndication, ReceiverReport, SourceDescription};

    /// Sent by libwebrtc at the end of a call: RR, SDES, REMB and BYE.
    const LIBWEBRTC: &str = "80c90001f268be87 \
        81ca0006f268be87011064396e39383432524b5259587434496100008 \
        fce0005f268be870000000052454d42010633e472bf4c2d \
        81cb0001f268be87";

    fn read(datagram: &[u8]) -> Vec<Result<Packet, DecodeError>> {
        packets(datagram).collect()
    }

    // rtcp-002, rtcp-003
    #[test]
    fn a_captured_compound_comes_back() {
        let datagram = crate::hex::decode(LIBWEBRTC);
        assert_eq!(check_compound(&datagram), Ok(()));
        let packets: Vec<Packet> = read(&datagram).into_iter().map(Result::unwrap).collect();
        assert!(matches!(
            packets[..],
            [
                Packet::ReceiverReport(_),
                Packet::SourceDescription(_),
                Packet::ReceiverEstimatedMaxBitrate(_),
                Packet::Goodbye(_),
            ]
        ));
        let mut out = [0; 256];
        let len = write_compound(&packets, &mut out).unwrap();
        assert_eq!(out[..len], datagram);
    }

    #[test]
    fn after_a_packet_that_cannot_be_read_the_next_one_follows() {
        // A NACK without its second SSRC, then a PLI.
        let datagram = [
            0x81, 205, 0, 1, 0, 0, 0, 1, 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
        ];
        let read = read(&datagram);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0], Err(DecodeError::Truncated));
        assert!(matches!(read[1], Ok(Packet::PictureLossIndication(_))));
    }

    #[test]
    fn a_broken_frame_ends_the_datagram() {
        let datagram = [0x81, 206, 0, 9, 0, 0, 0, 1, 0x81, 203, 0, 0];
        assert_eq!(read(&datagram), [Err(DecodeError::Truncated)]);
        assert!(read(&[]).is_empty());
    }

    // rtcp-004
    #[test]
    fn only_reduced_size_may_begin_with_feedback() {
        let pli = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(check_compound(&pli), Err(DecodeError::Value));
        assert_eq!(check_reduced_size(&pli), Ok(()));
        assert_eq!(check_reduced_size(&[]), Err(DecodeError::Truncated));
    }

    // rtcp-001
    #[test]
    fn only_the_last_packet_may_be_padded() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        let padded = [0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
        assert_eq!(check_compound(&[&report[..], &padded].concat()), Ok(()));
        let first = [&padded[..], &report].concat();
        assert_eq!(check_compound(&first), Err(DecodeError::Length));
    }

    // rtcp-003
    #[test]
    fn lengths_must_add_up() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 203, 0];
        assert_eq!(check_compound(&report), Err(DecodeError::Truncated));
    }

    // rtp-026, rtcp-005
    #[test]
    fn a_compound_says_which_streams_it_is_about() {
        let packets: [Packet; 3] = [
            ReceiverReport::default().into(),
            SourceDescription::cname(5, "name").into(),
            PictureLossIndication {
                sender_ssrc: 6,
                media_ssrc: 7,
            }
            .into(),
        ];
        let about: Vec<u32> = packets.iter().flat_map(Packet::destination_ssrcs).collect();
        assert_eq!(about, [5, 7]);
        assert_eq!(packets[2].sender_ssrc(), Some(6));
        assert_eq!(packets[1].sender_ssrc(), None);
    }

    #[test]
    fn a_short_buffer_is_no_panic() {
        let packets = [Packet::from(ReceiverReport::default())];
        for len in 0..8 {
            let written = write_compound(&packets, &mut [0; 8][..len]);
            assert_eq!(written, Err(EncodeError::TooSmall));
        }
    }
}
