use super::writer::WireChunk;
use super::{DecodeError, padded};
use bytes::BufMut;

/// One chunk, not yet interpreted (RFC 9260 §3.2).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                          Chunk Value                          \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The chunk type.
    pub kind: u8,
    /// The chunk flags.
    pub flags: u8,
    /// The chunk value, without padding.
    pub value: &'a [u8],
    /// The chunk as it came, header included, for reports of unknown chunks.
    pub whole: &'a [u8],
}

/// What the two high bits of a type ask of who does not know it (RFC 9260 §3.2, §3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnUnknown {
    /// Skip this one and go on, rather than stop here.
    pub skip: bool,
    /// Tell the sender.
    pub report: bool,
}

impl Chunk<'_> {
    /// What to do if the type is not known (RFC 9260 §3.2).
    #[must_use]
    pub fn on_unknown(&self) -> OnUnknown {
        OnUnknown {
            skip: self.kind & 0x80 != 0,
            report: self.kind & 0x40 != 0,
        }
    }
}

/// Iterates over the chunks of a packet. It ends after the first error.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn take(&mut self) -> Result<Chunk<'a>, DecodeError> {
        let bytes = std::mem::take(&mut self.rest);
        let &[kind, flags, l0, l1, ..] = bytes else {
            return Err(DecodeError::Truncated);
        };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        // The length includes the four bytes of the header (RFC 9260 §3.2).
        if len < 4 {
            return Err(DecodeError::Length);
        }
        // A partial chunk is dropped (RFC 9260 §6.10).
        let whole = bytes.get(..len).ok_or(DecodeError::Truncated)?;
        // The padding of the last chunk may be absent; receivers ignore it (RFC 9260 §3.2).
        self.rest = bytes.get(padded(len)..).unwrap_or_default();
        Ok(Chunk {
            kind,
            flags,
            value: whole.get(4..).unwrap_or_default(),
            whole,
        })
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.take())
    }
}

/// Writes one chunk, padded, into bytes of its own.
///
/// # Panics
///
/// If the chunk is longer than its 16-bit length can say.
#[must_use]
pub fn encode(chunk: &impl WireChunk) -> Vec<u8> {
    let len = 4 + chunk.value_len();
    let mut out = Vec::with_capacity(padded(len));
    out.put_u8(chunk.kind());
    out.put_u8(chunk.flags());
    out.put_u16(u16::try_from(len).expect("a chunk is shorter than 64 KiB"));
    chunk.write_value(&mut out);
    out.resize(padded(len), 0);
    out
}
