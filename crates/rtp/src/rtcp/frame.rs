//! The first word of every RTCP packet (RFC 3550 §6.4.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  count  |      PT       |             length            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::Body;
use crate::{DecodeError, EncodeError};

/// The first word, in bytes.
pub(super) const HEADER_LEN: usize = 4;

/// One packet of a compound, cut out but not read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) packet_type: u8,
    /// A count, a subtype or a feedback message type.
    pub(super) count: u8,
    pub(super) padded: bool,
    /// What follows the first word, without padding.
    pub(super) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Cuts the first packet out of a datagram; what follows it is the second value.
    pub(super) fn split(datagram: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        let (&[first, packet_type, l0, l1], after) =
            datagram.split_first_chunk().ok_or(DecodeError::Truncated)?;
        if first >> 6 != 2 {
            return Err(DecodeError::Version);
        }
        let len = 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let (body, rest) = after.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        let padded = first & 0x20 != 0;
        let frame = Self {
            packet_type,
            count: first & 0x1F,
            padded,
            body: if padded { without_padding(body)? } else { body },
        };
        Ok((frame, rest))
    }
}

/// §6.4.1: the last byte counts the padding, itself included; a multiple of four.
fn without_padding(body: &[u8]) -> Result<&[u8], DecodeError> {
    let &padding = body.last().ok_or(DecodeError::Length)?;
    if padding == 0 || padding % 4 != 0 {
        return Err(DecodeError::Length);
    }
    let len = body.len().checked_sub(usize::from(padding));
    Ok(&body[..len.ok_or(DecodeError::Length)?])
}

/// Writes the first word and the body, and returns their length.
pub(super) fn write(body: &dyn Body, out: &mut [u8]) -> Result<usize, EncodeError> {
    let len = HEADER_LEN + body.len();
    let out = out.get_mut(..len).ok_or(EncodeError::TooSmall)?;
    let words = u16::try_from(body.len() / 4).map_err(|_| EncodeError::Value)?;
    let count = u8::try_from(body.count()).map_err(|_| EncodeError::Value)?;
    if count > 0x1F {
        return Err(EncodeError::Value);
    }
    let [l0, l1] = words.to_be_bytes();
    out[..HEADER_LEN].copy_from_slice(&[0x80 | count, body.packet_type(), l0, l1]);
    body.write(&mut out[HEADER_LEN..])?;
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_cut_off_and_counted() {
        let (frame, rest) = Frame::split(&[0xA0, 203, 0, 1, 4, 4, 4, 4, 9]).unwrap();
        assert!(frame.padded);
        assert!(frame.body.is_empty());
        assert_eq!(rest, [9]);
    }

    // rtcp-001
    #[test]
    fn wrong_versions_lengths_and_paddings_are_refused() {
        for (packet, why) in [
            (&[0x80, 203, 0][..], DecodeError::Truncated),
            (&[0x40, 203, 0, 0], DecodeError::Version),
            (&[0x80, 203, 0, 1, 1, 2, 3], DecodeError::Truncated),
            (&[0xA0, 203, 0, 0], DecodeError::Length),
            (&[0xA0, 203, 0, 1, 0, 0, 0, 0], DecodeError::Length),
            (&[0xA0, 203, 0, 1, 0, 0, 0, 3], DecodeError::Length),
            (&[0xA0, 203, 0, 1, 0, 0, 0, 8], DecodeError::Length),
        ] {
            assert_eq!(Frame::split(packet).unwrap_err(), why, "{packet:?}");
        }
    }
}
