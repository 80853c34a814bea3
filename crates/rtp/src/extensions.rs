use crate::extension::Extension;
use crate::{DecodeError, EncodeError};
use smallvec::SmallVec;
use std::fmt;

/// Bytes of elements that a packet holds without allocating: enough for mid, rid, audio level,
/// absolute send time, transport sequence number and a short dependency descriptor together.
const INLINE: usize = 64;

/// The `defined by profile` word of the one-byte form (RFC 8285 §4.2).
const ONE_BYTE: u16 = 0xBEDE;

/// The `defined by profile` word of the two-byte form; the low 4 bits are `appbits` (§4.3).
const TWO_BYTE: u16 = 0x1000;

/// The header extensions of a packet: elements by their negotiated id (RFC 8285).
///
/// [`write`](Self::write) chooses the form: one-byte if every element fits it, two-byte otherwise.
/// A block of another profile (RFC 3550 §5.3.1) is not kept.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |       0xBE    |    0xDE       |           length              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | L=len-1 |  data ...
/// ```
#[derive(Default, PartialEq, Eq)]
pub struct Extensions {
    /// Elements one after the other: id, length, data.
    elements: SmallVec<[u8; INLINE]>,
}

impl Extensions {
    /// The value of the first element with this id.
    #[must_use]
    pub fn get(&self, id: u8) -> Option<&[u8]> {
        self.iter()
            .find(|(own, _)| *own == id)
            .map(|(_, data)| data)
    }

    /// The value of the first element with this id, read; `None` also if it cannot be read.
    #[must_use]
    pub fn typed<'a, E: Extension<'a>>(&'a self, id: u8) -> Option<E> {
        self.get(id).and_then(|value| E::parse(value).ok())
    }

    /// As [`set`](Self::set), of a typed extension.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] if the id is 0, or a field of the extension does not fit.
    pub fn set_typed<'a>(
        &mut self,
        id: u8,
        extension: &impl Extension<'a>,
    ) -> Result<(), EncodeError> {
        self.set(id, &extension.write()?)
    }

    /// Sets an element in the place of one with the same id, or at the end.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Value`] if the id is 0, or the data has more than 255 bytes.
    pub fn set(&mut self, id: u8, data: &[u8]) -> Result<(), EncodeError> {
        let len = u8::try_from(data.len()).map_err(|_| EncodeError::Value)?;
        if id == 0 {
            return Err(EncodeError::Value);
        }
        match self.find(id) {
            Some((at, old)) if old == data.len() => {
                self.elements[at + 2..at + 2 + old].copy_from_slice(data);
            }
            found => {
                if let Some((at, old)) = found {
                    self.elements.drain(at..at + 2 + old);
                }
                self.elements.extend_from_slice(&[id, len]);
                self.elements.extend_from_slice(data);
            }
        }
        Ok(())
    }

    /// Removes the element with this id; whether there was one.
    pub fn remove(&mut self, id: u8) -> bool {
        let Some((at, len)) = self.find(id) else {
            return false;
        };
        self.elements.drain(at..at + 2 + len);
        true
    }

    /// Gives every element the id that `map` says, and drops those without one.
    pub fn remap(&mut self, mut map: impl FnMut(u8) -> Option<u8>) {
        let mut at = 0;
        while at < self.elements.len() {
            let len = usize::from(self.elements[at + 1]);
            match map(self.elements[at]) {
                Some(id) if id != 0 => {
                    self.elements[at] = id;
                    at += 2 + len;
                }
                _ => {
                    self.elements.drain(at..at + 2 + len);
                }
            }
        }
    }

    /// The elements in the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = &self.elements[..];
        std::iter::from_fn(move || {
            let (&id, after) = rest.split_first()?;
            let (&len, after) = after.split_first()?;
            let (data, after) = after.split_at(usize::from(len));
            rest = after;
            Some((id, data))
        })
    }

    /// Whether there are no elements, and so no block in the packet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        self.elements.clear();
    }

    /// The length of the block on the wire, with its header of 4 bytes and its padding; 0 without
    /// elements.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        4 + self.elements_len().next_multiple_of(4)
    }

    /// Writes the block and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooSmall`] if `out` is short, [`EncodeError::Value`] if the block is longer
    /// than its length field can say.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let len = self.encoded_len();
        let out = out.get_mut(..len).ok_or(EncodeError::TooSmall)?;
        if len == 0 {
            return Ok(0);
        }
        let one_byte = self.fits_one_byte();
        let profile = if one_byte { ONE_BYTE } else { TWO_BYTE };
        let words = u16::try_from(len / 4 - 1).map_err(|_| EncodeError::Value)?;
        out[..2].copy_from_slice(&profile.to_be_bytes());
        out[2..4].copy_from_slice(&words.to_be_bytes());
        let mut at = 4;
        for (id, data) in self.iter() {
            let len = u8::try_from(data.len()).map_err(|_| EncodeError::Value)?;
            if one_byte {
                out[at] = id << 4 | (len - 1);
                at += 1;
            } else {
                out[at..at + 2].copy_from_slice(&[id, len]);
                at += 2;
            }
            out[at..at + data.len()].copy_from_slice(data);
            at += data.len();
        }
        out[at..].fill(0);
        Ok(len)
    }

    /// Reads the content of a block: what follows the word with profile and length.
    pub(crate) fn parse(profile: u16, block: &[u8]) -> Result<Self, DecodeError> {
        match profile {
            ONE_BYTE => Self::parse_one_byte(block),
            profile if profile & 0xFFF0 == TWO_BYTE => Self::parse_two_byte(block),
            _ => Ok(Self::default()),
        }
    }

    fn parse_one_byte(mut block: &[u8]) -> Result<Self, DecodeError> {
        let mut extensions = Self::default();
        while let Some((&first, rest)) = block.split_first() {
            let (id, len) = (first >> 4, usize::from(first & 0x0F) + 1);
            match id {
                // §4.1.2: a padding byte; its length bits are zero too, or it is ignored all the same.
                0 => block = rest,
                // §4.2: everything from here on is ignored.
                15 => break,
                _ => {
                    let data = rest.get(..len).ok_or(DecodeError::Truncated)?;
                    extensions.push(id, data);
                    block = &rest[len..];
                }
            }
        }
        Ok(extensions)
    }

    fn parse_two_byte(mut block: &[u8]) -> Result<Self, DecodeError> {
        let mut extensions = Self::default();
        while let Some((&id, rest)) = block.split_first() {
            if id == 0 {
                block = rest;
                continue;
            }
            let (&len, rest) = rest.split_first().ok_or(DecodeError::Truncated)?;
            let data = rest.get(..usize::from(len)).ok_or(DecodeError::Truncated)?;
            extensions.push(id, data);
            block = &rest[data.len()..];
        }
        Ok(extensions)
    }

    fn push(&mut self, id: u8, data: &[u8]) {
        // A length from the wire has 8 bits at most.
        let len = u8::try_from(data.len()).unwrap_or(u8::MAX);
        self.elements.extend_from_slice(&[id, len]);
        self.elements.extend_from_slice(data);
    }

    /// Where the element stands, and the length of its data.
    fn find(&self, id: u8) -> Option<(usize, usize)> {
        let mut at = 0;
        while at < self.elements.len() {
            let len = usize::from(self.elements[at + 1]);
            if self.elements[at] == id {
                return Some((at, len));
            }
            at += 2 + len;
        }
        None
    }

    /// Whether every element fits the one-byte form: its id is at most 14, its value 1 to 16 bytes
    /// long. Otherwise all are written in the two-byte form, which a stream may mix with the other
    /// only where `a=extmap-allow-mixed` is negotiated (§4.1.2).
    #[must_use]
    pub fn fits_one_byte(&self) -> bool {
        self.iter()
            .all(|(id, data)| id <= 14 && (1..=16).contains(&data.len()))
    }

    fn elements_len(&self) -> usize {
        let headers = if self.fits_one_byte() { 1 } else { 2 };
        self.iter().map(|(_, data)| headers + data.len()).sum()
    }
}

impl Clone for Extensions {
    /// A copy of the bytes at once; the derived one would go element by element.
    fn clone(&self) -> Self {
        Self {
            elements: SmallVec::from_slice(&self.elements),
        }
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::{AudioLevel, Mid};

    fn with(elements: &[(u8, &[u8])]) -> Extensions {
        let mut extensions = Extensions::default();
        for (id, data) in elements {
            extensions.set(*id, data).unwrap();
        }
        extensions
    }

    fn written(extensions: &Extensions) -> Vec<u8> {
        let mut out = vec![0xFF; extensions.encoded_len()];
        assert_eq!(extensions.write(&mut out), Ok(out.len()));
        out
    }

    fn parse(block: &[u8]) -> Result<Extensions, DecodeError> {
        let profile = u16::from_be_bytes([block[0], block[1]]);
        Extensions::parse(profile, &block[4..])
    }

    // rtp-013, rtp-015
    #[test]
    fn a_captured_block_comes_back() {
        // From Chromium: mid in element 4, absolute send time in element 2.
        let block = [0xBE, 0xDE, 0, 2, 0x40, 0x31, 0x22, 0xCB, 0x24, 0x13, 0, 0];
        let extensions = parse(&block).unwrap();
        assert_eq!(extensions.typed::<Mid<'_>>(4), Some(Mid("1")));
        assert_eq!(extensions.typed::<AudioLevel>(1), None);
        assert_eq!(written(&extensions), block);
    }

    // rtp-016, rtp-017
    #[test]
    fn two_bytes_are_taken_only_where_one_does_not_fit() {
        let long = [7; 17];
        for (elements, profile) in [
            (&[(14, &long[..16])][..], 0xBEDE_u16),
            (&[(15, &long[..1])], 0x1000),
            (&[(1, &[])], 0x1000),
            (&[(1, &long)], 0x1000),
            (&[(1, &long[..1]), (255, &long)], 0x1000),
        ] {
            let extensions = with(elements);
            assert_eq!(extensions.fits_one_byte(), profile == ONE_BYTE);
            let block = written(&extensions);
            assert_eq!(block[..2], profile.to_be_bytes());
            assert_eq!(parse(&block), Ok(extensions));
        }
    }

    // rtp-014
    #[test]
    fn padding_stands_anywhere_and_id_15_ends_the_block() {
        let block = [
            0xBE, 0xDE, 0, 3, 0, 0x10, 1, 0, 0, 0x20, 2, 0xF0, 9, 0x30, 3, 0,
        ];
        assert_eq!(parse(&block), Ok(with(&[(1, &[1]), (2, &[2])])));
        let block = [0x10, 0x0F, 0, 2, 0, 1, 1, 9, 0, 15, 0, 0];
        assert_eq!(parse(&block), Ok(with(&[(1, &[9]), (15, &[])])));
    }

    #[test]
    fn an_element_beyond_the_block_is_refused() {
        let one_byte = [0xBE, 0xDE, 0, 1, 0x13, 1, 2, 3];
        assert_eq!(parse(&one_byte), Err(DecodeError::Truncated));
        for two_bytes in [[0x10, 0, 0, 1, 1, 3, 1, 2], [0x10, 0, 0, 1, 0, 0, 0, 1]] {
            assert_eq!(parse(&two_bytes), Err(DecodeError::Truncated));
        }
    }

    // rtp-018
    #[test]
    fn a_block_of_another_profile_is_left_out() {
        assert_eq!(parse(&[0xAB, 0xAC, 0, 1, 1, 2, 3, 4]), Ok(with(&[])));
        assert_eq!(written(&with(&[])), []);
    }

    #[test]
    fn an_element_is_replaced_in_its_place_and_one_of_another_length_at_the_end() {
        let mut extensions = with(&[(1, &[1, 2]), (2, &[3])]);
        extensions.set(1, &[4, 5]).unwrap();
        assert_eq!(extensions, with(&[(1, &[4, 5]), (2, &[3])]));
        extensions.set(1, &[6]).unwrap();
        assert_eq!(extensions, with(&[(2, &[3]), (1, &[6])]));
        assert!(extensions.remove(2));
        assert!(!extensions.remove(2));
        assert_eq!(extensions.set(0, &[1]), Err(EncodeError::Value));
        assert_eq!(extensions.set(3, &[0; 256]), Err(EncodeError::Value));
        assert_eq!(extensions, with(&[(1, &[6])]));
    }

    #[test]
    fn elements_take_the_ids_of_another_peer() {
        let mut extensions = with(&[(1, &[1]), (2, &[2]), (3, &[3])]);
        extensions.remap(|id| match id {
            1 => Some(3),
            3 => Some(1),
            _ => None,
        });
        assert_eq!(extensions, with(&[(3, &[1]), (1, &[3])]));
    }
}
