//! Messages whose fragments interleave, for another process.

use super::{Incoming, Interleaved, Name, Partial};
use crate::packet::DecodeError;
use crate::reassembly::state::read_waiting;
use crate::serial::Tsn;
use crate::state::{StateReader, StateWriter};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;

impl Interleaved {
    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        state.list(self.partial.iter(), |state, (name, partial)| {
            state.out.put_u16(name.stream);
            state.flag(name.unordered);
            state.out.put_u32(name.mid);
            partial.write_state(state);
        });
        state.list(self.streams.iter(), |state, (&id, stream)| {
            state.out.put_u16(id);
            state.out.put_u32(stream.next.wire());
            state.list(stream.waiting.iter(), |state, (mid, message)| {
                state.out.put_u32(mid.wire());
                state.message(message);
            });
        });
    }

    pub(crate) fn read_state(state: &mut StateReader<'_>) -> Result<Self, DecodeError> {
        let partial = state.list(|state| {
            let name = Name {
                stream: state.u16()?,
                unordered: state.flag()?,
                mid: state.u32()?,
            };
            Ok((name, Partial::read_state(state)?))
        })?;
        let streams = state.list(|state| {
            let (id, next) = (state.u16()?, Tsn::initial(state.u32()?));
            let waiting = read_waiting(state, |mid| next.near(mid))?;
            Ok((id, Incoming { next, waiting }))
        })?;
        Ok(Self {
            partial: BTreeMap::from_iter(partial),
            streams: BTreeMap::from_iter(streams),
        })
    }

    /// Bytes and pieces.
    pub(crate) fn count(&self) -> (usize, usize) {
        let (mut held, mut pieces) = (0, 0);
        for partial in self.partial.values() {
            held += partial.len;
            pieces += partial.pieces();
        }
        let streams = self.streams.values();
        for message in streams.flat_map(|stream| stream.waiting.values()) {
            held += message.data.len();
            pieces += 1;
        }
        (held, pieces)
    }
}

impl Partial {
    fn write_state(&self, state: &mut StateWriter) {
        state.out.put_u32(self.protocol);
        state.out.put_u32(self.next);
        state.out.put_u64(self.handed_out as u64);
        state.list(self.last.iter(), |state, &last| state.out.put_u32(last));
        state.bytes([&*self.begun].into_iter());
        state.list(self.later.iter(), |state, (&fsn, bytes)| {
            state.out.put_u32(fsn);
            state.bytes([&**bytes].into_iter());
        });
    }

    fn read_state(state: &mut StateReader<'_>) -> Result<Self, DecodeError> {
        let mut partial = Self {
            protocol: state.u32()?,
            next: state.u32()?,
            handed_out: state.usize()?,
            last: state.list(StateReader::u32)?.first().copied(),
            begun: BytesMut::from(state.bytes()?),
            ..Self::default()
        };
        let later =
            state.list(|state| Ok((state.u32()?, Bytes::copy_from_slice(state.bytes()?))))?;
        partial.len =
            partial.begun.len() + later.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        partial.later = BTreeMap::from_iter(later);
        Ok(partial)
    }
}
