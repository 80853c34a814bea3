use super::ebml::{number, signed_number};
use bytes::{Buf, Bytes};

/// A SimpleBlock or Block (RFC 9559 §10.1, §10.2).
///
/// ```text
/// +----------------+-------------+----------------+- - -+--------+
/// | track (1 to 8) | time, 2, ±  | K 0 0 0 I LL D | lace | frames |
/// +----------------+-------------+----------------+- - -+--------+
/// K: keyframe (SimpleBlock only); I: not shown; L: lacing; D: may be dropped
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) track: u64,
    /// From the time of the cluster.
    pub(super) time: i16,
    pub(super) keyframe: bool,
    /// One or more frames; the later ones follow in time.
    pub(super) frames: Vec<Bytes>,
}

/// Set in a SimpleBlock whose frame a decoder can begin with.
pub(super) const KEYFRAME: u8 = 0x80;

impl Block {
    pub(super) fn parse(mut content: Bytes) -> Option<Self> {
        let mut rest = &content[..];
        let track = number(&mut rest)?;
        let &[t0, t1, flags] = rest.first_chunk()?;
        let start = content.len() - rest.len() + 3;
        content.advance(start);
        let frames = match flags & 0x06 {
            0 => vec![content],
            lacing => laced(content, lacing)?,
        };
        Some(Self {
            track,
            time: i16::from_be_bytes([t0, t1]),
            keyframe: flags & KEYFRAME != 0,
            frames,
        })
    }
}

/// Several frames in one block (RFC 9559 §10.3).
fn laced(mut content: Bytes, lacing: u8) -> Option<Vec<Bytes>> {
    let (&more, mut rest) = content.split_first()?;
    let more = usize::from(more);
    let mut lens = Vec::with_capacity(more);
    match lacing {
        0x02 => xiph(&mut rest, more, &mut lens)?,
        0x06 => ebml(&mut rest, more, &mut lens)?,
        _ => lens.resize(more, rest.len() / (more + 1)),
    }
    let start = content.len() - rest.len();
    content.advance(start);
    let mut frames = Vec::with_capacity(more + 1);
    for len in lens {
        if len > content.len() {
            return None;
        }
        frames.push(content.split_to(len));
    }
    frames.push(content);
    Some(frames)
}

/// Each length is a row of bytes that ends with the first below 255 (§10.3.2).
fn xiph(rest: &mut &[u8], count: usize, lens: &mut Vec<usize>) -> Option<()> {
    for _ in 0..count {
        let mut len = 0;
        loop {
            let (&byte, tail) = rest.split_first()?;
            *rest = tail;
            len += usize::from(byte);
            if byte < 255 {
                break;
            }
        }
        lens.push(len);
    }
    Some(())
}

/// The first length is a number, each other its difference to the one before (§10.3.3).
fn ebml(rest: &mut &[u8], count: usize, lens: &mut Vec<usize>) -> Option<()> {
    let mut len = 0;
    for index in 0..count {
        len = if index == 0 {
            number(rest)?.cast_signed()
        } else {
            signed_number(rest)?.checked_add(len)?
        };
        lens.push(usize::try_from(len).ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(content: &[u8]) -> Option<Vec<usize>> {
        let block = Block::parse(Bytes::copy_from_slice(content))?;
        Some(block.frames.iter().map(Bytes::len).collect())
    }

    #[test]
    fn a_simple_block_is_one_frame() {
        let block = Block::parse(Bytes::from_static(&[0x81, 0xFF, 0xFE, 0x80, 7, 8])).unwrap();
        assert_eq!((block.track, block.time, block.keyframe), (1, -2, true));
        assert_eq!(block.frames, [Bytes::from_static(&[7, 8])]);
    }

    /// The examples of RFC 9559 §10.3.2 to §10.3.4: frames of 800, 500 and 1000 bytes, and three of
    /// the same length.
    #[test]
    fn laces_are_those_of_the_examples() {
        let block = |flags: u8, lace: &[u8], len: usize| {
            [&[0x81, 0, 0, flags], lace, &vec![9; len][..]].concat()
        };
        let xiph = block(2, &[2, 255, 255, 255, 35, 255, 245], 2300);
        assert_eq!(lens(&xiph).unwrap(), [800, 500, 1000]);
        let ebml = block(6, &[2, 0x43, 0x20, 0x5E, 0xD3], 2300);
        assert_eq!(lens(&ebml).unwrap(), [800, 500, 1000]);
        let fixed = block(4, &[2], 2400);
        assert_eq!(lens(&fixed).unwrap(), [800, 800, 800]);
    }

    #[test]
    fn laces_that_reach_too_far_are_refused() {
        for flags in [2, 6] {
            assert_eq!(lens(&[0x81, 0, 0, flags, 1, 0xFE, 1, 2]), None);
            assert_eq!(lens(&[0x81, 0, 0, flags, 200, 0x81, 0x81]), None);
        }
        assert_eq!(lens(&[0x81, 0, 0]), None);
        assert_eq!(lens(&[0x81, 0, 0, 2]), None);
    }
}
