use super::{HEADER_LEN, Header, checksum, padded};
use bytes::BufMut;

/// A chunk that can be written.
pub trait WireChunk {
    /// The chunk type.
    fn kind(&self) -> u8;

    /// The chunk flags.
    fn flags(&self) -> u8 {
        0
    }

    /// How many bytes [`write_value`](Self::write_value) writes.
    fn value_len(&self) -> usize;

    /// Writes the chunk value, without padding.
    fn write_value<B: BufMut>(&self, out: &mut B);
}

/// Puts a packet together in a buffer of the caller.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Begins with the common header; `None` if not even that fits.
    #[must_use]
    pub fn new(buf: &'a mut [u8], header: Header) -> Option<Self> {
        let mut out = buf.get_mut(..HEADER_LEN)?;
        out.put_u16(header.source_port);
        out.put_u16(header.destination_port);
        out.put_u32(header.verification_tag);
        out.put_u32(0);
        Some(Self {
            buf,
            len: HEADER_LEN,
        })
    }

    /// How many bytes are left for chunks: a multiple of four.
    #[must_use]
    pub fn remaining(&self) -> usize {
        (self.buf.len() - self.len) & !3
    }

    /// Whether no chunk was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == HEADER_LEN
    }

    /// Appends a chunk with its padding; `false`, and nothing written, if it does not fit.
    pub fn push(&mut self, chunk: &impl WireChunk) -> bool {
        let len = 4 + chunk.value_len();
        let Ok(wire_len) = u16::try_from(len) else {
            return false;
        };
        if padded(len) > self.remaining() {
            return false;
        }
        let end = self.len + padded(len);
        let mut out = &mut self.buf[self.len..end];
        out.put_u8(chunk.kind());
        out.put_u8(chunk.flags());
        out.put_u16(wire_len);
        chunk.write_value(&mut out);
        out.fill(0);
        self.len = end;
        true
    }

    /// Appends chunks that were encoded before; `false` if they do not fit.
    pub fn push_encoded(&mut self, chunks: &[u8]) -> bool {
        if chunks.len() > self.remaining() {
            return false;
        }
        let end = self.len + chunks.len();
        self.buf[self.len..end].copy_from_slice(chunks);
        self.len = end;
        true
    }

    /// Leaves the checksum at 0, for a peer that has announced to take it (RFC 9653 §5.2), and
    /// returns the length of the packet.
    #[must_use]
    pub fn finish_authenticated(self) -> usize {
        self.len
    }

    /// Writes the checksum (RFC 9260 §6.8) and returns the length of the packet.
    #[must_use]
    pub fn finish(self) -> usize {
        let packet = &mut self.buf[..self.len];
        let sum = checksum(packet);
        packet[8..HEADER_LEN].copy_from_slice(&sum.to_le_bytes());
        self.len
    }
}
