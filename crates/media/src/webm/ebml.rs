//! Elements (RFC 8794 §4 to §7).
//!
//! ```text
//! 1xxx xxxx                                a number of 7 bits
//! 01xx xxxx  xxxx xxxx                     a number of 14 bits
//! …
//! 0000 0001  xxxx xxxx  … (8 bytes)        a number of 56 bits
//!
//! +----+--------+---------+
//! | id | length | content |   all ones in the length: not known
//! +----+--------+---------+
//! ```

use super::id;
use crate::Error;
use crate::input::Input;
use bytes::{Buf, Bytes};
use std::io::Read;

/// A length of eight bytes that says it is not known.
pub(super) const UNKNOWN_LEN: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// The start of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: u32,
    /// `None` if it is not known.
    pub(super) len: Option<u64>,
}

impl Head {
    /// Reads the start of the next element from a file; `None` at its end.
    pub(super) fn read(input: &mut Input<impl Read>) -> Result<Option<Self>, Error> {
        let Some([first]) = input.array_or_end()? else {
            return Ok(None);
        };
        let mut bytes = [0; 12];
        bytes[0] = first;
        let id_len = number_len(first)
            .filter(|&len| len <= 4)
            .ok_or_else(|| input.malformed("an id of more than four bytes"))?;
        for byte in &mut bytes[1..id_len] {
            [*byte] = input.array()?;
        }
        [bytes[id_len]] = input.array()?;
        let len_len = number_len(bytes[id_len])
            .ok_or_else(|| input.malformed("a length of more than eight bytes"))?;
        for byte in &mut bytes[id_len + 1..id_len + len_len] {
            [*byte] = input.array()?;
        }
        let mut bytes = &bytes[..id_len + len_len];
        Ok(Self::parse(&mut bytes))
    }

    /// Takes the start of an element from the front of `bytes`.
    pub(super) fn parse(bytes: &mut &[u8]) -> Option<Self> {
        let id_len = number_len(*bytes.first()?).filter(|&len| len <= 4)?;
        let id = big_endian(bytes.get(..id_len)?);
        *bytes = &bytes[id_len..];
        let len_len = number_len(*bytes.first()?)?;
        let len = number(bytes)?;
        let unknown = len == (1 << (7 * len_len)) - 1;
        Some(Self {
            id: u32::try_from(id).ok()?,
            len: (!unknown).then_some(len),
        })
    }
}

/// The elements in the content of another; ends at the first that is broken.
pub(super) fn children(mut content: Bytes) -> impl Iterator<Item = (u32, Bytes)> {
    std::iter::from_fn(move || {
        let mut rest = &content[..];
        let head = Head::parse(&mut rest)?;
        let start = content.len() - rest.len();
        let len = usize::try_from(head.len?).ok()?;
        if len > rest.len() {
            return None;
        }
        content.advance(start);
        Some((head.id, content.split_to(len)))
    })
}

/// How many bytes a number takes, from its first one; `None` for more than eight.
fn number_len(first: u8) -> Option<usize> {
    (first != 0).then(|| first.leading_zeros() as usize + 1)
}

/// Takes a number without its marker from the front of `bytes`.
pub(super) fn number(bytes: &mut &[u8]) -> Option<u64> {
    let len = number_len(*bytes.first()?)?;
    let value = big_endian(bytes.get(..len)?) & ((1 << (7 * len)) - 1);
    *bytes = &bytes[len..];
    Some(value)
}

/// Takes a number that may be negative: half of the range lies below zero (RFC 9559 §10.3.3).
pub(super) fn signed_number(bytes: &mut &[u8]) -> Option<i64> {
    let len = number_len(*bytes.first()?)?;
    let value = number(bytes)?.cast_signed();
    Some(value - ((1 << (7 * len - 1)) - 1))
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The content of an unsigned integer (RFC 8794 §7.2); one of more than eight bytes is not one.
pub(super) fn unsigned(content: &[u8]) -> u64 {
    if content.len() > 8 {
        return 0;
    }
    big_endian(content)
}

/// The content of a float (RFC 8794 §7.3).
pub(super) fn float(content: &[u8]) -> f64 {
    match *content {
        [a, b, c, d] => f64::from(f32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0.0,
    }
}

/// Puts elements one after the other.
#[derive(Debug, Default)]
pub(super) struct Elements(pub(super) Vec<u8>);

impl Elements {
    fn id(&mut self, id: u32) -> &mut Self {
        let bytes = id.to_be_bytes();
        let skipped = id.leading_zeros() as usize / 8;
        self.0.extend_from_slice(&bytes[skipped..]);
        self
    }

    /// The shortest form of a length.
    fn len(&mut self, len: usize) -> &mut Self {
        let len = len as u64;
        // All ones mean something else, hence one less.
        let count = (1..8_u32).find(|&count| len < (1 << (7 * count)) - 1);
        let count = count.unwrap_or(8);
        let bytes = (len | 1 << (7 * count)).to_be_bytes();
        self.0.extend_from_slice(&bytes[8 - count as usize..]);
        self
    }

    /// The start of an element whose content is written by itself.
    pub(super) fn head(&mut self, id: u32, len: usize) -> &mut Self {
        self.id(id).len(len)
    }

    /// An element of bytes or of other elements.
    pub(super) fn binary(&mut self, id: u32, content: &[u8]) -> &mut Self {
        self.id(id).len(content.len());
        self.0.extend_from_slice(content);
        self
    }

    /// An unsigned integer in as few bytes as it needs.
    pub(super) fn unsigned(&mut self, id: u32, value: u64) -> &mut Self {
        let skipped = (value.leading_zeros() as usize / 8).min(7);
        self.binary(id, &value.to_be_bytes()[skipped..])
    }

    pub(super) fn float(&mut self, id: u32, value: f64) -> &mut Self {
        self.binary(id, &value.to_be_bytes())
    }

    /// An element of nothing, `len` bytes in all, in whose place another can be put later.
    pub(super) fn void(&mut self, len: usize) -> &mut Self {
        self.binary(id::VOID, &[0; 64][..len.saturating_sub(2).min(64)])
    }

    /// A SeekHead of one entry, 26 bytes whatever the position (RFC 9559 §5.1.1).
    pub(super) fn seek_head(&mut self, target: u32, position: u64) -> &mut Self {
        let mut seek = Self::default();
        seek.binary(id::SEEK_ID, &target.to_be_bytes())
            .binary(id::SEEK_POSITION, &position.to_be_bytes());
        let mut entry = Self::default();
        entry.binary(id::SEEK, &seek.0);
        self.binary(id::SEEK_HEAD, &entry.0)
    }

    /// An element whose content is to follow, of a length that is not known now.
    pub(super) fn open(&mut self, id: u32) -> &mut Self {
        self.id(id).0.extend_from_slice(&UNKNOWN_LEN);
        self
    }
}

/// The length of an element whose content took `len` bytes, in the form of eight bytes that
/// [`Elements::open`] left room for.
pub(super) fn known_len(len: u64) -> [u8; 8] {
    (len.min((1 << 56) - 2) | 1 << 56).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_table() {
        // RFC 8794 table 3: the number 2 in one to four bytes.
        for bytes in [&[0x82][..], &[0x40, 2], &[0x20, 0, 2], &[0x10, 0, 0, 2]] {
            let mut rest = bytes;
            assert_eq!((number(&mut rest), rest), (Some(2), &[][..]));
        }
        assert_eq!(number(&mut &[0_u8, 1][..]), None);
        assert_eq!(number(&mut &[0x40_u8][..]), None);
        assert_eq!(signed_number(&mut &[0x80_u8][..]), Some(-63));
        assert_eq!(signed_number(&mut &[0xBF_u8][..]), Some(0));
    }

    #[test]
    fn what_is_written_is_read() {
        let long = vec![7; 127];
        let mut elements = Elements::default();
        elements
            .unsigned(id::TRACK_NUMBER, 300)
            .binary(id::CODEC_PRIVATE, &long)
            .void(11)
            .float(id::DURATION, 1.5)
            .unsigned(id::TRACKS, 0);
        let read: Vec<_> = children(elements.0.into()).collect();
        assert_eq!(read[0], (id::TRACK_NUMBER, Bytes::from_static(&[1, 44])));
        assert_eq!(read[1], (id::CODEC_PRIVATE, long.into()));
        assert_eq!(read[2], (id::VOID, Bytes::from_static(&[0; 9])));
        assert_eq!((read[3].0, float(&read[3].1)), (id::DURATION, 1.5));
        assert_eq!((read[4].0, unsigned(&read[4].1)), (id::TRACKS, 0));
        assert_eq!(read.len(), 5);
    }

    #[test]
    fn a_length_that_is_not_known_is_told_from_a_large_one() {
        let mut elements = Elements::default();
        elements.open(id::SEGMENT);
        let head = Head::read(&mut Input::new(&elements.0[..])).unwrap();
        let (id, len) = (id::SEGMENT, None);
        assert_eq!(head, Some(Head { id, len }));
        let mut bytes = elements.0[..4].to_vec();
        bytes.extend(known_len(5));
        let len = Some(5);
        assert_eq!(Head::parse(&mut &bytes[..]), Some(Head { id, len }));
    }
}
