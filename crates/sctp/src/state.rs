//! The state of a running association as bytes: what all of its parts write and read. The format is
//! that of [`Association::hand_over`](crate::Association::hand_over).

use crate::packet::{DecodeError, Reader};
use crate::queue::{Fragment, Limit};
use bytes::{BufMut, Bytes};
use layer::Message;
use std::time::{Duration, Instant};

/// Writes a state.
#[derive(Debug)]
pub(crate) struct StateWriter {
    pub(crate) out: Vec<u8>,
    /// Instants are told by how far they are from this one.
    now: Instant,
}

impl StateWriter {
    pub(crate) fn new(now: Instant) -> Self {
        let out = Vec::with_capacity(512);
        Self { out, now }
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.out.put_u8(flag.into());
    }

    /// How many there are, and each.
    pub(crate) fn list<T>(
        &mut self,
        list: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        let at = self.out.len();
        self.out.put_u32(0);
        let mut count = 0_u32;
        for item in list {
            write(self, item);
            count += 1;
        }
        self.out[at..at + 4].copy_from_slice(&count.to_be_bytes());
    }

    pub(crate) fn numbers(&mut self, numbers: &[u16]) {
        self.list(numbers.iter(), |state, &number| state.out.put_u16(number));
    }

    /// Bytes in parts, which come back as one; far less than 4 GiB.
    pub(crate) fn bytes<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]> + Clone) {
        let len = parts.clone().map(<[u8]>::len).sum::<usize>();
        self.out.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
        parts.for_each(|part| self.out.put_slice(part));
    }

    pub(crate) fn limit(&mut self, limit: Limit) {
        let (kind, value) = match limit {
            Limit::Never => (0, 0),
            Limit::Retransmissions(count) => (1, u64::from(count)),
            Limit::Deadline(at) => {
                let left = at.saturating_duration_since(self.now).as_micros();
                (2, u64::try_from(left).unwrap_or(u64::MAX))
            }
        };
        self.out.put_u8(kind);
        self.out.put_u64(value);
    }

    pub(crate) fn fragment(&mut self, fragment: &Fragment) {
        self.out.put_u16(fragment.stream);
        self.out.put_u32(fragment.number);
        self.out.put_u32(fragment.fsn);
        self.out.put_u32(fragment.protocol);
        self.flag(fragment.unordered);
        self.flag(fragment.beginning);
        self.flag(fragment.ending);
        self.limit(fragment.limit);
        self.bytes([&*fragment.data].into_iter());
    }

    pub(crate) fn message(&mut self, message: &Message) {
        self.out.put_u16(message.stream);
        self.out.put_u32(message.protocol);
        self.flag(message.unordered);
        self.flag(message.first);
        self.flag(message.last);
        self.flag(message.aborted);
        self.bytes([&*message.data].into_iter());
    }
}

/// Reads a state, in the order in which it was written.
#[derive(Debug)]
pub(crate) struct StateReader<'a> {
    input: Reader<'a>,
    now: Instant,
}

impl<'a> StateReader<'a> {
    pub(crate) fn new(now: Instant, state: &'a [u8]) -> Self {
        let input = Reader(state);
        Self { input, now }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.input.0.is_empty()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.input.array()?;
        Ok(byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.input.u16()
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.input.u32()
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.input.u64()
    }

    pub(crate) fn usize(&mut self) -> Result<usize, DecodeError> {
        usize::try_from(self.u64()?).map_err(|_| DecodeError::Value)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Value),
        }
    }

    /// Every item takes bytes, so that the state's length bounds how many there can be.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.u32()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }

    pub(crate) fn numbers(&mut self) -> Result<Vec<u16>, DecodeError> {
        self.list(Self::u16)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(self.u32()?).map_err(|_| DecodeError::Length)?;
        self.input.bytes(len)
    }

    pub(crate) fn limit(&mut self) -> Result<Limit, DecodeError> {
        let (kind, value) = (self.u8()?, self.u64()?);
        match kind {
            0 => Ok(Limit::Never),
            1 => match u16::try_from(value) {
                Ok(count) => Ok(Limit::Retransmissions(count)),
                Err(_) => Err(DecodeError::Value),
            },
            2 => match self.now.checked_add(Duration::from_micros(value)) {
                Some(at) => Ok(Limit::Deadline(at)),
                None => Ok(Limit::Never),
            },
            _ => Err(DecodeError::Value),
        }
    }

    pub(crate) fn fragment(&mut self) -> Result<Fragment, DecodeError> {
        Ok(Fragment {
            stream: self.u16()?,
            number: self.u32()?,
            fsn: self.u32()?,
            protocol: self.u32()?,
            unordered: self.flag()?,
            beginning: self.flag()?,
            ending: self.flag()?,
            limit: self.limit()?,
            data: Bytes::copy_from_slice(self.bytes()?),
        })
    }

    pub(crate) fn message(&mut self) -> Result<Message, DecodeError> {
        let (stream, protocol) = (self.u16()?, self.u32()?);
        let (unordered, first) = (self.flag()?, self.flag()?);
        let (last, aborted) = (self.flag()?, self.flag()?);
        let data = Bytes::copy_from_slice(self.bytes()?);
        let mut message = Message::new(stream, protocol, data);
        message.unordered = unordered;
        message.first = first;
        message.last = last;
        message.aborted = aborted;
        Ok(message)
    }
}
