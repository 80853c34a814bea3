use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use testkit::Side;

/// The fuzzer's bytes, read from the front. Clones read the same tape.
#[derive(Clone, Debug)]
pub struct Tape {
    bytes: Rc<[u8]>,
    at: Rc<Cell<usize>>,
}

impl Tape {
    /// A tape at its beginning.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.into(),
            at: Rc::default(),
        }
    }

    /// The next byte; `None` at the end.
    pub fn byte(&self) -> Option<u8> {
        let byte = *self.bytes.get(self.at.get())?;
        self.at.set(self.at.get() + 1);
        Some(byte)
    }

    /// Two bytes, big-endian; what is missing at the end is 0.
    pub fn number(&self) -> u16 {
        u16::from_be_bytes([self.byte().unwrap_or(0), self.byte().unwrap_or(0)])
    }

    /// Four bytes, big-endian; what is missing at the end is 0.
    pub fn long(&self) -> u32 {
        u32::from(self.number()) << 16 | u32::from(self.number())
    }

    /// A length of two bytes and as many bytes as it says, or as there are.
    pub fn chunk(&self) -> Vec<u8> {
        let len = usize::from(self.number());
        let rest = &self.bytes[self.at.get()..];
        let chunk = &rest[..len.min(rest.len())];
        self.at.set(self.at.get() + chunk.len());
        chunk.to_vec()
    }

    /// One bit, out of a byte.
    pub fn flag(&self) -> bool {
        self.byte().unwrap_or(0) & 1 == 1
    }

    /// One end of the pair.
    pub fn side(&self) -> Side {
        if self.flag() { Side::B } else { Side::A }
    }

    /// From nothing to two minutes; small numbers are milliseconds, large ones seconds.
    pub fn duration(&self) -> Duration {
        match self.byte().unwrap_or(0) {
            short @ 0..128 => Duration::from_millis(short.into()),
            long => Duration::from_secs((long - 128).into()),
        }
    }
}
