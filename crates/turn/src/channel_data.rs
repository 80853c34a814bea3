//! The ChannelData message (RFC 8656 §12.4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Channel Number        |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! /                       Application Data                        /
//! /                                                               /
//! |                                                               |
//! |                               +-------------------------------+
//! |                               |
//! +-------------------------------+
//! ```

use crate::Transport;
use std::ops::{Range, RangeInclusive};

/// Number and length.
pub(crate) const HEADER_LEN: usize = 4;

/// The numbers that may be bound (RFC 8656 §12).
pub(crate) const NUMBERS: RangeInclusive<u16> = 0x4000..=0x4FFF;

/// Those of before (RFC 5766 §11).
pub(crate) const OLD_NUMBERS: RangeInclusive<u16> = 0x4000..=0x7FFE;

/// Whether bytes are ChannelData rather than STUN: the first two bits are 01 (RFC 8656 §12.5).
pub(crate) fn is_channel_data(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first >> 6 == 1)
}

/// The channel, and where the data lies. Padding may follow it, over UDP too (RFC 8656 §12.5). A
/// number beyond [`NUMBERS`] is nobody's channel.
pub(crate) fn parse(bytes: &[u8]) -> Option<(u16, Range<usize>)> {
    let (&[n0, n1, l0, l1], data) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let number = u16::from_be_bytes([n0, n1]);
    let whole = is_channel_data(bytes) && length <= data.len();
    whole.then_some((number, HEADER_LEN..HEADER_LEN + length))
}

/// Writes the header before `payload` and on a stream the padding behind it; `None` if the buffer
/// has no room for them.
pub(crate) fn wrap(
    number: u16,
    transport: Transport,
    buf: &mut [u8],
    payload: Range<usize>,
) -> Option<Range<usize>> {
    let length = u16::try_from(payload.len()).ok()?;
    let start = payload.start.checked_sub(HEADER_LEN)?;
    let end = match transport {
        Transport::Datagram => payload.end,
        // turn-017
        Transport::Stream => payload.end + padding(payload.len()),
    };
    buf.get_mut(payload.end..end)?.fill(0);
    let header = buf.get_mut(start..payload.start)?;
    header[..2].copy_from_slice(&number.to_be_bytes());
    header[2..].copy_from_slice(&length.to_be_bytes());
    Some(start..end)
}

/// How many bytes make a multiple of four.
pub(crate) fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

#[cfg(test)]
mod tests {
    use super::*;

    // turn-017
    #[test]
    fn data_is_padded_on_a_stream_and_not_in_a_datagram() {
        let mut buf = *b"....hello...";
        assert_eq!(
            wrap(0x4001, Transport::Datagram, &mut buf, 4..9),
            Some(0..9)
        );
        assert_eq!(&buf, b"\x40\x01\x00\x05hello...");
        assert_eq!(wrap(0x4001, Transport::Stream, &mut buf, 4..9), Some(0..12));
        assert_eq!(&buf, b"\x40\x01\x00\x05hello\0\0\0");
        assert_eq!(parse(&buf), Some((0x4001, 4..9)));
        assert_eq!(parse(&buf[..9]), Some((0x4001, 4..9)));
        assert_eq!(parse(&buf[..8]), None);
    }

    #[test]
    fn a_buffer_without_room_is_left_alone() {
        let mut buf = *b"...hello..";
        assert_eq!(wrap(0x4001, Transport::Datagram, &mut buf, 3..8), None);
        assert_eq!(wrap(0x4001, Transport::Stream, &mut buf, 5..10), None);
        assert_eq!(&buf, b"...hello..");
    }

    #[test]
    fn other_messages_are_not_channel_data() {
        assert_eq!(parse(&[0x3F, 0xFF, 0, 0]), None);
        assert_eq!(parse(&[0x80, 0x00, 0, 0]), None);
        assert_eq!(parse(&[0x4F, 0xFF, 0, 0]), Some((0x4FFF, 4..4)));
    }
}
