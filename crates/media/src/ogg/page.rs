use super::MAGIC;
use crate::Error;
use crate::input::Input;
use bytes::Bytes;
use std::io::Read;

/// The most segments on a page, as one byte counts them.
pub(super) const MAX_SEGMENTS: usize = 255;

/// How far a reader looks for the next page when one is broken, in bytes: more than the largest page.
const MAX_RESYNC: usize = 1 << 20;

/// A page (RFC 3533 §6).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | capture_pattern: Magic number for page start "OggS"           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | version       | header_type   | granule_position              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               | bitstream_serial_number       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               | page_sequence_number          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               | CRC_checksum                  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               |page_segments  | segment_table |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | ...                                                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// Numbers are in little endian. A packet is the segments up to the first of less than 255 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Begins with the rest of a packet of the page before.
    pub continued: bool,
    /// The first page of its stream.
    pub first: bool,
    /// The last page of its stream.
    pub last: bool,
    /// The position after the last packet that ends here, in samples at 48 kHz; all ones if none
    /// does.
    pub granule_position: u64,
    /// The stream, of several in the file.
    pub serial: u32,
    /// Counts the pages of the stream.
    pub sequence: u32,
    /// The lengths of the segments.
    pub segments: Vec<u8>,
    /// The segments.
    pub body: Bytes,
}

impl Page {
    /// The length of the header without the segment table, in bytes.
    const FIXED_LEN: usize = 27;

    /// Reads the next page; passes over what is no page, or a broken one. `None` at the end.
    pub(super) fn read(input: &mut Input<impl Read>) -> Result<Option<Self>, Error> {
        let mut left = MAX_RESYNC;
        while find_capture_pattern(input, &mut left)? {
            let header = input.array::<{ Self::FIXED_LEN - 4 }>()?;
            let segments = input.bytes("segment table", header[22].into(), MAX_SEGMENTS)?;
            let len = segments.iter().map(|&len| u64::from(len)).sum();
            let body = input.bytes("page", len, MAX_SEGMENTS * 255)?;
            let page = Self::from_parts(&header, &segments, body);
            let stated = u32::from_le_bytes([header[18], header[19], header[20], header[21]]);
            if header[0] == 0 && page.checksum() == stated {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    fn from_parts(header: &[u8; Self::FIXED_LEN - 4], segments: &[u8], body: Bytes) -> Self {
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        Self {
            continued: header[1] & 1 != 0,
            first: header[1] & 2 != 0,
            last: header[1] & 4 != 0,
            granule_position: u64::from(word(2)) | u64::from(word(6)) << 32,
            serial: word(10),
            sequence: word(14),
            segments: segments.to_vec(),
            body,
        }
    }

    /// The bytes of the page, with its checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        let checksum = self.checksum();
        bytes[22..26].copy_from_slice(&checksum.to_le_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The header and the segment table, with a checksum of 0.
    fn header(&self) -> Vec<u8> {
        let segments = &self.segments[..self.segments.len().min(MAX_SEGMENTS)];
        let flags = u8::from(self.continued) | u8::from(self.first) << 1 | u8::from(self.last) << 2;
        let mut bytes = Vec::with_capacity(Self::FIXED_LEN + segments.len() + self.body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[0, flags]);
        bytes.extend_from_slice(&self.granule_position.to_le_bytes());
        bytes.extend_from_slice(&self.serial.to_le_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.push(u8::try_from(segments.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(segments);
        bytes
    }

    /// Over header and body, with 0 in the place of the checksum.
    fn checksum(&self) -> u32 {
        crc(crc(0, &self.header()), &self.body)
    }

    /// The parts of packets on the page, in order, and whether the packet ends with this part.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Bytes, bool)> + use<> {
        let (segments, mut body) = (self.segments.clone(), self.body.clone());
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = segments.get(at..).filter(|rest| !rest.is_empty())?;
            let end = rest.iter().position(|&len| len < 255);
            let taken = end.map_or(rest.len(), |end| end + 1);
            let len = rest[..taken].iter().map(|&len| usize::from(len)).sum();
            at += taken;
            Some((body.split_to(body.len().min(len)), end.is_some()))
        })
    }
}

/// Passes over everything up to and with the next `OggS`; `false` if the file ends before.
fn find_capture_pattern(input: &mut Input<impl Read>, left: &mut usize) -> Result<bool, Error> {
    let mut window = [0; 4];
    let mut filled = 0;
    while let Some([byte]) = input.array_or_end::<1>()? {
        window.rotate_left(1);
        window[3] = byte;
        filled += 1;
        if filled >= 4 && window == *MAGIC {
            return Ok(true);
        }
        *left = left
            .checked_sub(1)
            .ok_or_else(|| input.malformed("no page for a megabyte"))?;
    }
    Ok(false)
}

/// The checksum of pages (RFC 3533 §6): polynomial 0x04C11DB7, not reflected, from 0, not inverted.
fn crc(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |crc, &byte| {
        let [high, ..] = crc.to_be_bytes();
        (crc << 8) ^ CRC_TABLE[usize::from(high ^ byte)]
    })
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut crc = byte << 24;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc >> 31;
            crc = (crc << 1) ^ (carry * 0x04C1_1DB7);
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first page of a file that another program (libogg, by ffmpeg) wrote.
    const CAPTURED: [u8; 47] = [
        0x4F, 0x67, 0x67, 0x53, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1C, 0xD5, 0xC5, 0xF7, 0x01, 0x13, 0x4F, 0x70,
        0x75, 0x73, 0x48, 0x65, 0x61, 0x64, 0x01, 0x02, 0x38, 0x01, 0x80, 0xBB, 0x00, 0x00, 0x00,
        0x00, 0x00,
    ];

    #[test]
    fn a_captured_page_is_read_and_written_again() {
        let page = Page::read(&mut Input::new(&CAPTURED[..])).unwrap().unwrap();
        assert!(page.first && !page.last && !page.continued);
        assert_eq!((page.granule_position, page.sequence), (0, 0));
        assert_eq!(page.segments, [19]);
        assert!(page.body.starts_with(b"OpusHead"));
        assert_eq!(page.to_bytes(), CAPTURED);
    }

    #[test]
    fn a_broken_page_is_passed_over() {
        let mut file = b"garbage Ogg OggS".to_vec();
        let mut broken = CAPTURED;
        broken[40] ^= 1;
        file.extend([0; 23]);
        file.extend(broken);
        file.extend(CAPTURED);
        let mut input = Input::new(&file[..]);
        assert_eq!(
            Page::read(&mut input).unwrap().unwrap().to_bytes(),
            CAPTURED
        );
        assert_eq!(Page::read(&mut input).unwrap(), None);
    }

    #[test]
    fn the_search_for_a_page_ends() {
        let error = Page::read(&mut Input::new(std::io::repeat(b'O'))).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }

    #[test]
    fn segments_of_255_bytes_are_followed_by_more_of_the_packet() {
        let page = Page {
            segments: vec![255, 10, 0, 3, 255],
            body: vec![7; 255 + 10 + 3 + 255].into(),
            ..Page::default()
        };
        let parts: Vec<_> = page.parts().map(|(part, end)| (part.len(), end)).collect();
        assert_eq!(parts, [(265, true), (0, true), (3, true), (255, false)]);
    }
}
