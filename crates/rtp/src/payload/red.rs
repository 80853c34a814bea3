//! Redundant audio data (RFC 2198): payloads of earlier packets ride along with that of this one.
//!
//! [`blocks`] reads a payload and [`packets`] gives the packets it stands for; [`Encoder`] writes
//! payloads.

#[cfg(test)]
mod tests;

use crate::{DecodeError, Header, Packet};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;

/// The largest timestamp offset that fits its 14 bits.
pub const MAX_OFFSET: u16 = 0x3FFF;

/// The longest redundant block that fits its 10 bits, in bytes.
pub const MAX_BLOCK_LEN: usize = 0x3FF;

/// Bytes of the header of a redundant block.
const HEADER_LEN: usize = 4;

/// Bytes of the header of the primary block.
const PRIMARY_HEADER_LEN: usize = 1;

/// One encoding in a payload (RFC 2198 §3).
///
/// ```text
///  0                   1                    2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3  4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |F|   block PT  |  timestamp offset         |   block length    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
///  0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+
/// |0|   Block PT  |  the last block, the primary one
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The payload type of the data, 0 to 127.
    pub payload_type: u8,
    /// How far its timestamp is before that of the packet; 0 for the primary block, which is last.
    pub timestamp_offset: u16,
    /// The payload, a part of the packet's.
    pub data: Bytes,
}

/// The blocks of a payload, the oldest first, the primary one last.
///
/// # Errors
///
/// [`DecodeError::Truncated`] if the headers or the blocks reach beyond the payload. Nothing of it
/// can be used then.
pub fn blocks(payload: &Bytes) -> Result<impl Iterator<Item = Block> + use<>, DecodeError> {
    // The data begin behind the last header, which is the only one without F.
    let mut start = 0;
    let mut len = 0;
    loop {
        let rest = payload.get(start..).unwrap_or_default();
        match rest {
            [0..0x80, ..] => break,
            [_, _, high, low, ..] => {
                len += block_len(*high, *low);
                start += HEADER_LEN;
            }
            _ => return Err(DecodeError::Truncated),
        }
    }
    let mut data = payload.slice(start + PRIMARY_HEADER_LEN..);
    if len > data.len() {
        return Err(DecodeError::Truncated);
    }
    let mut headers = payload.slice(..start + PRIMARY_HEADER_LEN);
    Ok(std::iter::from_fn(move || match headers[..] {
        [first, offset, high, low, ..] => {
            headers = headers.slice(HEADER_LEN..);
            Some(Block {
                payload_type: first & 0x7F,
                timestamp_offset: u16::from_be_bytes([offset, high]) >> 2,
                data: data.split_to(block_len(high, low)),
            })
        }
        [payload_type, ..] => {
            headers.clear();
            Some(Block {
                payload_type,
                timestamp_offset: 0,
                data: std::mem::take(&mut data),
            })
        }
        [] => None,
    }))
}

/// The last ten bits of a header.
fn block_len(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high & 0x03, low]))
}

/// The packets that a packet stands for, the oldest first and itself, without redundancy, last.
///
/// The sequence numbers of redundant blocks are not on the wire. They are taken to be those right
/// before: so does a sender count that repeats every packet, as browsers do. Their marker bit is
/// lost (§4). What is no earlier packet (no offset, no data) is left out.
///
/// # Errors
///
/// As [`blocks`].
pub fn packets(packet: &Packet) -> Result<impl Iterator<Item = Packet>, DecodeError> {
    let count = blocks(&packet.payload)?.count();
    let blocks = blocks(&packet.payload)?.enumerate();
    Ok(blocks.filter_map(move |(index, block)| {
        let primary = index + 1 == count;
        if !primary && (block.timestamp_offset == 0 || block.data.is_empty()) {
            return None;
        }
        let behind = u16::try_from(count - 1 - index).unwrap_or(u16::MAX);
        let mut header = Header {
            payload_type: block.payload_type,
            ..packet.header.clone()
        };
        if !primary {
            header.marker = false;
            header.sequence_number = header.sequence_number.wrapping_sub(behind);
            let offset = u32::from(block.timestamp_offset);
            header.timestamp = header.timestamp.wrapping_sub(offset);
        }
        Some(Packet::new(header, block.data))
    }))
}

/// Writes payloads that repeat those before.
#[derive(Debug)]
pub struct Encoder {
    payload_type: u8,
    levels: usize,
    /// The payloads before with their timestamps, the oldest first; at most `levels`.
    earlier: VecDeque<(u32, Bytes)>,
    /// Payloads are made in here; its memory comes back when they are dropped.
    buffer: BytesMut,
}

impl Encoder {
    /// The most packets that each packet may repeat; browsers repeat one or two.
    pub const MAX_LEVELS: usize = 8;

    /// An encoder that puts the `levels` payloads before into each packet, at most
    /// [`MAX_LEVELS`](Self::MAX_LEVELS). The payload type, 0 to 127, is that of the data, not that
    /// of the redundant format.
    #[must_use]
    pub fn new(payload_type: u8, levels: usize) -> Self {
        let levels = levels.min(Self::MAX_LEVELS);
        Self {
            payload_type: payload_type & 0x7F,
            levels,
            earlier: VecDeque::with_capacity(levels + 1),
            buffer: BytesMut::new(),
        }
    }

    /// The payload of the next packet, of at most `max_payload` bytes. The newest payloads before
    /// it are in, as long as they fit: the packet, their field for the length, and the offset of
    /// their timestamp.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`] if the payload alone does not fit.
    pub fn encode(
        &mut self,
        timestamp: u32,
        payload: &Bytes,
        max_payload: usize,
    ) -> Result<Bytes, DecodeError> {
        let mut len = PRIMARY_HEADER_LEN + payload.len();
        if len > max_payload {
            return Err(DecodeError::Length);
        }
        let offset = |earlier: u32| u16::try_from(timestamp.wrapping_sub(earlier));
        let fits = |(earlier, data): &&(u32, Bytes)| {
            len += HEADER_LEN + data.len();
            len <= max_payload
                && data.len() <= MAX_BLOCK_LEN
                && offset(*earlier).is_ok_and(|offset| (1..=MAX_OFFSET).contains(&offset))
        };
        let repeated = self.earlier.iter().rev().take_while(fits).count();
        let first = self.earlier.len() - repeated;
        let blocks = self.earlier.range(first..);
        self.buffer.reserve(max_payload.min(len));
        for (earlier, data) in blocks.clone() {
            let [o0, o1] = (offset(*earlier).unwrap_or(MAX_OFFSET) << 2).to_be_bytes();
            let [l0, l1] = u16::try_from(data.len()).unwrap_or(0).to_be_bytes();
            let header = [0x80 | self.payload_type, o0, o1 | l0, l1];
            self.buffer.put_slice(&header);
        }
        self.buffer.put_u8(self.payload_type);
        for (_, data) in blocks {
            self.buffer.put_slice(data);
        }
        self.buffer.put_slice(payload);
        self.remember(timestamp, payload);
        Ok(self.buffer.split().freeze())
    }

    fn remember(&mut self, timestamp: u32, payload: &Bytes) {
        self.earlier.push_back((timestamp, payload.clone()));
        if self.earlier.len() > self.levels {
            self.earlier.pop_front();
        }
    }
}
